"""Bringing the tables to what the enabled plugins declare (design D14).

The change is the difference between two documents (:mod:`crmkit.store.declared`). What only adds
(tables, columns, indexes) is made here; Alembic's operations render what changes a table that is
there, and only such a change loads Alembic. What removes or retypes is refused, unless a plugin's :class:`~crmkit.declarations.Migration` covers it: then it is that
migration's business alone. The statements that a dry run prints are the very ones that run.

Order: indexes that go, tables and columns that come, explicit migrations by id, history columns of
removed fields, indexes that come. All in one transaction, on SQLite too.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from sqlalchemy import Column, ForeignKey, Index, Table, inspect, select, text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from ..declarations import Migration, sql_name
from ..errors import ConfigError, NotConfirmed
from .address_keys import fill_address_keys
from .declared import (
    CORE_PLUGIN,
    Document,
    Key,
    check_may_fill,
    documents_kept,
    documents_now,
    newer_faults,
)
from .engine import WRITES, translated
from .identity import check_identity, is_unknown, keep_identity

if TYPE_CHECKING:
    from .store import Store

COMMAND = "db upgrade"
# Any number that nobody else uses: upgrades of one PostgreSQL database wait for each other on it.
ADVISORY_LOCK = 0x63726D6B


@frozen
class Step:
    """One statement, for whose sake it runs, and what it is."""

    plugin: str
    statement: str
    migration: str | None = None


@frozen(kw_only=True)
class Plan:
    """What an upgrade does.

    Attributes:
        steps: the statements, in order.
        faults: why it must not be done, one sentence part each; empty when it can.
        notes: what becomes stricter without any change of tables.
        migrations: explicit migrations that run; ``settled`` are those that a new plugin's tables
            have in them already.
    """

    steps: tuple[Step, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    migrations: tuple[Migration, ...] = ()
    settled: tuple[str, ...] = ()
    documents: tuple[Document, ...] = field(default=(), repr=False)
    gone: tuple[Key, ...] = ()

    @property
    def statements(self) -> list[str]:
        """The SQL, one statement each, without semicolon."""
        return [step.statement for step in self.steps]

    @property
    def empty(self) -> bool:
        """Whether nothing at all is to be written."""
        return not (self.steps or self.documents or self.gone or self.settled or self.migrations)


@frozen(kw_only=True)
class PluginStatus:
    """One plugin's part of the schema; ``None`` as a version means that it is not there."""

    plugin: str
    enabled: bool
    database_version: str | None
    installed_version: str | None
    pending_statements: int
    pending_migrations: int


@frozen
class Status:
    """The state of the schema, by plugin, and what stands against an upgrade."""

    plugins: tuple[PluginStatus, ...]
    plan: Plan

    @property
    def pending(self) -> int:
        """Statements that an upgrade would run."""
        return len(self.plan.steps)


def upgrade(store: Store, *, dry_run: bool, allow_loss: bool) -> Plan:
    """Plans and, unless it is a dry run, makes the change; see :meth:`Store.upgrade`."""
    if dry_run:
        with store.read() as connection:
            check_identity(store, connection)
            return make_plan(store, connection)
    with translated(), store.engine.connect() as connection:
        # Only outside a transaction: with foreign keys on, SQLite deletes child rows when an
        # explicit migration replaces a table, and says nothing.
        _foreign_keys(connection, on=False)
        try:
            return _upgrade(store, connection.execution_options(**{WRITES: True}), allow_loss)
        finally:
            if connection.in_transaction():
                connection.rollback()
            _foreign_keys(connection, on=True)


def status(store: Store) -> Status:
    """See :meth:`Store.status`."""
    with store.read() as connection:
        kept, plan = documents_kept(store, connection), make_plan(store, connection)
    now = documents_now(store)
    rows = []
    installed = {CORE_PLUGIN: now[CORE_PLUGIN, "crmkit.tables"].version}
    installed |= {name: str(m.version) for name, m in store.catalog.plugins.items()}
    for plugin in sorted({p for p, _ in (*kept, *now)}, key=lambda p: (p != CORE_PLUGIN, p)):
        versions = [d.version for d in kept.values() if d.plugin == plugin]
        rows.append(
            PluginStatus(
                plugin=plugin,
                enabled=plugin in installed,
                database_version=versions[0] if versions else None,
                installed_version=installed.get(plugin),
                pending_statements=sum(s.plugin == plugin for s in plan.steps),
                pending_migrations=sum(_owner(m) == plugin for m in plan.migrations),
            )
        )
    return Status(tuple(rows), plan)


