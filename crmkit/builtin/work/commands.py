"""The commands ``task``, ``note``, ``tag`` and ``visit``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from crmkit.columns import CUSTOMER, flag, instant, integer, number, text
from crmkit.declarations import Answer, Command, Parameter, ReportColumn
from crmkit.entities import FieldType, NewInteraction, Record
from crmkit.entities.interaction import CHANNELS
from crmkit.entities.zones import parse_zone
from crmkit.errors import UsageError

from . import asking
from .card import results_card
from .data import CANCELLED, DONE, NOTE, OPEN, PLANNED, SOURCE, TAG, TASK, VISIT, VISITED
from .due import day_end, parse_due
from .tags import add_tags, read_tags, remove_tag

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

T = FieldType
VISIT_CHANNEL = "visit"


def _option(
    name: str, title: str, title_zh: str, kind: FieldType = T.TEXT, **more: Any
) -> Parameter:
    return Parameter(name=name, type=kind, title=title, title_zh=title_zh, **more)


WHOSE = _option("customer", "Whose", "客户", positional=True, required=True)
PURPOSE = _option(
    "purpose", "Purpose, as the contact policy knows it; service if left out, and it may be a renewal",
    "联系目的",
)  # fmt: skip
TASK_REF = _option("task", "Which task", "任务", positional=True, required=True)
VISIT_REF = _option("visit", "Which visit", "拜访", positional=True, required=True)
PERSON = _option("person", "Whose; one's own if left out", "人员")
TASKS = (
    text("task", "Task", "任务"), CUSTOMER, text("title", "Title", "标题"),
    instant("due_at", "Due at", "到期"),
    integer("priority", "Priority", "优先级"),
    text("assignee", "For", "负责人"), text("team", "Team", "团队"),
    text("about", "About", "相关"), text("channel", "Channel", "渠道"),
    text("purpose", "Purpose", "联系目的"), text("state", "State", "状态"),
    instant("done_at", "Done at", "完成时间"),
    text("done_by", "Done by", "完成人"),
)  # fmt: skip
VISITS = (
    text("visit", "Visit", "拜访"), CUSTOMER,
    instant("planned_at", "Planned at", "计划时间"),
    text("visitor", "Visitor", "拜访人"), text("team", "Team", "团队"),
    text("aim", "Aim", "目的"), text("purpose", "Purpose", "联系目的"),
    text("state", "State", "状态"),
    text("result", "Result", "结果"), instant("done_at", "Done at", "完成时间"),
)  # fmt: skip
TAGS = (
    CUSTOMER, text("tag", "Tag", "标签"), instant("since", "Since", "开始"),
    text("added_by", "Added by", "添加者"),
)  # fmt: skip
NOTES = (
    CUSTOMER, instant("at", "At", "时间"), text("actor", "Who", "人员"),
    text("topic", "Topic", "事由"), text("text", "Text", "内容"),
)  # fmt: skip
DAY = (
    text("what", "What", "类别"), text("ref", "Which", "编号"), CUSTOMER,
    text("title", "Title", "标题"), instant("due_at", "Due at", "到期"),
    integer("priority", "Priority", "优先级"),
    flag("overdue", "Overdue", "已逾期"),
)  # fmt: skip
CARD = (
    text("figure", "Figure", "指标"), integer("count", "Count", "数量"),
    integer("out_of", "Out of", "总数"),
    number("share", "Share", "比例"),
)  # fmt: skip


# --- tasks ------------------------------------------------------------------------------------


def add_task(
    crm: Crm, title: str, customer: str | None, due: str | None, time_zone: str | None,
    person: str | None, team: str | None, priority: int, about: str | None, channel: str | None,
    purpose: str | None,
) -> Answer:  # fmt: skip
    """Gives a task."""
    if channel is not None and customer is None:
        raise UsageError("--channel says how the customer is contacted: give --customer too.")
    with crm.store.begin("task add") as tx:
        agent, due_at = person or tx.actor, parse_due(due, _zone(crm, time_zone)) if due else None
        values = {
            "title": title, "due_at": due_at, "priority": priority, "assignee": agent,
            "team": team, "about": about, "state": OPEN, "given_by": tx.actor,
            "channel": channel, "purpose": purpose,
        }  # fmt: skip
        (ref,) = map(str, tx.take_ids(1))
        owner = None if customer is None else crm.store.customers.find(customer, tx=tx).id
        if owner is not None:
            # What is about a case, say, is no renewal.
            if about is None or purpose is not None:
                asking.check_renewal(crm, owner, agent, purpose, tx)
            if channel is not None and asking.has_policy(crm):
                asked = asking.request(owner, agent, channel, purpose, tx.at)
                asking.check_by(crm, asked, due_at, tx)
        made = crm.store.records.set(
            TASK, source=SOURCE, ref=ref, values=values, owner_id=owner, tx=tx
        )
        return Answer(rows=[_named("task", made)])


def list_tasks(
    crm: Crm, person: str | None, team: str | None, customer: str | None, state: str,
    limit: int | None,
) -> Answer:  # fmt: skip
    """The tasks, the most urgent first."""
    where: dict[str, Any] = {"state": state}
    if team is not None:
        where["team"] = team
    if person is not None or (team is None and customer is None):
        where["assignee"] = person or crm.actor
    among = {"owner_id": _members(crm, customer)} if customer is not None else None
    return Answer(rows=_read(crm, TASK, "task", TASKS, where=where, among=among, sort=["due_at", "priority"], limit=limit))  # fmt: skip


def finish_task(crm: Crm, task: str, no_contact: bool) -> Answer:
    """Says that a task is done."""
    return _task_state(crm, task, DONE, contacted=not no_contact)


def reopen_task(crm: Crm, task: str) -> Answer:
    """Says that it is not."""
    return _task_state(crm, task, OPEN)


def _task_state(crm: Crm, task: str, state: str, *, contacted: bool = False) -> Answer:
    with crm.store.begin(f"task {state}") as tx:
        found = crm.store.records.find(TASK, task, tx=tx)
        if found.values["state"] == state:
            raise UsageError(f"task {task} is {state} already.")
        done, channel = state == DONE, found.values["channel"]
        if contacted and channel is not None and found.owner_id is not None:
            purpose = found.values["purpose"]
            asked = asking.request(found.owner_id, tx.actor, channel, purpose, tx.at)
            asking.confirm(crm, asked, tx)
        values = {
            "state": state, "done_at": tx.at if done else None, "done_by": tx.actor if done else None,
        }  # fmt: skip
        changed = crm.store.records.set(
            TASK, source=found.source, ref=found.ref, values=values, version=found.version, tx=tx
        )
        return Answer(rows=[_named("task", changed)])


def my_day(crm: Crm, person: str | None, day: date | None) -> Answer:
    """What is due by the end of a day: tasks and visits, the earliest first."""
    zone, now = ZoneInfo(crm.settings.time_zone), crm.clock()
    until = day_end(day or now.astimezone(zone).date(), zone)
    who = person or crm.actor
    rows: list[dict[str, Any]] = []
    for what, kind, assigned, title, due, state in (
        ("task", TASK, "assignee", "title", "due_at", OPEN),
        ("visit", VISIT, "visitor", "aim", "planned_at", PLANNED),
    ):
        found = crm.store.records.list(kind, where={assigned: who, "state": state})
        rows += [
            {
                "what": what, "ref": r.ref, "customer_id": r.owner_id, "title": r.values[title],
                "due_at": r.values[due], "priority": r.values.get("priority"),
                "overdue": r.values[due] < now,
            }
            for r in found
            if r.values[due] is not None and r.values[due] <= until
        ]  # fmt: skip
    rows.sort(key=lambda row: (row["due_at"], row["priority"] or 2, row["ref"]))
    return Answer(rows=rows)


def card(
    crm: Crm, person: str | None, team: str | None, since: date | None, until: date | None
) -> Answer:
    """A person's or team's results in a period."""
    zone = ZoneInfo(crm.settings.time_zone)
    today = crm.clock().astimezone(zone).date()
    first, last = since or today.replace(day=1), until or today
    if first > last:
        raise UsageError(f"{first} is after {last}.")
    begins = datetime.combine(first, time(0), zone)
    who = person if person is not None or team is not None else crm.actor
    rows = results_card(crm, begins, day_end(last, zone), person=who, team=team)
    return Answer(rows=rows, remarks=[f"from {first} to {last}."])


# --- notes ------------------------------------------------------------------------------------


def add_note(crm: Crm, customer: str, text: str, topic: str | None) -> Answer:
    """Writes a note."""
    with crm.store.begin("note add") as tx:
        person = crm.store.customers.find(customer, tx=tx).id
        payload = {"text": text} | ({} if topic is None else {"topic": topic})
        new = NewInteraction(kind=NOTE, occurred_at=tx.at, customer_id=person, payload=payload)
        crm.store.interactions.log(new, tx=tx)
        return Answer(rows=_notes(crm, person, limit=1, tx=tx))


def list_notes(crm: Crm, customer: str, limit: int | None) -> Answer:
    """The notes, latest first."""
    return Answer(rows=_notes(crm, crm.store.customers.find(customer).id, limit=limit))


def _notes(
    crm: Crm, person: int, *, limit: int | None = None, tx: Tx | None = None
) -> list[dict[str, Any]]:
    found = crm.store.interactions.list_for(person, kinds=[NOTE], limit=limit, tx=tx)
    return [
        {
            "customer_id": person, "at": note.occurred_at, "actor": note.actor,
            "topic": note.payload.get("topic"), "text": note.payload.get("text"),
        }
        for note in found
    ]  # fmt: skip


# --- tags -------------------------------------------------------------------------------------


def tag(crm: Crm, customer: str, tag: str) -> Answer:
    """Tags a customer."""
    with crm.store.begin("tag add") as tx:
        person = crm.store.customers.find(customer, tx=tx).id
        new = add_tags(crm.store, [(person, tag, tx.actor)], tx)
        remarks = [] if new else [f"{customer} has the tag {tag} already."]
        return Answer(rows=_tags(crm, person, tx), remarks=remarks)


def untag(crm: Crm, customer: str, tag: str) -> Answer:
    """Takes a tag off."""
    with crm.store.begin("tag remove") as tx:
        person = crm.store.customers.find(customer, tx=tx).id
        if not remove_tag(crm.store, person, tag, tx):
            raise UsageError(f"{customer} has no tag {tag!r}.", hint="See: crmkit tag list")
        return Answer(rows=_tags(crm, person, tx))


def list_tags(crm: Crm, customer: str | None, tag: str | None) -> Answer:
    """The tags of a customer, or the customers of a tag."""
    if (customer is None) == (tag is None):
        raise UsageError("name a customer, or a tag with --tag.")
    if customer is not None:
        return Answer(rows=_tags(crm, crm.store.customers.find(customer).id))
    rows = crm.store.records.read(TAG, ("owner_id",), where={"tag": tag, "removed_at": None})
    people = set(crm.store.customers.survivors({owner for (owner,) in rows}).values())
    found = [t for t in read_tags(crm.store, people) if t.tag == tag]
    return Answer(rows=[_tag(t) for t in found])


def _tags(crm: Crm, person: int, tx: Tx | None = None) -> list[dict[str, Any]]:
    return [_tag(t) for t in read_tags(crm.store, [person], tx)]


def _tag(found: Any) -> dict[str, Any]:
    return {c.name: getattr(found, c.name) for c in TAGS}


# --- visits -----------------------------------------------------------------------------------


def plan_visit(
    crm: Crm, customer: str, at: str, time_zone: str | None, person: str | None,
    team: str | None, aim: str | None, purpose: str | None,
) -> Answer:  # fmt: skip
    """Plans a visit."""
    with crm.store.begin("visit plan") as tx:
        agent, planned_at = person or tx.actor, parse_due(at, _zone(crm, time_zone))
        owner = crm.store.customers.find(customer, tx=tx).id
        asking.check_renewal(crm, owner, agent, purpose, tx)
        asked = asking.request(owner, agent, VISIT_CHANNEL, purpose, planned_at)
        values = {
            "planned_at": planned_at, "visitor": agent, "team": team, "aim": aim,
            "state": PLANNED, "purpose": purpose, "slot": asking.reserve(crm, asked, tx),
        }  # fmt: skip
        (ref,) = map(str, tx.take_ids(1))
        made = crm.store.records.set(
            VISIT, source=SOURCE, ref=ref, values=values, owner_id=owner, tx=tx
        )
        return Answer(rows=[_named("visit", made)])


def finish_visit(
    crm: Crm, visit: str, result: str, note: str | None, at: str | None, time_zone: str | None
) -> Answer:
    """Files what came of a visit, also on the timeline."""
    with crm.store.begin("visit done") as tx:
        found = _planned(crm, visit, tx)
        made_at = tx.at if at is None else parse_due(at, _zone(crm, time_zone))
        if made_at > tx.at:
            raise UsageError(f"{made_at:%Y-%m-%dT%H:%M:%SZ} is still to come.")
        if found.owner_id is not None:
            agent, purpose = found.values["visitor"], found.values["purpose"]
            asking.check_renewal(crm, found.owner_id, agent, purpose, tx)
            asked = asking.request(
                found.owner_id, agent, VISIT_CHANNEL, purpose, made_at, found.values["slot"]
            )
            asking.confirm(crm, asked, tx)
        payload = {"result": result} | ({} if note is None else {"text": note})
        crm.store.interactions.log(
            NewInteraction(
                kind=VISITED, occurred_at=made_at, customer_id=found.owner_id,
                channel=VISIT_CHANNEL, direction="out", payload=payload,
            ),
            tx=tx,
        )  # fmt: skip
        return _end_visit(crm, found, {"state": DONE, "result": result, "done_at": made_at}, tx)


def cancel_visit(crm: Crm, visit: str, reason: str | None) -> Answer:
    """Cancels a visit."""
    with crm.store.begin("visit cancel") as tx:
        found = _planned(crm, visit, tx)
        if found.values["slot"] is not None and asking.has_policy(crm):
            crm.service(asking.POLICY).release([found.values["slot"]], tx=tx)
        return _end_visit(crm, found, {"state": CANCELLED, "result": reason}, tx)


def list_visits(
    crm: Crm, person: str | None, customer: str | None, state: str, limit: int | None
) -> Answer:
    """The visits, the earliest first."""
    where: dict[str, Any] = {"state": state}
    if person is not None or customer is None:
        where["visitor"] = person or crm.actor
    among = {"owner_id": _members(crm, customer)} if customer is not None else None
    return Answer(rows=_read(crm, VISIT, "visit", VISITS, where=where, among=among, sort=["planned_at"], limit=limit))  # fmt: skip


def _planned(crm: Crm, visit: str, tx: Tx) -> Record:
    found = crm.store.records.find(VISIT, visit, tx=tx)
    if found.values["state"] != PLANNED:
        raise UsageError(f"visit {visit} is {found.values['state']} already.")
    return found


def _end_visit(crm: Crm, found: Record, values: Mapping[str, Any], tx: Tx) -> Answer:
    changed = crm.store.records.set(
        VISIT, source=found.source, ref=found.ref, values=values, version=found.version, tx=tx
    )
    return Answer(rows=[_named("visit", changed)])


# --- rows -------------------------------------------------------------------------------------


def _zone(crm: Crm, named: str | None) -> ZoneInfo:
    try:
        return parse_zone(named or crm.settings.time_zone)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _members(crm: Crm, customer: str) -> Mapping[int, int]:
    return crm.store.customers.members([crm.store.customers.find(customer).id])


def _named(what: str, record: Record) -> dict[str, Any]:
    return {what: record.ref, "customer_id": record.owner_id, **record.values}


def _read(
    crm: Crm, kind: str, what: str, columns: tuple[ReportColumn, ...], **asked: Any
) -> list[dict[str, Any]]:
    shown = [c.name for c in columns]
    stored = {what: "ref", "customer_id": "owner_id"}
    found = crm.store.records.read(kind, [stored.get(n, n) for n in shown], **asked)
    return [dict(zip(shown, row, strict=True)) for row in found]


# --- declarations -----------------------------------------------------------------------------


def commands() -> list[Command]:
    """Every command of the plugin."""
    return [*_task_commands(), *_note_commands(), *_tag_commands(), *_visit_commands()]


def _task_commands() -> list[Command]:
    team = _option("team", "Team", "团队")
    zone = _option("time_zone", "IANA zone of the time; the workspace's if left out", "时区")
    return [
        Command(
            name="task add", run=add_task, writes=True, single=True, columns=TASKS,
            parameters=(
                _option("title", "What is to be done", "标题", positional=True, required=True),
                _option("customer", "About which customer", "客户"),
                _option("due", "Day or time, as 2026-04-01 or '2026-04-01 09:30'", "到期"),
                zone, PERSON, team,
                _option("priority", "1 first, 2 as usual, 3 when there is time", "优先级", T.INTEGER, default=2, choices=(1, 2, 3)),
                _option("about", "What else it is about, as case:17", "相关"),
                _option("channel", "By which channel the customer is contacted for it", "渠道", choices=CHANNELS),
                PURPOSE,
            ),
            help="Give a task to somebody, or to oneself.\n\nA day as --due means its end. With --channel the contact policy is asked, here and when the task is done. A task about the customer alone may be a renewal: while renewals are protected only the owner gets it.",
            example="crmkit task add 'Call back about the bill' --customer C-1 --due 2026-04-01 --person ann",
        ),
        Command(
            name="task list", run=list_tasks, limit=True, columns=TASKS,
            parameters=(
                PERSON, team, _option("customer", "Only about this customer", "客户"),
                _option("state", "Which", "状态", default=OPEN, choices=(OPEN, DONE)),
            ),
            help="List tasks, the earliest due first: one's own, somebody's, a team's or a customer's.",
            example="crmkit task list --person ann",
        ),
        Command(
            name="task done", run=finish_task, writes=True, single=True, columns=TASKS,
            parameters=(
                TASK_REF,
                _option("no_contact", "The customer was not contacted", "未联系", T.BOOLEAN, default=False),
            ),
            help="Say that a task is done.\n\nOf a task with a channel the contact policy is asked again; with --no-contact it is not.",
            example="crmkit task done 251417969786093568",
        ),
        Command(
            name="task reopen", run=reopen_task, writes=True, single=True, columns=TASKS,
            parameters=(TASK_REF,), help="Say that a task is not done after all.",
            example="crmkit task reopen 251417969786093568",
        ),
        Command(
            name="task day", run=my_day, columns=DAY,
            parameters=(PERSON, _option("day", "Which day; today if left out", "日期", T.DATE)),
            help="Show what is due by the end of a day: tasks and visits, the earliest first.",
            example="crmkit task day",
        ),
        Command(
            name="task card", run=card, columns=CARD,
            parameters=(
                PERSON, team,
                _option("since", "First day; that of the month if left out", "开始", T.DATE),
                _option("until", "Last day; today if left out", "结束", T.DATE),
            ),
            help="Show a person's or team's results for customers in a period.",
            example="crmkit task card --person ann --since 2026-03-01 --until 2026-03-31",
        ),
    ]  # fmt: skip


def _note_commands() -> list[Command]:
    return [
        Command(
            name="note add", run=add_note, writes=True, single=True, columns=NOTES,
            parameters=(
                WHOSE,
                _option("text", "What is worth knowing", "内容", positional=True, required=True),
                _option("topic", "What about, in the business's own list of words", "事由"),
            ),
            help="Write a note on a customer's timeline.",
            example="crmkit note add C-1 'Prefers calls after five'",
        ),
        Command(
            name="note list", run=list_notes, limit=True, parameters=(WHOSE,), columns=NOTES,
            help="List the notes on a customer, latest first.", example="crmkit note list C-1",
        ),
    ]  # fmt: skip


def _tag_commands() -> list[Command]:
    word = _option(
        "tag", "The tag: letters, digits, '.', '-', '_'", "标签", positional=True, required=True
    )
    return [
        Command(
            name="tag add", run=tag, writes=True, columns=TAGS, parameters=(WHOSE, word),
            help="Tag a customer.", example="crmkit tag add C-1 vip",
        ),
        Command(
            name="tag remove", run=untag, writes=True, columns=TAGS, parameters=(WHOSE, word),
            help="Take a tag off a customer; that it was there is kept.",
            example="crmkit tag remove C-1 vip",
        ),
        Command(
            name="tag list", run=list_tags, columns=TAGS,
            parameters=(
                _option("customer", "Whose tags", "客户", positional=True),
                _option("tag", "Whose customers", "标签"),
            ),
            help="List the tags of a customer, or the customers that have a tag.",
            example="crmkit tag list --tag vip",
        ),
    ]  # fmt: skip


def _visit_commands() -> list[Command]:
    zone = _option("time_zone", "IANA zone of the time; the workspace's if left out", "时区")
    return [
        Command(
            name="visit plan", run=plan_visit, writes=True, single=True, columns=VISITS,
            parameters=(
                WHOSE,
                _option("at", "When, as '2026-04-01 09:30'", "计划时间", required=True),
                zone, PERSON, _option("team", "Team", "团队"), _option("aim", "What for", "目的"),
                PURPOSE,
            ),
            help="Plan a visit to a customer.\n\nThe contact policy is asked for that time. While renewals are protected only the owner visits, unless --purpose is none that works renewals.",
            example="crmkit visit plan C-1 --at '2026-04-01 09:30' --aim 'Show the new plans'",
        ),
        Command(
            name="visit done", run=finish_visit, writes=True, single=True, columns=VISITS,
            parameters=(
                VISIT_REF,
                _option("result", "How it ended", "结果", required=True),
                _option("note", "What was said", "备注"),
                _option("at", "When it took place, as '2026-04-01 09:30'; now if left out", "拜访时间"),
                zone,
            ),
            help="File what came of a visit, also on the customer's timeline.\n\nThe contact policy is asked again for the time at which it took place.",
            example="crmkit visit done 251417969786093568 --result 'wants an offer'",
        ),
        Command(
            name="visit cancel", run=cancel_visit, writes=True, single=True, columns=VISITS,
            parameters=(VISIT_REF, _option("reason", "Why", "原因")),
            help="Cancel a planned visit.", example="crmkit visit cancel 251417969786093568",
        ),
        Command(
            name="visit list", run=list_visits, limit=True, columns=VISITS,
            parameters=(
                PERSON, _option("customer", "Only to this customer", "客户"),
                _option("state", "Which", "状态", default=PLANNED, choices=(PLANNED, DONE, CANCELLED)),
            ),
            help="List visits, the earliest first.", example="crmkit visit list --person ann",
        ),
    ]  # fmt: skip
