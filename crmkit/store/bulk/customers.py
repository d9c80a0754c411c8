"""Customers by source and ref, with their contact points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from sqlalchemy import TEXT, bindparam, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from ...declarations import CUSTOMER
from .block import CREATED, UPDATED, Block, Slot, Written
from .points import TX as TX_OF
from .points import VALUE, Move, Points
from .statements import Statements
from .upsert import (
    ID,
    TX,
    VALUES,
    Upsert,
    differing,
    first_positions,
    pick,
    says_again,
    spread,
)
from .versioned import Versioned

if TYPE_CHECKING:
    from ..protection import Protection
    from ..store import Tx
    from .feed import Feed

OWNER = "owner"


class CustomerUpsert(Upsert):
    """Customers by ``(source, ref)``, with their contact points."""

    def __init__(self, statements: Statements, source: str, feed: Feed | None = None) -> None:
        super().__init__(statements, CUSTOMER, source, feed)
        self.table = Versioned(statements, CUSTOMER, "id")
        self.points = Points(statements)

    def prepare(
        self, connection: Connection, block: Block, refs: Iterable[str]
    ) -> list[tuple[int, Any]]:
        """Looks up the customers of ``refs``, which may leave out refs that are surely new.

        Returns:
            Rows whose effective time is before the stored one: ``(position, stored time)``.
        """
        names = tuple(block.columns)
        s, c = self.statements, self.table.current.c
        ref = s.table("customer_ref").c
        wanted = list(dict.fromkeys(refs))
        self.found = {}
        if not wanted:
            return []

        def build() -> Select[Any]:
            return (
                select(ref.ref, c.id, c.valid_from, c.tx, *(c[n] for n in names))
                .select_from(ref.ref.table.join(c.id.table, c.id == ref.customer_id))
                .where(
                    ref.source == bindparam("source", type_=TEXT()),
                    s.among(ref.ref, "refs", ids=False),
                )
            )

        rows = s.fetch(
            connection, ("customer", names), build,
            {"source": self.source, "refs": s.listed(wanted)},
        )  # fmt: skip
        self.found = {row[0]: row for row in rows}
        if block.contacts and self.found:
            ids = {row[ID] for row in self.found.values()}
            self.points.find(connection, block.contacts, ids)
        return self._stale(connection, self.table, block.refs, block)

    def protected(self, tx: Tx, block: Block) -> list[tuple[int, Protection]]:
        """Positions of rows that give away customers whose renewals are another's, each with why."""
        given = block.columns.get(OWNER)
        if given is None or not self.found:
            return []
        place = VALUES.start + list(block.columns).index(OWNER)
        moved = [
            (i, stored[ID])
            for i, ref in enumerate(block.refs)
            if (stored := self.found.get(ref)) is not None
            and stored[place] != given[i]
            and (given[i] is not None or OWNER in block.clears)
            and not self._is_past(ref, block, i)
        ]
        moved = self._news(tx, block, moved)
        if not moved:
            return []
        ownership = self.statements.store.ownership
        held = ownership.protected_from({customer: given[i] for i, customer in moved}, tx=tx)
        return [(i, held[customer]) for i, customer in moved if customer in held]

    def _news(self, tx: Tx, block: Block, rows: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Positions and ids of those rows that say something else than their source said last."""
        if self.feed is None or not rows:
            return rows
        self.feed.join(tx.id)
        names = tuple(block.columns)
        new = list(zip(*block.columns.values(), strict=True))
        said = self.feed.said(tx.connection, self.table, names, {i for _, i in rows})
        return [
            (i, customer)
            for i, customer in rows
            if not says_again(said.get(customer), new[i], names, block.clears)
        ]

    def write(self, tx: Tx, block: Block) -> Written:
        """Creates the new customers, changes those that differ, and says what became of each."""
        at = self.statements.instant(tx.at)
        first = first_positions(block.refs)
        fresh = [r for r in first if r not in self.found]
        ids = {ref: stored[ID] for ref, stored in self.found.items()}
        ids |= zip(fresh, tx.take_ids(len(fresh)), strict=True)
        if fresh:
            self._create(tx, block, fresh, [first[r] for r in fresh], ids, at)
        outcomes = dict.fromkeys(fresh, CREATED)
        if len(fresh) < len(first):
            old = [
                (r, i)
                for r, i in first.items()
                if r in self.found and not self._is_past(r, block, i)
            ]
            outcomes |= self._change(tx, block, old, at)
        written = sum(map(bool, outcomes.values()))
        tx.count(CUSTOMER, written)
        return spread(block.refs, first, ids, outcomes)

    def _create(
        self,
        tx: Tx,
        block: Block,
        refs: list[str],
        at_rows: list[int],
        ids: Mapping[str, int],
        at: Any,
    ) -> None:
        connection, s, size = tx.connection, self.statements, len(refs)
        new_ids = [ids[r] for r in refs]
        columns = {n: pick(v, at_rows) for n, v in block.columns.items()}
        if "kind" in columns:
            columns["kind"] = [k or "person" for k in columns["kind"]]
        since = repeat(at) if block.valid_from is None else pick(block.valid_from, at_rows)
        s.insert(
            connection,
            self.table.current,
            {
                "id": new_ids,
                "kind": repeat("person"),
                **columns,
                "created_at": repeat(at),
                "updated_at": repeat(at),
                "version": repeat(1),
                "valid_from": since,
                "tx": repeat(tx.id),
            },
            size,
        )
        s.insert(
            connection,
            s.table("customer_ref"),
            {
                "source": repeat(self.source),
                "ref": refs,
                "customer_id": new_ids,
                "tx": repeat(tx.id),
            },
            size,
        )
        for slot, place in _places(block).items():
            before: list[set[str]] = [set() for _ in at_rows]
            for n, values in enumerate(block.contacts[slot]):
                new = [
                    (i, value, known)
                    for i, value, known in zip(new_ids, pick(values, at_rows), before, strict=True)
                    if value is not None and value not in known
                ]
                for _, value, known in new:
                    known.add(value)
                self.points.add(
                    tx, slot, place + n, [i for i, _, _ in new], [value for _, value, _ in new]
                )

    def _change(self, tx: Tx, block: Block, old: list[tuple[str, int]], at: Any) -> dict[str, int]:
        names, found = tuple(block.columns), self.found
        new = list(zip(*block.columns.values(), strict=True)) if names else [()] * block.size
        changed = differing(self, block, old, new)
        others = self._others(tx, found.values())
        if self.feed is not None:
            others |= self.feed.others(tx.connection, self.points.writers)
        moves = self._moves(block, old, others)
        foreign = self._foreign(tx, self.table, changed.keys() | moves.keys())
        rows: list[tuple[str, int]] = []
        if others or foreign:
            theirs = self.points.foreign({found[ref][ID] for ref, _ in old}, others)
            rows = [(ref, i) for ref, i in old if ref in foreign or found[ref][ID] in theirs]
        agreed = self._compare(tx, block, rows, new, changed, moves) if rows else {}
        written = [move for of in moves.values() for move in of]
        written += (
            move for ref, i in agreed.items() for move in self._restated(block, ref, i, others)
        )
        self.points.write(tx, written, _places(block))
        news = {
            ref: changed.get(ref, (i, found[ref][VALUES]))
            for ref, i in old
            if ref in changed or ref in moves
        }
        self.table.change(
            tx.connection,
            tx.id,
            [*names, "updated_at"],
            [found[ref][ID] for ref in news],
            [self._since(ref, block, i, at) for ref, (i, _) in news.items()],
            [(*values, at) for _, values in news.values()],
        )
        if OWNER in names:
            place = names.index(OWNER)
            self.statements.store.ownership.changed(
                {found[r][ID]: (found[r][VALUES][place], new[place]) for r, (_, new) in news.items()},
                rule="import", reason=f"import of {self.source}", tx=tx,
            )  # fmt: skip
        mine = {ref: i for ref, i in agreed.items() if found[ref][TX] in others}
        self._restate(tx, self.table, block, mine, at)
        return dict.fromkeys(news, UPDATED)

    def _restated(self, block: Block, ref: str, position: int, others: set[int]) -> Iterator[Move]:
        """Contact points of somebody else that a row names as well: its source has now said them."""
        customer = self.found[ref][ID]
        for slot, columns in block.contacts.items():
            given = {values[position] for values in columns}
            points = self.points.of(slot, customer)
            same = tuple((p, p[VALUE]) for p in points if p[TX_OF] in others and p[VALUE] in given)
            if same:
                yield Move(customer, slot, updates=same)

    def _moves(
        self, block: Block, old: Sequence[tuple[str, int]], others: set[int]
    ) -> dict[str, list[Move]]:
        """What each stored customer's row changes in its contact points."""
        moves: dict[str, list[Move]] = {}
        found = self.found
        for slot, columns in block.contacts.items():
            get, clears, single = (
                self.points.first[slot].get,
                slot in block.clears,
                len(columns) == 1,
            )
            for ref, i in old:
                if single:
                    # Nearly every row: its one number is the one that is stored.
                    value, point = columns[0][i], get(found[ref][ID])
                    if (value is None and not clears) or (point and point[VALUE] == value):
                        continue
                given = [values[i] for values in columns]
                move = self.points.move(slot, found[ref][ID], given, clears=clears, others=others)
                if move is not None:
                    moves.setdefault(ref, []).append(move)
        return moves

    def _compare(
        self, tx: Tx, block: Block, rows: Sequence[tuple[str, int]], new: Sequence[tuple[Any, ...]],
        changed: dict[str, Any], moves: dict[str, list[Move]],
    ) -> dict[str, int]:  # fmt: skip
        """Takes out what says what its source said last; gives the rows that now agree with others.

        A row is a customer's columns and contact points together: where one of them is news, the
        whole row counts.

        Args:
            rows: ref and position of the rows that somebody else has written to.
        """
        if self.feed is None:
            return {}
        found, names = self.found, tuple(block.columns)
        said = self._said(tx, self.table, names, [ref for ref, _ in rows])
        points = self.points.said(tx.connection, self.feed, {found[ref][ID] for ref, _ in rows})
        agreed: dict[str, int] = {}
        for ref, i in rows:
            key = found[ref][ID]
            if says_again(said.get(key), new[i], names, block.clears) and all(
                _says_points_again(
                    points.get((key, slot), set()), [v[i] for v in columns], slot in block.clears
                )
                for slot, columns in block.contacts.items()
            ):
                differs = ref in changed or ref in moves
                self.kept += differs
                if differs:
                    changed.pop(ref, None)
                    moves.pop(ref, None)
            elif ref not in changed and ref not in moves:
                agreed[ref] = i
        return agreed


def _says_points_again(said: set[str], given: Sequence[str | None], clears: bool) -> bool:
    """Whether a row's contact points of a slot are those that its source gave last."""
    values = {value for value in given if value is not None}
    return values == said if clears else values <= said


def _places(block: Block) -> dict[Slot, int]:
    """The position of the first contact point of each slot."""
    places: dict[Slot, int] = {}
    for slot in block.contacts:
        places[slot] = sum(len(block.contacts[before]) for before in places)
    return places
