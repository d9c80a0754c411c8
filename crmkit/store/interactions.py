"""Interactions: what happened between a customer and the business, append-only (C2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, Table, bindparam, func, select
from sqlalchemy.engine import Connection

from ..entities.checks import check_year
from ..entities.interaction import (
    CHANNELS,
    DIRECTIONS,
    OWN_SOURCE,
    Interaction,
    NewInteraction,
)  # fmt: skip
from ..entities.money import Money
from ..errors import NotFound, UsageError
from .family import members_of, survivors_of
from .gateway import Gateway
from .history import Row
from .prepared import as_wanted, is_wanted, prepared
from .retry import retried
from .rows import insert_rows, is_in
from .types import Integer

if TYPE_CHECKING:
    from ..declarations import InteractionKind
    from .privacy import GuardedRows
    from .store import Tx

ROW = (
    "id", "kind", "customer_id", "subject_type", "subject_id", "channel", "direction",
    "occurred_at", "occurred_on", "recorded_at", "actor", "source", "ref", "revision",
    "amount_minor", "currency", "payload", "tx",
)  # fmt: skip
Key = tuple[str, str, str]


# What every interaction has, apart from its amount and payload.
ENVELOPE = (
    "id", "kind", "customer_id", "channel", "direction", "occurred_at", "occurred_on",
    "recorded_at", "actor", "source", "ref", "revision", "subject_type", "subject_id",
    "amount_minor", "currency",
)  # fmt: skip
PAYLOAD = "payload"
Tuples = list[tuple[Any, ...]]


class Interactions(Gateway):
    """The log of facts. Nothing in it is ever changed: a correction is a later revision."""

    @retried
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
            before = self._last_revisions(own.connection, items)
            rows: dict[int, Row] = {}
            ids = [self._log_one(own, item, before, rows) for item in items]
            insert_rows(
                own.connection, self._table("interaction"), ROW,
                ([row[name] for name in ROW] for row in rows.values()),
            )  # fmt: skip
            for kind, count in Counter(row["kind"] for row in rows.values()).items():
                own.count(kind, count)
            return self._interactions(own.connection, ids)

    def list_for(
        self,
        customer_id: int,
        *,
        kinds: Iterable[str] | None = None,
        limit: int | None = None,
        before: datetime | None = None,
        members: Iterable[int] | None = None,
        tx: Tx | None = None,
    ) -> list[Interaction]:
        """A customer's interactions that the viewer may read, latest first, each in its latest revision.

        Args:
            customer_id: those of customers merged into it are included.
            kinds: only these; None is all, kinds of disabled plugins included.
            limit: at most so many.
            before: only what occurred before this instant.
            members: the customer and those merged into it; None asks the database.
        """
        i = self._table("interaction")
        with self._reading(tx) as connection:
            people = members or members_of(connection, self._table("customer"), [customer_id])
            guarded = self._store.privacy.guarded_rows(connection)
            if kinds is None and before is None and limit is not None:
                asked = limit
                while True:
                    rows: Sequence[Row] = _newest(connection, i, people, asked)
                    found = [row for row in rows if _is_open(row, guarded)]
                    if len(found) >= limit or len(rows) < asked:
                        return [self._interaction(row) for row in found[:limit]]
                    asked *= 4
            query = _latest(i).where(is_in(connection, i.c.customer_id, people))
            if kinds is not None:
                query = query.where(is_in(connection, i.c.kind, kinds))
            if before is not None:
                query = query.where(i.c.occurred_at < before)
            query = query.order_by(i.c.occurred_at.desc(), i.c.id.desc())
            # What the viewer may not read counts for no limit.
            query = query.limit(None if guarded else limit)
            rows = connection.execute(query).mappings().all()
        return [self._interaction(row) for row in rows if _is_open(row, guarded)][:limit]

    def read(
        self, names: Sequence[str], *, customers: Iterable[int],
        kinds: Iterable[str] | None = None, direction: str | None = None,
        since: datetime | None = None, until: datetime | None = None, tx: Tx | None = None,
    ) -> Tuples:  # fmt: skip
        """Some columns of many customers' interactions, each in its latest revision.

        Args:
            names: ``customer_id``, ``kind``, ``channel``, ``occurred_at`` or others of the envelope,
                or ``payload``: the domain values by field, missing ones left out.
            customers: ids; those merged into them have to be named too.
            kinds, direction: only these; None is all.
            since, until: of ``occurred_at``, the second exclusive.

        Returns:
            Tuples in the order of ``names``, in no order of their own.

        Raises:
            NotFound: for a name that the envelope does not have.
        """
        i = self._table("interaction")
        for name in names:
            if name not in (*ENVELOPE, PAYLOAD):
                raise NotFound("column of interactions", name, (*ENVELOPE, PAYLOAD))
        with self._reading(tx) as connection:
            query = _latest(i).where(is_in(connection, i.c.customer_id, customers))
            if kinds is not None:
                query = query.where(is_in(connection, i.c.kind, kinds))
            if direction is not None:
                query = query.where(i.c.direction == direction)
            if since is not None:
                query = query.where(i.c.occurred_at >= since)
            if until is not None:
                query = query.where(i.c.occurred_at < until)
            wanted = query.with_only_columns(*(i.c[n] for n in names), i.c.kind.label("kind_"))
            found = [tuple(row) for row in connection.execute(wanted)]
        if PAYLOAD not in names:
            return [row[:-1] for row in found]
        place = names.index(PAYLOAD)
        return [
            (*row[:place], self._payload(row[-1], row[place]), *row[place + 1 : -1])
            for row in found
        ]

    def last_at(self, *, tx: Tx | None = None) -> datetime | None:
        """When the latest interaction that a source told happened; None where there is none.

        What was logged here, as a contact from a list, is work on the data and not of them.
        """
        i = self._table("interaction").c
        told = select(func.max(i.occurred_at)).where(i.source != OWN_SOURCE)
        with self._reading(tx) as connection:
            found: datetime | None = connection.scalar(told)
            return found

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

    def _log_one(
        self, tx: Tx, new: NewInteraction, before: dict[Key, Row], rows: dict[int, Row]
    ) -> int:
        """Adds the row of a new revision to ``rows``, if there is one; its id, or the last one's."""
        kind = self._kind(new.kind)
        _check_envelope(kind, new)
        codec = self._codec(self._store.entity(new.kind))
        typed = codec.typed(new.payload)
        codec.check(typed)
        self._check_row(
            codec, typed, given=typed, ref=new.ref, occurred_at=new.occurred_at,
            occurred_on=self._local_day(new.occurred_at), channel=new.channel,
            direction=new.direction, actor=new.actor,
        )  # fmt: skip
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
        last = None if new.ref is None else before.get((new.kind, new.source, new.ref))
        if last is not None and all(last[name] == value for name, value in said.items()):
            return int(last["id"])
        (new_id,) = tx.take_ids(1)
        row = {
            "id": new_id, "kind": new.kind, "source": new.source, "ref": new.ref or str(new_id),
            "revision": 1 if last is None else last["revision"] + 1, "recorded_at": tx.at,
            "tx": tx.id, "actor": tx.actor, **said,
        }  # fmt: skip
        rows[new_id] = row
        if new.ref is not None:
            # Of two with one key in a batch, the second is a revision of the first.
            before[new.kind, new.source, new.ref] = row
        return new_id

    def _last_revisions(
        self, connection: Connection, items: Sequence[NewInteraction]
    ) -> dict[Key, Row]:
        refs = {new.ref for new in items if new.ref is not None}
        if not refs:
            return {}
        i = self._table("interaction")
        query = select(i).where(
            i.c.kind.in_(sorted({new.kind for new in items})),
            i.c.source.in_(sorted({new.source for new in items})),
            is_in(connection, i.c.ref, refs),
        )
        rows = connection.execute(query.order_by(i.c.revision)).mappings()
        return {(row["kind"], row["source"], row["ref"]): row for row in rows}

    def _interactions(self, connection: Connection, ids: Sequence[int]) -> list[Interaction]:
        """The interactions of these ids, in their order."""
        i = self._table("interaction")
        query = select(i).where(is_in(connection, i.c.id, ids))
        found = {row["id"]: self._interaction(row) for row in connection.execute(query).mappings()}
        return [found[i] for i in ids]

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

    def _payload(self, kind: str, payload: Any) -> Any:
        if kind in self._store.catalog.interaction_kinds:
            return self._codec(self._store.entity(kind)).from_payload(payload)
        return payload

    def _interaction(self, row: Row) -> Interaction:
        amount = None
        if row["amount_minor"] is not None:
            amount = Money(row["amount_minor"], row["currency"])
        payload = self._payload(row["kind"], row["payload"])
        names = (
            "id", "kind", "occurred_at", "recorded_at", "source", "ref", "revision", "customer_id",
            "channel", "direction", "actor", "subject_type", "subject_id",
        )  # fmt: skip
        return Interaction(amount=amount, payload=payload, **{name: row[name] for name in names})


