"""What was made of the firings of rules, so that a repeated run makes it once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from ..declarations import Firing
from .gateway import Gateway
from .rows import insert_rows

if TYPE_CHECKING:
    from .store import Tx

COLUMNS = ("as_of", "plugin", "rule", "subject_id", "subject_type", "version", "action", "target",
           "message", "result")  # fmt: skip


class Firings(Gateway):
    """Served firings, append-only."""

    def served(self, as_of: datetime, plugin: str, *, tx: Tx | None = None) -> set[tuple[str, int]]:
        """Rule and subject of every firing of that as-of that a plugin has served."""
        s = self._table("firing_served").c
        query = select(s.rule, s.subject_id).where(s.as_of == as_of, s.plugin == plugin)
        with self._reading(tx) as connection:
            return {(row.rule, row.subject_id) for row in connection.execute(query)}

    def add(
        self, plugin: str, served: Sequence[tuple[Firing, str]], *, tx: Tx | None = None
    ) -> None:
        """Keeps that a plugin has served these firings, with what it made of each."""
        with self._writing(tx, "rule serve") as own:
            rows = (
                [f.as_of, plugin, f.rule, f.subject_id, f.subject_type, f.version, f.action,
                 f.target, f.message, result, own.id]
                for f, result in served
            )  # fmt: skip
            insert_rows(own.connection, self._table("firing_served"), [*COLUMNS, "tx"], rows)
            own.count("firing_served", len(served))

    def counts(self, as_of: datetime, *, tx: Tx | None = None) -> dict[str, int]:
        """By rule, on how many subjects its firings of that as-of were served."""
        s = self._table("firing_served").c
        query = (
            select(s.rule, func.count(s.subject_id.distinct()))
            .where(s.as_of == as_of)
            .group_by(s.rule)
        )
        with self._reading(tx) as connection:
            return {rule: count for rule, count in connection.execute(query)}

    def for_subject(self, subject_id: int, *, tx: Tx | None = None) -> list[dict[str, Any]]:
        """Every served firing on a customer or record, newest first."""
        s = self._table("firing_served")
        query = (
            select(s)
            .where(s.c.subject_id == subject_id)
            .order_by(s.c.as_of.desc(), s.c.rule, s.c.plugin)
        )
        with self._reading(tx) as connection:
            return [{name: row[name] for name in COLUMNS} for row in connection.execute(query).mappings()]  # fmt: skip
