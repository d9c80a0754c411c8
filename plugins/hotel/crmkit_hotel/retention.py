"""``crmkit guest anonymise``: profiles that the house has no ground to keep (H-R16)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, day, text
from crmkit.declarations import Answer, Command
from crmkit.entities import NewInteraction

from .data import ANONYMISED, RESERVATION
from .rules import RULES

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

CASE = "service.case"
(RULE,) = (rule for rule in RULES if rule.name == "hotel.anonymise")
TO_COME = frozenset({"option", "confirmed", "waitlisted", "in_house"})


def anonymise(crm: Crm, as_of: AsOf) -> Answer:
    """Makes profiles anonymous for which the rule holds, unless something holds them."""
    due = crm.subjects_where({RULE.name: RULE.when}, as_of)[RULE.name]
    members = crm.store.customers.members(due)
    last = _last_stays(crm, members)
    held = holds(crm, members, as_of.on)
    free = [guest for guest in due if guest not in held]
    with crm.store.begin("guest anonymise") as tx:
        for guest in free:
            stored = crm.store.customers.get(guest, tx=tx)
            crm.store.customers.edit(
                stored.id, version=stored.version, tx=tx,
                fields={"hotel": {"anonymised_on": as_of.on}},
            )  # fmt: skip
        crm.store.customers.anonymise(free, tx=tx)
        crm.store.interactions.log(
            [
                NewInteraction(
                    kind=ANONYMISED, occurred_at=tx.at, customer_id=guest, channel="system",
                    payload={"rule": RULE.name, "last_stay_on": last.get(guest)},
                )
                for guest in free
            ],
            tx=tx,
        )  # fmt: skip
    return Answer(
        rows=[
            {"customer_id": guest, "last_stay_on": last.get(guest),
             "result": "held" if guest in held else "anonymous", "why": held.get(guest, RULE.source)}
            for guest in sorted(due, key=lambda guest: (last.get(guest) or date.min, guest))
        ],
        remarks=["crmkit snapshot --full drops earlier versions of birth dates."] if free else [],
    )  # fmt: skip


def holds(crm: Crm, members: dict[int, int], on: date) -> dict[int, str]:
    """Why profiles are kept although their time is over, by guest.

    Args:
        members: every profile, with the guest that it stands for.
    """
    why: defaultdict[int, list[str]] = defaultdict(list)
    fields = crm.store.customers.fields_of(members)
    for profile, guest in members.items():
        hotel = fields.get(profile, {}).get("hotel", {})
        until = hotel.get("hold_until_on")
        if hotel.get("hold_reason") and (until is None or until >= on):
            why[guest].append("legal hold" + (f" until {until}" if until else ""))
        if "blocklist" in (hotel.get("guest_flags") or ()):
            why[guest].append("on the blocklist")
        if crm.documents.list(customer_id=profile, limit=1):
            why[guest].append("documents on file")
    for guest, status in _owned(crm, RESERVATION, "status", members):
        if status in TO_COME:
            why[guest].append("a booking is open")
    for guest, is_open in _owned(crm, CASE, "is_open", members):
        if is_open:
            why[guest].append("a case is open")
    return {guest: "; ".join(dict.fromkeys(reasons)) for guest, reasons in why.items()}


def _owned(crm: Crm, type: str, name: str, members: dict[int, int]) -> Iterable[tuple[int, Any]]:
    rows = crm.store.records.read(type, ["owner_id", name], among={"owner_id": members})
    return [(members[owner], value) for owner, value in rows]


def _last_stays(crm: Crm, members: dict[int, int]) -> dict[int, date]:
    booked = crm.store.records.read(
        RESERVATION, ["id", "owner_id"], among={"owner_id": members}
    )  # fmt: skip
    guests = {reservation: members[owner] for reservation, owner in booked}
    last: dict[int, date] = {}
    for reservation, out in crm.store.records.read(
        "hotel.stay", ["owner_id", "checked_out_on"], among={"owner_id": guests}
    ):
        if out is not None:
            guest = guests[reservation]
            last[guest] = max(out, last.get(guest, out))
    return last


def commands() -> list[Command]:
    """The verb that ``guest`` has from here."""
    return [
        Command(
            name="guest anonymise", run=anonymise, as_of=True, writes=True,
            help="Make profiles anonymous that had no stay for three years and whose guests gave no consent that holds (H-R16).\n\nNames, contacts and whatever else says who they were leave for good, earlier versions included; stays, nights, points and revenue stay. Profiles are kept and listed as held while a legal hold (fields hold_reason and hold_until_on), the blocklist, documents, an open booking or an open case stands against it. Keys of other systems stay: remove the guests there first.",
            example="crmkit guest anonymise --dry-run",
            columns=[
                CUSTOMER, day("last_stay_on", "Last stay", "上次离店"),
                text("result", "Result", "结果"), text("why", "Why", "原因"),
            ],
        )
    ]  # fmt: skip
