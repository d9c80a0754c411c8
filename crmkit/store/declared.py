"""What the tables ought to be, as documents: the one kept at the last upgrade and today's.

A document holds a declaration with the *shape* of its tables (columns with their stored types,
keys, indexes). Two documents are compared, and never the database itself: reading the tables back
would make a disabled plugin's tables look superfluous (design D14).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen
from sqlalchemy import Column, Select, Table, inspect, not_, select
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER
from ..entities.fields import FieldSet
from ..errors import ConfigError, SchemaOutdated
from .domain import Entity
from .identity import check_identity
from .prepared import prepared
from .rows import is_in, one_parameter
from .types import column_type

if TYPE_CHECKING:
    from .store import Store

# The core tables are kept as one more declaration, so that they grow in the same way.
CORE_PLUGIN, CORE_ENTITY = "crmkit", "crmkit.tables"
Key = tuple[str, str]
# As many outdated entities as an error names.
NAMED = 5


@frozen(kw_only=True)
class Retired:
    """Fields that a declaration no longer has, and whose values stay where they are.

    Attributes:
        fields: the last schema of each, by name.
        columns: the shape of their columns, by table; payloads of interactions have none.
        taken: of consents, those that record types have taken over.
    """

    fields: Mapping[str, Any] = field(factory=dict)
    columns: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    taken: Sequence[str] = ()

    def without(self, names: Iterable[str]) -> Retired:
        """The others than these fields."""
        gone = set(names)
        columns = {
            table: {c: shape for c, shape in shapes.items() if c not in self._columns(gone)}
            for table, shapes in self.columns.items()
        }
        return Retired(
            fields={name: f for name, f in self.fields.items() if name not in gone},
            columns={table: shapes for table, shapes in columns.items() if shapes},
            taken=[name for name in self.taken if name not in gone],
        )

    def _columns(self, names: set[str]) -> set[str]:
        fields = {name: schema for name, schema in self.fields.items() if name in names}
        return {column.name for column in field_set(fields).columns}

    def as_json(self) -> dict[str, Any]:
        """As a document keeps it."""
        return {"fields": dict(self.fields), "columns": dict(self.columns), "taken": [*self.taken]}


def field_set(properties: Mapping[str, Any]) -> FieldSet:
    """The field set with these properties."""
    return FieldSet({"type": "object", "properties": dict(properties)})


@frozen
class Document:
    """One declaration: ``body`` is JSON, ``version`` that of the plugin which declared it."""

    plugin: str
    entity: str
    body: Mapping[str, Any]
    version: str

    @property
    def key(self) -> Key:
        """Plugin and entity."""
        return self.plugin, self.entity

    @property
    def tables(self) -> Mapping[str, Any]:
        """Shape by table name; an interaction kind has no table of its own."""
        tables: Mapping[str, Any] = self.body["tables"]
        return tables

    @property
    def payload(self) -> Mapping[str, str]:
        """Stored type by payload column of an interaction kind, else empty."""
        payload: Mapping[str, str] = self.body.get("payload", {})
        return payload

    @property
    def currencies(self) -> Mapping[str, str]:
        """The fixed currency of each money field that has one: it says what an amount means."""
        return {name: f["currency"] for name, f in self.fields.items() if "currency" in f}

    @property
    def fields(self) -> Mapping[str, Any]:
        """The schema of each declared field; the core tables have none."""
        found: Mapping[str, Any] = self.body.get("schema", {}).get("properties", {})
        return found

    @property
    def retired(self) -> Retired:
        """The fields that it no longer has."""
        return Retired(**self.body.get("retired", {}))

    @property
    def is_retired(self) -> bool:
        """Whether its plugin is enabled and does not declare it any more."""
        return bool(self.body.get("is_retired"))

    def with_retired(self, retired: Retired) -> Document:
        """The same with these retired fields."""
        if not retired.fields and not retired.columns:
            return self
        return evolve(self, body={**self.body, "retired": retired.as_json()})

    @property
    def shape(self) -> tuple[Mapping[str, Any], ...]:
        """What decides whether rows fit: two documents of one shape need no upgrade."""
        return self.tables, self.payload, self.currencies


def shape_of(table: Table) -> dict[str, Any]:
    """The shape of a table as a JSON document."""
    columns = {c.name: _column_shape(c) for c in table.columns}
    indexes = {
        str(i.name): [[c.name for c in i.columns], bool(i.unique)]
        for i in sorted(table.indexes, key=lambda i: str(i.name))
    }
    return {"columns": columns, "key": [c.name for c in table.primary_key], "indexes": indexes}


def _column_shape(column: Column[Any]) -> list[Any]:
    """What it stores, whether it may be missing, and which column it points to."""
    stored: Any = column.type
    target = next((key.target_fullname for key in column.foreign_keys), None)
    return [stored.word, bool(column.nullable), target]


def documents_now(store: Store) -> dict[Key, Document]:
    """Today's documents: the core tables, and every entity of the enabled plugins."""
    from .. import __version__

    core = {"tables": {name: shape_of(store.tables[name]) for name in store.core_names}}
    found = [Document(CORE_PLUGIN, CORE_ENTITY, core, __version__)]
    for entity in store.entities:
        version = str(store.catalog.plugins[entity.plugin].version)
        found.append(Document(entity.plugin, entity.name, _body(store, entity), version))
    return {d.key: d for d in found}


def _body(store: Store, entity: Entity) -> dict[str, Any]:
    body = entity.declared()
    if entity.what == "interaction":
        columns = entity.fields.columns
        return {
            **body,
            "tables": {},
            "payload": {c.name: column_type(c.type).word for c in columns},
        }
    made = store.domain[entity.name]
    if entity.name == f"{entity.plugin}.{CUSTOMER}":
        # Kept beside the fields, so that a guard still holds where its plugin is not loaded.
        body = {**body, "guards": _guards(store, entity.plugin)}
    return {**body, "tables": {t.name: shape_of(t) for t in (made.current, made.history)}}


