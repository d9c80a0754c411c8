"""Merged customers: facts stay where they are, and reads resolve ``merged_into`` (design D8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from .prepared import rows_where


def survivors_of(connection: Connection, customer: Table, ids: Iterable[int]) -> dict[int, int]:
    """For each id that exists, the customer it stands for now: itself unless it was merged away."""
    wanted = set(ids)
    into: dict[int, int | None] = {}
    ask = set(wanted)
    # One query for each step of merging; nearly always there is only the first.
    while ask:
        found = {r["id"]: r["merged_into"] for r in _links(connection, customer, "id", ask)}
        into |= found
        ask = {target for target in found.values() if target is not None and target not in into}
    return {i: _end(into, i) for i in wanted if i in into}


def members_of(connection: Connection, customer: Table, ids: Iterable[int]) -> dict[int, int]:
    """Every customer that stands for one of ``ids``, with that one: themselves and merged ones."""
    members = {i: i for i in ids}
    ask = set(members)
    while ask:
        found = {
            row["id"]: members[row["merged_into"]]
            for row in _links(connection, customer, "merged_into", ask)
            if row["id"] not in members
        }
        members |= found
        ask = set(found)
    return members


def _links(
    connection: Connection, customer: Table, column: str, ids: Iterable[int]
) -> list[dict[str, Any]]:
    return rows_where(connection, customer, column, ids, names=("id", "merged_into"))


def _end(into: dict[int, int | None], start: int) -> int:
    here, target = start, into[start]
    while target is not None:
        here, target = target, into[target]
    return here
