"""A backtest on the generated operator reports the planted drift exactly, counted from the files."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmkit.declarations import Rule
from crmkit.workspace import init_workspace
from crmkit_telecom.demo import generate
from crmkit_telecom.demo.drift import FILE, Drift

DRIFT = Drift(region="North", from_on=date(2026, 2, 1))
DATES = [date(2025, 12, 31) + timedelta(days=30 * n) for n in range(5)]
AGAIN = (
    "SELECT DISTINCT subject_id, as_of, 1 AS label FROM telecom_complaint "
    "WHERE days_after > 0 AND days_after <= 30"
)
RULE = Rule(
    name="telecom.complains-again", when="telecom_complaints_90d >= 2", action="list",
    target="call", message="complained {telecom_complaints_90d} times",
)  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """A workspace with 600 customers, and the folder of the files it was made from."""
    folder = tmp_path_factory.mktemp("operator")
    made = generate(folder / "files", 600, 11, drift=DRIFT)
    crm = init_workspace(
        folder / "crm", plugins=("telecom",), clock=lambda: datetime(2026, 7, 1, tzinfo=UTC)
    )
    for file in made.files:
        if file.path.name in ("customers.csv", "plans.csv", "subscriptions.csv", "events.csv"):
            crm.import_file(file.path, profile=file.profile)
    yield crm, folder / "files"
    crm.close()


def complaints(files: Path) -> dict[str, list[date]]:
    """Days of complaints by customer, from the files alone."""
    found: dict[str, list[date]] = defaultdict(list)
    for row in rows(files / "events.csv"):
        if row["kind"] == "complaint":
            found[row["customer"]].append(date.fromisoformat(row["occurred_on"]))
    return found


def test_backtest_reports_the_planted_drift_exactly(operator: tuple[Any, Path]) -> None:
    crm, files = operator
    found = crm.backtests.run(RULE, DATES[0], DATES[-1], every=30, outcome=AGAIN, within_days=30)
    days = complaints(files)
    ref_of = {crm.store.customers.find(ref).id: ref for ref in days}
    fired: dict[date, set[str]] = {day: set() for day in DATES}
    for row in found.firings.to_pylist():
        fired[row["as_of_on"]].add(ref_of[row["subject_id"]])
    hits = 0
    for day in DATES:
        window = {
            ref: [d for d in on if 0 <= (day - d).days < 90] for ref, on in days.items()
        }  # fmt: skip
        expected = {ref for ref, on in window.items() if len(on) >= 2}
        assert fired[day] == expected, day
        hits += sum(1 for ref in expected if any(0 < (d - day).days <= 30 for d in days[ref]))
    (summary,) = found.summary
    assert summary["firings"] == summary["judged"] == sum(map(len, fired.values())) > 20
    assert summary["hits"] == hits > 0
    assert summary["precision"] == hits / summary["firings"]


def test_every_planted_complaint_is_fired_on_from_its_day(operator: tuple[Any, Path]) -> None:
    crm, files = operator
    planted = [
        (r["customer_ref"], date.fromisoformat(r["occurred_on"])) for r in rows(files / FILE)
    ]
    assert len(planted) > 10 and min(on for _, on in planted) > DRIFT.from_on
    # Without the drift fewer would have fired: by those whom only their second complaint counts.
    found = crm.backtests.run(RULE, DATES[0], DATES[-1], every=30)
    days = complaints(files)
    first_only = {ref: list(on) for ref, on in days.items()}
    for ref, on in planted:
        if on in first_only.get(ref, ()):
            first_only[ref].remove(on)
    per_date = {row["as_of_on"]: row["fired"] for row in found.dates}
    for day in DATES:
        without = sum(
            1 for on in first_only.values() if sum(0 <= (day - d).days < 90 for d in on) >= 2
        )
        caught = {ref for ref, on in planted if 0 <= (day - on).days < 90}
        fired = {r["subject_id"] for r in found.firings.to_pylist() if r["as_of_on"] == day}
        assert {crm.store.customers.find(ref).id for ref in caught} <= fired
        assert (per_date[day] > without) is bool(caught)


def test_a_generator_without_drift_plants_none(operator: tuple[Any, Path], tmp_path: Path) -> None:
    _, files = operator
    generate(tmp_path, 600, 11)
    assert not (tmp_path / FILE).exists()
    planted = len(rows(files / FILE))
    both = [sum(map(len, complaints(folder).values())) for folder in (files, tmp_path)]
    shown = sum(
        1 for r in rows(files / FILE) if date.fromisoformat(r["occurred_on"]) <= date(2026, 6, 30)
    )
    assert both[0] - both[1] == shown <= planted
