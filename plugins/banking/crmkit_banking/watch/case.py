"""The cases that watch rules open: call, within the hour or two days, then say what it was."""

from __future__ import annotations

from crmkit.declarations import CaseClock, CaseKind
from crmkit.entities import Lifecycle, Stage

STATES = Lifecycle(
    name="banking.watch",
    subject="service.case",
    title="Watch case",
    title_zh="关注事项",
    stages=(
        Stage("new", "open", "New", "新建"),
        Stage("called", "open", "Called", "已联系"),
        Stage("explained", "done", "Explained", "已解释"),
        Stage("false_alarm", "done", "False alarm", "误报"),
        Stage("confirmed", "done", "Confirmed", "已确认"),
        Stage("lost", "failed", "Lost", "已损失"),
    ),
    moves=[
        (here, there)
        for here in ("new", "called")
        for there in ("called", "explained", "false_alarm", "confirmed", "lost")
        if here != there
    ],
)
ENDS = ("explained", "false_alarm", "confirmed", "lost")


def _case(name: str, title: str, title_zh: str, clock: CaseClock, severity: str) -> CaseKind:
    return CaseKind(
        name=name, title=title, title_zh=title_zh, lifecycle="banking.watch", clocks=(clock,),
        severities=("S1", "S2", "S3"), severity=severity, severe=("S1", "S2"),
        verbs={"resolve": ("explained",)},
    )  # fmt: skip


def _call(name: str, title: str, title_zh: str, within: str) -> CaseClock:
    """Wall-clock time: a card that was stolen is used at night."""
    return CaseClock(
        name=name, title=title, title_zh=title_zh, targets={"": within}, starts=("new",),
        stops=("called", *ENDS),
    )  # fmt: skip


WATCH_CASE = _case(
    "banking.watch",
    "Watch case",
    "关注事项",
    _call("callback", "Call back", "回电时限", "1 h"),
    "S2",
)
# Who is about to close is called by the owner of the relation, in two days (the brief, rule 4).
DEPARTURE_CASE = _case(
    "banking.departure", "About to close", "临近销户",
    _call("owner_call", "The owner calls", "客户经理回访时限", "48 h"), "S3",
)  # fmt: skip
