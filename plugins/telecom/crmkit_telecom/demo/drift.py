"""A change of habit that is planted on purpose, so that what looks for changes can be judged."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

from attrs import frozen

from .ledger import Ledger, customer_ref
from .world import CITIES, World

FILE = "drift.csv"
COLUMNS = ("customer_ref", "occurred_on")


@frozen
class Drift:
    """From a day on everybody of a region who complains does so again the next day.

    Nobody leaves for it: what it changes is the number of complaints and nothing else.
    """

    region: str
    from_on: date

    def plant(self, world: World, ledger: Ledger) -> list[tuple[str, date]]:
        """Adds the second complaints; returns who made one, and when, in order of day."""
        planted = []
        for event in list(ledger.events):
            again = event["occurred_on"] + timedelta(days=1)
            customer = event["customer"]
            if (
                event["kind"] == "complaint"
                and event["occurred_on"] >= self.from_on
                and CITIES[world.city[customer]][1] == self.region
            ):
                values = {k: v for k, v in event.items() if k not in ("kind", "customer", "occurred_on")}  # fmt: skip
                ledger.event("complaint", customer, again, **values)
                planted.append((customer_ref(customer), again))
        return sorted(planted, key=lambda one: (one[1], one[0]))


def write_drift(folder: Path, planted: list[tuple[str, date]]) -> None:
    """Writes the truth of a drift beside the other truth."""
    with (folder / FILE).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((ref, on.isoformat()) for ref, on in planted)
