"""The manifest: which files make up the snapshot, and which transactions are in it.

A reader reads the manifest once and then only the files that it names. It is replaced by renaming,
so a reader sees the old snapshot or the new one and never a mix. It holds the checksum of every file
and of itself, so that damage is found before anything is answered from it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from .checksums import Checksum

FILE = "manifest.json"
# Format 1 had no checksums, format 2 no currencies.
FORMAT = 3


@frozen
class Part:
    """One Parquet file: path relative to the warehouse, rows, columns, checksum and currencies.

    ``currencies`` are those of the amounts in it, in order of code.
    """

    file: str
    rows: int
    columns: tuple[str, ...] = field(repr=False)
    checksum: Checksum = field(repr=False)
    currencies: tuple[str, ...] = ()

    @classmethod
    def written(
        cls, folder: Path, file: str, rows: int, columns: Iterable[str],
        currencies: Iterable[str] = (),
    ) -> Part:  # fmt: skip
        """The part that has just been written to ``folder / file``.

        Raises:
            OSError: if it cannot be read.
        """
        return cls(file, rows, tuple(columns), Checksum.of(folder / file), tuple(currencies))


@frozen
class TableState:
    """One table in the snapshot.

    Attributes:
        types: DuckDB type by column, as declared when last written.
        parts: the files that hold it.
        several: whether some subject has several versions, or some fact several revisions. Where
            it is False, reads skip the search for the right one.
        merged: whether some customer was merged into another.
    """

    types: Mapping[str, str] = field(hash=False)
    parts: tuple[Part, ...] = ()
    several: bool = False
    merged: bool = False

    @property
    def rows(self) -> int:
        """Rows in all parts."""
        return sum(part.rows for part in self.parts)


@frozen
class Manifest:
    """The snapshot.

    Attributes:
        newest: the highest transaction id in it, 0 where it is empty.
        listed: the transactions in it that are at most a day older than ``newest`` (design D2).
        count: how many transactions are in it.
        time_zone: in which its dates were computed.
        tables: by name in analysis SQL.
        retired: files that earlier snapshots named, with the time (seconds since 1970) since when
            none does; they are removed once no reader can still be at them.
        serial: rises with every change.
    """

    newest: int = 0
    listed: frozenset[int] = field(default=frozenset(), repr=False)
    count: int = 0
    time_zone: str = "UTC"
    tables: Mapping[str, TableState] = field(factory=dict, hash=False, repr=False)
    retired: Mapping[str, float] = field(factory=dict, hash=False, repr=False)
    serial: int = 0

    @property
    def files(self) -> set[str]:
        """Every file that this snapshot names."""
        return {part.file for table in self.tables.values() for part in table.parts}

    @property
    def currencies(self) -> list[str]:
        """The currencies of all amounts in it, in order of code."""
        parts = (part for table in self.tables.values() for part in table.parts)
        return sorted({code for part in parts for code in part.currencies})

    def same_rows(self, other: Manifest) -> bool:
        """Whether another snapshot holds the same transactions, whichever files they are in."""
        return (self.newest, self.count, self.listed, self.time_zone) == (
            other.newest, other.count, other.listed, other.time_zone,
        )  # fmt: skip

    def with_tables(self, changed: Mapping[str, TableState]) -> Manifest:
        """A copy with some tables replaced."""
        return evolve(self, tables={**self.tables, **changed})


def read_manifest(folder: Path) -> Manifest | None:
    """The current manifest, or None where there is none that this version can read.

    The warehouse is disposable, so a damaged manifest or one of another format means: build anew.
    """
    try:
        text = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return None
    body = _body(text)
    if body is None:
        return None
    raw = json.loads(body)
    tables = {name: _table_from(state) for name, state in raw["tables"].items()}
    return Manifest(
        newest=raw["newest"], listed=frozenset(raw["listed"]), count=raw["count"],
        time_zone=raw["time_zone"], tables=tables, retired=raw["retired"], serial=raw["serial"],
    )  # fmt: skip


def is_damaged(folder: Path) -> bool:
    """Whether there is a manifest that is neither sound nor one of another format."""
    try:
        text = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return False
    if _body(text) is not None:
        return False
    try:
        raw = json.loads(text)
    except ValueError:
        return True
    return not isinstance(raw, dict) or raw.get("format") in (None, FORMAT)


class LatestManifest:
    """The current manifest of a folder, read again only when its file is another.

    Args:
        folder: of the warehouse.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: tuple[tuple[int, int, int], Manifest | None] | None = None

    def read(self) -> Manifest | None:
        """As :func:`read_manifest`; the same object for as long as nothing was published."""
        try:
            status = (self._folder / FILE).stat()
        except FileNotFoundError:
            return None
        # A manifest is published by renaming, so another one is another inode. Where the number is
        # given out again, the time differs.
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        found = self._found
        if found is None or found[0] != stamp:
            # Read after the stamp was taken: if it is replaced between, it is read again next time.
            found = self._found = (stamp, read_manifest(self._folder))
        return found[1]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Makes ``manifest`` the current one, durably: its files first, then it, then its name."""
    raw = {
        "serial": manifest.serial,
        "newest": manifest.newest,
        "count": manifest.count,
        "time_zone": manifest.time_zone,
        "tables": {name: _table_to(state) for name, state in sorted(manifest.tables.items())},
        "retired": dict(manifest.retired),
        "listed": sorted(manifest.listed),
    }
    draft = folder / f".{FILE}.draft"
    # Not json.dump: that walks the parts in Python, which took a tenth of a second.
    text = _framed(json.dumps(raw, separators=(",", ":")).encode())
    with draft.open("wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(folder / FILE)
    sync([folder])


def _framed(body: bytes) -> bytes:
    """A JSON document with the format and the checksum of ``body`` before it."""
    head = f'{{"format":{FORMAT},"sha256":"{hashlib.sha256(body).hexdigest()}","snapshot":'
    return head.encode() + body + b"}"


def _body(text: bytes) -> bytes | None:
    """What :func:`_framed` was given, or None if a single byte of the document is another."""
    start = len(_framed(b"")) - 1
    body = text[start:-1]
    return body if body and _framed(body) == text else None


def sync(paths: Iterable[Path]) -> None:
    """Puts files or folders on the disk before something names them."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _table_to(state: TableState) -> dict[str, Any]:
    return {
        "types": dict(state.types),
        "several": state.several,
        "merged": state.merged,
        "parts": [
            [
                p.file,
                p.rows,
                list(p.columns),
                p.checksum.size,
                p.checksum.sha256,
                list(p.currencies),
            ]
            for p in state.parts
        ],
    }


def _table_from(raw: Mapping[str, Any]) -> TableState:
    parts = tuple(
        Part(file, rows, tuple(columns), Checksum(size, sha256), tuple(currencies))
        for file, rows, columns, size, sha256, currencies in raw["parts"]
    )
    return TableState(raw["types"], parts, raw["several"], raw["merged"])
