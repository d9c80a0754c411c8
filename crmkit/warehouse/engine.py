"""Engines: what runs analysis SQL over the files of a snapshot.

The interface is small on purpose. All SQL that passes through it is DuckDB's dialect in the
portable subset, the generated views included, so that another engine needs to bind files and rows
under a name and to translate text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from ..errors import CrmkitError, SqlRefused, StorageError


class Engine(Protocol):
    """Runs SQL over named tables. One session uses one engine, from one thread at a time."""

    def bind_files(
        self, name: str, files: Sequence[Path], types: Mapping[str, str], have: frozenset[str]
    ) -> None:
        """Makes Parquet files a table.

        Args:
            name: of the table.
            files: they may lack columns; where there is none, the table is empty.
            types: its columns with DuckDB's types; a column that files lack is missing there.
            have: columns that at least one file has.
        """

    def bind_rows(self, name: str, rows: pa.Table) -> None:
        """Makes rows in memory a table."""

    def bind_view(self, name: str, sql: str) -> None:
        """Makes a SELECT over bound tables a table that is computed when read."""

    def keep(self, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
        """Computes a SELECT now and makes its rows a table."""

    def types(self, name: str) -> dict[str, str]:
        """Columns of a bound table, with DuckDB's type names."""

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of a SELECT. ``parameters`` holds every ``$name`` in it and no other.

        Raises:
            SqlRefused: if the SQL does not fit the tables.
        """

    def close(self) -> None:
        """Gives everything back."""


class DuckDbEngine:
    """DuckDB in memory, which may read the given folders and nothing else.

    Args:
        folders: of the snapshot and of the runs.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                # Names in SQL must never reach the variables of the program around it.
                "python_enable_replacements": "false",
            }
        )
        allowed = ", ".join(quoted_text(f"{folder}/") for folder in folders)
        for setting in (
            "TimeZone = 'UTC'",
            f"allowed_directories = [{allowed}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def bind_files(
        self, name: str, files: Sequence[Path], types: Mapping[str, str], have: frozenset[str]
    ) -> None:
        listed = ", ".join(
            f"CAST({quoted(column) if files and column in have else 'NULL'} AS {kind}) "
            f"AS {quoted(column)}"
            for column, kind in types.items()
        )
        source = " WHERE false"
        if files:
            paths = ", ".join(quoted_text(str(path)) for path in files)
            # Opening every file for its columns is only worth it where they may differ.
            by_name = ", union_by_name = true" if len(files) > 1 else ""
            source = f" FROM read_parquet([{paths}]{by_name})"
        with _translated():
            self._connection.execute(
                f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS SELECT {listed}{source}"
            )

    def bind_rows(self, name: str, rows: pa.Table) -> None:
        with _translated():
            self._connection.register(name, rows)

    def bind_view(self, name: str, sql: str) -> None:
        with _translated():
            self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {sql}")

    def keep(self, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
        with _translated():
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {sql}", dict(parameters)
            )

    def unbind(self, name: str) -> None:
        """Removes rows that were bound or kept under a name, if there are any."""
        with _translated():
            self._connection.unregister(name)
            for kind in ("VIEW", "TABLE"):
                with suppress(duckdb.CatalogException):
                    self._connection.execute(f"DROP {kind} IF EXISTS temp.{quoted(name)}")

    def types(self, name: str) -> dict[str, str]:
        with _translated():
            found = self._connection.execute(f"DESCRIBE {quoted(name)}").fetchall()
        return {row[0]: row[1] for row in found}

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        with _translated():
            relation = self._connection.sql(sql, params=dict(parameters))
            return whole_numbers(relation.to_arrow_table())

    def close(self) -> None:
        self._connection.close()


def whole_numbers(table: pa.Table) -> pa.Table:
    """Sums of whole numbers as 64-bit integers.

    DuckDB adds up BIGINT in 128 bits, which Arrow knows only as decimals without fraction (D18).
    """
    for position, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type) and column.type.scale == 0:
            values = table.column(position).cast(pa.int64())
            table = table.set_column(position, column.name, values)
    return table


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of DuckDB as ours: first line only, for the rest is a picture of the SQL."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise CrmkitError(
            f"the question needs more memory than there is: {_told(error)}."
        ) from error
    except duckdb.IOException as error:
        raise StorageError(f"a file of the warehouse cannot be read: {_told(error)}.") from error
    except duckdb.Error as error:
        raise SqlRefused(f"the SQL cannot run: {_told(error)}.") from error


def _told(error: duckdb.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    kept = []
    for line in lines:
        if line.startswith("LINE "):
            break
        if line:
            kept.append(line)
    return " ".join(kept).rstrip(".")
