"""Writes: whole or not at all, one at a time where it must be, and ids that never repeat."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from crmkit.declarations import Committed
from crmkit.entities import CustomerRef
from crmkit.errors import Busy, ConfigError, SchemaOutdated, StorageError, UsageError
from crmkit.store.store import Store

OpenStore = Callable[..., Store]


def test_a_write_leaves_one_row_with_who_when_and_its_ids(store: Store, clock: Any) -> None:
    with store.begin("trial", source="billing", actor="ann") as tx:
        ids = tx.take_ids(3)
    t = store.tables["tx"]
    with store.read() as connection:
        row = connection.execute(select(t).where(t.c.id == tx.id)).one()
    assert (row.actor, row.command, row.source) == ("ann", "trial", "billing")
    assert (row.first_id, row.last_id) == (ids[0], ids[2])
    assert row.at == tx.at and row.at.tzinfo is UTC


def test_a_write_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="stop"), store.begin("trial") as tx:
        store.customers.add(name="Half", tx=tx)
        raise RuntimeError("stop")
    t = store.tables["tx"]
    with store.read() as connection:
        assert connection.scalar(select(func.count()).where(t.c.id == tx.id)) == 0
    assert store.customers.list() == []


def test_observers_are_told_after_the_commit_and_not_of_failures(open_store: OpenStore) -> None:
    told: list[Committed] = []
    store = open_store(observer=told.append)
    store.upgrade()
    with store.begin("trial", source="s") as tx:
        store.customers.add(name="One", fields={"shop": {"segment": "home"}}, tx=tx)
        assert told == []
    expected = {"customer": 1, "shop.customer": 1}
    assert told == [Committed(tx=tx.id, command="trial", source="s", written=expected)]
    with pytest.raises(UsageError):
        store.customers.add(fields={"shop": {"segment": "moon"}})
    assert len(told) == 1


def test_a_write_inside_a_write_is_refused_and_does_not_wait_for_itself(store: Store) -> None:
    with store.begin("outer"), pytest.raises(ConfigError, match="this thread is writing already"):
        store.customers.add(name="Inner")
    # The thread may write again afterwards.
    assert store.customers.add(name="After").version == 1


def test_two_stores_never_draw_one_id(open_store: OpenStore) -> None:
    """Both clocks stand still at the same millisecond, so only the writer number differs."""
    frozen = datetime(2026, 3, 1, tzinfo=UTC)
    first, second = (open_store(clock=lambda: frozen) for _ in range(2))
    first.upgrade()
    drawn: list[int] = []
    for store in (first, second, first, second):
        with store.begin("trial") as tx:
            drawn += [tx.id, *tx.take_ids(5000)]
    assert len(set(drawn)) == len(drawn) == 4 * 5001


def test_ids_do_not_repeat_when_the_clock_steps_back_between_holders(open_store: OpenStore) -> None:
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    before = open_store(clock=lambda: now[0])
    before.upgrade()
    with before.begin("trial") as tx:
        first = tx.take_ids(9000)
    before.close()
    now[0] -= timedelta(hours=1)
    after = open_store(clock=lambda: now[0])
    with after.begin("trial") as tx:
        second = tx.take_ids(9000)
    # The number was released and leased again, and goes on where it had been left.
    assert second[0] > first[-1]


def test_ids_of_a_write_that_failed_may_come_again_but_never_two_kept_ones(
    open_store: OpenStore,
) -> None:
    store = open_store()
    store.upgrade()
    with pytest.raises(RuntimeError), store.begin("trial") as tx:
        lost = tx.take_ids(3)
        raise RuntimeError
    kept = store.customers.add(name="Kept").id
    assert kept not in lost


def test_a_stale_lease_is_taken_over_and_its_sleeping_holder_fenced_off(
    open_store: OpenStore,
) -> None:
    frozen = datetime(2026, 3, 1, tzinfo=UTC)
    sleeper, rival = (open_store(clock=lambda: frozen) for _ in range(2))
    sleeper.upgrade()
    with sleeper.begin("trial") as tx:
        first = tx.take_ids(10)
    w = sleeper.tables["writer"]
    with sleeper.engine.begin() as connection:
        connection.execute(update(w).values(leased_at=datetime(2020, 1, 1, tzinfo=UTC)))
    with rival.begin("trial") as tx:
        second = tx.take_ids(10)
    with sleeper.begin("trial") as tx:
        third = tx.take_ids(10)
    assert not set(first) & set(second) and not set(second) & set(third)
    number = lambda value: value >> 12 & 1023  # noqa: E731 - design D2: 12 bits of counter below
    assert number(second[0]) == number(first[0])
    assert number(third[0]) != number(second[0])


def test_a_closed_store_frees_its_writer_numbers(open_store: OpenStore) -> None:
    store = open_store()
    store.upgrade()
    store.customers.add(name="One")
    store.close()
    again = open_store()
    w = again.tables["writer"]
    with again.read() as connection:
        assert connection.scalar(select(func.count()).where(w.c.token.is_not(None))) == 0


def test_eight_threads_write_at_once_without_a_lock_error(store: Store) -> None:
    faults: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for i in range(25):
                ref = CustomerRef(f"t{thread}", str(i))
                made = store.customers.add(name=f"{thread}-{i}", refs=[ref])
                store.customers.edit(made.id, version=1, changes={"region": "North"})
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    found = store.customers.list()
    assert len({c.id for c in found}) == 8 * 25
    assert {c.version for c in found} == {2}


ADD_CUSTOMERS = """
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from crmkit.entities import CustomerRef
from crmkit.store.store import Store

empty = dict.fromkeys(("plugins", "customer_fields", "record_types", "interaction_kinds",
                       "lifecycles", "migrations"), {})
