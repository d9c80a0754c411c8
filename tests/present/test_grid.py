"""Rows as one shape, from dictionaries or from Arrow."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from crmkit.entities.fields import FieldType
from crmkit.entities.money import Money
from crmkit.errors import NotFound
from crmkit.present.grid import Column, Grid

ROWS = [{"name": "b", "n": 2}, {"name": None, "n": 3}, {"name": "a", "n": None}]


@pytest.fixture(params=["dictionaries", "arrow"])
def grid(request: pytest.FixtureRequest) -> Grid:
    return Grid.of(ROWS if request.param == "dictionaries" else pa.Table.from_pylist(ROWS))


def test_rows_come_in_order(grid: Grid) -> None:
    assert list(grid.rows()) == [("b", 2), (None, 3), ("a", None)]
    assert len(grid) == 3


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (["name"], ["a", "b", None]),
        (["-name"], ["b", "a", None]),
        (["n"], ["b", None, "a"]),
        (["-n"], [None, "b", "a"]),
    ],
)
def test_missing_values_come_last_either_way(grid: Grid, sort: list[str], names: list[str]) -> None:
    assert [row[0] for row in grid.sort(sort).rows()] == names


def test_a_later_key_decides_among_equals() -> None:
    rows = [{"a": 1, "b": 1}, {"a": 2, "b": 9}, {"a": 1, "b": 3}]
    wanted = [(1, 3), (1, 1), (2, 9)]
    for source in (rows, pa.Table.from_pylist(rows)):
        assert list(Grid.of(source).sort(["a", "-b"]).rows()) == wanted


def test_select_and_head(grid: Grid) -> None:
    assert list(grid.select(["n", "name"]).head(1).rows()) == [(2, "b")]


def test_an_unknown_column_names_the_near_one(grid: Grid) -> None:
    with pytest.raises(NotFound, match="Did you mean name") as caught:
        grid.select(["nane"])
    assert caught.value.known == ["n", "name"]
    with pytest.raises(NotFound, match="column 'x'"):
        grid.sort(["-x"])


def test_no_row_still_has_its_columns() -> None:
    assert Grid.of([], ["a", "b"]).names == ["a", "b"]
    assert Grid.of([], ["a"]).to_arrow().column_names == ["a"]


def test_keys_that_appear_later_are_missing_earlier() -> None:
    assert list(Grid.of([{"a": 1}, {"b": 2}]).rows()) == [(1, None), (None, 2)]


def test_money_stays_exact_in_arrow() -> None:
    # 2**63 - 1 minor units have 19 digits; a double keeps about 16.
    rows = [{"m": Money(9223372036854775807, "USD")}, {"m": None}]
    assert Grid.of(rows).to_arrow()["m"].to_pylist() == [Decimal("92233720368547758.07"), None]


def test_declared_types_hold_where_every_value_is_missing() -> None:
    grid = Grid.of([{"n": None}], [Column(name="n", type=FieldType.INTEGER)])
    assert grid.to_arrow()["n"].type == pa.int64()


def test_a_column_of_mixed_kinds_becomes_text() -> None:
    assert Grid.of([{"v": 1}, {"v": "x"}]).to_arrow()["v"].to_pylist() == ["1", "x"]


def test_many_rows_come_in_batches_without_loss() -> None:
    table = pa.table({"n": pa.array(range(25_001))})
    assert [row[0] for row in Grid.of(table).rows()] == list(range(25_001))
