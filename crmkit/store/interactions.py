"""Interactions: what happened between a customer and the business, append-only (C2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from sqlalchemy import Select, Table, func, select
from sqlalchemy.engine import Connection

from ..entities.interaction import CHANNELS, DIRECTIONS, Interaction
from ..entities.money import Money
from ..errors import NotFound, UsageError
from .family import members_of, survivors_of
from .gateway import Gateway
from .history import Row
from .rows import is_in

if TYPE_CHECKING:
    from ..declarations import InteractionKind
    from .store import Tx

# The source of what people log in crmkit itself.
OWN_SOURCE = "crmkit"


@frozen(kw_only=True)
class NewInteraction:
    """An interaction that is to be logged.

    Args:
        kind: ``telecom.bill``.
        occurred_at: aware instant in which it was true.
        customer_id: None only for anonymous kinds.
        source, ref: its key in the system it comes from; without a ref it is always a new one.
        payload: domain values by field; money as :class:`Money` or decimal text.
        subject_id: the record of the kind's subject type that it is about.
    """

    kind: str
    occurred_at: datetime
    customer_id: int | None = None
    source: str = OWN_SOURCE
    ref: str | None = None
    channel: str | None = None
    direction: str = "none"
    actor: str | None = None
    amount: Money | None = None
    subject_id: int | None = None
    payload: Mapping[str, Any] = field(factory=dict, hash=False)


class Interactions(Gateway):
    """The log of facts. Nothing in it is ever changed: a correction is a later revision."""

    def log(
        self, new: NewInteraction | Sequence[NewInteraction], *, tx: Tx | None = None
    ) -> list[Interaction]:
        """Logs one or many; all or none.

        One whose key is logged already is not logged again if it says the same, and is a new
        revision if it says something else.

        Returns:
            The logged interactions in the order given, as they stand now.

        Raises:
            NotFound: for an unknown kind, customer or payload field.
            UsageError: if the payload does not fit the kind's schema, or a customer is missing.
        """
        items = [new] if isinstance(new, NewInteraction) else list(new)
        with self._writing(tx, "interaction log") as own:
            self._check_customers(own.connection, items)
            return [self._log_one(own, item) for item in items]

    def list_for(
        self,
        customer_id: int,
        *,
        kinds: Iterable[str] | None = None,
        limit: int | None = None,
        before: datetime | None = None,
        tx: Tx | None = None,
    ) -> list[Interaction]:
        """A customer's interactions, latest first, each in its latest revision.

        Args:
            customer_id: those of customers merged into it are included.
            kinds: only these; None is all, kinds of disabled plugins included.
            limit: at most so many.
            before: only what occurred before this instant.
        """
        i = self._table("interaction")
        with self._reading(tx) as connection:
            people = members_of(connection, self._table("customer"), [customer_id])
            query = _latest(i).where(is_in(connection, i.c.customer_id, people))
            if kinds is not None:
                query = query.where(is_in(connection, i.c.kind, kinds))
            if before is not None:
                query = query.where(i.c.occurred_at < before)
            query = query.order_by(i.c.occurred_at.desc(), i.c.id.desc()).limit(limit)
            rows = connection.execute(query).mappings().all()
        return [self._interaction(row) for row in rows]

    def get(self, interaction_id: int, *, tx: Tx | None = None) -> Interaction:
        """The interaction of that id, in that very revision.

        Raises:
            NotFound: if there is none.
        """
        i = self._table("interaction")
        with self._reading(tx) as connection:
            row = connection.execute(select(i).where(i.c.id == interaction_id)).mappings().first()
        if row is None:
            raise NotFound("interaction", str(interaction_id))
        return self._interaction(row)

    def parse(self, kind: str, texts: Mapping[str, str]) -> dict[str, Any]:
        """Payload values that a person typed, by field, as their Python types.

        Raises:
            NotFound: for an unknown kind or field.
            UsageError: naming every text that its field does not take.
        """
        self._kind(kind)
        return self._codec(self._store.entity(kind)).parse(texts)

    # --- rows ---------------------------------------------------------------------------------

    def _log_one(self, tx: Tx, new: NewInteraction) -> Interaction:
        kind = self._kind(new.kind)
        _check_envelope(kind, new)
        codec = self._codec(self._store.entity(new.kind))
        typed = codec.typed(new.payload)
        codec.check(typed)
        amount = new.amount
        said = {
            "customer_id": new.customer_id, "channel": new.channel, "direction": new.direction,
            "occurred_at": new.occurred_at, "occurred_on": self._local_day(new.occurred_at),
            "amount_minor": amount.minor if amount else None,
            "currency": amount.currency if amount else None,
            "subject_type": kind.subject if new.subject_id is not None else None,
            "subject_id": new.subject_id, "payload": codec.payload(typed),
        }  # fmt: skip
        if new.actor is not None:
            said["actor"] = new.actor
        before = self._last_revision(tx.connection, new)
        if before is not None and all(before[name] == value for name, value in said.items()):
            return self._interaction(before)
        (new_id,) = tx.take_ids(1)
        row = {
            "id": new_id, "kind": new.kind, "source": new.source, "ref": new.ref or str(new_id),
            "revision": 1 if before is None else before["revision"] + 1, "recorded_at": tx.at,
            "tx": tx.id, "actor": tx.actor, **said,
        }  # fmt: skip
        tx.connection.execute(self._table("interaction").insert(), row)
        tx.count(new.kind, 1)
        return self.get(new_id, tx=tx)

    def _last_revision(self, connection: Connection, new: NewInteraction) -> Row | None:
        if new.ref is None:
            return None
        i = self._table("interaction")
        query = (
            select(i)
            .where(i.c.kind == new.kind, i.c.source == new.source, i.c.ref == new.ref)
            .order_by(i.c.revision.desc())
            .limit(1)
        )
        return connection.execute(query).mappings().first()

    def _check_customers(self, connection: Connection, items: Sequence[NewInteraction]) -> None:
        ids = {new.customer_id for new in items if new.customer_id is not None}
        known = survivors_of(connection, self._table("customer"), ids)
        for missing in sorted(ids - known.keys()):
            raise NotFound("customer", str(missing))

    def _kind(self, name: str) -> InteractionKind:
        kinds = self._store.catalog.interaction_kinds
        if name not in kinds:
            raise NotFound("interaction kind", name, kinds)
        return kinds[name]

    def _interaction(self, row: Row) -> Interaction:
        amount = None
        if row["amount_minor"] is not None:
            amount = Money(row["amount_minor"], row["currency"])
        payload = row["payload"]
        if row["kind"] in self._store.catalog.interaction_kinds:
            payload = self._codec(self._store.entity(row["kind"])).from_payload(payload)
        names = (
            "id", "kind", "occurred_at", "recorded_at", "source", "ref", "revision", "customer_id",
            "channel", "direction", "actor", "subject_type", "subject_id",
        )  # fmt: skip
        return Interaction(amount=amount, payload=payload, **{name: row[name] for name in names})


def _latest(i: Table) -> Select[Any]:
    """Every interaction in its latest revision."""
    later = i.alias()
    superseded = (
        select(func.max(later.c.revision))
        .where(later.c.kind == i.c.kind, later.c.source == i.c.source, later.c.ref == i.c.ref)
        .scalar_subquery()
    )
    return select(i).where(i.c.revision == superseded)


def _check_envelope(kind: InteractionKind, new: NewInteraction) -> None:
    if new.occurred_at.tzinfo is None:
        raise UsageError(f"{new.occurred_at.isoformat()} has no time zone.", code="E_TYPE")
    if new.customer_id is None and not kind.anonymous:
        raise UsageError(f"an interaction of kind {kind.name} needs a customer.")
    if new.channel is not None and new.channel not in CHANNELS:
        raise NotFound("channel", new.channel, CHANNELS)
    if new.direction not in DIRECTIONS:
        raise NotFound("direction", new.direction, DIRECTIONS)
    if new.subject_id is not None and kind.subject is None:
        raise UsageError(f"interactions of kind {kind.name} are about no record.")
