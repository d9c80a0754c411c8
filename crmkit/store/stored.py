"""The database as its last upgrade left it, whatever the code declares today.

For reading alone: the tables are built from the documents that the upgrade kept, so that the fields of
disabled plugins and retired ones are there, and so that a workspace can be read that is still to be
upgraded.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.engine import Connection

from ..errors import SchemaOutdated
from .declared import CORE_ENTITY, CORE_PLUGIN, documents_kept, entities_stored
from .domain import domain_tables
from .privacy import Privacy
from .types import stored_type

if TYPE_CHECKING:
    from .store import Store


def as_stored(store: Store, connection: Connection) -> Store:
    """See :meth:`crmkit.store.store.Store.as_stored`."""
    kept = documents_kept(store, connection)
    if not kept:
        raise SchemaOutdated("the database has no tables yet.", hint="Run: crmkit db upgrade")
    entities = entities_stored(store, connection)
    metadata = MetaData(info={"dialect": store.dialect})
    for name, shape in kept[CORE_PLUGIN, CORE_ENTITY].tables.items():
        _table(name, shape, metadata)
    found = copy.copy(store)
    for name, value in vars(type(store)).items():
        if isinstance(value, cached_property):
            vars(found).pop(name, None)  # gateways to the tables of today
    found.metadata, found.domain = metadata, domain_tables(metadata, entities)
    found.tables = dict(metadata.tables)
    found.privacy = Privacy(found, store.privacy.viewer)
    return found


def _table(name: str, shape: Mapping[str, Any], metadata: MetaData) -> Table:
    columns = [
        Column(column, stored_type(word), primary_key=column in shape["key"], nullable=nullable)
        for column, (word, nullable, _) in shape["columns"].items()
    ]
    return Table(name, metadata, *columns)
