"""What consent fields said that are no longer declared, filed as rows that outlive the fields.

A field of customers that is ``stricter`` holds somebody's word on contacts. When its plugin no longer
declares it, nobody would ask it any more and a refusal would be forgotten; so the upgrade hands what it
said, earlier versions included, to the record types that take it over
(:attr:`crmkit.declarations.RecordType.takes_over`). Without such a type the values wait in their retired
columns, and the first upgrade with one takes them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from sqlalchemy import MetaData, Table, or_, select
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER, EarlierConsent, EarlierConsents, RecordType
from ..errors import CrmkitError, PluginError
from .declared import Document, Key
from .domain import DomainTable, Entity, domain_tables
from .rows import is_in
from .tables import core_tables

if TYPE_CHECKING:
    from .store import Store, Tx

# Customers whose words are in memory together.
BATCH = 5_000
SOURCE = "crmkit"


@frozen(kw_only=True)
class Leaving:
    """Consent fields of one plugin that no row could hold any more."""

    document: Document
    fields: Mapping[str, Any] = field(hash=False)


@frozen(kw_only=True)
class Filed:
    """What became of them: of how many customers, and how many rows by record type."""

    customers: int
    rows: Mapping[str, int] = field(hash=False)


def leaving_fields(old: Document, new: Document | None) -> dict[str, Any]:
    """Consent fields of customers that are declared no longer and were not taken over yet."""
    if old.body.get("what") != CUSTOMER:
        return {}
    declared = new.fields if new is not None else {}
    retired = old.retired
    every = {**retired.fields, **old.fields}
    return {
        name: schema
        for name, schema in every.items()
        if name not in declared and name not in retired.taken and "stricter" in schema
    }


def takers(store: Store) -> list[RecordType]:
    """The record types that take consents over, by name."""
    found = (t for _, t in sorted(store.catalog.record_types.items()) if t.takes_over is not None)
    return list(found)


def file_consents(
    store: Store, tx: Tx, leaving: Sequence[Leaving], kept: Mapping[Key, Document]
) -> Filed | None:
    """Hands what the leaving fields said to the record types that take it over.

    Args:
        tx: the upgrade's, with the new tables made and the leaving columns still there.
        kept: the documents before the upgrade.

    Returns:
        What was filed; None where no field leaves or none ever had a value.

    Raises:
        PluginError: if a record type's function fails, or gives rows that its schema refuses.
    """
    found = takers(store) if leaving else []
    if not found:
        return None
    known = {plugin for plugin, _ in kept}
    tables = [(one, _table(store, one)) for one in leaving]
    people = sorted({i for one, made in tables for i in _speakers(tx.connection, one, made)})
    rows: Counter[str] = Counter()
    for start in range(0, len(people), BATCH):
        said = _said(tx.connection, tables, people[start : start + BATCH])
        for type in found:
            plugin = store.catalog.owner(type.name)
            first = plugin not in known
            rows[type.name] += _file(store, tx, type, plugin, said, first)
    if not people:
        return None
    return Filed(customers=len(people), rows=dict(+rows))  # without types that filed none


def _file(
    store: Store, tx: Tx, type: RecordType, plugin: str,
    said: Mapping[int, tuple[EarlierConsent, ...]], first: bool,
) -> int:  # fmt: skip
    owners: list[int] = []
    made: list[Mapping[str, Any]] = []
    take = type.takes_over
    assert take is not None  # noqa: S101 - chosen by it
    for customer, words in said.items():
        try:
            given = list(take(EarlierConsents(said=words, at=tx.at, first=first)))
        except Exception as error:
            raise PluginError(plugin, f"takes_over of {type.name}", str(error)) from error
        made += given
        owners += [customer] * len(given)
    names = sorted({name for values in made for name in values})
    if made:
        try:
            store.records.put(
                type.name, source=SOURCE, refs=[str(i) for i in tx.take_ids(len(made))],
                owners=owners, values={n: [values.get(n) for values in made] for n in names}, tx=tx,
            )  # fmt: skip
        except CrmkitError as error:
            raise PluginError(plugin, f"takes_over of {type.name}", error.message) from error
    return len(made)


def _table(store: Store, leaving: Leaving) -> DomainTable:
    """The plugin's table of customers with the leaving fields alone."""
    metadata = MetaData(info={"dialect": store.dialect})
    core_tables(metadata)
    document = leaving.document
    schema = {"type": "object", "properties": dict(leaving.fields)}
    entity = Entity(plugin=document.plugin, name=document.entity, what=CUSTOMER, schema=schema)
    return domain_tables(metadata, [entity])[document.entity]


def _speakers(connection: Connection, leaving: Leaving, made: DomainTable) -> Iterator[int]:
    for table in (made.current, made.history):
        filled = or_(*(table.c[name].is_not(None) for name in leaving.fields))
        yield from connection.scalars(select(table.c.customer_id).where(filled).distinct())


def _said(
    connection: Connection, tables: Iterable[tuple[Leaving, DomainTable]], people: Sequence[int]
) -> dict[int, tuple[EarlierConsent, ...]]:
    out: defaultdict[int, list[EarlierConsent]] = defaultdict(list)
    for leaving, made in tables:
        versions: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for table in (made.history, made.current):
            for row in _versions(connection, table, leaving.fields, people):
                versions[row["customer_id"]].append(row)
        for customer, rows in versions.items():
            rows.sort(key=lambda row: row["version"])
            for name, schema in leaving.fields.items():
                spans = _spans([(row[name], row["valid_from"]) for row in rows])
                if any(value is not None for value, _, _ in spans):
                    public = f"{leaving.document.plugin}.{name}"
                    word = EarlierConsent(field=public, stricter=schema["stricter"], spans=spans)
                    out[customer].append(word)
    return {customer: tuple(words) for customer, words in sorted(out.items())}


def _versions(
    connection: Connection, table: Table, names: Iterable[str], people: Sequence[int]
) -> list[Mapping[str, Any]]:
    columns = [table.c[n] for n in ("customer_id", "version", "valid_from", *names)]
    query = select(*columns).where(is_in(connection, table.c.customer_id, people))
    return [dict(row) for row in connection.execute(query).mappings()]


def _spans(versions: Sequence[tuple[Any, Any]]) -> tuple[tuple[Any, Any, Any], ...]:
    """Versions with equal values as one span, which ends where the next begins."""
    changes = [versions[0]]
    for value, since in versions[1:]:
        if value != changes[-1][0]:
            changes.append((value, since))
    ended = [(value, since, until) for (value, since), (_, until) in pairwise(changes)]
    return (*ended, (*changes[-1], None))
