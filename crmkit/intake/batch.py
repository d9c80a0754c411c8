"""A batch of rows as read from a file, before anything is known of their meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, frozen

# One transaction and one call of each hook per batch.
BATCH_ROWS = 10_000
# Characters.
LARGEST_CELL = 1 << 20
# The column that every file has: where the row stood in it. The rejects file keeps that number in
# ``_line``, so that a mended row has its old place.
LINE, KEPT_LINE = "#line", "_line"


@frozen
class Broken:
    """A line that is no row: where it stands, why, and what stood there as well as can be read."""

    line: int
    code: str
    message: str
    original: Any
    allowed: str = ""
    field: str = ""
    value: str = ""


def bounded(cells: Sequence[str | None]) -> list[str | None]:
    """A broken row as it can be kept and written to a file: no cell too large, no NUL."""
    return [None if c is None else c.replace("\0", "\\0")[:LARGEST_CELL] for c in cells]


@define(kw_only=True)
class Batch:
    """Rows in file order.

    Attributes:
        lines: physical line on which each row begins, from 1.
        columns: cells by column name; None where a cell is absent.
        originals: each row as it goes to the rejects file: a list of cells, or the line's text.
        broken: lines that are no rows; they count as read and rejected.
        next_line: where reading goes on.
        unknown: columns that the profile does not map, so far.
        position: bytes read so far, for progress.
    """

    lines: Sequence[int]
    columns: Mapping[str, Sequence[str | None]]
    originals: Sequence[Any]
    broken: list[Broken]
    next_line: int
    unknown: tuple[str, ...] = ()
    position: int = 0

    @property
    def size(self) -> int:
        """How many rows, broken lines not counted."""
        return len(self.lines)

    def cells(self, name: str) -> Sequence[str | None]:
        """The cells of a column; absent everywhere if the file does not have it.

        ``#line`` is the line, or the sheet's or table's row, on which each row begins.
        """
        found = self.columns.get(KEPT_LINE if name == LINE else name)
        if found is None and name == LINE:
            return [str(line) for line in self.lines]
        return (None,) * self.size if found is None else found

    def part(self, start: int, stop: int) -> Batch:
        """The rows from ``start`` to before ``stop``, without broken lines."""
        return Batch(
            lines=self.lines[start:stop],
            columns={n: c[start:stop] for n, c in self.columns.items()},
            originals=self.originals[start:stop],
            broken=[],
            next_line=self.next_line,
            unknown=self.unknown,
            position=self.position,
        )
