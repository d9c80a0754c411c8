"""What a source said last: read from the versions that its own imports have written.

A row of a file is compared with what its source said before, not with what is stored, so that a
correction made by hand stays until the row itself changes (design D10). Nothing is kept for that: the
transactions of a source's imports are known, and so is each version that they wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from ..imports import imported_by
from .statements import Statements
from .versioned import Versioned

# One version: its number, its transaction, the values asked for, and all others.
Version = Sequence[Any]
UNSAID = object()


class Feed:
    """The imports of one source.

    Args:
        source: as the runs of the imports name it.
    """

    def __init__(self, statements: Statements, source: str) -> None:
        self.statements, self.source = statements, source
        self._mine: dict[int, bool] = {}

    def join(self, tx: int) -> None:
        """Makes an open transaction one of the source's, before its run can be looked up."""
        self._mine[tx] = True

    def others(self, connection: Connection, txs: Iterable[int]) -> set[int]:
        """Those of some transactions that are not of imports of this source."""
        asked = set(txs)
        unknown = asked - self._mine.keys()
        if unknown:
            found = imported_by(self.statements.store, connection, unknown, self.source)
            self._mine |= {tx: tx in found for tx in unknown}
        return {tx for tx in asked if not self._mine[tx]}

    def said(
        self, connection: Connection, table: Versioned, names: tuple[str, ...], ids: set[int]
    ) -> dict[int, list[Any]]:
        """What the source said last of some rows, value by value in storage form.

        A value is what the source's own version last changed it to. Where such a version left one as
        it was and changed another, the source need not have spoken of it (two profiles of one source
        map different columns), so what it said before holds; a version that changed nothing is there
        to say that the source agrees with somebody else.

        Returns:
            By id the values in the order of ``names``; rows of which it said nothing are left out.
        """
        found: dict[int, list[Any]] = {}
        size = len(names)
        for key, versions in _versions(self.statements, connection, table, names, ids).items():
            others = self.others(connection, (version[1] for version in versions))
            known: list[Any] = [UNSAID] * size
            before: Version = ()
            for _, writer, *values in versions:
                if writer not in others:
                    agrees = values == before
                    known = [
                        now if agrees or was is UNSAID or now != earlier else was
                        for now, was, earlier in zip(
                            values[:size], known, before[:size] or known, strict=True
                        )
                    ]
                    found[key] = known
                before = values
        return found


# Columns that say when and by whom a version was written, and nothing of what it says.
_ABOUT_VERSIONS = frozenset(
    "version valid_from valid_to tx closed_tx created_at updated_at".split()
)


def _versions(
    statements: Statements, connection: Connection, table: Versioned, names: tuple[str, ...],
    ids: set[int],
) -> Mapping[int, list[Version]]:  # fmt: skip
    """Every version of some rows, oldest first."""
    out: dict[int, list[Version]] = {}
    stored = {c.name for c in table.current.columns} & {c.name for c in table.history.columns}
    rest = sorted(stored - {table.key, *names} - _ABOUT_VERSIONS)
    for part in (table.history, table.current):
        c = part.c

        def build(c: Any = c) -> Select[Any]:
            asked = select(c[table.key], c.version, c.tx, *(c[n] for n in (*names, *rest)))
            return asked.where(statements.among(c[table.key], "ids", ids=True))

        for row in statements.fetch(
            connection, ("versions", part.name, names), build, {"ids": statements.listed(ids)}
        ):
            out.setdefault(row[0], []).append(row[1:])
    for versions in out.values():
        versions.sort(key=lambda version: version[0])
    return out
