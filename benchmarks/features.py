"""Features: what telecom makes of bills and payments, against SQL written by hand for one date.

A million interactions (bills and payments, a year and eight months) are imported and snapshot once;
then both sides compute the same features of every customer from the same Parquet files, to Arrow.
Before the times are compared, the values are.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

import crmkit
from crmkit.entities.asof import AsOf
from crmkit.testing.samples import write_customers
from crmkit.workspace import Crm

from .import_ import PROFILE as CUSTOMERS
from .measure import Result, machine, middle, seconds, show

SETS = ("telecom.billing", "telecom.payments")
MONTHS = 20
LAST = date(2026, 3, 31)
# The design allows a tenth more and fifty milliseconds for building views and checking the text.
SHARE, EXTRA_SECONDS = 1.1, 0.05
FLOATS = 1e-9

BILLS = """
name = "bench-bills"
[source]
name = "bench"
format = "csv"
delimiter = ","
key = ["bill"]
[[emit]]
entity = "telecom.bill"
name = "bill"
key = "bill"
owner = { entity = "customer", column = "customer" }
occurred_at = "issued_on"
amount = "amount"
[emit.fields]
due_on = "due_on"
overage = "overage"
[[emit]]
entity = "telecom.payment"
name = "payment"
key = "bill"
owner = { entity = "customer", column = "customer" }
occurred_at = "paid_on"
amount = "amount"
when = { column = "paid_on", filled = true }
[emit.fields]
due_on = "due_on"
"""


def bill_rows(interactions: int, seed: int = 5) -> Iterator[tuple[object, ...]]:
    """Bills with their payments, month by month; nearly every bill is paid."""
    draw = random.Random(seed)
    customers = customers_for(interactions)
    for month in range(MONTHS):
        issued = LAST - timedelta(days=30 * (MONTHS - month))
        due = issued + timedelta(days=14)
        for customer in range(customers):
            number = month * customers + customer
            overage = draw.choice((0, 0, 0, 3, 12))
            paid = "" if draw.random() < 0.02 else due + timedelta(days=draw.randrange(-10, 8))
            amount = 20 + customer % 60 + overage
            yield (f"B{number:09d}", f"C{customer:08d}", issued, due, amount, overage, paid)


def customers_for(interactions: int) -> int:
    """How many customers have so many bills and payments together."""
    return interactions // (2 * MONTHS)


def make_world(folder: Path, interactions: int) -> Crm:
    """A workspace with the bills, imported and snapshot; made once in ``folder``."""
    place = folder / f"features-{interactions}"
    if (place / "crmkit.toml").exists():
        return crmkit.open(place)
    crm = crmkit.init(place, plugins=("telecom",))
    customers = write_customers(folder / "billed.csv", customers_for(interactions))
    bills = folder / "bills.csv"
    with bills.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("bill", "customer", "issued_on", "due_on", "amount", "overage", "paid_on"))
        writer.writerows(bill_rows(interactions))
    # The customers' profile with a date before the first bill, so that they are there at any as-of.
    dated = CUSTOMERS.replace('key = ["no"]', 'key = ["no"]\neffective = "2020-01-01"')
    for name, text, file in (("customers", dated, customers), ("bills", BILLS, bills)):
        profile = place / f"{name}.toml"
        profile.write_text(text, encoding="utf-8")
        result = crm.import_file(file, profile=str(profile))
        assert not result.rejected, result
    crm.warehouse.refresh()
    return crm


def by_hand(crm: Crm, as_of: AsOf) -> pa.Table:
    """The features by SQL on the files."""
    folder = crm.settings.warehouse
    parts = {
        name: sorted(str(path) for path in (folder / table).glob("*.parquet"))
        for name, table in (
            ("bills", "telecom_bill"), ("payments", "telecom_payment"), ("customers", "customer")
        )
    }  # fmt: skip
    text = Path(__file__).with_name("billing_by_hand.sql").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        given = {**parts, "instant": as_of.instant.replace(tzinfo=None), "day": as_of.on}
        return connection.sql(text, params=given).to_arrow_table()


def by_crmkit(crm: Crm, as_of: AsOf) -> pa.Table:
    """The features as the plugin declares them."""
    from crmkit.warehouse.population import Population

    sets = (crm.catalog.feature_sets[name] for name in SETS)
    names = [feature.name for found in sets for feature in found.features]
    return crm.features.build("customer", names, Population.at(as_of))


def assert_equal(ours: pa.Table, bare: pa.Table) -> None:
    """Both sides say the same of every customer, or their times are not worth comparing."""
    columns = [name for name in bare.column_names if name in ours.column_names]
    assert len(columns) == len(bare.column_names), (ours.column_names, bare.column_names)
    left, right = (t.select(columns).sort_by("subject_id").to_pylist() for t in (ours, bare))
    assert len(left) == len(right), (len(left), len(right))
    for a, b in zip(left, right, strict=True):
        for name in columns:
            x, y = a[name], b[name]
            same = x == y or (
                x is not None and y is not None and abs(x - y) <= FLOATS * max(abs(x), abs(y), 1)
            )
            assert same, (a["subject_id"], name, x, y)


def run(rows: int, folder: Path, runs: int = 15) -> list[Result]:
    """Builds the features by both sides in turn, after one build that warms the caches."""
    with make_world(folder, rows) as crm:
        as_of = AsOf.end_of(LAST, crm.settings.time_zone)
        assert_equal(by_crmkit(crm, as_of), by_hand(crm, as_of))
        ours, bare = [], []
        for _ in range(runs):
            ours.append(seconds(lambda: by_crmkit(crm, as_of)))
            bare.append(seconds(lambda: by_hand(crm, as_of)))
    mine, theirs = middle(ours), middle(bare)
    return [
        Result(
            name=f"features of bills and payments over {rows:,} interactions", ours=mine * 1000,
            bare=theirs * 1000, unit="ms", goal=SHARE + EXTRA_SECONDS / theirs, at_most=True,
        )
    ]  # fmt: skip


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="bills and payments together")
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        show(run(options.rows, folder))


if __name__ == "__main__":
    main()
