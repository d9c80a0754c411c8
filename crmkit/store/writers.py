"""Writer numbers: leased in the database, so that no two writers ever draw the same id (D2).

A lease is a row of ``writer`` with a token. It is taken in a short transaction of its own, because
inside a long import it would be invisible to others, who would wait for it. Every write checks its
lease as its first statement and records the last millisecond used as its last one. So a lease that
was taken over (its holder was killed, or slept) fences the old holder off, and an id that was never
committed may be drawn again, which harms nobody.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import datetime

from attrs import frozen
from sqlalchemy import Table, literal_column, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.elements import ColumnElement

from ..entities.transaction import WRITERS, IdSource
from ..errors import Busy
from .engine import WRITES
from .types import Instant

# Short, because losing a lease costs its holder one small transaction and nothing else.
STALE_SECONDS = 60


@frozen(eq=False)
class Lease:
    """A writer number that this process holds, with the source of its ids."""

    number: int
    token: str
    ids: IdSource


class Writers:
    """The leases of one process: one for each transaction that is open at the same time."""

    def __init__(self, engine: Engine, writer: Table, clock: Callable[[], datetime]) -> None:
        self._engine, self._writer, self._clock = engine, writer, clock
        self._free: list[Lease] = []
        self._lock = threading.Lock()

    def take(self) -> Lease:
        """A lease that no open transaction of this process uses.

        Raises:
            Busy: if every writer number is leased.
        """
        with self._lock:
            if self._free:
                return self._free.pop()
        return self._lease()

    def give_back(self, lease: Lease) -> None:
        """Keeps the lease for the next transaction."""
        with self._lock:
            self._free.append(lease)

    def renew(self, connection: Connection, lease: Lease) -> bool:
        """Whether the lease still stands; must be the first statement of a write.

        On PostgreSQL the updated row stays locked until the commit, so that nobody can take the
        number over while ids of it are in use.
        """
        w = self._writer
        found = connection.execute(
            w.update()
            .where(w.c.number == lease.number, w.c.token == lease.token)
            .values(leased_at=_now(connection))
        )
        return found.rowcount == 1

    def record(self, connection: Connection, lease: Lease) -> None:
        """Keeps the last millisecond used, inside the write that used it."""
        w = self._writer
        connection.execute(
            w.update().where(w.c.number == lease.number).values(last_ms=lease.ids.last_ms)
        )

    def release(self) -> None:
        """Frees every number that this process holds and does not use."""
        with self._lock:
            leases, self._free = self._free, []
        if not leases:
            return
        w = self._writer
        with self._engine.connect().execution_options(**{WRITES: True}) as connection:
            with connection.begin():
                for lease in leases:
                    connection.execute(
                        w.update()
                        .where(w.c.number == lease.number, w.c.token == lease.token)
                        .values(token=None)
                    )

    def lease_on(self, connection: Connection) -> Lease | None:
        """Leases a number inside the given transaction; None if a rival got it first.

        Raises:
            Busy: if every writer number is leased.
        """
        w, token = self._writer, uuid.uuid4().hex
        row = connection.execute(
            select(w.c.number, w.c.last_ms)
            .where(w.c.token.is_(None) | (w.c.leased_at < _stale(connection)))
            .order_by(w.c.number)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is not None:
            connection.execute(
                w.update()
                .where(w.c.number == row.number)
                .values(token=token, leased_at=_now(connection))
            )
            return Lease(row.number, token, self._source(row.number, row.last_ms))
        numbers = set(connection.scalars(select(w.c.number)))
        number = next((n for n in range(WRITERS) if n not in numbers), None)
        if number is None:
            raise Busy(
                f"all {WRITERS} writer numbers of the database are in use.",
                hint=f"They free themselves {STALE_SECONDS} seconds after their processes end.",
            )
        # Lazy: PostgreSQL's dialect takes longer to import than a command on SQLite may.
        if connection.dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import insert
        else:
            from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
        made = connection.scalar(
            insert(w)
            .values(number=number, token=token, last_ms=0, leased_at=_now(connection))
            .on_conflict_do_nothing()
            .returning(w.c.number)
        )
        return None if made is None else Lease(number, token, self._source(number, 0))

    def _lease(self) -> Lease:
        while True:
            with self._engine.connect().execution_options(**{WRITES: True}) as connection:
                with connection.begin():
                    lease = self.lease_on(connection)
            if lease is not None:
                return lease

    def _source(self, number: int, last_ms: int) -> IdSource:
        def clock_ms() -> int:
            return int(self._clock().timestamp() * 1000)

        return IdSource(number, last_ms=last_ms, clock_ms=clock_ms)


# Leases compare the time of the database and of no client, whose clocks differ.
def _now(connection: Connection) -> ColumnElement[datetime]:
    return _time(connection, 0)


def _stale(connection: Connection) -> ColumnElement[datetime]:
    return _time(connection, STALE_SECONDS)


def _time(connection: Connection, seconds_ago: int) -> ColumnElement[datetime]:
    if connection.dialect.name == "sqlite":
        sql = f"(strftime('%Y-%m-%d %H:%M:%f', 'now', '-{seconds_ago} seconds') || '000')"
    else:
        sql = f"(clock_timestamp() at time zone 'UTC' - interval '{seconds_ago} seconds')"
    return literal_column(sql, Instant())
