"""A courier's day at a million waybills and eight times the scans, and a round that changes hands.

The day is the statuses of new scans and the list of ills, after the import. The history is written by
the database itself, as in :mod:`benchmarks.filling`; the new day comes through the import profile, whose
speed is measured elsewhere. ``python -m benchmarks.shipments`` takes the size.
"""

from __future__ import annotations

import argparse
import csv
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import crmkit
from crmkit.entities import CustomerRef
from crmkit.entities.transaction import COUNTER_BITS, EPOCH_MS, WRITER_BITS
from crmkit.workspace import Crm

from .filling import _now_ms
from .measure import Result, machine, seconds, show

DAYS, EACH = 60, 8
DAY0, AS_OF = "2026-01-31", "2026-03-31"
DAY_MS = 86_400_000
# Status and hours after the midnight of the day of collection.
WAY = (
    ("picked_up", 9), ("at_hub", 13), ("in_transit", 21), ("at_hub", 29), ("in_transit", 37),
    ("at_hub", 45), ("out_for_delivery", 56), ("delivered", 61),
)  # fmt: skip
LANES = 40
# One in fifty is delivered without a scan of its departure, and of two hundred one is never found.
SKIPPED, LOST = 50, 200
# Seconds: issue 8.
DAY_LIMIT, HANDOVER_LIMIT = 60.0, 2.0
SUBSCRIBERS, ROUNDS = 4_000, 20


