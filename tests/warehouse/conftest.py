"""A made-up gym, small enough to work by hand, in a store and its warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select, update

from crmkit.declarations import CustomerFields, InteractionKind, RecordType, StageMove
from crmkit.entities import NewInteraction
from crmkit.entities.asof import AsOf
from crmkit.entities.money import Money
from crmkit.hosting.catalog import Catalog
from crmkit.hosting.manifest import Manifest
from crmkit.store.store import Store
from crmkit.warehouse.population import Population
from crmkit.warehouse.warehouse import Warehouse

ZONE = "Asia/Shanghai"


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TEXT, DAY, NUMBER = {"type": "string"}, {"type": "string", "format": "date"}, {"type": "number"}
MEMBER = fields(
    goal=TEXT,
    born_on={**DAY, "timeless": True},
    nickname={**TEXT, "pii": "direct"},
    left_because={**TEXT, "known": "outcome"},
)
CONTRACT = fields(
    tier=TEXT, fee={**TEXT, "format": "money"}, signed_on={**DAY, "timeless": True},
    key_card={**TEXT, "pii": "secret"}, extras={"type": "array", "items": TEXT},
    paused={"type": "boolean"},
)  # fmt: skip
LOCKER = fields(size=NUMBER)
ROOM = fields(code=TEXT, places={"type": "integer"})
VISIT = fields(
    minutes=NUMBER, coach={**TEXT, "pii": "direct"}, from_on=DAY,
    left_at={**TEXT, "format": "date-time"}, lessons={"type": "array", "items": TEXT},
    guest={"type": "boolean"},
)  # fmt: skip
SALE = fields(amount={**TEXT, "format": "money", "currency": "CNY"}, item=TEXT)


def gym(**changes: Any) -> Catalog:
    """The catalog with the one plugin ``gym``; ``changes`` replace its parts."""
    parts: dict[str, Any] = {
        "customer_fields": {"gym": CustomerFields(MEMBER)},
        "record_types": {
            "gym.contract": RecordType(name="gym.contract", schema=CONTRACT),
            "gym.locker": RecordType(name="gym.locker", schema=LOCKER, owner="gym.contract"),
            "gym.room": RecordType(name="gym.room", schema=ROOM, owner=None),
        },
        "interaction_kinds": {
            "gym.visit": InteractionKind(name="gym.visit", schema=VISIT, subject="gym.contract"),
            "gym.sale": InteractionKind(name="gym.sale", schema=SALE, anonymous=True),
        },
        **changes,
    }
    return Catalog(plugins={"gym": Manifest(name="gym", version="0.1")}, **parts)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 4, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class World:
    """The gym's store and warehouse with short ways to write and ask."""

    def __init__(self, url: str, folder: Path, clock: Clock) -> None:
        self.url, self.folder, self.clock = url, folder, clock
        self._opened: list[Store] = []
        self.reopen(gym())

    def reopen(self, catalog: Catalog) -> None:
        """Other declarations on the same database and warehouse."""
        self.catalog = catalog
        self.store = self.open_store(catalog)
        self.store.upgrade()
        self.warehouse = Warehouse(
            self.folder / "warehouse", catalog, self.store, time_zone=ZONE,
            runs=self.folder / "runs",
        )  # fmt: skip

    def open_store(self, catalog: Catalog | None = None) -> Store:
        store = Store(
            self.url, catalog or self.catalog, clock=self.clock, actor="tester", time_zone=ZONE
        )
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()

    # --- writing ----------------------------------------------------------------------------------

    def customer(self, on: str = "2026-01-01", **changes: Any) -> int:
        self.clock.now = datetime.fromisoformat(on).replace(hour=4, tzinfo=UTC)
        return self.store.customers.add(**changes).id

    def visit(
        self, customer: int | None, at: str, ref: str | None = None,
        subject_id: int | None = None, **payload: Any,
    ) -> None:  # fmt: skip
        self.log("gym.visit", customer, at, ref, payload=payload, subject_id=subject_id)

    def merge(self, customer: int, into: int) -> None:
        """A merge as the store keeps it: a new version that names the one that remains."""
        current, history = self.store.tables["customer"], self.store.tables["customer_history"]
        with self.store.begin("merge") as tx:
            row = dict(
                tx.connection.execute(select(current).where(current.c.id == customer))
                .mappings()
                .one()
            )
            closed = {**row, "valid_to": tx.at, "closed_tx": tx.id}
            tx.connection.execute(history.insert(), closed)
            tx.connection.execute(
                update(current).where(current.c.id == customer),
                {
                    "merged_into": into,
                    "version": row["version"] + 1,
                    "tx": tx.id,
                    "valid_from": tx.at,
                },
            )

    def log(
        self, kind: str, customer: int | None, at: str, ref: str | None = None, **more: Any
    ) -> None:
        occurred = datetime.fromisoformat(at).replace(tzinfo=UTC)
        self.store.interactions.log(
            NewInteraction(
                kind=kind,
                customer_id=customer,
                occurred_at=occurred,
                source="door",
                ref=ref,
                **more,
            )
        )

    def record(self, kind: str, ref: str, on: str, owner: int | None = None, **values: Any) -> int:
        effective = datetime.fromisoformat(on).replace(tzinfo=UTC)
        return self.store.records.set(
            kind, source="desk", ref=ref, owner_id=owner, effective=effective, values=values
        ).id

    # --- asking -----------------------------------------------------------------------------------

    def ask(
        self, sql: str, as_of: str | Population = "2026-12-31", **options: Any
    ) -> list[tuple[Any, ...]]:
        population = as_of if isinstance(as_of, Population) else _at(as_of)
        with self.warehouse.session() as session:
            return rows(session.frame(population, **options).query(sql))


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _at(text: str) -> Population:
    """Everyone at a day (its end in the gym's zone) or instant."""
    return Population.at(AsOf.parse(text, ZONE))


