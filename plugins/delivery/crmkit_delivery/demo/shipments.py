"""Shipments of the demo: their ways through the network, on time or late, and the scans they leave."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import define, field

from .calendar import AS_OF, DAYS, at, day, next_working, text, works

if TYPE_CHECKING:
    import numpy as np

ZONES = ("NORTH", "EAST", "SOUTH", "WEST", "CENTRE")
# (product, scope, working days, due hour, share of waybills).
PRODUCTS = (
    ("same_day", "same_city", 0, 20, 0.3),
    ("next_day", "inter_city", 1, 18, 0.5),
    ("economy", "regional", 3, 20, 0.2),
)
# How much more often than usual a shipment to the zone is late.
SLOW = {"WEST": 2.5, "SOUTH": 1.5}
LATE = {"same_day": 0.04, "next_day": 0.09, "economy": 0.07}


@define
class Scan:
    """One scan; ``code`` is a status."""

    at: datetime
    code: str
    place: str
    more: dict[str, Any] = field(factory=dict)


@define
class Shipment:
    """A waybill with its scans; ``kept`` is False once its way was changed by hand."""

    number: str
    customer: str
    product: str
    scope: str
    origin: str
    zone: str
    ordered: datetime
    collected: datetime
    promise: datetime
    late: bool
    courier: str
    weight: float
    price: int
    scans: list[Scan] = field(factory=list)

    @property
    def lane(self) -> str:
        """From zone and to zone."""
        return f"{self.origin}-{self.zone}"

    @property
    def delivered_at(self) -> datetime | None:
        """When it came, if it did."""
        return next((s.at for s in self.scans if s.code == "delivered"), None)

    def before(self, code: str) -> list[Scan]:
        """The scans before the first of a code."""
        place = next(i for i, s in enumerate(self.scans) if s.code == code)
        return self.scans[:place]


def hubs(origin: str, zone: str) -> list[str]:
    """Places on a lane."""
    return list(dict.fromkeys((f"HUB-{origin}", f"HUB-{zone}")))


def build_shipments(
    customers: list[str], weights: Any, count: int, rng: np.random.Generator
) -> list[Shipment]:
    """Shipments of customers over all days, in order of collection.

    Args:
        weights: share of each customer.
    """
    days = [d for d in range(DAYS) if works(day(d))]
    kinds = rng.choice(len(PRODUCTS), size=count, p=[p[4] for p in PRODUCTS])
    when = rng.choice(days, size=count)
    who = rng.choice(len(customers), size=count, p=weights)
    zones = rng.choice(len(ZONES), size=(count, 2))
    draws = rng.random((count, 4))
    made = []
    for i in range(count):
        product, scope, working, due, _ = PRODUCTS[kinds[i]]
        origin = ZONES[zones[i, 0]]
        zone = origin if scope == "same_city" else ZONES[zones[i, 1]]
        on = day(int(when[i]))
        hour = 9 + 2 * draws[i, 0] if product == "same_day" else 14 + 2 * draws[i, 0]
        heavy = draws[i, 2] > 0.8
        chance = LATE[product] * SLOW.get(zone, 1.0) * (2.0 if heavy else 1.0)
        one = Shipment(
            number="", customer=customers[int(who[i])], product=product, scope=scope,
            origin=origin, zone=zone, ordered=at(on, hour - 1.5), collected=at(on, hour),
            promise=at(next_working(on, working), due), late=bool(draws[i, 1] < chance),
            courier=f"K-{zone}-{int(draws[i, 3] * 6)}",
            weight=round(8 + 12 * draws[i, 3] if heavy else 0.5 + 5 * draws[i, 3], 1),
            price={"same_day": 900, "next_day": 1200, "economy": 700}[product],
        )  # fmt: skip
        one.scans = _city(one) if scope == "same_city" else _between(one, working, draws[i, 3])
        made.append(one)
    made.sort(key=lambda s: s.collected)
    for number, one in enumerate(made):
        one.number = f"W{number:07d}"
    return made


def _city(one: Shipment) -> list[Scan]:
    hub = f"HUB-{one.origin}"
    start = one.collected
    out = [Scan(start, "picked_up", ""), Scan(start + timedelta(hours=1.5), "at_hub", hub)]
    if one.late:
        # It lies at the hub, is counted every three hours, and goes out the next working day.
        out_on = next_working(start.date(), 1)
        count = start + timedelta(hours=4.5)
        while count < at(out_on, 8):
            out.append(Scan(count, "at_hub", hub))
            count += timedelta(hours=3)
        return [*out, *_last_mile(one, out_on, 0.5)]
    return [*out, *_last_mile(one, start.date(), (start.hour + 3 + start.minute / 60) - 8.5)]


def _between(one: Shipment, working: int, draw: float) -> list[Scan]:
    on = one.collected.date()
    first, second = f"HUB-{one.origin}", f"HUB-{one.zone}"
    scans = [
        Scan(one.collected, "picked_up", ""), Scan(at(on, 18 + draw), "at_hub", first),
        Scan(at(on, 21 + draw), "in_transit", ""), Scan(at(on, 29 + draw), "at_hub", second),
    ]  # fmt: skip
    out_on = next_working(on, max(1, working - 1))
    if one.late:
        out_on = next_working(out_on, working)
    # What lies at a hub is counted every twelve hours.
    count = at(on, 41 + draw)
    while count < at(out_on, 8):
        scans.append(Scan(count, "at_hub", second))
        count += timedelta(hours=12)
    return [*scans, *_last_mile(one, out_on, draw)]


def _last_mile(one: Shipment, on: date, draw: float) -> list[Scan]:
    leaves = at(on, 8.5 + draw)
    hours = 1.5 + 6 * (draw % 1)
    came = min(leaves + timedelta(hours=hours), at(on, 17.9))
    if came <= leaves:
        came = leaves + timedelta(minutes=40)
    proof = {"pod_proof": "signature", "pod_relation": "addressee", "courier": one.courier}
    return [
        Scan(leaves, "out_for_delivery", "", {"courier": one.courier}),
        Scan(came, "delivered", "", proof),
    ]


def visible(scans: list[Scan]) -> list[Scan]:
    """What had been scanned by the end of the demo's day."""
    end = at(AS_OF, 24)
    return [s for s in scans if s.at < end]


__all__ = ["Scan", "Shipment", "build_shipments", "hubs", "text", "visible"]
