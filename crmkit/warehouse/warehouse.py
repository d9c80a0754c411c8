"""The warehouse of a workspace: a read-only columnar snapshot of its store."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .engine import DuckDbEngine, Engine
from .layout import Layout
from .manifest import Manifest, read_manifest
from .session import Session, Tables
from .snapshot import Snapshot, is_stale, refresh, since
from .verify import Difference, verify

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..store.store import Store


class Warehouse:
    """Refreshes the snapshot and opens sessions over it.

    The folder is disposable: deleted, it is built anew from the store (design D7).

    Args:
        folder: of the snapshot. runs: of the outcomes.
        catalog: what the enabled plugins declare.
        store: where the rows come from.
        time_zone: IANA zone in which days begin and end.
    """

    def __init__(
        self, folder: Path, catalog: Catalog, store: Store, *, time_zone: str, runs: Path
    ) -> None:
        self.folder, self.runs, self.time_zone = folder, runs, time_zone
        self.store = store
        self._catalog = catalog

    @cached_property
    def layout(self) -> Layout:
        """The tables and columns that the catalog gives rise to.

        Raises:
            DeclarationError: if a declared field takes the name of one of crmkit's own columns.
        """
        return Layout.of(self._catalog)

    def refresh(self, full: bool = False) -> Snapshot:
        """Brings the snapshot up to the store; waits while another process does.

        Args:
            full: True reads everything anew.

        Raises:
            Busy, StorageError: if store or folder cannot be used; the old snapshot stands.
        """
        return refresh(self.folder, self.layout, self.store.engine.url, self.time_zone, full=full)

    def refresh_if_stale(self) -> Snapshot | None:
        """Refreshes if a transaction or a declaration is not in the snapshot; None if all are.

        Raises:
            Busy, StorageError: as :meth:`refresh`.
        """
        return self.refresh() if self.is_stale() else None

    def is_stale(self) -> bool:
        """Whether a transaction or a declaration is not in the snapshot yet."""
        manifest = read_manifest(self.folder)
        table = self.store.tables["tx"]
        with self.store.read() as connection:
            query = table.select().with_only_columns(table.c.id).where(table.c.id >= since(manifest))
            recent = set(connection.scalars(query))
        return is_stale(manifest, self.layout, self.time_zone, recent)

    def verify(self) -> list[Difference]:
        """Compares counts and sums of the snapshot with the store; empty when they agree.

        Transactions that the snapshot does not have yet are left out of the comparison.
        """
        manifest = self._manifest()
        with self.session(fresh=False) as session:
            return verify(session, manifest, self.layout, self.store.engine.url)

    def session(self, *, fresh: bool = True) -> Session:
        """Opens a session over the snapshot.

        Args:
            fresh: False reads the snapshot as it is, even if the store has moved on.
        """
        if fresh:
            self.refresh_if_stale()
        tables = Tables(self.layout, self._manifest(), self.folder, self.runs)
        return Session(self._engine(), tables)

    def _engine(self) -> Engine:
        return DuckDbEngine([self.folder, self.runs])

    def _manifest(self) -> Manifest:
        return read_manifest(self.folder) or Manifest(time_zone=self.time_zone)
