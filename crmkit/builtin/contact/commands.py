"""The commands ``consent`` and ``contact``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, day, flag, instant, items, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import ContactRequest, FieldType
from crmkit.entities.interaction import CHANNELS
from crmkit.errors import NotFound, UsageError

from .consent import Consents, Entry, standing
from .data import BLOCK, SLOT, SOURCE
from .purposes import Purpose, read_purposes, set_purpose
from .states import ANY

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

T = FieldType
WHOSE = Parameter(
    name="customer", type=T.TEXT, positional=True, required=True, title="Whose", title_zh="客户"
)
CHANNEL = Parameter(
    name="channel", type=T.TEXT, default="phone", choices=CHANNELS, title="Channel",
    title_zh="渠道",
)  # fmt: skip
ANY_CHANNEL = Parameter(
    name="channel", type=T.TEXT, default=ANY, choices=(ANY, *CHANNELS), title="Channel",
    title_zh="渠道",
)  # fmt: skip
PURPOSE = Parameter(
    name="purpose", type=T.TEXT, default="marketing", title="Purpose", title_zh="目的"
)
AT = Parameter(
    name="at", type=T.INSTANT, title="Instant, as 2026-03-31T12:00:00Z; the default is now",
    title_zh="时间",
)  # fmt: skip


WHAT = (text("channel", "Channel", "渠道"), text("purpose", "Purpose", "目的"))
ENTRY = (
    CUSTOMER, *WHAT, text("state", "State", "状态"), instant("at", "Said at", "表示时间"),
    text("wording", "Wording", "文本版本"), text("obtained_from", "Obtained from", "来源"),
)  # fmt: skip
DECISION = (
    CUSTOMER, *WHAT, instant("at", "At", "时间"),
    flag("allowed", "Allowed", "可联系"),
    text("code", "Reason", "原因代码"), text("words", "In words", "原因"),
    text("words_zh", "In Chinese", "中文原因"), instant("free_at", "Free at", "最早可联系"),
)  # fmt: skip
BLOCKED = (
    CUSTOMER, text("block", "Block", "停联"), text("code", "Reason", "原因代码"),
    instant("since", "Since", "开始"), instant("until", "Until", "结束"),
    items("purposes", "Purposes", "目的"),
)  # fmt: skip
COUNTED = (
    CUSTOMER, *WHAT, instant("at", "At", "时间"),
    day("day", "Day", "日期"),
    text("state", "State", "状态"), text("taken_by", "Taken by", "占用者"),
    text("slot", "Slot", "名额"),
)  # fmt: skip
RULES = (
    text("purpose", "Purpose", "目的"), text("needs", "Needs", "前提"),
    items("caps", "Caps", "上限"),
    text("quiet_from", "Quiet from", "安静开始"), text("quiet_until", "Quiet until", "安静结束"),
    flag("blockable", "Can be blocked", "可停联"),
    flag("protected", "For the owner while protected", "保护期内限负责人"),
)  # fmt: skip


# --- consent ----------------------------------------------------------------------------------


def _say(crm: Crm, given: bool, customer: str, values: Mapping[str, Any]) -> Answer:
    _check_purpose(crm, values["purpose"])
    with crm.store.begin(f"consent {'give' if given else 'withdraw'}") as tx:
        person = crm.store.customers.find(customer, tx=tx).id
        entry = Entry(customer_id=person, given=given, **{**values, "at": values["at"] or tx.at})
        Consents(crm).file([entry], tx=tx)
    return Answer(rows=[_entry(entry)])


def give(crm: Crm, customer: str, **values: Any) -> Answer:
    """Files a consent."""
    return _say(crm, True, customer, values)


def withdraw(crm: Crm, customer: str, **values: Any) -> Answer:
    """Files a withdrawal."""
    return _say(crm, False, customer, values)


def list_consents(crm: Crm, customer: str) -> Answer:
    """Everything that the customer has said."""
    person = crm.store.customers.find(customer).id
    return Answer(rows=[_entry(e) for e in Consents(crm).of_customer(person)])


def show_consents(crm: Crm, customer: str, as_of: AsOf) -> Answer:
    """What holds for each channel and purpose."""
    person = crm.store.customers.find(customer).id
    said = Consents(crm).of_customer(person, at=as_of.instant)
    joined = crm.store.merges.joined_at({e.customer_id for e in said})
    rows = []
    for purpose in sorted({*read_purposes(crm), *(e.purpose for e in said)} - {ANY}):
        for channel in CHANNELS:
            state = standing(said, channel, purpose, joined)
            row = {"customer_id": person, "channel": channel, "purpose": purpose, "state": state}
            rows.append(row)
    return Answer(rows=rows)


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "customer_id": entry.customer_id, "channel": entry.channel, "purpose": entry.purpose,
        "state": "given" if entry.given else "withdrawn", "at": entry.at,
        "wording": entry.wording, "obtained_from": entry.obtained_from,
    }  # fmt: skip


# --- contact ----------------------------------------------------------------------------------


def check(
    crm: Crm, customer: str, channel: str, purpose: str, at: datetime | None, agent: str | None
) -> Answer:
    """Asks the policy."""
    request = ContactRequest(
        customer_id=crm.store.customers.find(customer).id, channel=channel, purpose=purpose,
        at=at or crm.clock(), agent=agent,
    )  # fmt: skip
    (decision,) = crm.service("contact.policy").ask([request])
    row = {
        "customer_id": decision.customer_id, "channel": channel, "purpose": purpose,
        "at": request.at, "allowed": decision.allowed, "code": decision.code,
        "words": decision.words, "words_zh": decision.words_zh, "free_at": decision.free_at,
    }  # fmt: skip
    return Answer(rows=[row])


def log(crm: Crm, customer: str, channel: str, purpose: str, at: datetime | None) -> Answer:
    """Counts a contact that was made."""
    if at is not None and at > crm.clock():
        raise UsageError(f"{at.isoformat()} is still to come.")
    with crm.store.begin("contact log") as tx:
        request = ContactRequest(
            customer_id=crm.store.customers.find(customer, tx=tx).id, channel=channel,
            purpose=purpose, at=at or tx.at,
        )  # fmt: skip
        (slot,) = crm.service("contact.policy").log([request], taken_by=tx.actor, tx=tx)
        return Answer(rows=_counted(crm, where={"ref": slot}, tx=tx))


def list_contacts(crm: Crm, customer: str) -> Answer:
    """The contacts that count, latest first."""
    person = crm.store.customers.find(customer).id
    members = crm.store.customers.members([person])
    return Answer(rows=_counted(crm, among={"owner_id": members}, sort=["-at"]))


def _counted(crm: Crm, **asked: Any) -> list[dict[str, Any]]:
    names = ("owner_id", "channel", "purpose", "at", "day", "state", "taken_by", "ref")
    found = crm.store.records.read(SLOT, names, **asked)
    shown = ("customer_id", *names[1:-1], "slot")
    return [dict(zip(shown, row, strict=True)) for row in found]


def block(
    crm: Crm, customer: str, reason: str, until: datetime | None, purpose: Sequence[str]
) -> Answer:
    """Blocks a customer."""
    for name in purpose:
        _check_purpose(crm, name)
    with crm.store.begin("contact block") as tx:
        if until is not None and until <= tx.at:
            raise UsageError(f"{until.isoformat()} is past.")
        person = crm.store.customers.find(customer, tx=tx).id
        values = {
            "code": reason, "since": tx.at, "until": until, "purposes": list(purpose) or None,
        }  # fmt: skip
        (ref,) = map(str, tx.take_ids(1))
        crm.store.records.set(BLOCK, source=SOURCE, ref=ref, values=values, owner_id=person, tx=tx)
        return Answer(rows=_blocked(crm, where={"ref": ref}, tx=tx))


def unblock(crm: Crm, customer: str, reason: str | None) -> Answer:
    """Ends the customer's blocks."""
    with crm.store.begin("contact unblock") as tx:
        person = crm.store.customers.find(customer, tx=tx).id
        members = crm.store.customers.members([person], tx=tx)
        names = ("id", "source", "ref", "code", "until", "since")
        rows = crm.store.records.read(BLOCK, names, among={"owner_id": members}, tx=tx)
        ended = {}
        for id, source, ref, code, until, since in rows:
            # One that was to begin later ends as it begins, and never holds.
            end = max(tx.at, since or tx.at)
            if reason in (None, code) and (until is None or until > end):
                ended[id] = source, ref, end
        if not ended:
            raise UsageError(f"nothing blocks {customer}.", hint="See: crmkit contact check")
        for source, ref, end in ended.values():
            crm.store.records.set(BLOCK, source=source, ref=ref, values={"until": end}, tx=tx)
        found = _blocked(crm, among={"id": ended}, tx=tx)
        return Answer(rows=found)


