"""Merged customers: facts stay where they are, and reads resolve ``merged_into`` (design D8)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from .rows import is_in


def survivors_of(connection: Connection, customer: Table, ids: Iterable[int]) -> dict[int, int]:
    """For each id that exists, the customer it stands for now: itself unless it was merged away."""
    c = customer.c
    wanted = set(ids)
    into: dict[int, int | None] = {}
    ask = set(wanted)
    # One query for each step of merging; nearly always there is only the first.
    while ask:
        query = select(c.id, c.merged_into).where(is_in(connection, c.id, ask))
        found = {row.id: row.merged_into for row in connection.execute(query)}
        into |= found
        ask = {target for target in found.values() if target is not None and target not in into}
    return {i: _end(into, i) for i in wanted if i in into}


def members_of(connection: Connection, customer: Table, ids: Iterable[int]) -> dict[int, int]:
    """Every customer that stands for one of ``ids``, with that one: themselves and merged ones."""
    c = customer.c
    members = {i: i for i in ids}
    ask = set(members)
    while ask:
        query = select(c.id, c.merged_into).where(is_in(connection, c.merged_into, ask))
        found = {
            row.id: members[row.merged_into]
            for row in connection.execute(query)
            if row.id not in members
        }
        members |= found
        ask = set(found)
    return members


def _end(into: dict[int, int | None], start: int) -> int:
    here, target = start, into[start]
    while target is not None:
        here, target = target, into[target]
    return here
