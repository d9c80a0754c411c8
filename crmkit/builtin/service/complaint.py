"""The built-in kinds of case: complaints and enquiries, and complaints passed on by a regulator."""

from __future__ import annotations

from crmkit.declarations import CaseClock, CaseKind
from crmkit.entities import Lifecycle, Stage

STAGES = (
    Stage("new", "open", "New", "新建"),
    Stage("acknowledged", "open", "Acknowledged", "已受理"),
    Stage("assigned", "open", "Assigned", "已分派"),
    Stage("in_progress", "open", "In progress", "处理中"),
    Stage("waiting_customer", "waiting", "Waiting for the customer", "待客户"),
    Stage("waiting_third_party", "waiting", "Waiting for a third party", "待第三方"),
    Stage("escalated", "open", "Escalated", "已升级"),
    Stage("answered", "waiting", "Answered", "已答复"),
    Stage("disputed", "open", "Disputed or outside", "争议或外部处理"),
    Stage("resolved", "done", "Resolved", "已解决"),
    Stage("reopened", "open", "Reopened", "已重开"),
    Stage("closed", "done", "Closed", "已关闭"),
    Stage("closed_no_reply", "failed", "Closed without a reply", "无回复关闭"),
    Stage("merged", "failed", "Merged into another", "已合并"),
    Stage("spam", "failed", "Spam", "垃圾"),
)
# Hand-over from assigned to assigned keeps the clock; escalated to escalated is one level higher.
NEXT = {
    "new": ("acknowledged", "merged", "spam"),
    "acknowledged": ("assigned", "answered", "merged"),
    "assigned": ("in_progress", "assigned"),
    "in_progress": ("waiting_customer", "waiting_third_party", "answered", "escalated"),
    "waiting_customer": ("in_progress", "closed_no_reply"),
    "waiting_third_party": ("in_progress",),
    "escalated": ("in_progress", "answered", "escalated"),
    "answered": ("resolved", "in_progress", "disputed"),
    "resolved": ("closed", "reopened"),
    "closed": ("reopened",),
    "reopened": ("assigned", "in_progress", "answered"),
    "disputed": ("in_progress", "resolved", "closed"),
}
COMPLAINT_STATES = Lifecycle(
    name="service.complaint",
    subject="service.case",
    title="Complaint or enquiry",
    title_zh="投诉与咨询",
    stages=STAGES,
    moves=[(here, there) for here, allowed in NEXT.items() for there in allowed],
)
NOTHING = ("merged", "spam")
# Targets of resolution: safety, privacy breach or press; goods lost or damaged, guest in the house;
# a failure of service; a suggestion.
RESOLUTION = {"S1": "4 h", "S2": "24 h", "S3": "3 working days", "S4": "10 working days"}
CLOCKS = (
    CaseClock(
        name="acknowledge", title="Acknowledge", title_zh="受理时限", targets={"": "1 h"},
        starts=("new",), cancels=NOTHING,
        stops=("acknowledged", "assigned", "in_progress", "answered"),
    ),
    # Wall-clock time, and no state pauses it: the customer was promised 24 hours.
    CaseClock(
        name="answer", title="Answer", title_zh="答复时限", targets={"": "24 h"},
        starts=("new",), stops=("answered", "closed_no_reply"), cancels=NOTHING,
        started_on="opened_at", stopped_on="answered_at",
    ),
    CaseClock(
        name="resolution", title="Resolution", title_zh="解决时限", targets=RESOLUTION,
        starts=("in_progress", "reopened"), stops=("resolved", "closed", "closed_no_reply"),
        pauses=("waiting_customer",), cancels=NOTHING, stopped_on="resolved_at",
    ),
    CaseClock(
        name="update", title="Tell how it stands", title_zh="进展告知", targets={"": "48 h"},
        starts=("in_progress",), stops=("answered", "resolved", "closed_no_reply"),
        pauses=("waiting_customer",), cancels=NOTHING, renewed=True,
    ),
)  # fmt: skip
COMPLAINT = CaseKind(
    name="service.complaint",
    title="Complaint or enquiry",
    title_zh="投诉与咨询",
    lifecycle="service.complaint",
    clocks=CLOCKS,
    severities=("S1", "S2", "S3", "S4"),
    severity="S3",
    severe=("S1", "S2"),
    implied=("acknowledged", "assigned", "in_progress"),
    opened_by=("core.complaint", "core.enquiry"),
)

FORWARDED_STATES = Lifecycle(
    name="service.forwarded",
    subject="service.case",
    title="Complaint passed on by a regulator",
    title_zh="监管转办投诉",
    stages=(
        Stage("received", "open", "Received", "已收到"),
        Stage("sent", "done", "Sent to the company", "已转交公司"),
    ),
    moves=[("received", "sent")],
)
# What is known by the day alone is timed in whole local days.
FORWARDED = CaseKind(
    name="service.forwarded",
    title="Complaint passed on by a regulator",
    title_zh="监管转办投诉",
    lifecycle="service.forwarded",
    clocks=(
        CaseClock(
            name="forward", title="Pass on", title_zh="转交时限", targets={"": "5 days"},
            starts=("received",), stops=("sent",), started_on="opened_at", stopped_on="answered_at",
        ),
    ),
    verbs={"answer": ("sent",)},
)  # fmt: skip


def lifecycles() -> list[Lifecycle]:
    """The states of the built-in kinds."""
    return [COMPLAINT_STATES, FORWARDED_STATES]


def case_kinds() -> list[CaseKind]:
    """The built-in kinds."""
    return [COMPLAINT, FORWARDED]
