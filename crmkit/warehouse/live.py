"""One customer now: rows read from the store into tables of the warehouse's names and types (D6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from ..declarations import CUSTOMER
from .engine import Engine, quoted_text
from .existence import stored_version_zero
from .layout import INTERACTION, Layout, Shape, WarehouseTable
from .manifest import TableState
from .portable import BASE
from .reading import ALL_READ, StoreReader, raw_types, select
from .session import FILES, MERGED, bind_outcomes, resolved, survivors
from .shaping import RAW, shaping_sql

if TYPE_CHECKING:
    from sqlalchemy import URL


class LiveTables:
    """The rows of one customer, and reference data, as the store has them now.

    Args:
        layout: the tables.
        url: of the store.
        customer_id: whose rows; those of customers that were merged into it are its own too.
        time_zone: in which days begin and end.
        runs: folder of the outcomes.
        currency: in which amounts are added up.
    """

    def __init__(
        self, layout: Layout, url: URL, customer_id: int, time_zone: str, runs: Path, currency: str
    ) -> None:
        self.layout, self.currency = layout, currency
        self._url, self._time_zone, self._runs = url, time_zone, runs
        self._customer_id = customer_id
        self._family: dict[int, int] | None = None
        self._records: dict[str, list[int]] = {}

    @property
    def states(self) -> Mapping[str, TableState]:
        """Nothing is known beforehand, so versions are always searched; few rows cost nothing."""
        return {
            name: TableState(table.types, several=table.shape is not Shape.STAGE_CHANGE)
            for name, table in self.layout.tables.items()
        }

    def bind(self, engine: Engine, name: str) -> None:
        """Reads the customer's rows of a table and binds them as ``base_<name>``."""
        if name == "outcome":
            bind_outcomes(engine, self.layout, self._runs)
            return
        table = INTERACTION if name == INTERACTION.name else self.layout.tables[name]
        with StoreReader(self._url, after=ALL_READ) as reader:
            rows = self._rows(reader, table)
            family = self._members(reader)
        engine.bind_rows(RAW, rows)
        engine.keep(f"{FILES}{name}", shaping_sql(table, self._time_zone), {})
        engine.bind_rows(MERGED, survivors(family))
        engine.bind_view(f"{BASE}{name}", resolved(table, f"{FILES}{name}"))

    def _rows(self, reader: StoreReader, table: WarehouseTable) -> pa.Table:
        where, before = self._conditions(reader, table)
        types = raw_types(table)
        query = select(table, where, before)
        if table.shape is Shape.CUSTOMER:
            family = self._members(reader)
            zero = stored_version_zero(self.layout, self._customer_id, family, types)
            query = f"{query} UNION ALL {zero}"
        batches = list(reader.batches(query, types))
        if batches:
            return pa.Table.from_batches(batches)
        empty = {"BIGINT": pa.int64(), "BOOLEAN": pa.int64(), "DOUBLE": pa.float64()}
        return pa.table(
            {n: pa.array([], empty.get(kind, pa.string())) for n, kind in types.items()}
        )

    def _conditions(self, reader: StoreReader, table: WarehouseTable) -> tuple[str, str]:
        """Which current rows and which earlier versions are the customer's."""
        mine = _among([self._customer_id, *self._members(reader)])
        if table.shape is Shape.FACT:
            kind = "" if table is INTERACTION else f" AND m.kind = {quoted_text(table.entity)}"
            # All revisions of what was ever theirs: a correction may have given it to another.
            revisions = (
                "SELECT r.id FROM interaction m JOIN interaction r "
                "ON r.kind = m.kind AND r.source = m.source AND r.ref = m.ref "
                f"WHERE m.customer_id IN {mine}{kind}"
            )
            return f"i.id IN ({revisions})", ""
        if table.shape is Shape.STAGE_CHANGE:
            return f"i.subject_type = {quoted_text(CUSTOMER)} AND i.subject_id IN {mine}", ""
        if table.shape is Shape.RECORD:
            if table.owner is None:
                return "", ""
            condition = f"i.id IN {_among(self._ids(reader, table))}"
            return condition, condition
        key = "customer_id" if table.shape is Shape.CUSTOMER_FIELDS else "id"
        return f"i.{key} IN {mine}", f"i.{key} IN {mine}"

    def _ids(self, reader: StoreReader, table: WarehouseTable) -> list[int]:
        """Records that are the customer's now, through the records above them."""
        if table.name not in self._records:
            if table.owner == CUSTOMER:
                owners = [self._customer_id, *self._members(reader)]
            else:
                owners = self._ids(reader, self.layout.record(str(table.owner)))
            self._records[table.name] = _listed(
                reader, f'SELECT id FROM "{table.store}" WHERE owner_id IN {_among(owners)}'
            )
        return self._records[table.name]

    def _members(self, reader: StoreReader) -> dict[int, int]:
        """Customers that were merged into this one, at any remove: id → what it became."""
        if self._family is None:
            self._family, found = {}, [self._customer_id]
            while found:
                query = f"SELECT id FROM customer WHERE merged_into IN {_among(found)}"
                found = [i for i in _listed(reader, query) if i not in self._family]
                self._family.update(dict.fromkeys(found, self._customer_id))
        return self._family


def _listed(reader: StoreReader, query: str) -> list[int]:
    ids: list[int] = reader.table(query, {"id": "BIGINT"})["id"].to_pylist()
    return ids


def _among(ids: Iterable[int]) -> str:
    # -1 is no id; an empty list is no SQL.
    return "(" + ", ".join(str(i) for i in (-1, *ids)) + ")"