def _blocked(crm: Crm, **asked: Any) -> list[dict[str, Any]]:
    names = ("owner_id", "ref", "code", "since", "until", "purposes")
    shown = ("customer_id", "block", *names[2:])
    found = crm.store.records.read(BLOCK, names, **asked)
    return [dict(zip(shown, row, strict=True)) for row in found]


def purposes(
    crm: Crm, purpose: str | None, needs: str | None, cap: Sequence[str], no_caps: bool | None,
    quiet: str | None, blockable: bool | None, protected: bool | None,
) -> Answer:  # fmt: skip
    """Shows the purposes, or changes one."""
    values: dict[str, Any] = {"needs": needs, "blockable": blockable, "protected": protected}
    if cap or no_caps:
        if cap and no_caps:
            raise UsageError("--cap and --no-caps say two things.")
        values["caps"] = list(cap)
    if quiet is not None:
        values["quiet_from"], _, values["quiet_until"] = quiet.partition("-")
    values = {name: value for name, value in values.items() if value is not None}
    if purpose is None:
        if values:
            raise UsageError("say whose rules are to change: crmkit contact purpose NAME")
        return Answer(rows=[_rules(p) for _, p in sorted(read_purposes(crm).items())])
    if values:
        return Answer(rows=[_rules(set_purpose(crm, purpose, values))])
    _check_purpose(crm, purpose)
    return Answer(rows=[_rules(read_purposes(crm)[purpose])])


