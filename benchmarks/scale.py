"""Scale: what a snapshot, features and reports cost from size to size.

Up to some ten million interactions the rows go through a store on SQLite, filled by
:mod:`benchmarks.filling`. Beyond, they are generated straight into the Parquet files of a snapshot,
as a store of that size would have left them, because the store is not what is measured there.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from datetime import date
from pathlib import Path

import duckdb
from attrs import evolve, frozen

import crmkit
from crmkit.entities.asof import AsOf
from crmkit.warehouse.engine import quoted, quoted_text
from crmkit.warehouse.layout import WarehouseTable
from crmkit.warehouse.manifest import Part, TableState, read_manifest, write_manifest
from crmkit.warehouse.parts import ROW_GROUP_ROWS
from crmkit.workspace import Crm

from .features import by_crmkit as build_features
from .filling import FIRST_DAY, MONTHS, Filler
from .measure import machine, middle, seconds
from .reports import REPORTS
from .reports import by_crmkit as run_report
from .snapshot import INTERACTIONS_EACH

LAST = date(2026, 3, 31)
THROUGH_STORE = 10_000_000
# Rows of one generated file.
FILE_ROWS = 5_000_000
# Expressions over the number ``n`` of an interaction; other columns are missing.
_CUSTOMER = "CAST(n // 2 % $customers + 1 AS BIGINT)"
_ISSUED = f"30 * (n * {MONTHS} // $count)"
_DAY = f"CAST(DATE '{FIRST_DAY}' + CAST({_ISSUED} + CASE WHEN n % 2 = 0 THEN 0 ELSE 10 + n * 7919 % 8 END AS INTEGER) AS DATE)"
_DUE = f"CAST(DATE '{FIRST_DAY}' + CAST({_ISSUED} + 14 AS INTEGER) AS DATE)"
FACT = {
    "id": "n + 1", "fact_id": "n + 1", "revision": "1", "customer_id": _CUSTOMER,
    "occurred_at": f"CAST({_DAY} AS TIMESTAMP)", "occurred_on": _DAY, "direction": "'none'",
    "source": "'bench'", "amount_minor": "2000 + n // 2 % $customers % 60 * 100 + n // 2 % 5 * 300",
    "currency": "'USD'", "tx": "n // 10000 + 1", "due_on": _DUE,
}  # fmt: skip
BILL = {
    **FACT, "kind_": "'telecom.bill'", "overage_minor": "n // 2 % 5 * 300",
    "overage_currency": "'USD'",
}  # fmt: skip
PAYMENT = {**FACT, "kind_": "'telecom.payment'"}
CUSTOMER = {
    "id": "n + 1", "version": "1", "valid_from": "TIMESTAMP '2020-01-01'",
    "valid_on": "DATE '2020-01-01'", "tx": "1", "kind": "'person'",
    "region": "CASE n % 4 WHEN 0 THEN 'north' WHEN 1 THEN 'south' WHEN 2 THEN 'east' ELSE 'west' END",
    "owner": "'agent-' || (n % 40)", "created_at": "TIMESTAMP '2020-01-01'",
    "created_on": "DATE '2020-01-01'",
}  # fmt: skip


@frozen
class Measured:
    """Seconds by step at one size."""

    interactions: int
    steps: dict[str, float]


def through_store(crm: Crm, interactions: int) -> dict[str, float]:
    """Fills the store and takes its snapshot."""
    filler, customers = Filler(crm), max(1, interactions // INTERACTIONS_EACH)
    filler.fill(customers, interactions)
    steps = {"snapshot": seconds(crm.warehouse.refresh)}
    filler.add(customers, interactions, interactions // 100)
    return {**steps, "increment of 1 %": seconds(crm.warehouse.refresh)}


def straight_to_files(crm: Crm, interactions: int) -> None:
    """Generates the files of bills, payments and customers and names them in the manifest."""
    crm.warehouse.refresh()
    folder, layout = crm.settings.warehouse, crm.warehouse.layout
    manifest = read_manifest(folder)
    assert manifest is not None
    customers = max(1, interactions // INTERACTIONS_EACH)
    states = {}
    with duckdb.connect() as connection:
        for name, values, odd, count in (
            ("customer", CUSTOMER, None, customers),
            ("telecom_bill", BILL, 0, interactions),
            ("telecom_payment", PAYMENT, 1, interactions),
        ):
            table = layout.tables[name]
            parts = [
                _generated(connection, folder, table, values, odd, customers, start, count)
                for start in range(0, count, FILE_ROWS * (1 if odd is None else 2))
            ]
            states[name] = TableState(table.types, tuple(parts))
    write_manifest(folder, evolve(manifest.with_tables(states), serial=manifest.serial + 1))
    assert not crm.warehouse.is_stale()


def _generated(
    connection: duckdb.DuckDBPyConnection, folder: Path, table: WarehouseTable,
    values: dict[str, str], odd: int | None, customers: int, start: int, count: int,
) -> Part:  # fmt: skip
    step = 1 if odd is None else 2
    first, end = start + (odd or 0), min(start + FILE_ROWS * step, count)
    listed = ", ".join(
        f"CAST({values.get(c.name, 'NULL')} AS {c.type}) AS {quoted(c.name)}" for c in table.columns
    )
    listed = listed.replace("$customers", str(customers)).replace("$count", str(count))
    order = "" if odd is None else " ORDER BY occurred_on, id"
    file = f"{table.name}/generated-{start:012d}.parquet"
    (folder / table.name).mkdir(exist_ok=True)
    answer = connection.execute(
        f"COPY (SELECT {listed} FROM range({first}, {end}, {step}) r(n){order}) "
        f"TO {quoted_text(str(folder / file))} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
    ).fetchone()
    assert answer is not None
    return Part.written(folder, file, int(answer[0]), (c.name for c in table.columns))


def measure(
    interactions: int, folder: Path, runs: int = 3, through: int = THROUGH_STORE
) -> Measured:
    """All steps at one size; the answers of features and reports are medians, warm.

    Args:
        through: up to this size the rows go through a store.
    """
    place = folder / f"scale-{interactions}"
    shutil.rmtree(place, ignore_errors=True)
    with crmkit.init(place, plugins=("telecom",)) as crm:
        if interactions <= through:
            steps = through_store(crm, interactions)
        else:
            straight_to_files(crm, interactions)
            steps = {}
        as_of = AsOf.end_of(LAST, crm.settings.time_zone)
        asked = {"features of bills and payments": lambda: build_features(crm, as_of)}
        asked |= {f"`{name}`": lambda n=name: run_report(crm, n, as_of) for name in REPORTS}  # type: ignore[misc]
        for name, ask in asked.items():
            ask()
            steps[name] = middle(seconds(ask) for _ in range(runs))
    shutil.rmtree(place)
    return Measured(interactions, steps)


def show(measured: list[Measured]) -> None:
    """Prints a Markdown table of seconds, and how often each step is dearer than a size before."""
    print("| step | " + " | ".join(f"{m.interactions:,}" for m in measured) + " | dearer |")
    print("|---|" + "---:|" * (len(measured) + 1))
    for step in dict.fromkeys(name for m in measured for name in m.steps):
        taken = [m.steps.get(step) for m in measured]
        ratios = [f"{b / a:.1f}" for a, b in itertools.pairwise(taken) if a and b]
        shown = " | ".join("" if t is None else f"{t:.2f} s" for t in taken)
        print(f"| {step} | {shown} | {', '.join(ratios)} × |")


def main() -> None:
    """Measures each size that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--interactions", type=int, nargs="+", default=[100_000, 1_000_000],
        help=f"sizes; above {THROUGH_STORE:,} straight into Parquet",
    )  # fmt: skip
    parser.add_argument("--straight", action="store_true", help="no store, at any size")
    parser.add_argument("--runs", type=int, default=3, help="of each question, for its median")
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    options = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        through = 0 if options.straight else THROUGH_STORE
        sizes = options.interactions
        show([measure(size, folder, options.runs, through) for size in sizes])


if __name__ == "__main__":
    main()
