"""Who is stored of a source but missing from a file that claims to hold everybody (``mode = "full"``).

They are listed and left as they are: a short file may be a broken export, and whether its absent
customers have gone is for a person to say.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from ..declarations import CUSTOMER
from ..errors import UsageError
from .keys import SeenKeys
from .mapping import Keyed
from .plan import Plan

if TYPE_CHECKING:
    from ..store.store import Store

REFS_AT_ONCE = 10_000


def absent_file(folder: Path, import_id: int) -> Path:
    """Where those absent from a full extract are flagged."""
    return folder / f"absent-{import_id}.csv"


def read_absent(path: Path) -> list[dict[str, str]]:
    """``source`` and ``ref`` of each customer flagged as absent.

    Raises:
        UsageError: if that import flagged nobody because its file was no full extract.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except FileNotFoundError:
        raise UsageError(
            f"there is no {path.name}: that import was no complete full extract.",
            hint='Only a profile with mode = "full" says who is absent.',
        ) from None


class Present:
    """The customers' refs that stand in a file, rejected rows included."""

    def __init__(self, plan: Plan) -> None:
        self._emits = {i: e.source for i, e in enumerate(plan.emits) if e.kind == CUSTOMER}
        self._seen = {source: SeenKeys() for source in self._emits.values()}

    def add(self, keyed: Keyed) -> None:
        """Notes the refs of a batch."""
        for index, source in self._emits.items():
            refs = [ref for ref in keyed.emits[index].refs if ref is not None]
            self._seen[source].add_keys(refs)

    def absent(self, store: Store) -> Iterator[tuple[str, str]]:
        """``(source, ref)`` of each stored customer that the file leaves out, in order."""
        table = store.tables["customer_ref"]
        for source, seen in sorted(self._seen.items()):
            query = select(table.c.ref).where(table.c.source == source).order_by(table.c.ref)
            with store.read() as connection:
                for part in connection.execute(query).scalars().partitions(REFS_AT_ONCE):
                    known = set(seen.known(part))
                    yield from ((source, ref) for ref in part if ref not in known)

    def close(self) -> None:
        """Removes temporary files."""
        for seen in self._seen.values():
            seen.close()
