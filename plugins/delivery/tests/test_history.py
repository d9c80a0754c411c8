"""Reports of the demo: each has rows, and as of a past day says what it said on that day."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmkit.testing.clock import SettableClock
from crmkit_delivery.demo import generate
from crmkit_delivery.demo.calendar import AS_OF, PLANT_FROM

DAYS = (date(2026, 1, 31), date(2026, 2, 28), AS_OF)
# Which column of a file says when its row was known.
KNOWN = {
    "waybills": "ordered_at", "scans": "event_at", "events": "occurred_at", "rounds": "occurred_at",
    "drops": "occurred_at", "bills": "billed_on", "courier-days": "day",
}  # fmt: skip
# Before these days the demo has nothing of the kind: ills are planted from March on, couriers' days are
# kept for a month.
FROM = {"delivery.ills": PLANT_FROM, "delivery.courier-settlement": AS_OF - timedelta(days=29)}


def split(file: Path, column: str, folder: Path) -> list[Path]:
    """The rows of a file by the day of DAYS by whose end they were known, a file for each."""
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        rows, names = list(reader), reader.fieldnames or []
    out, before = [], ""
    for day in DAYS:
        end = (day + timedelta(days=1)).isoformat()
        part = folder / f"{file.stem}-{day}.csv"
        with part.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, names)
            writer.writeheader()
            writer.writerows(row for row in rows if before <= row[column] < end)
        out.append(part)
        before = end
    return out


def every_report(crm: Any, day: date) -> dict[str, list[dict[str, Any]]]:
    return {
        name: crm.reports.run(name, {}, crm.as_of(day.isoformat())).table.to_pylist()
        for name in sorted(crm.catalog.reports)
        if name.startswith("delivery.")
    }


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, fresh: Any) -> Iterator[Any]:
    """The demo, lived through: what was known by each of three days, asked on its evening.

    In between a round is handed over, subscribers pause and resume, and a scan is voided.
    """
    folder = tmp_path_factory.mktemp("history")
    data = generate(folder / "files", 90, 3)
    parts = {
        file: split(file.path, KNOWN.get(file.path.stem, "as_of"), folder) for file in data.files
    }
    clock = SettableClock(datetime(2025, 12, 1, tzinfo=UTC))
    said = {}
    with fresh(folder / "w", clock=clock) as crm:
        for number, day in enumerate(DAYS):
            clock.set(datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC))
            for file, days in parts.items():
                done = crm.import_file(days[number], profile=file.profile)
                # A row of a day before that on which somebody changed the subscription by hand.
                assert {code for code, *_ in done.reasons} <= {"E_STALE"}
            crm.run("waybill recompute")
            clock.advance(minutes=2)
            said[day] = every_report(crm, day)
            clock.advance(days=3)
            acts(crm, number)
        yield crm, said


def acts(crm: Any, number: int) -> None:
    """What people do some days after each evening."""
    here = [
        ref for ref, ended in crm.store.records.read("delivery.subscription", ("ref", "ended_on"))
        if ended is None
    ]  # fmt: skip
    first, second = min(here), max(here)
    if number == 0:
        crm.run("round handover", from_courier="C01", to="C00")
        crm.run("round pause", subscription=first)
    elif number == 1:
        crm.run("round resume", subscription=first)
        crm.run("round pause", subscription=second)
        scans = crm.store.records.list("delivery.scan", where={"status": "delivered"})
        voided = min(scans, key=lambda scan: scan.values["event_at"])
        crm.run("waybill void", scan=voided.ref, reason="scanned the wrong parcel")


@pytest.mark.parametrize("day", DAYS)
def test_a_report_of_a_past_day_says_what_it_said_then(history: Any, day: date) -> None:
    crm, said = history
    now = every_report(crm, day)
    assert {name for name, rows in now.items() if rows != said[day][name]} == set()


@pytest.mark.parametrize("day", DAYS)
def test_every_report_of_the_demo_has_rows(history: Any, day: date) -> None:
    _, said = history
    empty = {name for name, rows in said[day].items() if not rows}
    assert empty == {name for name, first in FROM.items() if day < first}


def test_reports_change_from_day_to_day(history: Any) -> None:
    _, said = history
    first, *_, last = DAYS
    same = {name for name in said[first] if said[first][name] == said[last][name]}
    assert same == {"delivery.receivables"}
