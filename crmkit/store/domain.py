"""Tables of the plugins' own fields and record types, generated from their declarations.

From one JSON Schema come the typed columns (:attr:`FieldSet.columns`), the indexes and the history
table. The same code builds the tables of a disabled plugin from the declaration that the last
upgrade kept, so that its rows stay readable (design D15).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from sqlalchemy import ForeignKey, Index, MetaData, Table

from ..declarations import CUSTOMER, sql_name
from ..entities.fields import FieldSet
from ..errors import DeclarationError
from .tables import core_tables, key, needed, optional, table
from .types import Instant, Integer, Text, column_type

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog

CUSTOMER_ENVELOPE = ("customer_id", "valid_from", "version", "tx")
RECORD_ENVELOPE = ("id", "source", "ref", "owner_id", "valid_from", "version", "tx")
HISTORY_ENVELOPE = ("valid_to", "closed_tx")
# PostgreSQL cuts longer names without a word.
LONGEST_NAME = 63


@frozen(kw_only=True)
class Entity:
    """What a plugin declares that rows are kept of.

    Args:
        plugin: who declares it.
        name: public name: ``telecom.customer`` for the plugin's customer fields,
            ``telecom.plan``, ``telecom.bill``.
        what: ``customer``, ``record`` or ``interaction``.
        owner: of a record: ``customer``, a record type, or None.
        enabled: False if it is known only from the database.
    """

    plugin: str
    name: str
    what: str
    schema: Mapping[str, Any] = field(repr=False, hash=False)
    owner: str | None = None
    enabled: bool = True

    @cached_property
    def fields(self) -> FieldSet:
        """The parsed fields."""
        return FieldSet(self.schema)

    @property
    def table_name(self) -> str:
        """Its name in SQL."""
        return sql_name(self.name)

    def declared(self) -> dict[str, Any]:
        """The declaration as the JSON document that the database keeps."""
        return {"what": self.what, "schema": dict(self.schema), "owner": self.owner}

    @classmethod
    def from_declared(cls, plugin: str, name: str, declared: Mapping[str, Any]) -> Entity:
        """The entity that a kept declaration describes, not enabled."""
        return cls(
            plugin=plugin,
            name=name,
            what=declared["what"],
            schema=declared["schema"],
            owner=declared["owner"],
            enabled=False,
        )


@frozen
class DomainTable:
    """The current rows and the earlier versions of one entity."""

    entity: Entity
    current: Table
    history: Table

    @property
    def key(self) -> str:
        """The id column: ``customer_id`` for customer fields, ``id`` for records."""
        return "customer_id" if self.entity.what == "customer" else "id"


@frozen
class Tables:
    """The tables of crmkit and of what the enabled plugins declare.

    Attributes:
        core: the names of crmkit's own.
        domain: those of the plugins, by public name.
    """

    metadata: MetaData
    core: tuple[str, ...]
    domain: Mapping[str, DomainTable]


# A program that opens many workspaces, as a test run, has a few sets of plugins on two databases.
MOST_KEPT = 8
_made: dict[tuple[str, str], Tables] = {}


def tables_for(catalog: Catalog, dialect: str) -> Tables:
    """The tables for a catalog; made once in a process for equal declarations, as it takes 40 ms.

    Raises:
        DeclarationError: if a table or column name is taken or too long, naming the plugin.
    """
    entities = entities_of(catalog)
    declared = [(e.plugin, e.name, e.declared()) for e in entities]
    key = (dialect, json.dumps(declared, default=str))
    found = _made.pop(key, None)
    if found is None:
        metadata = MetaData(info={"dialect": dialect})
        core = tuple(core_tables(metadata))
        found = Tables(metadata, core, domain_tables(metadata, entities))
    _made[key] = found  # the one used last stands last
    while len(_made) > MOST_KEPT:
        _made.pop(next(iter(_made)), None)
    return found


def entities_of(catalog: Catalog) -> list[Entity]:
    """Every entity that the enabled plugins declare, ordered by name."""
    found = [
        Entity(plugin=p, name=f"{p}.{CUSTOMER}", what="customer", schema=f.schema)
        for p, f in catalog.customer_fields.items()
    ]
    for name, record in catalog.record_types.items():
        found.append(
            Entity(
                plugin=catalog.owner(name),
                name=name,
                what="record",
                schema=record.schema,
                owner=record.owner,
            )
        )
    for name, kind in catalog.interaction_kinds.items():
        found.append(
            Entity(plugin=catalog.owner(name), name=name, what="interaction", schema=kind.schema)
        )
    return sorted(found, key=lambda e: e.name)


def domain_tables(metadata: MetaData, entities: Iterable[Entity]) -> dict[str, DomainTable]:
    """Makes the tables of customer fields and record types, by public name.

    Raises:
        DeclarationError: if a table or column name is taken or too long, naming the plugin.
    """
    made: dict[str, DomainTable] = {}
    for entity in entities:
        if entity.what == "interaction":
            continue
        _check_names(metadata, entity)
        build = _customer_table if entity.what == "customer" else _record_table
        current, history = build(metadata, entity)
        _index_fields(entity, current)
        Index(index_name(current.name, "tx"), current.c.tx)
        Index(index_name(history.name, "closed_tx"), history.c.closed_tx)
        made[entity.name] = DomainTable(entity, current, history)
    return made


def index_name(table_name: str, column: str) -> str:
    """``ix_<table>_<column>``, shortened to what PostgreSQL keeps."""
    name = f"ix_{table_name}_{column}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}_{zlib.crc32(name.encode()):08x}"


def _field_columns(entity: Entity) -> list[Any]:
    # Always nullable: `required` is checked on the way in, and a column added later has no values.
    return [optional(c.name, type(column_type(c.type))) for c in entity.fields.columns]


def _closing() -> list[Any]:
    return [needed("valid_to", Instant), needed("closed_tx", Integer)]


def _customer_table(metadata: MetaData, entity: Entity) -> tuple[Table, Table]:
    envelope = [needed("valid_from", Instant), needed("version", Integer), needed("tx", Integer)]
    current = table(
        entity.table_name,
        metadata,
        key("customer_id", Integer, ForeignKey("customer.id")),
        *_field_columns(entity),
        *envelope,
    )
    history = table(
        f"{entity.table_name}_history",
        metadata,
        key("customer_id"),
        *_field_columns(entity),
        needed("valid_from", Instant),
        key("version"),
        needed("tx", Integer),
        *_closing(),
        rowid=False,
    )
    return current, history


def _record_table(metadata: MetaData, entity: Entity) -> tuple[Table, Table]:
    name = entity.table_name
    business_key = [needed("source", Text), needed("ref", Text)]
    owner: list[Any] = []
    if entity.owner is not None:
        target = ForeignKey(f"{sql_name(entity.owner)}.id")
        owner = [optional("owner_id", Integer, target)]
    current = table(
        name,
        metadata,
        key("id"),
        *business_key,
        *owner,
        *_field_columns(entity),
        needed("valid_from", Instant),
        needed("version", Integer),
        needed("tx", Integer),
    )
    Index(f"uq_{name}_key", current.c.source, current.c.ref, unique=True)
    Index(index_name(name, "ref"), current.c.ref)
    if owner:
        Index(index_name(name, "owner_id"), current.c.owner_id)
    history = table(
        f"{name}_history",
        metadata,
        key("id"),
        needed("source", Text),
        needed("ref", Text),
        *([optional("owner_id", Integer)] if owner else []),
        *_field_columns(entity),
        needed("valid_from", Instant),
        key("version"),
        needed("tx", Integer),
        *_closing(),
        rowid=False,
    )
    return current, history


def _index_fields(entity: Entity, current: Table) -> None:
    for f in entity.fields.fields:
        if f.indexed:
            column = f.columns[0].name
            Index(index_name(current.name, column), current.c[column])


def _check_names(metadata: MetaData, entity: Entity) -> None:
    faults = []
    envelope = CUSTOMER_ENVELOPE if entity.what == "customer" else RECORD_ENVELOPE
    taken = {*envelope, *HISTORY_ENVELOPE}
    for column in entity.fields.columns:
        if column.name in taken:
            faults.append(
                f"{entity.name}: field {column.field!r} would be stored as {column.name!r}, which "
                f"every {entity.what} has already; rename the field"
            )
        if len(column.name) > LONGEST_NAME:
            faults.append(
                f"{entity.name}: {column.name!r} is longer than {LONGEST_NAME} characters"
            )
    for name in (entity.table_name, f"{entity.table_name}_history"):
        if name in metadata.tables:
            faults.append(f"{entity.name}: the table {name} exists already; rename the entity")
        if len(name) > LONGEST_NAME:
            faults.append(f"{entity.name}: {name!r} is longer than {LONGEST_NAME} characters")
    if faults:
        raise DeclarationError(entity.plugin, faults)
