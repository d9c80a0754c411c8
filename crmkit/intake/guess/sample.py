"""The first rows of a file, read as an import would read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from ...errors import InputRefused, NotFound, StorageError
from ..batch import Batch
from ..csv_rows import CsvReader
from ..jsonl_rows import JsonlReader
from ..lines import LineReader
from ..profile import Profile, Source

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
    """Reads the first rows of a CSV, TSV or JSONL file.

    Raises:
        NotFound: if there is no such file.
        InputRefused: if it cannot be read; of another encoding, it names those that would fit.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            beginning = stream.read(LOOKED_AT_BYTES)
            stream.seek(0)
            _check_encoding(path.name, beginning, encoding)
            jsonl = path.suffix.lower() in (".jsonl", ".ndjson")
            source = Source(name="file", encoding=encoding, format="jsonl" if jsonl else "csv")
            columns = _jsonl_keys(beginning, encoding) if jsonl else ()
            source = evolve(source, key=columns)
            profile = Profile(name="guess", title="", source=source, emits=(), text="")
            lines = LineReader(stream, encoding, path.name)
            reader: CsvReader | JsonlReader = (
                JsonlReader(lines, profile, path.name, strict=False)
                if jsonl
                else CsvReader(lines, profile, path.name, strict=False)
            )
            return _taken(path.name, reader, source, columns)
    except FileNotFoundError:
        raise NotFound("file", str(path)) from None
    except IsADirectoryError:
        raise InputRefused(f"{path} is a folder, not a file.") from None
    except InputRefused:
        raise
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}.") from error


def _taken(
    name: str, reader: CsvReader | JsonlReader, source: Source, columns: tuple[str, ...]
) -> Sample:
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
        source=evolve(source, delimiter=delimiter, key=()),
        header=header,
        batches=batches,
        whole=whole,
    )


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
