"""Relations: who is what to whom, and when (C11)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from ..entities.customer import Relation
from ..errors import NotFound, UsageError
from .family import members_of, survivors_of
from .gateway import Gateway
from .retry import retried
from .rows import is_in

if TYPE_CHECKING:
    from .store import Tx

COLUMNS = ("id", "customer_id", "related_id", "role", "valid_from", "valid_to")


class Relations(Gateway):
    """Roles between customers."""

    @retried
    def add(
        self,
        customer_id: int,
        related_id: int,
        role: str,
        *,
        valid_from: date | None = None,
        valid_to: date | None = None,
        tx: Tx | None = None,
    ) -> Relation:
        """Says that ``customer_id`` is ``role`` of ``related_id``.

        Args:
            valid_from, valid_to: first day, and the day after the last; None is open.

        Raises:
            NotFound: if one of the customers does not exist.
            UsageError: for an empty role, a customer related to itself, or dates the wrong way.
        """
        if not role.strip():
            raise UsageError("a relation needs a role, such as household or referrer.")
        if customer_id == related_id:
            raise UsageError("a customer has no relation to itself.")
        if valid_from and valid_to and valid_to <= valid_from:
            raise UsageError(f"a relation from {valid_from} cannot end on {valid_to}.")
        with self._writing(tx, "relation add") as own:
            customer = self._table("customer")
            known = survivors_of(own.connection, customer, [customer_id, related_id])
            for wanted in (customer_id, related_id):
                if wanted not in known:
                    raise NotFound("customer", str(wanted))
            made = Relation(
                id=own.take_ids(1)[0], customer_id=customer_id, related_id=related_id, role=role,
                valid_from=valid_from, valid_to=valid_to,
            )  # fmt: skip
            row = {name: getattr(made, name) for name in COLUMNS}
            own.connection.execute(self._table("relation").insert(), {**row, "tx": own.id})
            own.count("relation", 1)
            return made

    @retried
    def end(self, relation_id: int, on: date, *, tx: Tx | None = None) -> None:
        """Ends a relation: ``on`` is the first day on which it no longer holds.

        Raises:
            NotFound: if there is no such relation.
        """
        r = self._table("relation")
        with self._writing(tx, "relation end") as own:
            done = own.connection.execute(
                r.update().where(r.c.id == relation_id).values(valid_to=on, tx=own.id)
            )
            if done.rowcount != 1:
                raise NotFound("relation", str(relation_id))
            own.count("relation", 1)

    def list_for(self, customer_id: int, *, tx: Tx | None = None) -> list[Relation]:
        """Relations of a customer on either side, oldest first, merged customers resolved."""
        r, customer = self._table("relation"), self._table("customer")
        with self._reading(tx) as connection:
            people = members_of(connection, customer, [customer_id])
            mine = or_(
                is_in(connection, r.c.customer_id, people),
                is_in(connection, r.c.related_id, people),
            )
            rows = connection.execute(select(r).where(mine).order_by(r.c.id)).mappings().all()
            ids = {row[side] for row in rows for side in ("customer_id", "related_id")}
            now = survivors_of(connection, customer, ids)
            hidden = self._store.privacy.hidden(connection)
        sides = ("customer_id", "related_id")
        found: list[dict[str, Any]] = [
            {name: now[row[name]] if name in sides else row[name] for name in COLUMNS}
            for row in rows
            if not hidden.intersection((row["customer_id"], row["related_id"]))
        ]
        return [Relation(**values) for values in found]
