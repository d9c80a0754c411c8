"""Bulk upsert by business key, column by column: the fast path of imports.

Values are in *storage form*: what the driver binds without conversion. On SQLite dates and instants
are text and booleans 0 or 1; on PostgreSQL they are ``date``, naive UTC ``datetime`` and ``bool``;
money is whole minor units, lists and payloads are JSON text on both. SQL is compiled once from the
tables and handed to the driver with tuples; PostgreSQL gets new rows by COPY. Both run on the
connection of the open transaction, so they commit with everything else of the batch.

An upsert has two steps, because a row may have to be refused after it has been compared: first
:meth:`prepare` looks up what is stored, then :meth:`write` writes what is left.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any, cast

from attrs import define, evolve, field
from sqlalchemy import ARRAY, BIGINT, TEXT, Table, bindparam, func, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from ..declarations import CUSTOMER, sql_name
from .copy_text import copy_texts
from .types import Instant

if TYPE_CHECKING:
    from .store import Store, Tx

UNCHANGED, UPDATED, CREATED = 0, 1, 2
Values = Sequence[Any]


@define(kw_only=True)
class Block:
    """Rows of one entity on their way in; every sequence has ``size`` values.

    Attributes:
        refs: business keys; a ref may stand more than once, and its first row counts. Empty for
            customer fields, which have no key of their own.
        columns: stored column to values; columns left out keep what is stored.
        contacts: of customers: ``(kind, label)`` of a contact point to values.
        valid_from: since when each row is true (D3); None is the time of the transaction.
    """

    size: int
    refs: Sequence[str] = ()
    columns: dict[str, Values] = field(factory=dict)
    contacts: dict[tuple[str, str], Values] = field(factory=dict)
    valid_from: Values | None = None

    def kept(self, keep: Sequence[bool]) -> Block:
        """The rows whose flag is true."""
        return evolve(
            self,
            size=sum(keep),
            refs=list(compress(self.refs, keep)),
            columns={n: list(compress(v, keep)) for n, v in self.columns.items()},
            contacts={n: list(compress(v, keep)) for n, v in self.contacts.items()},
            valid_from=None if self.valid_from is None else list(compress(self.valid_from, keep)),
        )


@define
class Written:
    """What became of a block: the id of each row, and UNCHANGED, UPDATED or CREATED."""

    ids: list[int]
    outcomes: list[int]


class Statements:
    """SQL text for one database, compiled once from the tables."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.dialect = store.engine.dialect
        self.sqlite = store.dialect == "sqlite"
        self._inserts: dict[tuple[str, tuple[str, ...]], str] = {}
        self._selects: dict[Any, Any] = {}
        self._instant = Instant().dialect_impl(self.dialect).bind_processor(self.dialect)

    def table(self, name: str) -> Table:
        """The table of that SQL name."""
        return self.store.tables[name]

    def instant(self, value: Any) -> Any:
        """An aware instant in storage form."""
        return self._instant(value) if self._instant else value

    def insert(
        self, connection: Connection, table: Table, columns: Mapping[str, Iterable[Any]], size: int
    ) -> None:
        """Writes ``size`` new rows, given column by column in storage form."""
        if not size:
            return
        names = tuple(columns)
        if self.sqlite:
            rows = zip(*columns.values(), strict=False)
            self.run_many(connection, self._insert_text(table, names), rows)
        else:
            self.copy(connection, table.name, names, list(columns.values()))

    def run_many(self, connection: Connection, text: str, rows: Iterable[Any]) -> None:
        """Runs a statement of SQLite once for each tuple of raw values."""
        # The driver's cursor takes an iterator; SQLAlchemy's would need a list of all the tuples.
        driver: Any = connection.connection.driver_connection
        try:
            driver.executemany(text, rows)
        except sqlite3.Error as error:
            raise self._as_raised(text, error, sqlite3.Error) from error

    def _as_raised(self, text: str, error: Exception, base: type[Exception]) -> DBAPIError:
        """The error as SQLAlchemy would have raised it, so that the store's translation applies."""
        found = DBAPIError.instance(text, None, error, base, dialect=self.dialect)
        return cast(DBAPIError, found)

    def _insert_text(self, table: Table, names: tuple[str, ...]) -> str:
        found = self._inserts.get((table.name, names))
        if found is None:
            marks = ", ".join("?" * len(names))
            listed = ", ".join(map(self.quoted, names))
            into = self.quoted(table.name)
            # Names of declared tables and columns, quoted; values are bound.
            found = f"INSERT INTO {into} ({listed}) VALUES ({marks})"  # noqa: S608
            self._inserts[table.name, names] = found
        return found

    def quoted(self, name: str) -> str:
        """An identifier, quoted where the database needs it."""
        return str(self.dialect.identifier_preparer.quote(name))

    def copy(
        self,
        connection: Connection,
        table: str,
        names: tuple[str, ...],
        columns: Sequence[Iterable[Any]],
    ) -> None:
        """Writes new rows on PostgreSQL, given column by column in storage form."""
        import psycopg

        listed = ", ".join(map(self.quoted, names))
        statement = f"COPY {self.quoted(table)} ({listed}) FROM STDIN"
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                for text in copy_texts(columns):
                    copy.write(text)
        except psycopg.Error as error:
            raise self._as_raised(statement, error, psycopg.Error) from error

    def many(self, connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
        """Runs one UPDATE, DELETE or INSERT ... SELECT for many rows of raw values."""
        if not rows:
            return
        compiled = statement.compile(dialect=self.dialect)
        text = str(compiled)
        if compiled.positional:
            order = compiled.positiontup
            connection.exec_driver_sql(text, [tuple(row[n] for n in order) for row in rows])
        else:
            connection.exec_driver_sql(text, rows)

    def fetch(
        self, connection: Connection, key: Any, build: Any, parameters: Mapping[str, Any]
    ) -> list[Any]:
        """Rows in storage form; ``build`` makes the SELECT the first time that ``key`` is asked."""
        compiled = self._selects.get(key)
        if compiled is None:
            compiled = build().compile(dialect=self.dialect)
            self._selects[key] = compiled
        values = {**compiled.params, **parameters}
        if compiled.positional:
            bound: Any = tuple(values[n] for n in compiled.positiontup)
        else:
            bound = values
        text = str(compiled)
        # Bare tuples: SQLAlchemy's rows cost as much again, and the collector would track each.
        driver: Any = connection.connection
        cursor = driver.cursor()
        base = self.store.engine.dialect.loaded_dbapi.Error
        try:
            cursor.execute(text, bound)
            return cursor.fetchall()  # type: ignore[no-any-return]
        except base as error:
            raise self._as_raised(text, error, base) from error
        finally:
            cursor.close()

    def among(self, column: ColumnElement[Any], name: str, *, ids: bool) -> ColumnElement[bool]:
        """``column`` is one of the values of the list parameter ``name``, whatever its length."""
        if self.sqlite:
            values = func.json_each(bindparam(name, type_=TEXT())).table_valued("value")
            return column.in_(select(values.c.value))
        kind = ARRAY(BIGINT()) if ids else ARRAY(TEXT())
        return column == func.any(bindparam(name, type_=kind))

    def listed(self, values: Iterable[Any]) -> Any:
        """The list parameter for :meth:`among`."""
        return json.dumps(list(values)) if self.sqlite else list(values)


class Versioned:
    """A table with kept history: what customers, customer fields and records have in common."""

    def __init__(self, statements: Statements, name: str, key: str) -> None:
        self.statements = statements
        self.current = statements.table(name)
        self.history = statements.table(f"{name}_history")
        self.key = key

    @cached_property
    def _kept(self) -> list[str]:
        """Columns that go to history as they are."""
        return [c.name for c in self.current.columns if c.name in self.history.columns]

    def versions(
        self, connection: Connection, names: tuple[str, ...], ids: set[int]
    ) -> dict[int, list[tuple[Any, ...]]]:
        """Earlier versions by id, each as ``(valid_from, valid_to, *names)`` in storage form."""
        s, h = self.statements, self.history.c

        def build() -> Select[Any]:
            key = h[self.key]
            return select(key, h.valid_from, h.valid_to, *(h[n] for n in names)).where(
                s.among(key, "ids", ids=True)
            )

        rows = s.fetch(
            connection, ("history", self.history.name, names), build, {"ids": s.listed(ids)}
        )
        found: dict[int, list[tuple[Any, ...]]] = {}
        for row in rows:
            found.setdefault(row[0], []).append(tuple(row[1:]))
        return found

    def change(
        self,
        connection: Connection,
        tx: int,
        names: Sequence[str],
        ids: Sequence[int],
        since: Sequence[Any],
        values: Sequence[tuple[Any, ...]],
    ) -> None:
        """Moves the current versions to history and writes new ones.

        Args:
            names: columns to set, beside ``valid_from``, ``version`` and ``tx``.
            ids, since, values: per row its id, since when it is true, and a value per name.
        """
        if not ids:
            return
        if self.statements.sqlite:
            self._change_singly(connection, tx, names, ids, since, values)
        else:
            self._change_together(connection, tx, names, ids, since, values)

    def _change_singly(
        self, connection: Connection, tx: int, names: Sequence[str], ids: Sequence[int],
        since: Sequence[Any], values: Sequence[tuple[Any, ...]],
    ) -> None:  # fmt: skip
        s, key = self.statements, self.statements.quoted(self.key)
        current, history = s.quoted(self.current.name), s.quoted(self.history.name)
        kept = ", ".join(map(s.quoted, self._kept))
        # Names of declared tables and columns, quoted; values are bound.
        archive = (
            f"INSERT INTO {history} ({kept}, valid_to, closed_tx) "  # noqa: S608
            f"SELECT {kept}, ?, ? FROM {current} WHERE {key} = ?"
        )
        s.run_many(connection, archive, zip(since, repeat(tx), ids, strict=False))
        sets = "".join(f"{s.quoted(n)} = ?, " for n in names)
        update = (
            f"UPDATE {current} SET {sets}valid_from = ?, tx = ?, version = version + 1 "  # noqa: S608
            f"WHERE {key} = ?"
        )
        rows = ((*row, at, tx, one) for row, at, one in zip(values, since, ids, strict=True))
        s.run_many(connection, update, rows)

    def _change_together(
        self, connection: Connection, tx: int, names: Sequence[str], ids: Sequence[int],
        since: Sequence[Any], values: Sequence[tuple[Any, ...]],
    ) -> None:  # fmt: skip
        """One statement for all rows, which come by COPY into a table of the transaction's own."""
        s, key = self.statements, self.statements.quoted(self.key)
        current, history = s.quoted(self.current.name), s.quoted(self.history.name)
        kept = ", ".join(f"t.{s.quoted(n)}" for n in self._kept)
        into = ", ".join(map(s.quoted, self._kept))
        new = {n: f"_new_{n}" for n in names}
        taken = "".join(f", {s.quoted(n)} AS {s.quoted(as_)}" for n, as_ in new.items())
        sets = "".join(f"{s.quoted(n)} = s.{s.quoted(as_)}, " for n, as_ in new.items())
        # Names of declared tables and columns, quoted; values are bound.
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE _changed ON COMMIT DROP AS "  # noqa: S608
            f"SELECT {key} AS _id, valid_from AS _since{taken} FROM {current} WITH NO DATA"
        )
        columns = [ids, since, *zip(*values, strict=True)]
        s.copy(connection, "_changed", ("_id", "_since", *new.values()), columns)
        connection.exec_driver_sql(
            f"INSERT INTO {history} ({into}, valid_to, closed_tx) "  # noqa: S608
            f"SELECT {kept}, s._since, %(tx)s FROM {current} t JOIN _changed s ON t.{key} = s._id",
            {"tx": tx},
        )
        connection.exec_driver_sql(
            f"UPDATE {current} t SET {sets}valid_from = s._since, tx = %(tx)s, "  # noqa: S608
            f"version = t.version + 1 FROM _changed s WHERE t.{key} = s._id",
            {"tx": tx},
        )
        connection.exec_driver_sql("DROP TABLE _changed")


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
        return _spread(block.refs, first, ids, outcomes)

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
        columns = {n: _pick(v, at_rows) for n, v in block.columns.items()}
        if "kind" in columns:
            columns["kind"] = [k or "person" for k in columns["kind"]]
        since = repeat(at) if block.valid_from is None else _pick(block.valid_from, at_rows)
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
            given = _pick(values, at_rows)
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
                    updates.append({"_id": point, "_value": value, "_tx": tx.id})
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
            table.update().where(by_id).values(value=bindparam("_value"), tx=bindparam("_tx")),
            updates,
        )
        s.many(tx.connection, table.delete().where(by_id), deletes)
        return moved


