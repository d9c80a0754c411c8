"""Makes customers anonymous: what names them goes, what they did stays, so that totals stay as they are.

Gone for good, earlier versions included: names, contact points, every field of customers that is of a
PII class, and what is direct or secret in their records and interactions, of disabled plugins too. What stays is the id, and
the keys of other systems: under such a key the next import would bring the customer's data back, so
whoever has them there removes them there first. Files of documents are not touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, bindparam, delete, or_, select, update
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER
from ..entities.field_types import FieldType
from ..policy import MASK
from .declared import entities_stored
from .family import members_of
from .history import Versions
from .rows import is_in
from .stored import as_stored

if TYPE_CHECKING:
    from ..entities.fields import Field
    from .store import Store, Tx

DIRECT = ("direct", "secret")
ANY_CLASS = ("quasi", *DIRECT)


def anonymise(store: Store, tx: Tx, customers: Iterable[int]) -> None:
    """Takes from some customers, and from those merged into them, whatever says who they are.

    A required text becomes ``***``. Taking an import or a merge of theirs back afterwards brings
    nothing back.
    """
    connection = tx.connection
    people = sorted(members_of(connection, store.tables[CUSTOMER], customers))
    if not people:
        return
    _forget_names(store, tx, people)
    owners = {CUSTOMER: people}
    # What no enabled plugin declares names people too.
    stored = as_stored(store, connection)
    for made in stored.domain.values():
        if made.entity.what == CUSTOMER:
            versions = Versions(made.current, made.history, made.key)
            blank = _blank(made.entity.fields.fields, ANY_CLASS)
            _blank_rows(tx, versions, people, blank, anew=True)
    for made in stored.records.by_owner:
        above = owners.get(str(made.entity.owner), [])
        rows = made.current.c
        asked = select(rows.id).where(is_in(connection, rows.owner_id, above))
        owners[made.entity.name] = ids = list(connection.scalars(asked)) if above else []
        blank = _blank(made.entity.fields.fields, DIRECT)
        # The warehouse has none of these columns, so no version has to tell it.
        _blank_rows(tx, Versions(made.current, made.history), ids, blank, anew=False)
    _forget_payloads(store, connection, people)
    tx.count(CUSTOMER, len(people))


def _forget_names(store: Store, tx: Tx, people: list[int]) -> None:
    connection, tables = tx.connection, store.tables
    versions = Versions(tables[CUSTOMER], tables["customer_history"])
    _blank_rows(tx, versions, people, {"name": None}, anew=True)
    for name in ("contact_point", "contact_point_history"):
        found = tables[name]
        connection.execute(delete(found).where(is_in(connection, found.c.customer_id, people)))
    merge = tables["customer_merge"]
    theirs = or_(*(is_in(connection, c, people) for c in (merge.c.kept_id, merge.c.merged_id)))
    connection.execute(update(merge).where(theirs).values(changes={}))


def _blank(fields: Iterable[Field], classes: Iterable[str]) -> dict[str, Any]:
    """What each column of the fields of some PII classes becomes."""
    return {
        column.name: MASK if f.required and f.type is FieldType.TEXT else None
        for f in fields
        for column in f.columns
        if f.pii in classes
    }


def _blank_rows(
    tx: Tx, versions: Versions, ids: list[int], blank: dict[str, Any], *, anew: bool
) -> None:
    """Empties columns of rows and of their earlier versions; ``anew`` makes it a version of its own."""
    if not ids or not blank:
        return
    current, history = versions.current, versions.history
    here = is_in(tx.connection, current.c[versions.key], ids)
    values = dict(blank)
    if anew:
        versions.keep(tx.connection, here, tx.at, tx.id)
        values |= {"version": current.c.version + 1, "valid_from": tx.at, "tx": tx.id}
        if "updated_at" in current.c:
            values["updated_at"] = tx.at
    tx.connection.execute(update(current).where(here).values(values))
    past = is_in(tx.connection, history.c[versions.key], ids)
    tx.connection.execute(update(history).where(past).values(blank))


def _forget_payloads(store: Store, connection: Connection, people: list[int]) -> None:
    facts: Table = store.tables["interaction"]
    blanks = {
        entity.name: _blank(entity.fields.fields, DIRECT)
        for entity in entities_stored(store, connection)
        if entity.what == "interaction"
    }
    asked = select(facts.c.id, facts.c.kind, facts.c.payload).where(
        is_in(connection, facts.c.customer_id, people),
        is_in(connection, facts.c.kind, [kind for kind, blank in blanks.items() if blank]),
    )
    changed = []
    for fact, kind, payload in connection.execute(asked):
        blank = blanks[kind]
        kept = {
            name: blank.get(name, value)
            for name, value in payload.items()
            if blank.get(name, value) is not None
        }
        if kept != payload:
            changed.append({"fact": fact, "kept": kept})
    if changed:
        here = facts.c.id == bindparam("fact")
        connection.execute(update(facts).where(here).values(payload=bindparam("kept")), changed)
