"""Lines to CSV records: which lines make one record, and whether its quotes are well-formed."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from attrs import define, field, frozen

from ..errors import InputRefused
from .batch import BATCH_ROWS, LARGEST_CELL
from .lines import LONGEST_LINE, LineReader, Lines

Rows = list[list[str | None]]


@frozen
class Spoilt:
    """A record that is no row: its first and last line, code, words, text, and its cells if known."""

    line: int
    last: int
    code: str
    words: str
    text: str
    cells: Sequence[str] | None = None


@define
class Records:
    """Some records in file order: the rows with the line on which each begins, and the others."""

    rows: Rows
    lines: Sequence[int]
    spoilt: list[Spoilt] = field(factory=list)


class RecordReader:
    """Reads CSV records from lines; a quoted cell may span lines.

    Where ``multiline`` is off a record over several lines is spoilt as a whole, up to its closing
    quote: its continuation lines would otherwise be read as rows.

    Attributes:
        delimiter: of the cells; to be set before the first record is taken.
        spanning: the first line of the first record that spans lines; None if none has.
        spoilt: the first undecodable bytes, for a suggestion of the encoding.
    """

    def __init__(self, lines: LineReader, name: str, *, multiline: bool) -> None:
        self._lines, self._blocks = lines, lines.blocks()
        self._name, self._multiline = name, multiline
        self._queue = Lines(1, [])
        self.delimiter = ","
        self.spanning: int | None = None

    # --- lines --------------------------------------------------------------------------------

    @property
    def next_line(self) -> int:
        """Number of the first line that was not taken."""
        return self._queue.first

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._queue.position

    def peek(self, count: int) -> list[str]:
        """The next lines, at most ``count``; they stay to be taken."""
        self._fill(count)
        return self._queue.texts[:count]

    @property
    def ahead(self) -> str | None:
        """The next line, which stays to be taken; None at the end."""
        found = self.peek(1)
        return found[0] if found else None

    def check_decoded(self, encoding: str) -> None:
        """Refuses the file if its next line is not in the encoding."""
        from .encodings import suggestion

        if 0 in self._queue.bad:
            raise InputRefused(
                f"{self._name}, line {self.next_line}: {self._queue.bad[0]}.", code="E_ENCODING",
                hint=suggestion(self._lines.spoilt, encoding),
            )  # fmt: skip

    def drop(self, count: int) -> None:
        """Leaves lines out."""
        queue = self._queue
        self._queue = Lines(
            queue.first + count,
            queue.texts[count:],
            {i - count: words for i, words in queue.bad.items() if i >= count},
            queue.nul and count < len(queue.texts),
            queue.position,
        )

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

    # --- records ------------------------------------------------------------------------------

    def take(self, most: int = BATCH_ROWS) -> Records:
        """The next records, at most so many; none at the end of the file.

        Raises:
            InputRefused: ``E_QUOTE`` where a quote is not closed up to the end of the file.
        """
        self._fill(most)
        texts, first = self._queue.texts[:most], self._queue.first
        clean = not self._queue.nul and not any(i < most for i in self._queue.bad)
        with _cells_limited():
            rows = self._tokenise(texts) if clean else None
            if rows is None:
                return self._take_singly(most)
        self.drop(len(texts))
        return Records(rows, range(first, first + len(texts)))

    def take_header(self) -> list[str]:
        """The next record as column names.

        Raises:
            InputRefused: ``E_HEADER`` where it is not well-formed, ``E_QUOTE`` as for :meth:`take`.
        """
        found = self.take(1)
        if found.spoilt:
            (spoilt,) = found.spoilt
            raise InputRefused(
                f"{self._name}, line {spoilt.line}: {spoilt.words}.", code="E_HEADER",
                hint="Mend the line that names the columns.",
            )  # fmt: skip
        return [(cell or "").strip() for row in found.rows for cell in row]

    def _tokenise(self, texts: list[str]) -> Rows | None:
        """All rows at once, or None if any line does not stand alone."""
        try:
            rows: Rows = list(csv.reader(texts, delimiter=self.delimiter, strict=True))  # type: ignore[arg-type]
        except csv.Error:
            return None
        # Every row takes one line at least, so equal numbers mean that none took two.
        return rows if len(rows) == len(texts) else None

    def _take_singly(self, most: int) -> Records:
        found = Records([], [], [])
        lines: list[int] = []
        at = 0
        while len(found.rows) + len(found.spoilt) < most and self._has(at):
            row, stop, fault = self._record(at)
            line = self._queue.first + at
            if stop > at + 1:
                self.spanning = self.spanning or line
            fault = self._unreadable(at, stop) or fault
            if fault is None and stop > at + 1 and not self._multiline:
                fault = "E_QUOTE", _spans(line, line + stop - at - 1)
            if fault is None and row is not None:
                found.rows.append(row)  # type: ignore[arg-type]
                lines.append(line)
            elif fault is not None:
                text = "\n".join(self._queue.texts[at:stop])
                found.spoilt.append(Spoilt(line, line + stop - at - 1, *fault, text, row))
            at = stop
        found.lines = lines
        self.drop(at)
        return found

    def _has(self, index: int) -> bool:
        if index >= len(self._queue.texts):
            self._fill(index + BATCH_ROWS)
        return index < len(self._queue.texts)

    def _record(self, start: int) -> tuple[list[str] | None, int, tuple[str, str] | None]:
        """The record that begins at an index of the queue: its cells, where it ends, its fault."""
        stop, size = start, 0

        def feed() -> Iterator[str]:
            nonlocal stop, size
            while self._has(stop):
                size += len(self._queue.texts[stop]) + 1
                if size > LONGEST_LINE and stop > start:
                    return
                stop += 1
                yield self._queue.texts[stop - 1] + "\n"

        try:
            return next(csv.reader(feed(), delimiter=self.delimiter, strict=True), []), stop, None
        except csv.Error as error:
            fault = _fault(error)
        if fault is None:
            raise self._never_closed(start)
        return None, self._end_of_malformed(start, stop), fault

    def _end_of_malformed(self, start: int, stop: int) -> int:
        """Where a record ends whose quotes are not well-formed.

        As many quotes as close each other end it on its line (``1,"a"b``). Else only a quote before a
        delimiter or a line's end closes (``1,"5" screen",x``), maybe on a later line, unless a cell
        is opened before: then the first one was never closed.
        """
        if stop == start + 1 and self._queue.texts[start].count('"') % 2 == 0:
            return stop
        inside, at, size = False, start, 0
        while self._has(at) and size <= LONGEST_LINE:
            text = self._queue.texts[at]
            if inside and _opens_cell(text, self.delimiter):
                break
            inside = _is_open_after(text, inside, self.delimiter)
            size += len(text)
            at += 1
            if at >= stop and not inside:
                return at
        raise self._never_closed(start)

    def _never_closed(self, start: int) -> InputRefused:
        line = self._queue.first + start
        return InputRefused(
            f"{self._name}, line {line}: a quote opens a cell and is not closed before "
            "another cell is opened or the file ends.",
            code="E_QUOTE",
            hint=f"Close the quote on line {line} or remove it. If cells span lines, also set "
            "multiline = true in the profile's [source].",
        )

    def _unreadable(self, start: int, stop: int) -> tuple[str, str] | None:
        queue = self._queue
        if not queue.bad and not queue.nul:
            return None
        for i in range(start, stop):
            if i in queue.bad:
                return "E_ENCODING", queue.bad[i]
            if queue.nul and "\0" in queue.texts[i]:
                return "E_NUL", "the line holds a NUL character"
        return None


@contextmanager
def _cells_limited() -> Iterator[None]:
    limit = csv.field_size_limit(LARGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def read_leniently(text: str, delimiter: str) -> list[str]:
    """The cells of a record that is not well-formed, with all of its text in them."""
    lines = text.split("\n")
    limit = csv.field_size_limit(len(text) + 1)
    try:
        reader = csv.reader([line + "\n" for line in lines], delimiter=delimiter)
        cells = next(reader, [])
        rest = lines[reader.line_num :]
    finally:
        csv.field_size_limit(limit)
    if rest:
        cells = [*cells[:-1], "\n".join([*cells[-1:], *rest])]
    return [
        cell.removesuffix("\n") if i == len(cells) - 1 else cell for i, cell in enumerate(cells)
    ]


def _opens_cell(line: str, delimiter: str) -> bool:
    """Whether the first quote of a line stands where a cell begins and not where one ends."""
    at = line.find('"')
    before, after = line[at - 1 : at] if at > 0 else delimiter, line[at + 1 : at + 2]
    return at >= 0 and before == delimiter and after not in ("", '"', delimiter)


def _is_open_after(line: str, inside: bool, delimiter: str) -> bool:
    """Whether a quoted cell is open at the end of a line; ``inside``: one was open at its start."""
    at = 0
    while True:
        if not inside:
            if line[at : at + 1] != '"':
                at = line.find(delimiter, at) + 1
                if not at:
                    return False
                continue
            at += 1
        at = line.find('"', at)
        if at < 0:
            return True
        after = line[at + 1 : at + 2]
        if not after:
            return False
        inside = after != delimiter
        # A doubled quote is one sign of the cell, and one before a text is taken as such too.
        at += 2 if after in ('"', delimiter) else 1


def _fault(error: csv.Error) -> tuple[str, str] | None:
    """Code and words of what the tokeniser found; None where the file ended within quotes."""
    words = str(error)
    if "larger than field limit" in words:
        return "E_CELL", f"a cell is larger than {LARGEST_CELL >> 20} MiB"
    if "end of data" in words:
        return None
    return "E_QUOTE", f"quotes are not well-formed: {words}"


def _spans(first: int, last: int) -> str:
    return (
        f"a quoted cell spans lines {first} to {last}, and multiline is off: set multiline = true in "
        "the profile's [source], or remove the line breaks from the cell"
    )
