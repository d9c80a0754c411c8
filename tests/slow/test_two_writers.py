"""Two processes that import at once: the snapshot misses no row of either (design D2)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

import crmkit
from crmkit.testing.samples import write_customers, write_profile

pytestmark = pytest.mark.slow

ROWS = 60_000


def start(folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    program = Path(sys.executable).with_name("crmkit")
    return subprocess.Popen(
        [program, "-w", folder / "shop", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> None:
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said


def test_two_imports_at_once_and_snapshots_meanwhile_miss_no_row(tmp_path, database_url):
    """A snapshot that went by the highest id would lose the slower writer's rows for ever."""
    crmkit.init(tmp_path / "shop", database=database_url).close()
    profile = write_profile(tmp_path / "sample.toml")
    importing = []
    for source in ("north", "south"):
        file = write_customers(tmp_path / f"{source}.csv", ROWS, seed=len(source))
        importing.append(start(tmp_path, "import", file, "--profile", profile, "--source", source))
    # Snapshots taken while both write: what one of them misses, a later one must still find.
    while any(process.poll() is None for process in importing):
        finish(start(tmp_path, "snapshot"))
    for process in importing:
        finish(process)
    finish(start(tmp_path, "snapshot"))

    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        stored = set(connection.execute(sa.text("select id from customer")).scalars())
    engine.dispose()
    assert len(stored) == 2 * ROWS

    with crmkit.open(tmp_path / "shop") as crm, crm.warehouse.session() as session:
        from crmkit.warehouse.population import Population

        frame = session.frame(Population.at(crm.as_of()), purpose="report")
        seen = frame.query("select customer_id from customer")["customer_id"].to_pylist()
    assert len(seen) == 2 * ROWS
    assert set(seen) == stored