class FieldsUpsert(Upsert):
    """A plugin's fields of customers, by customer id."""

    def __init__(self, statements: Statements, entity: str, source: str) -> None:
        super().__init__(statements, entity, source)
        self.table = Versioned(statements, sql_name(entity), "customer_id")

    def prepare(
        self, connection: Connection, block: Block, customers: Sequence[int | None]
    ) -> list[tuple[int, Any]]:
        """Looks up the fields of customers that exist already; None stands for a new customer."""
        names, s, c = tuple(block.columns), self.statements, self.table.current.c
        wanted = {i for i in customers if i is not None}
        self.found = {}
        if not wanted:
            return []

        def build() -> Select[Any]:
            return select(
                c.customer_id, c.customer_id.label("id"), c.valid_from, *(c[n] for n in names)
            ).where(s.among(c.customer_id, "ids", ids=True))

        rows = s.fetch(connection, (self.entity, names), build, {"ids": s.listed(wanted)})
        self.found = {row[0]: row for row in rows}
        return self._stale(connection, self.table, customers, block)

    def write(self, tx: Tx, block: Block, owners: Sequence[int]) -> Written:
        """Writes the fields; ``owners`` are the customers' ids."""
        at = self.statements.instant(tx.at)
        first = first_positions(owners)
        fresh = [o for o in first if o not in self.found]
        rows = [first[o] for o in fresh]
        since = repeat(at) if block.valid_from is None else _pick(block.valid_from, rows)
        self.statements.insert(
            tx.connection,
            self.table.current,
            {
                "customer_id": fresh,
                **{n: _pick(v, rows) for n, v in block.columns.items()},
                "valid_from": since,
                "version": self._next_versions(tx.connection, fresh),
                "tx": repeat(tx.id),
            },
            len(fresh),
        )
        outcomes = dict.fromkeys(fresh, CREATED)
        outcomes |= _change_rows(self, self.table, tx, block, first, at)
        tx.count(self.entity, sum(map(bool, outcomes.values())))
        return _spread(owners, first, {o: o for o in first}, outcomes)

    def _next_versions(self, connection: Connection, fresh: list[int]) -> list[int]:
        """1, but where a merge that was taken back left earlier versions without a current one."""
        h = self.table.history.c
        if not fresh:
            return []

        def build() -> Select[Any]:
            past = self.statements.among(h.customer_id, "ids", ids=True)
            return select(h.customer_id, func.max(h.version)).where(past).group_by(h.customer_id)

        rows = self.statements.fetch(
            connection, (self.entity, "next versions"), build,
            {"ids": self.statements.listed(set(fresh))},
        )  # fmt: skip
        last = {row[0]: row[1] for row in rows}
        return [last.get(i, 0) + 1 for i in fresh]