def _is_open(row: Row, guarded: GuardedRows) -> bool:
    fields = guarded.get(row["kind"])
    return not fields or not any(row["payload"].get(n) in held for n, held in fields.items())


def _latest(i: Table) -> Select[Any]:
    """Every interaction in its latest revision."""
    later = i.alias()
    superseded = (
        select(func.max(later.c.revision))
        .where(later.c.kind == i.c.kind, later.c.source == i.c.source, later.c.ref == i.c.ref)
        .scalar_subquery()
    )
    return select(i).where(i.c.revision == superseded)


def _newest(
    connection: Connection, i: Table, people: Iterable[int], limit: int
) -> list[dict[str, Any]]:
    """The latest facts of these customers, as the view of one asks for them again and again."""
    wanted = set(people)

    def build() -> Select[Any]:
        query = _latest(i).where(is_wanted(connection, i.c.customer_id, wanted))
        query = query.order_by(i.c.occurred_at.desc(), i.c.id.desc())
        return query.limit(bindparam("most", type_=Integer()))

    query = prepared(i, ("newest", len(wanted) == 1), build, connection.dialect)
    return query.rows(connection, wanted=as_wanted(connection, wanted), most=limit)


def _check_envelope(kind: InteractionKind, new: NewInteraction) -> None:
    if new.occurred_at.tzinfo is None:
        raise UsageError(f"{new.occurred_at.isoformat()} has no time zone.", code="E_TYPE")
    try:
        check_year(new.occurred_at)
    except ValueError as error:
        raise UsageError(f"{new.occurred_at.isoformat()} {error}.", code="E_VALUE") from None
    if new.customer_id is None and not kind.anonymous:
        raise UsageError(f"an interaction of kind {kind.name} needs a customer.")
    if new.channel is not None and new.channel not in CHANNELS:
        raise NotFound("channel", new.channel, CHANNELS)
    if new.direction not in DIRECTIONS:
        raise NotFound("direction", new.direction, DIRECTIONS)
    if new.subject_id is not None and kind.subject is None:
        raise UsageError(f"interactions of kind {kind.name} are about no record.")
