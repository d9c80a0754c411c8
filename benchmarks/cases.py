"""Cases: a hundred thousand open ones listed by the time that is left.

Nothing bare stands beside it: the list, and the command that prints the first of it, are held
against a limit. The smallest of several runs counts, since nothing but other work makes one slower.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import crmkit
from crmkit.entities import CustomerRef
from crmkit.workspace import Crm

from .measure import Result, machine, show

LIMIT_S = 1.0
BATCH = 10_000
STATES = ("new", "acknowledged", "assigned", "in_progress", "waiting_customer", "escalated")
TOPICS = ("billing", "network", "delivery", "staff", "other", None)
DEPARTMENTS = ("billing", "network", "front office", None)
SEVERITIES = ("S1", "S2", "S3", "S4")
FIRST = 50


def fill(crm: Crm, cases: int) -> None:
    """Open cases of a hundred customers: a tenth is late, and of the rest some have used most."""
    draw = random.Random(7)
    owners = [
        crm.store.customers.add(name=f"Customer {i}", refs=[CustomerRef("bench", f"C{i}")]).id
        for i in range(100)
    ]
    now = crm.clock()
    for first in range(0, cases, BATCH):
        size = min(BATCH, cases - first)
        due = [
            now + timedelta(minutes=draw.randint(-1_000, 9_000), microseconds=i)
            for i in range(size)
        ]
        ago = [timedelta(minutes=draw.randint(1, 4_000)) for _ in range(size)]
        opened = [at - timedelta(days=10) for at in due]
        columns = {
            "kind": ["service.complaint"] * size,
            "state": draw.choices(STATES, k=size),
            "is_open": [True] * size,
            "topic": draw.choices(TOPICS, k=size),
            "severity": draw.choices(SEVERITIES, k=size),
            "department": draw.choices(DEPARTMENTS, k=size),
            "assignee": draw.choices(("ann", "ben", None), k=size),
            "opened_at": opened,
            "due_at": due,
            "due_clock": draw.choices(("answer", "resolution", "update"), k=size),
            "half_at": [at - 3 * a for at, a in zip(due, ago, strict=True)],
            "warned_at": [at - 2 * a for at, a in zip(due, ago, strict=True)],
            "urgent_at": [at - a for at, a in zip(due, ago, strict=True)],
        }
        crm.store.records.put(
            "service.case", source="crmkit", refs=[f"CASE{first + i}" for i in range(size)],
            values=columns, owners=draw.choices(owners, k=size), effective=opened,
        )  # fmt: skip


def run(cases: int, folder: Path, *, runs: int = 5) -> list[Result]:
    """Lists every open case in one process, and prints the first and all of them by the command."""
    place = folder / "cases"
    shutil.rmtree(place, ignore_errors=True)
    with crmkit.init(place) as crm:
        fill(crm, cases)
    with crmkit.open(place) as crm:
        service = crm.service("service.cases")
        listed = []
        for _ in range(runs):
            start = time.process_time()
            found = service.due(crm.clock())
            listed.append(time.process_time() - start)
        assert len(found) == cases
        left = [one.left for one in found]
        assert left == sorted(left)
        assert {one.level for one in found} == {0, 0.5, 0.75, 0.9, 1}
    words = ("case", "due", "--format", "csv", "--limit")
    started = min(_command(place, *words, "0") for _ in range(runs))
    some = min(_command(place, *words, str(FIRST)) for _ in range(runs))
    shutil.rmtree(place)
    size = f"{cases:,} open cases"
    return [
        _limit(f"{size} by time left, processor time, limit", min(listed)),
        _limit(f"the first {FIRST} of {size} printed, beyond the start, limit", some - started),
    ]


def _limit(name: str, took: float) -> Result:
    return Result(name=name, ours=took, bare=LIMIT_S, unit="s", goal=1.0, at_most=True)


def _command(place: Path, *words: str) -> float:
    """Seconds of processor time of one command, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [str(Path(sys.executable).with_name("crmkit")), *words], cwd=place, check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        show(run(options.cases, Path(name)))


if __name__ == "__main__":
    main()
