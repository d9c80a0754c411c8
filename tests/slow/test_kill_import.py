"""An import that is killed again and again loses nothing and doubles nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import crmkit
from crmkit.testing.samples import customer_rows, write_customers, write_profile

ROWS = 200_000
KILLS = 20
SEED = 20261122


def command(folder: Path) -> list[str]:
    return [
        str(Path(sys.executable).with_name("crmkit")), "-w", str(folder / "shop"), "import",
        str(folder / "customers.csv"), "--profile", str(folder / "sample.toml"),
        "--format", "json",
    ]  # fmt: skip


def rows_read(database: Path) -> int:
    """How many rows the import says it has stored for good."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        found = connection.execute("select coalesce(max(read), 0) from import_run").fetchone()
        return int(found[0])
    finally:
        connection.close()


def kill_once(folder: Path, after_rows: int, delay: float) -> bool:
    """Starts the import and kills it ``delay`` seconds after ``after_rows`` rows are stored.

    Returns:
        Whether it was still running when it was killed.
    """
    process = subprocess.Popen(
        command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and rows_read(folder / "shop" / "crmkit.db") < after_rows:
        time.sleep(0.002)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def import_with_kills(folder: Path, rows: int, kills: int, draw: random.Random) -> int:
    """Kills the import of ``rows`` customers at random moments, then lets it finish.

    Each kill comes somewhere in a batch, in a commit, or at the start.

    Returns:
        How many times it was running when it was killed.
    """
    write_customers(folder / "customers.csv", rows, seed=rows)
    write_profile(folder / "sample.toml")
    crmkit.init(folder / "shop").close()
    # The first two kills come before anything is stored, the others spread over the whole file.
    moments = [0, 0, *sorted(draw.randrange(rows) for _ in range(kills - 2))]
    killed = sum(kill_once(folder, at, draw.uniform(0, 0.15)) for at in moments)
    last = subprocess.run(command(folder), capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    (result,) = json.loads(last.stdout)
    assert result["read"] == rows
    assert result["rejected"] == 0
    assert_stored_exactly(folder / "shop" / "crmkit.db", rows)
    return killed


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path):
    killed = import_with_kills(tmp_path, ROWS, KILLS, random.Random(SEED))
    assert killed >= KILLS - 2  # one that comes in the last batch may find the import done
    again = subprocess.run(command(tmp_path), capture_output=True, text=True, check=True)
    (result,) = json.loads(again.stdout)
    assert (result["created"], result["unchanged"]) == (0, ROWS)
    assert_stored_exactly(tmp_path / "shop" / "crmkit.db", ROWS)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_kills_of_all_kinds_until_the_time_is_used_up(tmp_path):
    """CRMKIT_SOAK_MINUTES (10) of imports of random sizes, each killed a random number of times."""
    end = time.monotonic() + 60 * float(os.environ.get("CRMKIT_SOAK_MINUTES", "10"))
    seed = int(os.environ.get("CRMKIT_SOAK_SEED", time.time()))
    print(f"CRMKIT_SOAK_SEED={seed}")
    draw = random.Random(seed)
    turn = 0
    while time.monotonic() < end:
        folder = tmp_path / str(turn)
        folder.mkdir()
        import_with_kills(folder, draw.randrange(1, 300_000), draw.randrange(2, 12), draw)
        shutil.rmtree(folder)
        turn += 1
    assert turn


def assert_stored_exactly(database: Path, rows: int) -> None:
    """Every row of the file is stored once, and nothing else is."""
    connection = sqlite3.connect(database)
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert connection.execute("pragma foreign_key_check").fetchall() == []
    stored = dict(
        connection.execute(
            "select r.ref, c.name from customer_ref r join customer c on c.id = r.customer_id"
        )
    )
    counts = {
        table: connection.execute(f"select count(*) from {table}").fetchone()[0]
        for table in ("customer", "customer_ref", "contact_point", "customer_history")
    }
    connection.close()
    assert stored == {row[0]: row[1] for row in customer_rows(rows, seed=rows)}
    assert counts == {
        "customer": rows, "customer_ref": rows, "contact_point": 2 * rows, "customer_history": 0,
    }  # fmt: skip
