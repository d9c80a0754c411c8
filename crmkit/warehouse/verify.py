"""Compares the snapshot with the store: counts and sums per table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
from attrs import frozen

from .engine import Engine, quoted_text
from .existence import BEFORE
from .layout import Shape, WarehouseTable
from .reading import ALL_READ, StoreReader, select
from .session import SnapshotTables
from .snapshot import unlisted

if TYPE_CHECKING:
    from sqlalchemy import URL

# Sums of 60-bit ids leave 64 bits after a few rows; their remainders do not.
MODULUS = 1_000_003


@frozen
class Difference:
    """One figure in which snapshot and store differ."""

    table: str
    figure: str
    snapshot: int
    store: int


def verify(engine: Engine, tables: SnapshotTables, url: URL) -> list[Difference]:
    """Every figure that differs, by table.

    Compared are the number of rows, the sum of every whole-number column, and for every other
    column how many rows have a value; of payloads only the facts that they belong to.
    """
    out = []
    with StoreReader(url, after=ALL_READ) as reader:
        later = sorted(unlisted(tables.manifest, reader))
        for table in tables.layout.tables.values():
            if table.shape is Shape.OUTCOME:
                continue
            figures = _figures(table)
            stored = _of_store(reader, table, figures, later)
            name = f"check_{table.name}"
            tables.bind_files(engine, table, name)
            # Rows of version 0 follow from the others (crmkit.warehouse.existence).
            kept = f" WHERE version > {BEFORE}" if table.shape is Shape.CUSTOMER else ""
            held = engine.query(f"SELECT {_listed(figures)} FROM {name}{kept}", {})
            out += [
                Difference(table.name, figure, _whole(held, figure), _whole(stored, figure))
                for figure in figures
                if _whole(held, figure) != _whole(stored, figure)
            ]
    return out


def _figures(table: WarehouseTable) -> dict[str, str]:
    """Figure name → expression that both databases understand."""
    columns = table.envelope if table.shape is Shape.FACT else table.columns
    figures = {"rows": "count(*)"}
    for column in columns:
        if column.name in ("valid_on", "created_on") or column.name in table.filled:
            continue  # made when the snapshot is written
        if column.type == "BIGINT":
            figures[column.name] = f'coalesce(sum("{column.name}" % {MODULUS}), 0)'
        else:
            figures[column.name] = f'count("{column.name}")'
    return figures


def _listed(figures: Mapping[str, str]) -> str:
    return ", ".join(f'CAST({sql} AS BIGINT) AS "{name}"' for name, sql in figures.items())


def _of_store(
    reader: StoreReader, table: WarehouseTable, figures: Mapping[str, str], later: list[int]
) -> pa.Table:
    where = []
    if table.shape is Shape.FACT:
        where.append("q.kind_ = " + quoted_text(table.entity))
    if later:
        where.append(f"q.tx NOT IN ({', '.join(map(str, later))})")
    kept = f" WHERE {' AND '.join(where)}" if where else ""
    query = f"SELECT {_listed(figures)} FROM ({select(table)}) q{kept}"
    return reader.table(query, dict.fromkeys(figures, "BIGINT"))


def _whole(table: pa.Table, figure: str) -> int:
    return int(table[figure][0].as_py())
