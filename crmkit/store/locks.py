"""Locks that last until the open write ends."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection


def lock_customers(connection: Connection, ids: Iterable[int]) -> None:
    """Takes the rows of these customers for writing.

    On SQLite the open write already shuts out every other one.
    """
    if connection.dialect.name != "postgresql":
        return
    # In order, so that two writes over the same customers cannot wait for each other.
    wanted = sorted(set(ids))
    connection.exec_driver_sql(
        "SELECT id FROM customer WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE", {"ids": wanted}
    )
