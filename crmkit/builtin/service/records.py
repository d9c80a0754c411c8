"""What is kept of a case: the case itself, its clocks with their logs, and what operators set."""

from __future__ import annotations

from typing import Any

from crmkit.declarations import InteractionKind, RecordType

CASE, CLOCK, CLOCK_EVENT = "service.case", "service.clock", "service.clock_event"
COMPENSATION, CASE_EVENT = "service.compensation", "service.case_event"
CALENDAR, CALENDAR_DAY = "service.calendar", "service.calendar_day"
TARGET, ROUTE, POLICY = "service.target", "service.route", "service.policy"


def _field(
    kind: str, title: str, title_zh: str, *, pii: str = "none", **more: Any
) -> dict[str, Any]:
    return {"type": kind, "title": title, "title_zh": title_zh, "pii": pii, **more}


def _text(title: str, title_zh: str, **more: Any) -> dict[str, Any]:
    return _field("string", title, title_zh, **more)


def _instant(title: str, title_zh: str, **more: Any) -> dict[str, Any]:
    return _field("string", title, title_zh, format="date-time", **more)


def _count(title: str, title_zh: str, unit: str = "1", **more: Any) -> dict[str, Any]:
    return _field("integer", title, title_zh, minimum=0, unit=unit, **more)


def _money(title: str, title_zh: str, **more: Any) -> dict[str, Any]:
    return _field("string", title, title_zh, format="money", **more)


CASE_FIELDS = {
    "kind": _text("Kind", "类型", description="A case kind, as service.complaint."),
    "state": _text("State", "状态"),
    "is_open": _field("boolean", "Open", "未结", description="Neither done nor failed."),
    "topic": _text("Topic", "事由", index=True, description="In the business's own list of words."),
    "region": _text("Region", "地区"),
    "product": _text("Product", "产品"),
    "department": _text("Department", "责任部门", index=True),
    "severity": _text("Severity", "严重程度"),
    "channel": _text("Channel", "渠道"),
    "headline": _text("Headline", "摘要", pii="direct", description="What it is about, in words."),
    "remedy_sought": _text("Remedy sought", "诉求", pii="direct", description="What the customer asks for (ISO 10002)."),
    "cause": _text("Cause", "原因类别", enum=["product", "communication", "process", "third_party"]),
    "root_cause": _text("Root cause", "根本原因", description="In the business's own list of words."),
    "assignee": _text("Handled by", "处理人"),
    "opened_at": _instant("Opened", "受理时间", index=True),
    "opened_on": _field("string", "Opened on", "受理日期", format="date", description="The local day."),
    "opened_by": _text("Opened by", "受理人"),
    "subject_type": _text("Subject type", "关联类型", description="What it is about: a record type, as hotel.stay."),
    "subject_ref": _text("Subject", "关联对象", pii="direct", description="Its key: stay, waybill."),
    "due_at": _instant("Due", "到期时间", index=True, description="The earliest due time of its running clocks; recomputable."),
    "due_clock": _text("Due clock", "到期时限"),
    "half_at": _instant("Half used", "时限过半"),
    "warned_at": _instant("Three quarters used", "时限四分之三"),
    "urgent_at": _instant("Nine tenths used", "时限九成"),
    "external_due_at": _instant("Outside date", "外部期限", description="A regulator's or court's date."),
    "answers": _count("Answers", "答复次数"),
    "answered_at": _instant("Answered", "首次答复时间"),
    "answered_by": _text("Answered by", "答复人"),
    "first_contact": _field("boolean", "Solved at first contact", "首次解决"),
    "resolved_at": _instant("Resolved", "解决时间"),
    "closed_at": _instant("Closed", "关闭时间"),
    "waiting_since": _instant("Waiting since", "等待客户起始"),
    "reminders": _count("Reminders", "催告次数"),
    "escalation_level": _count("Escalation level", "升级级别"),
    "reopen_count": _count("Times reopened", "重开次数"),
    "compensation_kind": _text("Compensation kind", "补偿方式"),
    "compensation": _money("Compensation", "补偿金额", description="The sum of what was approved.", minimum=0),
    "recurrence_of": _text("Recurrence of", "重复于", description="Key of the earlier case."),
    "merged_into": _text("Merged into", "并入", description="Key of the case that stays."),
    "recovery_score": _count("Recovery score", "挽回评分", description="What the customer says of the recovery, 0 to 10.", maximum=10),
}  # fmt: skip
CLOCK_FIELDS = {
    "clock": _text("Clock", "时限"),
    "state": _text("State", "状态", enum=["running", "paused", "fulfilled", "cancelled"]),
    "target": _text("Target", "目标", description="As 24 hours or 3 working days."),
    "calendar": _text("Calendar", "日历", description="Empty is wall-clock time."),
    "started_at": _instant("Started", "开始"),
    "due_at": _instant("Due", "到期"),
    "stopped_at": _instant("Stopped", "停止"),
    "total_seconds": _count("Time given", "给定时间", "second"),
    "used_seconds": _count("Time used", "已用时间", "second", description="Up to its last event."),
    "late": _field("boolean", "Late", "超时", description="Whether it was stopped too late; missing while it is not stopped."),
}  # fmt: skip
EVENT_FIELDS = {
    "number": _count("Number", "序号"),
    "event": _text("Event", "事件", enum=["activate", "pause", "resume", "fulfil", "cancel", "breach"]),
    "happened_at": _instant("Happened", "发生时间"),
}  # fmt: skip
COMPENSATION_FIELDS = {
    "kind": _text("Kind", "方式"),
    "amount": _money("Amount", "金额", minimum=0),
    "state": _text("State", "状态", enum=["proposed", "approved", "refused"]),
    "proposed_by": _text("Proposed by", "提出人"),
    "decided_by": _text("Decided by", "审批人"),
    "decided_at": _instant("Decided", "审批时间"),
}
CALENDAR_FIELDS = {
    "time_zone": _text("Time zone", "时区", format="time_zone", description="IANA name, that of the site."),
    "week": _text("Week", "每周时段", format="week", description="As mon-fri 09:00-12:00 13:00-17:00; sat 09:00-12:00."),
}  # fmt: skip
DAY_FIELDS = {
    "day": _field("string", "Day", "日期", format="date"),
    "windows": _text(
        "Windows", "时段", format="windows", description="As 09:00-12:00; empty is closed all day."
    ),
    "title": _text("Title", "名称"),
}
ANY = "Empty is any."
TARGET_FIELDS = {
    "kind": _text("Case kind", "工单类型", description=ANY),
    "clock": _text("Clock", "时限"),
    "severity": _text("Severity", "严重程度", description=ANY),
    "region": _text("Region", "地区", description=ANY),
    "target": _text("Target", "目标", format="target", description="As 24 h, 3 working days or 15 days."),
    "calendar": _text("Calendar", "日历", description="Key of the calendar in which working hours and days are counted; empty is the clock's own."),
}  # fmt: skip
ROUTE_FIELDS = {
    "kind": _text("Case kind", "工单类型", description=ANY),
    "topic": _text("Topic", "事由", description=ANY),
    "region": _text("Region", "地区", description=ANY),
    "product": _text("Product", "产品", description=ANY),
    "department": _text("Department", "责任部门"),
}
POLICY_FIELDS = {
    "compensation_limit": _money("Compensation limit", "补偿限额", description="Above it a second person decides.", minimum=0),
    "reminders": _count("Reminders before closing", "关闭前催告次数"),
    "no_reply_days": _count("Days without a reply", "无回复天数", "day"),
    "silence_days": _count("Days of silence that agree", "默认同意天数", "day"),
    "reopen_days": _count("Days to reopen", "可重开天数", "day"),
}  # fmt: skip
EVENT_WORDS = {
    "action": _text("Action", "动作"),
    "state": _text("State", "状态"),
    "text": _text("Text", "内容", pii="direct"),
}


