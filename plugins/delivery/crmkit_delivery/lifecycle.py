"""The status machine as a lifecycle: computed from scans, never asked for."""

from __future__ import annotations

from crmkit.declarations import Lifecycle
from crmkit.entities import Stage

from .data import WAYBILL
from .tables import CAME_FROM, statuses, transitions

# What a held shipment may have come from: every status from which it can be held.
HELD = "held"


def moves() -> list[tuple[str, str]]:
    """Every allowed pair of statuses; a held shipment may go back to any that it can come from."""
    found = []
    for before, after in transitions().items():
        for name in after:
            if name != CAME_FROM:
                found.append((before, name))
                continue
            found += [(before, origin) for origin, to in transitions().items() if HELD in to]
    return found


def shipment() -> Lifecycle:
    """From the order to the proof of delivery, and every way on which it fails."""
    return Lifecycle(
        name="delivery.shipment",
        subject=WAYBILL,
        title="Shipment",
        title_zh="运单状态",
        stages=[Stage(s.name, s.kind, s.title, s.title_zh) for s in statuses()],
        moves=moves(),
        mode="computed",
    )
