"""The command ``list``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from crmkit.columns import CUSTOMER, amount, detail, instant, integer, number, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType, Money, Record
from crmkit.entities.interaction import CHANNELS
from crmkit.errors import UsageError

from .candidates import Candidate, of_report, of_rule, of_segment
from .data import BLOCKED, CHANNEL, CONTROL, DONE, LIST, OUTCOMES, ROW, SOURCE, TODO
from .lists import Lists
from .making import Plan

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

T = FieldType
NAME = Parameter(
    name="name", type=T.TEXT, positional=True, required=True, title="Name of the list",
    title_zh="名单",
)  # fmt: skip


COUNTS = ("candidates", "treated", "control", "blocked")
LISTED = (
    text("list", "List", "名单"), text("title", "Title", "标题"),
    detail(text("purpose", "Purpose", "目的")), detail(text("offer", "Offer", "优惠")),
    detail(amount("price", "Price", "价格")), detail(text("made_from", "Made from", "来源")),
    instant("made_at", "Made at", "建立时间"),
    integer("candidates", "Candidates", "候选"),
    integer("treated", "To contact", "待联系"),
    integer("control", "Control group", "对照组"),
    integer("blocked", "Blocked", "被阻"),
    detail(integer("seed", "Seed", "随机种子")),
)  # fmt: skip
ROWS = (
    detail(text("list", "List", "名单")), CUSTOMER,
    text("state", "State", "状态"), detail(text("channel", "Channel", "渠道")),
    instant("at", "At", "时间"), text("why", "Why", "原因"),
    detail(text("drawn_from", "Drawn from", "来源")),
    amount("value", "Expected value", "预期价值"),
    text("offer", "Offer", "优惠"), detail(amount("price", "Price", "价格")),
    detail(text("code", "Reason", "被阻原因")), text("words", "In words", "原因说明"),
    detail(text("words_zh", "In Chinese", "中文说明")),
    detail(instant("free_at", "Free at", "最早可联系")),
    text("outcome", "Outcome", "结果"),
    instant("done_at", "Done at", "完成时间"),
    detail(text("done_by", "Done by", "完成人")),
)  # fmt: skip
_OWN = tuple(c.name for c in ROWS)
_STORED = tuple("owner_id" if name == "customer_id" else name for name in _OWN)


def make(
    crm: Crm, name: str, report: str | None, segment: str | None, rule: str | None,
    param: Sequence[str], why: str | None, value: str | None, stratify: str | None,
    purpose: str, channel: Sequence[str], at: datetime | None, within_days: int,
    offer: str | None, price: Money | None, control: float, seed: int, success: str | None,
    title: str | None, as_of: AsOf,
) -> Answer:  # fmt: skip
    """Makes a list."""
    if sum(source is not None for source in (report, segment, rule)) != 1:
        raise UsageError("a list is made from one of --report, --segment and --rule.")
    if report is None and (param or why or value or stratify):
        raise UsageError("--param, --why, --value and --stratify go with --report.")
    kind, source = next(
        (kind, source)
        for kind, source in (("report", report), ("segment", segment), ("rule", rule))
        if source is not None
    )
    plan = Plan(
        name=name, made_from=f"{kind}:{source}", purpose=purpose, channels=tuple(channel or ("phone",)),
        at=at or crm.clock(), within_days=within_days, offer=offer, price=price,
        control_share=control, seed=seed, success=success, title=title or "",
    )  # fmt: skip
    lists = Lists(crm)
    lists.check(plan)
    candidates: list[Candidate]
    if report is not None:
        given = dict(text.partition("=")[::2] for text in param)
        candidates = of_report(crm, report, given, as_of, why=why, value=value, stratum=stratify)
    elif segment is not None:
        candidates = of_segment(crm, segment, as_of)
    else:
        candidates = of_rule(crm, str(rule))
    made = lists.make(plan, candidates)
    reasons = {} if crm.store.is_rehearsing else lists.blocked(name)
    said = [f"{count} blocked: {code}." for code, count in reasons.items()]
    if not candidates:
        said.append(_nobody(crm, name, plan.made_from, as_of))
    elif not made.values["treated"]:
        said.append(f"nobody on {name} may be contacted; see: crmkit list show {name}")
    return Answer(rows=[_list(made)], remarks=said)


def _nobody(crm: Crm, name: str, made_from: str, as_of: AsOf) -> str:
    """Why a list is of nobody, with the day up to which there are data."""
    kind, _, source = made_from.partition(":")
    said = f"nobody is on {name}: the {kind} {source} names no customer as of {as_of.on}"
    last_at = crm.store.interactions.last_at()
    if last_at is None:
        return f"{said}, and no interaction is stored at all."
    reach = last_at.astimezone(ZoneInfo(crm.settings.time_zone)).date()
    if reach < as_of.on:
        return f"{said}; the data reach to {reach}. Made of what was known then: --as-of {reach}"
    return f"{said}."


def lists(crm: Crm, limit: int | None) -> Answer:
    """Every list."""
    found = crm.store.records.list(LIST, sort=["-made_at"], limit=limit)
    return Answer(rows=[_list(record) for record in found])


def show(crm: Crm, name: str, state: str | None, limit: int | None) -> Answer:
    """The rows of a list."""
    rows = Lists(crm).rows(name, _STORED, state=state, sort=["at", "-value"], limit=limit)
    return Answer(rows=[_shown(row) for row in rows])


def following(crm: Crm, name: str) -> Answer:
    """The row that is to be worked next."""
    found = Lists(crm).following(name, agent=crm.actor)
    turned = Counter(row["code"] for row in found.turned)
    said = [f"{count} blocked since the list was made: {code}." for code, count in turned.items()]
    if found.passed_over:
        said.append(f"{found.passed_over} left to the agents whose renewals are protected.")
    if found.ref is not None:
        return Answer(rows=_rows(crm, where={"ref": found.ref}), remarks=said)
    if found.later is not None:
        said.append(f"the next row of {name} is for {found.later:%Y-%m-%dT%H:%M:%SZ}.")
    else:
        said.append(f"nothing is left to do on {name}.")
    return Answer(remarks=said)


def done(
    crm: Crm, name: str, customer: str, outcome: str, note: str | None, at: datetime | None
) -> Answer:
    """Files an outcome."""
    with crm.store.begin("list done") as tx:
        person = crm.store.customers.find(customer, tx=tx).id
        row = Lists(crm).done(name, person, outcome, note=note, at=at, tx=tx)
        return Answer(rows=_rows(crm, where={"ref": row.ref}, tx=tx))


def blocked(crm: Crm, name: str) -> Answer:
    """Why rows are blocked."""
    found = Lists(crm).blocked(name)
    return Answer(rows=[{"code": code, "rows": count} for code, count in found.items()])


def results(crm: Crm, name: str, days: int) -> Answer:
    """What a list brought."""
    rows = Lists(crm).results(name, days)
    remarks = []
    if rows[0]["successes"] is None:
        remarks.append("the list names no --success, so there is nothing to measure it by.")
    elif len(rows) < 3:
        remarks.append("without a control group there is no uplift.")
    return Answer(rows=rows, remarks=remarks)


def cost(crm: Crm, channel: str | None, amount: Money | None) -> Answer:
    """Shows what channels cost, or sets it."""
    if (channel is None) != (amount is None):
        raise UsageError("give a channel and its cost, or neither.")
    if channel is not None:
        crm.store.records.set(CHANNEL, source=SOURCE, ref=channel, values={"cost": amount})
    found = crm.store.records.read(CHANNEL, ("ref", "cost"), sort=["ref"])
    return Answer(rows=[{"channel": name, "cost": price} for name, price in found])


def _list(record: Record) -> Mapping[str, Any]:
    return {"list": record.ref, **record.values}


def _rows(crm: Crm, **asked: Any) -> list[dict[str, Any]]:
    found = crm.store.records.read(ROW, _STORED, **asked)
    return [dict(zip(_OWN, row, strict=True)) for row in found]


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {own: row[stored] for own, stored in zip(_OWN, _STORED, strict=True)}


def commands() -> list[Command]:
    """Every command of the plugin."""
    customer = Parameter(name="customer", type=T.TEXT, positional=True, required=True, title="Whose row", title_zh="客户")  # fmt: skip
    return [
        Command(
            name="list make", run=make, writes=True, as_of=True, columns=LISTED, single=True,
            parameters=(
                NAME,
                Parameter(name="report", type=T.TEXT, title="Report whose customers are candidates", title_zh="报表"),
                Parameter(name="segment", type=T.TEXT, title="Segment whose members are", title_zh="客群"),
                Parameter(name="rule", type=T.TEXT, title="Rule with the action list, as it fired last", title_zh="规则"),
                Parameter(name="param", type=T.TEXT, multiple=True, title="Parameter of the report, as months=3", title_zh="参数"),
                Parameter(name="why", type=T.TEXT, title="Column of the report that says why", title_zh="原因列"),
                Parameter(name="value", type=T.TEXT, title="Column of the report with the expected value in minor units", title_zh="价值列"),
                Parameter(name="stratify", type=T.TEXT, title="Column of the report within whose values the control group is drawn", title_zh="分层列"),
                Parameter(name="purpose", type=T.TEXT, default="marketing", title="Purpose, as the contact policy knows it", title_zh="目的"),
                Parameter(name="channel", type=T.TEXT, multiple=True, choices=CHANNELS, title="Allowed channel, phone if none is given; each customer is contacted by its own habit, else by the cheapest", title_zh="渠道"),
                Parameter(name="at", type=T.INSTANT, title="When; now if left out", title_zh="时间"),
                Parameter(name="within_days", type=T.INTEGER, default=1, unit="day", title="Who is free only later, but so soon, is planned for then", title_zh="顺延天数"),
                Parameter(name="offer", type=T.TEXT, title="What is offered", title_zh="优惠"),
                Parameter(name="price", type=T.MONEY, title="At which price", title_zh="价格"),
                Parameter(name="control", type=T.NUMBER, default=0.0, title="Share that is left alone, 0 to 0.9", title_zh="对照比例"),
                Parameter(name="seed", type=T.INTEGER, default=0, title="Seed of the draw", title_zh="随机种子"),
                Parameter(name="success", type=T.TEXT, title="Kind of interaction that counts as success, as core.order", title_zh="成功标志"),
                Parameter(name="title", type=T.TEXT, title="Title", title_zh="标题"),
            ),
            help="Make a list of customers to contact.\n\nCandidates come from a report, a segment or a rule and pass the contact policy; those that may not be contacted are kept as blocked rows with the reason.",
            example="crmkit list make spring --segment shop.lapsed --channel phone --channel email --control 0.1 --success core.order",
        ),
        Command(
            name="list list", run=lists, columns=LISTED, limit=True,
            help="List the lists, latest first.", example="crmkit list list",
        ),
        Command(
            name="list show", run=show, columns=ROWS, limit=True,
            parameters=(
                NAME,
                Parameter(name="state", type=T.TEXT, choices=(TODO, DONE, CONTROL, BLOCKED), title="Only rows in this state", title_zh="状态"),
            ),
            help="Show the rows of a list: whom, what, when, by which channel and why.\n\nRows to do are shown as the contact policy judges them now.",
            example="crmkit list show spring --state todo",
        ),
        Command(
            name="list next", run=following, writes=True, columns=ROWS, single=True,
            parameters=(NAME,),
            help="Show the row to work next: due by now, the highest expected value first.\n\nThe contact policy is asked again: rows that may no longer be contacted are blocked with the reason.",
            example="crmkit list next spring",
        ),
        Command(
            name="list done", run=done, writes=True, columns=ROWS, single=True,
            parameters=(
                NAME, customer,
                Parameter(name="outcome", type=T.TEXT, required=True, choices=OUTCOMES, title="What came of it", title_zh="结果"),
                Parameter(name="note", type=T.TEXT, title="What was said", title_zh="备注"),
                Parameter(name="at", type=T.INSTANT, title="When the contact was made; now if left out", title_zh="联系时间"),
            ),
            help="File the outcome of a row, on the list and on the customer's timeline.\n\nRefused if the contact policy, asked again for that instant, does not allow the contact; not_tried gives the place back.",
            example="crmkit list done spring C-1 --outcome accepted",
        ),
        Command(
            name="list blocked", run=blocked, parameters=(NAME,),
            columns=(
                text("code", "Reason", "被阻原因"),
                integer("rows", "Rows", "行数"),
            ),
            help="Count the blocked rows of a list by reason.", example="crmkit list blocked spring",
        ),
        Command(
            name="list results", run=results,
            parameters=(
                NAME,
                Parameter(name="days", type=T.INTEGER, default=30, unit="day", title="Successes in so many days after the list was made count", title_zh="天数"),
            ),
            columns=(
                text("group", "Group", "组别"),
                integer("customers", "Customers", "客户数"),
                integer("answered", "Answered", "已接通"),
                integer("accepted", "Accepted", "已接受"),
                integer("successes", "Successes", "成功数"),
                number("rate", "Rate", "成功率"),
                number("low", "Lowest", "下限"),
                number("high", "Highest", "上限"),
            ),
            help="Show what a list has brought against its control group.\n\nThe uplift is the difference of both rates with its 95 % interval.",
            example="crmkit list results spring --days 30",
        ),
        Command(
            name="list cost", run=cost, writes=True,
            parameters=(
                Parameter(name="channel", type=T.TEXT, positional=True, choices=CHANNELS, title="Which channel", title_zh="渠道"),
                Parameter(name="amount", type=T.MONEY, title="What one contact costs", title_zh="费用"),
            ),
            columns=(text("channel", "Channel", "渠道"), amount("cost", "Cost", "费用")),
            help="Show what a contact costs by channel, or set it.",
            example="crmkit list cost phone --amount 3.50",
        ),
    ]  # fmt: skip
