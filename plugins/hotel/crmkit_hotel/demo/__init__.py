"""A small chain whose guests have true preferences, seen by touchpoints that err (``crmkit demo hotel``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crmkit.declarations import Demo, DemoCheck, DemoData, DemoFile

from ..loyalty import CLUB
from .calendar import AS_OF, REVIEWS

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# Order of import: owners before what they own.
PROFILES = {
    "properties.csv": "hotel-properties",
    "supply.csv": "hotel-supply",
    "guests.csv": "hotel-guests",
    "reservations.csv": "hotel-reservations",
    "requests.csv": "hotel-requests",
    "touchpoints.csv": "hotel-touchpoints",
    "preparations.csv": "hotel-preparations",
}


def generate(folder: Path, customers: int, seed: int) -> DemoData:
    """Writes the files of a chain with so many guests; the same seed gives the same bytes.

    Args:
        folder: is made if absent. customers: how many guests. seed: of the random numbers.
    """
    # numpy is for the generator alone, so it is imported when one is made.
    from .world import write_world

    folder.mkdir(parents=True, exist_ok=True)
    write_world(folder, customers, seed)
    return DemoData(
        files=[DemoFile(path=folder / name, profile=p) for name, p in PROFILES.items()],
        as_of=AS_OF,
        truth=folder / "truth.csv",
    )


def live_through(crm: Crm, data: DemoData) -> None:
    """Posts the points of stays and reviews the tiers of the club at the ends of four months."""
    for day in REVIEWS:
        crm.run("loyalty post", as_of=day.isoformat())
        crm.run("tier review", scheme=CLUB, as_of=day.isoformat())


def check_demo(crm: Crm, data: DemoData) -> list[DemoCheck]:
    """Compares what crmkit found with what the generator knows; see :mod:`.verify`."""
    from .verify import checks

    return checks(crm, data)


DEMO = Demo(
    name="hotel",
    title="A chain of three hotels with three years of stays",
    generate=generate,
    history=live_through,
    commands=("preference learn", "preparation build"),
    lifecycles=("hotel.guest",),
    reports=("hotel.repeat-rate", "hotel.arrivals"),
    html="hotel.arrivals",
    verify=check_demo,
)
