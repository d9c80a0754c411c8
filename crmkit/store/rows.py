"""Ways to name many rows and to write many rows that are the same on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice, repeat
from typing import Any

from sqlalchemy import ARRAY, BIGINT, TEXT, Table, bindparam, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from .types import Integer, binders, json_text

# Enough that the cost of a call disappears; a batch of this size stays below a few megabytes.
BATCH = 10_000


def is_in(
    connection: Connection,
    column: ColumnElement[Any],
    values: Iterable[Any],
    *,
    name: str | None = None,
) -> ColumnElement[bool]:
    """``column IN (values)`` for any number of ids or texts.

    One parameter holds them all: SQLite takes 32,766 parameters and PostgreSQL 65,535, and a
    statement of ever the same text is compiled once. A statement that is sent as text names it.
    """
    wanted = one_parameter(connection, values)
    if connection.dialect.name == "sqlite":
        listed = func.json_each(bindparam(name, wanted)).table_valued("value")
        return column.in_(select(listed.c.value))
    kind = BIGINT() if isinstance(column.type, Integer) else TEXT()
    return column == func.any(bindparam(name, wanted, type_=ARRAY(kind)))


def one_parameter(connection: Connection, values: Iterable[Any]) -> Any:
    """Ids or texts as the one parameter that :func:`is_in` asks for, as the driver takes it."""
    wanted = sorted(set(values))
    return json_text(wanted) if connection.dialect.name == "sqlite" else wanted


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Inserts tuples of Python values; returns how many.

    The tuples go to the driver as they are after the column types have had them: building a
    dictionary for each row would take longer than writing it (46k against 143k rows a second).
    """
    convert = binders([table.c[name].type for name in columns], connection.dialect)
    ready = (
        tuple(
            value if binder is None else binder(value)
            for binder, value in zip(convert, row, strict=True)
        )
        for row in rows
    )
    return _written(connection, table, columns, ready)


def insert_columns(
    connection: Connection,
    table: Table,
    columns: Mapping[str, Iterable[Any]],
    same: Mapping[str, Any],
) -> int:
    """Inserts rows given by column, with constants for the other columns; returns how many.

    For many rows that say much the same: a value is converted once and not once a row, which is
    most of the time of :func:`insert_rows`.

    Args:
        columns: equally long, by name. same: the constants by name.
    """
    names = [*columns, *same]
    convert = dict(
        zip(names, binders([table.c[name].type for name in names], connection.dialect), strict=True)
    )
    ready = []
    for name, values in columns.items():
        binder = convert[name]
        ready.append(values if binder is None else map(cache(binder), values))
    for name, value in same.items():
        binder = convert[name]
        ready.append(repeat(value if binder is None else binder(value)))
    # The constants have no end.
    return _written(connection, table, names, zip(*ready, strict=False))


def _written(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    write = _insert if connection.dialect.name == "sqlite" else _copy
    return write(connection, table, columns, rows)


def _insert(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    listed, marks = _listed(connection, columns), ", ".join("?" * len(columns))
    sql = f"INSERT INTO {table.name} ({listed}) VALUES ({marks})"  # noqa: S608 - declared names
    count, rows = 0, iter(rows)
    while batch := list(islice(rows, BATCH)):
        connection.exec_driver_sql(sql, batch)
        count += len(batch)
    return count


def _copy(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    raw: Any = connection.connection.driver_connection
    sql = f"COPY {table.name} ({_listed(connection, columns)}) FROM STDIN"
    count = 0
    with raw.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _listed(connection: Connection, columns: Sequence[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return ", ".join(quote(name) for name in columns)
