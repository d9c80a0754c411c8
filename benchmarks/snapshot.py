"""Snapshot: the whole store and a hundredth more of it, against ADBC and a Parquet writer by hand.

Both sides read customers, a plugin's customer fields, bills and payments from the same database and
write them as zstd Parquet with typed columns, the payload's fields included. Before the times are
compared, the rows are. The bare side writes one file a table in the order in which rows come. It
does not sort, remembers no transactions, reads no history, finds no first revision of a fact and
leaves half a file where readers look if it is killed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import json

import crmkit
from crmkit.testing.postgresql import find_server_programs, fresh_database, run_server
from crmkit.workspace import Crm

from .filling import Filler, plain
from .measure import Result, machine, middle, seconds, show

GOAL, GOAL_INCREMENT = 0.8, 0.05
BATCH_ROWS = 65_536
# Of each customer, as in the measurements behind the design.
INTERACTIONS_EACH = 10
WHOLE, TEXT, YES = pa.int64(), pa.string(), pa.bool_()
DAY, INSTANT = pa.date32(), pa.timestamp("us")
Columns = dict[str, pa.DataType]
VERSIONED: Columns = {"version": WHOLE, "valid_from": INSTANT, "tx": WHOLE}
FACT: Columns = {
    "id": WHOLE, "kind": TEXT, "customer_id": WHOLE, "occurred_at": INSTANT, "occurred_on": DAY,
    "channel": TEXT, "direction": TEXT, "actor": TEXT, "source": TEXT, "revision": WHOLE,
    "amount_minor": WHOLE, "currency": TEXT, "subject_type": TEXT, "subject_id": WHOLE, "tx": WHOLE,
}  # fmt: skip
COLUMNS: dict[str, Columns] = {
    "customer": {
        "id": WHOLE, "kind": TEXT, "locale": TEXT, "time_zone": TEXT, "region": TEXT, "owner": TEXT,
        "team": TEXT, "created_at": INSTANT, "merged_into": WHOLE, **VERSIONED,
    },
    "telecom_customer": {
        "customer_id": WHOLE, "gender": TEXT, "senior": YES, "partner": YES, "dependants": YES,
        "city": TEXT, "postal_code": TEXT, "household": TEXT, "key_account_tier": TEXT,
        "account_manager": TEXT, **VERSIONED,
    },
    "interaction": {**FACT, "payload": TEXT},
}  # fmt: skip
# By kind, the fields of its payload.
PAYLOADS: dict[str, Columns] = {
    "telecom.bill": {
        "period_starts_on": DAY, "due_on": DAY, "recurring_minor": WHOLE,
        "recurring_currency": TEXT, "overage_minor": WHOLE, "overage_currency": TEXT,
    },
    "telecom.payment": {"bill": TEXT, "due_on": DAY, "method": TEXT},
}  # fmt: skip
SCHEMAS = {
    name: pa.schema(list(COLUMNS[name].items())) for name in ("customer", "telecom_customer")
}
SCHEMAS |= {kind: pa.schema([*FACT.items(), *p.items()]) for kind, p in PAYLOADS.items()}
# The warehouse's names of the store's columns.
RENAMED = {"kind": "kind_", "subject_type": "record_type", "subject_id": "record_id"}


def write_by_hand(crm: Crm, folder: Path) -> None:
    """What a careful person would write: one scan a table, typed batches, a zstd file a kind."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    url = crm.store.engine.url
    if crm.store.dialect == "sqlite":
        import adbc_driver_sqlite.dbapi as driver

        uri, options = str(url.database), {"adbc.sqlite.query.batch_rows": BATCH_ROWS}
    else:
        import adbc_driver_postgresql.dbapi as driver  # type: ignore[no-redef]

        uri, options = plain(url), {}
    with driver.connect(uri) as connection, ExitStack() as stack:
        files = {
            name: stack.enter_context(
                pq.ParquetWriter(path_of(folder, name), schema, compression="zstd")
            )
            for name, schema in SCHEMAS.items()
        }
        for table, columns in COLUMNS.items():
            listed = ", ".join(columns)
            values = ", ".join(f"{_value(kind)} AS {name}" for name, kind in columns.items())
            query = f"SELECT {listed} FROM {table}"
            if options:
                # The driver guesses types from the first batch, which may hold no value of some.
                query = f"SELECT {values} UNION ALL {query}"
            with connection.cursor() as cursor:
                cursor.adbc_statement.set_options(**options)
                cursor.execute(query)
                skip = 1 if options else 0
                for batch in cursor.fetch_record_batch():
                    for name, rows in typed(table, batch.slice(skip)):
                        files[name].write_batch(rows)
                    skip = 0


