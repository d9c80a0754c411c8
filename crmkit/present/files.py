"""Grids as files: JSON, JSON lines, CSV, TSV, Parquet and XLSX."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any

from ..entities.money import Money
from ..errors import ConfigError, UsageError
from .grid import Grid
from .values import file_text, is_id, json_value

# A text cell that begins so is run as a formula by spreadsheet programs (OWASP, CSV injection).
# A text that begins with ' and a formula's sign is guarded too, so that one ' can be taken off again.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
# Rows of an XLSX sheet including the heading (Microsoft, Excel specifications and limits).
SHEET_ROWS = 1_048_576
# Characters of a cell, and digits of a number (the same).
SHEET_TEXT, SHEET_DIGITS = 32_767, 15


def write_json(grid: Grid, out: IO[bytes]) -> None:
    """One array of flat objects (design D11), a row a line."""
    names = grid.names
    out.write(b"[")
    gap = b"\n"
    for row in grid.rows():
        out.write(gap + _json_line(names, row))
        gap = b",\n"
    out.write(b"\n]\n" if gap == b",\n" else b"]\n")


def write_jsonl(grid: Grid, out: IO[bytes]) -> None:
    """One object a line, as the rows come."""
    names = grid.names
    for row in grid.rows():
        out.write(_json_line(names, row) + b"\n")


def write_nested(value: Any, out: IO[bytes]) -> None:
    """One nested document, by the same rules for values."""
    text = json.dumps(json_value("", value), ensure_ascii=False, indent=2)
    out.write(text.encode() + b"\n")


def _json_line(names: list[str], row: tuple[Any, ...]) -> bytes:
    document = {name: json_value(name, value) for name, value in zip(names, row, strict=True)}
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def guarded(text: str) -> str:
    """Text that no spreadsheet program runs: ``'`` stands before what looks like a formula."""
    if _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def write_csv(grid: Grid, out: IO[bytes], *, delimiter: str = ",", guard: bool = True) -> None:
    """Comma-separated text in UTF-8 with one heading line (RFC 4180, lines end in CR LF)."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, delimiter=delimiter)
    names = grid.names
    cell: Callable[[str], str] = guarded if guard else str
    writer.writerow([cell(name) for name in names])
    for row in grid.rows():
        writer.writerow([cell(file_text(n, v)) for n, v in zip(names, row, strict=True)])
    text.flush()
    text.detach()


def write_parquet(grid: Grid, out: IO[bytes]) -> None:
    """Parquet with zstd; money is an exact decimal, instants are UTC without zone (design D5)."""
    import pyarrow.parquet as pq

    pq.write_table(grid.to_arrow(), out, compression="zstd")


def write_xlsx(grid: Grid, out: IO[bytes], *, title: str = "", language: str = "en") -> None:
    """One sheet with typed cells: dates are dates, ids are text, no text is ever a formula.

    Whole numbers and amounts of more digits than a cell keeps are text.

    Raises:
        ConfigError: if the extra ``xlsx`` is not installed.
        UsageError: if there are more rows than a sheet holds, or a text is longer than a cell.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise ConfigError(
            "format xlsx needs XlsxWriter, which is not installed.",
            hint="Install it with: pip install 'crmkit[xlsx]'",
        ) from error
    if len(grid) >= SHEET_ROWS:
        raise UsageError(
            f"{len(grid)} rows do not fit the {SHEET_ROWS - 1} of a sheet.",
            hint="Use --format csv or parquet, or --limit.",
        )
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
         "nan_inf_to_errors": False},
    )  # fmt: skip
    sheet = book.add_worksheet(_sheet_name(title))
    styles = {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "money": book.add_format({"num_format": "#,##0.00"}),
    }
    for at, column in enumerate(grid.columns):
        sheet.write_string(
            0, at, column.label(language) if column.title else column.name, styles["head"]
        )
    for line, row in enumerate(grid.rows(), start=1):
        for at, (name, value) in enumerate(zip(grid.names, row, strict=True)):
            _write_cell(sheet, line, at, name, value, styles)
    sheet.freeze_panes(1, 0)
    if grid.columns:
        sheet.autofilter(0, 0, max(len(grid), 1), len(grid.columns) - 1)
        sheet.autofit(300)
    book.close()
    out.write(buffer.getvalue())


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:31] or "crmkit"


def _write_cell(
    sheet: Any, line: int, at: int, name: str, value: Any, styles: dict[str, Any]
) -> None:
    if isinstance(value, Money):
        value = value.decimal
    if value is None or (isinstance(value, float) and value != value):
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, at, value)
    elif isinstance(value, Decimal) and len(value.as_tuple().digits) <= SHEET_DIGITS:
        sheet.write_number(line, at, float(value), styles["money"])
    elif isinstance(value, float) or (
        isinstance(value, int) and abs(value) < 10**SHEET_DIGITS and not is_id(name)
    ):
        sheet.write_number(line, at, value)
    elif isinstance(value, datetime):
        utc = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        sheet.write_datetime(line, at, utc, styles["instant"])
    elif isinstance(value, date):
        sheet.write_datetime(line, at, value, styles["date"])
    else:
        text = file_text(name, value)
        # The library would cut it without a word.
        if len(text) > SHEET_TEXT:
            raise UsageError(
                f"row {line}, column {name!r}: {len(text)} characters do not fit the {SHEET_TEXT} of "
                "a sheet's cell.",
                hint="Use --format csv, jsonl or parquet.",
            )
        sheet.write_string(line, at, text)
