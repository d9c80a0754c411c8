"""Import on both databases: a first load, a changed copy again, memory, and COPY by hand.

Every import runs in a process of its own, which says how long it took and how much memory it had at
most. In the changed copy every hundredth row has another region. The bare side on PostgreSQL parses
the same file and sends the same batches by ``COPY`` to the same tables, a transaction each.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import crmkit
from crmkit.entities.transaction import IdSource
from crmkit.testing.postgresql import find_server_programs, fresh_database, run_server
from crmkit.testing.samples import write_customers

from .import_ import PROFILE, TABLES, batches_of, stored_rows
from .measure import Result, machine, seconds, show

GOAL_COPY, GOAL_AGAIN = 0.85, 1.0
MEMORY_LIMIT = 400.0  # MB
CHANGED_EVERY = 100
COLUMNS = {
    "customer": "id, name, region, owner, created_at, updated_at, valid_from, tx, kind, version",
    "customer_ref": "ref, customer_id, tx, source",
    "contact_point": "id, customer_id, kind, value, position, address_key, tx, label",
    "telecom_customer": "customer_id, gender, senior, partner, city, postal_code, household, valid_from, tx, version",
    "tx": "id, at, actor, command",
}
# Columns with one value in all rows, which stand last.
CONSTANTS: dict[str, tuple[Any, ...]] = {
    "customer": ("person", 1), "customer_ref": ("bench",), "contact_point": ("",),
    "telecom_customer": (1,), "tx": ("bench", "import"),
}  # fmt: skip
CHILD = """
import json, sys, time
import crmkit
folder, file = sys.argv[1:]
start = time.perf_counter()
with crmkit.open(folder) as crm:
    result = crm.import_file(file, profile=folder + "/bench.toml")
took = time.perf_counter() - start
# Of this program alone: what getrusage says counts the process that started it too.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({"seconds": took, "mb": int(status["VmHWM"].split()[0]) * 1024 / 1e6,
                  "created": result.created, "updated": result.updated,
                  "unchanged": result.unchanged, "rejected": result.rejected}))
"""


def make_workspace(folder: Path, database: str | None) -> None:
    """A workspace with the telecom plugin and the profile, on SQLite or the database given."""
    crmkit.init(folder, plugins=("telecom",), database=database).close()
    (folder / "bench.toml").write_text(PROFILE, encoding="utf-8")


def write_changed(file: Path, changed: Path) -> int:
    """Copies a file with another region in every hundredth row; gives the number of these."""
    count = 0
    with (
        file.open(encoding="utf-8", newline="") as source,
        changed.open("w", encoding="utf-8", newline="") as out,
    ):
        reader, writer = csv.reader(source), csv.writer(out, lineterminator="\n")
        writer.writerow(next(reader))
        for i, row in enumerate(reader):
            if i % CHANGED_EVERY == 0:
                row[4] = "elsewhere"
                count += 1
            writer.writerow(row)
    return count


def import_in_child(folder: Path, file: Path) -> dict[str, Any]:
    """Imports a file in a process of its own; gives its seconds, peak memory and counts."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, folder, file], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def import_by_copy(url: str, file: Path) -> None:
    """What anybody would write who knows that COPY is PostgreSQL's fastest way in."""
    import psycopg

    ids, now = IdSource(0), datetime(2026, 3, 31, 12, tzinfo=UTC).replace(tzinfo=None)
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain) as connection, file.open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        next(reader)
        for batch in batches_of(reader):
            tx, *numbers = ids.take(1 + len(batch) * 3)
            found = stored_rows(batch, tx, numbers, now=now, yes={"Yes": True, "No": False})
            with connection.transaction(), connection.cursor() as cursor:
                for table, rows in found.items():
                    statement = f"COPY {table} ({COLUMNS[table]}) FROM STDIN"
                    constants = CONSTANTS[table]
                    with cursor.copy(statement) as copy:
                        for row in rows:
                            copy.write_row(row + constants)


def count_rows(url: str) -> dict[str, int]:
    """Rows in each of the tables that an import fills."""
    import psycopg

    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain) as connection:
        return {
            table: connection.execute(f"select count(*) from {table}").fetchone()[0]  # type: ignore[index]
            for table in TABLES
        }


def _again(
    rows: int, folder: Path, files: tuple[Path, Path], where: str
) -> tuple[list[Result], float]:
    """Imports the file and then its changed copy; gives the results and the first's seconds."""
    first = import_in_child(folder, files[0])
    again = import_in_child(folder, files[1])
    changed = -(-rows // CHANGED_EVERY)
    peak = max(first["mb"], again["mb"])
    assert (first["created"], first["rejected"]) == (rows, 0), first
    assert (again["updated"], again["unchanged"]) == (changed, rows - changed), again
    return [
        Result(
            name=f"{rows:,} rows to {where} again, 1 % changed, against the first time",
            ours=again["seconds"], bare=first["seconds"], unit="s",
            goal=GOAL_AGAIN, at_most=True,
        ),
        Result(
            name=f"peak memory of either import of {rows:,} rows to {where}, limit",
            ours=peak, bare=MEMORY_LIMIT, unit="MB", goal=1.0,
            at_most=True,
        ),
    ], first["seconds"]  # fmt: skip


def run(
    rows: int, folder: Path, *, databases: tuple[str, ...] = ("sqlite", "postgresql")
) -> list[Result]:
    """Imports ``rows`` customers and a changed copy on each database.

    PostgreSQL is left out where its server programs are not installed.
    """
    files = (folder / f"customers-{rows}.csv", folder / f"customers-{rows}-changed.csv")
    if not files[0].exists():
        write_customers(files[0], rows)
    write_changed(*files)
    results = []
    if "sqlite" in databases:
        place = folder / "again"
        shutil.rmtree(place, ignore_errors=True)
        make_workspace(place, None)
        results += _again(rows, place, files, "SQLite")[0]
        shutil.rmtree(place)
    programs = find_server_programs()
    if "postgresql" in databases and programs is not None:
        with run_server(programs) as server:
            results += _run_postgresql(rows, folder / "again", files, server)
    return results


def _run_postgresql(rows: int, place: Path, files: tuple[Path, Path], server: str) -> list[Result]:
    shutil.rmtree(place, ignore_errors=True)
    with ExitStack() as stack:
        own, raw = (stack.enter_context(fresh_database(server)) for _ in range(2))
        make_workspace(place / "crmkit", own)
        make_workspace(place / "bare", raw)
        bare = seconds(lambda: import_by_copy(raw, files[0]))
        results, mine = _again(rows, place / "crmkit", files, "PostgreSQL")
        counted = count_rows(own)
        assert counted == count_rows(raw), (counted, count_rows(raw))
    shutil.rmtree(place)
    return [
        Result(
            name=f"import of {rows:,} rows to PostgreSQL, bare COPY",
            ours=rows / mine, bare=rows / bare, unit="rows/s", goal=GOAL_COPY,
            at_most=False,
        ),
        *results,
    ]  # fmt: skip


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    options = parser.parse_args()
    print(machine())
    databases = (options.database,) if options.database else ("sqlite", "postgresql")
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        show(run(options.rows, folder, databases=databases))


if __name__ == "__main__":
    main()