url, process = sys.argv[1:]
with Store(url, SimpleNamespace(**empty), clock=lambda: datetime.now(UTC), actor=process) as store:
    store.upgrade()
    for i in range(40):
        store.customers.add(refs=[CustomerRef(process, str(i))])
"""


def test_four_processes_upgrade_and_write_one_database_at_once(
    open_store: OpenStore, database_url: str
) -> None:
    """All begin on an empty database, so one upgrade makes the tables and three find them made."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", ADD_CUSTOMERS, database_url, f"p{n}"],
            stderr=subprocess.PIPE, text=True,
        )
        for n in range(4)
    ]  # fmt: skip
    for process in started:
        _, faults = process.communicate(timeout=120)
        assert process.returncode == 0, faults
    found = open_store().customers.list()
    assert len({c.id for c in found}) == len({c.refs for c in found}) == 160


def test_only_one_of_two_editors_wins(store: Store) -> None:
    made = store.customers.add(name="Ann")
    results: list[str] = []
    gate = threading.Barrier(2)

    def edit(region: str) -> None:
        gate.wait()
        try:
            store.customers.edit(made.id, version=1, changes={"region": region})
            results.append("done")
        except Exception as fault:
            results.append(type(fault).__name__)

    threads = [threading.Thread(target=edit, args=(r,)) for r in ("North", "South")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["EditConflict", "done"]
    assert store.customers.get(made.id).version == 2


def test_waiting_too_long_for_another_writer_says_busy(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store().upgrade()
    monkeypatch.setattr("crmkit.store.engine.WAIT_SECONDS", 0.2)
    holder, waiter = open_store(), open_store()
    other = threading.Event(), threading.Event()

    def hold() -> None:
        with holder.begin("hold") as tx:
            # The same row, so that PostgreSQL, which locks rows, waits as SQLite does.
            tx.connection.execute(text("UPDATE import_run SET status = 'failed'"))
            other[0].set()
            other[1].wait(60)

    holder.imports.start(file_name="f", file_hash="h", profile="p", profile_hash="q", source="s")
    thread = threading.Thread(target=hold)
    thread.start()
    other[0].wait(60)
    try:
        with pytest.raises(Busy, match="another process has been writing") as caught:
            with waiter.begin("wait") as tx:
                tx.connection.execute(text("UPDATE import_run SET status = 'done'"))
    finally:
        other[1].set()
        thread.join()
    # Refused while the other was still writing: had it waited, the write would have succeeded.
    assert caught.value.exit_code == 6


def test_a_read_sees_one_state_and_cannot_write(store: Store) -> None:
    c = store.tables["customer"]
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(c)) == 0
        done = threading.Thread(target=lambda: store.customers.add(name="Later"))
        done.start()
        done.join()
        assert connection.scalar(select(func.count()).select_from(c)) == 0
    assert len(store.customers.list()) == 1


def test_a_database_that_is_not_there_says_so(new_store: OpenStore, tmp_path: Path) -> None:
    store = new_store(f"sqlite:///{tmp_path / 'missing' / 'crmkit.db'}")
    with pytest.raises(StorageError, match="cannot be opened") as caught:
        store.check_schema()
    assert caught.value.exit_code == 8


def test_a_server_that_is_not_there_says_so_without_the_password(new_store: OpenStore) -> None:
    store = new_store("postgresql+psycopg://me:hidden@127.0.0.1:1/nothing")
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        store.check_schema()
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x/y", "no store for 'mysql' databases"),
        ("nonsense", "cannot be read"),
        ("sqlite://", "a store needs a file"),
    ],
)
def test_a_url_of_another_kind_is_refused(new_store: OpenStore, url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        new_store(url)


def test_a_missing_table_asks_for_the_upgrade(open_store: OpenStore) -> None:
    store = open_store()
    with pytest.raises(SchemaOutdated, match="crmkit db upgrade"):
        store.customers.add(name="Early")


def test_a_commit_whose_answer_was_lost_counts_if_it_took_place(store: Store) -> None:
    def lost(commit: Callable[[], None]) -> Callable[[], None]:
        def answerless() -> None:
            commit()
            raise OperationalError("COMMIT", {}, Exception("gone"), connection_invalidated=True)

        return answerless

    with store.begin("trial") as tx:
        made = store.customers.add(name="Ann", tx=tx)
        tx.connection.commit = lost(tx.connection.commit)  # type: ignore[method-assign]
    assert store.customers.get(made.id).name == "Ann"
    with pytest.raises(StorageError), store.begin("trial") as tx:
        tx.connection.commit = lost(tx.connection.rollback)  # type: ignore[method-assign]
    assert len(store.customers.list()) == 1


def test_a_row_that_points_nowhere_is_refused(store: Store) -> None:
    row = {"kind": "phone", "value": "1", "label": "", "position": 0}
    with pytest.raises(UsageError, match="the database refuses the change") as caught:
        with store.begin("trial") as tx:
            row |= {"id": tx.take_ids(1)[0], "customer_id": 5, "tx": tx.id}
            tx.connection.execute(store.tables["contact_point"].insert(), row)
    assert caught.value.code == "E_CONFLICT"


def test_a_broken_rule_of_the_database_shows_no_values(store: Store) -> None:
    store.customers.add(refs=[CustomerRef("billing", "secret-17")])
    with pytest.raises(UsageError) as caught, store.begin("trial") as tx:
        tx.connection.execute(
            store.tables["customer_ref"].insert(),
            {"source": "billing", "ref": "secret-17", "customer_id": 1, "tx": tx.id},
        )
    assert caught.value.code == "E_CONFLICT"
    assert "secret-17" not in str(caught.value)
