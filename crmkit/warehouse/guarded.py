"""The tables of a snapshot without those whom the viewer may not learn of (design D19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from .engine import Engine, quoted
from .layout import Layout
from .manifest import TableState
from .portable import BASE
from .session import SnapshotTables

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

HIDDEN, WHOLE = f"{BASE}hidden", f"{BASE}whole_"
# What may name a customer or a record of theirs; ids are unique over all tables.
NAMING = ("id", "owner_id", "customer_id", "record_id", "subject_id")


class GuardedTables:
    """What stands behind ``base_<name>``, without the rows of hidden customers and their records.

    Args:
        tables: the snapshot. hidden: ids of customers and records.
    """

    def __init__(self, tables: SnapshotTables, hidden: AbstractSet[int]) -> None:
        self._tables, self._hidden = tables, sorted(hidden)

    @property
    def layout(self) -> Layout:
        """The tables."""
        return self._tables.layout

    @property
    def states(self) -> Mapping[str, TableState]:
        """What the manifest says of each table."""
        return self._tables.states

    def bind(self, engine: Engine, name: str) -> None:
        """Binds ``base_<name>`` as a view over all rows that leaves the hidden ones out."""
        engine.bind_rows(HIDDEN, pa.table({"id": pa.array(self._hidden, pa.int64())}))
        whole = f"{WHOLE}{name}"
        self._tables.bind(engine, name, whole)
        kept = " AND ".join(
            f"coalesce(v.{quoted(c)}, 0) NOT IN (SELECT id FROM {HIDDEN})"
            for c in engine.types(whole)
            if c in NAMING
        )
        where = f" WHERE {kept}" if kept else ""
        engine.bind_view(f"{BASE}{name}", f"SELECT v.* FROM {whole} v{where}")
