"""Writes the files of a snapshot: raw batches in, sorted Parquet parts out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import CrmkitError, StorageError
from .engine import quoted, quoted_text
from .layout import WarehouseTable
from .manifest import Part, TableState
from .shaping import RAW, order_of, shaping_sql

# A buffer of this size becomes a file: about 150,000 interactions. Together the buffers hold at
# most three times as much, whatever the size of the store.
PART_BYTES = 32 << 20
BUFFER_BYTES = 3 * PART_BYTES
# Sorted row groups of this size let a window of days skip most of a file.
ROW_GROUP_ROWS = 30_720


class _Buffer:
    """Raw rows of one table that are not yet in a file."""

    def __init__(self, table: WarehouseTable) -> None:
        self.table = table
        self.batches: list[pa.RecordBatch] = []
        self.bytes = 0
        self.written: list[Future[Part]] = []
        self.several = False
        self.merged = False

    def add(self, batch: pa.RecordBatch) -> None:
        self.batches.append(batch)
        self.bytes += batch.nbytes
        for name in ("revision", "version"):
            if name in batch.schema.names and (pc.max(batch[name]).as_py() or 1) > 1:
                self.several = True
        if "merged_into" in batch.schema.names and batch["merged_into"].null_count < len(batch):
            self.merged = True

    def take(self) -> pa.Table:
        rows = pa.Table.from_batches(_unified(self.batches))
        self.batches, self.bytes = [], 0
        return rows


class PartWriter:
    """Collects raw batches by table, and shapes and writes them on a thread beside the reader.

    Args:
        folder: the warehouse.
        serial: part of the file names, so that no file is ever written twice.
        time_zone: in which days begin and end.
    """

    def __init__(self, folder: Path, serial: int, time_zone: str) -> None:
        self._folder, self._serial, self._time_zone = folder, serial, time_zone
        self._buffers: dict[str, _Buffer] = {}
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshot")
        self._waiting: deque[Future[Part]] = deque()
        self._numbers: dict[str, int] = {}
        self._duckdb = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._duckdb.execute("SET TimeZone = 'UTC'")
        # Parts are written one at a time, and faster than the store is read. On two threads they
        # took 1.9 s of processor time a million facts, on one 1.5.
        self._duckdb.execute("SET threads = 1")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._duckdb.close()

    def open(self, table: WarehouseTable) -> None:
        """Takes note of a table, which then has a state even if no row comes."""
        self._buffers.setdefault(table.name, _Buffer(table))

    def add(self, table: WarehouseTable, batch: pa.RecordBatch) -> None:
        """Takes rows as :func:`crmkit.warehouse.reading.select` returns them."""
        if not batch.num_rows:
            return
        self.open(table)
        buffer = self._buffers[table.name]
        buffer.add(batch)
        if buffer.bytes >= PART_BYTES:
            self._flush(buffer)
        while sum(b.bytes for b in self._buffers.values()) > BUFFER_BYTES:
            self._flush(max(self._buffers.values(), key=lambda b: b.bytes))

    def finish(self) -> dict[str, TableState]:
        """Writes what is left; the state of every table opened, with its new parts alone.

        Raises:
            StorageError: if a file cannot be written.
        """
        for buffer in self._buffers.values():
            if buffer.batches:
                self._flush(buffer)
        return {
            name: TableState(
                buffer.table.types,
                tuple(future.result() for future in buffer.written),
                buffer.several,
                buffer.merged,
            )
            for name, buffer in self._buffers.items()
        }

    def compact(self, table: WarehouseTable, parts: Sequence[Part]) -> Part:
        """One file with the rows of several.

        Raises:
            StorageError: if it cannot be written.
        """
        files = ", ".join(quoted_text(str(self._folder / part.file)) for part in parts)
        have = {column for part in parts for column in part.columns}
        listed = ", ".join(
            quoted(c.name) if c.name in have else f"CAST(NULL AS {c.type}) AS {quoted(c.name)}"
            for c in table.columns
        )
        source = f"read_parquet([{files}], union_by_name = true)"
        future = self._pool.submit(self._copy, table, f"SELECT {listed} FROM {source}")
        return future.result()

    def derive(self, table: WarehouseTable, sql: str) -> Part:
        """A file of rows that follow from other files; it may come out empty.

        Args:
            sql: a SELECT of the table's columns.

        Raises:
            StorageError: if it cannot be written.
        """
        return self._pool.submit(self._copy, table, sql).result()

    def _flush(self, buffer: _Buffer) -> None:
        # One part is written while the next is read; more would only hold memory.
        while len(self._waiting) >= 2:
            self._waiting.popleft().result()
        future = self._pool.submit(self._write, buffer.table, buffer.take())
        self._waiting.append(future)
        buffer.written.append(future)

    def _write(self, table: WarehouseTable, rows: pa.Table) -> Part:
        self._duckdb.register(RAW, rows)
        try:
            return self._copy(table, shaping_sql(table, self._time_zone))
        finally:
            self._duckdb.unregister(RAW)

    def _copy(self, table: WarehouseTable, sql: str) -> Part:
        number = self._numbers[table.name] = self._numbers.get(table.name, 0) + 1
        file = f"{table.name}/{self._serial:06d}-{number:04d}.parquet"
        path = self._folder / file
        path.parent.mkdir(exist_ok=True)
        with _translated(table):
            answer = self._duckdb.execute(
                f"COPY ({sql} ORDER BY {order_of(table)}) TO {quoted_text(str(path))} "
                f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
            ).fetchone()
            rows = int(answer[0]) if answer else 0
            codes = self._currencies(table, path) if rows else []
            return Part.written(self._folder, file, rows, (c.name for c in table.columns), codes)

    def _currencies(self, table: WarehouseTable, path: Path) -> list[str]:
        source = f"read_parquet({quoted_text(str(path))})"
        asked = [
            f"SELECT DISTINCT {code} AS code FROM {source} WHERE {quoted(amount)} IS NOT NULL"
            for amount, code in table.amounts.items()
        ]
        if not asked:
            return []
        found = self._duckdb.execute(
            f"SELECT code FROM ({' UNION '.join(asked)}) c WHERE code IS NOT NULL ORDER BY code"
        )
        return [code for (code,) in found.fetchall()]


def _unified(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Batches of one schema: a column that held only NULLs may have come with another type."""
    schema = batches[0].schema
    return [b if b.schema.equals(schema) else b.cast(schema) for b in batches]


@contextmanager
def _translated(table: WarehouseTable) -> Iterator[None]:
    try:
        yield
    except duckdb.IOException as error:
        raise StorageError(f"a file of the warehouse cannot be written: {error}") from error
    except duckdb.Error as error:
        told = str(error).splitlines()[0]
        raise CrmkitError(
            f"rows of {table.entity} cannot be put into the warehouse: {told}"
        ) from error


def joined(old: TableState | None, new: TableState, types: Mapping[str, str]) -> TableState:
    """The state of a table after new parts were added to the old ones."""
    if old is None:
        return new
    return TableState(
        types, old.parts + new.parts, old.several or new.several, old.merged or new.merged
    )
