"""A step over many customers killed at any moment: all have passed, or none."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import crmkit

pytestmark = pytest.mark.slow

PEOPLE = 300
SCRIPT = """
import sys
import crmkit
with crmkit.open(sys.argv[1]) as crm:
    own = crm.ownership
    print("ready", flush=True)
    while True:
        own.hand_over(["ben"], from_agent="ann", over_protection=True)
        own.hand_over(["ann"], from_agent="ben", over_protection=True)
"""


def test_a_killed_step_leaves_every_customer_with_one_agent(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    with crmkit.init(folder) as crm, crm.store.begin("test") as tx:
        for _ in range(PEOPLE):
            crm.store.customers.add(owner="ann", tx=tx)
    for after in (0.03, 0.1, 0.21, 0.34):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after)
        process.kill()
        process.communicate(timeout=60)
        with crmkit.open(folder) as crm:
            (owner,) = {c.owner for c in crm.store.customers.list()}
            made = crm.ownership.rows.assignments()
            steps = Counter(a.batch for a in made)
            assert set(steps.values()) <= {PEOPLE}
            # The versions of a customer are its assignments, each from the owner before.
            if made:
                assert made[0].to_agent == owner
                assert {c.version for c in crm.store.customers.list()} == {1 + len(steps)}
            # Whoever holds the customers now gives them back for the next round.
            if owner == "ben":
                crm.ownership.hand_over(["ann"], from_agent="ben", over_protection=True)
