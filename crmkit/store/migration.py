"""Bringing the tables to what the enabled plugins declare (design D14).

The change is the difference between two documents (:mod:`crmkit.store.declared`). What only adds
(tables, columns, indexes) is made here; Alembic's operations render what changes a table that is
there, and only such a change loads Alembic. A field, record type or interaction kind that is declared
no longer is *retired*: its columns, rows and schema stay and can be read. What retypes is refused,
unless a plugin's :class:`~crmkit.declarations.Migration` covers it: then it is that migration's
business alone, and so is a column that it removes.

Order: indexes that go, tables and columns that come, what consent fields said that leave
(:mod:`crmkit.store.earlier_consents`), explicit migrations by id, history columns of removed fields,
indexes that come. All in one transaction, on SQLite too. A dry run does all of it and rolls it back, so
it fails exactly where the upgrade would, and the statements that it shows are the very ones that run.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen
from sqlalchemy import Column, ForeignKey, Table, inspect, select, text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from ..declarations import CUSTOMER, Migration, sql_name
from ..entities.phrasing import counted
from ..errors import ConfigError, NotConfirmed
from .address_keys import fill_address_keys
from .declared import (
    CORE_PLUGIN,
    Document,
    Key,
    Retired,
    check_may_fill,
    documents_kept,
    documents_now,
    field_set,
    newer_faults,
)
from .earlier_consents import Filed, Leaving, file_consents, leaving_fields, takers
from .engine import WRITES, translated
from .identity import check_identity, is_unknown, keep_identity

if TYPE_CHECKING:
    from .store import Store, Tx

COMMAND = "db upgrade"
# Any number that nobody else uses: upgrades of one PostgreSQL database wait for each other on it.
ADVISORY_LOCK = 0x63726D6B
# The one envelope column that a changed declaration can take away.
OWNER = "owner_id"
_CREATED = "created"


@frozen
class Step:
    """One statement, for whose sake it runs, and what it is."""

    plugin: str
    statement: str
    migration: str | None = None


@frozen(kw_only=True)
class Loss:
    """Values that an explicit migration does away with.

    Attributes:
        migration: its id; loss: what it says of itself.
        what: ``table.column`` or ``table``.
        rows: how many rows have a value in it; None where the migration does not say what it covers.
    """

    migration: str
    loss: str
    what: str = ""
    rows: int | None = None


@frozen(kw_only=True)
class Plan:
    """What an upgrade does.

    Attributes:
        steps: the statements, in order; the first ``adding`` of them run before anything is moved.
        faults: why it must not be done, one sentence part each; empty when it can.
        notes: what becomes stricter without any change of tables.
        retired: what is declared no longer and stays, with the rows that have a value in it.
        losses: what explicit migrations do away with; empty where there is nothing to lose.
        leaving: consent fields that leave, to be taken over.
        filed: what became of them, once the upgrade or its dry run has run.
        migrations: explicit migrations that run; ``settled`` are those that a new plugin's tables
            have in them already.
    """

    steps: tuple[Step, ...] = ()
    adding: int = 0
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    retired: Mapping[str, int] = field(factory=dict, hash=False)
    losses: tuple[Loss, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    filed: Filed | None = None
    migrations: tuple[Migration, ...] = ()
    settled: tuple[str, ...] = ()
    documents: tuple[Document, ...] = field(default=(), repr=False)
    gone: tuple[Key, ...] = ()
    kept: Mapping[Key, Document] = field(factory=dict, repr=False, hash=False)

    @property
    def statements(self) -> list[str]:
        """The SQL, one statement each, without semicolon."""
        return [step.statement for step in self.steps]

    @property
    def empty(self) -> bool:
        """Whether nothing at all is to be written."""
        return not (self.steps or self.documents or self.gone or self.settled or self.migrations)

    def check(self, *, allow_loss: bool) -> None:
        """Refuses what must not be done, or not without a word.

        Raises:
            ConfigError: if there are faults.
            NotConfirmed: if something is lost and ``allow_loss`` is False.
        """
        if self.faults:
            raise ConfigError(
                "the schema cannot be upgraded: " + "; ".join(self.faults) + ".",
                code="E_SCHEMA",
                hint=RETYPED
                if any(UNCOVERED in fault for fault in self.faults)
                else "Nothing was changed.",
            )
        if self.losses and not allow_loss:
            told = ", ".join(map(loss_words, self.losses))
            raise NotConfirmed(
                f"this upgrade loses data: {told}.",
                hint="Make a backup, then run the same command with --allow-loss.",
            )


UNCOVERED = "and no migration covers it"
RETYPED = (
    "Nothing was changed. Install the version of the plugin that the database knows, or disable the "
    "plugin (crmkit plugin disable NAME: its rows stay and can be read) until one comes with a migration."
)


def loss_words(loss: Loss) -> str:
    """``shop.0002-drop (destructive): shop_plan.data_gb, rows: 17``."""
    said = f"{loss.migration} ({loss.loss})"
    return f"{said}: {loss.what}, rows: {loss.rows}" if loss.what else said


@frozen(kw_only=True)
class PluginStatus:
    """One plugin's part of the schema; ``None`` as a version means that it is not there."""

    plugin: str
    enabled: bool
    database_version: str | None
    installed_version: str | None
    pending_statements: int
    pending_migrations: int
    retired_fields: int


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
    """Makes the change, of a dry run only to roll it back; see :meth:`Store.upgrade`."""
    with translated(), store.engine.connect() as connection:
        # Only outside a transaction: with foreign keys on, SQLite deletes child rows when an
        # explicit migration replaces a table, and says nothing.
        _foreign_keys(connection, on=False)
        try:
            writing = connection.execution_options(**{WRITES: True})
            return _upgrade(store, writing, dry_run=dry_run, allow_loss=allow_loss)
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
                retired_fields=sum(
                    len(d.retired.fields) for d in kept.values() if d.plugin == plugin
                ),
            )
        )
    return Status(tuple(rows), plan)


