"""``crmkit guest``: what is said to a visitor or caller, and who is in the house (H-R1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, count, day, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType, NewInteraction
from crmkit.errors import NotFound, UsageError

from .data import PRESENCE_QUESTION, RESERVATION
from .privacy import GUARDED, PRESENCE

if TYPE_CHECKING:
    from crmkit.workspace import Crm

T = FieldType
# The same words for a guest who is hidden, one who is not here and one of whom nobody has heard.
NOBODY = "There is nobody of that name whom I can connect you with."
CONNECT = "In the house: connect the call, or let the guest come down. Never say the room."
SMALL = 5


def ask(crm: Crm, who: str) -> Answer:
    """What to say to a visitor or caller; the question is logged whatever the answer is."""
    found = _in_house(crm, _meant(crm, who))
    levels = _levels(crm, found)
    open_ones = [guest for guest in found if levels[guest] not in GUARDED]
    hidden = [guest for guest in found if levels[guest] in GUARDED]
    answer = CONNECT if len(open_ones) == 1 else NOBODY
    said = {"asked_for": who[:200], "asked_by": crm.actor, "command": "guest ask"}
    at = crm.clock()
    crm.store.interactions.log(
        [
            NewInteraction(
                kind=PRESENCE_QUESTION, occurred_at=at, customer_id=guest, channel="system",
                direction="in", payload={**said, "answer": "refused" if guest else "nobody"},
            )
            for guest in (None, *hidden)
        ]
    )  # fmt: skip
    return Answer(rows=[{"say": answer}])


def in_house(crm: Crm) -> Answer:
    """Who is in the house: by name for those with the right, else how many."""
    privileged = PRESENCE.name in crm.viewer.rights
    today = crm.as_of().on
    rows = [
        (owner, property, left)
        for owner, property, left, status, arrived in crm.store.records.read(
            RESERVATION, ["owner_id", "property", "departure_on", "status", "arrival_on"],
            where={"status": "in_house"},
        )
        if arrived <= today
    ]  # fmt: skip
    levels = _levels(crm, sorted({owner for owner, _, _ in rows}))
    if privileged:
        vip = _profile(crm, levels)
        return Answer(
            rows=[
                {"customer_id": owner, "property": house, "departure_on": left,
                 "privacy": levels[owner], "vip": vip[owner]}
                for owner, house, left in rows
                if levels[owner] in GUARDED or vip[owner] != "none"
            ]
        )  # fmt: skip
    # Whom the policy hides is not counted: a total beside the list of the others would tell of them.
    held = [house for owner, house, _ in rows if levels[owner] not in GUARDED]
    return Answer(
        rows=[
            {"property": house, "guests": n if (n := held.count(house)) >= SMALL else None}
            for house in sorted(set(held))
        ],
        remarks=[f"fewer than {SMALL} are not told."],
    )


def doubles(crm: Crm) -> Answer:
    """How many pairs of profiles look like one guest, and what became of pairs that were merged."""
    hidden = crm.store.privacy.hidden_customers()
    pairs = [p for p in crm.duplicates.find() if not hidden & {p.a_id, p.b_id}]
    merges = [m for m in crm.store.merges.all() if not hidden & {m.kept_id, m.merged_id}]
    undone = sum(merge.undone_tx is not None for merge in merges)
    row = {
        "found": len(pairs), "undecided": sum(pair.decision is None for pair in pairs),
        "merged": len(merges) - undone, "undone": undone,
    }  # fmt: skip
    return Answer(rows=[row])


def _meant(crm: Crm, who: str) -> Sequence[int]:
    """Everybody who may be meant, hidden or not: the answer does not depend on who asks for whom."""
    store = crm.store
    wanted = who.strip().casefold()
    if not wanted:
        raise UsageError("give a name, a number or a key.")
    staying = [row[0] for row in store.records.read(RESERVATION, ["owner_id"], where={"status": "in_house"})]  # fmt: skip
    names = store.customers.names(staying)
    named = [guest for guest, name in names.items() if name and wanted in name.casefold()]
    try:
        named.append(store.customers.find(who).id)
    except (NotFound, UsageError):
        pass
    return sorted(set(named))


def _in_house(crm: Crm, guests: Sequence[int]) -> list[int]:
    members = crm.store.customers.members(guests)
    rows = crm.store.records.read(
        RESERVATION, ["owner_id"], where={"status": "in_house"}, among={"owner_id": members}
    )
    return sorted({members[row[0]] for row in rows})


def _levels(crm: Crm, guests: Sequence[int]) -> dict[int, str]:
    fields = crm.store.customers.fields_of(guests)
    return {g: fields.get(g, {}).get("hotel", {}).get("privacy_level") or "normal" for g in guests}


def _profile(crm: Crm, guests: Any) -> dict[int, str]:
    fields = crm.store.customers.fields_of(guests)
    return {g: fields.get(g, {}).get("hotel", {}).get("vip_level") or "none" for g in guests}


def commands() -> list[Command]:
    """The verbs of ``guest``."""
    return [
        Command(
            name="guest ask", run=ask, single=True,
            help="Say what to answer a visitor or caller who asks for a guest.\n\nThe words are the same for a guest who keeps their presence or room secret, for one who is not in the house, and for nobody; the question is logged in each case.",
            example="crmkit guest ask 'Ada Berg'",
            parameters=[Parameter(name="who", type=T.TEXT, positional=True, required=True, title="Name, number or key")],
            columns=[text("say", "Say", "答复")],
        ),
        Command(
            name="guest in-house", run=in_house,
            help=f"List VIPs and guests who keep their presence secret among those in the house.\n\nWithout the right hotel.presence it only counts the guests of each house, and says no number below {SMALL}.",
            example="crmkit guest in-house",
            columns=[
                CUSTOMER, text("property", "Property", "酒店"), day("departure_on", "Departure", "离店日"),
                text("privacy", "Privacy", "隐私级别"), text("vip", "VIP", "贵宾级别"),
                count("guests", "Guests", "在店人数", "guest"),
            ],
        ),
        Command(
            name="guest duplicates", run=doubles, single=True,
            help="Count profiles that may be one guest, and merges that stand or were taken back.\n\nThe pairs themselves: crmkit customer duplicates.",
            example="crmkit guest duplicates",
            columns=[
                count("found", "Found", "疑似重复", "pair"), count("undecided", "Undecided", "待判定", "pair"),
                count("merged", "Merged", "已合并", "merge"), count("undone", "Taken back", "已撤销", "merge"),
            ],
        ),
    ]  # fmt: skip
