"""Two records become one customer, and are taken apart again exactly.

A merge points the merged customer at the one that stays (``merged_into``) and moves no fact: keys,
contact points, records, interactions and relations keep their customer, and reads resolve it (design
D8). Only the values of the one that stays may change, where the other knows what it does not, where a
plugin chose the other's value, or where the other's is the stricter consent. The journal keeps these
changes, so an unmerge takes back just them: what somebody edited since stays as edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER, MergeConflict
from ..entities.fields import Field
from ..errors import NotFound, UsageError
from .customers import EDITABLE
from .gateway import Gateway
from .history import Versions
from .retry import retried
from .rows import is_in
from .types import Date, Instant

if TYPE_CHECKING:
    from .domain import DomainTable
    from .store import Store, Tx

Pair = tuple[int, int]
# By entity (``customer``, ``<plugin>.customer``) and stored column: the value before and after, as
# JSON has them. A row that the merge made has the column ``""``.
Changes = dict[str, dict[str, list[Any]]]
MADE = ""


@frozen(kw_only=True)
class Merge:
    """One customer in another.

    Attributes:
        id: of the merge; kept_id: who stays; merged_id: who went into it.
        changes: what it changed in the one that stays.
        tx: the transaction that merged; one may hold many merges.
        undone_tx: the transaction that took it back, or None while it holds.
    """

    id: int
    kept_id: int
    merged_id: int
    changes: Changes = field(factory=dict, hash=False)
    tx: int
    undone_tx: int | None = None

    @property
    def changed(self) -> list[str]:
        """The changed columns, as ``region`` and ``telecom.senior``."""
        found = []
        for entity, columns in self.changes.items():
            prefix = "" if entity == CUSTOMER else entity.partition(".")[0] + "."
            found += [prefix + name for name in columns if name != MADE]
        return sorted(found)


class Merges(Gateway):
    """Merges and their undoing."""

    def conflicts(self, pairs: Sequence[Pair]) -> list[MergeConflict]:
        """Fields in which both customers of a pair (kept, merged) have a value and differ.

        Fields declared ``stricter`` are left out: nobody may choose there.
        """
        with self._store.read() as connection:
            rows = _Rows(self._store, connection, [i for pair in pairs for i in pair])
        return [found for kept, merged in pairs for found in rows.conflicts(kept, merged)]

    @retried
    def merge(
        self, pairs: Sequence[Pair], chosen: Iterable[MergeConflict] = (), *,
        dry_run: bool = False, tx: Tx | None = None,
    ) -> list[Merge]:  # fmt: skip
        """Merges each second customer into the first, in this order and one transaction.

        Args:
            pairs: (kept, merged); nobody is merged twice, and none that is merged is kept after.
            chosen: the conflicts in which the merged customer's value survives.
            dry_run: True changes nothing and returns what would be; ids are then 0.

        Raises:
            NotFound: if a customer does not exist.
            UsageError: if one of them is merged already, or is both sides of a pair.
            NotPermitted: if the merged customer's owner would replace one whose renewals are
                protected.
        """
        taken = {(c.kept_id, c.merged_id, c.entity, c.field) for c in chosen}
        if dry_run:
            with self._store.read() as connection:
                return self._planned(connection, pairs, taken, 0, [0] * len(pairs))[1]
        with self._writing(tx, "customer merge") as own:
            ids = own.take_ids(len(pairs))
            rows, made = self._planned(own.connection, pairs, taken, own.id, ids)
            owners = rows.owners()
            self._store.ownership.check_gifts(
                {i: now for i, (before, now) in owners.items() if before is not None}, tx=own
            )
            rows.write(own)
            self._store.ownership.changed(owners, rule="merge", reason=own.command, tx=own)
            table = self._table("customer_merge")
            columns = ("id", "kept_id", "merged_id", "changes", "tx", "undone_tx")
            if made:
                own.connection.execute(
                    table.insert(), [{n: getattr(m, n) for n in columns} for m in made]
                )
            own.count("customer", len(made))
            return made

    @retried
    def unmerge(self, merges: Sequence[Merge], *, tx: Tx | None = None) -> None:
        """Takes merges back: values, and who is whose, are then as before them.

        Other merges into the same customer hold on; what they contribute is taken anew.

        Raises:
            UsageError: if one was taken back already, or the one that stayed was itself merged
                into another since, which must be taken back first.
        """
        with self._writing(tx, "customer unmerge") as own:
            kept = {m.kept_id for m in merges}
            gone = {m.id for m in merges}
            self._check_open(own.connection, merges)
            standing = [m for m in self._open(own.connection, kept) if m.kept_id in kept]
            rows = _Rows(
                self._store, own.connection,
                [i for m in standing for i in (m.kept_id, m.merged_id)],
                lock=True,
            )  # fmt: skip
            for merge in reversed(standing):
                rows.take_back(merge)
            table = self._table("customer_merge")
            for merge in standing:
                here = table.c.id == merge.id
                if merge.id in gone:
                    own.connection.execute(table.update().where(here).values(undone_tx=own.id))
                    continue
                again = rows.apply(merge.kept_id, merge.merged_id, _chosen(merge))
                if again != merge.changes:
                    own.connection.execute(table.update().where(here).values(changes=again))
            owners = rows.owners()
            rows.write(own)
            self._store.ownership.changed(owners, rule="reversal", reason=own.command, tx=own)
            own.count("customer", len(gone))

    def of_customer(self, customer_id: int) -> list[Merge]:
        """The merge that took this very customer, else those into it; oldest first, only standing ones."""
        m = self._table("customer_merge").c
        with self._store.read() as connection:
            if connection.scalar(select(func.count()).where(self._table(CUSTOMER).c.id == customer_id)) == 0:  # fmt: skip
                raise NotFound("customer", str(customer_id))
            query = select(m.id.table).where(m.undone_tx.is_(None)).order_by(m.id)
            taken = _merges(connection, query.where(m.merged_id == customer_id))
            return taken or _merges(connection, query.where(m.kept_id == customer_id))

    def joined_at(self, ids: Iterable[int], *, tx: Tx | None = None) -> dict[int, datetime]:
        """When each of these very customers was merged into another; only standing merges."""
        m, t = self._table("customer_merge").c, self._table("tx")
        with self._reading(tx) as connection:
            query = (
                select(m.merged_id, t.c.at)
                .join(t, t.c.id == m.tx)
                .where(is_in(connection, m.merged_id, ids), m.undone_tx.is_(None))
            )
            return {row.merged_id: row.at for row in connection.execute(query)}

    def of_run(self, tx_id: int) -> list[Merge]:
        """The merges of one transaction that still stand, in their order."""
        m = self._table("customer_merge").c
        query = select(m.id.table).where(m.tx == tx_id, m.undone_tx.is_(None)).order_by(m.id)
        with self._store.read() as connection:
            return _merges(connection, query)

    def all(self) -> list[Merge]:
        """Every merge that there was, oldest first, those taken back as well."""
        m = self._table("customer_merge").c
        with self._store.read() as connection:
            return _merges(connection, select(m.id.table).order_by(m.id))

    # --- rows ---------------------------------------------------------------------------------

    def _planned(
        self, connection: Connection, pairs: Sequence[Pair], taken: set[tuple[int, int, str, str]],
        tx_id: int, ids: Sequence[int],
    ) -> tuple[_Rows, list[Merge]]:  # fmt: skip
        ids_asked = [i for pair in pairs for i in pair]
        rows = _Rows(self._store, connection, ids_asked, lock=tx_id != 0)
        made = []
        for merge_id, (kept, merged) in zip(ids, pairs, strict=True):
            chosen = {(e, f) for k, m, e, f in taken if (k, m) == (kept, merged)}
            rows.check_free(kept, merged)
            changes = rows.apply(kept, merged, chosen)
            made.append(
                Merge(id=merge_id, kept_id=kept, merged_id=merged, changes=changes, tx=tx_id)
            )
        return rows, made

    def _open(self, connection: Connection, kept: Iterable[int]) -> list[Merge]:
        m = self._table("customer_merge").c
        query = select(m.id.table).where(
            is_in(connection, m.kept_id, kept), m.undone_tx.is_(None)
        )  # fmt: skip
        return _merges(connection, query.order_by(m.id))

    def _check_open(self, connection: Connection, merges: Sequence[Merge]) -> None:
        standing = {m.id for m in self._open(connection, {m.kept_id for m in merges})}
        if any(m.id not in standing for m in merges):
            raise UsageError("this merge was taken back already.", hint="Nothing was changed.")
        c = self._table(CUSTOMER).c
        ids = {m.kept_id for m in merges} - {m.merged_id for m in merges}
        inside = connection.scalar(
            select(c.id).where(is_in(connection, c.id, ids), c.merged_into.is_not(None))
        )
        if inside is not None:
            raise UsageError(
                f"customer {inside} was itself merged into another since.",
                hint=f"Take that back first: crmkit customer unmerge {inside}",
            )


def _merges(connection: Connection, query: Any) -> list[Merge]:
    return [Merge(**row) for row in connection.execute(query).mappings()]


def _chosen(merge: Merge) -> set[tuple[str, str]]:
    """The columns where the merge replaced a value: taken by choice, and so again."""
    return {
        (entity, name)
        for entity, columns in merge.changes.items()
        for name, (before, _) in columns.items()
        if name != MADE and before is not None
    }


@frozen
class _Part:
    """The customer's own columns, or a plugin's fields: one table with its history."""

    entity: str
    made: Versions
    columns: tuple[str, ...]
    fields: tuple[Field, ...] = ()

    def groups(self) -> Iterator[tuple[str, tuple[str, ...], bool | None]]:
        """Each field with its columns and its stricter value."""
        if not self.fields:
            for name in self.columns:
                yield name, (name,), None
        for f in self.fields:
            yield f.name, tuple(c.name for c in f.columns), f.stricter


class _Rows:
    """The rows of some customers, changed in memory and written once."""

    def __init__(
        self, store: Store, connection: Connection, ids: Iterable[int], *, lock: bool = False
    ) -> None:
        self._store = store
        table, past = store.tables[CUSTOMER], store.tables["customer_history"]
        # `kind` is always there, so it is never filled from the other.
        own = _Part(CUSTOMER, Versions(table, past), (*EDITABLE, "merged_into"))
        self.parts = [own, *(_part(made) for made in _plugins(store))]
        self.now: dict[str, dict[int, dict[str, Any]]] = {}
        wanted = set(ids)
        for part in self.parts:
            t = part.made.current
            query = select(t).where(is_in(connection, t.c[part.made.key], wanted))
            if lock and part is own:
                # PostgreSQL: two merges of one customer wait for each other, and the second sees
                # what the first did. In the order of ids, so that they cannot block each other.
                query = query.order_by(t.c.id).with_for_update()
            self.now[part.entity] = {
                row[part.made.key]: dict(row) for row in connection.execute(query).mappings()
            }
        self.before = {e: {i: dict(row) for i, row in rows.items()} for e, rows in self.now.items()}

    def check_free(self, kept: int, merged: int) -> None:
        """Refuses a pair that cannot be merged."""
        if kept == merged:
            raise UsageError(f"customer {kept} cannot be merged into itself.")
        for i in (kept, merged):
            row = self.now[CUSTOMER].get(i)
            if row is None:
                raise NotFound("customer", str(i))
            if row["merged_into"] is not None:
                raise UsageError(f"customer {i} is merged into another already.")

    def conflicts(self, kept: int, merged: int) -> Iterator[MergeConflict]:
        """Fields in which both have a value and differ."""
        for part in self.parts:
            one, other = (self.now[part.entity].get(i) for i in (kept, merged))
            if one is None or other is None:
                continue
            for name, columns, stricter in part.groups():
                mine, theirs = self._values(part, name, one), self._values(part, name, other)
                if name == "merged_into" or stricter is not None or mine is None or theirs is None:
                    continue
                if any(one[c] != other[c] for c in columns):
                    yield MergeConflict(
                        kept_id=kept, merged_id=merged, entity=part.entity, field=name,
                        kept=mine, merged=theirs,
                    )  # fmt: skip

    def apply(self, kept: int, merged: int, chosen: set[tuple[str, str]]) -> Changes:
        """Makes one customer part of the other; what that changes in the one that stays."""
        changes: Changes = {}
        for part in self.parts:
            rows = self.now[part.entity]
            theirs = rows.get(merged)
            if theirs is None:
                continue
            mine, found = rows.get(kept), dict[str, list[Any]]()
            if mine is None:
                mine = rows[kept] = dict.fromkeys(part.columns)
                found[MADE] = [False, True]
            for name, columns, stricter in part.groups():
                if name == "merged_into" or not _takes(
                    mine, theirs, columns, stricter, (part.entity, name) in chosen
                    or any((part.entity, c) in chosen for c in columns),
                ):  # fmt: skip
                    continue
                for c in columns:
                    if mine[c] != theirs[c]:
                        found[c] = [_as_json(mine[c]), _as_json(theirs[c])]
                        mine[c] = theirs[c]
            if found:
                changes[part.entity] = found
        self.now[CUSTOMER][merged]["merged_into"] = kept
        return changes

    def take_back(self, merge: Merge) -> None:
        """Undoes what the merge changed, but for what was changed again since."""
        self.now[CUSTOMER][merge.merged_id]["merged_into"] = None
        for part in self.parts:
            changes = merge.changes.get(part.entity, {})
            mine = self.now[part.entity].get(merge.kept_id)
            if mine is None:
                continue
            for name, (before, after) in changes.items():
                if name != MADE and name in mine and _as_json(mine[name]) == after:
                    mine[name] = self._from_json(part, name, before)
            if MADE in changes and all(mine[c] is None for c in part.columns):
                del self.now[part.entity][merge.kept_id]

    def owners(self) -> dict[int, tuple[str | None, str | None]]:
        """Of the customers whose owner differs from what was read, the owner before and after."""
        before, now = self.before[CUSTOMER], self.now[CUSTOMER]
        return {
            i: (before[i]["owner"], now[i]["owner"])
            for i in now
            if before[i]["owner"] != now[i]["owner"]
        }

    def write(self, tx: Tx) -> None:
        """Writes the rows that differ from what was read; each old version is kept."""
        for part in self.parts:
            before, now = self.before[part.entity], self.now[part.entity]
            changed = [i for i in now if i in before and _differ(now[i], before[i], part)]
            self._update(tx, part, changed)
            self._insert(tx, part, [i for i in now if i not in before])
            self._delete(tx, part, [i for i in before if i not in now])

    def _update(self, tx: Tx, part: _Part, ids: Sequence[int]) -> None:
        if not ids:
            return
        t, connection = part.made.current, tx.connection
        part.made.keep(connection, is_in(connection, t.c[part.made.key], ids), tx.at, tx.id)
        for i in ids:
            new = {c: self.now[part.entity][i][c] for c in part.columns}
            new |= {"version": self.before[part.entity][i]["version"] + 1, "valid_from": tx.at}
            if part.entity == CUSTOMER:
                new["updated_at"] = tx.at
            connection.execute(t.update().where(t.c[part.made.key] == i).values(**new, tx=tx.id))

    def _insert(self, tx: Tx, part: _Part, ids: Sequence[int]) -> None:
        past = part.made.history.c
        for i in ids:
            last = tx.connection.scalar(select(func.max(past.version)).where(past.customer_id == i))
            row = {c: self.now[part.entity][i][c] for c in part.columns}
            row |= {"customer_id": i, "version": (last or 0) + 1, "valid_from": tx.at, "tx": tx.id}
            tx.connection.execute(part.made.current.insert(), row)

    def _delete(self, tx: Tx, part: _Part, ids: Sequence[int]) -> None:
        """Removes rows that a merge made.

        The history keeps them, and after them an empty version that never was current: the
        warehouse learns of changes from versions alone.
        """
        t, connection = part.made.current, tx.connection
        for i in ids:
            here = t.c.customer_id == i
            part.made.keep(connection, here, tx.at, tx.id)
            connection.execute(t.delete().where(here))
            empty = dict.fromkeys(part.columns)
            version = self.before[part.entity][i]["version"] + 1
            connection.execute(
                part.made.history.insert(),
                {**empty, "customer_id": i, "version": version, "valid_from": tx.at, "tx": tx.id,
                 "valid_to": tx.at, "closed_tx": tx.id},
            )  # fmt: skip

    def _values(self, part: _Part, name: str, row: Mapping[str, Any]) -> Any:
        if not part.fields:
            return row[name]
        from .values import Codec

        codec = Codec(part.entity, self._store.entity(part.entity).fields, self._store.currency)
        return codec.values(row)[name]

    def _from_json(self, part: _Part, name: str, value: Any) -> Any:
        kind = part.made.current.c[name].type
        if value is None:
            return None
        if isinstance(kind, Date):
            return date.fromisoformat(value)
        return datetime.fromisoformat(value) if isinstance(kind, Instant) else value


def _plugins(store: Store) -> list[DomainTable]:
    return [made for made in store.domain.values() if made.entity.what == CUSTOMER]


def _part(made: DomainTable) -> _Part:
    columns = tuple(c.name for c in made.entity.fields.columns)
    versions = Versions(made.current, made.history, "customer_id")
    return _Part(made.entity.name, versions, columns, made.entity.fields.fields)


def _takes(
    mine: Mapping[str, Any], theirs: Mapping[str, Any], columns: Sequence[str],
    stricter: bool | None, chosen: bool,
) -> bool:  # fmt: skip
    """Whether the merged customer's value survives."""
    first = columns[0]
    if theirs[first] is None:
        return False
    if stricter is not None:
        return mine[first] is None or (mine[first] != stricter and theirs[first] == stricter)
    return mine[first] is None or chosen


def _differ(one: Mapping[str, Any], other: Mapping[str, Any], part: _Part) -> bool:
    return any(one[c] != other[c] for c in part.columns)


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
