"""A made-up shop, small enough to work by hand: its declarations, store, warehouse and services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from crmkit.analysis.features import Features
from crmkit.analysis.lifecycles import Lifecycles
from crmkit.analysis.rules import Rules
from crmkit.analysis.scores import Scores
from crmkit.analysis.segments import Segments
from crmkit.builtin import core
from crmkit.declarations import (
    CustomerFields,
    Feature,
    FeatureSet,
    InteractionKind,
    Rule,
    Score,
    Segment,
    StageMove,
    StageVeto,
)
from crmkit.entities import FieldType, Lifecycle, Money, NewInteraction, Stage
from crmkit.entities.asof import AsOf
from crmkit.errors import PluginError
from crmkit.hosting.catalog import Catalog
from crmkit.hosting.manifest import Manifest
from crmkit.settings import Settings
from crmkit.store.store import Store
from crmkit.testing.clock import SettableClock
from crmkit.warehouse.warehouse import Warehouse

VISITS = """
SELECT subject_id, as_of,
    count_if(days_before < 60) AS shop_visits_60d,
    min(days_before) AS shop_days_since_visit,
    CAST(sum(CASE WHEN days_before < 60 THEN amount_minor END) AS BIGINT) AS shop_spent_60d_minor
FROM shop_visit GROUP BY subject_id, as_of
"""
TIER = "SELECT subject_id, as_of, tier AS shop_tier FROM shop_customer"
PROPOSE = """
SELECT p.subject_id, p.as_of,
    CASE WHEN f.shop_days_since_visit IS NULL THEN 'visitor'
         WHEN f.shop_days_since_visit >= 90 THEN 'gone'
         WHEN f.shop_visits_60d >= 3 THEN 'fan' ELSE 'buyer' END AS stage,
    'visits' AS reason
