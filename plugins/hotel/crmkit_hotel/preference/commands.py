"""``crmkit preference``: tell, see, forget and learn what guests like."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, count, day, flag, integer, number, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType, NewInteraction
from crmkit.errors import UsageError

from ..data import EVIDENCE, PREFERENCE, REFUSAL
from ..privacy import CARE, may_read
from .beliefs import STALE_DAYS, WEIGHTS
from .catalogue import FREE, catalogue, find_code
from .learning import learn

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

T = FieldType
WORDS = "FREE_TEXT"
WHO = Parameter(name="customer", type=T.TEXT, positional=True, required=True, title="Guest")
CODE = Parameter(name="code", type=T.TEXT, positional=True, required=True, title="Code")
VALUE = Parameter(name="value", type=T.TEXT, positional=True, required=True, title="Value")
PURPOSE = Parameter(
    name="purpose", type=T.TEXT, title="Trip purpose",
    choices=("business", "leisure", "family", "event"),
)  # fmt: skip
PROPERTY = Parameter(name="property", type=T.TEXT, title="House where it holds")
SHOWN = (
    "code", "value", "status", "strength", "confidence", "purpose", "scope", "n_for", "n_against",
    "last_confirmed_on", "fresh_until", "touchpoint", "sensitive", "note",
)  # fmt: skip
HELD = (
    CUSTOMER, text("code", "Code", "代码"), text("value", "Value", "取值"),
    text("status", "Status", "状态"), text("strength", "Strength", "强度"),
    number("confidence", "Confidence", "置信度"), text("purpose", "Trip purpose", "出行目的"),
    text("scope", "Scope", "适用范围"), integer("n_for", "For", "支持"),
    integer("n_against", "Against", "反对"), day("last_confirmed_on", "Last confirmed", "最近确认"),
    day("fresh_until", "Fresh until", "有效至"), text("touchpoint", "Touchpoint", "接触点"),
    flag("sensitive", "Sensitive", "敏感"), text("note", "Words", "原话"),
)  # fmt: skip


def declare(
    crm: Crm, customer: str, code: str, value: str, strength: str | None, share: bool | None,
    words: str | None, purpose: str | None, property: str | None,
) -> Answer:  # fmt: skip
    """What the guest says, for good."""
    said = {"mode": "declared", "strength": strength, "share": share, "text": words}
    return _tell(crm, customer, "statement", code, value, purpose, property, **said)


def observe(
    crm: Crm, customer: str, code: str, value: str, touchpoint: str, mode: str, against: bool,
    purpose: str | None, property: str | None,
) -> Answer:  # fmt: skip
    """What a touchpoint saw, guessed or served."""
    said = {"mode": mode, "holds": not against}
    return _tell(crm, customer, touchpoint, code, value, purpose, property, **said)


def _tell(
    crm: Crm, customer: str, kind: str, code: str, value: str, purpose: str | None,
    property: str | None, **said: Any,
) -> Answer:  # fmt: skip
    found = find_code(code)
    value = found.check(value)
    if found.type == FREE:
        if "text" not in crm.catalog.interaction_kinds[f"hotel.{kind}"].fields.by_name:
            raise UsageError(
                f"{kind} takes no words.",
                hint="Give --touchpoint concierge_request, or declare it.",
            )
        # The guest's own words are direct: they stay in the store, and only their label leaves it.
        said["text"] = value if said.get("text") is None else f"{value}; {said['text']}"
    payload = {
        "code": found.code, "value": None if found.type == FREE else value, "purpose": purpose,
        "property": property, **said,
    }  # fmt: skip
    guest = crm.store.customers.find(customer).id
    with crm.store.begin(f"preference {kind}") as tx:
        crm.store.interactions.log(
            NewInteraction(
                kind=f"hotel.{kind}", occurred_at=tx.at, customer_id=guest,
                payload={k: v for k, v in payload.items() if v is not None},
            ),
            tx=tx,
        )  # fmt: skip
        learn(crm, [guest], tx=tx)
    return _told(crm, guest, found.code)


def refuse(crm: Crm, customer: str, code: str) -> Answer:
    """The guest's own word: nothing is kept of a code."""
    found = find_code(code)
    guest = crm.store.customers.find(customer).id
    with crm.store.begin("preference refuse") as tx:
        crm.store.interactions.log(
            NewInteraction(
                kind=REFUSAL, occurred_at=tx.at, customer_id=guest, payload={"code": found.code}
            ),
            tx=tx,
        )
        learn(crm, [guest], tx=tx)
    return _told(crm, guest, found.code)


def _told(crm: Crm, guest: int, code: str) -> Answer:
    """What is held of a code now; whoever may not read it has filed it all the same."""
    if may_read(crm, code):
        return Answer(rows=_held(crm, [guest], code))
    return Answer(rows=[], remarks=[f"filed; only those with the right {CARE.name} read it."])


def listed(crm: Crm, customer: str, every: bool) -> Answer:
    """What is held of a guest."""
    guest = crm.store.customers.find(customer).id
    rows = _held(crm, [guest])
    shown = rows if every else [r for r in rows if r["status"] in ("declared", "learnt", "ask")]
    return Answer(rows=shown)


def learn_all(crm: Crm, as_of: AsOf) -> Answer:
    """Learns of everybody from the facts."""
    return Answer(rows=[{"changed": learn(crm, as_of=as_of)}])


