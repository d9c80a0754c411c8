"""Tables laid out in the width of a terminal."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from crmkit.entities.fields import FieldType
from crmkit.present.fitting import pieces, wrapped, wrapped_lines
from crmkit.present.grid import Column, Grid
from crmkit.present.tables import terminal_table

LONG = "usage changed by -63% against the three months before; calls not solved in 90 days: 2"


def grid(*columns: Column, rows: list[tuple[Any, ...]]) -> Grid:
    names = [c.name for c in columns]
    return Grid.of([dict(zip(names, row, strict=True)) for row in rows], columns)


def test_text_is_wrapped_between_words_and_aligned_below_its_heading() -> None:
    """Worked by hand: 10 cells, words of one, two, three and four letters."""
    assert wrapped("a bb ccc dddd a bb", 10) == ["a bb ccc", "dddd a bb"]


@pytest.mark.parametrize(
    "whole",
    ["+49 30 123456", "(030) 123 456", "1 234 567", "12.50 EUR", "-63%", "2026-03-31T12:00:00Z"],
)
def test_a_number_with_blanks_in_it_is_one_word(whole: str) -> None:
    assert whole in pieces(f"call {whole} now")


def test_chinese_text_is_broken_between_characters_and_its_numbers_are_not() -> None:
    lines = wrapped("账单比平时高出百分之五十，请在12345号之前解释", 20)
    assert all(cell_len(line) <= 20 for line in lines)
    assert "".join(lines) == "账单比平时高出百分之五十，请在12345号之前解释"
    assert any("12345" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_word_or_number_is_split(width: int) -> None:
    columns = (
        Column(name="ref"), Column(name="fee", type=FieldType.MONEY, currency="EUR"),
        Column(name="at", type=FieldType.DATE), Column(name="reasons", title="Why"),
    )  # fmt: skip
    made = grid(*columns, rows=[("C-1", "1,234,567.00 EUR", "2026-03-31", LONG)] * 3)
    lines, _ = terminal_table(made, width)
    assert max(map(cell_len, lines)) <= width
    words = " ".join(lines).split()
    for word in ("C-1", "1,234,567.00", *LONG.split()):
        assert word in words


def test_empty_columns_are_left_out_and_named() -> None:
    made = Grid.of([{"ref": "a", "team": None, "n": 0}, {"ref": "b", "team": None, "n": 2}])
    lines, layout = terminal_table(made, 80)
    assert lines[0].split() == ["ref", "n"]
    assert layout.empty == ("team",)


def test_columns_asked_for_are_shown_although_empty() -> None:
    made = Grid.of([{"ref": "a", "team": None}])
    lines, layout = terminal_table(made, 80, every_column=True)
    assert lines[0].split() == ["ref", "team"]
    assert layout.empty == layout.dropped == ()


def test_without_rows_every_heading_stays() -> None:
    lines, layout = terminal_table(Grid.of([], ["ref", "team"]), 80)
    assert lines[0].split() == ["ref", "team"]
    assert not layout.empty


def test_detail_goes_first_then_from_the_right_and_prose_last() -> None:
    """20 + 2 + 20 + 2 + 20 + 2 + 28 cells are 94: one column of 20 is too many for 80."""
    names = ("ref", "minor", "other", "reasons")
    columns = tuple(Column(name=n, detail=n == "minor") for n in names)
    row = ("r" * 20, "m" * 20, "o" * 20, LONG)
    _, layout = terminal_table(grid(*columns, rows=[row]), 80)
    assert layout.dropped == ("minor",)
    plain = tuple(Column(name=n) for n in names)
    _, layout = terminal_table(grid(*plain, rows=[row]), 80)
    assert layout.dropped == ("other",)


def test_columns_asked_for_that_no_terminal_can_show_become_a_field_a_line() -> None:
    made = Grid.of([{f"c{i}": "x" * 20 for i in range(6)}])
    lines, layout = terminal_table(made, 80, every_column=True)
    assert lines == [f"c{i}  {'x' * 20}" for i in range(6)]
    assert not layout.fits


def test_a_heading_breaks_at_underscores_before_a_number_takes_its_width() -> None:
    made = Grid.of([{"opening_balance_minor": 5, "x": "y"}])
    lines, _ = terminal_table(made, 80)
    assert [line.split()[0] for line in lines[:3]] == ["opening_", "balance_", "minor"]


def test_states_have_colours_only_where_asked_and_free_text_never() -> None:
    made = Grid.of([{"state": "overdue", "note": "overdue"}])
    assert "\x1b" not in "".join(terminal_table(made, 80)[0])
    row = terminal_table(made, 80, colour=True)[0][-1]
    assert row == "\x1b[31moverdue\x1b[0m  overdue"


def test_running_text_is_wrapped_below_its_indent() -> None:
    assert wrapped_lines("  one two three four", 14) == ["  one two", "      three", "      four"]
    assert wrapped_lines("short", 14) == ["short"]
