"""SQL compiled once from the tables and run on the driver, with many rows at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ARRAY, BIGINT, TEXT, Table, bindparam, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ColumnElement

from ..copy_text import copy_texts
from ..types import Instant

if TYPE_CHECKING:
    from ..store import Store


class Statements:
    """SQL text for one database, compiled once from the tables."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.dialect = store.engine.dialect
        self.sqlite = store.dialect == "sqlite"
        self._inserts: dict[tuple[str, tuple[str, ...]], str] = {}
        self._selects: dict[Any, Any] = {}
        self._instant = Instant().dialect_impl(self.dialect).bind_processor(self.dialect)

    def table(self, name: str) -> Table:
        """The table of that SQL name."""
        return self.store.tables[name]

    def instant(self, value: Any) -> Any:
        """An aware instant in storage form."""
        return self._instant(value) if self._instant else value

    def insert(
        self, connection: Connection, table: Table, columns: Mapping[str, Iterable[Any]], size: int
    ) -> None:
        """Writes ``size`` new rows, given column by column in storage form."""
        if not size:
            return
        names = tuple(columns)
        if self.sqlite:
            rows = zip(*columns.values(), strict=False)
            self.run_many(connection, self._insert_text(table, names), rows)
        else:
            self.copy(connection, table.name, names, list(columns.values()))

    def run_many(self, connection: Connection, text: str, rows: Iterable[Any]) -> None:
        """Runs a statement of SQLite once for each tuple of raw values."""
        # The driver's cursor takes an iterator; SQLAlchemy's would need a list of all the tuples.
        driver: Any = connection.connection.driver_connection
        try:
            driver.executemany(text, rows)
        except sqlite3.Error as error:
            raise self._as_raised(text, error, sqlite3.Error) from error

    def _as_raised(self, text: str, error: Exception, base: type[Exception]) -> DBAPIError:
        """The error as SQLAlchemy would have raised it, so that the store's translation applies."""
        found = DBAPIError.instance(text, None, error, base, dialect=self.dialect)
        return cast(DBAPIError, found)

    def _insert_text(self, table: Table, names: tuple[str, ...]) -> str:
        found = self._inserts.get((table.name, names))
        if found is None:
            marks = ", ".join("?" * len(names))
            listed = ", ".join(map(self.quoted, names))
            into = self.quoted(table.name)
            # Names of declared tables and columns, quoted; values are bound.
            found = f"INSERT INTO {into} ({listed}) VALUES ({marks})"  # noqa: S608
            self._inserts[table.name, names] = found
        return found

    def quoted(self, name: str) -> str:
        """An identifier, quoted where the database needs it."""
        return str(self.dialect.identifier_preparer.quote(name))

    def copy(
        self,
        connection: Connection,
        table: str,
        names: tuple[str, ...],
        columns: Sequence[Iterable[Any]],
    ) -> None:
        """Writes new rows on PostgreSQL, given column by column in storage form."""
        import psycopg

        listed = ", ".join(map(self.quoted, names))
        statement = f"COPY {self.quoted(table)} ({listed}) FROM STDIN"
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                for text in copy_texts(columns):
                    copy.write(text)
        except psycopg.Error as error:
            raise self._as_raised(statement, error, psycopg.Error) from error

    def many(self, connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
        """Runs one UPDATE, DELETE or INSERT ... SELECT for many rows of raw values."""
        if not rows:
            return
        compiled = statement.compile(dialect=self.dialect)
        text = str(compiled)
        if compiled.positional:
            order = compiled.positiontup
            connection.exec_driver_sql(text, [tuple(row[n] for n in order) for row in rows])
        else:
            connection.exec_driver_sql(text, rows)

    def fetch(
        self, connection: Connection, key: Any, build: Any, parameters: Mapping[str, Any]
    ) -> list[Any]:
        """Rows in storage form; ``build`` makes the SELECT the first time that ``key`` is asked."""
        compiled = self._selects.get(key)
        if compiled is None:
            compiled = build().compile(dialect=self.dialect)
            self._selects[key] = compiled
        values = {**compiled.params, **parameters}
        if compiled.positional:
            bound: Any = tuple(values[n] for n in compiled.positiontup)
        else:
            bound = values
        text = str(compiled)
        # Bare tuples: SQLAlchemy's rows cost as much again, and the collector would track each.
        driver: Any = connection.connection
        cursor = driver.cursor()
        base = self.store.engine.dialect.loaded_dbapi.Error
        try:
            cursor.execute(text, bound)
            return cursor.fetchall()  # type: ignore[no-any-return]
        except base as error:
            raise self._as_raised(text, error, base) from error
        finally:
            cursor.close()

    def among(self, column: ColumnElement[Any], name: str, *, ids: bool) -> ColumnElement[bool]:
        """``column`` is one of the values of the list parameter ``name``, whatever its length."""
        if self.sqlite:
            values = func.json_each(bindparam(name, type_=TEXT())).table_valued("value")
            return column.in_(select(values.c.value))
        kind = ARRAY(BIGINT()) if ids else ARRAY(TEXT())
        return column == func.any(bindparam(name, type_=kind))

    def listed(self, values: Iterable[Any]) -> Any:
        """The list parameter for :meth:`among`."""
        return json.dumps(list(values)) if self.sqlite else list(values)