def words(crm: Crm, least: int) -> Answer:
    """What is told in words only, as equal texts, with how many guests told it."""
    hidden = crm.store.privacy.hidden_customers()
    told: dict[str, set[int]] = defaultdict(set)
    last: dict[str, date] = {}
    for owner, value, note, on, status in crm.store.records.read(
        PREFERENCE, ["owner_id", "value", "note", "last_confirmed_on", "status"],
        where={"code": WORDS},
    ):  # fmt: skip
        said = " ".join((note or value or "").casefold().split())
        if said and status != "refused" and owner not in hidden:
            told[said].add(owner)
            if on is not None:
                last[said] = max(on, last.get(said, on))
    rows = [
        {"words": said, "guests": len(guests), "last_said_on": last.get(said)}
        for said, guests in told.items()
        if len(guests) >= least
    ]
    return Answer(rows=sorted(rows, key=lambda row: (-row["guests"], row["words"])))


def codes(crm: Crm) -> Answer:
    """The catalogue."""
    return Answer(
        rows=[
            {"code": c.code, "group": c.group, "title": c.title, "takes": c.allowed,
             "department": c.department, "scope": c.scope, "sensitive": c.sensitive,
             "required": c.required}
            for c in catalogue().values()
        ]
    )  # fmt: skip


def _held(crm: Crm, guests: list[int], code: str | None = None) -> list[dict[str, Any]]:
    """What is held of some guests and the actor may read."""
    members = crm.store.customers.members(guests)
    rows = crm.store.records.read(
        PREFERENCE, ["owner_id", *SHOWN], among={"owner_id": members},
        where={"code": code} if code else None, sort=["code"],
    )  # fmt: skip
    return [
        {"customer_id": members[row[0]], **dict(zip(SHOWN, row[1:], strict=True))}
        for row in rows
        if may_read(crm, row[1])
    ]


def commands() -> list[Command]:
    """The verbs of ``preference``."""
    return [
        Command(
            name="preference list", run=listed, columns=HELD,
            help=f"List what is held of a guest's preferences, with confidence and source.\n\nAllergies, needs for access and wishes for privacy are shown to those with the right {CARE.name}.",
            example="crmkit preference list G-1042",
            parameters=[WHO, Parameter(name="every", type=T.BOOLEAN, default=False, title="Also candidates, retired and refused ones")],
        ),
        Command(
            name="preference declare", run=declare, columns=HELD, writes=True,
            help=f"File what the guest says of a preference, for good.\n\nIt outranks whatever was learnt, until it is {STALE_DAYS} days old or contradicted twice.",
            example="crmkit preference declare G-1042 PIL_TYPE memory_foam --strength strong",
            parameters=[
                WHO, CODE, VALUE,
                Parameter(name="strength", type=T.TEXT, title="How much it matters", choices=("required", "strong", "preferred", "flexible", "avoid")),
                Parameter(name="share", type=T.BOOLEAN, title="Other houses may know"),
                Parameter(name="words", type=T.TEXT, title="In the guest's words"),
                PURPOSE, PROPERTY,
            ],
        ),
        Command(
            name="preference observe", run=observe, columns=HELD, writes=True,
            help="File what a touchpoint saw of a preference.\n\nSeen on two of the last three stays it is learnt; three opposite choices retire it.",
            example="crmkit preference observe G-1042 PIL_TYPE buckwheat --touchpoint housekeeping_observation",
            parameters=[
                WHO, CODE, VALUE,
                Parameter(name="touchpoint", type=T.TEXT, default="housekeeping_observation", title="Where it was seen", choices=tuple(k for k in EVIDENCE if k != "statement")),
                Parameter(name="mode", type=T.TEXT, default="observed", title="How it is known", choices=tuple(m for m in WEIGHTS if m != "declared")),
                Parameter(name="against", type=T.BOOLEAN, default=False, title="The guest sent it away"),
                PURPOSE, PROPERTY,
            ],
        ),
        Command(
            name="preference refuse", run=refuse, columns=HELD, writes=True,
            help="Keep nothing of a preference: what is held is deleted and never learnt again (H-R4).",
            example="crmkit preference refuse G-1042 MINIBAR_STOCK", parameters=[WHO, CODE],
        ),
        Command(
            name="preference learn", run=learn_all, single=True, writes=True, as_of=True, daily=True,
            help="Learn everybody's preferences from what the touchpoints filed; after an import.\n\nThe daily run does it too.",
            example="crmkit preference learn",
            columns=[integer("changed", "New or changed", "变更数", "preference")],
        ),
        Command(
            name="preference words", run=words,
            help="List what guests say in words for which there is no code, what most of them say first.\n\nWhat many say is worth a code of the catalogue. Equal texts are counted together, whatever their case.",
            example="crmkit preference words --least 5",
            parameters=[Parameter(name="least", type=T.INTEGER, default=2, unit="guest", title="Told by at least so many guests")],
            columns=[
                text("words", "Words", "原话"), count("guests", "Guests", "客人", "guest"),
                day("last_said_on", "Last said", "最近"),
            ],
        ),
        Command(
            name="preference catalogue", run=codes,
            help="List the codes, what each takes and who prepares it.",
            example="crmkit preference catalogue",
            columns=[
                text("code", "Code", "代码"), text("group", "Group", "分组"), text("title", "Title", "名称"),
                text("takes", "Takes", "取值"), text("department", "Department", "部门"),
                text("scope", "Scope", "适用范围"), flag("sensitive", "Sensitive", "敏感"),
                flag("required", "Required", "必须"),
            ],
        ),
    ]  # fmt: skip
