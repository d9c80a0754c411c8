"""XLSX workbooks to batches: one sheet, row by row, with the sheet's own row numbers.

A library would do the parsing, but those there are hand out ``0.0`` or nothing for a formula without
a value, for an error and for a rounded number, do not tell number formats, and hold the whole sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from ..errors import InputRefused
from .batch import BATCH_ROWS, LARGEST_CELL, Batch, Broken, bounded
from .checks import shown
from .columns import MOST_COLUMNS, check_columns, check_header, unknown_columns
from .profile import Profile
from .sheet import BadCell, SheetReader, SheetRow, Value
from .workbook import Workbook
from .writing import Writing, plain_number

_ALLOWED = {
    "E_FORMULA": "a formula with its value",
    "E_CELL_ERROR": "a value",
    "E_PRECISION_LOST": "a number of at most 15 digits, or text",
    "E_DATE": "a date from 1900-03-01 to 9999-12-31",
}


class XlsxReader:
    """Reads a sheet in batches; the first row with cells names the columns.

    Attributes:
        header: the columns of the sheet.
        unknown: columns that the profile does not map.
    """

    delimiter = ""

    def __init__(self, stream: BinaryIO, profile: Profile, name: str, *, strict: bool) -> None:
        self._book = Workbook(stream, name)
        sheet = self._book.sheet(profile.source.sheet)
        self._book.check(sheet.part)
        self._sheet = SheetReader(self._book, sheet)
        self._rows = self._sheet.rows()
        self._writing = Writing(profile)
        self._used = set(profile.used)
        self._name = f"{name}, sheet {sheet.name!r}"
        self._named = profile.source.sheet is not None
        self.header = self._read_header(profile)
        self.unknown = unknown_columns(self.header, profile)
        check_columns(self.header, profile, self._name, strict=strict)

    def _read_header(self, profile: Profile) -> list[str]:
        if profile.source.columns is not None:
            return check_header(profile.source.columns, self._name)
        row = next(self._rows, None)
        if row is None:
            raise InputRefused(f"{self._name} is empty.", code="E_EMPTY")
        where = f"{self._name}, row {row.number}"
        width = max(row.cells) + 1
        if width > MOST_COLUMNS:
            raise InputRefused(
                f"{where}: {width} columns; at most {MOST_COLUMNS} are read.", code="E_HEADER"
            )
        found = [row.cells.get(i, "") for i in range(width)]
        return check_header([self._text("", cell).strip() for cell in found], where)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Other sheets, formulas, formats, merged and hidden cells, as far as read."""
        sheet, out = self._sheet, []
        others = [s.name for s in self._book.sheets if s is not sheet.sheet]
        if others and not self._named:
            out.append(
                f"sheet {sheet.sheet.name!r} was read, not {', '.join(map(repr, others[:10]))}: "
                "set sheet in the profile's [source] to choose."
            )
        for column, count in sorted(sheet.formulas.items()):
            out.append(
                f"column {self._column(column)} has {count} formulas; the values that the "
                "spreadsheet computed last were taken."
            )
        for column in sorted(sheet.padded):
            out.append(
                f"column {self._column(column)} holds numbers that only their format shows with "
                "leading zeros; they were read with the zeros."
            )
        if sheet.merged:
            out.append(
                f"{sheet.merged} ranges of cells are merged; only the first cell of each has a value."
            )
        if sheet.hidden_rows:
            out.append(f"{sheet.hidden_rows} hidden rows were read as the others.")
        return tuple(out)

    def _column(self, index: int) -> str:
        return self.header[index] if index < len(self.header) else str(index + 1)

    def batches(self) -> Iterator[Batch]:
        """The rows of the sheet, at most BATCH_ROWS at a time."""
        rows: list[list[str | None]] = []
        lines: list[int] = []
        broken: list[Broken] = []
        line = 0
        for row in self._rows:
            line = row.number
            cells, fault = self._cells(row)
            if fault is None:
                rows.append(cells)
                lines.append(line)
            else:
                broken.append(fault)
            if len(rows) + len(broken) == BATCH_ROWS:
                yield self._batch(rows, lines, broken, line + 1)
                rows, lines, broken = [], [], []
        if rows or broken:
            yield self._batch(rows, lines, broken, line + 1)

    def _batch(
        self, rows: list[list[str | None]], lines: list[int], broken: list[Broken], next_line: int
    ) -> Batch:
        columns = zip(*rows, strict=True) if rows else [()] * len(self.header)
        return Batch(
            lines=lines, columns=dict(zip(self.header, columns, strict=True)), originals=rows,
            broken=broken, next_line=next_line, unknown=self.unknown,
        )  # fmt: skip

    def _cells(self, row: SheetRow) -> tuple[list[str | None], Broken | None]:
        width = len(self.header)
        cells: list[str | None] = [None] * width
        bad: tuple[str, str, str, str] | None = None
        for index, value in row.cells.items():
            if index >= width:
                words = f"the row has a value in column {index + 1}, the header {width} columns"
                bad = bad or ("E_COLUMNS", "", shown(self._text("", value)), words)
                continue
            name = self.header[index]
            cells[index] = text = self._text(name, value)
            if isinstance(value, BadCell):
                if name in self._used and bad is None:
                    bad = (value.code, name, shown(value.shown), value.words)
            elif "\0" in text:
                bad = bad or ("E_NUL", name, "", "the cell holds a NUL character")
            elif len(text) > LARGEST_CELL:
                bad = bad or ("E_CELL", name, shown(text), "the cell is larger than 1 MiB")
        if bad is None:
            return cells, None
        code, name, value_shown, words = bad
        allowed = _ALLOWED.get(code, f"{width} cells" if code == "E_COLUMNS" else "")
        return cells, Broken(row.number, code, words, bounded(cells), allowed, name, value_shown)

    def _text(self, column: str, value: Value) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, float):
            return self._writing.number(column, plain_number(value))
        if isinstance(value, datetime):
            return self._writing.moment(column, value)
        return value.shown
