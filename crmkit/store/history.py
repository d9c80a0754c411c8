"""Earlier versions: kept when a row changes, read when a past state is asked for (design D3).

A row's first version writes no history. Each change copies the version that ends into the history
table, with ``valid_to`` (when the next one began) and ``closed_tx`` (who ended it), then changes
the row in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, Table, insert, literal, select, union_all
from sqlalchemy.engine import Connection, RowMapping

from .rows import is_in
from .types import Instant, Integer

Row = Mapping[str, Any] | RowMapping


@frozen
class Versions:
    """A table of current rows and the table of their earlier versions.

    ``key`` is the id column: ``id``, or ``customer_id`` for customer fields.
    """

    current: Table
    history: Table
    key: str = "id"

    def keep(
        self, connection: Connection, rows: ColumnElement[bool], valid_to: Any, tx_id: int
    ) -> None:
        """Copies current rows into the history, just before they change.

        Args:
            rows: condition over the current table.
            valid_to: instant in which the next version begins; an instant or an SQL expression.
            tx_id: the transaction that makes the change.
        """
        names = [c.name for c in self.current.columns]
        until = valid_to if isinstance(valid_to, ColumnElement) else literal(valid_to, Instant())
        ending = select(*self.current.columns, until, literal(tx_id, Integer())).where(rows)
        # The rows are locked while they are read: of two writers on PostgreSQL the second then sees
        # what the first has left, and does not keep the same version once more.
        ending = ending.with_for_update()
        connection.execute(
            insert(self.history).from_select([*names, "valid_to", "closed_tx"], ending)
        )

    def at(self, connection: Connection, ids: Iterable[int], instant: datetime) -> dict[int, Row]:
        """The rows as they stood at an instant, exclusive as in design D1.

        A row is there if its version began before ``instant``; of several, the last one.
        """
        wanted = list(ids)
        parts = []
        for table in (self.current, self.history):
            columns = [table.c[c.name] for c in self.current.columns]
            parts.append(
                select(*columns).where(
                    is_in(connection, table.c[self.key], wanted), table.c.valid_from < instant
                )
            )
        every = union_all(*parts).subquery()
        found: dict[int, Row] = {}
        # Later versions overwrite earlier ones; the version decides where two began together.
        order = (every.c.valid_from, every.c.version)
        for row in connection.execute(select(every).order_by(*order)).mappings():
            found[row[self.key]] = row
        return found

    def versions(self, connection: Connection, row_id: int) -> list[Row]:
        """Every version of a row, oldest first; the current one has no ``valid_to``."""
        past = connection.execute(
            select(self.history)
            .where(self.history.c[self.key] == row_id)
            .order_by(self.history.c.version)
        ).mappings()
        now = connection.execute(
            select(self.current).where(self.current.c[self.key] == row_id)
        ).mappings()
        return [*past, *now]