def _guards(store: Store, plugin: str) -> list[dict[str, Any]]:
    return [
        {"name": guard.name, "field": guard.field, "values": list(guard.values)}
        | ({"rows": list(guard.rows)} if guard.rows else {})
        for guard in store.catalog.privacy_guards.values()
        if store.catalog.owner(guard.name) == plugin
    ]


@frozen
class KeptGuard:
    """A privacy guard as the last upgrade knew it: ``right`` lifts it."""

    plugin: str
    right: str
    field: str
    values: tuple[str, ...]
    rows: tuple[str, ...]


def guards_kept(store: Store, connection: Connection) -> list[KeptGuard]:
    """Guards of plugins that are disabled, set aside or not loaded."""
    declaration = store.tables["declaration"]

    def build() -> Select[Any]:
        d = declaration.c
        loaded = is_in(connection, d.plugin, (), name="loaded")
        asked = select(d.plugin, d.declared).where(d.entity.like(f"%.{CUSTOMER}"), not_(loaded))
        return asked.order_by(d.plugin)

    # Asked with every view of a customer, and nearly always for nothing.
    kept = prepared(declaration, "guards", build, connection.dialect)
    return [
        KeptGuard(
            row["plugin"],
            guard["name"],
            guard["field"],
            tuple(guard["values"]),
            tuple(guard.get("rows", ())),
        )
        for row in kept.rows(connection, loaded=one_parameter(connection, store.catalog.plugins))
        for guard in row["declared"].get("guards", ())
    ]


def documents_kept(store: Store, connection: Connection) -> dict[Key, Document]:
    """The documents kept at the last upgrade; none for a database without crmkit's tables."""
    if not inspect(connection).has_table("declaration"):
        return {}
    d = store.tables["declaration"]
    rows = connection.execute(select(d.c.plugin, d.c.entity, d.c.declared, d.c.plugin_version))
    found = (Document(r.plugin, r.entity, r.declared, r.plugin_version) for r in rows)
    return {document.key: document for document in found}


def entities_kept(store: Store, connection: Connection) -> list[Entity]:
    """Entities that only the database knows: of disabled plugins, and retired ones."""
    enabled = {CORE_PLUGIN, *store.catalog.plugins}
    return [
        _entity(document)
        for (plugin, _), document in sorted(documents_kept(store, connection).items())
        if plugin not in enabled or document.is_retired
    ]


def entities_stored(store: Store, connection: Connection) -> list[Entity]:
    """Every entity that the database has, as the last upgrade left it, with its retired fields."""
    found = sorted(documents_kept(store, connection).items())
    return [_entity(document) for (plugin, _), document in found if plugin != CORE_PLUGIN]


def _entity(document: Document) -> Entity:
    schema = document.body["schema"]
    every = {**schema.get("properties", {}), **document.retired.fields}
    body = {**document.body, "schema": {**schema, "properties": every}}
    return Entity.from_declared(document.plugin, document.entity, body)


def check_schema(store: Store) -> None:
    """Refuses a database whose tables do not fit; see :meth:`Store.check_schema`."""
    with store.read() as connection:
        kept = documents_kept(store, connection)
        if kept:
            check_identity(store, connection)
    if not kept:
        check_may_fill(store)
        raise SchemaOutdated("the database has no tables yet.", hint="Run: crmkit db upgrade")
    now = documents_now(store)
    newer = list(newer_faults(kept, now))
    if newer:
        raise SchemaOutdated("; ".join(newer) + ".", hint="Install that version or a later one.")
    enabled = {CORE_PLUGIN, *store.catalog.plugins}
    behind = {k for k, document in now.items() if k not in kept or kept[k].shape != document.shape}
    behind |= {
        k for k, document in kept.items()
        if k not in now and k[0] in enabled and not document.is_retired
    }  # fmt: skip
    if behind:
        listed = sorted(entity for _, entity in behind)
        names = ", ".join(listed[:NAMED])
        if len(listed) > NAMED:
            names += f" and {len(listed) - NAMED} more"
        raise SchemaOutdated(
            f"the database does not have today's tables of {names}.", hint="Run: crmkit db upgrade"
        )


def check_may_fill(store: Store) -> None:
    """Refuses to make tables in the empty database of a workspace that had them.

    Raises:
        ConfigError: unless the store was opened to be made.
    """
    if not store.creates:
        raise ConfigError(
            "the database of this workspace is empty; it had tables when the workspace was made.",
            hint="Restore it from a backup, or mend database in crmkit.toml. To begin anew, run "
            "crmkit init with another folder.",
        )


def newer_faults(kept: Mapping[Key, Document], now: Mapping[Key, Document]) -> Iterator[str]:
    """Why the database is newer than the code, one sentence part per plugin; none if it is not."""
    code = {document.plugin: document.version for document in now.values()}
    told = set()
    for key, document in kept.items():
        plugin, installed = document.plugin, code.get(document.plugin)
        if installed is None or plugin in told or not later(document.version, installed):
            continue
        if key not in now or now[key].shape != document.shape:
            told.add(plugin)
            yield (
                f"the database was last upgraded by {plugin} {document.version}, "
                f"and {plugin} {installed} is installed"
            )


def later(one: str, other: str) -> bool:
    """Whether version ``one`` comes after ``other``, by their numbers."""
    first, second = ([int(n) for n in re.findall(r"\d+", v)] for v in (one, other))
    width = max(len(first), len(second))
    return first + [0] * (width - len(first)) > second + [0] * (width - len(second))
