"""DuckDB: the embedded engine, in this process and without a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ...errors import CrmkitError, SqlRefused, StorageError
from ..engine import quoted, quoted_text, whole_numbers, with_values


class DuckDbEngine:
    """DuckDB in memory, which may read the given folders and nothing else.

    Args:
        folders: of the snapshot and of the runs.
        script: see :class:`~crmkit.warehouse.engine.Engine`.
    """

    def __init__(self, folders: Sequence[Path], script: list[str] | None = None) -> None:
        self._script = script
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
        self.bind_view(name, f"SELECT {listed}{source}")

    def bind_rows(self, name: str, rows: pa.Table) -> None:
        self._note(f"-- {quoted(name)}: {rows.num_rows} rows from memory")
        with _translated():
            self._connection.register(name, rows)

    def bind_view(self, name: str, sql: str) -> None:
        statement = f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {sql}"
        self._note(with_values(statement, {}))
        with _translated():
            self._connection.execute(statement)

    def keep(self, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
        statement = f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {sql}"
        self._note(with_values(statement, parameters))
        with _translated():
            self._connection.execute(statement, dict(parameters))

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
        self._note(with_values(sql, parameters))
        with _translated():
            relation = self._connection.sql(sql, params=dict(parameters))
            return whole_numbers(relation.to_arrow_table())

    def close(self) -> None:
        self._connection.close()

    def _note(self, statement: str) -> None:
        if self._script is not None:
            self._script.append(statement)


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
