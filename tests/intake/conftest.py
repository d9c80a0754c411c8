"""A made-up shop, its store on each database, and files to import into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from sqlalchemy import text

from crmkit.declarations import CustomerFields, InteractionKind, RecordType, RowFault
from crmkit.errors import PluginError
from crmkit.hosting.catalog import Catalog
from crmkit.intake.intake import Intake
from crmkit.settings import Settings
from crmkit.store.store import Store


@frozen
class Manifest:
    version: str = "0.1"


def fields(*required: str, **properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties}
    return {**found, "required": list(required)} if required else found


CUSTOMER = fields(
    tier={"type": "string", "enum": ["basic", "plus", "max"]},
    household={"type": "integer", "minimum": 1, "maximum": 20},
    born_on={"type": "string", "format": "date"},
    member={"type": "boolean"},
    score={"type": "number", "minimum": 0},
    tags={"type": "array", "items": {"type": "string"}},
)
LINE = fields(
    number={"type": "string", "pattern": "^[0-9]+$", "maxLength": 12},
    fee={"type": "string", "format": "money"},
    deposit={"type": "string", "format": "money", "currency": "JPY"},
    opened_at={"type": "string", "format": "date-time"},
)
PLAN = fields("title", title={"type": "string", "minLength": 2})
SCAN = fields(place={"type": "string"})
BILL = fields(
    "total",
    total={"type": "string", "format": "money", "currency": "USD"},
    due_on={"type": "string", "format": "date"},
    items={"type": "integer", "minimum": 0},
    paid={"type": "boolean"},
    note={"type": "string"},
)

VISIT = fields(
    tip={"type": "string", "format": "money"}, given={"type": "string", "format": "money"}
)


def make_catalog() -> Catalog:
    records = {
        "shop.line": RecordType(name="shop.line", schema=LINE),
        "shop.plan": RecordType(name="shop.plan", schema=PLAN, owner=None),
        "shop.scan": RecordType(name="shop.scan", schema=SCAN, owner="shop.line"),
    }
    kinds = {
        "shop.bill": InteractionKind(name="shop.bill", schema=BILL, subject="shop.line"),
        "shop.visit": InteractionKind(name="shop.visit", schema=VISIT, anonymous=True),
    }
    return Catalog(
        plugins={"shop": Manifest()},
        customer_fields={"shop": CustomerFields(CUSTOMER)},
        record_types=records,
        interaction_kinds=kinds,
    )


class FakeHost:
    """Asks one function, as the plugin ``shop`` would be asked."""

    def __init__(self) -> None:
        self.check: Callable[[Any], Sequence[RowFault]] | None = None
        self.batches: list[Any] = []

    def call_veto(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        if hook != "check_rows":
            return []
        self.batches.append(arguments["batch"])
        if self.check is None or not arguments["batch"].entity.startswith("shop"):
            return []
        try:
            return [("shop", self.check(arguments["batch"]))]
        except ZeroDivisionError as error:
            raise PluginError("shop", hook, str(error)) from error


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@frozen
class Shop:
    """A store with an intake, and short words for what the tests do with them."""

    store: Store
    intake: Intake
    host: FakeHost
    clock: Clock
    folder: Path

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(
        self, content: str | bytes, profile: str, *, name: str = "rows.csv", **options: Any
    ) -> Any:
        file = self.write(name, content)
        return self.intake.import_file(file, str(self.write("profile.toml", profile)), **options)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with self.store.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def one(self, query: str) -> Any:
        ((value,),) = self.sql(query)
        return value


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Callable[[str], Shop]]:
    opened: list[Shop] = []

    def make(url: str) -> Shop:
        catalog, clock, host = make_catalog(), Clock(), FakeHost()
        settings = Settings(folder=tmp_path, database=url, time_zone="Asia/Shanghai")
        store = Store(url, catalog, clock=clock, actor="tester", time_zone="Asia/Shanghai")
        store.upgrade()
        intake = Intake(store, catalog, host, settings, clock=clock)  # type: ignore[arg-type]
        made = Shop(store, intake, host, clock, tmp_path)
        opened.append(made)
        return made

    yield make
    for shop in opened:
        shop.store.close()


@pytest.fixture
def shop(open_shop: Callable[[str], Shop], database_url: str) -> Shop:
    """A shop on SQLite and on PostgreSQL."""
    return open_shop(database_url)


@pytest.fixture
def lite(open_shop: Callable[[str], Shop], tmp_path: Path) -> Shop:
    """A shop on SQLite only, for what does not touch the database's dialect."""
    return open_shop(f"sqlite:///{tmp_path / 'shop.db'}")