# --- doing ----------------------------------------------------------------------------------------


def _upgrade(store: Store, connection: Connection, *, dry_run: bool, allow_loss: bool) -> Plan:
    if store.dialect == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    check_identity(store, connection)
    # Planned under the lock: a rival's upgrade that came first leaves nothing to do.
    plan = make_plan(store, connection)
    if not dry_run:
        plan.check(allow_loss=allow_loss)
    if plan.faults or (plan.empty and not is_unknown(store, connection)):
        return plan
    # Without parameters psycopg takes a percent sign in a migration as it stands.
    plain = connection.execution_options(no_parameters=True)
    for step in plan.steps[: plan.adding]:
        plain.exec_driver_sql(step.statement)
    with store.joined(connection, COMMAND) as tx:
        plan = evolve(plan, filed=file_consents(store, tx, plan.leaving, plan.kept))
        for step in plan.steps[plan.adding :]:
            plain.exec_driver_sql(step.statement)
        fill_address_keys(store.tables["contact_point"], connection)
        if store.dialect == "sqlite" and plan.migrations:
            _check_foreign_keys(connection)
        _record(store, tx, plan)
        if not dry_run:
            keep_identity(store, tx)  # it writes the settings too, which no rollback would undo
    if dry_run:
        connection.rollback()
    else:
        connection.commit()
    return plan


