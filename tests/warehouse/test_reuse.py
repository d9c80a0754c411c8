"""An engine is used again while the snapshot is the same, and carries nothing over."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from crmkit.entities.asof import AsOf
from crmkit.errors import SqlRefused
from crmkit.warehouse.runs import write_run


def engine_of(world: Any) -> Any:
    with world.warehouse.session() as session:
        return session.engine


def test_the_engine_is_the_same_while_the_snapshot_is(world: Any) -> None:
    world.customer("2026-01-01")
    first = engine_of(world)
    assert engine_of(world) is first
    world.customer("2026-01-02")
    second = engine_of(world)
    assert second is not first
    assert world.ask("SELECT count(*) AS n FROM customer") == [(2,)]


def test_a_snapshot_published_by_another_process_is_seen(world: Any, gym_catalog: Any) -> None:
    from crmkit.warehouse.warehouse import Warehouse

    world.customer("2026-01-01")
    assert world.ask("SELECT count(*) AS n FROM customer") == [(1,)]
    world.customer("2026-01-02")
    other = Warehouse(
        world.warehouse.folder, gym_catalog(), world.store, time_zone="Asia/Shanghai",
        runs=world.warehouse.runs,
    )  # fmt: skip
    other.refresh()
    with world.warehouse.session(fresh=False) as session:
        session.bind_base("customer")
        (row,) = session.engine.query("SELECT count(*) AS n FROM base_customer", {}).to_pylist()
    assert row == {"n": 2}


def test_nothing_of_the_last_user_is_left(world: Any, at: Any) -> None:
    world.customer("2026-01-01")
    rows = pa.table({"secret": [1, 2, 3]})
    with world.warehouse.session() as session:
        frame = session.frame(at("2026-12-31"), extra={"mine": rows})
        kept = frame.keep("SELECT secret FROM mine")
        assert session.engine.query(f"SELECT count(*) AS n FROM {kept}", {})["n"].to_pylist() == [3]
    with world.warehouse.session() as again:
        assert again is session
        for name in ("mine", kept):
            with pytest.raises(SqlRefused, match="does not exist"):
                again.engine.query(f"SELECT * FROM {name}", {})
        # A table of the warehouse that was covered by rows of the same name is itself again.
        covered = again.frame(at("2026-12-31"), extra={"customer": rows})
        assert covered.query("SELECT count(*) AS n FROM customer").to_pylist() == [{"n": 3}]
    assert world.ask("SELECT count(*) AS n FROM customer") == [(1,)]


def test_other_dates_and_populations_follow_one_another(world: Any, these: Any) -> None:
    ann, bob = world.customer("2026-01-01"), world.customer("2026-03-01")
    sql = "SELECT count(*) AS n FROM population"
    assert world.ask(sql, "2026-12-31") == [(2,)]
    assert world.ask(sql, "2026-02-01") == [(1,)]
    assert world.ask(sql, these((ann, "2026-01-31"), (bob, "2026-03-31"), (bob, "2026-04-30"))) == [
        (3,)
    ]
    assert world.ask(sql, "2026-02-01") == [(1,)]


def test_an_outcome_written_between_is_seen(world: Any) -> None:
    ann = world.customer("2026-01-01")
    sql = "SELECT value FROM outcome"
    assert world.ask(sql) == []
    as_of = AsOf(datetime(2026, 6, 1, tzinfo=UTC), date(2026, 5, 31))
    write_run(
        world.warehouse.runs, name="gym.risk", kind="score", subject="customer", as_of=as_of,
        run="1", columns={"subject_id": [ann], "value": [0.5]},
    )  # fmt: skip
    assert world.ask(sql) == [(0.5,)]


def test_an_engine_that_saw_an_error_is_not_used_again(world: Any) -> None:
    world.customer("2026-01-01")
    first = engine_of(world)
    with pytest.raises(KeyError), world.warehouse.session() as session:
        assert session.engine is first
        raise KeyError
    assert engine_of(world) is not first


def test_two_open_sessions_have_engines_of_their_own(world: Any) -> None:
    world.customer("2026-01-01")
    with world.warehouse.session() as one, world.warehouse.session() as two:
        assert one.engine is not two.engine
    assert world.ask("SELECT count(*) AS n FROM customer") == [(1,)]


def test_a_warehouse_that_was_deleted_is_built_anew(world: Any) -> None:

    world.customer("2026-01-01")
    engine_of(world)
    shutil.rmtree(world.warehouse.folder)
    assert world.ask("SELECT count(*) AS n FROM customer") == [(1,)]
    assert world.warehouse.folder.exists()
