"""The handover sheet: what whoever takes over an agent's customers has to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen
from sqlalchemy import false, func, select

from ..entities.field_types import FieldType
from ..store.family import members_of
from ..store.ownership import EVERY_LINE
from ..store.rows import is_in

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..store.domain import DomainTable
    from ..store.store import Store
    from .ownership import Ownership

# Date fields that end with one of these say when something has to be renewed.
RENEWAL_FIELDS = ("ends_on", "expires_on", "renewal_on", "renews_on")
OPEN_KINDS = ("open", "waiting")
Days = dict[int, list[tuple[date, str]]]


@frozen(kw_only=True)
class HandoverRow:
    """One customer on the sheet.

    Attributes:
        lines: lines of business that the agent has; ``all`` is everything.
        stage: in the core lifecycle, if any.
        last_contact_on: local day of the last interaction, if any.
        open_items: how many records stand in an open or waiting stage; ``open`` names them.
        renewal_on: the first day on which something ends or expires; ``renewal`` names it.
    """

    customer_id: int
    region: str | None
    lines: str
    stage: str | None
    last_contact_on: date | None
    open_items: int
    open: str
    renewal_on: date | None
    renewal: str | None


def handover_sheet(
    store: Store, ownership: Ownership, agent: str, *, days: int = 90
) -> list[HandoverRow]:
    """Everything that an agent has, those with the next renewals first.

    Args:
        days: renewals due within so many days from today; those overdue by as much are shown too.
    """
    lines = {o.customer_id: {EVERY_LINE} for o in ownership.rows.owned_by([agent])}
    for (customer_id, line), given in ownership.rows.line_owners().items():
        if given.to_agent == agent:
            lines.setdefault(customer_id, set()).add(line)
    people = {o.customer_id: o for o in ownership.rows.owned(lines)}
    stages = store.stages.current("core.customer", people)
    today = store.clock().astimezone(store.time_zone).date()
    with store.read() as connection:
        family = members_of(connection, store.tables["customer"], people)
        contacts = _contacts(store, connection, family)
        records = _records(store, connection, family)
        items = _open_items(store, connection, records)
        renewals = _renewals(store, connection, records, today, days)
        _add_documents(store, connection, family, renewals, today, days)
    rows = [
        HandoverRow(
            customer_id=i, region=person.region, lines=", ".join(sorted(lines[i])),
            stage=stages.get(i), last_contact_on=contacts.get(i),
            open_items=sum(items.get(i, Counter()).values()),
            open=", ".join(f"{name} {n}" for name, n in sorted(items.get(i, {}).items())),
            renewal_on=min(renewals[i])[0] if i in renewals else None,
            renewal=min(renewals[i])[1] if i in renewals else None,
        )
        for i, person in people.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda r: (r.renewal_on or date.max, r.customer_id))


def _contacts(store: Store, connection: Connection, family: Mapping[int, int]) -> dict[int, date]:
    i = store.tables["interaction"].c
    query = (
        select(i.customer_id, func.max(i.occurred_at))
        .where(is_in(connection, i.customer_id, family))
        .group_by(i.customer_id)
    )
    last: dict[int, datetime] = {}
    for member, at in connection.execute(query):
        person = family[member]
        last[person] = max(at, last.get(person, at))
    return {person: at.astimezone(store.time_zone).date() for person, at in last.items()}


def _records(
    store: Store, connection: Connection, family: Mapping[int, int]
) -> list[tuple[DomainTable, dict[int, int]]]:
    """Each record type with its rows' customers, by record id; owning types come first."""
    owners: dict[str | None, Mapping[int, int]] = {"customer": family}
    waiting = [made for made in store.domain.values() if made.entity.what == "record"]
    found = []
    while ready := [made for made in waiting if made.entity.owner in owners]:
        waiting = [made for made in waiting if made.entity.owner not in owners]
        for made in ready:
            c = made.current.c
            above = owners[made.entity.owner]
            query = select(c.id, c.owner_id).where(is_in(connection, c.owner_id, above))
            mine = {row.id: above[row.owner_id] for row in connection.execute(query)}
            owners[made.entity.name] = mine
            found.append((made, mine))
    return found


def _open_items(
    store: Store, connection: Connection,
    records: Iterable[tuple[DomainTable, Mapping[int, int]]],
) -> dict[int, Counter[str]]:  # fmt: skip
    s = store.tables["stage"].c
    out: dict[int, Counter[str]] = {}
    owners = {made.entity.name: mine for made, mine in records}
    for lifecycle in store.catalog.lifecycles.values():
        mine = owners.get(lifecycle.subject, {})
        names = [stage.name for stage in lifecycle.stages if stage.kind in OPEN_KINDS]
        query = select(s.subject_id).where(
            s.lifecycle == lifecycle.name, s.stage.in_(names), is_in(connection, s.subject_id, mine)
        )
        for record in connection.scalars(query):
            out.setdefault(mine[record], Counter())[lifecycle.subject] += 1
    return out


def _renewals(
    store: Store, connection: Connection,
    records: Sequence[tuple[DomainTable, Mapping[int, int]]], today: date, days: int,
) -> Days:  # fmt: skip
    first, last = today - timedelta(days=days), today + timedelta(days=days)
    out: Days = {}
    for made, mine in records:
        c = made.current.c
        for found in made.entity.fields.fields:
            if found.type is not FieldType.DATE or not found.name.endswith(RENEWAL_FIELDS):
                continue
            day = c[found.columns[0].name]
            query = select(c.id, day).where(is_in(connection, c.id, mine), day.between(first, last))
            for record, on in connection.execute(query):
                out.setdefault(mine[record], []).append((on, f"{made.entity.name} {found.name}"))
    return out


def _add_documents(
    store: Store, connection: Connection, family: Mapping[int, int], renewals: Days, today: date,
    days: int,
) -> None:  # fmt: skip
    d = store.tables["document"].c
    first, last = today - timedelta(days=days), today + timedelta(days=days)
    query = select(d.owner_id, d.expires_on, d.type).where(
        is_in(connection, d.owner_id, family),
        d.removed == false(),
        d.expires_on.between(first, last),
    )
    for member, on, kind in connection.execute(query):
        renewals.setdefault(family[member], []).append((on, f"document {kind}"))
