"""Which reader a file needs: by its profile's format and, within that, by its first bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from attrs import evolve

from ..errors import InputRefused
from .batch import Batch
from .csv_rows import CsvReader
from .encodings import encoding_fault
from .gunzip import MAGIC, GunzipStream, check_gzip
from .jsonl_rows import JsonlReader
from .lines import BLOCK_BYTES, LineReader, Readable
from .profile import Profile
from .workbook import OLD_OFFICE, ZIP
from .xlsx_rows import XlsxReader


class RowReader(Protocol):
    """Rows in batches.

    Attributes:
        delimiter: of a CSV file, as given or found.
    """

    delimiter: str

    @property
    def header(self) -> list[str] | None:
        """The columns; None where each row names its own."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns that the profile does not map, found so far."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is odd about the file though it can be read, found so far."""

    def batches(self) -> Iterator[Batch]:
        """All rows in file order; to be called once."""


def open_rows(stream: BinaryIO, profile: Profile, name: str, *, strict: bool) -> RowReader:
    """A reader whose header has been read and checked.

    Args:
        stream: the file, at its start; it can be sought.
        name: the file's name, for messages.
        strict: refuse columns that the profile does not map.

    Raises:
        InputRefused: if the file cannot be read as the profile says.
    """
    start = stream.read(8)
    stream.seek(0)
    if profile.source.format == "xlsx":
        if start.startswith((ZIP, OLD_OFFICE)):
            return XlsxReader(stream, profile, name, strict=strict)
        profile = _as_csv(profile)
    elif profile.source.format == "parquet":
        if start.startswith(b"PAR1"):
            # Lazy: other files need no pyarrow.
            from .parquet_rows import ParquetReader

            return ParquetReader(stream, profile, name, strict=strict)
        profile = _as_csv(profile)
    elif profile.source.format == "sql":
        profile = _as_csv(profile)
    if start.startswith(MAGIC):
        check_gzip(stream, name)

    def unpacked() -> Readable:
        stream.seek(0)
        return GunzipStream(stream, name) if start.startswith(MAGIC) else stream

    def open_lines() -> LineReader:
        return LineReader(unpacked(), profile.source.encoding, name)

    if profile.source.format == "jsonl":
        return JsonlReader(open_lines(), profile, name, strict=strict)
    quoted = _holds_quote(unpacked())
    return CsvReader(open_lines, profile, name, strict=strict, quoted=quoted)


def _as_csv(profile: Profile) -> Profile:
    """For the rejects of a file without lines: a CSV file with the same columns."""
    return evolve(profile, source=evolve(profile.source, multiline=True, columns=None))


def _holds_quote(stream: Readable) -> bool:
    """Whether a file holds the byte of a quote, which no sign of a known encoding contains."""
    while data := stream.read(BLOCK_BYTES):
        if b'"' in data:
            return True
    return False


def with_encoding(profile: Profile, encoding: str | None) -> Profile:
    """The profile with another encoding, which makes it another profile to resume with.

    Raises:
        InputRefused: if it is no encoding in which a text file can be read.
    """
    if encoding is None:
        return profile
    fault = encoding_fault(encoding)
    if fault:
        raise InputRefused(f"{fault}.", code="E_ENCODING", hint="Examples: gb18030, big5, cp1252.")
    text = f"{profile.text}\n# --encoding {encoding}\n"
    return evolve(profile, source=evolve(profile.source, encoding=encoding), text=text)
