"""Grids as tables in a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..entities.fields import FieldType
from .grid import Column, Grid
from .labels import heading_unit
from .values import is_id, shown

if TYPE_CHECKING:
    from typing import TextIO

_NUMERIC = (FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY)


def plain_table(grid: Grid, *, title: str | None = None, language: str = "en") -> Iterator[str]:
    """Lines of an aligned table without colour, borders or cut values: for pipes and files.

    Widths count terminal cells, so that Chinese text, two cells a sign, stays aligned.
    """
    # Lazy: rich costs 100 ms and only tables need it.
    from rich.cells import cell_len

    right = right_aligned(grid)
    heads = [column_heading(c, language) for c in grid.columns]
    lines = [[shown(v, c) for v, c in zip(r, grid.columns, strict=True)] for r in grid.rows()]
    widths = [
        max([cell_len(h), *(cell_len(line[i]) for line in lines)]) for i, h in enumerate(heads)
    ]

    def laid(cells: list[str]) -> str:
        parts = []
        for text, width, to_right in zip(cells, widths, right, strict=True):
            blank = " " * (width - cell_len(text))
            parts.append(blank + text if to_right else text + blank)
        return "  ".join(parts).rstrip()

    if title:
        yield title
    if heads:
        yield laid(heads)
        yield "  ".join("-" * width for width in widths)
    for line in lines:
        yield laid(line)


def print_table(
    grid: Grid, stream: TextIO, *, title: str | None = None, language: str = "en"
) -> None:
    """A table fitted to the terminal: long values fold, none is cut; NO_COLOR is kept."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for column, to_right in zip(grid.columns, right_aligned(grid), strict=True):
        table.add_column(
            Text(column_heading(column, language)),
            justify="right" if to_right else "left",
            overflow="fold",
        )
    for row in grid.rows():
        # Text, not str: a name such as "[bold]" is data and no markup.
        table.add_row(*(Text(shown(v, c)) for v, c in zip(row, grid.columns, strict=True)))
    Console(file=stream, highlight=False).print(table)


def column_heading(column: Column, language: str) -> str:
    """The title with its unit; the bare field name where nobody gave a title."""
    if not column.title:
        return column.name
    unit = heading_unit(column, language)
    return f"{column.label(language)} ({unit})" if unit else column.label(language)


def right_aligned(grid: Grid) -> list[bool]:
    """Numbers stand right; where no type is declared the first value of a column decides."""
    first: list[object] = [None] * len(grid.columns)
    for row in grid.head(50).rows():
        first = [f if f is not None else v for f, v in zip(first, row, strict=True)]
    out = []
    for column, value in zip(grid.columns, first, strict=True):
        if column.type is not None:
            out.append(column.type in _NUMERIC and not is_id(column.name))
        else:
            number = isinstance(value, (int, float)) or type(value).__name__ in ("Decimal", "Money")
            out.append(number and not isinstance(value, bool) and not is_id(column.name))
    return out