class RecordUpsert(Upsert):
    """Records of one type by ``(source, ref)``."""

    def __init__(self, statements: Statements, entity: str, source: str) -> None:
        super().__init__(statements, entity, source)
        self.table = Versioned(statements, sql_name(entity), "id")

    def prepare(
        self, connection: Connection, block: Block, refs: Iterable[str], *, owned: bool
    ) -> list[tuple[int, Any]]:
        """Looks up the records of ``refs``; ``owned`` says that :meth:`write` is given owners."""
        names = (*block.columns, "owner_id") if owned else tuple(block.columns)
        s, c = self.statements, self.table.current.c
        wanted = list(dict.fromkeys(refs))
        self.found = {}
        if not wanted:
            return []

        def build() -> Select[Any]:
            return select(c.ref, c.id, c.valid_from, *(c[n] for n in names)).where(
                c.source == bindparam("source", type_=TEXT()), s.among(c.ref, "refs", ids=False)
            )

        rows = s.fetch(
            connection, (self.entity, names), build,
            {"source": self.source, "refs": s.listed(wanted)},
        )  # fmt: skip
        self.found = {row[0]: row for row in rows}
        return self._stale(connection, self.table, block.refs, block)

    def write(self, tx: Tx, block: Block, owners: Sequence[int | None] | None) -> Written:
        """Creates the new records and changes those that differ."""
        at = self.statements.instant(tx.at)
        if owners is not None:
            block = evolve(block, columns={**block.columns, "owner_id": owners})
        first = first_positions(block.refs)
        fresh = [r for r in first if r not in self.found]
        rows = [first[r] for r in fresh]
        ids = {ref: stored[ID] for ref, stored in self.found.items()}
        new_ids = tx.take_ids(len(fresh))
        ids |= zip(fresh, new_ids, strict=True)
        since = repeat(at) if block.valid_from is None else _pick(block.valid_from, rows)
        self.statements.insert(
            tx.connection,
            self.table.current,
            {
                "id": new_ids,
                "source": repeat(self.source),
                "ref": fresh,
                **{n: _pick(v, rows) for n, v in block.columns.items()},
                "valid_from": since,
                "version": repeat(1),
                "tx": repeat(tx.id),
            },
            len(fresh),
        )
        outcomes = dict.fromkeys(fresh, CREATED)
        outcomes |= _change_rows(self, self.table, tx, block, first, at)
        tx.count(self.entity, sum(map(bool, outcomes.values())))
        return _spread(block.refs, first, ids, outcomes)


