"""Why a customer stands where it stands: what was true, and what was known by then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from crmkit.analysis.rule_states import rule_version
from crmkit.analysis.runs import Runs
from crmkit.analysis.why import Reason, Why
from crmkit.errors import NotFound

OpenShop = Callable[..., Any]


def noon(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def ask(shop: Any, who: int, what: str, day: str) -> Reason:
    service = Why(shop.store, shop.catalog, Runs(shop.settings.runs, shop.store, shop.clock))
    (found,) = service.explain(who, what, shop.on(day))
    return found


def both(shop: Any, who: int, what: str, day: str) -> tuple[Any, Any]:
    found = ask(shop, who, what, day)
    return found.value, found.known_then


def test_a_stage_has_its_rule_its_evidence_and_when_it_was_known(
    open_shop: OpenShop, make_rule: Any
) -> None:
    """Gone for 24 days on the 25th, which the run at noon of the 26th found out."""
    rule = make_rule("tired", when="shop_days_since_visit >= 20", action="propose_stage", target="gone")  # fmt: skip
    shop = open_shop(rules={rule.name: rule})
    one = shop.customer()
    shop.log("shop.visit", one, "2026-02-01")
    for day, now in (("2026-02-01", "2026-02-02"), ("2026-02-25", "2026-02-26")):
        shop.clock.set(noon(now))
        shop.rules.run(shop.on(day))
        shop.lifecycles.propose(shop.on(day), apply=True)
    found = ask(shop, one, "shop.buyer", "2026-02-25")
    assert (found.kind, found.value, found.known_then) == ("stage", "gone", "buyer")
    assert found.since == datetime(2026, 2, 25, 23, 59, 59, 999999, tzinfo=UTC)
    assert found.recorded_at == noon("2026-02-26")
    assert (found.by, found.version, found.actor) == ("shop.tired", rule_version(rule), "tester")
    assert found.reasons == ("absent for 24 days",)
    assert found.evidence == {"shop_days_since_visit": 24}
    earlier = ask(shop, one, "shop.buyer", "2026-02-24")
    assert (earlier.value, earlier.known_then) == ("buyer", "buyer")
    assert (earlier.by, earlier.reasons, earlier.evidence) == ("shop.buyer", ("visits",), {})
    assert both(shop, one, "shop.buyer", "2026-02-26") == ("gone", "gone")
    assert both(shop, one, "shop.buyer", "2025-12-31") == (None, None)


def test_a_rule_has_fired_cools_down_or_holds_no_more(open_shop: OpenShop, make_rule: Any) -> None:
    rule = make_rule("absent", cooldown_days=9)
    shop = open_shop(rules={rule.name: rule})
    one = shop.customer()
    shop.log("shop.visit", one, "2026-02-01")
    for day, now in (("2026-03-05", "2026-03-06"), ("2026-03-10", "2026-03-11")):
        shop.clock.set(noon(now))
        shop.rules.run(shop.on(day))
    found = ask(shop, one, rule.name, "2026-03-05")
    assert (found.value, found.known_then) == ("fired", None)
    assert (found.since, found.recorded_at) == (shop.on("2026-03-05").instant, noon("2026-03-06"))
    assert (found.reasons, found.evidence) == (
        ("absent for 32 days",), {"shop_days_since_visit": 32},
    )  # fmt: skip
    assert (found.by, found.version) == (rule.name, rule_version(rule))
    assert both(shop, one, rule.name, "2026-03-06") == ("fired", "fired")
    # The run of the 10th was made on the 11th; by then the firing of the 5th was the last word.
    cooling = ask(shop, one, rule.name, "2026-03-10")
    assert (cooling.value, cooling.known_then) == ("cooling down", "fired")
    assert (cooling.since, cooling.as_of) == (found.since, shop.on("2026-03-10").instant)
    shop.log("shop.visit", one, "2026-03-16")
    shop.rules.run(shop.on("2026-03-20"))
    assert ask(shop, one, rule.name, "2026-03-20").value is None


def test_a_run_for_another_customer_alone_says_nothing(open_shop: OpenShop, make_rule: Any) -> None:
    rule = make_rule("absent")
    shop = open_shop(rules={rule.name: rule})
    one, two, three = (shop.customer() for _ in range(3))
    for who in (one, two, three):
        shop.log("shop.visit", who, "2026-02-01")
    shop.rules.run(shop.on("2026-03-05"))
    for who in (one, three):
        shop.rules.run_for(who, shop.on("2026-03-10"))
    assert ask(shop, two, rule.name, "2026-03-10").as_of == shop.on("2026-03-05").instant
    for who in (one, three):
        assert ask(shop, who, rule.name, "2026-03-10").as_of == shop.on("2026-03-10").instant
    # A run for everyone and then for one of them is one of everyone still.
    shop.rules.run(shop.on("2026-03-12"))
    shop.rules.run_for(one, shop.on("2026-03-12"))
    assert ask(shop, two, rule.name, "2026-03-12").as_of == shop.on("2026-03-12").instant


def test_a_member_is_one_since_the_first_run_in_a_row(
    open_shop: OpenShop, make_segment: Any
) -> None:
    segment = make_segment("busy", "shop_visits_60d >= 2")
    shop = open_shop(segments={segment.name: segment})
    one = shop.customer()
    shop.log("shop.visit", one, "2026-01-01", "2026-01-02", "2026-03-29", "2026-03-30")
    for day in ("2026-01-31", "2026-03-15", "2026-03-30", "2026-03-31"):
        shop.segments.run(segment.name, shop.on(day))
    found = ask(shop, one, segment.name, "2026-03-31")
    assert (found.value, found.evidence) == ("member", {"shop_visits_60d": 2})
    assert (found.since, found.as_of) == (
        shop.on("2026-03-30").instant, shop.on("2026-03-31").instant,
    )  # fmt: skip
    assert ask(shop, one, segment.name, "2026-03-15").value is None
    assert ask(shop, one, segment.name, "2026-02-10").since == shop.on("2026-01-31").instant


def test_a_name_that_nothing_has_is_refused_with_the_near_ones(open_shop: OpenShop) -> None:
    shop = open_shop()
    with pytest.raises(NotFound, match=r"shop\.buyers.*shop\.buyer"):
        ask(shop, shop.customer(), "shop.buyers", "2026-03-31")