# --- doing ----------------------------------------------------------------------------------------


def _upgrade(store: Store, connection: Connection, allow_loss: bool) -> Plan:
    if store.dialect == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    check_identity(store, connection)
    # Planned under the lock: a rival's upgrade that came first leaves nothing to do.
    plan = make_plan(store, connection)
    if plan.faults:
        raise ConfigError(
            "the schema cannot be upgraded: " + "; ".join(plan.faults) + ".",
            code="E_SCHEMA",
            hint="Nothing was changed.",
        )
    losses = [f"{m.id} ({m.loss})" for m in plan.migrations if m.loss != "none"]
    if losses and not allow_loss:
        raise NotConfirmed(
            f"this upgrade loses data: {', '.join(losses)}.",
            hint="Make a backup, then run: crmkit db upgrade --yes",
        )
    if plan.empty and not is_unknown(store, connection):
        return plan
    # Without parameters psycopg takes a percent sign in a migration as it stands.
    plain = connection.execution_options(no_parameters=True)
    for step in plan.steps:
        plain.exec_driver_sql(step.statement)
    fill_address_keys(store.tables["contact_point"], connection)
    if store.dialect == "sqlite" and plan.migrations:
        _check_foreign_keys(connection)
    _record(store, connection, plan)
    connection.commit()
    return plan


def _record(store: Store, connection: Connection, plan: Plan) -> None:
    with store.joined(connection, COMMAND) as tx:
        d, m = store.tables["declaration"], store.tables["migration_done"]
        for plugin, entity in [*plan.gone, *(doc.key for doc in plan.documents)]:
            connection.execute(d.delete().where(d.c.plugin == plugin, d.c.entity == entity))
        for doc in plan.documents:
            connection.execute(
                d.insert(),
                {
                    "plugin": doc.plugin, "entity": doc.entity, "declared": doc.body,
                    "plugin_version": doc.version, "tx": tx.id,
                },
            )  # fmt: skip
        keep_identity(store, tx)
        for name in sorted({*plan.settled, *(x.id for x in plan.migrations)}):
            connection.execute(m.insert(), {"id": name, "plugin": name.split(".")[0], "tx": tx.id})


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        raw.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        tables = ", ".join(sorted({f"{row[0]} (to {row[2]})" for row in broken}))
        raise ConfigError(
            f"a migration would leave {len(broken)} rows that point nowhere, in {tables}.",
            code="E_SCHEMA",
            hint="Nothing was changed; the migration is at fault.",
        )


# --- planning -------------------------------------------------------------------------------------


def make_plan(store: Store, connection: Connection) -> Plan:
    """The difference between the database's documents and today's, as statements and faults."""
    kept, now = documents_kept(store, connection), documents_now(store)
    faults = list(newer_faults(kept, now))
    if not kept:
        check_may_fill(store)
        faults += _foreign_tables(store, connection)
    done = _done(store, connection) if kept else set()
    enabled = {CORE_PLUGIN, *store.catalog.plugins}
    known = {plugin for plugin, _ in kept}
    faults += _unknown_migrations(store, done)
    pending = [m for _, m in sorted(store.catalog.migrations.items()) if m.id not in done]
    fresh = [m for m in pending if _owner(m) not in known]
    run = [m for m in pending if _owner(m) in known]
    if faults:
        return Plan(faults=tuple(faults))
    gone = [key for key in kept if key not in now and key[0] in enabled]
    change = Change(store, {c for m in run for c in m.covers})
    for key in gone:
        change.compare(kept[key], None)
    for key in _in_creation_order(store, now):
        change.compare(kept.get(key), now[key])
    return Plan(
        steps=tuple(change.steps(run)),
        faults=tuple(change.faults),
        notes=tuple(change.notes),
        migrations=tuple(run),
        settled=tuple(m.id for m in fresh),
        documents=tuple(
            doc for key, doc in now.items() if key not in kept or kept[key].body != doc.body
        ),
        gone=tuple(gone),
    )


def _foreign_tables(store: Store, connection: Connection) -> list[str]:
    found = sorted(set(inspect(connection).get_table_names()) & set(store.tables))
    return [f"the database has a table {name} that crmkit did not make" for name in found]


