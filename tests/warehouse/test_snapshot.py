"""Refreshing: nothing lost, nothing mixed, nothing personal."""

from __future__ import annotations

import errno
import json
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from attrs import evolve

from crmkit.declarations import CustomerFields
from crmkit.entities.customer import ContactPoint
from crmkit.entities.money import Money
from crmkit.errors import ConfigError, StorageError
from crmkit.hosting.catalog import Catalog
from crmkit.warehouse import reading, snapshot
from crmkit.warehouse.checksums import Checksum
from crmkit.warehouse.manifest import FILE, read_manifest, write_manifest
from crmkit.warehouse.warehouse import Warehouse

BASES = ("customer", "gym_customer", "gym_contract", "gym_locker", "gym_room", "gym_visit",
         "gym_sale", "stage_change")  # fmt: skip


@pytest.fixture(params=["cursor", "process"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading SQLite, whatever the number of rows."""
    monkeypatch.setattr(reading, "MANY_ROWS", 0 if request.param == "process" else 10**9)
    return str(request.param)


def with_one_version_zero(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Increments leave a row of version 0 for each older fact that came; the oldest one counts."""
    oldest: dict[int, dict[str, Any]] = {}
    for row in (r for r in rows if not r["version"]):
        if row["id"] not in oldest or row["valid_from"] < oldest[row["id"]]["valid_from"]:
            oldest[row["id"]] = row
    return [r for r in rows if r["version"]] + list(oldest.values())


def contents(warehouse: Warehouse) -> dict[str, list[Any]]:
    """Every row of every table as it stands in the files, in order."""
    with warehouse.session(fresh=False) as session:
        out = {}
        for name in BASES:
            session.bind_base(name)
            table = session.engine.query(f"SELECT * FROM base_{name}", {})
            rows = table.to_pylist()
            if name == "customer":
                rows = with_one_version_zero(rows)
            out[name] = sorted(map(str, rows))
        return out


def rebuilt(world: Any, name: str = "again") -> dict[str, list[Any]]:
    """The contents of a warehouse built from nothing on the same store."""
    other = Warehouse(
        world.folder / name, world.catalog, world.store, time_zone="Asia/Shanghai",
        runs=world.folder / "runs",
    )  # fmt: skip
    other.refresh()
    return contents(other)


def write_something(world: Any, chance: random.Random, made: list[int]) -> None:
    """One random write of any kind that the store knows."""
    what = chance.choice(
        ["customer", "visit", "visit", "correct", "contract", "sale", "room", "many"]
    )
    day = f"2026-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}"
    if what == "customer" or not made:
        made.append(world.customer(day, region=chance.choice("nsew"), name="N"))
    elif what == "visit":
        world.visit(chance.choice(made), f"{day} 10:00", minutes=chance.random())
    elif what == "correct":
        ref = f"r{chance.randint(0, 3)}"
        world.visit(chance.choice(made), f"{day} 10:00", ref=ref, minutes=chance.random())
    elif what == "contract":
        # Versions follow one another in time, so each begins with the clock.
        world.clock.now = world.clock.now.replace(minute=(world.clock.now.minute + 1) % 60)
        world.record(
            "gym.contract", f"K{chance.randint(0, 3)}", "2026-09-30", chance.choice(made),
            tier=chance.choice("abc"),
        )  # fmt: skip
    elif what == "sale":
        world.log("gym.sale", None, f"{day} 10:00", payload={"item": chance.choice("xyz")})
    elif what == "room":
        world.record("gym.room", f"R{chance.randint(0, 2)}", "2026-01-01", code="A")
    else:
        for _ in range(3):
            world.visit(chance.choice(made), f"{day} 11:00", minutes=1.0)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))]
)
def test_increments_equal_a_full_rebuild(world: Any, way: str, seed: int) -> None:
    """Any writes, with refreshes anywhere between, leave what one refresh at the end leaves."""
    chance, made = random.Random(seed), list[int]()
    for _ in range(14):
        write_something(world, chance, made)
        if chance.random() < 0.4:
            world.warehouse.refresh()
    world.warehouse.refresh()
    assert contents(world.warehouse) == rebuilt(world)
    assert world.warehouse.verify() == []


