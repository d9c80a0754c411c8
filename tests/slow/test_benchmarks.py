"""The benchmarks run; small, so that their ratios mean nothing here, but both sides agree."""

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

pytestmark = pytest.mark.slow


def test_start_up_is_measured_for_each_command():
    results = startup.run(runs=1)
    assert len(results) == len(startup.GOALS)
    assert all(result.ratio > 0 for result in results)


def test_both_imports_store_the_same_rows(tmp_path):
    """run() itself compares the tables that the two sides filled."""
    results, taken = import_.run(2_000, tmp_path)
    assert len(results) == 2
    assert taken > 0


def test_a_changed_copy_is_imported_again(tmp_path):
    """run() itself compares the counts of both imports, and on PostgreSQL the tables."""
    results = import_databases.run(2_000, tmp_path)
    assert len(results) in (2, 5)  # without and with PostgreSQL's server programs
    assert all(result.ratio > 0 for result in results)


def test_hooks_are_measured():
    (result,) = hooks.run(10.0, rows=20_000, plugins=3)
    assert 0 < result.ratio < 1


def test_both_feature_builds_give_the_same_values(tmp_path):
    """run() itself compares every value; two fifths of the bills have an overage, some are unpaid."""
    (result,) = features.run(4_000, tmp_path, runs=1)
    assert result.ratio > 0


def test_both_snapshots_hold_the_same_rows(tmp_path):
    """run() itself compares the files of the two sides, and verifies after the increments."""
    results = snapshot.run(20_000, tmp_path, runs=1)
    assert len(results) in (2, 4)  # without and with PostgreSQL's server programs
    assert all(result.ratio > 0 for result in results)


def test_both_sides_of_reports_give_the_same_rows(tmp_path):
    """run() itself compares them."""
    results = reports.run(20_000, tmp_path, runs=1)
    assert [result.ratio > 0 for result in results] == [True, True]


def test_views_and_searches_are_measured(tmp_path):
    """run() itself sees that every fragment is found, two-character Chinese names among them."""
    results = customers.run(5_000, tmp_path, views=5)
    assert all(result.ratio > 0 for result in results)


def test_generated_files_answer_as_a_filled_store_does(tmp_path):
    through = scale.measure(20_000, tmp_path, runs=1)
    assert list(through.steps)[:2] == ["snapshot", "increment of 1 %"]
    straight = scale.measure(20_000, tmp_path, runs=1, through=0)
    assert list(straight.steps) == list(through.steps)[2:]


def test_a_card_and_the_query_by_hand_agree_on_every_row(tmp_path):
    """run() itself compares them; the file has missing values and special codes."""
    (result,) = portfolio.run(20_000, tmp_path, runs=1)
    assert result.ratio > 0


def test_the_couriers_day_and_the_round_are_measured(tmp_path):
    """run() itself counts the subscribers that passed."""
    results = shipments.run(6_000, tmp_path)
    assert len(results) == 3
    assert all(result.ratio > 0 for result in results)
