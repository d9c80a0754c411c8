"""A bank's world with a known cause behind every default (``crmkit demo banking``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crmkit.declarations import Demo, DemoCheck, DemoData, DemoFile

from .calendar import AS_OF, REVIEWS, TRAIN_UNTIL

if TYPE_CHECKING:
    from crmkit.workspace import Crm


def generate(folder: Path, customers: int, seed: int) -> DemoData:
    """Writes the files of a bank with so many customers; the same seed gives the same bytes.

    Args:
        folder: is made if absent; the month held back goes into its folder ``later``.
        customers: how many, over all thirty-seven months.
        seed: of the random numbers.
    """
    # numpy is for the generator alone, so it is imported when one is made.
    import numpy as np

    from .files import PROFILES, write_files
    from .months import live
    from .world import build_world

    rng = np.random.default_rng(seed)
    world = build_world(customers, rng)
    ledger = live(world, rng)
    folder.mkdir(parents=True, exist_ok=True)
    write_files(folder, world, ledger)
    return DemoData(
        files=[DemoFile(path=folder / name, profile=p) for name, p in PROFILES.items()],
        as_of=AS_OF,
        train_until=TRAIN_UNTIL,
        truth=folder / "truth.csv",
    )


def live_through(crm: Crm, data: DemoData) -> None:
    """Reviews the tiers by contribution at the ends of two quarters."""
    for day in REVIEWS:
        crm.run("tier review", scheme="banking.relation", as_of=day.isoformat())


def check_demo(crm: Crm, data: DemoData) -> list[DemoCheck]:
    """Compares what crmkit found with what the generator knows; see :mod:`.verify`."""
    from .verify import checks

    return checks(crm, data)


DEMO = Demo(
    name="banking",
    title="A retail bank with three years of transactions, loans and watch cases",
    generate=generate,
    history=live_through,
    lifecycles=("banking.relation",),
    scores=("banking.behaviour", "banking.acceptance"),
    reports=("banking.watch-list", "banking.roll-rates"),
    html="banking.vintages",
    verify=check_demo,
)
