"""What people have said about pairs of customers that may be one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen
from sqlalchemy import select

from ..errors import NotFound, UsageError
from .gateway import Gateway
from .retry import retried

if TYPE_CHECKING:
    from .store import Tx

DECISIONS = ("same", "different", "unsure")
Pair = tuple[int, int]


@frozen(kw_only=True)
class Decision:
    """What was said of a pair, ``a_id`` the lower id; ``tx`` tells when and by whom."""

    a_id: int
    b_id: int
    decision: str
    reason: str | None
    tx: int


class Decisions(Gateway):
    """Decisions on pairs; the latest one stands."""

    @retried
    def decide(
        self, pairs: Sequence[Pair], decision: str, reason: str | None = None, *,
        tx: Tx | None = None,
    ) -> None:  # fmt: skip
        """Notes what somebody says of these pairs.

        Raises:
            NotFound: for an unknown decision.
            UsageError: for a customer paired with itself.
        """
        if decision not in DECISIONS:
            raise NotFound("decision", decision, DECISIONS)
        table = self._table("duplicate_decision")
        with self._writing(tx, "customer duplicates decide") as own:
            for first, second in pairs:
                if first == second:
                    raise UsageError("a customer and itself are no pair.")
                a, b = sorted((first, second))
                same = (table.c.a_id == a) & (table.c.b_id == b)
                own.connection.execute(table.delete().where(same))
                row = {"a_id": a, "b_id": b, "decision": decision, "reason": reason, "tx": own.id}
                own.connection.execute(table.insert(), row)
            own.count("duplicate_decision", len(pairs))

    def all(self, *, tx: Tx | None = None) -> dict[Pair, Decision]:
        """Every decision by pair, the lower id first."""
        with self._reading(tx) as connection:
            rows = connection.execute(select(self._table("duplicate_decision"))).mappings()
            return {(row["a_id"], row["b_id"]): Decision(**row) for row in rows}
