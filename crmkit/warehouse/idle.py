"""The session that waits to be used again.

Opening an engine and binding the files of a snapshot takes some fifty milliseconds, as long as many
questions take themselves. So a session over the snapshot is kept when it is closed, without the rows
of whoever used it, and given to the next who reads the same snapshot.
"""

from __future__ import annotations

import threading

from .engines.duckdb import DuckDbEngine
from .manifest import Manifest
from .session import Session, SnapshotTables


class IdleSession:
    """At most one closed session of a process; several threads may take and put."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[Session, DuckDbEngine, SnapshotTables, object] | None = None

    def take(self, manifest: Manifest, kind: object = None) -> Session | None:
        """The session that waits, if it reads this very snapshot, whose files have not changed.

        It is then the caller's.

        Args:
            kind: what its tables leave out and what it may cost, which have to be equal too.
        """
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is None:
            return None
        if kept[2].manifest is manifest and kept[3] == kind and kept[2].are_unchanged():
            return kept[0]
        kept[1].close()
        return None

    def put(
        self, session: Session, engine: DuckDbEngine, tables: SnapshotTables, kind: object = None
    ) -> None:
        """Keeps a session that its user has closed, in place of the one that waited."""
        session.reset(engine.unbind)
        with self._lock:
            old, self._kept = self._kept, (session, engine, tables, kind)
        if old is not None and old[0] is not session:
            old[1].close()

    def close(self) -> None:
        """Closes the session that waits."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()
