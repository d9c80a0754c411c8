"""XLSX workbooks to batches: one sheet, row by row, with the sheet's own row numbers.

A library would do the parsing, but those there are hand out ``0.0`` or nothing for a formula without
a value, for an error and for a rounded number, do not tell number formats, and hold the whole sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, dropwhile, islice
from typing import BinaryIO

from ..declarations import CUSTOMER
from ..entities.checks import shown
from ..errors import InputRefused
from .batch import BATCH_ROWS, LARGEST_CELL, Batch, Broken, bounded
from .columns import LOOKED_AT_ROWS, MOST_COLUMNS, Heading, read_heading
from .profile import Profile
from .sheet import BadCell, Formatted, SheetReader, SheetRow, Value
from .workbook import Workbook
from .writing import Writing, plain_number

_ALLOWED = {
    "E_FORMULA": "a formula with its value",
    "E_CELL_ERROR": "a value",
    "E_PRECISION_LOST": "a number of at most 15 digits, or text",
    "E_DATE": "a date from 1900-03-01 to 9999-12-31",
}


def first_rows(stream: BinaryIO, name: str, count: int) -> list[tuple[int, list[str]]]:
    """The first rows with cells of a workbook's first sheet: the number and the cells of each."""
    book = Workbook(stream, name)
    found = []
    for row in islice(SheetReader(book, book.sheet(None)).rows(), count):
        width = min(max(row.cells) + 1, MOST_COLUMNS)
        cells = [_plain(row.cells.get(i, "")).strip() for i in range(width)]
        found.append((row.number, cells))
    return found


def _plain(value: Value) -> str:
    return value.shown if isinstance(value, BadCell | Formatted) else str(value)


def _keys_and_phones(profile: Profile) -> frozenset[str]:
    """Columns whose numbers are names of something, so that what a cell shows is what they are."""
    found = set(profile.source.key)
    for emit in profile.emits:
        found |= set(emit.key.columns) if emit.key else set()
        for link in (emit.owner, emit.subject):
            found |= set(link.spec.columns) if link and link.spec else set()
        if emit.entity == CUSTOMER:
            for name, spec in emit.fields.items():
                found |= set(spec.columns) if name.partition(".")[0] == "phone" else set()
    return frozenset(found)


class XlsxReader:
    """Reads a sheet in batches; the first row with values names the columns.

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
        self._rows: Iterator[SheetRow] = self._sheet.rows()
        self._writing = Writing(profile)
        self._used = set(profile.used)
        self._as_shown = _keys_and_phones(profile)
        self._name = f"{name}, sheet {sheet.name!r}"
        self._named = profile.source.sheet is not None
        self._blank_rows = 0
        heading = self._read_heading(profile, strict=strict)
        self.header, self.unknown = heading.names, heading.unknown
        self._heading_remarks = heading.remarks

    def _read_heading(self, profile: Profile, *, strict: bool) -> Heading:
        """The header; the next row is then the first with values."""
        skipped = profile.source.skipped
        self._rows = dropwhile(lambda r: r.number <= skipped or self._is_blank(r), self._rows)
        ahead = list(islice(self._rows, LOOKED_AT_ROWS + 1))
        if not ahead and profile.source.columns is None:
            raise InputRefused(
                f"{self._name} is empty" + (f" below row {skipped}." if skipped else "."),
                code="E_EMPTY",
            )
        where = f"{self._name}, row {ahead[0].number if ahead else skipped + 1}"
        names = None
        if profile.source.columns is None:
            width = max(ahead[0].cells) + 1
            if width > MOST_COLUMNS:
                raise InputRefused(
                    f"{where}: {width} columns; at most {MOST_COLUMNS} are read.", code="E_HEADER"
                )
            names = self._texts(ahead.pop(0))
        following = [(row.number, self._texts(row)) for row in ahead]
        heading = read_heading(names, following, profile, self._name, where, strict=strict)
        self._rows = chain(ahead[heading.repeated :], self._rows)
        return heading

    def _texts(self, row: SheetRow) -> list[str]:
        """The cells of a row up to the last with a value, as names of columns."""
        width = min(max(row.cells) + 1, MOST_COLUMNS)
        return [self._text("", row.cells.get(i, "")).strip() for i in range(width)]

    def _is_blank(self, row: SheetRow) -> bool:
        return all(isinstance(cell, str) and not cell.strip() for cell in row.cells.values())

    @property
    def remarks(self) -> tuple[str, ...]:
        """Other sheets, formulas, formats, merged and hidden cells, as far as read."""
        sheet, out = self._sheet, list(self._heading_remarks)
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
        for column, literal in sorted(sheet.literals.items()):
            name = self._column(column)
            how = "it is read with it" if name in self._as_shown else "only the numbers were read"
            out.append(f"column {name}: the number format shows {literal!r} beside numbers; {how}.")
        if sheet.merged:
            out.append(
                f"{sheet.merged} ranges of cells are merged; only the first cell of each has a value."
            )
        if self._blank_rows:
            out.append(f"rows without any value were left out: {self._blank_rows}.")
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
            if self._is_blank(row):
                self._blank_rows += 1
                continue
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
                if isinstance(value, str) and not value.strip():
                    continue
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
        if isinstance(value, Formatted):
            return value.shown if column in self._as_shown else self._text(column, value.alone)
        if isinstance(value, datetime):
            return self._writing.moment(column, value)
        return value.shown
