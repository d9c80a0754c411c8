"""The text that COPY reads: the escapes are those of PostgreSQL's manual, chapter COPY."""

from __future__ import annotations

import datetime as dt
from itertools import repeat

from crmkit.store.copy_text import PART_ROWS, copy_texts


def test_each_row_is_a_line_of_cells_between_tabs():
    assert list(copy_texts([[1, 2], ["a", "b"], repeat("x")])) == ["1\ta\tx\n2\tb\tx\n"]


def test_tabs_line_ends_and_backslashes_are_escaped():
    (text,) = copy_texts([["a\tb", "c\nd", "e\rf", "g\\h", "\\N", "\\."]])
    assert text == "a\\tb\nc\\nd\ne\\rf\ng\\\\h\n\\\\N\n\\\\.\n"


def test_missing_is_not_the_empty_text():
    assert list(copy_texts([[None, ""], repeat(None), [1, 2]])) == ["\\N\t\\N\t1\n\t\\N\t2\n"]


def test_values_of_other_kinds_are_written_as_the_server_reads_them():
    moment = dt.datetime(2026, 3, 31, 12, 0, 5, 70)  # noqa: DTZ001
    row = [True, 1.5, 1e-07, dt.date(987, 3, 1), moment]
    (text,) = copy_texts([[value] for value in row])
    assert text == "True\t1.5\t1e-07\t0987-03-01\t2026-03-31 12:00:05.000070\n"


def test_an_escape_in_a_column_with_missing_values_is_found():
    assert list(copy_texts([[None, "a\tb"]])) == ["\\N\na\\tb\n"]


def test_rows_come_in_parts_and_none_is_lost():
    parts = list(copy_texts([list(range(2 * PART_ROWS + 1))]))
    assert [part.count("\n") for part in parts] == [PART_ROWS, PART_ROWS, 1]
    assert "".join(parts).split() == [str(i) for i in range(2 * PART_ROWS + 1)]


def test_no_rows_are_no_text():
    assert list(copy_texts([[], repeat(1)])) == []
