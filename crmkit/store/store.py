"""The store: the only place that writes operational data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ..declarations import Batch, Committed, RowFault
from ..errors import Busy, ConfigError, NotFound, SchemaOutdated, StorageError
from .domain import DomainTable, Entity, entities_of, tables_for
from .engine import WRITES, make_engine, translated
from .locks import lock_customers
from .privacy import Privacy
from .writers import Lease, Writers

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..policy import Viewer
    from .customers import Customers
    from .decisions import Decisions
    from .firings import Firings
    from .fragments import Fragments
    from .identity import SettingsFile
    from .imports import Imports
    from .interactions import Interactions
    from .merge import Merges
    from .migration import Plan, Status
    from .outcomes import Outcomes
    from .ownership import OwnershipRows
    from .records import Records
    from .relations import Relations
    from .stages import Stages


# What plugins say of rows that are to be written.
CheckRows = Callable[[Batch], Sequence[tuple[str, Sequence[RowFault]]]]


class Tx:
    """One write that is under way (design D2).

    Attributes:
        id: what the rows of this write carry in ``tx``.
        at: UTC instant in which it began.
        actor, command, source: who, with what, from where.
        connection: the connection inside the transaction; whoever writes rows uses this one.
    """

    def __init__(
        self, connection: Connection, lease: Lease, at: datetime, actor: str, command: str,
        source: str | None,
    ) -> None:  # fmt: skip
        self.connection = connection
        self.at, self.actor, self.command, self.source = at, actor, command, source
        self._ids = lease.ids
        self.id = self._ids.next()
        self.first_id: int | None = None
        self.last_id: int | None = None
        self._written: dict[str, int] = {}

    def take_ids(self, count: int) -> list[int]:
        """``count`` new ids, rising, that are in no other transaction."""
        ids = self._ids.take(count)
        if ids:
            self.first_id = ids[0] if self.first_id is None else self.first_id
            self.last_id = ids[-1]
        return ids

    def lock_customers(self, ids: Iterable[int]) -> None:
        """Lets nobody else who locks these customers go on until this write has ended.

        For checks that must still hold when the write commits, such as caps on contacts. On SQLite
        the open write already shuts out every other one.
        """
        lock_customers(self.connection, ids)

    def count(self, entity: str, rows: int) -> None:
        """Adds ``rows`` written rows of ``entity`` to what observers are told."""
        if rows:
            self._written[entity] = self._written.get(entity, 0) + rows

    @property
    def written(self) -> Mapping[str, int]:
        """Rows written so far, by entity."""
        return dict(self._written)


class Store:
    """The database of one workspace: tables, transactions and a gateway per entity.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql+psycopg://...``.
        catalog: what the enabled plugins declare.
        clock: returns the aware UTC now.
        actor: who is recorded on writes.
        observer: told of every committed transaction, after the commit.
        time_zone: IANA zone in which an instant's local day is taken (design D1).
        currency: ISO 4217 code of amounts that name none.
        protection_months: for so long after an assignment a customer's renewals are its owner's
            alone; 0 is never.
        viewer: whose rights decide which customers are named to people; None sees everybody.
        file: the settings that have to belong to this database; None leaves that unchecked.
        create: whether an empty database is filled; False refuses one that is not there or empty.
        password: of the account on a server, where the URL has none.
        check_rows: asks plugins about rows that are to be written, as the hook of that name;
            ``(plugin, faults)`` of each.

    Raises:
        ConfigError: if the URL names no supported database, or a file that is not there.
        DeclarationError: if declarations cannot be made into tables.
    """

    def __init__(
        self,
        url: str,
        catalog: Catalog,
        *,
        clock: Callable[[], datetime],
        actor: str,
        observer: Callable[[Committed], None] | None = None,
        time_zone: str = "UTC",
        currency: str = "USD",
        protection_months: int = 0,
        viewer: Viewer | None = None,
        file: SettingsFile | None = None,
        create: bool = True,
        password: str | None = None,
        check_rows: CheckRows = lambda batch: (),
    ) -> None:
        self.ask_plugins = check_rows
        self.catalog, self.clock, self.actor = catalog, clock, actor
        self.protection_months = protection_months
        self.privacy = Privacy(self, viewer)
        self.time_zone, self.currency = ZoneInfo(time_zone), currency
        self._observer = observer
        self.file, self.creates = file, create
        self.engine = make_engine(url, create=create, password=password)
        tables = tables_for(catalog, self.engine.dialect.name)
        self.metadata, self.core_names = tables.metadata, tables.core
        self.domain: Mapping[str, DomainTable] = tables.domain
        self.tables: Mapping[str, Table] = dict(self.metadata.tables)
        self._writers = Writers(self.engine, self.tables["writer"], clock)
        self._here = threading.local()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @property
    def is_writing(self) -> bool:
        """Whether this thread is inside a write."""
        return getattr(self._here, "writing", False)

    @property
    def is_rehearsing(self) -> bool:
        """Whether what this thread writes is rolled back, as in a dry run."""
        return getattr(self._here, "rehearsing", False)

    # --- transactions -------------------------------------------------------------------------

    @contextmanager
    def begin(
        self, command: str, source: str | None = None, *, actor: str | None = None
    ) -> Iterator[Tx]:
        """A write: commits when the block ends, rolls back when it raises.

        Args:
            command: what is done, as ``customer add``; kept on the transaction.
            source: the system that the data come from, if any.
            actor: who does it; None is the store's actor.

        Raises:
            Busy: if another process writes for more than ten seconds.
            Contended: if the database chose this write to give way to another; see
                :mod:`crmkit.store.retry`.
            StorageError: if the disk or the server fails; nothing was changed.
            SchemaOutdated: if a table is missing.
            ConfigError: if this thread is in a write already, which would wait for itself.
        """
        if self.is_writing:
            raise ConfigError(
                f"{command}: this thread is writing already; pass the open transaction on."
            )
        self._here.writing = True
        try:
            with translated(), self._lease() as (connection, lease):
                tx = Tx(connection, lease, self.clock(), actor or self.actor, command, source)
                yield tx
                self._finish(tx, lease)
        finally:
            self._here.writing = False
        if self.is_rehearsing:
            return
        if self._observer is not None:
            self._observer(Committed(tx=tx.id, command=command, source=source, written=tx.written))

    @contextmanager
    def _lease(self) -> Iterator[tuple[Connection, Lease]]:
        """A connection inside a begun write, with a lease that stands."""
        while True:
            lease = self._writers.take()
            with self._connect(writes=True) as connection:
                connection.begin()
                if not self._writers.renew(connection, lease):
                    # Taken over while this process slept: forget it and lease anew.
                    continue
                try:
                    yield connection, lease
                finally:
                    self._writers.give_back(lease)
                return

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Writes of this thread run in full and are rolled back where they would commit.

        For dry runs: what is done, and every error, is the same, and nothing is changed. A second
        write does not see the first one's, so what is rehearsed writes once.
        """
        self._here.rehearsing = True
        try:
            yield
        finally:
            self._here.rehearsing = False

    @contextmanager
    def joined(self, connection: Connection, command: str) -> Iterator[Tx]:
        """A write inside a transaction that the caller has begun and will commit.

        For the upgrade alone, which makes the very tables that :meth:`begin` needs.
        """
        lease = None
        while lease is None:
            lease = self._writers.lease_on(connection)
        tx = Tx(connection, lease, self.clock(), self.actor, command, None)
        yield tx
        self._writers.record(connection, lease)
        self.write_tx_row(tx)
        self._writers.give_back(lease)

    def _finish(self, tx: Tx, lease: Lease) -> None:
        self._writers.record(tx.connection, lease)
        self.write_tx_row(tx)
        if self.is_rehearsing:
            tx.connection.rollback()
            return
        try:
            tx.connection.commit()
        except DBAPIError as error:
            if not error.connection_invalidated or not self._committed(tx.id):
                raise

    def write_tx_row(self, tx: Tx) -> None:
        """Writes the row of the transaction itself, with the ids that it drew."""
        tx.connection.execute(
            self.tables["tx"].insert(),
            {
                "id": tx.id, "at": tx.at, "actor": tx.actor, "command": tx.command,
                "source": tx.source, "first_id": tx.first_id, "last_id": tx.last_id,
            },
        )  # fmt: skip

    def _committed(self, tx_id: int) -> bool:
        """Whether a commit whose answer was lost took place."""
        table = self.tables["tx"]
        with self.read() as connection:
            return connection.scalar(select(table.c.id).where(table.c.id == tx_id)) is not None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one unchanging state of the database and cannot write it."""
        shared = getattr(self._here, "reading", None)
        if shared is not None:
            yield shared
            return
        with translated(), self._connect(writes=False) as connection:
            yield connection

    @contextmanager
    def derived(self) -> Iterator[Connection]:
        """A write of what is made from other rows and can be made again; it is no transaction (D2).

        Raises:
            Busy, StorageError, NotPermitted: as :meth:`begin`; nothing was changed.
        """
        with translated(), self._connect(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """Every :meth:`read` of this thread inside sees one and the same state of the database.

        They share one connection too, which many small reads feel.
        """
        with self.read() as connection:
            before = getattr(self._here, "reading", None)
            self._here.reading = connection
            try:
                yield
            finally:
                self._here.reading = before

    def _connect(self, *, writes: bool) -> Connection:
        connection = self.engine.connect()
        if writes:
            return connection.execution_options(**{WRITES: True})
        if self.dialect == "postgresql":
            return connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        return connection

    def close(self) -> None:
        """Gives the writer numbers back and closes all connections."""
        # A number that cannot be given back now is taken over when it is stale.
        with suppress(Busy, StorageError, SchemaOutdated), translated():
            self._writers.release()
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # --- names --------------------------------------------------------------------------------

    def entity(self, name: str) -> Entity:
        """The enabled entity of that public name.

        Raises:
            NotFound: naming the entities that exist.
        """
        for entity in self.entities:
            if entity.name == name:
                return entity
        raise NotFound("entity", name, (e.name for e in self.entities))

    @cached_property
    def entities(self) -> Sequence[Entity]:
        """Customer fields, record types and interaction kinds of the enabled plugins."""
        return entities_of(self.catalog)

    # --- schema (Alembic is imported only when the schema is changed) -------------------------

    def check_schema(self) -> None:
        """Refuses a database whose tables are not those that the enabled plugins declare.

        Raises:
            SchemaOutdated: naming what is outdated, or that the database is newer than the code.
            ConfigError: if the database is of another workspace than ``file``.
        """
        from .declared import check_schema

        check_schema(self)

    def as_stored(self) -> Store:
        """The database as its last upgrade left it, for reading only.

        It has every field that is stored: those of disabled plugins and those that are declared no
        longer, and it can be read although an upgrade is due.

        Raises:
            SchemaOutdated: if there is nothing that an upgrade has made.
        """
        from .stored import as_stored

        with self.read() as connection:
            return as_stored(self, connection)

    def upgrade(self, dry_run: bool = False, *, allow_loss: bool = False) -> Plan:
        """Brings the tables to what the enabled plugins declare, in one transaction.

        Args:
            dry_run: True makes the change, rolls it back, and returns the plan, also one with
                faults or losses: :meth:`Plan.check` refuses as the upgrade does.
            allow_loss: True lets migrations run that lose data.

        Raises:
            ConfigError: if the change would give stored columns another type and no migration covers
                them, or the database is newer than the code.
            NotConfirmed: if a migration loses data and ``allow_loss`` is False.
            ConfigError: if the database is of another workspace than ``file``.
            PluginError: if what takes over consents fails.
        """
        from .migration import upgrade

        return upgrade(self, dry_run=dry_run, allow_loss=allow_loss)

    def check_identity(self) -> None:
        """Refuses a database of another workspace than ``file``, or in another currency.

        Raises:
            ConfigError: naming both sides.
        """
        from .identity import check_identity

        with self.read() as connection:
            check_identity(self, connection)

    def status(self) -> Status:
        """What the database has, and what an upgrade would do, by plugin."""
        from .migration import status

        return status(self)

    # --- gateways -----------------------------------------------------------------------------

    @cached_property
    def customers(self) -> Customers:
        """Customers with their keys, contact points and plugin fields."""
        from .customers import Customers

        return Customers(self)

    @cached_property
    def fragments(self) -> Fragments:
        """The index that customers are searched through."""
        from .fragments import Fragments

        return Fragments(self)

    @cached_property
    def decisions(self) -> Decisions:
        """What people have said about pairs that may be one customer."""
        from .decisions import Decisions

        return Decisions(self)

    @cached_property
    def merges(self) -> Merges:
        """Customers merged into others, and taken apart again."""
        from .merge import Merges

        return Merges(self)

    @cached_property
    def ownership(self) -> OwnershipRows:
        """Who left, who was given whom and why, and who claims whom."""
        from .ownership import OwnershipRows

        return OwnershipRows(self)

    @cached_property
    def relations(self) -> Relations:
        """Who is what to whom."""
        from .relations import Relations

        return Relations(self)

    @cached_property
    def interactions(self) -> Interactions:
        """Facts about customers, append-only."""
        from .interactions import Interactions

        return Interactions(self)

    @cached_property
    def records(self) -> Records:
        """Rows of the plugins' record types."""
        from .records import Records

        return Records(self)

    @cached_property
    def stages(self) -> Stages:
        """Stages of customers and records, and the log of moves."""
        from .stages import Stages

        return Stages(self)

    @cached_property
    def outcomes(self) -> Outcomes:
        """The latest scores, segments and rule firings of each subject."""
        from .outcomes import Outcomes

        return Outcomes(self)

    @cached_property
    def firings(self) -> Firings:
        """What plugins made of the firings of rules."""
        from .firings import Firings

        return Firings(self)

    @cached_property
    def imports(self) -> Imports:
        """Past and unfinished imports with their rejects."""
        from .imports import Imports

        return Imports(self)