def _unknown_migrations(store: Store, done: set[str]) -> list[str]:
    known = set(store.catalog.migrations)
    lost = sorted(m for m in done if m.split(".")[0] in store.catalog.plugins and m not in known)
    return [
        f"the database has had migration {name}, which the installed {name.split('.')[0]} "
        f"{store.catalog.plugins[name.split('.')[0]].version} does not know: it is newer"
        for name in lost
    ]


def _done(store: Store, connection: Connection) -> set[str]:
    return set(connection.scalars(select(store.tables["migration_done"].c.id)))


def _owner(migration: Migration) -> str:
    return migration.id.split(".")[0]


def _in_creation_order(store: Store, now: Mapping[Key, Document]) -> list[Key]:
    # sorted_tables puts the owner's table before the one that points to it; a history table, which
    # points nowhere, stands anywhere in it and says nothing.
    place = {table.name: i for i, table in enumerate(store.metadata.sorted_tables)}

    def first(key: Key) -> tuple[bool, int, Key]:
        return key[0] != CORE_PLUGIN, place.get(sql_name(key[1]), 0), key

    return sorted(now, key=first)


class Change:
    """The difference of documents, gathered as statements by phase.

    Args:
        store: whose tables and dialect are meant.
        covered: ``table.column``, ``table.*`` or ``table`` that explicit migrations see to.
    """

    def __init__(self, store: Store, covered: set[str]) -> None:
        self._store, self._covered = store, covered
        self._dialect = store.engine.dialect
        self.faults: list[str] = []
        self.notes: list[str] = []
        self._drops: list[Step] = []
        self._adds: list[Step] = []
        self._history: list[Step] = []
        self._indexes: list[Step] = []

    def steps(self, migrations: Sequence[Migration]) -> Iterator[Step]:
        """Every statement in the order in which it must run."""
        yield from self._drops
        yield from self._adds
        for migration in migrations:
            for statement in migration.statements.get(self._store.dialect, ()):
                yield Step(_owner(migration), statement.strip().rstrip(";"), migration.id)
        yield from self._history
        yield from self._indexes

    def compare(self, old: Document | None, new: Document | None) -> None:
        """Adds the difference of one declaration; None is one that is not there."""
        plugin = (new or old).plugin  # type: ignore[union-attr]
        old_tables = old.tables if old else {}
        new_tables = new.tables if new else {}
        for name in old_tables:
            if name not in new_tables and not self._covers(name, "*"):
                self._refuse(name, "is no longer declared")
        for name, shape in new_tables.items():
            if name in old_tables:
                self._compare_table(plugin, name, old_tables[name], shape)
            elif not self._covers(name, "*"):
                self._create(plugin, self._store.tables[name])
        if old is not None:
            self._compare_payload(old, new)
        if old is not None and new is not None and "schema" in old.body:
            self.notes += narrowings(new.entity, old.body["schema"], new.body["schema"])
            self._compare_currencies(old, new)

    def _create(self, plugin: str, table: Table) -> None:
        self._adds.append(self._made(plugin, CreateTable(table)))
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            self._index(plugin, index)

    def _index(self, plugin: str, index: Index, *, if_not_exists: bool = False) -> None:
        made = CreateIndex(index, if_not_exists=if_not_exists)
        self._indexes.append(self._made(plugin, made))

    def _made(self, plugin: str, made: CreateTable | CreateIndex) -> Step:
        return Step(plugin, str(made.compile(dialect=self._dialect)).strip())

    def _compare_table(
        self, plugin: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> None:
        self._compare_columns(plugin, name, old["columns"], new["columns"])
        if old["key"] != new["key"] and not self._covers(name, "*"):
            self._refuse(name, f"changes its key from {old['key']} to {new['key']}")
        for index in old["indexes"]:
            if new["indexes"].get(index) != old["indexes"][index]:
                self._drops.append(Step(plugin, f"DROP INDEX IF EXISTS {index}"))
        # A migration that copies a table loses its indexes, so those are made again where missing.
        touched = any(c == name or c.startswith(f"{name}.") for c in self._covered)
        for made in sorted(self._store.tables[name].indexes, key=lambda i: str(i.name)):
            if touched or old["indexes"].get(str(made.name)) != new["indexes"][str(made.name)]:
                self._index(plugin, made, if_not_exists=True)

    def _compare_columns(
        self, plugin: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> None:
        for column, stored in old.items():
            if self._covers(name, column):
                continue
            if column not in new:
                self._remove(plugin, name, column)
            elif new[column][0] != stored[0]:
                self._refuse(f"{name}.{column}", f"changes from {stored[0]} to {new[column][0]}")
            elif stored[1] and not new[column][1]:
                self._refuse(f"{name}.{column}", "may no longer be missing")
            elif stored[2] != new[column][2]:
                self._refuse(f"{name}.{column}", f"points to {new[column][2]}, not {stored[2]}")
        for column, (_, nullable, _) in new.items():
            if column in old or self._covers(name, column):
                continue
            if not nullable:
                self._refuse(f"{name}.{column}", "is new and must have a value in every row")
                continue
            made = self._store.tables[name].c[column]
            targets = [ForeignKey(key.target_fullname) for key in made.foreign_keys]
            added = Column(made.name, made.type, *targets, nullable=True)
            # Inline, because SQLite cannot add a foreign key to a table that is there.
            self._adds += _adding(plugin, name, added, self._dialect)

    def _remove(self, plugin: str, name: str, column: str) -> None:
        current = name.removesuffix("_history")
        if current != name and self._covers(current, column):
            # Whoever takes a field away takes its past with it, unless the migration says otherwise
            # by covering the history column too; a column left behind would bar the name for ever.
            self._history.append(Step(plugin, f"ALTER TABLE {name} DROP COLUMN {column}"))
        elif current == name or current not in self._store.tables:
            self._refuse(f"{name}.{column}", "is no longer declared")

    def _compare_payload(self, old: Document, new: Document | None) -> None:
        name = sql_name(old.entity)
        if new is None:
            if old.payload and not self._covers(name, "*"):
                self._refuse(name, "is no longer declared")
            return
        for column, word in old.payload.items():
            if self._covers(name, column):
                continue
            if column not in new.payload:
                self._refuse(f"{name}.{column}", "is no longer declared")
            elif new.payload[column] != word:
                self._refuse(f"{name}.{column}", f"changes from {word} to {new.payload[column]}")

    def _compare_currencies(self, old: Document, new: Document) -> None:
        """A currency that a field fixed is the currency of every amount that it has stored."""
        declared, table = new.body["schema"].get("properties", {}), sql_name(new.entity)
        for name, before in old.currencies.items():
            now = new.currencies.get(name)
            if before == now or name not in declared or self._covers(table, f"{name}_minor"):
                continue
            if now is not None:
                self._refuse(f"{table}.{name}_minor", f"changes from {before} to {now}")
            elif old.payload:
                self._refuse(f"{table}.{name}_minor", f"is no longer in {before} alone")
            else:
                self._fill_currency(new.plugin, new.tables, name, before)

    def _fill_currency(self, plugin: str, tables: Iterable[str], name: str, currency: str) -> None:
        for table in tables:
            if not self._covers(table, f"{name}_currency"):
                filled = (
                    f"UPDATE {table} SET {name}_currency = '{currency}' "  # noqa: S608 - declared
                    f"WHERE {name}_minor IS NOT NULL"
                )
                self._adds.append(Step(plugin, filled))

    def _covers(self, table: str, column: str) -> bool:
        return bool({table, f"{table}.*", f"{table}.{column}"} & self._covered)

    def _refuse(self, what: str, why: str) -> None:
        self.faults.append(f"{what} {why}, and no migration covers it")


def _adding(plugin: str, table: str, column: Column[Any], dialect: Dialect) -> list[Step]:
    """Adding a column to a table that is there, rendered by Alembic without running it."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations, ops

    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect=dialect, opts={"as_sql": True, "output_buffer": buffer}
    )
    Operations(context).invoke(ops.AddColumnOp(table, column, inline_references=True))
    # Alembic ends every statement with a semicolon and an empty line.
    parts = (part.strip() for part in buffer.getvalue().split(";\n\n"))
    return [Step(plugin, part) for part in parts if part]


def narrowings(entity: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What the new schema takes no longer, though its columns still fit; one sentence part each."""
    out = []
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        out.append(f"{entity}.{name} is now required")
    before: Mapping[str, Any] = old.get("properties", {})
    for name, schema in new.get("properties", {}).items():
        if name not in before:
            continue
        lost = [v for v in before[name].get("enum", ()) if v not in schema.get("enum", [v])]
        if lost:
            out.append(f"{entity}.{name} no longer takes {', '.join(map(repr, lost))}")
        for word in ("minimum", "maximum", "pattern", "minLength", "maxLength"):
            if word in schema and schema[word] != before[name].get(word):
                out.append(f"{entity}.{name}: {word} is now {schema[word]!r}")
    return out
