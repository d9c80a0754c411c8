"""Rows to learn from: labels, moments, places and thinning, each on a few rows by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from crmkit.analysis.scores import dataset
from crmkit.analysis.scores.dataset import Dataset, month_ends, recorded
from crmkit.entities.asof import AsOf
from crmkit.errors import ConfigError

MAY, JUNE = date(2025, 5, 31), date(2025, 6, 30)


def people(*ids: int) -> pa.Table:
    return dataset._population_table(pa.array(ids, pa.int64()), AsOf.end_of(MAY, "UTC"))


def rows_of(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return sorted(zip(*(table.column(name).to_pylist() for name in names), strict=True))


def test_population_holds_each_subject_once_in_order() -> None:
    found = dataset._population_table(
        pa.array([3, 1, None, 3], pa.int64()), AsOf.end_of(MAY, "UTC")
    )
    assert found.column("subject_id").to_pylist() == [1, 3]
    assert found.column("as_of_on").to_pylist() == [MAY, MAY]
    # The end of a day is the instant at which the next one begins.
    assert found.column("as_of").to_pylist() == [datetime(2025, 6, 1)] * 2  # noqa: DTZ001


def test_of_several_labels_a_one_counts_before_null_and_null_before_nothing(leave: Any) -> None:
    given = [(1, 0), (1, 1), (2, None), (2, 0), (3, None), (3, 1), (4, 0), (5, None)]
    keys = pa.table({"subject_id": [who for who, _ in given]})
    labels = pa.chunked_array([pa.array([label for _, label in given], pa.int64())])
    found = dataset._labels(leave, keys, labels)
    expected = {1: 1, 2: None, 3: 1, 4: 0, 5: None}
    assert dict(zip(*found.to_pydict().values(), strict=True)) == expected
    # Without a label is who did not have the outcome; who has null is left out.
    held = dataset._labelled(people(1, 2, 3, 4, 5, 6), found)
    assert rows_of(held, "subject_id", "label") == [(1, 1), (3, 1), (4, 0), (6, 0)]


@pytest.mark.parametrize("odd", [-1, 2])
def test_label_beside_0_and_1_is_refused(leave: Any, odd: int) -> None:
    labels = pa.chunked_array([pa.array([0, odd, 1], pa.int64())])
    with pytest.raises(ConfigError, match=f"a label is 0, 1 or NULL, not {odd}"):
        dataset._labels(leave, pa.table({"subject_id": [1, 2, 3]}), labels)


def test_moment_is_the_first_of_a_subject_and_its_day_that_of_the_clock_on_the_wall() -> None:
    """23:30 UTC on 31 May is 1 June in Berlin; what occurred in the very moment is seen."""
    late = datetime(2025, 5, 31, 23, 30, tzinfo=UTC).replace(tzinfo=None)
    early = late.replace(hour=9)
    table = pa.table(
        {
            "subject_id": pa.array([2, 1, 1, 3], pa.int64()),
            "moment": pa.array([late, late, early, None], pa.timestamp("us")),
        }
    )
    found = dataset._moments_table(table, "Europe/Berlin")
    assert found.to_pylist() == [
        {"subject_id": 1, "as_of": early.replace(microsecond=1), "as_of_on": MAY},
        {"subject_id": 2, "as_of": late.replace(microsecond=1), "as_of_on": date(2025, 6, 1)},
    ]


def test_place_of_a_subject_is_its_last_and_who_has_none_is_left_out() -> None:
    subjects = pa.chunked_array([pa.array([1, 1, 2, 3], pa.int64())])
    places = pa.chunked_array([pa.array([5, 7, None, 0], pa.int64())])
    found = dataset._placed(people(1, 2, 3), subjects, places)
    assert rows_of(found, "subject_id", "position") == [(1, 7.0), (3, 0.0)]


def test_too_many_rows_are_thinned_by_subject_and_the_same_ones_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 2,000 rows of 1,000 subjects at most 600: every fourth subject or so, with both dates."""
    monkeypatch.setattr(dataset, "MAX_ROWS", 600)
    two = pa.concat_tables([people(*range(1000)), people(*range(1000))])
    found = dataset._thinned(two)
    ids = found.column("subject_id").to_pylist()
    kept = sorted(set(ids))
    assert sorted(ids) == sorted(kept * 2)
    # A quarter of 1,000, within four standard deviations of a fair draw: 4 * (1000 * 3/16) ** 0.5.
    assert abs(len(kept) - 250) < 55
    # Neither the parity of an id nor its place in the run decides.
    for share in (sum(i % 2 for i in kept), sum(i < 500 for i in kept)):
        assert abs(share / len(kept) - 0.5) < 0.13
    assert dataset._thinned(two).equals(found)
    monkeypatch.setattr(dataset, "MAX_ROWS", 2000)
    assert dataset._thinned(two) is two


def test_rows_between_two_days_hold_both_and_no_row_without_a_day() -> None:
    table = pa.table({"as_of_on": pa.array([MAY, JUNE, None], pa.date32()), "label": [0, 1, 1]})
    data = Dataset(table=table, dates=(MAY, JUNE), timed=True)
    assert data.between(MAY, JUNE).num_rows == data.between(None, None).num_rows == 2
    assert data.between(date(2025, 6, 1), None).column("label").to_pylist() == [1]
    assert data.between(None, date(2025, 6, 29)).column("label").to_pylist() == [0]
    assert (data.last.dates, data.last.table.num_rows) == ((JUNE,), 1)
    for other in ({"timed": False}, {"timed": True, "single": True}):
        whole = Dataset(table=table, dates=(MAY, JUNE), **other)
        assert whole.last is whole


def test_a_month_with_just_half_the_events_of_the_median_is_recorded() -> None:
    """Of 10, 20 and the last month the median is 10: five are half of it, four are not."""
    for events, last in ((5, date(2025, 3, 9)), (4, date(2025, 2, 28))):
        months = [
            (20, date(2025, 1, 2), date(2025, 1, 31)),
            (10, date(2025, 2, 1), date(2025, 2, 28)),
            (events, date(2025, 3, 1), date(2025, 3, 9)),
        ]
        assert recorded(months) == (date(2025, 1, 2), last)


def test_month_ends_are_included_on_both_sides() -> None:
    assert month_ends(MAY, JUNE) == [MAY, JUNE]
    assert month_ends(date(2025, 6, 1), date(2025, 6, 29)) == []
    assert month_ends(date(2024, 11, 30), date(2025, 1, 31)) == [
        date(2024, 11, 30),
        date(2024, 12, 31),
        date(2025, 1, 31),
    ]


def test_what_is_no_number_is_a_gap() -> None:
    table = pa.table({"a": [1.5, float("nan"), None], "b": ["x", "y", None]})
    assert dataset._without_nan(table).to_pydict() == {
        "a": [1.5, None, None],
        "b": ["x", "y", None],
    }
