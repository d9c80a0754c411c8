"""Customers by source and ref, with their contact points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any

from sqlalchemy import BIGINT, TEXT, bindparam, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from ...declarations import CUSTOMER
from ...entities.address import address_key
from .block import CREATED, UPDATED, Block, Written
from .statements import Statements
from .upsert import ID, NO_POINT, VALUES, Stored, Upsert, first_positions, pick, spread
from .versioned import Versioned

if TYPE_CHECKING:
    from ..protection import Protection
    from ..store import Tx

OWNER = "owner"


class CustomerUpsert(Upsert):
    """Customers by ``(source, ref)``, with their contact points."""

    def __init__(self, statements: Statements, source: str) -> None:
        super().__init__(statements, CUSTOMER, source)
        self.table = Versioned(statements, CUSTOMER, "id")
        # By (kind, label) and customer: (kind, label, customer, id, value) of the first in order.
        self.points: dict[tuple[str, str], dict[int, Stored]] = {}

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
                select(ref.ref, c.id, c.valid_from, *(c[n] for n in names))
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
            self._find_points(connection, block.contacts)
        return self._stale(connection, self.table, block.refs, block)

    def _find_points(self, connection: Connection, mapped: Iterable[tuple[str, str]]) -> None:
        s = self.statements
        p = s.table("contact_point").c

        def build() -> Select[Any]:
            return (
                select(p.kind, p.label, p.customer_id, p.id, p.value)
                .where(s.among(p.customer_id, "ids", ids=True))
                .order_by(p.position.desc(), p.id.desc())
            )

        self.points = {point: {} for point in mapped}
        ids = s.listed(sorted(row[ID] for row in self.found.values()))
        get = self.points.get
        for row in s.fetch(connection, "points", build, {"ids": ids}):
            # Last in this order is the first one, which stands.
            if (points := get(row[:2])) is not None:
                points[row[2]] = row

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
            and not self._is_past(ref, block, i)
        ]
        if not moved:
            return []
        ownership = self.statements.store.ownership
        held = ownership.protected_from({customer: given[i] for i, customer in moved}, tx=tx)
        return [(i, held[customer]) for i, customer in moved if customer in held]

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
        for position, ((kind, label), values) in enumerate(block.contacts.items()):
            given = pick(values, at_rows)
            present = [v is not None for v in given]
            self._add_points(
                tx, kind, label, position,
                list(compress(new_ids, present)), list(compress(given, present)),
            )  # fmt: skip

    def _add_points(
        self, tx: Tx, kind: str, label: str, position: int, customers: list[int], values: list[str]
    ) -> None:
        s = self.statements
        s.insert(
            tx.connection,
            s.table("contact_point"),
            {
                "id": tx.take_ids(len(customers)),
                "customer_id": customers,
                "kind": repeat(kind),
                "value": values,
                "label": repeat(label),
                "position": repeat(position),
                "address_key": [address_key(kind, value) for value in values],
                "tx": repeat(tx.id),
            },
            len(customers),
        )

    def _change(self, tx: Tx, block: Block, old: list[tuple[str, int]], at: Any) -> dict[str, int]:
        names = list(block.columns)
        new = list(zip(*block.columns.values(), strict=True)) if names else repeat(())
        values = new if isinstance(new, list) else [()] * block.size
        if "kind" in names:
            # A customer always has a kind; a missing one leaves what is stored.
            k = names.index("kind")
            values = [
                v if v[k] is not None else (*v[:k], self._kind_of(block, i), *v[k + 1 :])
                for i, v in enumerate(values)
            ]
        moved = self._change_points(tx, block, old)
        found = self.found
        changed = [(r, i) for r, i in old if found[r][VALUES] != values[i] or r in moved]
        self.table.change(
            tx.connection,
            tx.id,
            [*names, "updated_at"],
            [found[r][ID] for r, _ in changed],
            [self._since(r, block, i, at) for r, i in changed],
            [(*values[i], at) for _, i in changed],
        )
        if OWNER in names:
            place = names.index(OWNER)
            self.statements.store.ownership.changed(
                {found[r][ID]: (found[r][VALUES][place], values[i][place]) for r, i in changed},
                rule="import", reason=f"import of {self.source}", tx=tx,
            )  # fmt: skip
        return dict.fromkeys((r for r, _ in changed), UPDATED)

    def _kind_of(self, block: Block, position: int) -> str:
        stored = self.found.get(block.refs[position])
        names = list(block.columns)
        return str(stored[VALUES][names.index("kind")]) if stored else "person"

    def _change_points(self, tx: Tx, block: Block, old: list[tuple[str, int]]) -> set[str]:
        """Brings the mapped contact points up to date; returns the refs whose points changed."""
        s, moved = self.statements, set()
        table = s.table("contact_point")
        updates, deletes = [], []
        found = self.found
        for position, ((kind, label), values) in enumerate(block.contacts.items()):
            added: list[tuple[int, str]] = []
            get = self.points[kind, label].get
            for ref, i in old:
                if get(found[ref][ID], NO_POINT)[4] == values[i]:
                    continue
                customer, value = found[ref][ID], values[i]
                point = get(customer, NO_POINT)[3]
                moved.add(ref)
                if point is None:
                    added.append((customer, value))
                elif value is None:
                    deletes.append({"_id": point})
                else:
                    key = address_key(kind, value)
                    updates.append({"_id": point, "_value": value, "_key": key, "_tx": tx.id})
            self._add_points(
                tx, kind, label, position, [c for c, _ in added], [v for _, v in added]
            )
        by_id = table.c.id == bindparam("_id")
        past = s.table("contact_point_history")
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
        return moved
