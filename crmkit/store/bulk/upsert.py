"""What the four kinds of upsert have in common: stored rows compared with new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from .block import UNCHANGED, UPDATED, Block, Values, Written
from .statements import Statements
from .versioned import Versioned

if TYPE_CHECKING:
    from ..store import Tx


# A stored row is the bare tuple that the driver gave: its key, its id, since when it is true (of an
# interaction: its revision), and the compared values. Objects of a class would be tracked by the
# garbage collector, which then took half the time of an import that finds its rows stored.
Stored = tuple[Any, ...]
ID, SINCE, VALUES = 1, 2, slice(3, None)
NO_POINT: Stored = (None, None, None, None, None)


class Upsert:
    """Base of the four kinds: keeps what :meth:`prepare` found for :meth:`write`."""

    table_name = ""

    def __init__(self, statements: Statements, entity: str, source: str) -> None:
        self.statements, self.entity, self.source = statements, entity, source
        self.found: dict[Any, Stored] = {}
        # Rows that say what an earlier version said: (key, effective time). There is nothing to do.
        self.past: set[tuple[Any, Any]] = set()

    def _stale(
        self, connection: Connection, table: Versioned, keys: Sequence[Any], block: Block
    ) -> list[tuple[int, Any]]:
        """Positions whose effective time is before the stored one, with the stored one.

        A row that agrees with the version that held at its effective time is no news, as when the
        files of a year are read again; it is kept in ``past`` and left out here.
        """
        self.past = set()
        if block.valid_from is None or not self.found:
            return []
        get = self.found.get
        since = block.valid_from
        older = [
            (i, stored)
            for i, key in enumerate(keys)
            if (stored := get(key)) is not None and since[i] < stored[SINCE]
        ]
        if not older:
            return []
        names = tuple(block.columns)
        versions = table.versions(connection, names, {stored[ID] for _, stored in older})
        stale = []
        for i, stored in older:
            values = tuple(block.columns[name][i] for name in names)
            held = _held(versions.get(stored[ID], ()), since[i])
            # Before the first version nothing contradicts a row that says what is stored now.
            if (stored[VALUES][: len(names)] if held is None else held) == values:
                self.past.add((keys[i], since[i]))
            else:
                stale.append((i, stored[SINCE]))
        return stale

    def _since(self, key: Any, block: Block, position: int, at: Any) -> Any:
        """Since when a changed row is true: never before the version that it replaces."""
        given = at if block.valid_from is None else block.valid_from[position]
        return max(given, self.found[key][SINCE])

    def _is_past(self, key: Any, block: Block, position: int) -> bool:
        return block.valid_from is not None and (key, block.valid_from[position]) in self.past


def _held(versions: Sequence[tuple[Any, ...]], at: Any) -> tuple[Any, ...] | None:
    """The values of the version that held at a time; None where there was none."""
    return next((v[2:] for v in versions if v[0] <= at < v[1]), None)


def first_positions(keys: Sequence[Any]) -> dict[Any, int]:
    """The first position of every key, in order."""
    found = dict(zip(keys, range(len(keys)), strict=True))
    if len(found) < len(keys):
        for i in range(len(keys) - 1, -1, -1):
            found[keys[i]] = i
    return found


def change_rows(
    upsert: Upsert, table: Versioned, tx: Tx, block: Block, first: Mapping[Any, int], at: Any
) -> dict[Any, int]:
    """Writes a new version of each stored row that differs."""
    if not upsert.found:
        return {}
    names = list(block.columns)
    new = list(zip(*block.columns.values(), strict=True)) if names else [()] * block.size
    get = upsert.found.get
    changed = [
        (key, i)
        for key, i in first.items()
        if (stored := get(key)) is not None
        and stored[VALUES] != new[i]
        and not upsert._is_past(key, block, i)
    ]
    table.change(
        tx.connection,
        tx.id,
        names,
        [upsert.found[key][ID] for key, _ in changed],
        [upsert._since(key, block, i, at) for key, i in changed],
        [new[i] for _, i in changed],
    )
    return dict.fromkeys((key for key, _ in changed), UPDATED)


def spread(
    keys: Sequence[Any],
    first: Mapping[Any, int],
    ids: Mapping[Any, int],
    outcomes: Mapping[Any, int],
) -> Written:
    """Results per key, laid out per row: a repeated key has its id again and no outcome of its own."""
    found = list(map(ids.__getitem__, keys))
    marks = [outcomes.get(k, UNCHANGED) for k in keys]
    if len(first) < len(keys):
        marks = [
            m if first[k] == i else UNCHANGED
            for i, (k, m) in enumerate(zip(keys, marks, strict=True))
        ]
    return Written(found, marks)


def pick(values: Values, rows: list[int]) -> Values:
    """The values at those positions; the sequence itself where that is all of it, in order."""
    if len(rows) == len(values):
        return values
    return [values[i] for i in rows]