def _rules(purpose: Purpose) -> dict[str, Any]:
    return {
        "purpose": purpose.name, "needs": purpose.needs,
        "caps": [f"{most}/{days}" for most, days in purpose.caps],
        "quiet_from": f"{purpose.quiet_from:%H:%M}", "quiet_until": f"{purpose.quiet_until:%H:%M}",
        "blockable": purpose.blockable, "protected": purpose.protected,
    }  # fmt: skip


def _check_purpose(crm: Crm, name: str) -> None:
    known = read_purposes(crm)
    if name != ANY and name not in known:
        raise NotFound("contact purpose", name, (ANY, *known))


# --- declarations -----------------------------------------------------------------------------


def commands() -> list[Command]:
    """Every command of the plugin."""
    said = (
        WHOSE, ANY_CHANNEL, PURPOSE,
        Parameter(name="wording", type=T.TEXT, title="Version of the text shown", title_zh="文本版本"),
        Parameter(name="obtained_from", type=T.TEXT, title="Where it was said", title_zh="来源"),
        AT,
    )  # fmt: skip
    return [
        Command(
            name="consent give", run=give, writes=True, single=True, parameters=said, columns=ENTRY,
            help="File a customer's consent.\n\nWithout --channel it is for every channel; --purpose any is for every purpose.",
            example="crmkit consent give C-1 --channel email --wording 2026-03 --obtained-from web-form",
        ),
        Command(
            name="consent withdraw", run=withdraw, writes=True, single=True, parameters=said,
            columns=ENTRY,
            help="File that a customer has withdrawn a consent, or objects.\n\nWith --purpose any and every channel: do not contact.",
            example="crmkit consent withdraw C-1 --purpose any",
        ),
        Command(
            name="consent list", run=list_consents, parameters=(WHOSE,), columns=ENTRY,
            help="List what a customer has said, oldest first.",
            example="crmkit consent list C-1 --format json",
        ),
        Command(
            name="consent show", run=show_consents, parameters=(WHOSE,), columns=ENTRY[:4],
            as_of=True,
            help="Show what holds for each channel and purpose at an instant.",
            example="crmkit consent show C-1 --as-of 2026-03-31",
        ),
        Command(
            name="contact check", run=check, single=True,
            parameters=(
                WHOSE, CHANNEL, PURPOSE, AT,
                Parameter(name="agent", type=T.TEXT, title="Who would make the contact; then also whether renewals are protected for another", title_zh="联系人"),
            ),
            columns=DECISION,
            help="Ask whether a customer may be contacted; if not, why, and when.",
            example="crmkit contact check C-1 --channel phone --purpose marketing",
        ),
        Command(
            name="contact log", run=log, writes=True, single=True,
            parameters=(WHOSE, CHANNEL, PURPOSE, AT), columns=COUNTED,
            help="Count a contact that was made, so that caps know of it.",
            example="crmkit contact log C-1 --channel letter --purpose service",
        ),
        Command(
            name="contact list", run=list_contacts, parameters=(WHOSE,), columns=COUNTED,
            help="List the contacts of a customer that were reserved or made, latest first.",
            example="crmkit contact list C-1",
        ),
        Command(
            name="contact block", run=block, writes=True, single=True,
            parameters=(
                WHOSE,
                Parameter(name="reason", type=T.TEXT, required=True, title="A word such as bereavement, dispute or vulnerable", title_zh="原因代码"),
                Parameter(name="until", type=T.INSTANT, day_ends=True, title="Until when; until it is ended if left out", title_zh="结束"),
                Parameter(name="purpose", type=T.TEXT, multiple=True, title="Only this purpose; every one that can be blocked if left out", title_zh="目的"),
            ),
            columns=BLOCKED,
            help="Stop contacts to a customer for a time.",
            example="crmkit contact block C-1 --reason bereavement --until 2026-06-30T00:00:00Z",
        ),
        Command(
            name="contact unblock", run=unblock, writes=True,
            parameters=(
                WHOSE,
                Parameter(name="reason", type=T.TEXT, title="Only blocks of this reason", title_zh="原因代码"),
            ),
            columns=BLOCKED,
            help="End the blocks of a customer that people have filed.",
            example="crmkit contact unblock C-1 --reason bereavement",
        ),
        Command(
            name="contact purpose", run=purposes, writes=True,
            parameters=(
                Parameter(name="purpose", type=T.TEXT, positional=True, title="Which", title_zh="目的"),
                Parameter(name="needs", type=T.TEXT, choices=("consent", "no_objection", "nothing"), title="What must be known of the customer's will", title_zh="前提"),
                Parameter(name="cap", type=T.TEXT, multiple=True, title="At most so many contacts in so many days, as 2/7; all caps are given together", title_zh="上限"),
                Parameter(name="no_caps", type=T.BOOLEAN, title="Whether there are no caps at all", title_zh="无上限"),
                Parameter(name="quiet", type=T.TEXT, title="Local quiet hours, as 21:00-08:00", title_zh="安静时段"),
                Parameter(name="blockable", type=T.BOOLEAN, title="Whether blocks that name no purpose stop it", title_zh="可停联"),
                Parameter(name="protected", type=T.BOOLEAN, title="Whether only the owner may make such contacts while the customer's renewals are protected", title_zh="保护期内限负责人"),
            ),
            columns=RULES,
            help="Show the rules of every purpose, or change or add one.",
            example="crmkit contact purpose marketing --cap 1/1 --cap 2/7 --cap 6/30 --quiet 20:00-09:00",
        ),
    ]  # fmt: skip
