"""Table files beside a profile, in which the values of fields are looked up."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from attrs import evolve, field, frozen

# A table is held in memory whole beside the batches; what is larger belongs into records.
MOST_BYTES = 16 << 20
MOST_FAULTS = 5

Cells = tuple[str, ...]
# The bytes of a table and where it is, by the name that the profile gives it.
ReadTable = Callable[[str], tuple[bytes, str]]


@frozen
class LookupTable:
    """A CSV file as it was when the profile was read.

    Attributes:
        file: its name in the profile.
        where: its path, or its name and the profile it ships with, for messages.
        key: the columns by which it is looked up.
        columns: every column.
        rows: cells by key; each key once.
        lines: where the row of a key stands.
        hash: SHA-256 of the file.
    """

    file: str
    where: str
    key: Cells
    columns: Cells
    rows: Mapping[Cells, Cells] = field(repr=False, hash=False)
    lines: Mapping[Cells, int] = field(repr=False, hash=False)
    hash: str = ""


@frozen
class Lookup:
    """The column of a table that a field takes: key cells to text, an empty one missing."""

    table: LookupTable
    take: str
    values: Mapping[Cells, str] = field(repr=False, hash=False)

    @classmethod
    def of(cls, table: LookupTable, take: str) -> Lookup:
        """The lookup of a column that the table has."""
        at = table.columns.index(take)
        return cls(table, take, {key: row[at] for key, row in table.rows.items()})


def no_tables(name: str) -> tuple[bytes, str]:
    """For a profile that stands in no folder."""
    raise FileNotFoundError(name)


def tables_beside(folder: Path) -> ReadTable:
    """Reads tables from the profile's folder."""

    def read(name: str) -> tuple[bytes, str]:
        path = folder / name
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is not a file")
        return path.read_bytes(), str(path)

    return read


def tables_of_plugin(tables: Mapping[str, str], profile: str) -> ReadTable:
    """Reads tables that a plugin's profile brings along."""

    def read(name: str) -> tuple[bytes, str]:
        if name not in tables:
            raise FileNotFoundError(name)
        return tables[name].encode(), f"{name} of profile {profile}"

    return read


def file_fault(name: str) -> str:
    """Why a table cannot be named so, or an empty text: it stands beside the profile or below."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.name:
        return f"{name!r} is not a path beside the profile"
    return ""


def read_table(
    file: str, data: bytes, where: str, key: Sequence[str], delimiter: str
) -> tuple[LookupTable | None, list[str]]:
    """The table, or None and what is wrong with it.

    Args:
        file: its name in the profile.
        data: a CSV file in UTF-8 with a header line.
        where: for messages.
        key: the columns by which it is looked up.
        delimiter: one character.
    """
    if len(data) > MOST_BYTES:
        return None, [f"{where} has {len(data)} bytes; a table may have {MOST_BYTES}"]
    try:
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return None, [f"{where} is not UTF-8: {error.reason} at byte {error.start}"]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        numbered = [(reader.line_num, tuple(map(str.strip, cells))) for cells in reader]
    except csv.Error as error:
        return None, [f"{where} line {reader.line_num}: {error}"]
    columns = numbered[0][1] if numbered else ()
    faults = _header_faults(columns, key, where)
    if faults:
        return None, faults
    table = LookupTable(file, where, tuple(key), columns, {}, {}, hashlib.sha256(data).hexdigest())
    rows, lines, faults = _rows(table, numbered[1:])
    return (None, _few(faults)) if faults else (evolve(table, rows=rows, lines=lines), [])


def no_column(where: str, name: str, columns: Sequence[str]) -> str:
    """The words for a column that a table lacks."""
    return f"{where} has no column {name!r} (columns: {', '.join(columns)})"


def _header_faults(columns: Sequence[str], key: Sequence[str], where: str) -> list[str]:
    if not any(columns):
        return [f"{where} has no header line"]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    out = [f"{where} has two columns {name!r}" for name in twice]
    return out + [no_column(where, name, columns) for name in key if name not in columns]


def _rows(
    table: LookupTable, numbered: Sequence[tuple[int, tuple[str, ...]]]
) -> tuple[dict[Cells, Cells], dict[Cells, int], list[str]]:
    """Rows and their lines by key, and what is wrong with the others."""
    places = [table.columns.index(name) for name in table.key]
    rows: dict[Cells, Cells] = {}
    lines: dict[Cells, int] = {}
    faults = []
    for line, cells in numbered:
        if not any(cells):
            continue
        if len(cells) != len(table.columns):
            faults.append(
                f"{table.where} line {line} has {len(cells)} cells, not {len(table.columns)}"
            )
            continue
        key = tuple(cells[i] for i in places)
        if "" in key:
            faults.append(f"{table.where} line {line} lacks a part of its key")
        elif rows.setdefault(key, cells) != cells:
            shown = ", ".join(map(repr, key))
            faults.append(
                f"{table.where} line {line} has the key {shown} of line {lines[key]} again, "
                "with other values"
            )
        lines.setdefault(key, line)
    return rows, lines, faults


def _few(faults: list[str]) -> list[str]:
    """The first faults: a table of another shape has one in every line."""
    more = len(faults) - MOST_FAULTS
    return faults if more <= 0 else [*faults[:MOST_FAULTS], f"and {more} more faults of that kind"]
