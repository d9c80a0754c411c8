"""The tables of a snapshot without what the viewer may not learn of (design D19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from ..declarations import sql_name
from .engine import Engine, quoted, quoted_text
from .layout import INTERACTION, Layout, Shape
from .manifest import TableState
from .portable import BASE
from .session import SnapshotTables

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from ..store.privacy import GuardedRows

HIDDEN, WHOLE = f"{BASE}hidden", f"{BASE}whole_"
# What may name a customer or a record of theirs; ids are unique over all tables.
NAMING = ("id", "owner_id", "customer_id", "record_id", "subject_id")


class GuardedTables:
    """What stands behind ``base_<name>``, without the rows of hidden customers and their records.

    Args:
        tables: the snapshot. hidden: ids of customers and records. rows: that are guarded themselves.
    """

    def __init__(self, tables: SnapshotTables, hidden: AbstractSet[int], rows: GuardedRows) -> None:
        self._tables, self._hidden = tables, sorted(hidden)
        self._rows = {sql_name(entity): fields for entity, fields in rows.items()}

    @property
    def layout(self) -> Layout:
        """The tables."""
        return self._tables.layout

    @property
    def states(self) -> Mapping[str, TableState]:
        """What the manifest says of each table."""
        return self._tables.states

    @property
    def currency(self) -> str:
        """As of the snapshot."""
        return self._tables.currency

    def bind(self, engine: Engine, name: str) -> None:
        """Binds ``base_<name>`` as a view over all rows that leaves the hidden ones out."""
        engine.bind_rows(HIDDEN, pa.table({"id": pa.array(self._hidden, pa.int64())}))
        whole = f"{WHOLE}{name}"
        self._tables.bind(engine, name, whole)
        kept = [
            f"coalesce(v.{quoted(c)}, 0) NOT IN (SELECT id FROM {HIDDEN})"
            for c in engine.types(whole)
            if c in NAMING
        ]
        if name in self._rows:
            kept.append(f"NOT ({self._guarded(name)})")
        if name == INTERACTION.name:
            # The rows of every kind, by which a difference of two counts would tell of a guarded one.
            for kind in sorted(self._rows.keys() & self.layout.tables.keys()):
                if self.layout.tables[kind].shape is Shape.FACT:
                    self._tables.bind(engine, kind, f"{WHOLE}{kind}")
                    kept.append(
                        f"v.fact_id NOT IN (SELECT v.fact_id FROM {WHOLE}{kind} v "
                        f"WHERE {self._guarded(kind)})"
                    )
        where = f" WHERE {' AND '.join(kept)}" if kept else ""
        engine.bind_view(f"{BASE}{name}", f"SELECT v.* FROM {whole} v{where}")

    def _guarded(self, name: str) -> str:
        return " OR ".join(
            f"coalesce(v.{quoted(field)}, '') IN ({', '.join(map(quoted_text, sorted(values)))})"
            for field, values in self._rows[name].items()
        )
