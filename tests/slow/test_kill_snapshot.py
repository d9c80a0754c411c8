"""A snapshot that is killed leaves the old one, and who reads meanwhile sees one or the other."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import crmkit
from benchmarks.filling import Filler
from crmkit.warehouse.manifest import FILE

pytestmark = pytest.mark.slow

SEED, KILLS, ROWS = 20261125, 6, 60_000
REFRESH = "import crmkit, sys\nwith crmkit.open(sys.argv[1]) as crm:\n    crm.warehouse.refresh(full=len(sys.argv) > 2)\n"
BILLS = "SELECT count(*) AS n, count(DISTINCT tx) AS txs FROM base_telecom_bill"


def bills(crm: crmkit.Crm) -> tuple[int, int]:
    """Bills in the snapshot as it stands, and the transactions that wrote them."""
    with crm.warehouse.session(fresh=False) as session:
        session.bind_base("telecom_bill")
        (row,) = session.engine.query(BILLS, {}).to_pylist()
    return row["n"], row["txs"]


def start(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", REFRESH, str(folder), *more])


def test_kills_during_snapshots_leave_the_old_one_readable(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    with crmkit.init(tmp_path / "shop", plugins=("telecom",)) as crm:
        filler = Filler(crm)
        filler.fill(2_000, ROWS)
        crm.warehouse.refresh()
        filler.add(2_000, ROWS, 2_000)
        warehouse, killed = crm.settings.warehouse, 0
        for _ in range(KILLS):
            manifest, old = (warehouse / FILE).read_bytes(), bills(crm)
            files = set(warehouse.glob("*/*.parquet"))
            process = start(tmp_path / "shop", "full")
            # From the first new file on it is at work; the last moments are those of the manifest.
            while process.poll() is None and set(warehouse.glob("*/*.parquet")) <= files:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            if process.wait() == -signal.SIGKILL and (warehouse / FILE).read_bytes() == manifest:
                killed += 1
                assert bills(crm) == old
        assert killed
        assert start(tmp_path / "shop").wait() == 0
        assert bills(crm)[0] == (ROWS + 2_000) // 2
        assert crm.warehouse.verify() == []


def test_a_reader_beside_snapshots_never_sees_a_mix(tmp_path: Path) -> None:
    """Every transaction writes as many bills as payments, so whoever sees a mix sees unequal counts."""
    both = (
        "SELECT (SELECT count(*) FROM base_telecom_bill) AS bills, "
        "(SELECT count(*) FROM base_telecom_payment) AS payments"
    )
    with crmkit.init(tmp_path / "shop", plugins=("telecom",)) as crm:
        filler, size, seen = Filler(crm), 20_000, set[int]()
        filler.fill(1_000, size)
        crm.warehouse.refresh()
        for turn in range(6):
            filler.add(1_000, size, 2_000)
            size += 2_000
            process = start(tmp_path / "shop", *(["full"] if turn % 2 else []))
            while process.poll() is None:
                with crm.warehouse.session(fresh=False) as session:
                    for name in ("telecom_bill", "telecom_payment"):
                        session.bind_base(name)
                    (row,) = session.engine.query(both, {}).to_pylist()
                assert row["bills"] == row["payments"]
                seen.add(row["bills"])
            assert process.returncode == 0
        assert bills(crm)[0] == size // 2
        assert seen <= {10_000 + 1_000 * n for n in range(7)}
        assert len(seen) > 1
