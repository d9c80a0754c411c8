"""Which row of a file names its columns: titles, notes and blank lines may stand above it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from statistics import median
from typing import BinaryIO

from ..columns import LOOKED_AT_ROWS
from ..csv_rows import DELIMITERS, separator_of
from ..lines import LineReader
from ..xlsx_rows import first_rows
from .headers import role_of

# Beside this share of the columns that the rows have, a row is a title.
_NEARLY_ALL = 0.8
_VALUE = re.compile(r"[-+]?[\d.,:/ ]*\d[\d.,:/ ]*%?|[^@\s]+@[^@\s]+")

Numbered = list[tuple[int, list[str]]]


def csv_heading(beginning: bytes, encoding: str, name: str) -> tuple[str | None, int]:
    """The delimiter of a CSV file, None if it is to be found in the header, and the lines to skip.

    Args:
        beginning: the first bytes of the file.
        encoding: of the file; a byte order mark goes before it.
    """
    block = next(LineReader(BytesIO(beginning), encoding, name).blocks(), None)
    lines = block.texts[: 2 * LOOKED_AT_ROWS] if block else []
    if not lines:
        return None, 0
    said = separator_of(lines[0])
    if said:
        return said, _skipped(_tokenised(lines, said, 1))
    found = max(DELIMITERS, key=lambda d: (*_evenness(_tokenised(lines, d)), lines[0].count(d)))
    rows = _tokenised(lines, found)
    return (found if any(len(cells) > 1 for _, cells in rows) else None), _skipped(rows)


def sheet_heading(stream: BinaryIO, name: str) -> int:
    """How many rows of a workbook's first sheet stand above the header."""
    return _skipped(first_rows(stream, name, 2 * LOOKED_AT_ROWS))


def _tokenised(lines: Sequence[str], delimiter: str, start: int = 0) -> Numbered:
    """Records with the line on which each begins; cells without blanks at both ends."""
    reader = csv.reader([line + "\n" for line in lines[start:]], delimiter=delimiter)
    rows: Numbered = []
    at = start
    try:
        for cells in reader:
            rows.append((at + 1, [cell.strip() for cell in cells]))
            at = start + reader.line_num
    except csv.Error:
        # A cell that is too large; the rows before it tell enough.
        pass
    return rows


def _evenness(rows: Numbered) -> tuple[int, int]:
    """How many rows have the commonest number of cells above one, and that number."""
    widths = Counter(len(cells) for _, cells in rows if len(cells) > 1)
    return max(((count, width) for width, count in widths.items()), default=(0, 0))


def _skipped(rows: Numbered) -> int:
    """How many lines stand above the header; 0 where it is the first row with values."""
    filled = [(line, _trimmed(cells)) for line, cells in rows if any(cells)]
    at = _place([cells for _, cells in filled])
    return filled[at][0] - 1 if at else 0


def _place(rows: Sequence[Sequence[str]]) -> int:
    candidates = [i for i in range(min(len(rows), LOOKED_AT_ROWS)) if _may_be_header(rows, i)]
    if not candidates:
        return 0
    first = candidates[0]
    # Two lines "Exported by;Ann" look like a header of two columns: the words decide.
    if first == 0 and _said(rows[0]) == 0:
        telling = [i for i in candidates[1:] if 2 * _said(rows[i]) >= len(rows[i])]
        first = next(iter(telling), 0)
    return first


def _may_be_header(rows: Sequence[Sequence[str]], at: int) -> bool:
    names, below = rows[at], rows[at + 1 : at + 1 + LOOKED_AT_ROWS]
    if not all(names) or len({n.casefold() for n in names}) < len(names):
        return False
    if any(_VALUE.fullmatch(n) for n in names):
        return False
    return not below or len(names) >= _NEARLY_ALL * median(len(cells) for cells in below)


def _said(names: Sequence[str]) -> int:
    return sum(role_of(n) is not None for n in names)


def _trimmed(cells: Sequence[str]) -> list[str]:
    """The cells up to the last with a value."""
    last = max(i for i, cell in enumerate(cells) if cell)
    return list(cells[: last + 1])
