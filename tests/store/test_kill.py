"""Writers and upgrades killed at any moment: what was acknowledged is there, nothing is half-done."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from crmkit.store.store import Store

OpenStore = Callable[..., Store]

pytestmark = pytest.mark.slow

EMPTY = """
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from crmkit.entities import CustomerRef
from crmkit.store.store import Store

empty = dict.fromkeys(("plugins", "customer_fields", "record_types", "interaction_kinds",
                       "lifecycles", "migrations"), {})
store = Store(sys.argv[1], SimpleNamespace(**empty), clock=lambda: datetime.now(UTC), actor="x")
"""
WRITE = (
    EMPTY
    + """
print("ready", flush=True)
for i in range(100_000):
    made = store.customers.add(refs=[CustomerRef(sys.argv[2], str(i))])
    edited = store.customers.edit(made.id, version=1, changes={"region": str(i)})
    print(made.id, flush=True)
"""
)
UPGRADE = EMPTY + 'print("ready", flush=True)\nstore.upgrade()\nprint("done", flush=True)\n'


def run_and_kill(script: str, *args: str, after: float, lines: int = 0) -> list[str]:
    """Runs the script and kills it; gives what it printed since it was ready.

    Args:
        after: seconds to wait before the kill.
        lines: how many lines to wait for before that, so that a slow machine gets as far.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script, *args],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    waited_for = [process.stdout.readline().rstrip("\n") for _ in range(lines)]
    time.sleep(after)
    process.kill()
    out, _ = process.communicate(timeout=60)
    # The last line may be cut; only a whole line is an acknowledgement.
    return waited_for + out.split("\n")[:-1]


def test_acknowledged_writes_survive_twenty_kills(open_store: OpenStore, database_url: str) -> None:
    store = open_store()
    store.upgrade()
    moment = random.Random(7)
    acknowledged: list[int] = []
    for n in range(20):
        wait = moment.uniform(0.0, 0.05)
        out = run_and_kill(WRITE, database_url, f"run{n}", after=wait, lines=moment.randint(0, 15))
        acknowledged += [int(line) for line in out]
    found = {c.id: c for c in store.customers.list()}
    assert len(acknowledged) > 100
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= found.keys()
    # At most the one customer that each killed process was about to acknowledge.
    assert len(found) - len(acknowledged) <= 20
    assert all(
        found[i].version == 2 and found[i].region == found[i].refs[0].ref for i in acknowledged
    )
    history = store.tables["customer_history"].c
    with store.read() as connection:
        kept = set(connection.scalars(select(history.id)))
        assert kept == {c.id for c in found.values() if c.version == 2}
        ids = connection.scalar(select(func.count(store.tables["tx"].c.id.distinct())))
        assert ids == connection.scalar(select(func.count()).select_from(store.tables["tx"]))
        if store.dialect == "sqlite":
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"


def test_an_upgrade_killed_at_any_moment_is_done_or_not_begun(
    new_store: OpenStore, tmp_path: Path
) -> None:
    moment = random.Random(11)
    for n in range(12):
        url = f"sqlite:///{tmp_path / f'{n}.db'}"
        run_and_kill(UPGRADE, url, after=moment.uniform(0.0, 0.6))
        store = new_store(url)
        with store.engine.connect() as connection:
            query = text(
                "SELECT count(*) FROM sqlite_master WHERE name = 'tx' OR name = 'declaration'"
            )
            assert connection.scalar(query) in (0, 2)
        store.upgrade()
        store.check_schema()
        store.close()
