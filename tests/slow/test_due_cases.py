"""A hundred thousand open cases are listed by time left within a second, and rightly."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

import crmkit
from crmkit.builtin.service.cases import DUE, NewCase

# A hundred thousand cases with their clocks take minutes to open on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CASES, BATCH = 100_000, 10_000
# Resolution is not promised before work begins, so what is due first is to acknowledge: one hour.
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def read_bare(driver: sqlite3.Connection) -> float:
    """Seconds that the driver alone takes for the columns of the list."""
    start = time.process_time()
    driver.execute(f"select {', '.join(DUE)} from service_case where is_open").fetchall()
    return time.process_time() - start


def test_what_is_due_is_listed_within_a_second_and_equals_what_the_logs_say(
    tmp_path, crm_clock
) -> None:
    crm_clock.set(NOW)
    draw = random.Random(3)
    with crmkit.init(tmp_path / "shop", clock=crm_clock) as crm:
        cases = crm.service("service.cases")
        customers = [crm.store.customers.add(name=f"customer {n}").id for n in range(50)]
        ages = [draw.randrange(7200) for _ in range(CASES)]
        for first in range(0, CASES, BATCH):
            cases.open(
                [
                    NewCase(
                        customer_id=draw.choice(customers), by_customer=False, ref=f"K{number}",
                        values={"topic": "billing", "severity": f"S{1 + number % 4}"},
                        opened_at=NOW - timedelta(seconds=ages[number]),
                    )
                    for number in range(first, first + BATCH)
                ]
            )  # fmt: skip
        with closing(sqlite3.connect(tmp_path / "shop" / "crmkit.db")) as driver:
            bare = min(read_bare(driver) for _ in range(5))
        taken = []
        for _ in range(5):
            start = time.process_time()
            found = cases.due(NOW)
            taken.append(time.process_time() - start)
        assert [d.left for d in found] == sorted(timedelta(hours=1, seconds=-age) for age in ages)
        used = {d.ref: d.level for d in found}
        for number in draw.sample(range(CASES), 2_000):
            share = ages[number] / 3600
            level = max(step for step in (0, 0.5, 0.75, 0.9, 1) if share >= step)
            assert used[f"K{number}"] == level
        # Time of this process, the best of five. Where others fill the machine, the bare driver is
        # slower too: reading the same rows with it took a quarter of the time on a quiet one.
        assert min(taken) <= max(1.0, 5 * bare)
        before = [(d.ref, d.due_at) for d in found]
        cases.recompute(NOW)
        assert [(d.ref, d.due_at) for d in cases.due(NOW)] == before
