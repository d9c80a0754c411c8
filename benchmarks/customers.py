"""Customers: the view of one and the search for a fragment, both against the store's size.

The bare side of the view reads the same rows with the driver alone: one statement for each table
that the view reads, among them every record type that customers own, and nothing made of the rows. Nothing bare stands beside the search: its slowest hundredth
and the time in which the index is filled are held against limits, and every answer is looked at.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import crmkit
from crmkit.policy import local_viewer
from crmkit.present.customer_view import build_view
from crmkit.workspace import Crm

from .filling import Filler
from .measure import Result, machine, middle, seconds, show

GOAL_VIEW, LIMIT_VIEW_MS, LIMIT_SEARCH_MS = 5.0, 5.0, 50.0
# Of a million customers.
LIMIT_FILL_S = 60.0
INTERACTIONS_EACH = 10
LIMIT_DESK_MS = 150.0
# A piece of a telephone number that a dozen have, a whole number, a name of two characters that a
# sixteenth has, and one that one has.
AT_THE_DESK = ("00004242", "+8613100004242", "李雷", "司空")
# Its own process, since the first call in one pays for the statements that later ones find compiled.
DESK = """
import sys, time, crmkit
with crmkit.open(sys.argv[1]) as crm:
    crm.run("list list")
    start = time.process_time()
    answer = crm.run("desk", who=sys.argv[2])
    print((time.process_time() - start) * 1000, len(answer.rows))
"""
NOBODY = ("q", "qx", "雷李", "~~~")
# Of one to many characters: names, keys and telephone numbers, frequent, rare and nowhere.
FRAGMENTS = (
    "李雷", "雷", "李", "王伟", "张敏", "欧阳", "欧阳娜", "陈静", "刘洋", "洋0", "赵", "ann", "an", "a",
    "zoë z", "0042", "000000123", "+86131", "o'n", "n a", "C77", "jo o'neill000001", *NOBODY,
)  # fmt: skip
# One statement for each table that a view shows rows of.
BARE = (
    "SELECT * FROM customer WHERE id = ?",
    "SELECT id FROM customer WHERE merged_into = ?",
    "SELECT * FROM customer_ref WHERE customer_id = ?",
    "SELECT * FROM contact_point WHERE customer_id = ?",
    "SELECT * FROM stage WHERE subject_id = ?",
    "SELECT * FROM stage_change WHERE subject_id = ?",
    "SELECT * FROM outcome WHERE subject_id = ?",
    "SELECT * FROM interaction WHERE customer_id = ? ORDER BY occurred_at DESC LIMIT 20",
)


def bare_queries(crm: Crm) -> list[str]:
    """What the driver is asked for: core's tables, and each plugin's fields and owned records."""
    made = crm.store.domain.values()
    fields = [m.current.name for m in made if m.entity.what == "customer"]
    owned = [m.current.name for m in made if m.entity.owner == "customer"]
    return [
        *BARE,
        *(f"SELECT * FROM {name} WHERE customer_id = ?" for name in fields),
        *(f"SELECT * FROM {name} WHERE owner_id = ?" for name in owned),
    ]


def slowest_hundredth(values: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[98] if len(values) > 1 else values[0]


def run(customers: int, folder: Path, *, views: int = 200, searches: int = 8) -> list[Result]:
    """Fills a store on SQLite and asks for random customers and fragments."""
    place = folder / "customers"
    shutil.rmtree(place, ignore_errors=True)
    draw = random.Random(11)
    with crmkit.init(place, plugins=("telecom",)) as crm:
        Filler(crm).fill(customers, customers * INTERACTIONS_EACH)
        viewer = local_viewer(crm.actor)
        refs = [f"C{draw.randrange(customers)}" for _ in range(views)]

        def view(ref: str) -> int:
            with crm.store.one_state():
                found = crm.store.customers.find(ref)
                build_view(crm.store, crm.catalog, viewer, found, timeline=20, language="en")
            return found.id

        ids = [view(ref) for ref in refs]
        ours = [_milliseconds(lambda ref=ref: view(ref)) for ref in refs]  # type: ignore[misc]
        queries = bare_queries(crm)
        with closing(sqlite3.connect(place / "crmkit.db")) as connection:

            def read(customer: int) -> None:
                for query in queries:
                    connection.execute(query, (customer,)).fetchall()

            bare = [_milliseconds(lambda i=i: read(i)) for i in ids]  # type: ignore[misc]
        filled = seconds(crm.store.fragments.fill)
        taken = []
        for fragment in FRAGMENTS * searches:
            taken.append(_milliseconds(lambda f=fragment: crm.store.customers.search(f)))  # type: ignore[misc]
        for fragment in FRAGMENTS:
            found = crm.store.customers.search(fragment)
            assert bool(found) == (fragment not in NOBODY), fragment
            for customer in found:
                texts = [customer.name, *(r.ref for r in customer.refs)]
                texts += [p.value for p in customer.contact_points]
                assert any(fragment.casefold() in str(text).casefold() for text in texts), fragment
        crm.store.customers.add(name="司空")
    asked = {who: min(_desk(place, who) for _ in range(5)) for who in AT_THE_DESK}
    shutil.rmtree(place)
    size = f"{customers:,} customers"
    return [
        Result(
            name=f"the view of one of {size}, the driver's rows", ours=middle(ours),
            bare=middle(bare), unit="ms", goal=GOAL_VIEW,
            at_most=True,
        ),
        Result(
            name=f"the slowest hundredth of views of {size}, limit", ours=slowest_hundredth(ours),
            bare=LIMIT_VIEW_MS, unit="ms", goal=1.0,
            at_most=True,
        ),
        Result(
            name=f"the slowest hundredth of fragment searches in {size}, limit",
            ours=slowest_hundredth(taken), bare=LIMIT_SEARCH_MS, unit="ms",
            goal=1.0, at_most=True,
        ),
        Result(
            name=f"the index of fragments of {size}, limit", ours=filled,
            bare=LIMIT_FILL_S * customers / 1_000_000, unit="s",
            goal=1.0, at_most=True,
        ),
        *(
            Result(
                name=f"`crmkit desk {who}` among {size}, beyond the start, limit", ours=took,
                bare=LIMIT_DESK_MS, unit="ms", goal=1.0, at_most=True,
            )
            for who, took in asked.items()
        ),
    ]  # fmt: skip


def _desk(place: Path, who: str) -> float:
    """Milliseconds of processor time of the first ``desk`` of a process that has opened the store."""
    found = subprocess.run(
        [sys.executable, "-c", DESK, str(place), who], capture_output=True, text=True, check=True
    )
    took, rows = found.stdout.split()
    assert int(rows) > 0, who
    return float(took)


def _milliseconds(work: Callable[[], object]) -> float:
    return seconds(work) * 1000


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="folder for files; else a temporary one")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        show(run(options.customers, folder))


if __name__ == "__main__":
    main()
