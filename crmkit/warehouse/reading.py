"""Reads the store through ADBC: Arrow batches inside one consistent read transaction.

ADBC's SQLite driver guesses a column's type from its first batch and fails where that holds only
NULLs. So every SQLite query begins with a sentinel row of the right types, which is dropped again.
PostgreSQL sends types with its rows and needs none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from ..entities.transaction import COUNTER_BITS, WRITER_BITS
from ..errors import Busy, ConfigError, StorageError
from .layout import Shape, WarehouseTable

if TYPE_CHECKING:
    from sqlalchemy import URL

# Larger batches cost memory, smaller ones calls; 65,536 rows was on the flat part of the curve.
BATCH_ROWS = 65_536
# D2: a transaction may commit up to a day after its id was drawn. Ids carry milliseconds.
LOOK_BACK = (24 * 3600 * 1000) << (WRITER_BITS + COUNTER_BITS)


class StoreReader:
    """One read transaction over the store; everything read through it is of one moment.

    Args:
        url: SQLAlchemy URL of the store.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self.sqlite = url.get_backend_name() == "sqlite"
        self._connection: Any = None

    def __enter__(self) -> Self:
        self._connection = self._connect_sqlite() if self.sqlite else self._connect_postgresql()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def _connect_sqlite(self) -> Any:
        import adbc_driver_sqlite.dbapi as driver

        path = self._url.database
        if not path or path == ":memory:":
            raise ConfigError(
                "a snapshot reads the store's file, and this store is in memory.",
                hint="Name a file, as sqlite:///crmkit.db.",
            )
        escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        # mode=rw: a missing file is an error and not a new database.
        return driver.connect(f"file:{escaped}?mode=rw")

    def _connect_postgresql(self) -> Any:
        try:
            import adbc_driver_postgresql.dbapi as driver
        except ImportError:
            raise ConfigError(
                "reading PostgreSQL into the warehouse needs adbc-driver-postgresql.",
                hint="Install crmkit[postgres].",
            ) from None
        uri = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = driver.connect(uri)
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return connection

    def batches(self, query: str, types: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """The rows of ``query`` in batches.

        Args:
            query: returns the columns of ``types`` in that order.
            types: DuckDB type by column; only whether it is a whole number, a double or text
                matters here.

        Raises:
            Busy, StorageError: if the store cannot be read.
        """
        if self.sqlite:
            query = f"{_sentinel(types)} UNION ALL {query}"
        with self._connection.cursor() as cursor:
            if self.sqlite:
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": BATCH_ROWS})
            try:
                cursor.execute(query)
                reader = cursor.fetch_record_batch()
                skip = 1 if self.sqlite else 0
                for batch in reader:
                    if batch.num_rows > skip:
                        yield batch.slice(skip)
                    skip = 0
            except OSError as error:
                # pyarrow wraps what the driver says while rows arrive in OSError.
                raise _translated(error) from error
            except self._connection.Error as error:
                raise _translated(error) from error

    def table(self, query: str, types: Mapping[str, str]) -> pa.Table:
        """All rows of a query that is known to return few."""
        batches = list(self.batches(query, types))
        if not batches:
            return pa.table({name: pa.array([], pa.int64()) for name in types})
        return pa.Table.from_batches(batches)

    def transactions(self, since: int = 0) -> dict[int, int]:
        """Committed transactions with ``id >= since``: id → lowest id that it may have drawn."""
        found = self.table(
            f"SELECT id, COALESCE(first_id, id) AS low FROM tx WHERE id >= {since}",
            {"id": "BIGINT", "low": "BIGINT"},
        )
        ids, lows = found["id"].to_pylist(), found["low"].to_pylist()
        return {tx: min(tx, low) for tx, low in zip(ids, lows, strict=True)}


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
    return (
        f'SELECT {listed} FROM "{table.store}" i{current} '
        f'UNION ALL SELECT {listed} FROM "{table.store}_history" i{before}'
    )


def _sentinel(types: Mapping[str, str]) -> str:
    return "SELECT " + ", ".join(f"{_typed_value(kind)} AS {name}" for name, kind in types.items())


def _typed_value(kind: str) -> str:
    if kind in ("BIGINT", "BOOLEAN"):
        return "0"
    return "0.0" if kind == "DOUBLE" else "''"


def _translated(error: Exception) -> Busy | StorageError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return Busy("the store is locked by another process.", hint="Try again.")
    return StorageError(f"the store cannot be read: {text.splitlines()[0]}.")
