"""The address keys of contact points that were stored before there were any."""

from __future__ import annotations

from sqlalchemy import Table, bindparam, select
from sqlalchemy.engine import Connection

from ..entities.address import address_key

BATCH = 10_000


def fill_address_keys(points: Table, connection: Connection) -> None:
    """Gives every contact point without an address key its own (crmkit.entities.address)."""
    wanting = (
        select(points.c.id, points.c.kind, points.c.value)
        .where(points.c.address_key.is_(None))
        .limit(BATCH)
    )
    given = (
        points.update().where(points.c.id == bindparam("_id")).values(address_key=bindparam("_key"))
    )
    while rows := connection.execute(wanting).all():
        connection.execute(
            given, [{"_id": row.id, "_key": address_key(row.kind, row.value)} for row in rows]
        )
