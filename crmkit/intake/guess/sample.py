"""The first rows of a file, read as an import would read them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from attrs import evolve, frozen

from ...errors import InputRefused
from ..batch import Batch
from ..csv_rows import CsvReader
from ..files import open_file
from ..gunzip import MAGIC, check_gzip
from ..profile import Profile, Source
from ..readers import RowReader, open_rows
from ..workbook import ZIP
from .heading import csv_heading, sheet_heading

# Enough to tell a key from a column that is nearly one, and read in a few seconds.
SAMPLED_ROWS = 200_000
# Encodings worth naming when a file is not UTF-8; UTF-16 is known by its byte order mark.
ENCODINGS = ("gb18030", "big5", "shift_jis", "cp1252")
LOOKED_AT_BYTES = 1 << 20


@frozen(kw_only=True)
class Sample:
    """Batches of a file's first rows, and how they were read.

    Attributes:
        whole: whether the file has no more rows.
    """

    name: str
    source: Source
    header: tuple[str, ...]
    batches: Sequence[Batch]
    whole: bool

    @property
    def rows(self) -> int:
        """How many rows were read; broken lines are counted too."""
        return sum(b.size + len(b.broken) for b in self.batches)

    def cells(self, column: str) -> list[str | None]:
        """Every cell of a column."""
        return [cell for batch in self.batches for cell in batch.cells(column)]


def read_sample(path: str | Path, encoding: str = "utf-8") -> Sample:
    """Reads the first rows of a CSV, TSV or JSONL file, packed by gzip or not, or of XLSX or Parquet.

    Raises:
        NotFound: if there is no such file.
        InputRefused: if it is not a file or cannot be read; of another encoding, it names those that
            would fit.
    """
    path = Path(path)
    with open_file(path) as stream:
        beginning = _beginning(stream, path.name)
        form = _format(path, beginning)
        if form in ("csv", "jsonl"):
            _check_encoding(path.name, beginning, encoding)
        columns = _jsonl_keys(beginning, encoding) if form == "jsonl" else ()
        source = Source(name="file", encoding=encoding, format=form, key=columns)
        if form == "csv":
            delimiter, skipped = csv_heading(beginning, encoding, path.name)
            source = evolve(source, delimiter=delimiter, skip_lines=skipped, multiline=True)
        elif form == "xlsx":
            source = evolve(source, skip_lines=sheet_heading(stream, path.name))
        profile = Profile(name="guess", title="", source=source, emits=(), text="")
        reader = open_rows(stream, profile, path.name, strict=False)
        return _taken(path.name, reader, source, columns)


def _beginning(stream: BinaryIO, name: str) -> bytes:
    """The first bytes of a file, of a compressed one unpacked; the stream is at its start again."""
    found = stream.read(LOOKED_AT_BYTES)
    stream.seek(0)
    if found.startswith(MAGIC):
        check_gzip(stream, name)
        stream.seek(0)
        with gzip.GzipFile(fileobj=stream) as unpacked:
            found = unpacked.read(LOOKED_AT_BYTES)
        stream.seek(0)
    return found


def _format(path: Path, beginning: bytes) -> str:
    if beginning.startswith(ZIP):
        return "xlsx"
    if beginning.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if {".jsonl", ".ndjson"} & {s.lower() for s in path.suffixes} else "csv"


def _taken(name: str, reader: RowReader, source: Source, columns: tuple[str, ...]) -> Sample:
    batches: list[Batch] = []
    taken, whole = 0, True
    for batch in reader.batches():
        batches.append(batch)
        taken += batch.size
        if taken >= SAMPLED_ROWS:
            whole = False
            break
    header = tuple(c for c in reader.header or columns if not c.startswith("_"))
    delimiter = reader.delimiter or None
    return Sample(
        name=name,
        source=evolve(source, delimiter=delimiter, key=(), multiline=_spans_lines(reader)),
        header=header,
        batches=batches,
        whole=whole,
    )


def _spans_lines(reader: RowReader) -> bool:
    return isinstance(reader, CsvReader) and reader.spans_lines


def _jsonl_keys(beginning: bytes, encoding: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for line in beginning.decode(encoding, errors="ignore").splitlines():
        try:
            row: Any = json.loads(line)
        except ValueError:
            # The last line may be cut; a broken one is the import's to report.
            continue
        if isinstance(row, dict):
            for key, value in row.items():
                inner = value if isinstance(value, dict) else None
                found |= dict.fromkeys([f"{key}.{k}" for k in inner] if inner else [key])
    return tuple(found)


def _check_encoding(name: str, beginning: bytes, encoding: str) -> None:
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")) or _decodes(beginning, encoding):
        return
    fitting = [e for e in ENCODINGS if e != encoding and _decodes(beginning, e)]
    raise InputRefused(
        f"{name} is not {encoding}.",
        code="E_ENCODING",
        hint=(
            f"It could be {' or '.join(fitting)}: look at a few names, then give --encoding."
            if fitting
            else "Give its encoding with --encoding."
        ),
    )


def _decodes(data: bytes, encoding: str) -> bool:
    # The last character may be cut off by the limit, so a few bytes are left out in turn.
    for cut in range(5 if len(data) == LOOKED_AT_BYTES else 1):
        try:
            data[: len(data) - cut].decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        return True
    return False