class InteractionUpsert(Upsert):
    """Interactions of one kind by ``(source, ref)``; a changed one is a new revision."""

    def __init__(self, statements: Statements, entity: str, source: str) -> None:
        super().__init__(statements, entity, source)
        self.table = statements.table("interaction")

    def prepare(self, connection: Connection, block: Block, refs: Iterable[str]) -> None:
        """Looks up the latest revision of each of ``refs``."""
        names, s, c = (*block.columns, "customer_id", "subject_id"), self.statements, self.table.c
        wanted = list(dict.fromkeys(refs))
        self.found = {}
        if not wanted:
            return

        def build() -> Select[Any]:
            return (
                select(c.ref, c.id, c.revision, *(c[n] for n in names))
                .where(
                    c.kind == bindparam("kind", type_=TEXT()),
                    c.source == bindparam("source", type_=TEXT()),
                    s.among(c.ref, "refs", ids=False),
                )
                .order_by(c.revision)
            )

        rows = s.fetch(
            connection, (self.entity, names), build,
            {"kind": self.entity, "source": self.source, "refs": s.listed(wanted)},
        )  # fmt: skip
        for row in rows:
            # In order of revision, so that the latest stands.
            self.found[row[0]] = row

    def write(
        self,
        tx: Tx,
        block: Block,
        customers: Sequence[int | None],
        subjects: Sequence[int | None] | None,
        subject_type: str | None,
    ) -> Written:
        """Writes new interactions, and a revision of each that differs from its latest one."""
        at = self.statements.instant(tx.at)
        about: Sequence[int | None] = [None] * block.size if subjects is None else subjects
        columns: dict[str, Values] = {
            **block.columns, "customer_id": customers, "subject_id": about,
        }  # fmt: skip
        first = first_positions(block.refs)
        outcomes: dict[Any, int] = {}
        if self.found:
            new = list(zip(*columns.values(), strict=True))
            for ref, i in first.items():
                stored = self.found.get(ref)
                if stored is None:
                    outcomes[ref] = CREATED
                elif stored[VALUES] != new[i]:
                    outcomes[ref] = UPDATED
        else:
            outcomes = dict.fromkeys(first, CREATED)
        refs = list(outcomes)
        rows = [first[r] for r in refs]
        new_ids = tx.take_ids(len(refs))
        ids = {r: stored[ID] for r, stored in self.found.items()}
        ids |= zip(refs, new_ids, strict=True)
        found = self.found
        types = [subject_type if s is not None else None for s in _pick(about, rows)]
        self.statements.insert(
            tx.connection,
            self.table,
            {
                "id": new_ids,
                "kind": repeat(self.entity),
                "direction": repeat("none"),
                **{n: _pick(v, rows) for n, v in columns.items()},
                "recorded_at": repeat(at),
                "source": repeat(self.source),
                "ref": refs,
                "revision": [found[r][SINCE] + 1 if r in found else 1 for r in refs],
                "subject_type": types,
                "tx": repeat(tx.id),
            },
            len(refs),
        )
        tx.count(self.entity, len(refs))
        return _spread(block.refs, first, ids, outcomes)


