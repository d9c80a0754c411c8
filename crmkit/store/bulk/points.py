"""Contact points of customers in bulk: those stored, those that a source said, what a row changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen
from sqlalchemy import BIGINT, bindparam, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from ...entities.address import address_key
from .block import Slot
from .statements import Statements

if TYPE_CHECKING:
    from ..store import Tx
    from .feed import Feed

# A point as the driver gave it: kind and label (its slot), customer, id, value, transaction.
Point = tuple[Any, ...]
SLOT, CUSTOMER, ID, VALUE, TX = slice(0, 2), 2, 3, 4, 5


@frozen
class Move:
    """What a row changes in the contact points of one customer and slot.

    Attributes:
        updates: stored points with the value that each gets; ``adds`` are values, ``deletes`` points.
    """

    customer: int
    slot: Slot
    updates: tuple[tuple[Point, str], ...] = ()
    adds: tuple[str, ...] = ()
    deletes: tuple[Point, ...] = ()


@define
class Points:
    """The contact points of a batch's customers, in the slots that its profile maps."""

    statements: Statements
    # The first point of each slot and customer, which is the only one of nearly every customer, and
    # the others.
    first: dict[Slot, dict[int, Point]] = field(factory=dict)
    others: dict[tuple[Slot, int], list[Point]] = field(factory=dict)
    # The transactions that wrote these points.
    writers: set[int] = field(factory=set)
    # Kind and value of what customers merged into these bring: it counts as theirs, and is not moved.
    brought: dict[int, set[tuple[str, str]]] = field(factory=dict)

    def find(self, connection: Connection, slots: Iterable[Slot], ids: Collection[int]) -> None:
        """Looks the points of these customers up."""
        self.first, self.others, self.brought = {slot: {} for slot in slots}, {}, {}
        get = self.first.get
        rows = self._read(connection, ids)
        self.writers = {row[TX] for row in rows}
        for row in rows:
            if (points := get(row[SLOT])) is not None and points.setdefault(
                row[CUSTOMER], row
            ) is not row:
                self.others.setdefault((row[SLOT], row[CUSTOMER]), []).append(row)
        members = self._members(connection, ids)
        for row in self._read(connection, members) if members else ():
            self.brought.setdefault(members[row[CUSTOMER]], set()).add((row[0], row[VALUE]))

    def of(self, slot: Slot, customer: int) -> list[Point]:
        """The points of a customer in one slot, in their order."""
        point = self.first[slot].get(customer)
        return [] if point is None else [point, *self.others.get((slot, customer), ())]

    def _read(self, connection: Connection, ids: Iterable[int]) -> list[Point]:
        s = self.statements
        p = s.table("contact_point").c

        def build() -> Select[Any]:
            columns = (p.kind, p.label, p.customer_id, p.id, p.value, p.tx)
            found = select(*columns).where(s.among(p.customer_id, "ids", ids=True))
            return found.order_by(p.position, p.id)

        return s.fetch(connection, "points", build, {"ids": s.listed(sorted(ids))})

    def _members(self, connection: Connection, ids: Iterable[int]) -> dict[int, int]:
        """Customers merged into these, however often, with the one that each stands for."""
        s = self.statements
        c = s.table("customer").c

        def build() -> Select[Any]:
            return select(c.id, c.merged_into).where(s.among(c.merged_into, "ids", ids=True))

        found: dict[int, int] = {}
        above = {i: i for i in ids}
        while above:
            rows = s.fetch(connection, "members", build, {"ids": s.listed(sorted(above))})
            above = {row[0]: above[row[1]] for row in rows}
            found |= above
        return found

    def move(
        self, slot: Slot, customer: int, given: Sequence[str | None], *, clears: bool,
        others: Collection[int],
    ) -> Move | None:  # fmt: skip
        """What a row's values change in a slot; None if nothing.

        A value that is stored already stays where it is. Another takes the place of a point that the
        row does not name, first of those that its source wrote; from a slot of several columns no
        other point is taken, because a second number that somebody added is not an old first one.

        Args:
            given: the row's value of each column of the slot.
            clears: whether a missing value removes a point.
            others: transactions that are not of the row's source.
        """
        points = self.of(slot, customer)
        wanted = list(dict.fromkeys(v for v in given if v is not None))
        there = {point[VALUE] for point in points}
        there |= {value for kind, value in self.brought.get(customer, ()) if kind == slot[0]}
        lacking = [value for value in wanted if value not in there]
        blanks = sum(v is None for v in given) if clears else 0
        if not lacking and not blanks:
            return None
        free = [point for point in points if point[VALUE] not in wanted]
        free.sort(key=lambda point: point[TX] in others)
        if len(given) > 1:
            free = [point for point in free if point[TX] not in others]
        updates = tuple(zip(free, lacking, strict=False))
        adds = tuple(lacking[len(updates) :])
        deletes = tuple(free[len(updates) :][:blanks])
        return Move(customer, slot, updates, adds, deletes) if updates or adds or deletes else None

    def foreign(self, ids: Iterable[int], others: Collection[int]) -> set[int]:
        """Customers of whom somebody else has written a point of these slots."""
        if self.writers.isdisjoint(others):
            return set()
        return {i for i in ids for s in self.first if any(p[TX] in others for p in self.of(s, i))}

    def said(
        self, connection: Connection, feed: Feed, ids: Collection[int]
    ) -> dict[tuple[int, Slot], set[str]]:
        """The values of each customer and slot that the source has given and not taken back.

        A point that somebody else has removed since was still said; one removed before the source
        last wrote into its slot was said again by then, or taken back.
        """
        s = self.statements
        past = s.table("contact_point_history").c
        rows = [(*row, None) for row in self._read(connection, ids)]

        def build() -> Select[Any]:
            columns = (past.kind, past.label, past.customer_id, past.id, past.value, past.tx)
            found = select(*columns, past.closed_tx)
            return found.where(s.among(past.customer_id, "ids", ids=True))

        rows += s.fetch(connection, "past points", build, {"ids": s.listed(sorted(ids))})
        others = feed.others(connection, {tx for row in rows for tx in row[TX:] if tx is not None})
        last: dict[tuple[int, Slot], int] = {}
        for row in rows:
            key = (row[CUSTOMER], row[SLOT])
            mine = [tx for tx in row[TX:] if tx is not None and tx not in others]
            last[key] = max(last.get(key, 0), *mine, 0)
        found: dict[tuple[int, Slot], set[str]] = {}
        for row in rows:
            key = (row[CUSTOMER], row[SLOT])
            closed = row[-1]
            if row[TX] not in others and (
                closed is None or (closed in others and closed > last[key])
            ):
                found.setdefault(key, set()).add(row[VALUE])
        return found

    # --- writing ------------------------------------------------------------------------------

    def add(
        self, tx: Tx, slot: Slot, position: int, customers: list[int], values: list[str]
    ) -> None:
        """Writes new points of one slot."""
        self.statements.insert(
            tx.connection,
            self.statements.table("contact_point"),
            {
                "id": tx.take_ids(len(customers)),
                "customer_id": customers,
                "kind": repeat(slot[0]),
                "value": values,
                "label": repeat(slot[1]),
                "position": repeat(position),
                "address_key": [address_key(slot[0], value) for value in values],
                "tx": repeat(tx.id),
            },
            len(customers),
        )

    def write(self, tx: Tx, moves: Iterable[Move], places: dict[Slot, int]) -> None:
        """Makes the changes; what they end is kept, so that the import can be reverted.

        Args:
            places: the position of the first point of each slot.
        """
        s = self.statements
        updates: list[dict[str, Any]] = []
        deletes: list[dict[str, Any]] = []
        added: dict[tuple[Slot, int], tuple[list[int], list[str]]] = {}
        for move in moves:
            updates += (
                {"_id": p[ID], "_value": v, "_key": address_key(move.slot[0], v), "_tx": tx.id}
                for p, v in move.updates
            )
            deletes += ({"_id": p[ID]} for p in move.deletes)
            first = len(self.of(move.slot, move.customer)) - len(move.deletes)
            for n, value in enumerate(move.adds, first):
                customers, values = added.setdefault((move.slot, places[move.slot] + n), ([], []))
                customers.append(move.customer)
                values.append(value)
        for (slot, position), (customers, values) in added.items():
            self.add(tx, slot, position, customers, values)
        table, past = s.table("contact_point"), s.table("contact_point_history")
        by_id = table.c.id == bindparam("_id")
        kept = [*table.columns, bindparam("_tx", type_=BIGINT())]
        # What this very transaction wrote is not worth keeping: it may change a point twice.
        ending = select(*kept).where(by_id, table.c.tx != bindparam("_tx", type_=BIGINT()))
        s.many(
            tx.connection,
            insert(past).from_select([c.name for c in past.columns], ending),
            [{"_id": row["_id"], "_tx": tx.id} for row in (*updates, *deletes)],
        )
        s.many(
            tx.connection,
            table.update()
            .where(by_id)
            .values(value=bindparam("_value"), address_key=bindparam("_key"), tx=bindparam("_tx")),
            updates,
        )
        s.many(tx.connection, table.delete().where(by_id), deletes)
