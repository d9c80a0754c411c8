"""Import: a customer file of 12 columns through a profile, against the bare driver.

Both sides read the same file and write the same rows into the same five tables of a workspace on
SQLite: in batches of 10,000 source rows, a transaction each, ``synchronous=FULL``, WAL, foreign keys
on. The bare side tokenises with :mod:`csv` and hands tuples to ``executemany``; it checks nothing,
matches nothing, remembers nothing and could not go on after a kill.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crmkit
from crmkit.entities.address import LAST_DIGITS
from crmkit.entities.transaction import IdSource
from crmkit.testing.samples import write_customers

from .measure import Result, machine, seconds, show

BATCH = 10_000
NOW = "2026-03-31 12:00:00.000000"
YES = {"Yes": 1, "No": 0}
GOAL, GOAL_UTILS = 0.8, 5.0
TABLES = ("customer", "customer_ref", "contact_point", "telecom_customer")

PROFILE = """
name = "bench"
[source]
name = "bench"
format = "csv"
delimiter = ","
key = ["no"]
[[emit]]
entity = "customer"
key = "no"
[emit.fields]
kind = { value = "person" }
name = "name"
phone = "phone"
email = "email"
region = "region"
owner = "owner"
[[emit]]
entity = "telecom.customer"
[emit.fields]
gender = "gender"
senior = "senior"
partner = "partner"
city = "city"
postal_code = "postal_code"
household = "household"
"""
INSERTS = {
    "customer": "insert into customer (id, kind, name, region, owner, created_at, updated_at, version, valid_from, tx) values (?, 'person', ?, ?, ?, ?, ?, 1, ?, ?)",
    "customer_ref": "insert into customer_ref (source, ref, customer_id, tx) values ('bench', ?, ?, ?)",
    "contact_point": "insert into contact_point (id, customer_id, kind, value, label, position, address_key, tx) values (?, ?, ?, ?, '', ?, ?, ?)",
    "telecom_customer": "insert into telecom_customer (customer_id, gender, senior, partner, city, postal_code, household, valid_from, version, tx) values (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
    "tx": "insert into tx (id, at, actor, command) values (?, ?, 'bench', 'import')",
}


def make_workspace(folder: Path) -> Path:
    """A workspace with the telecom plugin on SQLite; gives its database file."""
    crmkit.init(folder, plugins=("telecom",)).close()
    return folder / "crmkit.db"


def import_by_crmkit(folder: Path, file: Path) -> None:
    """The import under test."""
    profile = folder / "bench.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    with crmkit.open(folder) as crm:
        result = crm.import_file(file, profile=str(profile))
    assert (result.rejected, result.read) == (0, result.created), result


def import_bare(database: Path, file: Path) -> None:
    """The loop that anybody would write first."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    connection.execute("pragma foreign_keys=on")
    ids = IdSource(0)
    with file.open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        next(reader)
        for batch in batches_of(reader):
            tx, *numbers = ids.take(1 + len(batch) * 3)
            connection.execute("begin immediate")
            for table, rows in stored_rows(batch, tx, numbers).items():
                connection.executemany(INSERTS[table], rows)
            connection.execute("commit")
    connection.close()


def batches_of(reader: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """Rows of the file, a transaction's worth at a time."""
    while batch := list(itertools.islice(reader, BATCH)):
        yield batch


def stored_rows(
    batch: list[list[str]], tx: int, numbers: list[int], *, now: Any = NOW, yes: Any = YES
) -> dict[str, list[tuple]]:
    """Rows by table; ``now`` and ``yes`` are the instant and the truth values as bound."""
    customers, phones, emails = numbers[::3], numbers[1::3], numbers[2::3]
    return {
        "customer": [
            (i, r[1], r[4], r[5], now, now, now, tx) for i, r in zip(customers, batch, strict=True)
        ],
        "customer_ref": [(r[0], i, tx) for i, r in zip(customers, batch, strict=True)],
        "contact_point": [
            row
            for i, p, e, r in zip(customers, phones, emails, batch, strict=True)
            for row in (
                (p, i, "phone", r[2], 0, r[2][-LAST_DIGITS:], tx),
                (e, i, "email", r[3], 1, r[3].lower(), tx),
            )
        ],
        "telecom_customer": [
            (i, r[6], yes[r[7]], yes[r[8]], r[9], r[10], r[11], now, tx)
            for i, r in zip(customers, batch, strict=True)
        ],
        "tx": [(tx, now)],
    }


def count_rows(database: Path) -> dict[str, int]:
    """Rows in each of the tables that an import fills."""
    connection = sqlite3.connect(database)
    try:
        return {t: connection.execute(f"select count(*) from {t}").fetchone()[0] for t in TABLES}
    finally:
        connection.close()


def insert_by_sqlite_utils(folder: Path, file: Path) -> None:
    """What a general tool does with the same file: one table, all columns text."""
    program = Path(sys.executable).with_name("sqlite-utils")
    subprocess.run(
        [program, "insert", folder / "utils.db", "t", file, "--csv", "--silent"], check=True
    )


def run(rows: int, folder: Path) -> tuple[list[Result], float]:
    """Imports ``rows`` customers by crmkit, by the bare loop and by sqlite-utils, twice each.

    Returns:
        The results, and the seconds that crmkit took.
    """
    file = folder / f"customers-{rows}.csv"
    if not file.exists():
        write_customers(file, rows)
    ours, bare, utils = [], [], []
    for turn in range(2):
        place = folder / f"import-{turn}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        own, raw = make_workspace(place / "crmkit"), make_workspace(place / "bare")
        ours.append(seconds(lambda at=own: import_by_crmkit(at.parent, file)))
        bare.append(seconds(lambda at=raw: import_bare(at, file)))
        utils.append(seconds(lambda at=place: insert_by_sqlite_utils(at, file)))
        counted = count_rows(own)
        assert counted == count_rows(raw), (counted, count_rows(raw))
        shutil.rmtree(place)
    stored = sum(counted.values())
    # The faster of two: the slower one shows what else the machine was doing.
    mine, theirs, tool = min(ours), min(bare), min(utils)
    return [
        Result(
            name=f"import of {rows:,} rows to SQLite, bare driver loop",
            ours=rows / mine, bare=rows / theirs, unit="rows/s", goal=GOAL,
            at_most=False,
        ),
        Result(
            name=f"rows stored in all tables, of `sqlite-utils insert` of {rows:,} rows",
            ours=stored / mine, bare=rows / tool, unit="rows/s",
            goal=GOAL_UTILS, at_most=False,
        ),
    ], mine  # fmt: skip


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        show(run(options.rows, folder)[0])


if __name__ == "__main__":
    main()
