"""What the four kinds of upsert have in common: stored rows compared with new ones."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from .block import UNCHANGED, UPDATED, Block, Values, Written
from .statements import Statements
from .versioned import Versioned

if TYPE_CHECKING:
    from ..store import Tx
    from .feed import Feed


# A stored row is the bare tuple that the driver gave: its key, its id, since when it is true (of an
# interaction: its revision), who wrote it, and the compared values. Objects of a class would be tracked by the
# garbage collector, which then took half the time of an import that finds its rows stored.
Stored = tuple[Any, ...]
ID, SINCE, TX, VALUES = 1, 2, 3, slice(4, None)


class Upsert:
    """Base of the four kinds: keeps what :meth:`prepare` found for :meth:`write`."""

    # Whether rows are filed and never changed: then nothing is said of one a second time.
    only_new = False

    def __init__(
        self, statements: Statements, entity: str, source: str, feed: Feed | None = None
    ) -> None:
        """An upsert.

        Args:
            feed: whose rows they are, to be compared with what it said last; None compares them
                with what is stored.
        """
        self.statements, self.entity, self.source, self.feed = statements, entity, source, feed
        # How many rows said what they said before, so that what was changed since was kept.
        self.kept = 0
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
            held = stored[VALUES][: len(names)] if held is None else held
            if held in (values, filled(values, held, names, block.clears)):
                self.past.add((keys[i], since[i]))
            else:
                stale.append((i, stored[SINCE]))
        return stale

    def _since(self, key: Any, block: Block, position: int, at: Any) -> Any:
        """Since when a changed row is true: never before the version that it replaces."""
        given = at if block.valid_from is None else block.valid_from[position]
        return max(given, self.found[key][SINCE])

    def _others(self, tx: Tx, stored: Iterable[Stored]) -> set[int]:
        """The transactions that wrote some stored rows and are not of this source's imports."""
        if self.feed is None:
            return set()
        self.feed.join(tx.id)
        return self.feed.others(tx.connection, {row[TX] for row in stored})

    def _foreign(self, tx: Tx, table: Versioned, changed: Collection[Any]) -> set[Any]:
        """The stored rows of which somebody else wrote the version that stands.

        Of rows that are to change also those with an earlier version of somebody else: what it
        corrected stands in the later versions of the source as well.
        """
        if self.feed is None:
            return set()
        others = self._others(tx, self.found.values())
        foreign = {key for key, row in self.found.items() if row[TX] in others} if others else set()
        by_id = {self.found[key][ID]: key for key in changed if key not in foreign}
        past = table.writers(tx.connection, by_id)
        others = self.feed.others(tx.connection, {writer for _, writer in past})
        return foreign | {by_id[key] for key, writer in past if writer in others}

    def _said(
        self, tx: Tx, table: Versioned, names: tuple[str, ...], keys: Collection[Any]
    ) -> dict[int, list[Any]]:
        """By id what the source said last of some stored rows."""
        if self.feed is None or not keys:
            return {}
        ids = {self.found[key][ID] for key in keys}
        return self.feed.said(tx.connection, table, names, ids)

    def _restate(
        self, tx: Tx, table: Versioned, block: Block, agreed: Mapping[Any, int], at: Any
    ) -> None:
        """Writes versions that change nothing: the source says of these rows what is stored."""
        if self.only_new:
            return
        table.change(
            tx.connection,
            tx.id,
            (),
            [self.found[key][ID] for key in agreed],
            [self._since(key, block, i, at) for key, i in agreed.items()],
            [()] * len(agreed),
        )

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


def filled(
    new: tuple[Any, ...], stored: tuple[Any, ...], names: Sequence[str], clears: Container[Any]
) -> tuple[Any, ...]:
    """The new values, and what is stored where one is missing and does not clear it."""
    return tuple(
        old if value is None and name not in clears else value
        for value, old, name in zip(new, stored, names, strict=True)
    )


def differing(
    upsert: Upsert, block: Block, rows: Iterable[tuple[Any, int]], new: Sequence[tuple[Any, ...]]
) -> dict[Any, tuple[int, tuple[Any, ...]]]:
    """The stored rows that a block changes, with their position and the values that they get.

    Args:
        rows: key and position of each row that is stored.
        new: values of each row of the block, in the order of its columns.
    """
    names, found = tuple(block.columns), upsert.found
    unlike = [(key, i) for key, i in rows if found[key][VALUES] != new[i]]
    if not unlike or None not in chain.from_iterable(new[i] for _, i in unlike):
        return {key: (i, new[i]) for key, i in unlike}
    whole = ((key, i, filled(new[i], found[key][VALUES], names, block.clears)) for key, i in unlike)
    return {key: (i, values) for key, i, values in whole if values != found[key][VALUES]}


def says_again(
    said: Sequence[Any] | None, new: tuple[Any, ...], names: Sequence[str], clears: Container[Any]
) -> bool:
    """Whether a row says what its source said last; a blank that clears nothing says nothing."""
    return said is not None and all(
        value == known or (value is None and name not in clears)
        for value, known, name in zip(new, said, names, strict=True)
    )


def change_rows(
    upsert: Upsert, table: Versioned, tx: Tx, block: Block, first: Mapping[Any, int], at: Any
) -> dict[Any, int]:
    """Writes a new version of each stored row of which the block says something new.

    Where somebody else wrote what is stored, a row is compared with what its source said last: one
    that says the same leaves it. One that now agrees with what is stored gets a version of its own,
    so that the next row is compared with that.
    """
    found = upsert.found
    if not found:
        return {}
    names = tuple(block.columns)
    new = list(zip(*block.columns.values(), strict=True)) if names else [()] * block.size
    rows = [(key, i) for key, i in first.items() if key in found]
    if block.valid_from is not None:
        rows = [(key, i) for key, i in rows if not upsert._is_past(key, block, i)]
    changed = differing(upsert, block, rows, new)
    agreed: dict[Any, int] = {}
    foreign = upsert._foreign(tx, table, changed)
    said = upsert._said(tx, table, names, foreign)
    for key, i in rows if foreign else ():
        if key not in foreign:
            continue
        if says_again(said.get(found[key][ID]), new[i], names, block.clears):
            upsert.kept += changed.pop(key, None) is not None
        elif key not in changed:
            agreed[key] = i
    table.change(
        tx.connection,
        tx.id,
        names,
        [found[key][ID] for key in changed],
        [upsert._since(key, block, i, at) for key, (i, _) in changed.items()],
        [values for _, values in changed.values()],
    )
    upsert._restate(tx, table, block, agreed, at)
    return dict.fromkeys(changed, UPDATED)


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
