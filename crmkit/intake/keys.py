"""Keys of rows: which were seen before in the same file, and what a row without a key is called."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

# Beyond this many keys the rest of the memory budget (400 MB for an import of any size) would go,
# at about 200 bytes a key, so they move to a file.
IN_MEMORY = 400_000
CACHE_KIB = 48 * 1024


@frozen
class Repeat:
    """Row ``position`` of a batch has the key of ``first_line``; ``equal`` if its values too."""

    position: int
    first_line: int
    equal: bool


class SeenKeys:
    """Remembers keys by 64-bit hash, with the first line and a fingerprint of the values.

    Two different keys share a hash once in ten million imports of a million rows; then a row would
    be rejected as a duplicate, which is reported and not silent.
    """

    def __init__(self, limit: int = IN_MEMORY) -> None:
        self._limit = limit
        self._lines: dict[int, int] = {}
        self._prints: dict[int, int] = {}
        self._folder: TemporaryDirectory[str] | None = None
        self._file: sqlite3.Connection | None = None

    def repeats(
        self, keys: Sequence[str], prints: Sequence[int], lines: Sequence[int]
    ) -> list[Repeat]:
        """The rows of a batch whose key stood on an earlier line, in this batch or before it."""
        hashes = list(map(hash, keys))
        earlier = self._lines.keys() & set(hashes) if self._lines else ()
        if not earlier and self._file is None and len(set(hashes)) == len(hashes):
            return []
        known = self._known(hashes)
        found = []
        for i, h in enumerate(hashes):
            first = known.get(h)
            if first is None:
                known[h] = (lines[i], prints[i])
            else:
                found.append(Repeat(i, first[0], first[1] == prints[i]))
        return found

    def known(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that were added before."""
        listed = list(keys)
        if not self._lines and self._file is None:
            return []
        hashes = list(map(hash, listed))
        if self._file is None and self._lines.keys().isdisjoint(hashes):
            return []
        found = self._known(hashes)
        return [key for key, h in zip(listed, hashes, strict=True) if h in found]

    def _known(self, hashes: Iterable[int]) -> dict[int, tuple[int, int]]:
        lines, prints = self._lines, self._prints
        found = {h: (lines[h], prints[h]) for h in hashes if h in lines}
        if self._file is not None:
            rows = self._file.execute(
                "SELECT h, line, print FROM seen WHERE h IN (SELECT value FROM json_each(?))",
                (json.dumps(list(hashes)),),
            )
            found |= {h: (line, print_) for h, line, print_ in rows}
        return found

    def add(self, keys: Iterable[str], prints: Iterable[int], lines: Iterable[int]) -> None:
        """Remembers rows whose keys :meth:`repeats` has not named."""
        hashes = list(map(hash, keys))
        self._lines.update(zip(hashes, lines, strict=True))
        self._prints.update(zip(hashes, prints, strict=True))
        if len(self._lines) > self._limit:
            self._spill()

    def add_keys(self, keys: Sequence[str]) -> None:
        """Remembers keys alone, to be asked for with :meth:`known`."""
        zeros = bytes(len(keys))
        self.add(keys, zeros, zeros)

    def _spill(self) -> None:
        if self._file is None:
            self._folder = TemporaryDirectory(prefix="crmkit-keys-")
            path = Path(self._folder.name) / "seen.db"
            self._file = sqlite3.connect(path, isolation_level=None)
            # A crash loses it with its process, and a resumed import builds it anew.
            self._file.execute("PRAGMA journal_mode = OFF")
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._file.execute(
                "CREATE TABLE seen (h INTEGER PRIMARY KEY, line INTEGER, print INTEGER)"
            )
        self._file.execute("BEGIN")
        # In order of the key, so that the tree is written page by page.
        self._file.executemany(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
            ((h, self._lines[h], self._prints[h]) for h in sorted(self._lines)),
        )
        self._file.execute("COMMIT")
        self._lines, self._prints = {}, {}

    def close(self) -> None:
        """Removes what was moved to a file."""
        if self._file is not None:
            self._file.close()
        if self._folder is not None:
            self._folder.cleanup()


class Occurrences:
    """Numbers equal rows: the key of a row without key columns is its hash and its number."""

    def __init__(self) -> None:
        self._seen = SeenKeys()
        self._more: dict[str, int] = {}
        self._given: dict[int, list[str]] = {}

    def keys(self, rows: Sequence[Sequence[str | None]], line: int) -> list[str]:
        """The key of each row, as ``3f2a...-1``; the same file gives the same keys.

        Args:
            rows: of a batch.
            line: of the first; until :meth:`settle` the same line is given the same keys again, for a
                batch whose transaction is run again.
        """
        if line not in self._given:
            self._given[line] = self._numbered(rows)
        return self._given[line]

    def settle(self) -> None:
        """Says that what was given keys is committed."""
        self._given.clear()

    def _numbered(self, rows: Sequence[Sequence[str | None]]) -> list[str]:
        names = [_digest(row) for row in rows]
        numbers = [1] * len(names)
        nothing = bytes(len(names))
        for repeat in self._seen.repeats(names, nothing, nothing):
            name = names[repeat.position]
            numbers[repeat.position] = self._more[name] = self._more.get(name, 1) + 1
        new = [name for name, number in zip(names, numbers, strict=True) if number == 1]
        self._seen.add_keys(new)
        return [f"{name}-{number}" for name, number in zip(names, numbers, strict=True)]

    def close(self) -> None:
        """Removes what was moved to a file."""
        self._seen.close()


def _digest(row: Sequence[str | None]) -> str:
    text = "\x1f".join(["" if cell is None else cell for cell in row])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
