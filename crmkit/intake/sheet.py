"""The rows of one sheet, streamed: every cell as a text, or as the reason why it has none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from attrs import define, field, frozen

from .workbook import SheetEntry, Style, Workbook, cell_text
from .writing import plain_number

# A spreadsheet keeps 15 digits of a number; the rest of a longer one is already lost.
EXACT = 10**15
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets know no zone
_DAY_ZERO_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_LAST_SERIAL = 2_958_466


@frozen
class BadCell:
    """A cell without a value to take: code, what stands there, and words."""

    code: str
    shown: str
    words: str


@frozen
class Formatted:
    """A number whose format shows a text beside it: the number alone, and what a spreadsheet shows."""

    alone: str | float
    shown: str


Value = str | float | datetime | BadCell | Formatted
PLAIN = Style()


@define
class SheetRow:
    """A row: its number, and its filled cells by column from 0."""

    number: int
    cells: dict[int, Value] = field(factory=dict)


class SheetReader:
    """Reads the rows of a sheet.

    Attributes:
        formulas: columns with formulas whose last computed values were taken, to their number.
        padded: columns with numbers that were filled up with zeros as their format shows them.
        literals: columns whose number format shows a text beside the numbers, to that text.
        hidden_rows: how many rows are hidden; they are read as the others.
        merged: how many ranges are merged; only their first cell has a value.
    """

    def __init__(self, book: Workbook, sheet: SheetEntry) -> None:
        self.book, self.sheet = book, sheet
        self.formulas: dict[int, int] = {}
        self.padded: set[int] = set()
        self.literals: dict[int, str] = {}
        self.hidden_rows = self.merged = 0
        self._letters: dict[str, int] = {}
        self._done: list[SheetRow] = []
        self._row = SheetRow(0)
        self._column = -1
        self._type = self._style = ""
        self._formula = self._filled = self._inside = self._reading = False
        self._pieces: list[str] = []
        self._parser = book.parser(self._start)
        # Called some millions of times, so a prefix is looked for only in names that are not known.
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data

    def rows(self) -> Iterator[SheetRow]:
        """The rows with cells in them, in order.

        Raises:
            InputRefused: ``E_WORKBOOK`` where the sheet is not sound.
        """
        part = self.sheet.part
        for block in self.book.blocks(part):
            self.book.feed(self._parser, block, part, last=False)
            yield from self._done
            self._done.clear()
        self.book.feed(self._parser, b"", part, last=True)
        yield from self._done

    # --- elements -----------------------------------------------------------------------------

    def _start(self, tag: str, given: dict[str, str]) -> None:
        if tag == "c":
            ref = given.get("r")
            self._column = self._column + 1 if ref is None else self._index(ref)
            self._type, self._style = given.get("t", "n"), given.get("s", "")
            self._formula = self._filled = False
            self._pieces = []
        elif tag in ("v", "t"):
            self._inside = not self._reading
            self._filled = True
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            number = int(given["r"]) if given.get("r", "").isdigit() else self._row.number + 1
            if number <= self._row.number:
                raise self.book.broken(f"row {number} stands after row {self._row.number}")
            self._row = SheetRow(number)
            self._column = -1
            self.hidden_rows += given.get("hidden") in ("1", "true")
        elif tag == "rPh":
            self._reading = True
        elif tag == "mergeCell":
            self.merged += 1
        elif ":" in tag:
            self._start(tag.rpartition(":")[2], given)

    def _end(self, tag: str) -> None:
        if tag == "v" or tag == "t":
            self._inside = False
        elif tag == "c":
            self._finish("".join(self._pieces))
        elif tag == "row":
            if self._row.cells:
                self._done.append(self._row)
        elif tag == "rPh":
            self._reading = False
        elif ":" in tag:
            self._end(tag.rpartition(":")[2])

    def _data(self, text: str) -> None:
        if self._inside:
            self._pieces.append(text)

    def _index(self, ref: str) -> int:
        letters = ref.rstrip("0123456789")
        found = self._letters.get(letters)
        if found is None:
            found = 0
            for letter in letters.upper():
                if not "A" <= letter <= "Z":
                    raise self.book.broken(f"{ref!r} is no cell")
                found = found * 26 + ord(letter) - 64
            self._letters[letters] = found = found - 1
        return found

    # --- values -------------------------------------------------------------------------------

    def _finish(self, text: str) -> None:
        if self._formula:
            if not self._filled or (not text and self._type != "str"):
                words = "the formula has no computed value: open the file and save it again"
                self._row.cells[self._column] = BadCell("E_FORMULA", "", words)
                return
            self.formulas[self._column] = self.formulas.get(self._column, 0) + 1
        if not text:
            return
        self._row.cells[self._column] = self._value(text)

    def _value(self, text: str) -> Value:
        kind = self._type
        if kind == "n":
            return self._number(text)
        if kind == "s":
            if not text.isdigit() or int(text) >= len(self.book.texts):
                raise self.book.broken(f"row {self._row.number}: there is no text {text}")
            return self.book.texts[int(text)]
        if kind == "b":
            return "true" if text.strip() == "1" else "false"
        if kind == "e":
            return BadCell("E_CELL_ERROR", text, f"the cell shows the error {text}")
        if kind == "d":
            try:
                return datetime.fromisoformat(text.removesuffix("Z"))
            except ValueError:
                return BadCell("E_DATE", text, f"{text!r} is no date")
        return cell_text(text)

    def _number(self, text: str) -> Value:
        style = self._styled()
        # Whole numbers without a format are by far the most.
        if style is PLAIN and len(text) < 16 and text.isdigit():
            return text
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.book.broken(f"row {self._row.number}: {text[:40]!r} is no number")
        if style.is_date:
            return self._moment(value)
        if abs(value) >= EXACT:
            words = f"{text} has more than 15 digits, which the spreadsheet has rounded: make the cells text"
            return BadCell("E_PRECISION_LOST", text, words)
        whole = str(int(value)) if value == int(value) and value >= 0 else None
        alone: str | float = value
        if style.zeros and whole is not None:
            if len(whole) < style.zeros:
                self.padded.add(self._column)
            alone = whole.zfill(style.zeros)
        if style.literal:
            self.literals.setdefault(self._column, style.literal)
            if style.pattern and whole is not None:
                return Formatted(alone, style.shown(whole))
        return alone

    def _styled(self) -> Style:
        if not self._style or self._style == "0":
            found = self.book.styles[0] if self.book.styles else PLAIN
        else:
            number = int(self._style) if self._style.isdigit() else -1
            found = self.book.styles[number] if 0 <= number < len(self.book.styles) else PLAIN
        return found if found.is_date or found.zeros or found.literal else PLAIN

    def _moment(self, serial: float) -> Value:
        shown = plain_number(serial)
        if self.book.from_1904:
            zero = _DAY_ZERO_1904
        elif 60 <= serial < 61:
            return BadCell("E_DATE", shown, "29 February 1900 is a day only in spreadsheets")
        else:
            # Spreadsheets count that day, so days before it are one off.
            zero = _DAY_ZERO + timedelta(days=1) if serial < 60 else _DAY_ZERO
        if not 0 <= serial < _LAST_SERIAL:
            return BadCell("E_DATE", shown, f"{shown} is no day that a spreadsheet knows")
        if serial < 1 and not self.book.from_1904:
            return BadCell("E_DATE", shown, "a time of day without a day")
        # A day has 86,400,000 ms, which is what is left of the precision.
        return zero + timedelta(milliseconds=round(serial * 86_400_000))
