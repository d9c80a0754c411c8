"""Reads the store into Arrow batches, inside one consistent read transaction.

Many rows are read through ADBC, and those of SQLite by a process of its own: see
:mod:`crmkit.warehouse.sqlite_reader` for what two copies of SQLite in one process do. Starting it
costs as much as reading some 50,000 rows, and so does the first question of PostgreSQL's driver,
which learns all types of the database. So few rows are read through the drivers of the store.

ADBC's SQLite driver guesses a column's type from its first batch and fails where that holds only
NULLs. So those queries begin with a sentinel row of the right types, which is dropped again.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import quote

import adbc_driver_manager
import pyarrow as pa

from ..entities.transaction import COUNTER_BITS, REVERT, WRITER_BITS
from ..errors import Busy, ConfigError, CrmkitError, DatabaseDamaged, StorageError
from .engine import quoted_text
from .layout import Shape, WarehouseTable

if TYPE_CHECKING:
    from sqlalchemy import URL

# Larger batches cost memory, smaller ones calls; 65,536 rows was on the flat part of the curve.
BATCH_ROWS = 65_536
# From so many rows on the second process is worth its start.
MANY_ROWS = 150_000
# D2: a transaction may commit up to a day after its id was drawn. Ids carry milliseconds.
LOOK_BACK = (24 * 3600 * 1000) << (WRITER_BITS + COUNTER_BITS)
# As `after`: few rows will be asked for, however many there are.
ALL_READ = (1 << 63) - 1
_PIPE_BYTES = 1 << 20


class Source(Protocol):
    """One read transaction over a database."""

    def batches(self, query: str, types: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """The rows of a query that returns the columns of ``types`` in that order."""

    def close(self) -> None:
        """Ends the transaction."""


class Cursor(Protocol):
    """A cursor of the Python database API."""

    def execute(self, query: Any, /) -> Any:
        """Runs a query."""

    def fetchmany(self, size: int, /) -> list[tuple[Any, ...]]:
        """The next rows, or none."""


def _fetched(
    cursor: Cursor, types: Mapping[str, str], boolean: pa.DataType
) -> Iterator[pa.RecordBatch]:
    kinds = [boolean if kind == "BOOLEAN" else _arrow_type(kind) for kind in types.values()]
    while rows := cursor.fetchmany(BATCH_ROWS):
        columns = zip(*rows, strict=True)
        arrays = [pa.array(c, kind) for c, kind in zip(columns, kinds, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=list(types))


class SqliteCursor:
    """A SQLite file through Python's own copy of SQLite; for few rows.

    Args:
        path: of the file.
    """

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(_file_uri(path), uri=True, timeout=10)
        self._connection.isolation_level = None
        self._connection.execute("BEGIN")

    def batches(self, query: str, types: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        yield from _fetched(self._connection.execute(query), types, pa.int64())

    def close(self) -> None:
        self._connection.close()


class SqliteProcess:
    """A SQLite file through ADBC in a process of its own; for many rows.

    Args:
        path: of the file.
    """

    def __init__(self, path: str) -> None:
        program = Path(__file__).with_name("sqlite_reader.py")
        # -P: the folder of the program is crmkit's own and must not stand in front of libraries.
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", str(program), _file_uri(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pipesize=_PIPE_BYTES,
        )  # fmt: skip

    def batches(self, query: str, types: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        asked = {"query": f"{_sentinel(types)} UNION ALL {query}", "batch_rows": BATCH_ROWS}
        process = self._process
        assert process.stdin and process.stdout and process.stderr  # noqa: S101 - opened as pipes
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
            with pa.ipc.open_stream(process.stdout) as stream:
                yield from stream
        except (pa.ArrowInvalid, OSError) as error:
            process.kill()
            told = process.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise sqlite3.OperationalError(told or str(error)) from error

    def close(self) -> None:
        # A reader that stopped in the middle leaves the process waiting to write.
        self._process.kill()
        self._process.communicate()


class PostgresqlCursor:
    """A PostgreSQL database through psycopg; for few rows. Dates, instants and JSON come as text."""

    def __init__(self, url: URL) -> None:
        import psycopg
        from psycopg.types.string import TextLoader

        # Not as a URL: what psycopg says of one that it cannot read repeats it.
        account = url.translate_connect_args(username="user", database="dbname")
        given = {**url.query, **account, "options": "-c TimeZone=UTC"}
        self._connection = psycopg.connect(autocommit=True, **given)
        for kind in ("date", "timestamp", "timestamptz", "json", "jsonb", "numeric"):
            self._connection.adapters.register_loader(kind, TextLoader)
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def batches(self, query: str, types: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        with self._connection.cursor() as cursor:
            cursor.execute(query.encode())
            yield from _fetched(cursor, types, pa.bool_())

    def close(self) -> None:
        self._connection.close()


class PostgresqlAdbc:
    """A PostgreSQL database through ADBC.

    Raises:
        ConfigError: if the driver is not installed.
    """

    def __init__(self, url: URL) -> None:
        try:
            import adbc_driver_postgresql.dbapi as driver
        except ImportError:
            raise ConfigError(
                "reading PostgreSQL into the warehouse needs adbc-driver-postgresql.",
                hint="Install crmkit[postgres].",
            ) from None
        uri = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: Any = driver.connect(uri)
        with self._connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def batches(self, query: str, types: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            yield from cursor.fetch_record_batch()

    def close(self) -> None:
        self._connection.close()


class StoreReader:
    """One read transaction over the store; everything read through it is of one moment.

    Args:
        url: SQLAlchemy URL of the store.
        after: transactions up to this id are not of interest; None reads all. It only decides
            which way of reading is the faster one.

    Raises:
        ConfigError: if the store is in memory, or a driver is missing.
        StorageError: if the store cannot be opened.
    """

    def __init__(self, url: URL, after: int | None = None) -> None:
        self._url, self._after = url, after

    def __enter__(self) -> Self:
        with _translated():
            self._source = self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.close()

    def _open(self) -> Source:
        if self._url.get_backend_name() != "sqlite":
            return self._cheaper(PostgresqlCursor(self._url)) or PostgresqlAdbc(self._url)
        path = self._url.database
        if not path or path == ":memory:":
            raise ConfigError(
                "a snapshot reads the store's file, and this store is in memory.",
                hint="Name a file, as sqlite:///crmkit.db.",
            )
        return self._cheaper(SqliteCursor(path)) or SqliteProcess(path)

    def _cheaper(self, small: Source) -> Source | None:
        """The reader of few rows, if few are to be read."""
        if _few(small, self._after or 0):
            return small
        small.close()
        return None

    def batches(self, query: str, types: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """The rows of ``query`` in batches.

        Args:
            query: returns the columns of ``types`` in that order.
            types: DuckDB type by column; only whether it is a whole number, a double or text
                matters here.

        Raises:
            Busy, StorageError: if the store cannot be read.
        """
        with _translated():
            yield from self._source.batches(query, types)

    def table(self, query: str, types: Mapping[str, str]) -> pa.Table:
        """All rows of a query that is known to return few."""
        batches = list(self.batches(query, types))
        if batches:
            return pa.Table.from_batches(batches)
        return pa.table({name: pa.array([], _arrow_type(kind)) for name, kind in types.items()})

    def filled(self, queries: Mapping[str, str]) -> set[str]:
        """The names of those queries that return any row, found in one round trip."""
        asked = (
            f"SELECT {quoted_text(name)} AS name WHERE EXISTS ({query})"
            for name, query in queries.items()
        )
        found = " UNION ALL ".join(asked)
        return set(self.table(found, {"name": "VARCHAR"})["name"].to_pylist()) if found else set()

    def transactions(self, since: int = 0) -> dict[int, int]:
        """Committed transactions with ``id >= since``: id → lowest id that it may have drawn."""
        found = self.table(
            f"SELECT id, COALESCE(first_id, id) AS low FROM tx WHERE id >= {since}",
            {"id": "BIGINT", "low": "BIGINT"},
        )
        ids, lows = found["id"].to_pylist(), found["low"].to_pylist()
        return {tx: min(tx, low) for tx, low in zip(ids, lows, strict=True)}

    def reverts(self, since: int = 0) -> list[int]:
        """Committed transactions with ``id >= since`` that took an import back."""
        found = self.table(
            f"SELECT id FROM tx WHERE id >= {since} AND command = '{REVERT}'", {"id": "BIGINT"}
        )
        return [int(i) for i in found["id"].to_pylist()]


def _few(source: Source, after: int) -> bool:
    """Whether little has been written since; counting stops at what is many."""
    counts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {column} > {after} LIMIT {MANY_ROWS}) i)"
        for table, column in (("interaction", "id"), ("customer", "tx"))
    ]
    query = f"SELECT {' + '.join(counts)} AS n"
    (batch,) = source.batches(query, {"n": "BIGINT"})
    return bool(batch["n"][0].as_py() < MANY_ROWS)


def _file_uri(path: str) -> str:
    # mode=rw: a missing file is an error and not a new database.
    return f"file:{quote(path)}?mode=rw"


def _arrow_type(kind: str) -> pa.DataType:
    if kind in ("BIGINT", "BOOLEAN"):
        return pa.int64()
    return pa.float64() if kind == "DOUBLE" else pa.string()


def raw_types(table: WarehouseTable) -> dict[str, str]:
    """The columns that :func:`select` returns, with the types that they become."""
    types = {c.name: c.type for c in table.envelope if c.name not in ("valid_on",)}
    if table.shape is Shape.FACT:
        return {**types, "payload": "VARCHAR"}
    types.update((c.name, c.type) for c in table.fields if c.name != "created_on")
    return types


_FACT_SOURCE = {
    "kind_": "kind",
    "record_type": "subject_type",
    "record_id": "subject_id",
    # A fact keeps the id of its first revision; references themselves never leave the store.
    "fact_id": (
        "CASE WHEN revision = 1 THEN id ELSE (SELECT f.id FROM interaction f WHERE f.kind = i.kind "
        "AND f.source = i.source AND f.ref = i.ref ORDER BY f.revision LIMIT 1) END"
    ),
}


def select(table: WarehouseTable, where: str = "", history_where: str = "") -> str:
    """The query for a table's rows: every version of versioned tables, every fact of others.

    Args:
        where: condition on the current rows (``i.`` names them), or empty for all.
        history_where: the same for the history table of a versioned one.
    """
    names = list(raw_types(table))
    current = f" WHERE {where}" if where else ""
    if table.shape is Shape.FACT:
        listed = ", ".join(f"{_FACT_SOURCE.get(name, name)} AS {name}" for name in names)
        return f"SELECT {listed} FROM interaction i{current}"
    if table.shape is Shape.STAGE_CHANGE:
        listed = ", ".join("subject_id AS record_id" if n == "record_id" else n for n in names)
        return f"SELECT {listed} FROM stage_change i{current}"
    key = "customer_id" if table.shape is Shape.CUSTOMER_FIELDS else "id"
    listed = ", ".join(f"{key} AS id" if name == "id" else f'"{name}"' for name in names)
    before = f" WHERE {history_where}" if history_where else ""
    now = f'SELECT {listed} FROM "{table.store}" i{current}'
    if not table.history:
        return now
    return f'{now} UNION ALL SELECT {listed} FROM "{table.store}_history" i{before}'


def _sentinel(types: Mapping[str, str]) -> str:
    return "SELECT " + ", ".join(f"{_typed_value(kind)} AS {name}" for name, kind in types.items())


def _typed_value(kind: str) -> str:
    if kind in ("BIGINT", "BOOLEAN"):
        return "0"
    return "0.0" if kind == "DOUBLE" else "''"


def _driver_errors() -> tuple[type[Exception], ...]:
    """What the drivers raise; psycopg's only where it is loaded, for else it can raise nothing."""
    loaded = sys.modules.get("psycopg")
    own = (sqlite3.Error, adbc_driver_manager.Error, OSError)
    return (*own, loaded.Error) if loaded else own


# Words of SQLite and PostgreSQL for pages that they cannot make sense of.
_DAMAGE = (
    "malformed",
    "is not a database",
    "invalid page",
    "could not read block",
    "not valid UTF8",
)


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of the drivers as ours.

    ADBC raises its own errors when a query begins, and pyarrow wraps what the driver says while
    rows arrive in OSError.
    """
    try:
        yield
    except CrmkitError:
        raise
    except _driver_errors() as error:
        text = (str(error).splitlines() or ["no reason was given"])[0]
        if "locked" in text or "busy" in text:
            raise Busy("the store is locked by another process.", hint="Try again.") from error
        if any(sign in text for sign in _DAMAGE):
            raise DatabaseDamaged(text) from error
        raise StorageError(f"the store cannot be read: {text.rstrip('.')}.") from error
