"""A made-up industry small enough to check by hand, and a store with it on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen

from crmkit.declarations import (
    CustomerFields,
    InteractionKind,
    Migration,
    PrivacyGuard,
    RecordType,
)
from crmkit.store.store import Store
from crmkit.testing.postgresql import fresh_database


@frozen
class Version:
    """A plugin as the store knows it: by its version."""

    version: str


@frozen(kw_only=True)
class SmallCatalog:
    """As much of a catalog as the store reads."""

    plugins: Mapping[str, Version]
    customer_fields: Mapping[str, CustomerFields] = field(factory=dict)
    record_types: Mapping[str, RecordType] = field(factory=dict)
    interaction_kinds: Mapping[str, InteractionKind] = field(factory=dict)
    lifecycles: Mapping[str, Any] = field(factory=dict)
    migrations: Mapping[str, Migration] = field(factory=dict)
    privacy_guards: Mapping[str, PrivacyGuard] = field(factory=dict)

    def owner(self, name: str) -> str:
        return name.split(".")[0]


def fields(**properties: Any) -> dict[str, Any]:
    """The schema of an object with these properties and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


CUSTOMER = fields(
    household_size={"type": "integer", "minimum": 1, "unit": "person"},
    born_on={"type": "string", "format": "date", "pii": "quasi", "timeless": True},
    segment={"type": "string", "enum": ["home", "office"], "index": True},
    spend={"type": "string", "format": "money", "currency": "USD"},
)
PLAN = fields(
    title={"type": "string"},
    monthly_fee={"type": "string", "format": "money"},
    data_gb={"type": "number", "minimum": 0, "unit": "GB"},
)
LINE = fields(
    number={"type": "string", "pii": "direct", "index": True},
    active={"type": "boolean"},
    opened_on={"type": "string", "format": "date", "timeless": True},
    activated_at={"type": "string", "format": "date-time"},
    addons={"type": "array", "items": {"type": "string"}},
)
# Owned by a line, and named so that it sorts before it.
CARD = fields(chip={"type": "string", "pii": "secret"})
BILL = {
    **fields(
        amount={"type": "string", "format": "money"},
        due_on={"type": "string", "format": "date"},
        lines={"type": "integer", "minimum": 0, "unit": "1"},
    ),
    "required": ["amount"],
}


def shop(version: str = "0.1", **changes: Any) -> SmallCatalog:
    """The catalog with the one plugin ``shop``; ``changes`` replace its parts."""
    parts: dict[str, Any] = {
        "customer": CUSTOMER,
        "plan": PLAN,
        "line": LINE,
        "bill": BILL,
        "migrations": (),
        **changes,
    }
    records = {
        "shop.plan": (parts["plan"], None),
        "shop.line": (parts["line"], "customer"),
        "shop.card": (CARD, "shop.line"),
    }
    return SmallCatalog(
        plugins={"shop": Version(version)},
        customer_fields={"shop": CustomerFields(parts["customer"])} if parts["customer"] else {},
        record_types={
            name: RecordType(name=name, schema=schema, owner=owner)
            for name, (schema, owner) in records.items()
            if schema is not None
        },
        interaction_kinds={
            "shop.bill": InteractionKind(name="shop.bill", schema=parts["bill"]),
            "shop.visit": InteractionKind(
                name="shop.visit", schema=fields(note={"type": "string"}), anonymous=True
            ),
        },
        migrations={m.id: m for m in parts["migrations"]},
    )


class Clock:
    """A clock that a test sets; every reading is one millisecond later."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that goes on by a millisecond whenever it is asked."""
    return Clock()


@pytest.fixture
def new_store(clock: Clock) -> Iterator[Callable[..., Store]]:
    """Opens a store on a URL; all are closed at the end."""
    opened: list[Store] = []

    def open_one(url: str, catalog: Any = None, **options: Any) -> Store:
        given = {"clock": clock, "actor": "tester", "time_zone": "Asia/Shanghai", **options}
        store = Store(url, catalog or shop(), **given)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def open_store(new_store: Callable[..., Store], database_url: str) -> Callable[..., Store]:
    """Opens stores on one database, which is SQLite first and then PostgreSQL."""
    return partial(new_store, database_url)


@pytest.fixture
def make_shop() -> Callable[..., SmallCatalog]:
    """Makes catalogs of the plugin ``shop``: ``make_shop("0.2", plan=CHANGED)``."""
    return shop


@pytest.fixture(scope="session")
def prepared_postgresql(postgresql_server: str) -> Iterator[str]:
    """A PostgreSQL database with today's tables, made once: making them takes longer than a test."""
    with fresh_database(postgresql_server) as url:
        with Store(url, shop(), clock=Clock(), actor="tester") as made:
            made.upgrade()
        yield url


@pytest.fixture
def sqlite_store(new_store: Callable[..., Store], tmp_path: Path) -> Store:
    """A store with today's tables, for what does not depend on the database."""
    made = new_store(f"sqlite:///{tmp_path / 'crmkit.db'}")
    made.upgrade()
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, new_store: Callable[..., Store]) -> Store:
    """A store with today's tables and no rows, on each database in turn."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_store")
    made = new_store(request.getfixturevalue("prepared_postgresql"))
    with made.engine.begin() as connection:
        for table in reversed(made.metadata.sorted_tables):
            if table.name not in ("declaration", "migration_done"):
                connection.execute(table.delete())
        # The clock starts anew, so the ids of an earlier test come again.
        connection.exec_driver_sql("DROP TABLE IF EXISTS search_seen, search_text, search_form")
    return made
