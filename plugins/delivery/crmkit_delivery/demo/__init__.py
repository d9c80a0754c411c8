"""A courier firm with rounds, and ills planted among its shipments (``crmkit demo delivery``)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from crmkit.declarations import Demo, DemoCheck, DemoData

from .calendar import AS_OF, TRAIN_UNTIL

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# Waybills and planted ills for each customer, and customers for each subscriber of a round.
WAYBILLS_EACH, ILLS_EACH, PER_SUBSCRIBER = 6, 1 / 3, 3


def generate(folder: Path, customers: int, seed: int) -> DemoData:
    """Writes the files of a firm with so many shippers; the same seed gives the same bytes.

    Args:
        folder: is made if absent.
        customers: how many shippers; a third as many subscribers come with them.
        seed: of the random numbers.
    """
    # numpy is for the generator alone here, so it is imported when one is made.
    import numpy as np

    from .files import write_files
    from .ills import plant
    from .rounds import build_rounds
    from .shipments import build_shipments

    rng = np.random.default_rng(seed)
    names = [f"A{number:05d}" for number in range(customers)]
    # A few shippers send most, as everywhere.
    weights = 1.0 / (np.arange(customers) + 5.0)
    shipments = build_shipments(names, weights / weights.sum(), customers * WAYBILLS_EACH, rng)
    world = plant(shipments, max(1, round(customers * ILLS_EACH)), rng)
    rounds = build_rounds(max(2, customers // PER_SUBSCRIBER), rng)
    folder.mkdir(parents=True, exist_ok=True)
    files = write_files(folder, names, shipments, world, rounds, rng)
    truth = folder / "truth.csv"
    _write(truth, "rule,waybill,listed_on", sorted((r, w, str(on)) for r, w, on in world.truth))
    _write(folder / "short.csv", "day", sorted((day,) for day in rounds.short))
    return DemoData(files=files, as_of=AS_OF, train_until=TRAIN_UNTIL, truth=truth)


def _write(path: Path, head: str, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head.split(","))
        writer.writerows(rows)


def check_demo(crm: Crm, data: DemoData) -> list[DemoCheck]:
    """Compares what crmkit found with what the generator planted; see :mod:`.verify`."""
    from .verify import checks

    return checks(crm, data)


DEMO = Demo(
    name="delivery",
    title="A courier firm with subscription rounds, and ills planted among its shipments",
    generate=generate,
    scores=("delivery.late",),
    reports=("delivery.ills", "delivery.on-time"),
    html="delivery.on-time",
    verify=check_demo,
)