def test_both_ways_of_reading_postgresql_give_the_same_rows(
    open_world: Any, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, chance, made = open_world(postgresql_url), random.Random(7), list[int]()
    for _ in range(40):
        write_something(world, chance, made)
    read = {}
    for many in (0, 10**9):
        monkeypatch.setattr(reading, "MANY_ROWS", many)
        read[many] = rebuilt(world, f"read-{many}")
    assert read[0] == read[10**9]
    assert all(read[0][name] for name in ("customer", "gym_contract", "gym_visit", "gym_sale"))


def test_an_increment_reads_what_is_new_on_each_database(any_world: Any) -> None:
    ann = any_world.customer("2026-01-01", region="north")
    any_world.visit(ann, "2026-02-01 10:00", ref="v", minutes=1.0)
    any_world.record("gym.contract", "K", "2026-01-05", ann, tier="basic")
    assert any_world.warehouse.refresh().full
    any_world.visit(ann, "2026-02-01 10:00", ref="v", minutes=2.0)
    any_world.record("gym.contract", "K", "2026-02-05", ann, tier="gold")
    second = any_world.warehouse.refresh()
    assert (second.full, second.added) == (False, 2)
    assert second.tables["gym_visit"] == second.tables["gym_contract"] == 2
    assert contents(any_world.warehouse) == rebuilt(any_world)
    assert any_world.warehouse.verify() == []
    assert any_world.warehouse.refresh().added == 0


def test_nothing_to_do_writes_nothing(world: Any) -> None:
    world.customer("2026-01-01")
    world.warehouse.refresh()
    manifest = world.warehouse.folder / FILE
    before = manifest.stat().st_mtime_ns
    assert not world.warehouse.is_stale()
    assert world.warehouse.refresh_if_stale() is None
    world.warehouse.refresh()
    assert manifest.stat().st_mtime_ns == before


def test_a_transaction_that_commits_late_is_not_lost(world: Any, way: str) -> None:
    """D2: its id is lower than that of what the snapshot has already."""
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-02-01 10:00", minutes=1.0)
    late = [world.store.tables[name] for name in ("tx", "interaction")]
    newest = read_manifest_after(world).newest
    with world.store.begin("late") as tx:
        copied = dict(tx.connection.execute(late[1].select()).mappings().one())
        low = newest - 5_000_000
        tx.connection.execute(late[1].insert(), {**copied, "id": low + 1, "ref": "late", "tx": low})
        tx.connection.execute(
            late[0].insert(),
            {
                "id": low,
                "at": tx.at,
                "actor": "a",
                "command": "c",
                "first_id": low + 1,
                "last_id": low + 1,
            },
        )
    assert world.warehouse.is_stale()
    assert world.warehouse.refresh().tables["gym_visit"] == 2
    assert world.warehouse.verify() == []


def read_manifest_after(world: Any) -> Any:
    world.warehouse.refresh()
    return read_manifest(world.warehouse.folder)


def test_two_writers_with_interleaved_commits_lose_no_rows(any_world: Any) -> None:
    ann = any_world.customer("2026-01-01")
    writers = [any_world.open_store(), any_world.open_store()]

    def write(store: Any, name: str) -> None:
        from datetime import UTC, datetime

        from crmkit.entities import NewInteraction

        for n in range(15):
            store.interactions.log(
                NewInteraction(
                    kind="gym.visit", customer_id=ann, source=name, ref=str(n),
                    occurred_at=datetime(2026, 2, 1, n, tzinfo=UTC),
                )
            )  # fmt: skip

    threads = [
        threading.Thread(target=write, args=(store, f"w{n}")) for n, store in enumerate(writers)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        any_world.warehouse.refresh()
    for thread in threads:
        thread.join()
    any_world.warehouse.refresh()
    sql = "SELECT source, count(*) AS n FROM gym_visit GROUP BY source ORDER BY source"
    assert any_world.ask(sql) == [("w0", 15), ("w1", 15)]
    assert any_world.warehouse.verify() == []


def test_a_transaction_open_during_a_refresh_is_taken_by_the_next(
    open_world: Any, postgresql_url: str
) -> None:
    """Only PostgreSQL lets a second writer commit while the first is still open."""
    from datetime import UTC, datetime

    from crmkit.entities import NewInteraction

    world = open_world(postgresql_url, "open")
    ann = world.customer("2026-01-01")
    slow, fast = world.open_store(), world.open_store()

    def visit(ref: str) -> NewInteraction:
        return NewInteraction(
            kind="gym.visit", customer_id=ann, occurred_at=datetime(2026, 2, 1, tzinfo=UTC), ref=ref
        )

    with slow.begin("slow") as tx:
        slow.interactions.log(visit("slow"), tx=tx)
        fast.interactions.log(visit("fast"))
        assert world.warehouse.refresh().tables["gym_visit"] == 1
    assert world.warehouse.refresh().tables["gym_visit"] == 2


def test_commits_after_a_refresh_are_not_lost_to_other_processes(world: Any, way: str) -> None:
    """Two copies of SQLite in one process would delete the log under the open store."""
    world.customer("2026-01-01")
    world.warehouse.refresh()
    world.customer("2026-01-02")
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "print(c.execute('select count(*) from customer').fetchone()[0])"
    )
    path = world.store.engine.url.database
    found = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    assert found.stdout.strip() == b"2"


def test_an_interrupted_refresh_leaves_the_old_snapshot(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-02-01 10:00", minutes=1.0)
    world.warehouse.refresh()
    world.visit(ann, "2026-02-02 10:00", minutes=2.0)

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "write_manifest", stopped)
        with pytest.raises(KeyboardInterrupt):
            world.warehouse.refresh()
    left = set(world.warehouse.folder.glob("gym_visit/*.parquet"))
    assert len(left) == 2
    with world.warehouse.session(fresh=False) as session:
        session.bind_base("gym_visit")
        assert session.engine.query("SELECT minutes FROM base_gym_visit", {}).to_pylist() == [
            {"minutes": 1.0}
        ]
    assert world.ask("SELECT count(*) AS n FROM gym_visit") == [(2,)]
    assert len(set(world.warehouse.folder.glob("gym_visit/*.parquet"))) == 2


def test_leftovers_of_a_killed_refresh_are_removed(world: Any) -> None:
    world.customer("2026-01-01")
    world.warehouse.refresh()
    stray = world.warehouse.folder / "customer" / "000009-0001.parquet"
    stray.write_bytes(b"half")
    world.warehouse.refresh()
    assert not stray.exists()


def test_a_reader_sees_one_snapshot_to_the_end(world: Any, at: Any) -> None:
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-02-01 10:00", minutes=1.0)
    with world.warehouse.session() as session:
        world.visit(ann, "2026-02-02 10:00", minutes=2.0)
        world.warehouse.refresh(full=True)
        world.warehouse.refresh(full=True)
        frame = session.frame(at("2026-12-31"))
        assert frame.query("SELECT count(*) AS n FROM gym_visit").to_pylist() == [{"n": 1}]
    assert world.ask("SELECT count(*) AS n FROM gym_visit") == [(2,)]


def test_replaced_files_go_once_no_reader_can_be_at_them(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.customer("2026-01-01")
    world.warehouse.refresh()
    old = set(world.warehouse.folder.glob("*/*.parquet"))
    world.warehouse.refresh(full=True)
    assert all(path.exists() for path in old)
    later = time.time() + snapshot.GRACE_SECONDS + 1
    monkeypatch.setattr(snapshot.time, "time", lambda: later)
    world.warehouse.refresh()
    assert not any(path.exists() for path in old)


def test_two_refreshes_at_once_wait_for_one_another(world: Any) -> None:
    ann = world.customer("2026-01-01")
    for n in range(5):
        world.visit(ann, f"2026-02-0{n + 1} 10:00", minutes=float(n))
    done: list[Any] = []
    threads = [
        threading.Thread(target=lambda: done.append(world.warehouse.refresh())) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.added for one in done) == [0, 0, max(one.added for one in done)]
    assert world.warehouse.verify() == []


CANARIES = ("Nora Canary", "canary@example.org", "CANARY-NICK", "CANARY-CARD", "CANARY-COACH",
            "CANARY-REF", "CANARY-KEY")  # fmt: skip


def test_nothing_personal_enters_any_file(world: Any) -> None:
    """D17: names, contacts, references and fields of class direct or secret stay in the store."""
    from crmkit.entities.customer import CustomerRef

    ann = world.customer(
        "2026-01-01", name="Nora Canary", refs=[CustomerRef("crm", "CANARY-REF")],
        contact_points=[ContactPoint("email", "canary@example.org")],
        fields={"gym": {"goal": "run", "nickname": "CANARY-NICK"}},
    )  # fmt: skip
    world.record("gym.contract", "CANARY-KEY", "2026-01-05", ann, tier="t", key_card="CANARY-CARD")
    world.visit(ann, "2026-02-01 10:00", ref="CANARY-REF", minutes=1.0, coach="CANARY-COACH")
    world.warehouse.refresh()
    files = [path for path in world.warehouse.folder.rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".parquet"]) == 4
    for path in files:
        if path.suffix == ".parquet":
            table = pq.read_table(path, partitioning=None)
            assert not {"name", "ref", "nickname", "key_card", "coach"} & set(table.column_names)
            text = json.dumps(table.to_pylist(), default=str)
        else:
            text = path.read_text()
        assert "run" in text or "gym_customer/" not in str(path)
        for canary in CANARIES:
            assert canary not in text
            assert canary.encode() not in path.read_bytes()


def test_a_new_column_is_missing_in_older_rows(world: Any, gym_catalog: Any) -> None:
    ann = world.customer("2026-01-01", fields={"gym": {"goal": "run"}})
    world.visit(ann, "2026-02-01 10:00", minutes=1.0)
    world.warehouse.refresh()
    wider = {"type": "object", "properties": {
        "goal": {"type": "string"}, "born_on": {"type": "string", "format": "date", "timeless": True},
        "nickname": {"type": "string", "pii": "direct"},
        "left_because": {"type": "string", "known": "outcome"},
        "weight": {"type": "number"}}}  # fmt: skip
    world.reopen(gym_catalog(customer_fields={"gym": CustomerFields(wider)}))
    assert world.ask("SELECT goal, weight FROM gym_customer") == [("run", None)]
    world.customer("2026-02-01", fields={"gym": {"goal": "lift", "weight": 80.5}})
    assert world.ask("SELECT goal, weight FROM gym_customer ORDER BY goal") == [
        ("lift", 80.5), ("run", None),
    ]  # fmt: skip
    assert world.warehouse.verify() == []


def test_a_field_that_became_personal_leaves_the_files(world: Any, gym_catalog: Any) -> None:
    world.customer("2026-01-01", fields={"gym": {"goal": "CANARY-GOAL", "born_on": "1990-01-02"}})
    world.warehouse.refresh()
    before = {
        part.file for part in read_manifest(world.warehouse.folder).tables["gym_customer"].parts
    }
    secret = {"type": "object", "properties": {
        "goal": {"type": "string", "pii": "direct"},
        "born_on": {"type": "string", "format": "date", "timeless": True},
        "nickname": {"type": "string", "pii": "direct"},
        "left_because": {"type": "string", "known": "outcome"}}}  # fmt: skip
    world.reopen(gym_catalog(customer_fields={"gym": CustomerFields(secret)}))
    world.warehouse.refresh_if_stale()
    state = read_manifest(world.warehouse.folder).tables["gym_customer"]
    assert "goal" not in state.types
    assert before.isdisjoint(part.file for part in state.parts)
    for part in state.parts:
        assert "goal" not in pq.read_schema(world.warehouse.folder / part.file).names


def test_a_kind_of_a_plugin_enabled_again_gets_its_payload_back(world: Any) -> None:
    """Rows of a kind whose plugin is switched off are kept without payload (D15)."""
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-02-01 10:00", minutes=12.5)
    full = world.catalog
    world.reopen(Catalog())
    world.warehouse.refresh()
    assert world.ask("SELECT kind, count(*) AS n FROM interaction GROUP BY kind") == [
        ("gym.visit", 1)
    ]
    world.reopen(full)
    assert world.ask("SELECT minutes FROM gym_visit") == [(12.5,)]
    assert world.ask("SELECT count(*) AS n FROM interaction") == [(1,)]


def test_a_replaced_database_is_read_anew(world: Any, tmp_path: Path) -> None:
    world.customer("2026-01-01")
    world.warehouse.refresh()
    folder = world.warehouse.folder
    manifest = read_manifest(folder)
    later = manifest.newest + 1
    write_manifest(folder, evolve(manifest, newest=later, listed=manifest.listed | {later}))
    assert world.warehouse.is_stale()
    assert world.warehouse.refresh().full
    assert world.warehouse.verify() == []


@pytest.mark.parametrize("text", ["", "{", '{"format": 99}', "[]"])
def test_an_unreadable_manifest_means_building_anew(world: Any, text: str) -> None:
    world.customer("2026-01-01")
    world.warehouse.refresh()
    (world.warehouse.folder / FILE).write_text(text)
    assert world.ask("SELECT count(*) AS n FROM customer") == [(1,)]


def test_many_small_files_become_one(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MOST_SMALL", 3)
    ann = world.customer("2026-01-01")
    for n in range(9):
        world.visit(ann, f"2026-02-1{n} 10:00", minutes=float(n))
        world.warehouse.refresh()
    parts = read_manifest(world.warehouse.folder).tables["gym_visit"].parts
    assert len(parts) <= 4
    assert sum(part.rows for part in parts) == 9
    assert contents(world.warehouse) == rebuilt(world)


def test_verify_tells_what_differs(world: Any) -> None:
    ann = world.customer("2026-01-01")
    world.visit(ann, "2026-02-01 10:00", minutes=1.0)
    world.warehouse.refresh()
    manifest = read_manifest(world.warehouse.folder)
    without = evolve(manifest.tables["gym_visit"], parts=())
    write_manifest(world.warehouse.folder, manifest.with_tables({"gym_visit": without}))
    found = {d.figure: (d.snapshot, d.store) for d in world.warehouse.verify()}
    assert found["rows"] == (0, 1)
    assert found["occurred_at"] == (0, 1)


def test_a_broken_store_is_told_and_the_snapshot_stands(
    world: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.customer("2026-01-01")
    world.warehouse.refresh()
    world.customer("2026-01-02")
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE gym_room_history")
    with pytest.raises(StorageError, match=r"the store cannot be read: .*gym_room_history"):
        world.warehouse.refresh(full=True)
    assert len(contents(world.warehouse)["customer"]) == 1


def test_a_full_disk_is_told_and_the_snapshot_stands(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.customer("2026-01-01")
    world.warehouse.refresh()
    world.customer("2026-01-02")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "sync", full)
        with pytest.raises(StorageError, match="No space left on device") as caught:
            world.warehouse.refresh()
    assert caught.value.exit_code == 8
    assert len(contents(world.warehouse)["customer"]) == 1
    assert world.warehouse.refresh().tables["customer"] == 2


def test_a_store_in_memory_has_no_warehouse(tmp_path: Path) -> None:
    from sqlalchemy import make_url

    from crmkit.warehouse.reading import StoreReader

    with (
        pytest.raises(ConfigError, match="this store is in memory"),
        StoreReader(make_url("sqlite://")),
    ):
        pass


def rewritten(world: Any, change: Any) -> None:
    """Another file in place of the one that holds the visits, as if crmkit had written it."""
    folder = world.warehouse.folder
    manifest = read_manifest(folder)
    state = manifest.tables["gym_visit"]
    (part,) = state.parts
    table = pq.read_table(folder / part.file, partitioning=None)
    pq.write_table(change(table), folder / part.file)
    wrong = evolve(state, parts=(evolve(part, checksum=Checksum.of(folder / part.file)),))
    write_manifest(folder, manifest.with_tables({"gym_visit": wrong}))


def test_verify_catches_a_lost_row(world: Any) -> None:
    ann = world.customer("2026-01-01")
    for day in (1, 2, 3):
        world.visit(ann, f"2026-02-0{day} 10:00", minutes=1.0)
    world.warehouse.refresh()
    rewritten(world, lambda table: table.slice(1))
    found = {d.figure: (d.snapshot, d.store) for d in world.warehouse.verify()}
    assert found["rows"] == (2, 3)


def test_verify_catches_a_changed_amount(world: Any) -> None:
    """The number of rows is right and one amount is a cent more."""
    ann = world.customer("2026-01-01")
    amount = Money.parse("12.50", "CNY")
    world.log("gym.visit", ann, "2026-02-01 10:00", amount=amount)
    world.warehouse.refresh()

    def dearer(table: Any) -> Any:
        place = table.schema.get_field_index("amount_minor")
        return table.set_column(place, "amount_minor", [[1251]])

    rewritten(world, dearer)
    (found,) = world.warehouse.verify()
    assert (found.table, found.figure) == ("gym_visit", "amount_minor")
    assert (found.snapshot, found.store) == (1251, 1250)


def test_any_past_state_of_a_record_can_be_asked(world: Any) -> None:
    """Each version is what is seen from the day on which it began, also after increments."""
    ann = world.customer("2026-01-01")
    for day, tier in (("2026-02-01", "basic"), ("2026-03-01", "plus"), ("2026-04-01", "gold")):
        world.record("gym.contract", "K", day, ann, tier=tier)
        world.warehouse.refresh()
    sql = "SELECT tier FROM gym_contract"
    seen = {day: world.ask(sql, day) for day in ("2026-02-15", "2026-03-15", "2026-12-31")}
    assert seen == {"2026-02-15": [("basic",)], "2026-03-15": [("plus",)], "2026-12-31": [("gold",)]}  # fmt: skip


def test_a_new_column_rewrites_no_file(world: Any, gym_catalog: Any) -> None:
    world.customer("2026-01-01", fields={"gym": {"goal": "run"}})
    world.warehouse.refresh()
    before = {path: path.stat().st_mtime_ns for path in world.warehouse.folder.glob("*/*.parquet")}
    wider = {"type": "object", "properties": {
        "goal": {"type": "string"}, "born_on": {"type": "string", "format": "date", "timeless": True},
        "nickname": {"type": "string", "pii": "direct"},
        "left_because": {"type": "string", "known": "outcome"},
        "weight": {"type": "number"}}}  # fmt: skip
    world.reopen(gym_catalog(customer_fields={"gym": CustomerFields(wider)}))
    assert not world.warehouse.refresh().full
    after = {path: path.stat().st_mtime_ns for path in world.warehouse.folder.glob("*/*.parquet")}
    assert after == before
    assert world.ask("SELECT goal, weight FROM gym_customer") == [("run", None)]