def _these(*pairs: tuple[int, str]) -> Population:
    """Subjects, each with its own day."""
    dates = [AsOf.end_of(date.fromisoformat(day), ZONE) for _, day in pairs]
    return Population.rows(
        pa.table(
            {
                "subject_id": [subject for subject, _ in pairs],
                "as_of": pa.array(
                    [d.instant.replace(tzinfo=None) for d in dates], pa.timestamp("us")
                ),
                "as_of_on": pa.array([d.on for d in dates], pa.date32()),
            }
        )
    )


def _money(text: str, currency: str = "CNY") -> Money:
    return Money.parse(text, currency)


def _move(customer: int, stage: str, before: str | None = None) -> StageMove:
    return StageMove(
        lifecycle="gym.member", subject_type="customer", subject_id=customer,
        from_stage=before, to_stage=stage,
    )  # fmt: skip


# Fixtures, because test modules of the importlib mode cannot import from one another.
@pytest.fixture
def at() -> Callable[[str], Population]:
    return _at


@pytest.fixture
def these() -> Callable[..., Population]:
    return _these


@pytest.fixture
def money() -> Callable[..., Money]:
    return _money


@pytest.fixture
def move() -> Callable[..., StageMove]:
    return _move


@pytest.fixture
def gym_catalog() -> Callable[..., Catalog]:
    return gym


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_world(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def open_one(url: str | None = None, name: str = "gym") -> World:
        folder = tmp_path / name
        folder.mkdir()
        made.append(World(url or f"sqlite:///{folder / 'crmkit.db'}", folder, clock))
        return made[-1]

    yield open_one
    for world in made:
        world.close()


@pytest.fixture
def world(open_world: Callable[..., World]) -> World:
    """On SQLite: what does not depend on the database needs no second one."""
    return open_world()


@pytest.fixture
def any_world(open_world: Callable[..., World], database_url: str) -> World:
    """On each database in turn."""
    return open_world(database_url, "either")
