"""Grids as XLSX workbooks, for those who go on in a spreadsheet program."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any

from ..entities.field_types import FieldType
from ..entities.money import Money, exponent
from ..errors import ConfigError, UsageError
from .frame import Fact
from .grid import Column, Grid
from .labels import label
from .tables import column_heading
from .values import file_text, is_id, is_name, is_percent

# Rows of a sheet including the heading, characters of a cell, and digits of a number (Microsoft,
# Excel specifications and limits).
SHEET_ROWS = 1_048_576
SHEET_TEXT, SHEET_DIGITS = 32_767, 15
# Column widths, in signs, are those of the heading and of so many rows.
MEASURED_ROWS = 200
MOST_WIDTH = 60
# A sheet counts days from here, so an earlier one can only be text.
FIRST_YEAR = 1900


def write_xlsx(
    grid: Grid,
    out: IO[bytes],
    *,
    title: str = "",
    language: str = "en",
    about: Iterable[Fact] = (),
) -> None:
    """A workbook with typed cells: dates are dates, ids are text, no text is ever a formula.

    Rows beyond what a sheet holds go on in further sheets, each with the heading row frozen. Whole
    numbers and amounts of more digits than a cell keeps are text.

    Args:
        title: names the sheet.
        about: lines of a last sheet: as-of, parameters, method, source, notes.

    Raises:
        ConfigError: if the extra ``xlsx`` is not installed.
        UsageError: if a text is longer than a cell.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise ConfigError(
            "format xlsx needs XlsxWriter, which is not installed.",
            hint="Install it with: pip install 'crmkit[xlsx]'",
        ) from error
    buffer = io.BytesIO()
    # Row by row through a temporary file: a million rows would take gigabytes of memory.
    book = xlsxwriter.Workbook(
        buffer,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
         "nan_inf_to_errors": False},
    )  # fmt: skip
    try:
        _write_sheets(book, grid, _sheet_name(title), language)
        told = list(about)
        if told:
            _write_about(book, told, language)
    finally:
        # Also when a cell was refused: it takes the temporary files away.
        book.close()
    out.write(buffer.getvalue())


def _write_sheets(book: Any, grid: Grid, name: str, language: str) -> None:
    rows = grid.rows()
    first = list(islice(rows, MEASURED_ROWS))
    widths = _widths(grid.columns, first, language)
    left, number = chain(first, rows), 1
    while number == 1 or first:
        sheet = book.add_worksheet(name if number == 1 else f"{name[:27]} {number}")
        _write_sheet(book, sheet, grid.columns, islice(left, SHEET_ROWS - 1), widths, language)
        first, number = list(islice(left, 1)), number + 1
        left = chain(first, left)


def _write_sheet(
    book: Any,
    sheet: Any,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    widths: Sequence[int],
    language: str,
) -> None:
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for at, column in enumerate(columns):
        sheet.set_column(at, at, widths[at])
        sheet.write_string(0, at, column_heading(column, language), head)
    writers = [_cell_writer(book, sheet, column) for column in columns]
    line = 0
    for line, row in enumerate(rows, start=1):
        for at, (write, value) in enumerate(zip(writers, row, strict=True)):
            if value is not None:
                write(line, at, value)
    sheet.freeze_panes(1, 0)
    if columns:
        sheet.autofilter(0, 0, max(line, 1), len(columns) - 1)


def _cell_writer(book: Any, sheet: Any, column: Column) -> Callable[[int, int, Any], None]:
    """What writes a cell of a column: the value's type decides, the column gives the form."""
    text = is_id(column.name)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    amount = book.add_format({"num_format": _amount_form(column.currency)})
    number = book.add_format({"num_format": _number_form(column)})

    def write(line: int, at: int, value: Any) -> None:
        if isinstance(value, Money):
            value = value.decimal
        if isinstance(value, bool):
            sheet.write_boolean(line, at, value)
        elif isinstance(value, Decimal) and len(value.as_tuple().digits) <= SHEET_DIGITS:
            sheet.write_number(line, at, float(value), amount)
        elif isinstance(value, float):
            if math.isfinite(value):  # a sheet has no infinity and no NaN
                sheet.write_number(line, at, value, number)
        elif isinstance(value, int) and not text and abs(value) < 10**SHEET_DIGITS:
            sheet.write_number(line, at, value, number)
        elif isinstance(value, date) and value.year >= FIRST_YEAR:
            if isinstance(value, datetime):
                utc = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
                sheet.write_datetime(line, at, utc, instant)
            else:
                sheet.write_datetime(line, at, value, day)
        else:
            sheet.write_string(
                line, at, _cell_text(file_text(column.name, value), line, column.name)
            )

    return write


def _amount_form(currency: str | None) -> str:
    digits = 2 if currency is None else exponent(currency)
    return "#,##0" + ("." + "0" * digits if digits else "")


def _number_form(column: Column) -> str:
    if is_percent(column):
        return "0.0%"
    plain = column.type is not FieldType.INTEGER or is_name(column)
    return "General" if plain else "#,##0"


def _cell_text(text: str, line: int, column: str) -> str:
    """The text, if a cell holds it: the library would cut it without a word."""
    if len(text) > SHEET_TEXT:
        raise UsageError(
            f"row {line}, column {column!r}: {len(text)} characters do not fit the {SHEET_TEXT} of "
            "a sheet's cell.",
            hint="Use --format csv, jsonl or parquet.",
        )
    return text


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Any]], language: str) -> list[int]:
    """Wide enough for the longest value measured and for the longest word of the heading."""
    out = []
    for at, column in enumerate(columns):
        words = re.split(r"\s", column_heading(column, language))
        values = (file_text(column.name, row[at]) for row in rows)
        longest = max((_cells(text) for text in chain(words, values)), default=0)
        out.append(min(longest, MOST_WIDTH) + 3)
    return out


def _cells(text: str) -> int:
    return sum(2 if ord(sign) > 0x2E80 else 1 for sign in text)


def _write_about(book: Any, facts: Sequence[Fact], language: str) -> None:
    sheet = book.add_worksheet(label("about_sheet", language))
    head = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 100)
    for line, (name, text) in enumerate(facts):
        sheet.write_string(line, 0, name, head)
        sheet.write_string(line, 1, text, wrapped)


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:31] or "crmkit"
