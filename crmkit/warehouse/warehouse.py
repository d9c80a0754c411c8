"""The warehouse of a workspace: a read-only columnar snapshot of its store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from ..declarations import CUSTOMER
from ..errors import StorageError
from .currencies import currencies_in
from .engine import Engine, Limits, quoted_text
from .engines.choice import DUCKDB, check_engine, open_engine
from .engines.duckdb import DuckDbEngine, SealedEngine
from .guarded import GuardedTables
from .idle import IdleSession
from .layout import NO_CURRENCY, Layout
from .live import LiveTables
from .manifest import FILE, LatestManifest, Manifest, is_damaged
from .portable import BASE
from .session import Session, SnapshotTables
from .snapshot import Snapshot, damaged_files, is_stale, refresh, since
from .verify import Difference, verify

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..store.privacy import GuardedRows
    from ..store.store import Store
    from .population import Population

    Guard = tuple[frozenset[int], GuardedRows]


class Warehouse:
    """Refreshes the snapshot and opens sessions over it.

    The folder is disposable: deleted, it is built anew from the store (design D7).

    Attributes:
        replaced: files that were found missing or damaged and were read anew, as they were found.

    Args:
        folder: of the snapshot. runs: of the outcomes.
        catalog: what the enabled plugins declare.
        store: where the rows come from.
        time_zone: IANA zone in which days begin and end.
        currency: in which costs are declared.
    """

    def __init__(
        self, folder: Path, catalog: Catalog, store: Store, *, time_zone: str, runs: Path,
        currency: str = NO_CURRENCY,
    ) -> None:  # fmt: skip
        self.folder, self.runs, self.time_zone = folder, runs, time_zone
        self.store = store
        self._currency = currency
        self._catalog = catalog
        self._latest = LatestManifest(folder)
        self._idle, self._guarded_idle, self._sealed_idle = (IdleSession() for _ in range(3))
        self._engine_name = DUCKDB
        self._script: list[str] | None = None
        self.replaced: list[str] = []

    @cached_property
    def layout(self) -> Layout:
        """The tables and columns that the catalog gives rise to.

        Raises:
            DeclarationError: if a declared field takes the name of one of crmkit's own columns.
        """
        return Layout.of(self._catalog, self._currency)

    def refresh(self, full: bool = False, *, suspects: Collection[str] | None = ()) -> Snapshot:
        """Brings the snapshot up to the store; waits while another process does.

        Args:
            full: True reads everything anew.
            suspects: tables whose files are compared with their checksums, and read anew if they
                differ; None is all. Files that are missing or cut are always seen.

        Raises:
            Busy, StorageError: if store or folder cannot be used; the old snapshot stands.
        """
        made = refresh(
            self.folder, self.layout, self.store.engine.url, self.time_zone,
            full=full, suspects=suspects,
        )  # fmt: skip
        self.replaced += made.replaced
        return made

    def damaged(self) -> list[str]:
        """Files of the snapshot that are missing or not as they were written; all are read.

        Raises:
            StorageError: if a file cannot be read.
        """
        manifest = self._latest.read()
        if manifest is None:
            return [FILE] if is_damaged(self.folder) else []
        return [f for files in damaged_files(self.folder, manifest).values() for f in files]

    def refresh_if_stale(self) -> Snapshot | None:
        """Refreshes if a transaction or a declaration is not in the snapshot; None if all are.

        Raises:
            Busy, StorageError: as :meth:`refresh`.
        """
        return self.refresh() if self.is_stale() else None

    def is_stale(self) -> bool:
        """Whether a transaction or a declaration is not in the snapshot."""
        manifest = self._latest.read()
        tx = self.store.tables["tx"]
        with self.store.read() as connection:
            found = connection.scalars(select(tx.c.id).where(tx.c.id >= since(manifest)))
            recent = set(found)
        return is_stale(manifest, self.layout, self.time_zone, recent)

    def known_since(self) -> datetime | None:
        """The instant (UTC without zone) since when any customer is known; None without customers."""
        with self.session() as session:
            session.bind_base(CUSTOMER)
            found = session.engine.query(f"SELECT min(valid_from) AS at FROM {BASE}{CUSTOMER}", {})
        first: datetime | None = found["at"][0].as_py()
        return first

    def verify(self) -> list[Difference]:
        """Compares counts and sums of the snapshot with the store; empty when they agree.

        Transactions that the snapshot does not have yet are left out of the comparison.
        """
        with closing(self._embedded()) as engine:
            return verify(engine, self._tables(), self.store.engine.url)

    @contextmanager
    def using(self, engine: str | None = None, script: list[str] | None = None) -> Iterator[None]:
        """Sessions over the snapshot that are opened within run on another engine.

        Args:
            engine: ``duckdb``, ``spark`` or ``spark://HOST:PORT``; None leaves it as it is.
            script: every statement that runs is added to it; None leaves it as it is.

        Raises:
            UsageError: if there is no such engine.
        """
        before = self._engine_name, self._script
        if engine is not None:
            self._engine_name = check_engine(engine)
        if script is not None:
            self._script = script
        try:
            yield
        finally:
            self._engine_name, self._script = before

    @property
    def currency(self) -> str:
        """In which amounts are added up: that of all data where they have one only, else the workspace's."""
        return self._tables().currency

    def currencies(self, names: Collection[str], population: Population) -> list[str]:
        """The currencies of the amounts that a population sees in some tables, in order of code.

        It is asked of the embedded engine whatever engine is in use, and stands in no script.

        Args:
            names: of tables in analysis SQL.
        """
        before = self._engine_name, self._script
        self._engine_name, self._script = DUCKDB, None
        try:
            with self.session(fresh=False) as session:
                return currencies_in(session.frame(population), self.layout, names)
        finally:
            self._engine_name, self._script = before

    def session(
        self, *, fresh: bool = True, shown: bool = False, sealed: Limits | None = None
    ) -> Session:
        """Opens a session over the snapshot.

        Args:
            fresh: False reads the snapshot as it is, even if the store has moved on.
            shown: True for what people are shown: whom the store's viewer may not learn of is not
                in any table (design D19). Rules, scores and features see everybody.
            sealed: for SQL that somebody handed in: what it may cost. Its engine opens no file.
        """
        if fresh:
            self.refresh_if_stale()
        tables = self._tables()
        guard = self._guard() if shown else None
        if self._engine_name != DUCKDB or self._script is not None:
            # A script is to be whole, and an engine in use already has bound its files.
            engine = open_engine(self._engine_name, self._folders, self._script, sealed)
            return Session(engine, GuardedTables(tables, *guard) if guard else tables)
        idle = self._sealed_idle if sealed else self._guarded_idle if guard else self._idle
        kind = (guard, sealed)
        return idle.take(tables.manifest, kind) or self._opened(tables, idle, kind)

    def _guard(self) -> Guard | None:
        """Ids and rows of which the store's viewer may not learn; None if there is none."""
        hidden, rows = self.store.privacy.hidden_subjects(), self.store.privacy.rows_guarded()
        return (hidden, rows) if hidden or rows else None

    def shown_counts(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Rows of each table that the store's viewer may learn of, given the rows of each."""
        guard = self._guard()
        if guard is None:
            return dict(counts)
        with closing(self._embedded()) as engine:
            open_ones = GuardedTables(self._tables(), *guard)
            # Files of plugins that are switched off have no columns by which to tell.
            known = [name for name in counts if name in self.layout.tables]
            for name in known:
                open_ones.bind(engine, name)
            asked = [
                f"SELECT {quoted_text(n)} AS name, count(*) AS n FROM {BASE}{n}" for n in known
            ]
            found = engine.query(" UNION ALL ".join(asked), {}).to_pylist() if asked else []
        return {**counts, **{row["name"]: row["n"] for row in found}}

    def shown(self, rows: pa.Table) -> pa.Table:
        """Rows with ``subject_id`` without those whom the store's viewer may not learn of."""
        hidden = self.store.privacy.hidden_subjects()
        if not hidden:
            return rows
        held = pc.is_in(rows["subject_id"], value_set=pa.array(sorted(hidden), pa.int64()))
        return rows.filter(pc.invert(held))

    def _opened(
        self, tables: SnapshotTables, idle: IdleSession, kind: tuple[Guard | None, Limits | None]
    ) -> Session:
        guard, sealed = kind
        engine = SealedEngine(sealed) if sealed else DuckDbEngine(self._folders)

        def put_back(session: Session) -> None:
            idle.put(session, engine, tables, kind)

        return Session(engine, GuardedTables(tables, *guard) if guard else tables, put_back)

    def close(self) -> None:
        """Gives back the engines that wait for the next session."""
        for idle in (self._idle, self._guarded_idle, self._sealed_idle):
            idle.close()

    def live(self, customer_id: int) -> Session:
        """Opens a session over one customer's rows as the store has them now (design D6).

        No snapshot is needed. Tables have the names and types of the snapshot, so the same SQL
        gives the same values for whatever looks at the customer's own rows only.
        """
        url = self.store.engine.url
        tables = LiveTables(self.layout, url, customer_id, self.time_zone, self.runs, self.currency)
        return Session(self._embedded(), tables)

    def _tables(self) -> SnapshotTables:
        manifest = self._latest.read() or Manifest(time_zone=self.time_zone)
        return SnapshotTables(self.layout, manifest, self.folder, self.runs, self._mended)

    def _mended(self, manifest: Manifest, damaged: Collection[str]) -> Manifest:
        """A snapshot of the same rows as ``manifest``, with the damaged tables read anew."""
        self.refresh(suspects=damaged)
        made = self._latest.read()
        if made is None or not made.same_rows(manifest):
            # What was read of the old snapshot does not go together with rows of the new one.
            raise StorageError(
                f"files of {', '.join(sorted(damaged))} in the warehouse were damaged and have been "
                "read anew from the store, to which others wrote meanwhile.",
                hint="Run the same command again.",
            )
        return made

    def _embedded(self) -> Engine:
        return open_engine(DUCKDB, self._folders, self._script)

    @property
    def _folders(self) -> list[Path]:
        return [self.folder, self.runs]