def _record(store: Store, tx: Tx, plan: Plan) -> None:
    d, m = store.tables["declaration"], store.tables["migration_done"]
    for plugin, entity in [*plan.gone, *(doc.key for doc in plan.documents)]:
        tx.connection.execute(d.delete().where(d.c.plugin == plugin, d.c.entity == entity))
    for doc in plan.documents:
        tx.connection.execute(
            d.insert(),
            {
                "plugin": doc.plugin, "entity": doc.entity, "declared": doc.body,
                "plugin_version": doc.version, "tx": tx.id,
            },
        )  # fmt: skip
    for name in sorted({*plan.settled, *(x.id for x in plan.migrations)}):
        tx.connection.execute(m.insert(), {"id": name, "plugin": name.split(".")[0], "tx": tx.id})


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        raw.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        tables = ", ".join(sorted({f"{row[0]} (to {row[2]})" for row in broken}))
        raise ConfigError(
            f"a migration would leave {counted(len(broken), 'row')} pointing nowhere, in {tables}.",
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
    change = Change(store, {c for m in run for c in m.covers})
    documents: dict[Key, Document | None] = {}
    for key in kept:
        if key not in now and key[0] in enabled:
            documents[key] = change.compare(kept[key], None)
    for key in _in_creation_order(store, now):
        documents[key] = change.compare(kept.get(key), now[key])
    leaving = tuple(
        Leaving(document=old, fields=fields)
        for key, old in kept.items()
        if key in documents and (fields := leaving_fields(old, now.get(key)))
    )
    if takers(store):
        for one in leaving:
            documents[one.document.key] = _taken(documents[one.document.key], one)
    steps, adding = change.steps(run)
    return Plan(
        steps=tuple(steps),
        adding=adding,
        faults=tuple(change.faults),
        notes=tuple(change.notes),
        retired={what: _filled(connection, name, col) for what, name, col in change.retired},
        losses=tuple(_losses(connection, run, kept)),
        leaving=leaving if takers(store) else (),
        migrations=tuple(run),
        settled=tuple(m.id for m in fresh),
        documents=tuple(
            document
            for key, document in documents.items()
            if document is not None and (key not in kept or kept[key].body != document.body)
        ),
        gone=tuple(key for key, document in documents.items() if document is None),
        kept=kept,
    )


def _public(document: Document, name: str) -> str:
    """``telecom.senior`` of a customer's field, ``shop.plan.title`` of a record's."""
    return f"{document.entity.removesuffix(f'.{CUSTOMER}')}.{name}"


def _taken(document: Document | None, leaving: Leaving) -> Document | None:
    """The document that says that these consents have been taken over."""
    if document is None:
        return None
    retired = document.retired
    names = [n for n in leaving.fields if n in retired.fields]
    return document.with_retired(evolve(retired, taken=sorted({*retired.taken, *names})))


def _filled(connection: Connection, table: str, column: str | None) -> int:
    """Rows of a table, or those with a value in the column."""
    counted = "*" if column is None else column
    # Names of declarations, which are [a-z][a-z0-9_]*.
    asked = f"SELECT count({counted}) FROM {table}"  # noqa: S608
    return int(connection.execute(text(asked)).scalar_one())


def _losses(
    connection: Connection, run: Sequence[Migration], kept: Mapping[Key, Document]
) -> Iterator[Loss]:
    columns = {
        table: {*shape["columns"], *document.retired.columns.get(table, ())}
        for document in kept.values()
        for table, shape in document.tables.items()
    }
    for migration in run:
        if migration.loss == "none":
            continue
        if not migration.covers:
            yield Loss(migration=migration.id, loss=migration.loss)
        for what in migration.covers:
            table, _, column = what.partition(".")
            if table not in columns or (column not in ("", "*") and column not in columns[table]):
                continue
            whole = column in ("", "*")
            rows = _filled(connection, table, None if whole else column)
            if (
                not whole
                and f"{table}_history" in columns
                and column in columns[f"{table}_history"]
            ):
                rows += _filled(connection, f"{table}_history", column)
            if rows:
                named = table if whole else what
                yield Loss(migration=migration.id, loss=migration.loss, what=named, rows=rows)


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

    Attributes:
        retired: what is declared no longer: its public name, its table, and the column, None for a
            whole table.
    """

    def __init__(self, store: Store, covered: set[str]) -> None:
        self._store, self._covered = store, covered
        self._dialect = store.engine.dialect
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.retired: list[tuple[str, str, str | None]] = []
        self._drops: list[Step] = []
        self._adds: list[Step] = []
        self._history: list[Step] = []
        self._indexes: list[Step] = []

    def steps(self, migrations: Sequence[Migration]) -> tuple[list[Step], int]:
        """Every statement in the order in which it must run, and how many come before any that moves."""
        adding = [*self._drops, *self._adds]
        moving = [
            Step(_owner(migration), statement.strip().rstrip(";"), migration.id)
            for migration in migrations
            for statement in migration.statements.get(self._store.dialect, ())
        ]
        return [*adding, *moving, *self._history, *self._indexes], len(adding)

    def compare(self, old: Document | None, new: Document | None) -> Document | None:
        """Adds the difference of one declaration; None is one that is not there.

        Returns:
            The document to keep; None where a migration does away with everything that it describes.
        """
        if new is None:
            return None if old is None else self._without(old)
        if old is None:
            for name in new.tables:
                if not self._covers(name, "*"):
                    self._create(new.plugin, self._store.tables[name])
            return new
        retired = self._renamed(old.retired, new)
        leaving = {
            column.name: name
            for name, schema in old.fields.items()
            if name not in new.fields
            for column in field_set({name: schema}).columns
        }
        for name in old.tables:
            if name not in new.tables and not self._covers(name, "*"):
                self._refuse(name, "is no longer declared")
        columns: dict[str, dict[str, Any]] = {}
        for name, shape in new.tables.items():
            if name in old.tables:
                there = retired.columns.get(name, {})
                found = self._compare_table(
                    new.plugin, name, old.tables[name], shape, leaving, there
                )
                columns[name] = {**self._carried(new.plugin, name, there, shape), **found}
                if not name.endswith("_history"):
                    self.retired += [(_public(new, leaving.get(c, c)), name, c) for c in found]
            elif not self._covers(name, "*"):
                self._create(new.plugin, self._store.tables[name])
        gone = self._compare_payload(old, new)
        if "schema" in old.body:
            self.notes += narrowings(new.entity, old.body["schema"], new.body["schema"])
            self._compare_currencies(old, new)
        every = {**retired.fields, **old.fields}
        staying = {leaving[c] for shapes in columns.values() for c in shapes if c in leaving}
        names = {*retired.fields, *staying, *gone}
        made = Retired(
            fields={n: s for n, s in every.items() if n in names and n not in new.fields},
            columns={table: shapes for table, shapes in columns.items() if shapes},
            taken=[name for name in retired.taken if name not in new.fields],
        )
        return new.with_retired(self._alive(made, new))

    def _without(self, old: Document) -> Document | None:
        """Of an entity that is declared no longer everything stays, unless a migration removes it."""
        covered = [name for name in old.tables if self._covers(name, "*")]
        if covered or self._covers(sql_name(old.entity), "*"):
            for name in old.tables:
                if name not in covered:
                    self._refuse(name, "is no longer declared")
            return None
        if old.is_retired:
            return old
        self.retired += [
            (old.entity, name, None) for name in old.tables if not name.endswith("_history")
        ]
        return evolve(old, body={**old.body, "is_retired": True})

    def _alive(self, retired: Retired, new: Document) -> Retired:
        """Those of which something is left after the migrations."""
        if not new.tables:
            return retired
        left = {c for shapes in retired.columns.values() for c in shapes}
        lost = {
            name
            for name, schema in retired.fields.items()
            if not left & {column.name for column in field_set({name: schema}).columns}
        }
        return retired.without(lost)

    def _renamed(self, retired: Retired, new: Document) -> Retired:
        """Gives retired fields another name where the plugin declares theirs anew for something else."""
        for name in sorted(set(retired.fields) & set(new.fields)):
            schema = retired.fields[name]
            old_columns = [c.name for c in field_set({name: schema}).columns]
            fits = all(
                shapes[c] == new.tables[table]["columns"].get(c)
                for table, shapes in retired.columns.items()
                for c in old_columns
                if c in shapes
            )
            if fits:
                continue  # its values are there again
            taken = {*retired.fields, *new.fields}
            other = next(f"{name}_{n}" for n in range(1, 1000) if f"{name}_{n}" not in taken)
            new_columns = [c.name for c in field_set({other: schema}).columns]
            names = dict(zip(old_columns, new_columns, strict=True))
            columns = {
                table: {names.get(c, c): shape for c, shape in shapes.items()}
                for table, shapes in retired.columns.items()
            }
            for table, shapes in retired.columns.items():
                self._drops += [
                    Step(new.plugin, f"ALTER TABLE {table} RENAME COLUMN {c} TO {names[c]}")
                    for c in old_columns
                    if c in shapes
                ]
            fields = {other if n == name else n: s for n, s in retired.fields.items()}
            taken_over = tuple(other if n == name else n for n in retired.taken)
            retired = Retired(fields=fields, columns=columns, taken=taken_over)
        return retired

    def _carried(
        self, plugin: str, name: str, there: Mapping[str, Any], new: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The columns of a table that were retired before and that stay so."""
        out = {}
        for column, shape in there.items():
            if self._covers(name, column):
                continue
            current = name.removesuffix("_history")
            if current != name and self._covers(current, column):
                self._history.append(Step(plugin, f"ALTER TABLE {name} DROP COLUMN {column}"))
            elif column not in new["columns"]:
                out[column] = shape
        return out

    def _create(self, plugin: str, table: Table) -> None:
        # Written once for a table, which lives as long as the process.
        texts = table.info.get(_CREATED)
        if texts is None:
            # Its indexes at once: rows may be filed in it before the upgrade is through.
            indexes = sorted(table.indexes, key=lambda i: str(i.name))
            texts = [self._text(CreateTable(table)), *(self._text(CreateIndex(i)) for i in indexes)]
            table.info[_CREATED] = texts
        self._adds += [Step(plugin, text) for text in texts]

    def _text(self, made: CreateTable | CreateIndex) -> str:
        return str(made.compile(dialect=self._dialect)).strip()

    def _compare_table(
        self, plugin: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any],
        leaving: Mapping[str, str], there: Iterable[str],
    ) -> dict[str, Any]:  # fmt: skip
        retired = self._compare_columns(
            plugin, name, old["columns"], new["columns"], leaving, there
        )
        if old["key"] != new["key"] and not self._covers(name, "*"):
            self._refuse(name, f"changes its key from {old['key']} to {new['key']}")
        for index in old["indexes"]:
            if new["indexes"].get(index) != old["indexes"][index]:
                self._drops.append(Step(plugin, f"DROP INDEX IF EXISTS {index}"))
        # A migration that copies a table loses its indexes, so those are made again where missing.
        touched = any(c == name or c.startswith(f"{name}.") for c in self._covered)
        for made in sorted(self._store.tables[name].indexes, key=lambda i: str(i.name)):
            if touched or old["indexes"].get(str(made.name)) != new["indexes"][str(made.name)]:
                text = self._text(CreateIndex(made, if_not_exists=True))
                self._indexes.append(Step(plugin, text))
        return retired

    def _compare_columns(
        self, plugin: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any],
        leaving: Mapping[str, str], there: Iterable[str],
    ) -> dict[str, Any]:  # fmt: skip
        """Compares the columns of one table; returns those that it retires.

        Args:
            leaving: the field of each column whose field is declared no longer.
            there: columns that were retired before.
        """
        retired = {}
        for column, stored in old.items():
            if self._covers(name, column):
                continue
            if column not in new:
                if self._removed_with_current(plugin, name, column):
                    continue
                if column in leaving or (column == OWNER and stored[1]):
                    retired[column] = stored
                elif not name.endswith("_history"):
                    self._refuse(f"{name}.{column}", "is no longer declared")
            elif new[column][0] != stored[0]:
                self._refuse(f"{name}.{column}", f"changes from {stored[0]} to {new[column][0]}")
            elif stored[1] and not new[column][1]:
                self._refuse(f"{name}.{column}", "may no longer be missing")
            elif stored[2] != new[column][2]:
                self._refuse(f"{name}.{column}", f"points to {new[column][2]}, not {stored[2]}")
        for column, (_, nullable, _) in new.items():
            if column in old or column in there or self._covers(name, column):
                continue
            if not nullable:
                self._refuse(f"{name}.{column}", "is new and must have a value in every row")
                continue
            made = self._store.tables[name].c[column]
            targets = [ForeignKey(key.target_fullname) for key in made.foreign_keys]
            added = Column(made.name, made.type, *targets, nullable=True)
            # Inline, because SQLite cannot add a foreign key to a table that is there.
            self._adds += _adding(plugin, name, added, self._dialect)
        return retired

    def _removed_with_current(self, plugin: str, name: str, column: str) -> bool:
        """Whether it is a history column whose field a migration removes; then it goes with it.

        Otherwise a column left behind would bar the name for ever. A migration that covers the history
        column too says what becomes of it.
        """
        current = name.removesuffix("_history")
        if current == name or not self._covers(current, column):
            return False
        self._history.append(Step(plugin, f"ALTER TABLE {name} DROP COLUMN {column}"))
        return True

    def _compare_payload(self, old: Document, new: Document) -> set[str]:
        """Compares the payload of an interaction kind; returns the fields that are declared no longer.

        Their values stay in the payloads.
        """
        name, gone = sql_name(old.entity), set()
        columns = {c.name: c.field for c in field_set(old.fields).columns}
        for column, word in old.payload.items():
            if self._covers(name, column):
                continue
            if column not in new.payload:
                if columns[column] in new.fields:
                    self._refuse(f"{name}.{column}", "is no longer declared")
                gone.add(columns[column])
            elif new.payload[column] != word:
                self._refuse(f"{name}.{column}", f"changes from {word} to {new.payload[column]}")
        return gone

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
        self.faults.append(f"{what} {why}, {UNCOVERED}")


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
