"""Reads that are asked again and again: SQL text compiled once, rows straight from the driver.

SQLAlchemy builds, keys and wraps each statement anew, about 0.7 ms of processor time where the
driver takes 0.01. That is nothing in a batch and everything in the view of one customer, which
asks twenty small tables.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, select
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator

from .rows import is_in, one_parameter

_KEPT = "prepared"


class Prepared:
    """A query as the driver takes it.

    Args:
        query: whose parameters are all named, and take values as the driver has them: whole
            numbers, texts, and lists through :func:`one_parameter`.
        dialect: of the database that it will be sent to.
    """

    def __init__(self, query: Select[Any], dialect: Dialect) -> None:
        compiled: Any = query.compile(dialect=dialect)
        self.text = str(compiled)
        self._fixed: dict[str, Any] = compiled.params
        self._order: Sequence[str] | None = compiled.positiontup
        columns = list(query.selected_columns)
        self._names = tuple(str(c.name) for c in columns)
        # Only what our own types do to the driver's values: the drivers need nothing else.
        plain = TypeDecorator.process_result_value
        self._convert = [
            (str(c.name), c.type.process_result_value)
            for c in columns
            if isinstance(c.type, TypeDecorator) and type(c.type).process_result_value is not plain
        ]

    def rows(self, connection: Connection, **values: Any) -> list[dict[str, Any]]:
        """The rows, each by column name; ``values`` are the query's parameters.

        Raises:
            DBAPIError: what SQLAlchemy raises for the driver's errors.
        """
        if not connection.in_transaction():
            connection.begin()
        given = {**self._fixed, **values}
        sent = given if self._order is None else [given[name] for name in self._order]
        driver: Any = connection.connection.driver_connection
        errors = connection.dialect.loaded_dbapi.Error
        try:
            found = driver.execute(self.text, sent).fetchall()
        except errors as error:
            lost = connection.dialect.is_disconnect(error, driver, None)
            if lost:
                connection.invalidate(error)
            raise DBAPIError.instance(
                self.text, None, error, errors, hide_parameters=True, connection_invalidated=lost,
                dialect=connection.dialect,
            ) from error  # fmt: skip
        rows = [dict(zip(self._names, row, strict=True)) for row in found]
        for row in rows:
            for name, convert in self._convert:
                row[name] = convert(row[name], connection.dialect)
        return rows


def prepared(table: Table, key: Hashable, build: Callable[[], Select[Any]], dialect: Dialect) -> Prepared:  # fmt: skip
    """The query that ``build`` makes, compiled at the first call for this table and key."""
    kept: dict[Hashable, Prepared] = table.metadata.info.setdefault(_KEPT, {})
    known = kept.get((table.name, key))
    if known is None:
        known = kept[table.name, key] = Prepared(build(), dialect)
    return known


def rows_where(
    connection: Connection,
    table: Table,
    column: str,
    values: Iterable[Any],
    *,
    names: tuple[str, ...] | None = None,
    order: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """Every row whose ``column`` has one of ``values``, by column name, in ``order``.

    Args:
        column: of whole numbers or texts; it should have an index.
        values: any number of them.
        names: the columns that are wanted; None is all.
    """
    wanted = set(values)
    if not wanted:
        return []

    def build() -> Select[Any]:
        read = table.c if names is None else [table.c[name] for name in names]
        query = select(*read).where(is_wanted(connection, table.c[column], wanted))
        return query.order_by(*(table.c[name] for name in order))

    query = prepared(table, (column, len(wanted) == 1, names, order), build, connection.dialect)
    return query.rows(connection, wanted=as_wanted(connection, wanted))


def is_wanted(
    connection: Connection, column: ColumnElement[Any], wanted: Set[Any]
) -> ColumnElement[bool]:
    """Whether the column has one of the values, which are the parameter ``wanted``."""
    if len(wanted) == 1:
        # Then an index on the column and the order gives the rows sorted.
        return column == bindparam("wanted", type_=column.type)
    return is_in(connection, column, (), name="wanted")


def as_wanted(connection: Connection, wanted: Set[Any]) -> Any:
    """The values as the parameter of :func:`is_wanted`."""
    return next(iter(wanted)) if len(wanted) == 1 else one_parameter(connection, wanted)
