"""Grids as files: JSON, JSON lines, CSV, TSV and Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable
from itertools import islice
from typing import IO, Any

from .csv_forms import PLAIN, CsvForm
from .grid import BATCH, Grid
from .values import file_texts, json_value

# A text cell that begins so is run as a formula by spreadsheet programs (OWASP, CSV injection).
# A text that begins with ' and a formula's sign is guarded too, so that one ' can be taken off again.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_SIGNS = frozenset("'=+-@\t\r\n")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


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
    # The first sign is looked at first: it tells almost every text apart without a pattern.
    if text[:1] in _SIGNS and _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def write_csv(grid: Grid, out: IO[bytes], *, form: CsvForm = PLAIN, guard: bool = True) -> None:
    """Delimited text in UTF-8 with one heading line (RFC 4180, lines end in CR LF).

    Args:
        form: delimiter, decimal sign and byte order mark.
        guard: put ``'`` before texts that a spreadsheet program would run.
    """
    if form.mark:
        out.write(codecs.BOM_UTF8)
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, delimiter=form.delimiter)
    names = grid.names
    cell: Callable[[str], str] = guarded if guard else str
    writer.writerow([cell(name) for name in names])
    rows = grid.rows()
    while batch := list(islice(rows, BATCH)):
        columns = [
            file_texts(name, values, cell, form.decimal)
            for name, values in zip(names, zip(*batch, strict=True), strict=True)
        ]
        writer.writerows(zip(*columns, strict=True))
    text.flush()
    text.detach()


def write_parquet(grid: Grid, out: IO[bytes]) -> None:
    """Parquet with zstd; money is an exact decimal, instants are UTC without zone (design D5)."""
    import pyarrow.parquet as pq

    pq.write_table(grid.to_arrow(), out, compression="zstd")
