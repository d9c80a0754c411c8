"""The survival of stays in a stage, by hand and on public data."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import crmkit
from crmkit.analysis.reports import Reports
from crmkit.declarations import StageMove
from crmkit.entities.asof import AsOf
from crmkit.workspace import Crm, init_workspace

END = date(2026, 3, 31)


def log(crm: Crm, stays: Iterable[tuple[int, bool]]) -> None:
    """One customer a stay in growth: its length in days up to 31 March, and whether it ended then."""
    stays = list(stays)
    with crm.store.begin("test") as tx:
        ids = [crm.store.customers.add(tx=tx).id for _ in stays]
    moves: dict[tuple[str | None, str], tuple[list[StageMove], dict[int, datetime]]] = {}
    for who, (days, ended) in zip(ids, stays, strict=True):
        # Ended stays end a day before the as-of, so that no end of theirs is a stay of no days.
        last = END - timedelta(days=1 if ended else 0)
        steps = [(None, "growth", last - timedelta(days=days))]
        if ended:
            steps.append(("growth", "termination", last))
        for left, entered, on in steps:
            found, at = moves.setdefault((left, entered), ([], {}))
            found.append(
                StageMove(lifecycle="core.customer", subject_type="customer", subject_id=who,
                          from_stage=left, to_stage=entered)
            )  # fmt: skip
            at[who] = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    for made, at in moves.values():
        crm.store.stages.move(made, at=at)


@pytest.fixture
def crm(tmp_path: Path) -> Any:
    with init_workspace(tmp_path / "shop", clock=lambda: datetime(2026, 4, 1, tzinfo=UTC)) as made:
        yield made


def curve(crm: Crm) -> list[dict[str, Any]]:
    reports: Reports = crm.reports
    result = reports.run("core.stage-survival", {"stage": "growth"}, AsOf.end_of(END, "UTC"))
    rows: list[dict[str, Any]] = result.table.to_pylist()
    return rows


def test_survival_is_the_product_of_what_remains_worked_by_hand(crm: Crm) -> None:
    log(crm, [(10, True), (10, False), (20, True), (30, True), (30, False), (40, False)])
    rows = curve(crm)
    # Six at risk on day 10, one leaves: 5/6. Four on day 20, one: 5/6 * 3/4. Three on day 30: * 2/3.
    assert [(r["days"], r["at_risk"], r["ended"]) for r in rows] == [
        (10, 6, 1), (20, 4, 1), (30, 3, 1), (40, 1, 0),
    ]  # fmt: skip
    expected = [5 / 6, 5 / 6 * 3 / 4, 5 / 6 * 3 / 4 * 2 / 3, 5 / 6 * 3 / 4 * 2 / 3]
    assert [r["survival"] for r in rows] == pytest.approx(expected)
    # Greenwood on log(-log S). Day 10: variance 1 / (6 * 5), ln S = -0.18232, so that the limits are
    # S ^ exp(+-1.96 * 0.18257 / 0.18232). Day 20: 1 / 30 + 1 / (4 * 3), ln S = -0.47000.
    limits = [(r["survival_low"], r["survival_high"]) for r in rows[:2]]
    assert limits == [
        pytest.approx((0.2731, 0.9747), abs=5e-5), pytest.approx((0.1418, 0.8931), abs=5e-5),
    ]  # fmt: skip


def test_each_part_has_its_own_curve_which_ends_at_nothing() -> None:
    """Ten stays in a: 2 of 10 end after a day, 1 of 6 after two and the last 3 after five.

    Of b all end at once; of c none of five after a day, and all the other five after two.
    """
    counted = [
        ("a", 1, 4, 2),
        ("a", 2, 3, 1),
        ("a", 5, 3, 3),
        ("b", 1, 2, 2),
        ("c", 1, 5, 0),
        ("c", 2, 5, 5),
    ]
    given = ", ".join(map(str, counted))
    text = (Path(crmkit.__file__).parent / "survival.sql").read_text(encoding="utf-8")
    found = duckdb.sql(
        f"WITH counted(part, duration, stays, ended) AS (VALUES {given}), {text} "
        "SELECT part, duration, at_risk, extinct, log_survival, greenwood FROM curve ORDER BY 1, 2"
    ).fetchall()
    eighty, two_thirds = math.log(8 / 10), math.log(8 / 10 * 5 / 6)
    assert [tuple(row[:4]) for row in found] == [
        ("a", 1, 10, 0),
        ("a", 2, 6, 0),
        ("a", 5, 3, 1),
        ("b", 1, 2, 1),
        ("c", 1, 10, 0),
        ("c", 2, 5, 1),
    ]
    assert [row[4] for row in found] == pytest.approx([eighty, two_thirds, two_thirds, 0, 0, 0])
    first = 2 / (10 * 8)
    second = first + 1 / (6 * 5)
    assert [row[5] for row in found] == pytest.approx([first, second, second, 0, 0, 0])


def test_survival_is_the_textbook_product_over_the_tenures_of_the_ibm_sample(
    crm: Crm, shared_data: Path
) -> None:
    """Day by day in plain Python, with the variance of Greenwood 1926 on the log-log scale."""
    file = shared_data / "telco_ibm" / "telco_churn.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        stays = [(int(row["tenure"]), row["Churn"] == "Yes") for row in csv.DictReader(lines)][::4]
    log(crm, stays)
    rows = {row["days"]: row for row in curve(crm)}
    assert set(rows) == {days for days, _ in stays} and len(rows) > 60
    survival, variance = 1.0, 0.0
    for day in sorted(rows):
        at_risk = sum(1 for days, _ in stays if days >= day)
        left = sum(1 for days, ended in stays if days == day and ended)
        survival *= 1 - left / at_risk
        variance += left / (at_risk * (at_risk - left))
        row = rows[day]
        assert (row["at_risk"], row["ended"]) == (at_risk, left)
        assert row["survival"] == pytest.approx(survival, rel=1e-9)
        if survival < 1:
            spread = 1.96 * math.sqrt(variance) / abs(math.log(survival))
            bounds = [survival ** math.exp(sign * spread) for sign in (1, -1)]
            assert [row["survival_low"], row["survival_high"]] == pytest.approx(bounds, rel=1e-9)
