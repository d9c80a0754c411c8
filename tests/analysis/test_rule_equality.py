"""Batch, incremental and single-customer runs of the rules fire alike, whatever the order of events.

Every customer of a made-up shop lives a random order of events of its own: visits on time, late and
written beforehand, corrections that move a visit in time or to another customer, new tiers, stage
moves and merges. So one world of a thousand customers is a thousand orders.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from crmkit.analysis.features import Features
from crmkit.analysis.rules import Rules
from crmkit.declarations import Feature, FeatureSet, Scope
from crmkit.entities import FieldType
from crmkit.entities.asof import AsOf
from crmkit.store.interactions import NewInteraction
from crmkit.warehouse.warehouse import Warehouse

OpenShop = Callable[..., Any]
# Twice on one day, the next day, after a week and after a month: what counts days changes between
# some of them and not between others.
STEPS = ("2026-03-10T10:00", "2026-03-10T18:00", "2026-03-11T09:00", "2026-03-11T20:00",
         "2026-03-18T12:00", "2026-04-20T12:00", "2026-04-20T22:00")  # fmt: skip
VISITS = FeatureSet(
    name="shop.ever",
    sql="SELECT subject_id, as_of, count(*) AS shop_visits_ever FROM shop_visit "
    "GROUP BY subject_id, as_of",
    features=[Feature(name="shop.visits_ever", type=FieldType.INTEGER, missing=0)],
)
SHARE = FeatureSet(
    name="shop.share",
    sql="SELECT subject_id, as_of, count(*) / sum(count(*)) OVER (PARTITION BY as_of) AS shop_share "
    "FROM shop_visit GROUP BY subject_id, as_of",
    features=[Feature(name="shop.share", type=FieldType.NUMBER)],
    scope=Scope.POPULATION,
)


class World:
    """The shop with its rules in three hands, which share the store and nothing else."""

    def __init__(self, open_shop: OpenShop, make_rule: Any, catalog: Any, customers: int) -> None:
        rules = [
            make_rule("absent", cooldown_days=9),
            make_rule("regular", when="shop_visits_60d >= 2", message="{shop_spent_60d_minor}"),
            make_rule("loyal", when="shop_visits_ever >= 3", message="{shop_visits_ever} visits",
                      cooldown_days=2),
            make_rule("plus", when="shop_tier = 'plus'", message="plus", cooldown_days=30),
            make_rule("fan", when="stage_shop_buyer = 'fan' OR shop_visits_ever = 1", message="?"),
        ]  # fmt: skip
        sets = {**catalog().feature_sets, VISITS.name: VISITS}
        self.shop = open_shop(rules={r.name: r for r in rules}, feature_sets=sets)
        self.random = random.Random(20260310)
        self.number = 0
        self.visits: list[str] = []
        self.shop.clock.set(datetime(2026, 1, 1, 12, tzinfo=UTC))
        self.customers = [
            self.shop.store.customers.add(fields={"shop": {"tier": "basic"}}).id
            for _ in range(customers)
        ]

    def hand(self, name: str) -> Rules:
        """Rules with runs and a snapshot of their own."""
        shop = self.shop
        settings = attrs.evolve(shop.settings, folder=shop.settings.folder / name)
        warehouse = Warehouse(
            settings.warehouse, shop.catalog, shop.store, time_zone="UTC", runs=settings.runs
        )
        features = Features(warehouse, shop.catalog)
        return Rules(warehouse, features, shop.store, shop.catalog, settings, shop.clock)

    def live_until(self, now: datetime, events: int) -> None:
        """So many events, written at random instants up to now."""
        for _ in range(events):
            self.shop.clock.set(now - timedelta(minutes=self.random.randint(1, 20)))
            who = self.random.choice(self.customers)
            getattr(self, self.random.choices(
                ["visit", "correct", "retier", "move", "merge"], [60, 15, 15, 8, 2])[0])(who, now)  # fmt: skip

    def visit(self, who: int, now: datetime, ref: str | None = None) -> None:
        # From two months back to two days ahead.
        at = now + timedelta(minutes=self.random.randint(-60 * 24 * 60, 2 * 24 * 60))
        if ref is None:
            self.number += 1
            ref = f"v{self.number}"
            self.visits.append(ref)
        self.shop.store.interactions.log(
            NewInteraction(
                kind="shop.visit", customer_id=who, occurred_at=at, source="till", ref=ref
            )
        )

    def correct(self, who: int, now: datetime) -> None:
        self.visit(who, now, self.random.choice(self.visits) if self.visits else None)

    def retier(self, who: int, now: datetime) -> None:
        found = self.shop.store.customers.get(who)
        tier = self.random.choice(["basic", "plus"])
        self.shop.store.customers.edit(who, version=found.version, fields={"shop": {"tier": tier}})

    def move(self, who: int, now: datetime) -> None:
        stands = self.shop.store.stages.current("shop.buyer", [who]).get(who)
        allowed = self.shop.catalog.lifecycles["shop.buyer"].next_stages(stands) if stands else ("fan",)  # fmt: skip
        self.shop.lifecycles.advance("shop.buyer", who, self.random.choice(allowed))

    def merge(self, who: int, now: datetime) -> None:
        other = self.random.choice(self.customers)
        if other != who:
            self.shop.store.merges.merge([(who, other)])
            self.customers.remove(other)


def fired(run: Any) -> set[tuple[Any, ...]]:
    assert run.faults == {}
    keys = ("rule", "version", "subject_type", "subject_id", "message", "evidence")
    return {tuple(row[key] for key in keys) for row in run.rows()}


def told(run: Any) -> list[tuple[str, int, int]]:
    return [(c["rule"], c["fired"], c["cooling"]) for c in run.counts]


def check_equality(world: World, singles: int) -> None:
    """Lives through the steps; at the last one, ``singles`` customers are run by themselves too."""
    batch, step_by_step = world.hand("batch"), world.hand("changed")
    looked: list[tuple[str, str]] = []
    runs = world.shop.settings.folder
    for number, text in enumerate(STEPS):
        now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        world.live_until(now, len(world.customers))
        world.shop.clock.set(now)
        as_of = AsOf.at(now, "UTC")
        last = number == len(STEPS) - 1
        if last:
            shutil.copytree(runs / "batch" / "runs", runs / "single" / "runs")
        whole, changed = batch.run(as_of), step_by_step.run(as_of, changed=True)
        assert fired(changed) == fired(whole), text
        assert told(changed) == told(whole), text
        looked += [(c["rule"], c["looked_at"]) for c in changed.counts]
    assert fired(whole) and any(cooling for _, _, cooling in told(whole))
    # The first look is at everyone. On the same day and for what counts no days it never is again.
    assert looked.count(("shop.loyal", "everyone")) == 1
    assert looked.count(("shop.plus", "everyone")) == 1
    # What counts days: at the start of each of the four days.
    assert looked.count(("shop.absent", "everyone")) == 4
    single = world.hand("single")
    for who in world.random.sample(world.customers, min(singles, len(world.customers))):
        alone = single.run_for(who, as_of)
        assert fired(alone) == {row for row in fired(whole) if row[3] == who}


def test_incremental_and_single_runs_equal_the_batch_over_random_orders(
    open_shop: OpenShop, make_rule: Any, shop_catalog: Any
) -> None:
    check_equality(World(open_shop, make_rule, shop_catalog, 40), singles=5)


@pytest.mark.slow
def test_the_same_over_150_random_orders(
    open_shop: OpenShop, make_rule: Any, shop_catalog: Any
) -> None:
    check_equality(World(open_shop, make_rule, shop_catalog, 150), singles=100)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_same_over_a_thousand_random_orders(
    open_shop: OpenShop, make_rule: Any, shop_catalog: Any
) -> None:
    check_equality(World(open_shop, make_rule, shop_catalog, 1000), singles=1000)