def fill(crm: Crm, waybills: int) -> None:
    """Customers, waybills of sixty days, and their scans until the end of the 59th."""
    shift = WRITER_BITS + COUNTER_BITS
    # Each day was imported on its own day, as it is: new scans are then those of a day.
    start = (_now_ms() - (DAYS + 10) * DAY_MS - EPOCH_MS) << shift
    step = DAY_MS << shift
    hour = 3_600_000 << shift
    day = f"(i * {DAYS} / {waybills})"
    series = "(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < {} - 1) SELECT i FROM s)"
    way = ", ".join(f"({k}, '{status}', {hours})" for k, (status, hours) in enumerate(WAY))
    customers = max(1, waybills // 100)
    stamp = f"'{DAY0} 00:00:00.000000'"
    waybill = f"({start} + {step} * {day} + 1 + i)"
    made = [
        f"INSERT INTO tx (id, at, actor, command, source, first_id, last_id) SELECT {start} + {step} * i + {hour} * k, "
        f"{stamp}, 'bench', 'import', 'bench', {start} + {step} * i + {hour} * k + 1, "
        f"{start} + {step} * i + {hour} * k + {waybills * EACH} FROM {series.format(DAYS)} "
        "CROSS JOIN (SELECT 0 AS k UNION ALL SELECT 1) x",
        f"INSERT INTO customer (id, kind, created_at, updated_at, version, valid_from, tx) SELECT {start} - 10000000 + i, "
        f"'organisation', {stamp}, {stamp}, 1, {stamp}, {start} FROM {series.format(customers)}",
        "INSERT INTO delivery_waybill (id, source, ref, owner_id, waybill_no, product, scope, lane, depot, region, "
        "ordered_at, promise_at, late_after_at, promise_on, on_time_basis, valid_from, version, tx) SELECT "
        f"{waybill}, 'delivery', 'W' || i, {start} - 10000000 + i % {customers}, 'W' || i, 'economy', 'inter_city', "
        f"'L' || (i % {LANES}), 'D' || (i % 20), 'R' || (i % 5), "
        f"datetime('{DAY0}', '+' || {day} || ' days', '+7 hours') || '.000000', "
        f"datetime('{DAY0}', '+' || ({day} + 3) || ' days') || '.000000', "
        f"datetime('{DAY0}', '+' || ({day} + 3) || ' days') || '.000000', "
        f"date('{DAY0}', '+' || ({day} + 2) || ' days'), 'delivery', "
        f"datetime('{DAY0}', '+' || {day} || ' days', '+7 hours') || '.000000', 1, {start} + {step} * {day} "
        f"FROM {series.format(waybills - waybills // DAYS)}",
        # A scan's id was drawn on the day on which it happened.
        "INSERT INTO delivery_scan (id, source, ref, owner_id, sequence, event_at, code, status, place, valid_from, "
        f"version, tx) SELECT {start} + {step} * (d + h / 24) + {hour} + 1 + i * {EACH} + k, 'delivery', "
        f"'W' || i || '-' || k, w, k, at, s, s, 'D' || (i % 20), at, 1, {start} + {step} * (d + h / 24) + {hour} "
        f"FROM (SELECT i, {day} AS d, {waybill} AS w, k, s, h, datetime('{DAY0}', '+' || {day} || ' days', "
        f"'+' || h || ' hours', '+' || (i % 50) || ' minutes') || '.000000' AS at FROM {series.format(waybills - waybills // DAYS)} "
        f"CROSS JOIN (SELECT column1 AS k, column2 AS s, column3 AS h FROM (VALUES {way})) x) y "
        f"WHERE d + h / 24 < {DAYS - 1} AND NOT (i % {SKIPPED} = 7 AND k = 6) AND NOT (i % {LOST} = 11 AND k >= 5)",
    ]  # fmt: skip
    with closing(sqlite3.connect(str(crm.store.engine.url.database))) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        with connection:
            for statement in made:
                connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def write_day(path: Path, waybills: int) -> int:
    """The scans of the sixtieth day of waybills that were collected before; returns how many."""
    last = waybills - waybills // DAYS
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["scan", "waybill", "system", "code", "sequence", "event_at", "place"])
        for i in range(last - 3 * (waybills // DAYS), last):
            day = i * DAYS // waybills
            for k, (status, hours) in enumerate(WAY):
                missing = (i % SKIPPED == 7 and k == 6) or (i % LOST == 11 and k >= 5)
                if day + hours // 24 == DAYS - 1 and not missing:
                    at = f"{AS_OF}T{hours % 24:02d}:{i % 50:02d}:00Z"
                    writer.writerow([f"W{i}-{k}", f"W{i}", "crmkit", status, k, at, f"D{i % 20}"])
                    rows += 1
    return rows


def measured(waybills: int, folder: Path) -> dict[str, float]:
    """Seconds of each step for so many waybills."""
    took: dict[str, float] = {}
    with crmkit.init(folder, plugins=("delivery",)) as crm:
        took["fill"] = seconds(lambda: fill(crm, waybills))
        took["first snapshot"] = seconds(lambda: crm.warehouse.refresh())
        worked = time.process_time()
        took["full"] = seconds(lambda: crm.run("waybill recompute", full=True))
        took["full, processor"] = time.process_time() - worked
        took["snapshot of statuses"] = seconds(lambda: crm.warehouse.refresh())
        took["full again"] = seconds(lambda: crm.run("waybill recompute", full=True))
        rows = write_day(folder / "day.csv", waybills)
        took["import of a day"] = seconds(
            lambda: crm.import_file(folder / "day.csv", profile="delivery-scans")
        )
        took["rows of a day"] = rows
        took["snapshot of a day"] = seconds(lambda: crm.warehouse.refresh())
        took["statuses of a day"] = seconds(lambda: crm.run("waybill recompute"))
        took["snapshot after"] = seconds(lambda: crm.warehouse.refresh())
        took["ills"] = seconds(lambda: crm.reports.run("delivery.ills", {}, crm.as_of(AS_OF)))
    took["day"] = sum(
        took[name] for name in ("snapshot of a day", "statuses of a day", "snapshot after", "ills")
    )
    return took


def handover(folder: Path) -> float:
    """Seconds in which every subscriber of a courier passes to another, with letters, in one commit."""
    with crmkit.init(folder, plugins=("delivery",)) as crm:
        put = crm.store.records.put
        names = [f"R{number}" for number in range(ROUNDS)]
        since = datetime(2025, 1, 1, tzinfo=UTC)
        put("delivery.courier", source="bench", refs=["C1", "C2"], values={"code": ["C1", "C2"]})
        put("delivery.round", source="bench", refs=names, values={"code": names})
        put(
            "delivery.courier_assignment", source="bench", refs=names,
            values={"round": names, "courier": ["C1"] * ROUNDS, "starts_on": [date(2025, 1, 1)] * ROUNDS},
        )  # fmt: skip
        owners = [
            crm.store.customers.add(kind="person", refs=[CustomerRef("bench", f"S{number}")]).id
            for number in range(SUBSCRIBERS)
        ]
        put(
            "delivery.subscription", source="bench", owners=owners, effective=[since] * SUBSCRIBERS,
            refs=[f"S{number}" for number in range(SUBSCRIBERS)],
            values={
                "round": [names[number % ROUNDS] for number in range(SUBSCRIBERS)],
                "courier": ["C1"] * SUBSCRIBERS, "sequence_no": list(range(SUBSCRIBERS)),
                "quantity": [2] * SUBSCRIBERS, "started_on": [date(2025, 1, 1)] * SUBSCRIBERS,
            },
        )  # fmt: skip
        started = time.perf_counter()
        rows = crm.run("round handover", from_courier="C1", to="C2", leaving=True).rows
        took = time.perf_counter() - started
        passed = sum(row["subscribers"] for row in rows)
        if passed != SUBSCRIBERS:
            raise RuntimeError(f"{passed} of {SUBSCRIBERS} subscribers passed")
    return took


def run(waybills: int, folder: Path) -> list[Result]:
    """A day at full size, statuses from scratch at a tenth of it and at full size, and a hand-over."""
    small = measured(waybills // 10, folder / "tenth")
    large = measured(waybills, folder / "whole")
    passed = handover(folder / "round")
    for name, took in (("a tenth", small), ("whole", large)):
        print(f"{name}: " + ", ".join(f"{step} {value:,.1f}" for step, value in took.items()))
    return [
        Result(
            name=f"a day's statuses and ills after import, {waybills:,} waybills, limit",
            ours=large["day"], bare=DAY_LIMIT, unit="s", goal=1.0,
            at_most=True,
        ),
        Result(
            name="all statuses from scratch, processor time, a tenth of the scans",
            ours=large["full, processor"], bare=small["full, processor"], unit="s",
            goal=11.0, at_most=True,
        ),
        Result(
            name=f"{SUBSCRIBERS:,} subscribers of a courier change hands, limit",
            ours=passed, bare=HANDOVER_LIMIT, unit="s", goal=1.0,
            at_most=True,
        ),
    ]  # fmt: skip


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waybills", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    options = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        show(run(options.waybills, folder))


if __name__ == "__main__":
    main()