FROM population p JOIN feature f ON f.subject_id = p.subject_id AND f.as_of = p.as_of
"""
BUYER = Lifecycle(
    name="shop.buyer",
    stages=[
        Stage("visitor", "prospect"),
        Stage("buyer", "growth"),
        Stage("fan", "maturity"),
        Stage("gone", "termination"),
    ],
    moves={
        ("visitor", "buyer"), ("visitor", "fan"), ("buyer", "fan"), ("buyer", "gone"),
        ("fan", "gone"), ("fan", "buyer"), ("gone", "buyer"),
    },
    propose=PROPOSE,
)  # fmt: skip
LEAVE = Score(
    name="shop.leave",
    features=("shop.visits_60d", "shop.days_since_visit", "shop.tier"),
    population="SELECT DISTINCT subject_id, as_of FROM shop_visit WHERE days_before < 90",
    target="SELECT DISTINCT subject_id, as_of, 1 AS label FROM shop_goodbye "
    "WHERE days_after > 0 AND days_after <= 30",
    horizon_days=30,
    estimator="logistic",
    cross_section="SELECT subject_id, as_of, CASE WHEN left_because IS NULL THEN 0 ELSE 1 END "
    "AS label FROM shop_customer",
    positive="leaves",
)


def _feature(name: str, kind: FieldType = FieldType.INTEGER, **more: Any) -> Feature:
    return Feature(name=f"shop.{name}", type=kind, **more)


def shop(**changes: Any) -> Catalog:
    """The catalog with core and the one plugin ``shop``; ``changes`` replace its parts."""
    text = {"type": "string"}
    fields = {"tier": text, "left_because": {**text, "known": "outcome"}}
    kinds = [
        *core.register_interaction_kinds(),
        InteractionKind(name="shop.visit", schema={"type": "object", "properties": {}}),
        InteractionKind(name="shop.goodbye", schema={"type": "object", "properties": {}}),
    ]
    sets = [
        *core.register_features(),
        FeatureSet(
            name="shop.visits",
            sql=VISITS,
            features=[
                _feature("visits_60d", unit="1", missing=0, phrase="came {value} times"),
                _feature("days_since_visit", unit="day", phrase="absent for {value} days"),
                _feature("spent_60d_minor", FieldType.MONEY, unit="money", missing=0),
            ],
        ),
        FeatureSet(
            name="shop.tier",
            sql=TIER,
            features=[_feature("tier", FieldType.TEXT, phrase={"basic": "has the basic tier"})],
        ),
    ]
    parts: dict[str, Any] = {
        "customer_fields": {"shop": CustomerFields({"type": "object", "properties": fields})},
        "interaction_kinds": {k.name: k for k in kinds},
        "lifecycles": {one.name: one for one in (*core.register_lifecycles(), BUYER)},
        "feature_sets": {s.name: s for s in sets},
        "scores": {LEAVE.name: LEAVE},
        "reports": {r.name: r for r in core.register_reports()},
        **changes,
    }
    manifests = {name: Manifest(name=name, version="0.1") for name in ("core", "shop")}
    return Catalog(plugins=manifests, **parts)


class Host:
    """Stands for the plugin host: hands moves to the functions that a test gives as plugins."""

    def __init__(self) -> None:
        self.vetoes: dict[str, Callable[[Sequence[StageMove]], Sequence[StageVeto]]] = {}
        self.batches: list[int] = []

    def call_veto(self, hook: str, *, moves: Sequence[StageMove]) -> list[tuple[str, Any]]:
        assert hook == "before_stage_moves"
        self.batches.append(len(moves))
        answers = []
        for plugin, ask in self.vetoes.items():
            try:
                answers.append((plugin, ask(moves)))
            except ZeroDivisionError as error:
                raise PluginError(plugin, hook, str(error)) from error
        return answers


class Shop:
    """The shop's services with short ways to write."""

    def __init__(self, folder: Path, url: str, catalog: Catalog) -> None:
        self.clock = SettableClock()
        self.host = Host()
        self.settings = Settings(folder=folder, database=url, currency="EUR")
        self.opened: list[Store] = []
        self.url = url
        self.reopen(catalog)

    def reopen(self, catalog: Catalog) -> None:
        """Other declarations on the same data."""
        for name in ("features", "scores", "rules", "segments", "lifecycles"):
            self.__dict__.pop(name, None)
        self.catalog = catalog
        self.store = Store(self.url, catalog, clock=self.clock, actor="tester")
        self.opened.append(self.store)
        self.store.upgrade()
        self.warehouse = Warehouse(
            self.settings.warehouse, catalog, self.store, time_zone="UTC", runs=self.settings.runs
        )

    @property
    def _parts(self) -> tuple[Any, ...]:
        return self.warehouse, self.features, self.store, self.catalog, self.settings, self.clock

    @cached_property
    def features(self) -> Features:
        return Features(self.warehouse, self.catalog)

    @cached_property
    def scores(self) -> Scores:
        return Scores(*self._parts)

    @cached_property
    def rules(self) -> Rules:
        return Rules(*self._parts)

    @cached_property
    def segments(self) -> Segments:
        return Segments(*self._parts)

    @cached_property
    def lifecycles(self) -> Lifecycles:
        host: Any = self.host
        return Lifecycles(
            self.warehouse, self.features, self.store, self.catalog, host, self.settings, self.clock
        )

    def on(self, day: str) -> AsOf:
        """The end of a day."""
        return AsOf.end_of(date.fromisoformat(day), "UTC")

    def customer(self, on: str = "2025-01-01", **fields: Any) -> int:
        """A customer filed on a day with these fields of the shop."""
        self.clock.set(_noon(on))
        named = {"shop": fields} if fields else None
        return self.store.customers.add(fields=named).id

    def log(
        self, kind: str, customer: int, *days: str, euro: str | None = None, **more: Any
    ) -> None:
        """Interactions of one kind at noon of each day."""
        amount = None if euro is None else Money.parse(euro, "EUR")
        self.store.interactions.log(
            [
                NewInteraction(
                    kind=kind, customer_id=customer, occurred_at=_noon(day), amount=amount, **more
                )
                for day in days
            ]
        )


def _noon(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


# Fixtures, because test modules of the importlib mode cannot import from one another.
@pytest.fixture
def shop_catalog() -> Callable[..., Catalog]:
    return shop


@pytest.fixture
def leave() -> Score:
    """The shop's score: who says goodbye within 30 days."""
    return LEAVE


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    made: list[Shop] = []

    def open_one(url: str | None = None, **changes: Any) -> Shop:
        found = url or f"sqlite:///{tmp_path / 'shop.db'}"
        made.append(Shop(tmp_path, found, shop(**changes)))
        return made[-1]

    yield open_one
    for one in made:
        for store in one.opened:
            store.close()


@pytest.fixture
def make_rule() -> Callable[..., Rule]:
    """A rule of the shop that lists who has been absent for 30 days, with changes."""

    def make(name: str = "absent", **changes: Any) -> Rule:
        given = {
            "name": f"shop.{name}", "when": "shop_days_since_visit >= 30", "action": "list",
            "target": "call", "message": "absent for {shop_days_since_visit} days",
        }  # fmt: skip
        return Rule(**{**given, **changes})

    return make


@pytest.fixture
def make_segment() -> Callable[..., Segment]:
    def make(name: str, where: str) -> Segment:
        return Segment(name=f"shop.{name}", where=where)

    return make
