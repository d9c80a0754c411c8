"""A declared window reads the row groups of its days alone, and increments rewrite little."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from crmkit.warehouse import parts, reading, snapshot
from crmkit.warehouse.manifest import read_manifest

DAYS, ROWS = 360, 24_000
FIRST = date(2026, 1, 1)
LAST = FIRST + timedelta(days=DAYS - 1)


def fill(world: Any, rows: int, seed: int, first_ref: int = 0) -> None:
    """Visits on shuffled days of the year, in one transaction."""
    chance = random.Random(seed)
    if not hasattr(world, "member"):
        world.member = world.customer("2026-01-01")
    table = world.store.tables["interaction"]
    with world.store.begin("fill") as tx:
        ids = tx.take_ids(rows)
        days = [FIRST + timedelta(days=chance.randrange(DAYS)) for _ in ids]
        tx.connection.execute(
            table.insert(),
            [
                {
                    "id": i, "kind": "gym.visit", "customer_id": world.member,
                    "direction": "none", "occurred_at": datetime.combine(day, time.min, UTC),
                    "occurred_on": day, "recorded_at": tx.at, "source": "door",
                    "ref": str(first_ref + n), "revision": 1, "payload": {"minutes": 1.0},
                    "tx": tx.id,
                }
                for n, (i, day) in enumerate(zip(ids, days, strict=True))
            ],
        )  # fmt: skip


def scanned(world: Any, at: Any, window_days: int | None) -> tuple[int, int, int]:
    """Row groups that DuckDB read and would read of the visits' files, and the rows found."""
    with world.warehouse.session() as session:
        frame = session.frame(at(LAST.isoformat()), "feature", window_days=window_days)
        sql = "SELECT count(*) AS n, sum(minutes) AS minutes FROM gym_visit"
        found = frame.query(sql)["n"][0].as_py()
        answer = session.engine.query(f"EXPLAIN (ANALYZE, FORMAT json) {sql}", {})
    told = json.loads(answer["explain_value"][0].as_py())["query"]
    return told["total_row_groups_scanned"], told["total_row_groups_to_scan"], found


def groups(world: Any) -> int:
    """Row groups in all files of visits, as the files themselves say."""
    import pyarrow.parquet as pq

    folder = world.warehouse.folder
    files = [part.file for part in read_manifest(folder).tables["gym_visit"].parts]
    return sum(pq.ParquetFile(folder / file).num_row_groups for file in files)


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a few thousand rows and the smallest row groups that DuckDB writes."""
    monkeypatch.setattr(parts, "ROW_GROUP_ROWS", 2048)
    monkeypatch.setattr(parts, "PART_BYTES", 1 << 20)
    monkeypatch.setattr(reading, "BATCH_ROWS", 8_000)


@pytest.mark.usefixtures("small_files")
def test_a_window_reads_the_row_groups_of_its_days_alone(world: Any, at: Any) -> None:
    fill(world, ROWS, seed=1)
    world.warehouse.refresh()
    every = groups(world)
    whole, _, rows = scanned(world, at, None)
    assert (whole, rows) == (every, ROWS)
    part, _, few = scanned(world, at, 30)
    # Every file holds the whole year in order of days, so a twelfth of it is in its last groups.
    files = len(read_manifest(world.warehouse.folder).tables["gym_visit"].parts)
    assert files > 1
    assert part <= 2 * files < every
    assert 0 < few < ROWS / 10


@pytest.mark.usefixtures("small_files")
def test_compaction_keeps_the_order_of_days(
    world: Any, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MOST_SMALL", 2)
    for turn in range(4):
        fill(world, 6_000, seed=turn, first_ref=turn * 6_000)
        world.warehouse.refresh()
    state = read_manifest(world.warehouse.folder).tables["gym_visit"]
    assert len(state.parts) <= 2
    every = groups(world)
    assert every >= ROWS // 2048
    part, _, _ = scanned(world, at, 30)
    # A thirtieth of a sorted file lies in one group or two, in each of the files.
    assert part <= 2 * len(state.parts)


def test_an_increment_never_rewrites_large_files(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SMALL_ROWS", 1_000)
    monkeypatch.setattr(snapshot, "MOST_SMALL", 2)
    fill(world, 5_000, seed=0)
    world.warehouse.refresh()
    (large,) = read_manifest(world.warehouse.folder).tables["gym_visit"].parts
    for turn in range(6):
        fill(world, 10, seed=turn, first_ref=5_000 + turn * 10)
        world.warehouse.refresh()
        state = read_manifest(world.warehouse.folder).tables["gym_visit"]
        assert state.parts[0] == large
        assert len(state.parts) <= 4
    assert state.rows == 5_060
    assert world.warehouse.verify() == []
