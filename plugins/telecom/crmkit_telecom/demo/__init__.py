"""An operator's world with a known cause behind every leaver (``crmkit demo telecom``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crmkit.declarations import Demo, DemoCheck, DemoData, DemoFile

from .calendar import AS_OF, TRAIN_UNTIL

if TYPE_CHECKING:
    from crmkit.workspace import Crm

    from .drift import Drift


def generate(folder: Path, customers: int, seed: int, drift: Drift | None = None) -> DemoData:
    """Writes the files of an operator with so many customers; the same seed gives the same bytes.

    Args:
        folder: is made if absent; the month held back goes into its folder ``later``.
        customers: how many, over all twenty-one months.
        seed: of the random numbers.
        drift: a change to plant, with its truth in ``drift.csv``; None plants none.
    """
    # numpy is for the generator alone, so it is imported when one is made.
    import copy

    import numpy as np

    from .drift import write_drift
    from .files import PROFILES, write_files
    from .months import live
    from .world import build_world

    rng = np.random.default_rng(seed)
    world = build_world(customers, rng)
    start = copy.deepcopy(world)
    ledger = live(world, rng)
    folder.mkdir(parents=True, exist_ok=True)
    if drift is not None:
        write_drift(folder, drift.plant(world, ledger))
    write_files(folder, world, start, ledger)
    return DemoData(
        files=[DemoFile(path=folder / name, profile=p) for name, p in PROFILES.items()],
        as_of=AS_OF,
        train_until=TRAIN_UNTIL,
        truth=folder / "truth.csv",
    )


def check_demo(crm: Crm, data: DemoData) -> list[DemoCheck]:
    """Compares what crmkit found with what the generator knows; see :mod:`.verify`."""
    from .verify import checks

    return checks(crm, data)


DEMO = Demo(
    name="telecom",
    title="A mobile and broadband operator with twenty months of history",
    generate=generate,
    lifecycles=("telecom.subscriber",),
    scores=("telecom.churn",),
    reports=("telecom.churn-reasons", "telecom.retention-list"),
    html="telecom.churn-survival",
    verify=check_demo,
)