def _change_rows(
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


def _spread(
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


def _pick(values: Values, rows: list[int]) -> Values:
    """The values at those positions; the sequence itself where that is all of it, in order."""
    if len(rows) == len(values):
        return values
    return [values[i] for i in rows]


class Lookup:
    """Ids of stored customers and records by ref, for references to what a file does not hold."""

    def __init__(self, statements: Statements) -> None:
        self.statements = statements

    def ids(
        self, connection: Connection, entity: str, source: str, refs: Iterable[str]
    ) -> dict[str, int]:
        """The id of each ref that is stored; refs of nothing are left out."""
        s = self.statements
        if entity == CUSTOMER:
            c = s.table("customer_ref").c
            columns = (c.ref, c.customer_id)
        else:
            c = s.table(sql_name(entity)).c
            columns = (c.ref, c.id)

        def build() -> Select[Any]:
            return select(*columns).where(
                c.source == bindparam("source", type_=TEXT()), s.among(c.ref, "refs", ids=False)
            )

        wanted = list(dict.fromkeys(refs))
        if not wanted:
            return {}
        rows = s.fetch(
            connection, ("lookup", entity), build, {"source": source, "refs": s.listed(wanted)}
        )
        return {row[0]: row[1] for row in rows}

    def any_of(self, connection: Connection, entity: str, source: str) -> bool:
        """Whether anything of this source is stored; if not, a first load need not compare."""
        s = self.statements
        if entity == CUSTOMER:
            table = s.table("customer_ref")
        elif entity in s.store.catalog.interaction_kinds:
            table = s.table("interaction")
        else:
            table = s.table(sql_name(entity))
        query = select(table.c.source).where(table.c.source == source)
        if table.name == "interaction":
            query = query.where(table.c.kind == entity)
        return connection.execute(query.limit(1)).first() is not None


def lock_sources(connection: Connection, dialect: str, sources: Iterable[str]) -> None:
    """Lets one import of a source write at a time, until the transaction ends.

    On SQLite the open write already shuts out every other one.
    """
    if dialect != "postgresql":
        return
    # In order, so that two imports over the same sources cannot wait for each other.
    for source in sorted(set(sources)):
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))",
            {"name": f"crmkit.import:{source}"},
        )
