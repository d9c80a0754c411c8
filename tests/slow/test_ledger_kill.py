"""A million random postings, with the process killed in between: every balance is its entries' sum."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import crmkit

POINTS = "ledger.points"
CUSTOMERS, BATCH = 200, 2_000

# Posts batches of references that the batch's number makes, so that doing one again does nothing;
# says each one's number once it is committed.
WORKER = f"""
import random, sys
import crmkit
from crmkit.builtin.ledger.accounts import Posting

folder, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with crmkit.open(folder) as crm:
    accounts = crm.service("ledger.accounts")
    customers = sorted(c.id for c in crm.store.customers.list())
    for number in range(first, last):
        chance = random.Random(number)
        batch = []
        for i in range({BATCH}):
            who, amount = chance.choice(customers), chance.randint(1, 50)
            sign = -1 if i % 3 == 2 else 1
            batch.append(Posting(customer_id=who, amount=-amount if sign < 0 else 3 * amount,
                                 kind="burn" if sign < 0 else "earn", reference=f"{{number}}-{{i}}"))
        # Everybody starts with a million, which no run of these batches can use up.
        accounts.post("ledger.points", batch) if number else accounts.post(
            "ledger.points", [Posting(customer_id=c, amount=1_000_000, reference=f"start-{{c}}") for c in customers])
        print(number, flush=True)
"""


def expected(customers: list[int], batches: int) -> dict[int, int]:
    """The balances that the first batches give, worked out without the ledger."""
    found = dict.fromkeys(customers, 1_000_000)
    for number in range(1, batches):
        chance = random.Random(number)
        for i in range(BATCH):
            who, amount = chance.choice(customers), chance.randint(1, 50)
            found[who] += -amount if i % 3 == 2 else 3 * amount
    return found


def run_killed(folder: Path, batches: int, kills: int) -> list[int]:
    """Runs the worker to the end, killing it ``kills`` times; the customers."""
    chance = random.Random(11)
    with crmkit.init(folder) as crm:
        for n in range(CUSTOMERS):
            crm.store.customers.add(name=f"C{n}")
        customers = sorted(c.id for c in crm.store.customers.list())
    done = 0
    for kill in range(kills + 1):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(done), str(batches)],
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert worker.stdout is not None
        for line in worker.stdout:
            done = int(line) + 1
            if kill < kills and done >= (kill + 1) * batches // (kills + 1):
                time.sleep(chance.random() / 4)
                os.killpg(worker.pid, signal.SIGKILL)
                break
        worker.stdout.close()
        ended = worker.wait()
        assert ended == (-signal.SIGKILL if kill < kills else 0)
    return customers


@pytest.mark.slow
def test_killed_postings_lose_and_double_nothing(tmp_path: Path) -> None:
    """60,000 postings with five kills."""
    check(tmp_path / "w", batches=30, kills=5)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_million_postings_balance(tmp_path: Path) -> None:
    """A million postings with twenty kills."""
    check(tmp_path / "w", batches=500, kills=20)


def check(folder: Path, batches: int, kills: int) -> None:
    customers = run_killed(folder, batches, kills)
    with crmkit.open(folder) as crm:
        accounts = crm.service("ledger.accounts")
        assert accounts.unbalanced(POINTS) == []
        assert accounts.balances(POINTS, customers) == expected(customers, batches)
        entries = crm.store.records.read("ledger.entry", ["id"], where={"ledger": POINTS})
        assert len(entries) == CUSTOMERS + (batches - 1) * BATCH
