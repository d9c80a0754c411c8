"""Reports: two built-in ones that read every interaction, against SQL written by hand for one date.

Both sides read the same Parquet files, warm. Before the times are compared, the rows are.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

import crmkit
from crmkit.entities.asof import AsOf
from crmkit.workspace import Crm

from .filling import Filler
from .measure import Result, machine, middle, seconds, show
from .snapshot import INTERACTIONS_EACH

LAST = date(2026, 3, 31)
# As for features: a tenth more, and fifty milliseconds for checking texts and making views.
SHARE, EXTRA_SECONDS = 1.1, 0.05
# Report → the file of the SQL by hand.
REPORTS = {
    "core.cohort-retention": "retention_by_hand.sql",
    "core.customers": "customers_by_hand.sql",
}
TABLES = {"bills": "telecom_bill", "payments": "telecom_payment", "customers": "customer"}


def by_hand(crm: Crm, file: str, as_of: AsOf) -> pa.Table:
    """The rows by SQL on the files."""
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    given = {
        name: sorted(str(path) for path in (crm.settings.warehouse / table).glob("*.parquet"))
        for name, table in TABLES.items()
        if f"${name}" in text
    }
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        known = {**given, "instant": as_of.instant.replace(tzinfo=None), "day": as_of.on}
        return connection.sql(text, params=known).to_arrow_table()


def by_crmkit(crm: Crm, report: str, as_of: AsOf) -> pa.Table:
    """The rows by the report."""
    return crm.reports.run(report, as_of=as_of).table


def assert_equal(ours: pa.Table, bare: pa.Table) -> None:
    """Both sides give the same rows in the same order, or their times are not worth comparing."""
    same = ours.select(bare.column_names).cast(bare.schema)
    assert same.equals(bare), (same.slice(0, 3).to_pylist(), bare.slice(0, 3).to_pylist())


def run(interactions: int, folder: Path, runs: int = 9) -> list[Result]:
    """Fills a store, takes its snapshot and runs each report by both sides in turn."""
    place = folder / "reports"
    shutil.rmtree(place, ignore_errors=True)
    results = []
    with crmkit.init(place, plugins=("telecom",)) as crm:
        Filler(crm).fill(max(1, interactions // INTERACTIONS_EACH), interactions)
        crm.warehouse.refresh()
        as_of = AsOf.end_of(LAST, crm.settings.time_zone)
        for report, file in REPORTS.items():
            assert_equal(by_crmkit(crm, report, as_of), by_hand(crm, file, as_of))
            ours, bare = [], []
            for _ in range(runs):
                ours.append(seconds(lambda r=report: by_crmkit(crm, r, as_of)))  # type: ignore[misc]
                bare.append(seconds(lambda f=file: by_hand(crm, f, as_of)))  # type: ignore[misc]
            mine, theirs = middle(ours), middle(bare)
            results.append(
                Result(
                    name=f"report `{report}` over {interactions:,} interactions",
                    ours=mine * 1000, bare=theirs * 1000, unit="ms", goal=SHARE + EXTRA_SECONDS / theirs, at_most=True,
                )
            )  # fmt: skip
    shutil.rmtree(place)
    return results


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interactions", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        show(run(options.interactions, folder))


if __name__ == "__main__":
    main()
