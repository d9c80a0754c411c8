"""Grids as tables in a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..entities.field_types import FieldType
from .colours import BOLD, RESET, state_colour
from .fitting import GAP, Layout, cell_width, fields_of, heading_words, lay_out, wrapped
from .grid import Column, Grid
from .labels import heading_unit
from .values import is_id, printable, shown

_NUMERIC = (FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY)


def plain_table(grid: Grid, *, title: str | None = None, language: str = "en") -> Iterator[str]:
    """Lines of an aligned table without colour, borders or cut values: for pipes and files.

    Widths count terminal cells, so that Chinese text, two cells a sign, stays aligned.
    """
    right = right_aligned(grid)
    heads = [column_heading(c, language) for c in grid.columns]
    lines = [[shown(v, c) for v, c in zip(r, grid.columns, strict=True)] for r in grid.rows()]
    widths = [
        max([cell_width(h), *(cell_width(line[i]) for line in lines)]) for i, h in enumerate(heads)
    ]

    def laid(cells: list[str]) -> str:
        parts = []
        for text, width, to_right in zip(cells, widths, right, strict=True):
            blank = " " * (width - cell_width(text))
            parts.append(blank + text if to_right else text + blank)
        return "  ".join(parts).rstrip()

    if title:
        yield printable(title)
    if heads:
        yield laid(heads)
        yield "  ".join("-" * width for width in widths)
    for line in lines:
        yield laid(line)


def terminal_table(
    grid: Grid,
    width: int,
    *,
    title: str | None = None,
    language: str = "en",
    every_column: bool = False,
    colour: bool = False,
) -> tuple[list[str], Layout]:
    """A table in the width of a terminal: lines, and which columns had to be left out.

    Where the columns are too wide for any layout, every row is shown one field a line.

    Args:
        width: of the terminal, in cells. every_column: show also empty ones, as ``--columns`` asks.
        colour: headings bold and states coloured.
    """
    right = right_aligned(grid)
    heads = [column_heading(c, language) for c in grid.columns]
    rows = [[shown(v, c) for v, c in zip(r, grid.columns, strict=True)] for r in grid.rows()]
    layout = lay_out(grid.columns, heads, rows, width, every_column=every_column)
    lines = wrapped(printable(title), width) if title else []
    if not layout.fits and rows:
        kept = [[row[i] for i in layout.places] for row in rows]
        return [*lines, *fields_of(kept, [heads[i] for i in layout.places], width)], layout

    def laid(cells: Sequence[Sequence[str]], styles: Sequence[str]) -> Iterator[str]:
        for depth in range(max(map(len, cells), default=0)):
            parts = []
            for cell, size, i, style in zip(
                cells, layout.widths, layout.places, styles, strict=True
            ):
                text = cell[depth] if depth < len(cell) else ""
                blank = " " * (size - cell_width(text))
                drawn = f"{style}{text}{RESET}" if style and text else text
                parts.append(blank + drawn if right[i] else drawn + blank)
            yield (" " * GAP).join(parts).rstrip()

    sized = list(zip(layout.places, layout.widths, strict=True))
    tops = [wrapped(heads[i], size, heading_words(heads[i])) for i, size in sized]
    height = max(map(len, tops), default=0)
    tops = [[""] * (height - len(top)) + top for top in tops]
    lines += laid(tops, [BOLD if colour else ""] * len(tops))
    lines.append((" " * GAP).join("─" * size for size in layout.widths))
    for row in rows:
        styles = [state_colour(grid.columns[i], row[i]) if colour else "" for i in layout.places]
        lines += laid([wrapped(row[i], size) for i, size in sized], styles)
    return lines, layout


def column_heading(column: Column, language: str) -> str:
    """The title with its unit; the bare field name where nobody gave a title."""
    if not column.title:
        return printable(column.name)
    unit = heading_unit(column, language)
    return printable(f"{column.label(language)} ({unit})" if unit else column.label(language))


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