def _type(
    name: str, title: str, title_zh: str, fields: dict[str, Any], *required: str, owner: str | None,
    filed_by: str = "",
) -> RecordType:  # fmt: skip
    schema = {"type": "object", "properties": fields, "required": list(required)}
    return RecordType(
        name=name, schema=schema, owner=owner, filed_by=filed_by, title=title, title_zh=title_zh
    )


def record_types() -> list[RecordType]:
    """Cases of customers, their clocks and compensations, and the tables that operators fill."""
    return [
        _type(CASE, "Case", "工单", CASE_FIELDS, "kind", "opened_at", owner="customer"),
        _type(CLOCK, "Clock", "时限", CLOCK_FIELDS, "clock", "started_at", owner=CASE),
        _type(CLOCK_EVENT, "Clock event", "时限事件", EVENT_FIELDS, *EVENT_FIELDS, owner=CLOCK),
        _type(COMPENSATION, "Compensation", "补偿", COMPENSATION_FIELDS, "amount", "state", owner=CASE,
              filed_by="case compensate"),
        _type(CALENDAR, "Calendar", "日历", CALENDAR_FIELDS, "time_zone", "week", owner=None),
        _type(CALENDAR_DAY, "Day of a calendar", "日历特殊日", DAY_FIELDS, "day", owner=CALENDAR),
        _type(TARGET, "Target of a clock", "时限目标", TARGET_FIELDS, "clock", "target", owner=None),
        _type(ROUTE, "Route", "分派规则", ROUTE_FIELDS, "department", owner=None),
        _type(POLICY, "Policy of a case kind", "工单类型设置", POLICY_FIELDS, owner=None),
    ]  # fmt: skip


def interaction_kinds() -> list[InteractionKind]:
    """What was done about a case, on the customer's timeline."""
    return [
        InteractionKind(
            name=CASE_EVENT, title="Case", title_zh="工单动态", subject=CASE,
            schema={"type": "object", "properties": EVENT_WORDS},
        )
    ]  # fmt: skip
