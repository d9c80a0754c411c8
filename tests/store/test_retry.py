"""A write that PostgreSQL chose to give way is run again, whole, and at most three times more."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from crmkit.errors import Contended
from crmkit.store.gateway import Gateway
from crmkit.store.retry import retried
from crmkit.store.store import Store


class Regions(Gateway):
    """Changes two customers in one transaction, and tells when it has changed the first."""

    tries = 0
    between = threading.Event()

    @retried
    def change(self, first: int, second: int) -> None:
        with self._writing(None, "trial") as own:
            self.tries += 1
            own.connection.execute(UPDATE, {"region": "ours", "id": first})
            self.between.set()
            own.connection.execute(UPDATE, {"region": "ours", "id": second})


UPDATE = text("UPDATE customer SET region = :region WHERE id = :id")


# SQLite has one writer at a time, so none can wait for another in a ring.
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_deadlock_is_not_seen_by_whoever_wrote(store: Store) -> None:
    a, b = (store.customers.add(name=n).id for n in "ab")
    regions = Regions(store)

    def other() -> None:
        with store.engine.begin() as connection:
            # The session that waits first finds the ring and gives way: ours, as this one waits long.
            connection.execute(text("SET LOCAL deadlock_timeout = '60s'"))
            connection.execute(UPDATE, {"region": "theirs", "id": b})
            locked.set()
            assert regions.between.wait(30)
            connection.execute(UPDATE, {"region": "theirs", "id": a})

    locked = threading.Event()
    thread = threading.Thread(target=other)
    thread.start()
    assert locked.wait(30)
    regions.change(a, b)
    thread.join(30)
    assert regions.tries == 2
    assert {store.customers.get(i).region for i in (a, b)} == {"ours"}


class Failing(Gateway):
    tries = 0

    @retried
    def change(self) -> None:
        self.tries += 1
        raise Contended("deadlock")


def test_after_three_times_more_it_is_told(store: Store) -> None:
    failing = Failing(store)
    with pytest.raises(Contended) as told:
        failing.change()
    assert (failing.tries, told.value.exit_code) == (4, 6)


def test_inside_another_write_it_is_told_at_once(store: Store) -> None:
    """The transaction around it is lost as a whole, and only whoever began it can begin it again."""
    failing = Failing(store)
    with pytest.raises(Contended), store.begin("trial"):
        failing.change()
    assert failing.tries == 1
