"""CSV lines to batches: exact line numbers, and a broken line spoils no other."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

from ..errors import InputRefused
from .batch import BATCH_ROWS, LARGEST_CELL, Batch, Broken, bounded
from .checks import shown
from .columns import check_columns, check_header, unknown_columns
from .encodings import suggestion
from .lines import LineReader, Lines
from .profile import Profile

DELIMITERS = (",", ";", "\t", "|")
# As crmkit writes what a spreadsheet would run.
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
Rows = list[list[str | None]]


class CsvReader:
    """Reads a CSV file in batches.

    Attributes:
        header: the columns of the file.
        delimiter: the one given or found.
        unknown: columns that the profile does not map.
    """

    def __init__(self, lines: LineReader, profile: Profile, name: str, *, strict: bool) -> None:
        self._lines, self._blocks = lines, lines.blocks()
        self._source, self._name = profile.source, name
        self._queue = Lines(1, [])
        self.delimiter = profile.source.delimiter or ","
        self.header = self._read_header(profile)
        self._width = len(self.header)
        self.unknown = unknown_columns(self.header, profile)
        check_columns(self.header, profile, name, strict=strict)

    @property
    def remarks(self) -> tuple[str, ...]:
        """A text file is odd in nothing that is not rejected."""
        return ()

    # --- header -------------------------------------------------------------------------------

    def _read_header(self, profile: Profile) -> list[str]:
        self._fill(1)
        queue = self._queue
        if not queue.texts:
            raise InputRefused(f"{self._name} is empty.", code="E_EMPTY")
        if 0 in queue.bad:
            raise InputRefused(
                f"{self._name}, line 1: {queue.bad[0]}.", code="E_ENCODING",
                hint=suggestion(self._lines.spoilt, profile.source.encoding),
            )  # fmt: skip
        first, where = queue.texts[0], f"{self._name}, line 1"
        if profile.source.delimiter is None:
            counts = {d: first.count(d) for d in DELIMITERS}
            self.delimiter = max(counts, key=lambda d: counts[d])
        if profile.source.columns is not None:
            return check_header(profile.source.columns, where)
        try:
            cells = next(csv.reader([first], delimiter=self.delimiter, strict=True), [])
        except csv.Error as error:
            raise InputRefused(f"{where}: {error}.", code="E_HEADER") from None
        self._drop(1)
        return check_header([cell.strip() for cell in cells], where)

    # --- lines --------------------------------------------------------------------------------

    def _fill(self, wanted: int) -> None:
        queue = self._queue
        while len(queue.texts) < wanted:
            block = next(self._blocks, None)
            if block is None:
                return
            shift = len(queue.texts)
            queue.texts += block.texts
            queue.bad |= {i + shift: words for i, words in block.bad.items()}
            queue.nul |= block.nul
            queue.position = block.position

    def _drop(self, count: int) -> None:
        queue = self._queue
        self._queue = Lines(
            queue.first + count,
            queue.texts[count:],
            {i - count: words for i, words in queue.bad.items() if i >= count},
            queue.nul and count < len(queue.texts),
            queue.position,
        )

    # --- batches ------------------------------------------------------------------------------

    def batches(self) -> Iterator[Batch]:
        """The rows of the file, at most BATCH_ROWS at a time; a header alone gives none."""
        parse = self._parse_multiline if self._source.multiline else self._parse_lines
        while True:
            self._fill(BATCH_ROWS)
            if not self._queue.texts:
                return
            yield parse()

    def _parse_lines(self) -> Batch:
        queue = self._queue
        count = min(BATCH_ROWS, len(queue.texts))
        texts, first = queue.texts[:count], queue.first
        clean = not queue.nul and not any(i < count for i in queue.bad)
        rows = self._tokenise(texts) if clean else None
        if rows is not None:
            lines: Sequence[int] = range(first, first + count)
            broken: list[Broken] = []
        else:
            rows, lines, broken = self._tokenise_singly(texts, first)
        self._drop(count)
        return self._batch(rows, lines, broken, first + count)

    def _tokenise(self, texts: list[str]) -> Rows | None:
        """All rows at once, or None if any line does not stand alone."""
        limit = csv.field_size_limit(LARGEST_CELL)
        try:
            rows: Rows = list(csv.reader(texts, delimiter=self.delimiter, strict=True))  # type: ignore[arg-type]
        except csv.Error:
            return None
        finally:
            csv.field_size_limit(limit)
        # Every row takes one line at least, so equal numbers mean that none took two.
        return rows if len(rows) == len(texts) else None

    def _tokenise_singly(
        self, texts: list[str], first: int
    ) -> tuple[Rows, list[int], list[Broken]]:
        rows: Rows = []
        lines: list[int] = []
        broken: list[Broken] = []
        limit = csv.field_size_limit(LARGEST_CELL)
        try:
            for i, text in enumerate(texts):
                fault = self._tokenise_one(text, i, first + i, rows)
                if fault is None:
                    lines.append(first + i)
                else:
                    broken.append(fault)
        finally:
            csv.field_size_limit(limit)
        return rows, lines, broken

    def _tokenise_one(self, text: str, index: int, line: int, rows: Rows) -> Broken | None:
        if index in self._queue.bad:
            return self._broken(line, "E_ENCODING", self._queue.bad[index], text)
        if "\0" in text:
            return self._broken(line, "E_NUL", "the line holds a NUL character", text)
        try:
            rows.append(next(csv.reader([text], delimiter=self.delimiter, strict=True), []))  # type: ignore[arg-type]
        except csv.Error as error:
            code, words = _csv_fault(error)
            return self._broken(line, code, words, text)
        return None

    def _parse_multiline(self) -> Batch:
        """Cells may span lines: the reader is fed line by line and says how many each row took."""
        taken = 0

        def feed() -> Iterator[str]:
            nonlocal taken
            while True:
                if taken >= len(self._queue.texts):
                    self._fill(taken + BATCH_ROWS)
                    if taken >= len(self._queue.texts):
                        return
                taken += 1
                yield self._queue.texts[taken - 1] + "\n"

        rows: Rows = []
        lines: list[int] = []
        broken: list[Broken] = []
        limit = csv.field_size_limit(LARGEST_CELL)
        reader = csv.reader(feed(), delimiter=self.delimiter, strict=True)
        try:
            while len(rows) + len(broken) < BATCH_ROWS:
                start = taken
                line = self._queue.first + start
                try:
                    row = next(reader, None)
                except csv.Error as error:
                    text = "\n".join(self._queue.texts[start:taken])
                    code, words = _csv_fault(error)
                    broken.append(self._broken(line, code, words, text))
                    # Only the first line is given up: what follows may be sound rows.
                    taken = start + 1
                    reader = csv.reader(feed(), delimiter=self.delimiter, strict=True)
                    continue
                if row is None:
                    break
                fault = self._spoilt(start, taken)
                if fault is None:
                    rows.append(row)  # type: ignore[arg-type]
                    lines.append(line)
                else:
                    text = "\n".join(self._queue.texts[start:taken])
                    broken.append(self._broken(line, *fault, text))
        finally:
            csv.field_size_limit(limit)
        next_line = self._queue.first + taken
        self._drop(taken)
        return self._batch(rows, lines, broken, next_line)

    def _spoilt(self, start: int, stop: int) -> tuple[str, str] | None:
        queue = self._queue
        for i in range(start, stop):
            if i in queue.bad:
                return "E_ENCODING", queue.bad[i]
            if queue.nul and "\0" in queue.texts[i]:
                return "E_NUL", "the line holds a NUL character"
        return None

    def _batch(
        self, rows: Rows, lines: Sequence[int], broken: list[Broken], next_line: int
    ) -> Batch:
        widths = set(map(len, rows))
        if widths - {self._width}:
            rows, lines = self._evened(rows, lines, broken)
        cells = [list(map(_unguarded, row)) for row in rows] if self._source.guarded else rows
        columns = zip(*cells, strict=True) if rows else [()] * self._width
        return Batch(
            lines=lines,
            columns=dict(zip(self.header, columns, strict=True)),
            originals=rows,
            broken=broken,
            next_line=next_line,
            unknown=self.unknown,
            position=self._queue.position,
        )

    def _evened(
        self, rows: Rows, lines: Sequence[int], broken: list[Broken]
    ) -> tuple[Rows, list[int]]:
        """Drops blank lines, fills short rows with absent cells, and breaks long ones."""
        kept: Rows = []
        numbers: list[int] = []
        for line, row in zip(lines, rows, strict=True):
            if not row:
                continue
            if len(row) > self._width:
                words = f"the row has {len(row)} cells, the header {self._width}"
                more = shown(self.delimiter.join(c or "" for c in row[self._width :]))
                allowed = f"{self._width} cells"
                broken.append(Broken(line, "E_COLUMNS", words, row, allowed, "", more))
                continue
            kept.append(row + [None] * (self._width - len(row)))
            numbers.append(line)
        return kept, numbers

    def _broken(self, line: int, code: str, words: str, text: str) -> Broken:
        # Read leniently, so that whoever mends the rejects file finds the cells in their columns.
        limit = csv.field_size_limit(len(text) + 1)
        try:
            cells = next(csv.reader([text.replace("\n", " ")], delimiter=self.delimiter), [])
        finally:
            csv.field_size_limit(limit)
        kept = bounded(cells)
        field, value = "", ""
        if code in ("E_QUOTE", "E_CELL") and 0 < len(cells) <= self._width:
            # The open quote swallowed the rest of the line, so its cell is the last one.
            field, value = self.header[len(cells) - 1], shown(kept[-1] or "")
        return Broken(line, code, words, kept, _REMEDY.get(code, ""), field, value)


_REMEDY = {
    "E_QUOTE": 'every " that opens a cell closes it on the same line',
    "E_CELL": f"at most {LARGEST_CELL} characters",
    "E_NUL": "text without NUL",
}


def _unguarded(cell: str | None) -> str | None:
    return cell[1:] if cell and _GUARDED.match(cell) else cell


def _csv_fault(error: csv.Error) -> tuple[str, str]:
    words = str(error)
    if "larger than field limit" in words:
        return "E_CELL", f"a cell is larger than {LARGEST_CELL >> 20} MiB"
    if "end of data" in words:
        return "E_QUOTE", "a quote is opened and not closed on its line"
    return "E_QUOTE", f"quotes are not well-formed: {words}"
