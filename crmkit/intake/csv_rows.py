"""CSV records to batches: exact line numbers, and a broken record spoils no other."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence

from ..entities.checks import shown
from ..errors import InputRefused
from .batch import BATCH_ROWS, LARGEST_CELL, Batch, Broken, bounded
from .columns import LOOKED_AT_ROWS, Heading, is_blank, read_heading
from .lines import LineReader
from .profile import Profile
from .records import RecordReader, Rows, Spoilt, read_leniently
from .rejects import REASON_COLUMNS

DELIMITERS = (",", ";", "\t", "|")
# What spreadsheets write above the header, and read, to say the delimiter.
_SEPARATOR = re.compile('"?sep=(.)"?', re.IGNORECASE)
# The header of a rejects file, which stands on its first line whatever the profile says.
_REJECTS = re.compile("_line(.)" + r"\1".join(REASON_COLUMNS[1:]))
# As crmkit writes what a spreadsheet would run.
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


class CsvReader:
    """Reads a CSV file in batches.

    Args:
        open_lines: opens the file anew at its start.
        quoted: whether the file holds any quote; then all of it is tokenised before the first row is
            handed out, so that a file with a quote that is never closed is refused whole.

    Attributes:
        header: the columns of the file.
        delimiter: the one given or found.
        unknown: columns that the profile does not map.
        spans_lines: whether any record spans lines.
    """

    def __init__(
        self, open_lines: Callable[[], LineReader], profile: Profile, name: str, *, strict: bool,
        quoted: bool,
    ) -> None:  # fmt: skip
        self._source, self._name = profile.source, name
        self.delimiter = profile.source.delimiter or ","
        self._records = self._open(open_lines)
        heading = self._read_heading(profile, strict=strict)
        self.header, self.unknown = heading.names, heading.unknown
        self._width, self._header_width = len(self.header), heading.width
        self._heading_remarks = heading.remarks
        # Rows without a value, and rows with empty cells after the last column.
        self._blank_rows = self._longer_rows = 0
        # Rejected records over several lines, and their lines.
        self._spanning = self._spanned = 0
        self.spans_lines = False
        if quoted:
            self._check_quotes()
            self._records = self._open(open_lines)
            self._read_heading(profile, strict=strict)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Empty columns and rows that were left out, as far as read."""
        out = list(self._heading_remarks)
        if self._longer_rows:
            out.append(
                "empty cells after the last column were ignored (rows longer than the header: "
                f"{self._longer_rows})."
            )
        if self._spanning:
            out.append(
                f"rejected records that span lines: {self._spanning}, of {self._spanned} lines "
                "together; where a quote is missing, rows of their own are among these."
            )
        if self._blank_rows:
            out.append(f"rows without any value were left out: {self._blank_rows}.")
        return tuple(out)

    # --- header -------------------------------------------------------------------------------

    def _open(self, open_lines: Callable[[], LineReader]) -> RecordReader:
        return RecordReader(open_lines(), self._name, multiline=self._source.multiline)

    def _read_heading(self, profile: Profile, *, strict: bool) -> Heading:
        """The header; the next record to be taken is then the first row."""
        records = self._records
        first = records.ahead
        if first is None:
            raise InputRefused(f"{self._name} is empty.", code="E_EMPTY")
        rejects = _REJECTS.search(first)
        if rejects:
            self.delimiter = records.delimiter = rejects[1]
        else:
            self._skip_preamble(first)
        if records.ahead is None:
            raise InputRefused(
                f"{self._name} has nothing but the lines above its header.", code="E_EMPTY",
                hint="Look at skip_lines in the profile's [source].",
            )  # fmt: skip
        records.check_decoded(profile.source.encoding)
        ahead = [self._cells(text) for text in records.peek(LOOKED_AT_ROWS + 1)]
        line = records.next_line
        names = None
        if profile.source.columns is None or rejects:
            names = records.take_header()
            del ahead[0]
        following = list(enumerate(ahead, line + (names is not None)))
        heading = read_heading(
            names, following, profile, self._name, f"{self._name}, line {line}", strict=strict
        )
        if heading.repeated:
            records.drop(1)
        return heading

    def _skip_preamble(self, first: str) -> None:
        """Leaves out what stands above the header: ``sep=;``, lines to skip, blank lines."""
        records = self._records
        said = separator_of(first)
        if said:
            # As a byte order mark goes before the profile's encoding.
            self.delimiter = said
            records.drop(1)
        skipped = self._source.skipped - records.next_line + 1
        if skipped > 0:
            records.peek(skipped)
            records.drop(skipped)
        while (ahead := records.ahead) is not None and self._says_nothing(ahead):
            records.drop(1)
        if self._source.delimiter is None and not said and ahead:
            counts = {d: ahead.count(d) for d in DELIMITERS}
            self.delimiter = max(counts, key=lambda d: counts[d])
        records.delimiter = self.delimiter

    def _says_nothing(self, line: str) -> bool:
        for delimiter in (self.delimiter, *DELIMITERS):
            line = line.replace(delimiter, " ")
        return not line.strip()

    def _cells(self, text: str) -> list[str]:
        try:
            return [c.strip() for c in next(csv.reader([text], delimiter=self.delimiter), [])]
        except csv.Error:
            return []

    def _check_quotes(self) -> None:
        while True:
            found = self._records.take()
            if not found.rows and not found.spoilt:
                break
        self.spans_lines = self._records.spanning is not None

    # --- batches ------------------------------------------------------------------------------

    def batches(self) -> Iterator[Batch]:
        """The rows of the file, at most BATCH_ROWS at a time; a header alone gives none."""
        while self._records.ahead is not None:
            found = self._records.take(BATCH_ROWS)
            broken = [self._broken(spoilt) for spoilt in found.spoilt]
            yield self._batch(found.rows, found.lines, broken)

    def _batch(self, rows: Rows, lines: Sequence[int], broken: list[Broken]) -> Batch:
        if set(map(len, rows)) - {self._width} or any(map(is_blank, rows)):
            rows, lines = self._evened(rows, lines, broken)
        cells = [list(map(_unguarded, row)) for row in rows] if self._source.guarded else rows
        columns = zip(*cells, strict=True) if rows else [()] * self._width
        return Batch(
            lines=lines,
            columns=dict(zip(self.header, columns, strict=True)),
            originals=rows,
            broken=broken,
            next_line=self._records.next_line,
            unknown=self.unknown,
            position=self._records.position,
        )

    def _evened(
        self, rows: Rows, lines: Sequence[int], broken: list[Broken]
    ) -> tuple[Rows, list[int]]:
        """Drops blank rows, fills short rows with absent cells, and breaks long ones."""
        kept: Rows = []
        numbers: list[int] = []
        for line, row in zip(lines, rows, strict=True):
            if is_blank(row):
                self._blank_rows += bool(row)
                continue
            if len(row) > self._width and is_blank(row[self._width :]):
                self._longer_rows += len(row) > self._header_width
                del row[self._width :]
            if len(row) > self._width:
                words = f"the row has {len(row)} cells, the header {self._width}"
                more = shown(self.delimiter.join(c or "" for c in row[self._width :]))
                allowed = f"{self._width} cells"
                broken.append(Broken(line, "E_COLUMNS", words, row, allowed, "", more))
                continue
            kept.append(row + [None] * (self._width - len(row)))
            numbers.append(line)
        return kept, numbers

    def _broken(self, spoilt: Spoilt) -> Broken:
        if spoilt.last > spoilt.line:
            self._spanning += 1
            self._spanned += spoilt.last - spoilt.line + 1
        # Read leniently, so that whoever mends the rejects file finds the cells in their columns.
        cells = spoilt.cells or read_leniently(spoilt.text, self.delimiter)
        kept = bounded(cells)
        field, value = "", ""
        if spoilt.code in ("E_QUOTE", "E_CELL") and 0 < len(cells) <= self._width:
            # Of a sound record the cell that spans lines; else the last, which swallowed the rest.
            at = next((i for i, cell in enumerate(cells) if "\n" in cell), len(cells) - 1)
            field, value = self.header[at], shown(kept[at] or "")
        allowed = _REMEDY.get(spoilt.code, "")
        return Broken(spoilt.line, spoilt.code, spoilt.words, kept, allowed, field, value)


_REMEDY = {
    "E_QUOTE": 'every " that opens a cell closes it on the same line, or multiline = true',
    "E_CELL": f"at most {LARGEST_CELL} characters",
    "E_NUL": "text without NUL",
}


def separator_of(line: str) -> str | None:
    """The delimiter that a file's first line says, as ``sep=;``; None if it says none."""
    said = _SEPARATOR.fullmatch(line.strip(" "))
    return said[1] if said else None


def _unguarded(cell: str | None) -> str | None:
    return cell[1:] if cell and _GUARDED.match(cell) else cell
