"""The arrivals sheet of a house: 200 arrivals out of 200,000 guests, after the snapshot.

There is no other side to compare with: the sheet is for a desk where somebody waits, so it has a time
of its own (issue 7: two seconds).
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import crmkit
from crmkit.workspace import Crm

from .measure import Result, machine, middle, seconds, show

ON = date(2026, 3, 31)
ARRIVALS = 200
LIMIT_SECONDS = 2.0
BATCH = 10_000
LIKES = (
    ("PIL_TYPE", ("down", "feather", "latex")), ("VIEW", ("sea", "city", "garden")),
    ("BREAKFAST_TIME", ("06:30", "07:30", "08:30")),
)  # fmt: skip


def fill(crm: Crm, guests: int, folder: Path) -> None:
    """Guests with a past stay and three preferences each; the first ones arrive tomorrow."""
    path = folder / "guests.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["guest", "name", "phone", "email", "birth_date", "home_market", "loyalty_no", "privacy_level", "vip_level", "marketing_consent", "occasion_consent"])  # fmt: skip
        for i in range(guests):
            writer.writerow([f"G{i}", f"Guest {i}", f"+43660{i:07d}", f"g{i}@example.com", date(1950, 1, 1) + timedelta(days=i % 20000), "AT", f"L{i}", "normal", "none", "yes", "yes"])  # fmt: skip
    crm.import_file(path, profile="hotel-guests")
    with crm.store.read() as connection:
        table = crm.store.tables["customer_ref"].c
        ids = {ref: i for ref, i in connection.execute(table.ref.table.select().with_only_columns(table.ref, table.customer_id))}  # fmt: skip
    people = [ids[f"G{i}"] for i in range(guests)]
    since = datetime(2026, 1, 1, tzinfo=UTC)
    for start in range(0, guests, BATCH):
        part = range(start, min(start + BATCH, guests))
        _put(
            crm,
            people,
            part,
            since,
            "P",
            "checked_out",
            lambda i: ON - timedelta(days=30 + i % 900),
        )
    _put(crm, people, range(min(ARRIVALS, guests)), since, "A", "confirmed", lambda _: ON + timedelta(days=1))  # fmt: skip
    for n, (code, values) in enumerate(LIKES):
        for start in range(0, guests, BATCH):
            part = range(start, min(start + BATCH, guests))
            size = len(part)
            crm.store.records.put(
                "hotel.preference", source="bench", refs=[f"{i}-{n}" for i in part],
                owners=[people[i] for i in part], effective=[since] * size,
                values={
                    "code": [code] * size, "value": [values[i % 3] for i in part],
                    "mode": ["declared"] * size, "status": ["declared"] * size,
                    "purpose": ["any"] * size, "scope": ["chain"] * size,
                    "weight_for": [4.0] * size, "weight_against": [0.0] * size,
                    "weighed_on": [ON] * size, "fades": [True] * size,
                    "fresh_until": [ON + timedelta(days=700)] * size,
                },
            )  # fmt: skip


def _put(
    crm: Crm, people: list[int], part: range, since: datetime, prefix: str, status: str, day: Any
) -> None:
    size = len(part)
    arrivals = [day(i) for i in part]
    booked = crm.store.records.put(
        "hotel.reservation", source="bench", refs=[f"{prefix}{i}" for i in part],
        owners=[people[i] for i in part], effective=[since] * size,
        values={
            "property": [("HER", "MON", "CIT")[i % 3] for i in part], "status": [status] * size,
            "arrival_on": arrivals, "departure_on": [d + timedelta(days=2) for d in arrivals],
            "purpose": [("business", "leisure")[i % 2] for i in part],
        },
    )  # fmt: skip
    if status == "checked_out":
        crm.store.records.put(
            "hotel.stay", source="bench", refs=[f"S{i}" for i in part],
            owners=booked.ids, effective=[since] * size,
            values={
                "checked_in_on": arrivals, "nights": [2] * size,
                "checked_out_on": [d + timedelta(days=2) for d in arrivals],
            },
        )  # fmt: skip


def run(guests: int, folder: Path, runs: int = 5) -> list[Result]:
    """Fills a store, takes its snapshot and asks for the sheet of tomorrow."""
    place = folder / "arrivals"
    shutil.rmtree(place, ignore_errors=True)
    with crmkit.init(place, plugins=("hotel",)) as crm:
        fill(crm, guests, folder)
        crm.warehouse.refresh()
        as_of = crm.as_of(ON.isoformat())
        found = crm.reports.run("hotel.arrivals", as_of=as_of).table
        arrived = set(found.column("reservation_id").to_pylist())
        assert len(arrived) == min(ARRIVALS, guests), len(arrived)
        took = middle(
            seconds(lambda: crm.reports.run("hotel.arrivals", as_of=as_of)) for _ in range(runs)
        )
    shutil.rmtree(place)
    return [
        Result(
            name=f"arrivals sheet of {ARRIVALS} arrivals out of {guests:,} guests, of its limit",
            ours=took * 1000, bare=LIMIT_SECONDS * 1000, unit="ms", goal=1.0, at_most=True,
        )
    ]  # fmt: skip


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--guests", type=int, default=200_000)
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        show(run(options.guests, folder))


if __name__ == "__main__":
    main()
