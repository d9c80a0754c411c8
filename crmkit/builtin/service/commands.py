"""``crmkit case``: each command names its options, calls the cases, and returns rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from crmkit.columns import (
    CUSTOMER,
    amount,
    count,
    day,
    detail,
    flag,
    instant,
    integer,
    items,
    number,
    text,
)
from crmkit.declarations import Answer, Command, Parameter, StageMove
from crmkit.entities import ContactPoint, FieldType, Money
from crmkit.errors import NotFound, UsageError

from . import actions
from .cases import Cases, NewCase
from .change import Case, Change
from .records import CASE, CASE_EVENT, CLOCK

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

T = FieldType
SERVICE = "service.cases"


def commands() -> list[Command]:
    """Every verb of the noun case."""
    return [*_opening(), *_acting(), *_listing()]


# --- what comes out -------------------------------------------------------------------------------


COLUMNS = (
    text("case", "Case", "工单"),
    CUSTOMER,
    detail(text("kind", "Kind", "类型")),
    text("state", "State", "状态"),
    text("topic", "Topic", "事由"),
    text("severity", "Severity", "严重程度"),
    detail(text("department", "Department", "责任部门")),
    text("assignee", "Handled by", "处理人"),
    detail(instant("opened_at", "Opened", "受理时间")),
    detail(text("due_clock", "Due clock", "到期时限")),
    instant("due_at", "Due", "到期时间"),
)
DUE_COLUMNS = (
    *COLUMNS[:8],
    COLUMNS[9],
    COLUMNS[10],
    integer("left_minutes", "Time left", "剩余时间", "minute"),
    number("used", "Used at least", "已用比例"),
)
BREACH_COLUMNS = (
    *COLUMNS[:8],
    text("clock", "Clock", "时限"),
    text("target", "Target", "目标"),
    instant("due_at", "Due", "到期时间"),
    instant("stopped_at", "Stopped", "停止"),
    integer("late_minutes", "Late by", "超时", "minute"),
)
SHOWN = (
    *COLUMNS,
    *(
        text(name, title, title_zh)
        for name, title, title_zh in (
            ("region", "Region", "地区"), ("product", "Product", "产品"), ("channel", "Channel", "渠道"),
            ("headline", "Headline", "摘要"), ("remedy_sought", "Remedy sought", "诉求"),
            ("cause", "Cause", "原因类别"), ("root_cause", "Root cause", "根本原因"),
            ("recurrence_of", "Recurrence of", "重复于"), ("merged_into", "Merged into", "并入"),
            ("answered_by", "Answered by", "答复人"),
        )
    ),
    instant("answered_at", "Answered", "首次答复时间"),
    instant("resolved_at", "Resolved", "解决时间"),
    instant("closed_at", "Closed", "关闭时间"),
    flag("first_contact", "Solved at first contact", "首次解决"),
    integer("escalation_level", "Escalation level", "升级级别"),
    integer("reopen_count", "Times reopened", "重开次数"),
    amount("compensation", "Compensation", "补偿金额"),
    items("clocks", "Clocks", "时限"),
    items("history", "History", "经过"),
)  # fmt: skip
GRANTED = (
    COLUMNS[0],
    COLUMNS[1],
    integer("number", "Number", "序号"),
    text("kind", "Kind", "方式"),
    amount("amount", "Amount", "金额"),
    text("state", "State", "状态"),
    text("proposed_by", "Proposed by", "提出人"),
    text("decided_by", "Decided by", "审批人"),
)


def _row(case: Case) -> dict[str, Any]:
    return {**case.values, "case": case.ref, "customer_id": case.customer_id}


# --- opening --------------------------------------------------------------------------------------


def _text(name: str, title: str, title_zh: str, **more: Any) -> Parameter:
    return Parameter(name=name, type=T.TEXT, title=title, title_zh=title_zh, **more)


WHAT = (
    _text("topic", "What it is about, in the business's own list of words", "事由"),
    _text("product", "Product", "产品"),
    _text("department", "Department; else by the routes", "责任部门"),
    _text("severity", "Severity, as S1 to S4", "严重程度"),
    _text("channel", "Channel by which it came", "渠道"),
    _text("headline", "What it is about, in words", "摘要"),
    _text("remedy_sought", "What the customer asks for", "诉求"),
    _text("subject_type", "Type of what it is about, as hotel.stay", "关联类型"),
    _text("subject_ref", "Its key", "关联对象"),
    _text("recurrence_of", "Key of the earlier case that comes back", "重复于"),
)


def _opening() -> list[Command]:
    return [
        Command(
            name="case open", run=open_case, writes=True, single=True, columns=COLUMNS,
            help="Open a case of a customer, a prospect or an interaction.\n\nIts clocks start at "
            "its receipt. A prospect is filed as a new customer in the first stage.",
            example="crmkit case open 1042 --topic billing --severity S3 --channel phone",
            parameters=(
                _text("customer", "Customer", "客户", positional=True),
                _text("prospect", "Name of somebody who is no customer yet", "潜在客户姓名"),
                _text("contact", "A prospect's contact point, as phone:+4930123456", "联系方式", multiple=True),
                _text("interaction", "Id of the interaction that it comes from", "来源互动"),
                _text("kind", "Case kind", "工单类型", default="service.complaint"),
                _text("region", "Region; else the customer's", "地区"),
                _text("ref", "Its key in the system that it comes from; a key opens one case", "来源单号"),
                _text("source", "That system", "来源系统", default="crmkit"),
                Parameter(name="received", type=T.INSTANT, title="When it was received; else now", title_zh="受理时间"),
                *WHAT,
            ),
        )
    ]  # fmt: skip


def open_case(crm: Crm, **given: Any) -> Answer:
    """Opens one case."""
    cases: Cases = crm.service(SERVICE)
    named = [n for n in ("customer", "prospect", "interaction") if given[n]]
    if len(named) != 1:
        raise UsageError("a case is of one customer, one prospect or one interaction.")
    values = {p.name: given[p.name] for p in WHAT}
    values["region"] = given["region"]
    with crm.store.begin("case open") as tx:
        new = NewCase(
            customer_id=0, kind=given["kind"], source=given["source"], ref=given["ref"],
            opened_at=given["received"], values=values,
        )  # fmt: skip
        if given["interaction"]:
            (key,) = cases.open_from([_number(given["interaction"])], like=new, tx=tx)
        else:
            customer = (
                crm.store.customers.find(given["customer"], tx=tx)
                if given["customer"]
                else _prospect(crm, given["prospect"], given["contact"], tx)
            )
            values["region"] = values["region"] or customer.region
            (key,) = cases.open([evolve(new, customer_id=customer.id)], tx=tx)
        (case,) = cases.read([key], tx=tx)
    return Answer(rows=[_row(case)])


def _prospect(crm: Crm, name: str, contacts: Sequence[str], tx: Tx) -> Any:
    points = [ContactPoint(*text.partition(":")[::2]) for text in contacts]
    made = crm.store.customers.add(name=name, contact_points=points, tx=tx)
    core = crm.catalog.lifecycles.get("core.customer")
    if core is not None:
        move = StageMove(
            lifecycle=core.name, subject_type="customer", subject_id=made.id, from_stage=None,
            to_stage=core.initial.name, reason="asked before being a customer",
        )  # fmt: skip
        crm.lifecycles.move([move], tx=tx)
    return made


def _number(text: str) -> int:
    if not text.isdecimal():
        raise NotFound("interaction", text)
    return int(text)


# --- acting ---------------------------------------------------------------------------------------

CASE_KEY = _text("case", "Key of the case", "工单", positional=True, required=True)
NOTE = _text("note", "What was said or done, in words", "说明")
WHEN = Parameter(name="at", type=T.INSTANT, title="When it was done, if it is filed afterwards; else now", title_zh="办理时间")  # fmt: skip
CHANNEL = _text("channel", "Channel by which the customer was told", "渠道")


def _act(
    crm: Crm, action: Callable[..., None], verb: str, case: str, at: datetime | None = None,
    **given: Any,
) -> Answer:  # fmt: skip
    cases: Cases = crm.service(SERVICE)
    given = {name: value for name, value in given.items() if value is not None}
    with cases.change([case], f"case {verb}") as change:
        (found,) = change.cases
        if at is not None:
            change.done_at(at)
        action(change, found, **given)
    return Answer(rows=[_row(found)])


def _verb(
    verb: str, action: Callable[..., None], help: str, more: str = "", *parameters: Parameter
) -> Command:
    return Command(
        name=f"case {verb}", run=partial(_act, action=action, verb=verb), writes=True, single=True,
        help=help, columns=COLUMNS, example=f"crmkit case {verb} C7 {more}".strip(),
        parameters=(CASE_KEY, *parameters, NOTE),
    )  # fmt: skip


def _move(change: Change, case: Case, *, state: str, external_due_at: datetime | None = None, note: str = "") -> None:  # fmt: skip
    lifecycle = change.store.catalog.lifecycles[case.clocks.kind.lifecycle]
    change.move(case, (lifecycle.stage(state).name,), what="move", note=note)
    case.values["external_due_at"] = external_due_at


def _acting() -> list[Command]:
    boolean = partial(Parameter, type=T.BOOLEAN, default=False)
    return [
        _verb(
            "assign", actions.assign, "Give a case to a person or a department.\n\nA hand-over keeps every clock.",
            "--to ben --department billing",
            _text("to", "Who handles it", "处理人"), _text("department", "Department", "责任部门"),
        ),
        _verb(
            "answer", actions.answer, "Answer a case with substance and a remedy.\n\nAn automatic reply is "
            "shown on the timeline and fulfils nothing.",
            "--channel email", CHANNEL, WHEN,
            boolean(name="automatic", title="It was an automatic reply", title_zh="自动回复"),
        ),
        _verb("update", actions.update, "Tell the customer how a case stands.", "--channel phone", CHANNEL, WHEN),
        _verb(
            "wait", actions.wait, "Wait for the customer, or remind a customer who is waited for.",
            "--on customer",
            _text("on", "For whom", "等待对象", default="customer", choices=("customer", "third_party")),
        ),
        _verb("resume", actions.resume, "Go on with a case."),
        _verb(
            "resolve", actions.resolve, "Resolve a case that the customer agrees to.\n\nSilence agrees "
            "some days after the answer.",
            "--agreed --cause product", WHEN,
            boolean(name="agreed", title="The customer agreed", title_zh="客户同意"),
            _text("cause", "What was at fault", "原因类别", choices=("product", "communication", "process", "third_party")),
            _text("root_cause", "Why, in the business's own list of words", "根本原因"),
            Parameter(name="recovery_score", type=T.INTEGER, title="What the customer says of it, 0 to 10", title_zh="挽回评分", unit="1"),
        ),
        _verb("close", actions.close, "Close a resolved case, or one whose customer does not reply."),
        _verb("reopen", actions.reopen, "Reopen a case with a new clock for its resolution."),
        _verb("escalate", actions.escalate, "Take a case one level up."),
        _verb(
            "move", _move, "Move a case to a state that no other verb leads to.", "disputed",
            _text("state", "State of the case's lifecycle", "状态", positional=True, required=True),
            Parameter(name="external_due_at", type=T.INSTANT, day_ends=True, title="A regulator's date", title_zh="外部期限"),
        ),
        Command(
            name="case merge", run=merge, writes=True, single=True, columns=COLUMNS,
            help="End a case that says the same as another of the same customer.",
            example="crmkit case merge C8 C7",
            parameters=(CASE_KEY, _text("into", "Case that stays", "保留工单", positional=True, required=True)),
        ),
        Command(
            name="case compensate", run=compensate, writes=True, single=True, columns=GRANTED,
            help="Offer a compensation, or decide as second person on one.\n\nAbove the limit of the "
            "case kind (with what was given before) it stands until somebody else approves it.",
            example="crmkit case compensate C7 --kind voucher --amount 25.00",
            parameters=(
                CASE_KEY, _text("kind", "As voucher, refund, points", "方式"),
                Parameter(name="amount", type=T.MONEY, title="Amount", title_zh="金额"),
                boolean(name="approve", title="Approve what stands proposed", title_zh="批准"),
                boolean(name="refuse", title="Refuse what stands proposed", title_zh="拒绝"),
            ),
        ),
    ]  # fmt: skip


def merge(crm: Crm, case: str, into: str) -> Answer:
    """Merges one case into another."""
    cases: Cases = crm.service(SERVICE)
    with cases.change([case, into], "case merge") as change:
        by_key = {name: change.find(name) for name in (case, into)}
        actions.merge(change, by_key[case], by_key[into])
    return Answer(rows=[_row(by_key[case])])


def compensate(
    crm: Crm, case: str, kind: str | None, amount: Money | None, approve: bool, refuse: bool
) -> Answer:
    """Offers or decides a compensation."""
    if sum((amount is not None, approve, refuse)) != 1 or (amount is not None) != (
        kind is not None
    ):
        raise UsageError("give --kind and --amount, or --approve, or --refuse.")
    cases: Cases = crm.service(SERVICE)
    with cases.change([case], "case compensate") as change:
        (found,) = change.cases
        if kind is not None and amount is not None:
            row = actions.propose(change, found, kind, amount)
        else:
            row = actions.decide(change, found, approve=approve)
    said = {**row, "case": found.ref, "customer_id": found.customer_id}
    waits = ("it is above the limit: a second person must approve it.",)
    return Answer(rows=[said], remarks=waits if row["state"] == "proposed" else ())


# --- listing --------------------------------------------------------------------------------------


def _listing() -> list[Command]:
    narrowing = (
        _text("department", "Only of this department", "责任部门"),
        _text("assignee", "Only of this person", "处理人"),
        _text("severity", "Only of this severity", "严重程度"),
        _text("kind", "Only of this kind", "工单类型"),
    )
    return [
        Command(
            name="case list", run=list_cases, columns=COLUMNS, limit=True, help="List cases, the latest first.",
            example="crmkit case list --state in_progress",
            parameters=(
                *narrowing, _text("state", "Only in this state", "状态"), _text("topic", "Only of this topic", "事由"),
                _text("customer", "Only of this customer", "客户"),
                Parameter(name="open_only", type=T.BOOLEAN, default=False, title="Only open ones", title_zh="仅未结"),
            ),
        ),
        Command(
            name="case show", run=show, columns=SHOWN, single=True,
            help="Show a case with its clocks and what was done.", example="crmkit case show C7",
            parameters=(CASE_KEY,),
        ),
        Command(
            name="case due", run=due, columns=DUE_COLUMNS, limit=True,
            help="List open cases by time left, the least first.\n\nUsed is 0.5, 0.75 or 0.9 as soon as "
            "so much of the time is used, and 1 when the promise is broken.",
            example="crmkit case due --department billing", parameters=narrowing,
        ),
        Command(
            name="case breaches", run=breaches, columns=BREACH_COLUMNS,
            help="List broken promises, those still open first.\n\nBy how late they are.",
            example="crmkit case breaches",
            parameters=(
                _text("clock", "Only of this clock, as answer", "时限"),
                Parameter(name="open_only", type=T.BOOLEAN, default=False, title="Only those still open", title_zh="仅未结"),
            ),
        ),
        Command(
            name="case holidays",
            run=holidays,
            writes=True,
            help="Bring the holidays of a country and year into a calendar.\n\nWith the weekends that "
            "are worked instead. Then recompute the clocks: crmkit case recompute.",
            example="crmkit case holidays office --country DE --subdivision BE --year 2026",
            columns=(
                day("day", "Day", "日期"),
                text("title", "Title", "名称"),
                text("windows", "Open", "时段"),
            ),
            parameters=(
                _text("calendar", "Key of the calendar", "日历", positional=True, required=True),
                _text("country", "ISO 3166 code, as DE or CN", "国家", required=True),
                Parameter(name="year", type=T.INTEGER, required=True, title="Year", title_zh="年份", unit="1"),
                _text("subdivision", "State or province, as BE", "省州"),
            ),
        ),
        Command(
            name="case recompute", run=recompute, writes=True, single=True,
            help="Read every clock anew from its log.\n\nAfter a change of calendars or targets. Imported "
            "cases that an earlier version left without state and clocks get them here.",
            example="crmkit case recompute",
            columns=(
                count("read", "Cases read", "读取", "case"),
                count("changed", "Of them changed", "变更", "case"),
            ),
        ),
    ]  # fmt: skip


def list_cases(crm: Crm, limit: int | None, **given: Any) -> Answer:
    """Lists cases by their fields."""
    customer, open_only = given.pop("customer"), given.pop("open_only")
    where = {name: value for name, value in given.items() if value is not None}
    if open_only:
        where["is_open"] = True
    if customer is not None:
        where["owner_id"] = crm.store.customers.find(customer).id
    names = [c.name for c in COLUMNS[2:]]
    rows = crm.store.records.read(
        CASE, ("ref", "owner_id", *names), where=where, sort=("-opened_at",), limit=limit
    )
    keys = ("case", "customer_id", *names)
    return Answer(rows=[dict(zip(keys, row, strict=True)) for row in rows])


def show(crm: Crm, case: str) -> Answer:
    """One case with its clocks and its moves."""
    record = crm.store.records.find(CASE, case)
    customer = record.owner_id or 0  # every case has one
    now = crm.clock()
    clocks = []
    for clock in crm.store.records.list(CLOCK, where={"owner_id": record.id}, sort=("started_at",)):
        v = clock.values
        due_at = f" due {_instant(v['due_at'])}" if v["due_at"] else ""
        running = v["state"] == "running" and v["due_at"] is not None and now >= v["due_at"]
        late = " LATE" if v["late"] or running else ""
        clocks.append(f"{v['clock']} {v['target']}: {v['state']}{due_at}{late}")
    done = [
        " ".join(w for w in (_instant(i.occurred_at), i.actor, i.payload.get("action"), i.payload.get("state")) if w)
        for i in crm.store.interactions.list_for(customer, kinds=[CASE_EVENT])
        if i.subject_id == record.id
    ]  # fmt: skip
    row: dict[str, Any] = {**record.values, "case": record.ref, "customer_id": record.owner_id}
    return Answer(rows=[{**row, "clocks": clocks, "history": done[::-1]}])


def due(crm: Crm, limit: int | None, **given: Any) -> Answer:
    """What is due, by time left."""
    where = {name: value for name, value in given.items() if value is not None}
    found = crm.service(SERVICE).due(crm.clock(), limit=limit, **where)
    rows = [
        {
            "case": d.ref, "customer_id": d.customer_id, "kind": d.kind, "state": d.state,
            "topic": d.topic, "severity": d.severity, "department": d.department,
            "assignee": d.assignee, "due_clock": d.clock, "due_at": d.due_at,
            "left_minutes": int(d.left.total_seconds() // 60), "used": d.level,
        }
        for d in found
    ]  # fmt: skip
    return Answer(rows=rows)


def breaches(crm: Crm, clock: str | None, open_only: bool) -> Answer:
    """Promises that were or are broken."""
    return Answer(rows=crm.service(SERVICE).breaches(crm.clock(), clock=clock, open_only=open_only))


def holidays(crm: Crm, calendar: str, country: str, year: int, subdivision: str | None) -> Answer:
    """Fills a calendar from the libraries that keep holidays."""
    # Lazy: few who work cases ever fill a calendar.
    from .holidays import fill_calendar

    days = fill_calendar(crm.store, calendar, country.upper(), year, subdivision)
    names = ("day", "title", "windows")
    return Answer(rows=[dict(zip(names, day, strict=True)) for day in days])


def recompute(crm: Crm) -> Answer:
    """Recomputes every clock."""
    read, changed = crm.service(SERVICE).recompute()
    return Answer(rows=[{"read": read, "changed": changed}])


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
