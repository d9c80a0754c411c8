"""Tables in pipes and terminals."""

from __future__ import annotations

from rich.cells import cell_len

from crmkit.entities.fields import FieldType
from crmkit.present.grid import Column, Grid
from crmkit.present.tables import plain_table, terminal_table


def test_a_piped_table_is_aligned_and_cuts_nothing() -> None:
    grid = Grid.of([{"ref": "a", "n": 5, "text": "x" * 300}, {"ref": "bb", "n": 12, "text": "y"}])
    assert list(plain_table(grid)) == [
        "ref   n  text",
        "---  --  " + "-" * 300,
        "a     5  " + "x" * 300,
        "bb   12  y",
    ]


def test_chinese_text_takes_two_cells_and_stays_aligned() -> None:
    grid = Grid.of([{"name": "李小龙", "n": "x"}, {"name": "Ann", "n": "y"}])
    lines = list(plain_table(grid))
    assert cell_len(lines[2].rpartition("x")[0]) == cell_len(lines[3].rpartition("y")[0]) == 8


def test_headings_carry_title_unit_and_currency_in_the_language_asked_for() -> None:
    columns = [
        Column(name="t", type=FieldType.INTEGER, unit="month", title="Tenure", title_zh="在网时长"),
        Column(name="loss", type=FieldType.MONEY, title="Loss", title_zh="损失", currency="CNY"),
        Column(name="rate", type=FieldType.NUMBER, unit="1", title="Rate"),
    ]
    grid = Grid.of([], columns)
    assert next(iter(plain_table(grid))) == "Tenure (months)  Loss (CNY)  Rate"
    assert next(iter(plain_table(grid, language="zh"))) == "在网时长 (月)  损失 (CNY)  Rate"


def test_no_row_shows_the_heading_alone() -> None:
    assert list(plain_table(Grid.of([], ["a", "b"]))) == ["a  b", "-  -"]
    assert list(plain_table(Grid.of([]))) == []


def test_a_terminal_table_folds_long_values_and_takes_markup_as_data() -> None:
    lines, _ = terminal_table(Grid.of([{"name": "[bold]x[/bold]", "text": "w" * 90}]), 60)
    text = "\n".join(lines)
    assert "[bold]x[/bold]" in text
    assert text.count("w") == 90
    assert "\x1b" not in text
    assert max(map(len, lines)) <= 60
