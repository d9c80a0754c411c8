"""Records: rows of the record types that plugins declare (design D8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import MetaData, Select, select
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER, sql_name
from ..entities.record import Reached, Record
from ..entities.transaction import RECORD_SET
from ..errors import EditConflict, NotFound, UsageError
from .declared import entities_kept
from .domain import DomainTable, Entity, domain_tables
from .family import members_of
from .gateway import Gateway
from .history import Row, Versions
from .prepared import rows_where
from .record_batches import put_records, read_records
from .retry import retried
from .rows import is_in
from .search import has_value
from .tables import core_tables
from .values import changed

if TYPE_CHECKING:
    from .bulk import Written
    from .store import Tx

# Keys of a type with so many records or fewer are suggested for a misspelt one.
_FEW = 1_000
ENVELOPE = ("id", "source", "ref", "owner_id", "valid_from", "version")
# Inside the class `list` is its method.
Found = list[Record]
Names = list[str]
Tuples = list[Any]


@frozen(kw_only=True)
class BulkChange:
    """What a change of many records did: ``tx_id`` is what :func:`crmkit.store.revert.undo` takes."""

    tx_id: int
    matched: int
    changed: int


class Records(Gateway):
    """Records of every type. Types of disabled plugins can be read and not written (D15)."""

    # --- reading ------------------------------------------------------------------------------

    def get(self, type: str, record_id: int, *, tx: Tx | None = None) -> Record:
        """The record of that id.

        Raises:
            NotFound: if the type or the record does not exist.
        """
        with self._reading(tx) as connection:
            made = self._made(connection, type)
            query = select(made.current).where(made.current.c.id == record_id)
            found = self._records(connection, made, query)
        if not found:
            raise NotFound(type, str(record_id))
        return found[0]

    def find(self, type: str, text: str, *, tx: Tx | None = None) -> Record:
        """The record that somebody names by ``ref`` or ``source:ref``.

        Raises:
            NotFound: if no record of the type has that key.
            UsageError: if records of several sources have it, naming each.
        """
        with self._reading(tx) as connection:
            made = self._made(connection, type)
            c = made.current.c
            source, colon, ref = text.partition(":")
            named = c.ref == text
            if colon:
                named |= (c.source == source) & (c.ref == ref)
            query = self._open(connection, made, select(made.current).where(named))
            found = self._records(connection, made, query)
        if not found:
            raise NotFound(type, text, self._few_refs(made, tx))
        if len(found) > 1:
            names = ", ".join(sorted(f"{r.source}:{r.ref}" for r in found))
            raise UsageError(
                f"several records of {type} have the key {text!r}: {names}.",
                code="E_AMBIGUOUS",
                hint="Name one of them with its source.",
            )
        return found[0]

    def _few_refs(self, made: Any, tx: Tx | None) -> tuple[str, ...]:
        """The keys of a type that has few records, such as lists and plans; else none.

        Where there are more nobody could choose among them, and reading them all would take longer
        than the command.
        """
        with self._reading(tx) as connection:
            query = self._open(connection, made, select(made.current.c.ref))
            refs = connection.scalars(query.limit(_FEW + 1)).all()
        return tuple(refs) if len(refs) <= _FEW else ()

    def list(
        self,
        type: str,
        *,
        limit: int | None = None,
        sort: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
        tx: Tx | None = None,
    ) -> Found:
        """Records of a type.

        Args:
            limit: at most so many.
            sort: fields or ``ref``, ``source``, ``valid_from``; ``-name`` is descending. Missing
                values come last, equal ones by id.
            where: wanted value by column; None asks for those without one.

        Raises:
            NotFound: for an unknown type or column.
        """
        with self._reading(tx) as connection:
            made = self._made(connection, type)
            query = self._open(connection, made, self._asked(made, where or {}, sort))
            return self._records(connection, made, query.limit(limit))

    def read(
        self,
        type: str,
        names: Sequence[str | Reached],
        *,
        where: Mapping[str, Any] | None = None,
        among: Mapping[str, Iterable[Any]] | None = None,
        between: Mapping[str, tuple[Any, Any]] | None = None,
        sort: Sequence[str] = (),
        limit: int | None = None,
        into: Callable[[tuple[Any, ...]], Any] | None = None,
        tx: Tx | None = None,
    ) -> Tuples:
        """Some columns of many records, as tuples in the order of ``names``: faster than records.

        Args:
            names: fields, or ``id``, ``ref``, ``source``, ``owner_id``, ``valid_from``, ``version``;
                or a :class:`~crmkit.entities.Reached`, which gives its number.
            where, sort, limit: as in :meth:`list`.
            among: wanted values by column, any number of each; ``id``, ``owner_id``, ``ref`` or a
                text or whole-number field.
            between: the least and the greatest value by column, both included.
            into: what each tuple becomes in the answer; it must not ask the store.

        Raises:
            NotFound: for an unknown type or column.
        """
        with self._reading(tx) as connection:
            made = self._made(connection, type)
            asked = [n for n in names if not isinstance(n, Reached)]
            steps = [n for reached in names if isinstance(reached, Reached) for n in reached.steps]
            for name in (*asked, *steps, *(among or {})):
                _column(made, name)
            query = self._asked(made, where or {}, sort).limit(limit)
            for name, (least, greatest) in (between or {}).items():
                query = query.where(_column(made, name).between(least, greatest))
            return read_records(connection, made, query, names, among or {}, into)

    def list_for(
        self,
        customer_id: int,
        *,
        members: Iterable[int] | None = None,
        tx: Tx | None = None,
    ) -> Found:
        """Every record that belongs to a customer, directly or through another record.

        By type and id; those of customers merged into it are included, those of disabled plugins
        are not, nor what the viewer may not read.

        Args:
            members: the customer and those merged into it; None asks the database.
        """
        out: Found = []
        with self._reading(tx) as connection:
            people = members or members_of(connection, self._table(CUSTOMER), [customer_id])
            guarded = self._store.privacy.guarded_rows(connection)
            owners: dict[str, Sequence[int]] = {CUSTOMER: list(people)}
            for made in self.by_owner:
                ids = owners.get(str(made.entity.owner), ())
                if not ids:
                    continue
                rows = rows_where(connection, made.current, "owner_id", ids, order=("id",))
                found = [self._record(made, row) for row in rows]
                owners[made.entity.name] = [r.id for r in found]
                shut = guarded.get(made.entity.name, {}).items()
                out += [r for r in found if not any(r.values.get(n) in held for n, held in shut)]
        return sorted(out, key=lambda r: (r.type, r.id))

    def at(
        self, type: str, record_id: int, instant: datetime, *, tx: Tx | None = None
    ) -> Record | None:
        """The record as it stood at an instant (exclusive), or None if it was not known yet."""
        with self._reading(tx) as connection:
            made = self._made(connection, type)
            row = _versions(made).at(connection, [record_id], instant).get(record_id)
            return None if row is None else self._record(made, row)

    def versions(self, type: str, record_id: int) -> Found:
        """Every version of a record, oldest first."""
        with self._store.read() as connection:
            made = self._made(connection, type)
            return [
                self._record(made, row) for row in _versions(made).versions(connection, record_id)
            ]

    def types(self, *, tx: Tx | None = None) -> Names:
        """Names of the record types that can be read, those of disabled plugins included."""
        with self._reading(tx) as connection:
            kept = [e.name for e in entities_kept(self._store, connection) if e.what == "record"]
        return sorted([*self._enabled(), *kept])

    def entity(self, type: str, *, tx: Tx | None = None) -> Entity:
        """What is declared of a type, its fields among it.

        Raises:
            NotFound: naming the types that exist.
        """
        with self._reading(tx) as connection:
            return self._made(connection, type).entity

    def parse(self, type: str, texts: Mapping[str, str]) -> dict[str, Any]:
        """Values that a person typed, by field, as their Python types; empty text is None.

        Raises:
            NotFound: for an unknown type or field.
            UsageError: naming every text that its field does not take.
        """
        return self._codec(self.entity(type)).parse(texts)

    # --- writing ------------------------------------------------------------------------------

    @retried
    def set(
        self,
        type: str,
        *,
        source: str,
        ref: str,
        values: Mapping[str, Any],
        owner_id: int | None = None,
        effective: datetime | None = None,
        version: int | None = None,
        tx: Tx | None = None,
    ) -> Record:
        """Makes the record of that key, or changes it and keeps its earlier version.

        Args:
            values: fields to set; None empties one, fields left out stay as they are.
            owner_id: its customer or owning record; None leaves the owner as it is.
            effective: since when the values hold; None is now. A change cannot begin before the
                version that it ends.
            version: the version that was read; None changes whatever is there.

        Raises:
            EditConflict: if the record has another version than ``version``.
            NotFound: for an unknown type or field.
            UsageError: if a value is not allowed, or the owner does not exist.
        """
        made = self._enabled().get(type)
        if made is None:
            raise NotFound("record type", type, self._enabled(), hint=self._why_not(type))
        with self._writing(tx, RECORD_SET) as own:
            table, codec = made.current, self._codec(made.entity)
            key = (table.c.source == source) & (table.c.ref == ref)
            row = own.connection.execute(select(table).where(key)).mappings().first()
            if version is not None and version != (row["version"] if row else 0):
                raise EditConflict(f"{type} {source}:{ref}", version, row["version"] if row else 0)
            known = codec.values(row) if row else {}
            merged = {**known, **dict.fromkeys(values), **codec.typed(values)}
            codec.check({k: v for k, v in merged.items() if v is not None}, given=values)
            new = codec.columns(merged)
            if row is None or list(changed(row, new)):
                self._check_row(codec, merged, given=values, ref=ref)
            if owner_id is not None:
                new["owner_id"] = self._owner(own.connection, made, owner_id)
            if row is None:
                record_id = self._insert(own, made, source, ref, new, effective)
            else:
                record_id = row["id"]
                if list(changed(row, new)):
                    self._refuse_change(type, source, ref)
                    self._change(own, made, row, new, effective)
            return self.get(type, record_id, tx=own)

    @retried
    def put(
        self,
        type: str,
        *,
        source: str,
        refs: Sequence[str],
        values: Mapping[str, Sequence[Any]],
        owners: Sequence[int] | None = None,
        effective: Sequence[datetime] | None = None,
        tx: Tx | None = None,
    ) -> Written:
        """Makes or changes many records of one type at once, given column by column.

        Args:
            refs: business keys, each once.
            values: fields to set, each with one value a record; fields left out stay as they are.
            owners: the customer or owning record of each; needed where the type has an owner.
            effective: since when each holds (aware); None is now.

        Returns:
            The id of each record, in the order of ``refs``, and whether it was created (2),
            changed (1) or had these values already (0).

        Raises:
            NotFound: for an unknown type, field or owner.
            UsageError: if a value is not allowed or missing, a key stands twice, or a change
                would begin before the version that it ends. Nothing is written then.
        """
        made = self._enabled().get(type)
        if made is None:
            raise NotFound("record type", type, self._enabled(), hint=self._why_not(type))
        with self._writing(tx, RECORD_SET) as own:
            return put_records(
                self._store, own, made, self._codec(made.entity), source=source, refs=refs,
                values=values, owners=owners, effective=effective, check=self._check_batch,
            )  # fmt: skip

    @retried
    def change(
        self, type: str, values: Mapping[str, Any], where: Mapping[str, Any], *,
        tx: Tx | None = None,
    ) -> BulkChange:  # fmt: skip
        """Sets fields of every record with certain values that the viewer may read, in one step.

        The step can be undone.

        Args:
            values: new value by field; None empties one.
            where: wanted value by column, as in :meth:`list`; at least one.

        Raises:
            NotFound: for an unknown type, field or column.
            UsageError: if a value is not allowed, or ``where`` is empty. Nothing is written then.
        """
        if not where:
            raise UsageError("a change of many records says which.", hint="Give --where.")
        with self._writing(tx, RECORD_SET) as own:
            made = self._made(own.connection, type)
            owned = ["owner_id"] if made.entity.owner is not None else []
            # Of those alone that the viewer may read: a number of others would tell of them.
            asked = self._open(own.connection, made, self._asked(made, where, ()))
            found = read_records(own.connection, made, asked, ["source", "ref", *owned], {}, None)
            changed_rows = 0
            for source in sorted({row[0] for row in found}):
                rows = [row for row in found if row[0] == source]
                written = self.put(
                    type, source=source, refs=[row[1] for row in rows], tx=own,
                    owners=[row[2] for row in rows] if owned else None,
                    values={name: [value] * len(rows) for name, value in values.items()},
                )  # fmt: skip
                changed_rows += sum(bool(outcome) for outcome in written.outcomes)
            return BulkChange(tx_id=own.id, matched=len(found), changed=changed_rows)

    def _refuse_change(self, type: str, source: str, ref: str) -> None:
        if self._store.catalog.record_types[type].append_only:
            raise UsageError(
                f"{type} {source}:{ref} is filed and is never changed.",
                code="E_APPEND_ONLY",
                hint="File another one that corrects it.",
            )

    def _insert(
        self,
        tx: Tx,
        made: DomainTable,
        source: str,
        ref: str,
        new: Mapping[str, Any],
        effective: datetime | None,
    ) -> int:
        if not ref or not source:
            raise UsageError(f"a record of {made.entity.name} needs a source and a ref.")
        (record_id,) = tx.take_ids(1)
        key = {"id": record_id, "source": source, "ref": ref}
        envelope = {"valid_from": effective or tx.at, "version": 1, "tx": tx.id}
        tx.connection.execute(made.current.insert(), {**key, **new, **envelope})
        tx.count(made.entity.name, 1)
        return record_id

    def _change(
        self,
        tx: Tx,
        made: DomainTable,
        row: Row,
        new: Mapping[str, Any],
        effective: datetime | None,
    ) -> None:
        table = made.current
        since = max(effective or tx.at, row["valid_from"])
        here = (table.c.id == row["id"]) & (table.c.version == row["version"])
        _versions(made).keep(tx.connection, here, since, tx.id)
        done = tx.connection.execute(
            table.update()
            .where(here)
            .values(**new, valid_from=since, version=row["version"] + 1, tx=tx.id)
        )
        if done.rowcount != 1:
            what = f"{made.entity.name} {row['source']}:{row['ref']}"
            raise EditConflict(what, row["version"], row["version"] + 1)
        tx.count(made.entity.name, 1)

    def _owner(self, connection: Connection, made: DomainTable, owner_id: int) -> int:
        if made.entity.owner is None:
            raise UsageError(f"records of {made.entity.name} have no owner.")
        table = self._table(sql_name(made.entity.owner))
        if connection.scalar(select(table.c.id).where(table.c.id == owner_id)) is None:
            raise NotFound(made.entity.owner, str(owner_id))
        return owner_id

    def _asked(
        self, made: DomainTable, where: Mapping[str, Any], sort: Sequence[str]
    ) -> Select[Any]:
        query = select(made.current)
        for name, value in where.items():
            query = query.where(_has(made, name, value))
        for name in sort:
            column = _column(made, name.removeprefix("-"))
            order = column.desc() if name.startswith("-") else column.asc()
            query = query.order_by(order.nulls_last())
        return query.order_by(made.current.c.id)

    def _open(self, connection: Connection, made: DomainTable, query: Select[Any]) -> Select[Any]:
        """Without what the viewer may not read, and the records of whom they may not learn of."""
        privacy = self._store.privacy
        query = query.where(privacy.open_records(connection, made.entity.name, made.current))
        hidden = privacy.hidden(connection) if made.entity.owner else None
        if not hidden:
            return query
        # From the customer down to the owners of this type.
        owner, chain = made.entity.owner, list[DomainTable]()
        while owner != CUSTOMER and owner is not None:
            above = self._made(connection, owner)
            chain.insert(0, above)
            owner = above.entity.owner
        if owner is None:
            return query
        ids: Iterable[int] = hidden
        for above in chain:
            c = above.current.c
            ids = connection.scalars(select(c.id).where(is_in(connection, c.owner_id, ids))).all()
        return query.where(~is_in(connection, made.current.c.owner_id, ids))

    # --- tables -------------------------------------------------------------------------------

    def _enabled(self) -> dict[str, DomainTable]:
        domain = self._store.domain.items()
        return {name: made for name, made in domain if made.entity.what == "record"}

    @cached_property
    def by_owner(self) -> Sequence[DomainTable]:
        """Owned record types, an owning type before those that it owns."""
        place = {t.name: i for i, t in enumerate(self._store.metadata.sorted_tables)}
        owned = [made for made in self._enabled().values() if made.entity.owner is not None]
        return sorted(owned, key=lambda made: place[made.current.name])

    def _made(self, connection: Connection, type: str) -> DomainTable:
        enabled = self._enabled()
        if type in enabled:
            return enabled[type]
        kept = self._disabled(connection)
        if type not in kept:
            raise NotFound("record type", type, [*enabled, *kept])
        return kept[type]

    def _disabled(self, connection: Connection) -> dict[str, DomainTable]:
        """Tables of disabled plugins, as the last upgrade knew them."""
        # Not the store's own metadata: what is known only from the database is never upgraded.
        metadata = MetaData(info={"dialect": self._store.dialect})
        core_tables(metadata)
        kept = [e for e in entities_kept(self._store, connection) if e.what == "record"]
        return domain_tables(metadata, kept)

    def _why_not(self, type: str) -> str:
        return (
            ""
            if type in self._enabled()
            else "Types that no enabled plugin declares can only be read."
        )

    def _records(self, connection: Connection, made: DomainTable, query: Select[Any]) -> Found:
        return [self._record(made, row) for row in connection.execute(query).mappings()]

    def _record(self, made: DomainTable, row: Row) -> Record:
        values = self._codec(made.entity).values(row)
        envelope = {name: row[name] for name in ENVELOPE if name in row}
        return Record(type=made.entity.name, values=values, **envelope)


def _versions(made: DomainTable) -> Versions:
    return Versions(made.current, made.history)


def _has(made: DomainTable, name: str, value: Any) -> Any:
    if name in made.entity.fields.by_name:
        return has_value(made.current, made.entity.fields.by_name[name], value)
    column = _column(made, name)
    return column.is_(None) if value is None else column == value


def _column(made: DomainTable, name: str) -> Any:
    fields = made.entity.fields.by_name
    if name in fields:
        return made.current.c[fields[name].columns[0].name]
    known = [n for n in ENVELOPE if n in made.current.c]
    if name in known:
        return made.current.c[name]
    raise NotFound(f"column of {made.entity.name}", name, [*known, *fields])