def typed(table: str, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """A batch as it goes into files: kinds apart, and text and numbers as what they mean."""
    if table != "interaction":
        yield table, _cast(batch.columns, SCHEMAS[table])
        return
    for kind, payload in PAYLOADS.items():
        rows = batch.filter(pc.equal(batch["kind"], kind))
        text = rows["payload"]
        lines = pc.binary_join(pa.ListArray.from_arrays([0, len(text)], text), "\n")
        # Dates as text, as the reader of JSON would otherwise take them for instants.
        schema = pa.schema([(n, TEXT if t == DAY else t) for n, t in payload.items()])
        options = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        found = json.read_json(pa.BufferReader(lines[0].as_buffer()), parse_options=options)
        fields = found.combine_chunks().to_batches()[0].columns
        yield kind, _cast([*rows.columns[:-1], *fields], SCHEMAS[kind])


def _cast(arrays: list[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    cast = [array.cast(kind) for array, kind in zip(arrays, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(cast, schema=schema)


def _value(kind: pa.DataType) -> str:
    return "0" if kind in (WHOLE, YES) else "''"


def path_of(folder: Path, name: str) -> Path:
    """The file of a table or kind."""
    return folder / f"{name.replace('.', '_')}.parquet"


def assert_equal(crm: Crm, folder: Path) -> None:
    """Both sides hold the same rows, or their times are not worth comparing."""
    with duckdb.connect() as connection:
        for name, schema in SCHEMAS.items():
            bare = path_of(folder, name)
            files = sorted((crm.settings.warehouse / bare.stem).glob("*.parquet"))
            renamed = RENAMED if name in PAYLOADS else {"customer_id": "id"}
            mine = [renamed.get(column, column) for column in schema.names]
            ours, theirs = (
                _digest(connection, mine, files),
                _digest(connection, schema.names, [bare]),
            )
            assert ours == theirs, (name, ours, theirs)


def _digest(connection: duckdb.DuckDBPyConnection, columns: list[str], files: list[Path]) -> Any:
    sql = f"SELECT count(*), sum(hash({', '.join(columns)})) FROM read_parquet($files)"
    return connection.execute(sql, {"files": [str(path) for path in files]}).fetchone()


def _measured(crm: Crm, where: str, folder: Path, interactions: int, runs: int) -> list[Result]:
    filler, customers = Filler(crm), max(1, interactions // INTERACTIONS_EACH)
    filler.fill(customers, interactions)
    rows = 2 * customers + interactions
    ours, bare = [], []
    for turn in range(runs + 1):
        mine = seconds(lambda: crm.warehouse.refresh(full=True))
        theirs = seconds(lambda: write_by_hand(crm, folder / "bare"))
        if turn:
            ours.append(mine)
            bare.append(theirs)
        else:
            shutil.rmtree(crm.settings.warehouse)
            crm.warehouse.refresh()
            assert_equal(crm, folder / "bare")
    full, added = middle(ours), interactions // 100
    taken = []
    for turn in range(runs):
        filler.add(customers, interactions + turn * added, added)
        taken.append(seconds(crm.warehouse.refresh))
    differences = crm.warehouse.verify()
    assert not differences, differences
    return [
        Result(
            name=f"snapshot of {rows:,} rows on {where}, ADBC and a Parquet writer",
            ours=rows / full, bare=rows / middle(bare), unit="rows/s", goal=GOAL, at_most=False,
        ),
        Result(
            name=f"increment of {added:,} interactions on {where}, the whole snapshot",
            ours=middle(taken), bare=full, unit="s", goal=GOAL_INCREMENT, at_most=True,
        ),
    ]  # fmt: skip


def run(
    interactions: int, folder: Path, *, runs: int = 3,
    databases: tuple[str, ...] = ("sqlite", "postgresql"),
) -> list[Result]:  # fmt: skip
    """Fills a store on each database and measures both sides in turn, after one turn to warm up.

    PostgreSQL is left out where its server programs are not installed.
    """
    results = []
    place = folder / "snapshot"
    programs = find_server_programs()
    for database in databases:
        shutil.rmtree(place, ignore_errors=True)
        with ExitStack() as stack:
            url = None
            if database == "postgresql":
                if programs is None:
                    continue
                url = stack.enter_context(fresh_database(stack.enter_context(run_server(programs))))
            crm = stack.enter_context(crmkit.init(place, plugins=("telecom",), database=url))
            where = "SQLite" if url is None else "PostgreSQL"
            results += _measured(crm, where, folder, interactions, runs)
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder / "bare", ignore_errors=True)
    return results


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interactions", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="snapshots and increments of each kind")
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    options = parser.parse_args()
    print(machine())
    databases = (options.database,) if options.database else ("sqlite", "postgresql")
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        show(run(options.interactions, folder, runs=options.runs, databases=databases))


if __name__ == "__main__":
    main()
