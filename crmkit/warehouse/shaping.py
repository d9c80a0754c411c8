"""Turns raw rows of the store into the typed columns of the warehouse, in DuckDB.

The raw rows are Arrow: text instants and dates, 0 and 1, JSON text from SQLite; native types from
PostgreSQL. One expression per column serves both.
"""

from __future__ import annotations

import json

from .engine import quoted
from .layout import Shape, WarehouseColumn, WarehouseTable

RAW = "raw"
# Dates and instants inside JSON are read as text and cast afterwards, because DuckDB would read
# them by one fixed format.
_JSON_TYPES = {"DATE": '"VARCHAR"', "TIMESTAMP": '"VARCHAR"', "VARCHAR[]": '["VARCHAR"]'}


def shaping_sql(table: WarehouseTable, time_zone: str) -> str:
    """The SELECT that shapes the relation ``raw`` into the columns of ``table``.

    Args:
        time_zone: IANA zone in which days begin and end.
    """
    if table.shape is Shape.FACT:
        envelope = [_fact_column(column, table.filled) for column in table.envelope]
        fields = [_from_payload(column) for column in table.fields]
        return f"SELECT {', '.join(envelope + fields)} FROM {_with_payload(table)}"
    derived = {
        "valid_on": local_date("valid_from", time_zone),
        "created_on": local_date("created_at", time_zone),
    }
    listed = [
        f"{derived[c.name]} AS {c.name}" if c.name in derived and c.type == "DATE" else _cast(c)
        for c in table.columns
    ]
    return f"SELECT {', '.join(listed)} FROM {RAW}"


def order_of(table: WarehouseTable) -> str:
    """Columns by which a file is sorted, so that the statistics of its row groups prune windows."""
    if table.shape is Shape.FACT:
        return "occurred_on, id"
    if table.shape is Shape.STAGE_CHANGE:
        return "changed_on, id"
    return "id, version"


def _with_payload(table: WarehouseTable) -> str:
    fields = [*table.fields, *(c for c in table.envelope if c.name in table.filled)]
    if not fields:
        return RAW
    struct = ", ".join(
        f"{json.dumps(c.name)}: {_JSON_TYPES.get(c.type, json.dumps(c.type))}" for c in fields
    )
    return f"(SELECT *, from_json(payload, '{{{struct}}}') AS payload_ FROM {RAW})"


def _fact_column(column: WarehouseColumn, filled: frozenset[str]) -> str:
    if column.name not in filled:
        return _cast(column)
    name = quoted(column.name)
    return f"coalesce(CAST({name} AS {column.type}), payload_.{name}) AS {name}"


def _from_payload(column: WarehouseColumn) -> str:
    value = f'payload_."{column.name}"'
    if column.type == "DATE":
        value = f"TRY_CAST({value} AS DATE)"
    elif column.type == "TIMESTAMP":
        # With an offset the instant is moved to UTC, without one it is UTC already.
        value = f"CAST(TRY_CAST({value} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return f'{value} AS "{column.name}"'


def _cast(column: WarehouseColumn) -> str:
    if column.type == "VARCHAR[]":
        return f"""from_json("{column.name}", '["VARCHAR"]') AS "{column.name}\""""
    return f'CAST("{column.name}" AS {column.type}) AS "{column.name}"'


def local_date(column: str, time_zone: str) -> str:
    """The day of an instant in a zone, as an expression."""
    zone = time_zone.replace("'", "''")
    return f"CAST((CAST({column} AS TIMESTAMP) AT TIME ZONE 'UTC') AT TIME ZONE '{zone}' AS DATE)"
