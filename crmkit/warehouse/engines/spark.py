"""Spark: the same files and the same text, in this process or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql.pandas.types import from_arrow_schema

from ...errors import CrmkitError, SqlRefused
from ..engine import whole_numbers, with_values
from .spark_session import spark_session
from .spark_sql import spark_sql, spark_values

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# What DuckDB calls Spark's types.
TYPES = {
    "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "string": "VARCHAR", "boolean": "BOOLEAN",
    "date": "DATE", "timestamp_ntz": "TIMESTAMP", "array<string>": "VARCHAR[]",
}  # fmt: skip
ARRAYS = {"VARCHAR[]": "ARRAY<STRING>", "VARCHAR": "STRING", "TIMESTAMP": "TIMESTAMP_NTZ"}


class SparkEngine:
    """A session of Spark with tables of its own.

    On a cluster the workers read the files themselves, so the folder of the workspace is at the
    same path on each of them.

    Args:
        master: ``local[2]`` or ``spark://HOST:PORT``.
        script: see :class:`~crmkit.warehouse.engine.Engine`.

    Raises:
        ConfigError, UsageError, Busy: as :func:`.spark_session.spark_session`.
    """

    def __init__(self, master: str, script: list[str] | None = None) -> None:
        self._script = script
        self._spark: Any = spark_session(master)
        self._kept: list[DataFrame] = []

    def bind_files(
        self, name: str, files: Sequence[Path], types: Mapping[str, str], have: frozenset[str]
    ) -> None:
        self._note(f"-- {_name(name)}: Parquet, {len(files)} files {_folders(files)}".rstrip())
        # Files that give the columns in one form are one relation; others, as from before a field
        # changed its type, are cast by themselves.
        groups: dict[pa.Schema, list[str]] = {}
        for file in files:
            found = pq.read_schema(file)
            form = pa.schema([part for part in found if part.name in types])
            groups.setdefault(form.remove_metadata(), []).append(str(file))
        with _translated():
            parts = [self._part(types, form, paths) for form, paths in groups.items()]
            rows = parts[0] if parts else self._spark.sql(_listed(types, ()))
            for part in parts[1:]:
                rows = rows.unionAll(part)
            rows.createOrReplaceTempView(name)

    def _part(self, types: Mapping[str, str], form: pa.Schema, paths: list[str]) -> DataFrame:
        # With the schema given, no job is started to look for it.
        schema = from_arrow_schema(form, prefer_timestamp_ntz=True)
        rows = self._spark.read.schema(schema).parquet(*paths)
        found: DataFrame = self._spark.sql(_listed(types, form.names) + " FROM {rows}", rows=rows)
        return found

    def bind_rows(self, name: str, rows: pa.Table) -> None:
        self._note(f"-- {_name(name)}: {rows.num_rows} rows from memory")
        with _translated():
            self._spark.createDataFrame(rows).createOrReplaceTempView(name)

    def bind_view(self, name: str, sql: str) -> None:
        text = spark_sql(sql)
        self._note(with_values(f"CREATE OR REPLACE TEMPORARY VIEW {_name(name)} AS\n{text}", {}))
        with _translated():
            self._spark.sql(text).createOrReplaceTempView(name)

    def keep(self, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
        text, values = spark_values(sql, parameters)
        self._note(with_values(f"CACHE LAZY TABLE {_name(name)} AS\n{text}", values))
        with _translated():
            rows = self._spark.sql(text, args=values).persist()
            self._kept.append(rows)
            rows.createOrReplaceTempView(name)

    def types(self, name: str) -> dict[str, str]:
        with _translated():
            found = self._spark.table(name).dtypes
        return {column: TYPES.get(kind, kind.upper()) for column, kind in found}

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        text, values = spark_values(sql, parameters)
        self._note(with_values(text, values))
        with _translated():
            rows = self._spark.sql(text, args=values).toArrow()
        return whole_numbers(rows)

    def close(self) -> None:
        for rows in self._kept:
            rows.unpersist()
        self._kept.clear()

    def _note(self, statement: str) -> None:
        if self._script is not None:
            self._script.append(statement)


def _listed(types: Mapping[str, str], have: Sequence[str]) -> str:
    listed = ", ".join(
        f"CAST({_name(column) if column in have else 'NULL'} AS {ARRAYS.get(kind, kind)}) "
        f"AS {_name(column)}"
        for column, kind in types.items()
    )
    return f"SELECT {listed}" + ("" if have else " WHERE false")


def _folders(files: Sequence[Path]) -> str:
    folders = sorted({str(file.parent) for file in files})
    return f"in {', '.join(folders)}" if folders else ""


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of Spark as ours: first line only, for the rest is a plan or a stack."""
    try:
        yield
    except (AnalysisException, ParseException) as error:
        raise SqlRefused(f"the SQL cannot run on Spark: {_told(error)}.") from error
    except (PySparkException, Py4JError) as error:
        raise _fault(error) from error


def _fault(error: Exception) -> CrmkitError:
    """What failed while it ran: the rows do not fit the SQL, or the cluster is at fault."""
    told = _told(error)
    # Spark names faults of data in brackets, as [DIVIDE_BY_ZERO] or [CAST_INVALID_INPUT].
    if told.startswith("["):
        return SqlRefused(f"the SQL cannot run on Spark: {told}.")
    return CrmkitError(f"Spark failed: {told}.")


def _told(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line[line.index("[") :] for line in lines if "Exception: [" in line]
    first = named[0] if named else (lines[0] if lines else type(error).__name__)
    return first.partition(" SQLSTATE")[0].rstrip(". ")
