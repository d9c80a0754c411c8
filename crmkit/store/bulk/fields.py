"""A plugin's fields of customers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from ...declarations import sql_name
from .block import CREATED, Block, Written
from .statements import Statements
from .upsert import Upsert, change_rows, first_positions, pick, spread
from .versioned import Versioned

if TYPE_CHECKING:
    from ..store import Tx
    from .feed import Feed


class FieldsUpsert(Upsert):
    """A plugin's fields of customers, by customer id."""

    def __init__(
        self, statements: Statements, entity: str, source: str, feed: Feed | None = None
    ) -> None:
        super().__init__(statements, entity, source, feed)
        self.table = Versioned(statements, sql_name(entity), "customer_id")

    def prepare(
        self, connection: Connection, block: Block, customers: Sequence[int | None]
    ) -> list[tuple[int, Any]]:
        """Looks up the fields of customers that exist already; None stands for a new customer."""
        names, s, c = tuple(block.columns), self.statements, self.table.current.c
        wanted = {i for i in customers if i is not None}
        self.found = {}
        if not wanted:
            return []

        def build() -> Select[Any]:
            return select(
                c.customer_id, c.customer_id.label("id"), c.valid_from, c.tx, *(c[n] for n in names)
            ).where(s.among(c.customer_id, "ids", ids=True))

        rows = s.fetch(connection, (self.entity, names), build, {"ids": s.listed(wanted)})
        self.found = {row[0]: row for row in rows}
        return self._stale(connection, self.table, customers, block)

    def write(self, tx: Tx, block: Block, owners: Sequence[int]) -> Written:
        """Writes the fields; ``owners`` are the customers' ids."""
        at = self.statements.instant(tx.at)
        first = first_positions(owners)
        fresh = [o for o in first if o not in self.found]
        rows = [first[o] for o in fresh]
        since = repeat(at) if block.valid_from is None else pick(block.valid_from, rows)
        self.statements.insert(
            tx.connection,
            self.table.current,
            {
                "customer_id": fresh,
                **{n: pick(v, rows) for n, v in block.columns.items()},
                "valid_from": since,
                "version": self._next_versions(tx.connection, fresh),
                "tx": repeat(tx.id),
            },
            len(fresh),
        )
        outcomes = dict.fromkeys(fresh, CREATED)
        outcomes |= change_rows(self, self.table, tx, block, first, at)
        tx.count(self.entity, sum(map(bool, outcomes.values())))
        return spread(owners, first, {o: o for o in first}, outcomes)

    def _next_versions(self, connection: Connection, fresh: list[int]) -> list[int]:
        """1, but where a merge that was taken back left earlier versions without a current one."""
        h = self.table.history.c
        if not fresh:
            return []

        def build() -> Select[Any]:
            past = self.statements.among(h.customer_id, "ids", ids=True)
            return select(h.customer_id, func.max(h.version)).where(past).group_by(h.customer_id)

        rows = self.statements.fetch(
            connection, (self.entity, "next versions"), build,
            {"ids": self.statements.listed(set(fresh))},
        )  # fmt: skip
        last = {row[0]: row[1] for row in rows}
        return [last.get(i, 0) + 1 for i in fresh]
