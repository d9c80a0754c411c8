"""The ills that are planted, each with the day on which it has to be listed.

The day is worked out here from how the ill was made, and not by the report's rules: a parcel that goes
out at nine and is not handed over is listed that night; one that was last seen at seven in the evening
is listed the next night, when a day has passed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from attrs import define, field

from .calendar import AS_OF, PLANT_FROM, at, next_working, text
from .shipments import Scan, Shipment

if TYPE_CHECKING:
    import numpy as np

# Of so many deliveries on which no ill is planted one lacks its proof, the last among them.
UNPROVEN = 40
Planted = list[tuple[str, str, date]]
Row = dict[str, str]


@define
class World:
    """What goes into the files beside shipments, and the truth."""

    incidents: list[Row] = field(factory=list)
    invoices: list[Row] = field(factory=list)
    claims: list[Row] = field(factory=list)
    events: list[Row] = field(factory=list)
    truth: Planted = field(factory=list)

    def listed(self, rule: str, one: Shipment, on: date) -> None:
        """Says that a shipment has to be listed on a day, if that has come."""
        if on <= AS_OF:
            self.truth.append((rule, one.number, on))

    def event(self, kind: str, one: Shipment, when: object, **more: str) -> None:
        """Something that was said about a waybill."""
        self.events.append({
            "event": f"E{len(self.events):06d}", "kind": kind, "waybill": one.number,
            "occurred_at": text(when),  # type: ignore[arg-type]
            "channel": "phone", "direction": "in", **more,
        })  # fmt: skip


def _came(one: Shipment) -> date:
    return one.scans[-1].at.date()


def not_handed_over(one: Shipment, world: World) -> None:
    """Out at half past eight, back two working days later."""
    out_on = _came(one)
    kept = one.before("delivered")
    last = next_working(out_on, 2)
    one.scans = [*kept, Scan(at(last, 10), "delivered", "", one.scans[-1].more)]
    world.listed("D-R1", one, out_on)


def not_arrived(one: Shipment, world: World) -> None:
    """Last seen at the first hub, and found there three days later."""
    kept = one.scans[:2]
    seen = kept[-1].at.date()
    found = next_working(seen, 3)
    out_on = next_working(found, 1)
    one.scans = [
        *kept, Scan(at(found, 20), "at_hub", kept[-1].place),
        Scan(at(out_on, 9), "out_for_delivery", "", {"courier": one.courier}),
        Scan(at(out_on, 12), "delivered", "", {"pod_proof": "photo", "courier": one.courier}),
    ]  # fmt: skip
    # Within a city four hours are enough, between cities a day has to pass.
    world.listed("D-R2", one, seen if one.scope == "same_city" else seen + timedelta(days=1))


def never_found(one: Shipment, world: World) -> None:
    """Last seen at the first hub, for good."""
    one.scans = one.scans[:2]
    seen = one.scans[-1].at.date()
    world.listed("D-R2", one, seen if one.scope == "same_city" else seen + timedelta(days=1))
    world.listed("D-R2 lost", one, seen + timedelta(days=7))


def damaged(one: Shipment, world: World) -> None:
    """Delivered damaged before noon; the claim comes after four days."""
    one.scans[-1].more["condition"] = "damaged"
    on = _came(one)
    world.claims.append(_claim(one, "submitted", at(on, 24 * 4 + 9), filed=at(on, 24 * 4 + 9)))
    world.listed("D-R3", one, on + timedelta(days=1))


def unpaid(one: Shipment, world: World) -> None:
    """The claim is approved on the second day and never paid."""
    one.scans[-1].more["condition"] = "wet"
    on = _came(one)
    filed, decided = at(on, 20), at(on, 48 + 10)
    world.claims.append(_claim(one, "submitted", filed, filed=filed))
    world.claims.append(_claim(one, "approved", decided, filed=filed, decided=decided))
    world.listed("D-R3 unpaid", one, on + timedelta(days=9))


def unanswered(one: Shipment, world: World) -> None:
    """Signed and not received; nobody answers for three days."""
    on = _came(one)
    world.event("non_receipt_report", one, at(on, 20), topic="missing")
    world.event("service_recovery", one, at(on, 24 * 3 + 9), direction="out", topic="found")
    world.listed("D-R4", one, on + timedelta(days=1))


def overbilled(one: Shipment, world: World) -> None:
    """Billed a tenth more than quoted, explained after six days."""
    on = _came(one)
    billed = str(round(one.price * 1.1) / 100)
    world.invoices.append(_line(one, billed, "", at(on, 20)))
    world.invoices.append(
        {**_line(one, billed, "", at(on, 24 * 6)), "explained_at": text(at(on, 24 * 6))}
    )
    world.listed("D-R5", one, on)


def surcharged(one: Shipment, world: World) -> None:
    """A surcharge without a reason, within one per cent of the quote."""
    on = _came(one)
    world.invoices.append(_line(one, str(one.price / 100), "0.50", at(on, 20)))
    world.listed("D-R5", one, on)


def unowned(one: Shipment, world: World) -> None:
    """An exception that nobody owns for two days."""
    on = _came(one)
    began = at(on, 8)
    for as_of, who in ((began, ""), (at(on, 48 + 9), "team-late")):
        world.incidents.append(_incident(one, began, as_of, who))
    world.listed("D-R18 unowned", one, on)


def misrouted(one: Shipment, world: World) -> None:
    """At a hub of another lane for a night."""
    on = _came(one)
    kept = one.before("out_for_delivery")
    wrong = next(h for h in ("HUB-NOWHERE",))
    out_on = next_working(on, 1)
    one.scans = [
        *[s for s in kept if s.at < at(on, 7.5)], Scan(at(on, 12), "at_hub", wrong),
        Scan(at(on, 30), "at_hub", f"HUB-{one.zone}"),
    ]  # fmt: skip
    count = at(on, 42)
    while count < at(out_on, 8):
        one.scans.append(Scan(count, "at_hub", f"HUB-{one.zone}"))
        count += timedelta(hours=12)
    one.scans += [
        Scan(at(out_on, 9), "out_for_delivery", "", {"courier": one.courier}),
        Scan(at(out_on, 12), "delivered", "", {"pod_proof": "photo", "courier": one.courier}),
    ]  # fmt: skip
    world.listed("D-R18 misrouted", one, on)


def skipped(one: Shipment, world: World) -> None:
    """Delivered without ever having gone out."""
    one.scans = [s for s in one.scans if s.code != "out_for_delivery"]
    world.listed("D-R18 skipped", one, _came(one))


def impossible(one: Shipment, world: World) -> None:
    """At a hub after it was delivered."""
    on = _came(one)
    one.scans.append(Scan(at(on, 19), "at_hub", f"HUB-{one.zone}"))
    world.listed("D-R18 impossible", one, on)


BETWEEN: tuple[Callable[[Shipment, World], None], ...] = (not_arrived, never_found, misrouted)
ANY: tuple[Callable[[Shipment, World], None], ...] = (
    not_handed_over, damaged, unpaid, unanswered, overbilled, surcharged, unowned, skipped, impossible,
)  # fmt: skip
EVERY = (*ANY, *BETWEEN)


def plant(shipments: list[Shipment], count: int, rng: np.random.Generator) -> World:
    """Plants as many ills as that, of every kind in turn, each on another shipment that was on time."""
    world = World()
    free = [
        s for s in shipments
        if not s.late and s.collected.date() >= PLANT_FROM and _came(s) <= AS_OF
    ]  # fmt: skip
    order = [free[i] for i in rng.permutation(len(free))]
    between = [s for s in order if s.scope != "same_city"]
    used: set[str] = set()
    kinds = 0
    while len(world.truth) < count:
        make = EVERY[kinds % len(EVERY)]
        kinds += 1
        pool = between if make in BETWEEN else order
        one = next((s for s in pool if s.number not in used and _fits(make, s)), None)
        if one is None:
            if kinds > 50 * len(EVERY) or not pool:
                break
            continue
        used.add(one.number)
        make(one, world)
    _usual(shipments, used, world, rng)
    return world


def _fits(make: Callable[[Shipment, World], None], one: Shipment) -> bool:
    """Whether the day on which the ill has to be listed will have come."""
    ahead: dict[Callable[[Shipment, World], None], int] = {
        unpaid: 9,
        never_found: 8,
        damaged: 1,
        unanswered: 1,
        not_arrived: 1,
    }
    last: date = _came(one) + timedelta(days=ahead.get(make, 0))
    return last <= AS_OF


def _usual(
    shipments: list[Shipment], used: set[str], world: World, rng: np.random.Generator
) -> None:
    """What looks like an ill and is none: claims filed at once, answers in time, explained bills."""
    usual = [one for one in shipments if one.number not in used and _came(one) <= AS_OF]
    for one in usual[::-UNPROVEN]:
        # Signed for by nobody: a suspicious delivery (D-R8).
        one.scans[-1].more["pod_proof"] = "none"
    for one, draw in zip(shipments, rng.random(len(shipments)), strict=True):
        if one.number in used or _came(one) > AS_OF - timedelta(days=12):
            continue
        on = _came(one)
        if draw < 0.02:
            one.scans[-1].more["condition"] = "damaged"
            filed, decided, paid = at(on, 20), at(on, 60), at(on, 24 * 6)
            world.claims.append(_claim(one, "submitted", filed, filed=filed))
            world.claims.append(_claim(one, "approved", decided, filed=filed, decided=decided))
            world.claims.append(_claim(one, "paid", paid, filed=filed, decided=decided, paid=paid))
        elif draw < 0.04:
            world.event("non_receipt_report", one, at(on, 20), topic="missing")
            world.event("service_recovery", one, at(on, 33), direction="out", topic="found")
        elif draw < 0.06:
            world.invoices.append(
                {**_line(one, str(one.price / 100), "1.00", at(on, 20)), "surcharge_reason": "fuel"}
            )
        elif draw < 0.08 and one.late:
            world.incidents.append(
                {**_incident(one, one.collected, at(on, 18), "team-early"),
                 "reason": "weather_delay", "responsible": "weather", "evidence": "met office 17",
                 "ended_at": text(at(on, 8))}
            )  # fmt: skip
        elif draw < 0.12:
            world.event("complaint", one, at(on, 30), topic="attitude" if draw < 0.1 else "late")


def _claim(one: Shipment, state: str, as_of: object, **when: object) -> Row:
    amount = "40.00"
    return {
        "claim": f"{one.number}-1", "waybill": one.number, "as_of": text(as_of),  # type: ignore[arg-type]
        "kind": "damage", "state": state, "claimed": amount, "proven_loss": amount,
        "share_damaged": "1", "liability_party": "carrier", "evidence": "proof_of_value;photos",
        "approved": amount if "decided" in when else "", "paid": amount if "paid" in when else "",
        "filed_at": text(when["filed"]),  # type: ignore[arg-type]
        "decided_at": text(when["decided"]) if "decided" in when else "",  # type: ignore[arg-type]
        "paid_at": text(when["paid"]) if "paid" in when else "",  # type: ignore[arg-type]
    }  # fmt: skip


def plain_line(one: Shipment) -> Row:
    """Billed as it was quoted, on the evening of the day on which it came."""
    return _line(one, str(one.price / 100), "", at(_came(one), 20))


def _line(one: Shipment, billed: str, surcharge: str, as_of: object) -> Row:
    return {
        "line": f"{one.number}-1", "waybill": one.number, "as_of": text(as_of),  # type: ignore[arg-type]
        "quoted": str(one.price / 100), "billed": billed, "surcharges": surcharge,
        "billed_on": _came(one).isoformat(),
    }  # fmt: skip


def _incident(one: Shipment, began: object, as_of: object, who: str) -> Row:
    return {
        "incident": f"{one.number}-I", "waybill": one.number, "as_of": text(as_of),  # type: ignore[arg-type]
        "reason": "carrier_vehicle_issue", "responsible": "carrier", "assignee": who,
        "opened_at": text(began),  # type: ignore[arg-type]
    }  # fmt: skip
