"""The benchmarks run, small, so that their ratios say nothing here.

What can fail is inside: each run compares what the two sides stored or answered.
"""

from __future__ import annotations

import pytest

from benchmarks import (
    customers,
    features,
    hooks,
    import_,
    import_databases,
    portfolio,
    reports,
    scale,
    shipments,
    snapshot,
    startup,
)
from benchmarks.measure import Result, show

pytestmark = pytest.mark.slow


def test_a_goal_is_missed_above_a_most_and_below_a_least(capsys):
    def result(**values):
        return Result(name="n", unit="ms", bare=10.0, **values)

    assert result(ours=12.0, goal=1.2, at_most=True).reached
    assert not result(ours=12.1, goal=1.2, at_most=True).reached
    assert result(ours=8.0, goal=0.8, at_most=False).reached
    assert not result(ours=7.9, goal=0.8, at_most=False).reached
    show([result(ours=7.9, goal=0.8, at_most=False)])
    assert "| 7.9 ms | 10 ms | 0.79 | ≥ 0.8 (missed) |" in capsys.readouterr().out


def test_start_up_is_measured_for_each_command():
    assert len(startup.run(runs=1)) == len(startup.GOALS)


def test_both_imports_store_the_same_rows(tmp_path):
    """run() itself compares the tables that the two sides filled."""
    results, _ = import_.run(2_000, tmp_path)
    assert len(results) == 2


def test_a_changed_copy_is_imported_again(tmp_path):
    """run() itself compares the counts of both imports, and on PostgreSQL the tables."""
    results = import_databases.run(2_000, tmp_path)
    assert len(results) in (2, 5)  # without and with PostgreSQL's server programs


def test_hooks_are_measured():
    (result,) = hooks.run(10.0, rows=20_000, plugins=3)
    assert 0 < result.ratio < 1


def test_both_feature_builds_give_the_same_values(tmp_path):
    """run() itself compares every value; two fifths of the bills have an overage, some are unpaid."""
    assert len(features.run(4_000, tmp_path, runs=1)) == 1


def test_both_snapshots_hold_the_same_rows(tmp_path):
    """run() itself compares the files of the two sides, and verifies after the increments."""
    results = snapshot.run(20_000, tmp_path, runs=1)
    assert len(results) in (2, 4)  # without and with PostgreSQL's server programs


def test_both_sides_of_reports_give_the_same_rows(tmp_path):
    """run() itself compares them."""
    assert len(reports.run(20_000, tmp_path, runs=1)) == 2


def test_views_and_searches_are_measured(tmp_path):
    """run() itself sees that every fragment is found, two-character Chinese names among them."""
    assert {r.unit for r in customers.run(5_000, tmp_path, views=5)} == {"ms", "s"}


def test_generated_files_answer_as_a_filled_store_does(tmp_path):
    through = scale.measure(20_000, tmp_path, runs=1)
    assert list(through.steps)[:2] == ["snapshot", "increment of 1 %"]
    straight = scale.measure(20_000, tmp_path, runs=1, through=0)
    assert list(straight.steps) == list(through.steps)[2:]


def test_a_card_and_the_query_by_hand_agree_on_every_row(tmp_path):
    """run() itself compares them; the file has missing values and special codes."""
    assert len(portfolio.run(20_000, tmp_path, runs=1)) == 1


def test_the_couriers_day_and_the_round_are_measured(tmp_path):
    """run() itself counts the subscribers that passed."""
    assert len(shipments.run(6_000, tmp_path)) == 3
