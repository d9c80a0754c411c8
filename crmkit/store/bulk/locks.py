"""One import of a source at a time."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection


def lock_sources(connection: Connection, dialect: str, sources: Iterable[str]) -> None:
    """Lets one import of a source write at a time, until the transaction ends.

    On SQLite the open write already shuts out every other one.
    """
    if dialect != "postgresql":
        return
    # In order, so that two imports over the same sources cannot wait for each other.
    for source in sorted(set(sources)):
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))",
            {"name": f"crmkit.import:{source}"},
        )
