"""Lifecycles over a store and warehouse: asked for, proposed, vetoed, measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmkit.declarations import StageVeto
from crmkit.entities import Lifecycle, Stage
from crmkit.errors import MoveRefused, NotFound, PluginError

OpenShop = Callable[..., Any]


def stages(found: Any, lifecycle: str) -> list[tuple[int, str | None, str]]:
    return [
        (m["subject_id"], m["from_stage"], m["to_stage"])
        for m in found.moves.to_pylist()
        if m["lifecycle"] == lifecycle
    ]


# --- asked for ------------------------------------------------------------------------------------


def test_allowed_move_is_made_logged_and_core_follows(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer()
    shop.lifecycles.advance("shop.buyer", one, "buyer", "came in")
    shop.lifecycles.advance("shop.buyer", one, "fan", "joined the club")
    found = [
        (c.lifecycle, c.from_stage, c.to_stage, c.reason) for c in shop.lifecycles.history(one)
    ]
    follows = "follows from the stages of the plugins"
    assert found == [
        ("shop.buyer", None, "buyer", "came in"),
        ("core.customer", None, "growth", follows),
        ("shop.buyer", "buyer", "fan", "joined the club"),
        ("core.customer", "growth", "maturity", follows),
    ]
    assert shop.lifecycles.history(one, "shop.buyer")[1].actor == "tester"


def test_impossible_move_is_refused_with_what_is_allowed(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer()
    shop.lifecycles.advance("shop.buyer", one, "buyer")
    with pytest.raises(MoveRefused, match="buyer cannot move to visitor") as caught:
        shop.lifecycles.advance("shop.buyer", one, "visitor")
    assert caught.value.hint == "Allowed from buyer: fan, gone."
    assert len(shop.lifecycles.history(one, "shop.buyer")) == 1


def test_move_to_where_it_stands_is_refused(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer()
    shop.lifecycles.advance("core.customer", one, "prospect")
    with pytest.raises(MoveRefused, match="it stands in prospect already"):
        shop.lifecycles.advance("core.customer", one, "prospect")


def test_unknown_lifecycle_and_stage_name_the_known_ones(open_shop: OpenShop) -> None:
    shop = open_shop()
    with pytest.raises(
        NotFound, match=r"there is no lifecycle 'shop\.buyers'\. Did you mean shop\.buyer"
    ):
        shop.lifecycles.advance("shop.buyers", 1, "fan")
    with pytest.raises(MoveRefused, match="no stage 'fen'"):
        shop.lifecycles.advance("shop.buyer", shop.customer(), "fen")


def test_computed_lifecycle_cannot_be_asked(open_shop: OpenShop, shop_catalog: Any) -> None:
    parcel = Lifecycle(
        name="shop.parcel", mode="computed",
        stages=[Stage("sent", "development"), Stage("lost", "termination")],
        moves={("sent", "lost")},
    )  # fmt: skip
    shop = open_shop(lifecycles={"shop.parcel": parcel})
    with pytest.raises(MoveRefused, match=r"shop\.parcel is computed from events"):
        shop.lifecycles.advance("shop.parcel", shop.customer(), "lost")
    assert shop.lifecycles.propose(shop.on("2026-03-31")).counts == ()


def test_vetoed_move_names_plugin_and_reason(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer()
    shop.host.vetoes["fraud"] = lambda moves: [
        StageVeto(subject_id=m.subject_id, reason="open fraud case") for m in moves
    ]
    with pytest.raises(MoveRefused, match="plugin fraud refuses the move to fan: open fraud case"):
        shop.lifecycles.advance("shop.buyer", one, "fan")
    assert shop.lifecycles.history(one) == ()


# --- proposed -------------------------------------------------------------------------------------


def test_everyone_is_proposed_a_stage_in_one_pass(open_shop: OpenShop) -> None:
    """No visit: visitor; three in 60 days: fan; the last 90 days ago or more: gone."""
    shop = open_shop()
    none, some, often, gone = (shop.customer() for _ in range(4))
    shop.log("shop.visit", some, "2026-02-01")
    shop.log("shop.visit", often, "2026-02-01", "2026-03-01", "2026-03-30")
    shop.log("shop.visit", gone, "2025-12-01")
    found = shop.lifecycles.propose(shop.on("2026-03-31"), apply=True)
    assert found.applied
    assert stages(found, "shop.buyer") == [
        (none, None, "visitor"), (some, None, "buyer"), (often, None, "fan"), (gone, None, "gone"),
    ]  # fmt: skip
    # The core stage follows from the kinds of the shop's stages.
    assert stages(found, "core.customer") == [
        (none, None, "prospect"), (some, None, "growth"), (often, None, "maturity"),
        (gone, None, "termination"),
    ]  # fmt: skip
    change = shop.lifecycles.history(often, "shop.buyer")[0]
    assert (change.reason, change.rule) == ("visits", "shop.buyer")
    # Dated at the last visible moment, so that the same date sees it.
    assert str(change.at) == "2026-03-31 23:59:59.999999+00:00"


def test_proposals_change_nothing_unless_applied(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer()
    found = shop.lifecycles.propose(shop.on("2026-03-31"))
    assert (found.applied, found.moves.num_rows) == (False, 2)
    assert shop.lifecycles.history(one) == ()


def test_second_proposal_moves_nobody(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop.customer()
    shop.lifecycles.propose(shop.on("2026-03-31"), apply=True)
    found = shop.lifecycles.propose(shop.on("2026-03-31"), apply=True)
    assert found.moves.num_rows == 0
    assert [c["unchanged"] for c in found.counts] == [1, 1]


def test_impossible_proposals_are_counted_listed_and_not_made(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer()
    shop.log("shop.visit", one, "2026-01-01", "2026-01-02", "2026-01-03")
    shop.lifecycles.propose(shop.on("2026-01-03"), apply=True)
    shop.lifecycles.propose(shop.on("2026-04-30"), apply=True)  # gone
    shop.log("shop.visit", one, "2026-05-01", "2026-05-02", "2026-05-03")
    found = shop.lifecycles.propose(shop.on("2026-05-03"), apply=True, lifecycle="shop.buyer")
    # gone may move to buyer only, not to fan.
    assert found.impossible.to_pylist()[0]["to_stage"] == "fan"
    assert found.counts[0] == {
        "lifecycle": "shop.buyer", "moves": 0, "unchanged": 0, "impossible": 1, "vetoed": 0,
        "later": 0,
    }  # fmt: skip
    assert shop.lifecycles.history(one, "shop.buyer")[-1].to_stage == "gone"


def test_whoever_was_moved_later_is_left_alone(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer("2026-01-01")
    shop.clock.set(shop.on("2026-02-28").instant)
    shop.lifecycles.advance("shop.buyer", one, "fan")
    found = shop.lifecycles.propose(shop.on("2026-01-31"), apply=True, lifecycle="shop.buyer")
    assert (found.moves.num_rows, found.impossible.num_rows) == (0, 1)  # fan to visitor: impossible
    shop.log("shop.visit", one, "2026-01-15")
    found = shop.lifecycles.propose(shop.on("2026-01-31"), apply=True, lifecycle="shop.buyer")
    assert found.counts[0]["later"] == 1


def test_vetoed_moves_are_listed_and_the_others_made(open_shop: OpenShop) -> None:
    shop = open_shop()
    first, second = shop.customer(), shop.customer()
    shop.host.vetoes["legal"] = lambda moves: [
        StageVeto(subject_id=first, reason="in dispute")
        for m in moves
        if m.subject_id == first and m.lifecycle == "shop.buyer"
    ]
    found = shop.lifecycles.propose(shop.on("2026-03-31"), apply=True)
    row = found.vetoed.to_pylist()[0]
    assert (row["subject_id"], row["plugin"], row["veto"]) == (first, "legal", "in dispute")
    assert stages(found, "shop.buyer") == [(second, None, "visitor")]
    # Without a stage in the shop, the core stage comes from core's own rule: no purchase yet.
    assert stages(found, "core.customer")[0] == (first, None, "prospect")
    assert shop.host.batches == [2, 2]


def test_raising_veto_stops_the_batch_and_names_the_plugin(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer()
    shop.host.vetoes["broken"] = lambda moves: [1 / 0]  # type: ignore[list-item]
    with pytest.raises(PluginError, match="plugin broken, before_stage_moves"):
        shop.lifecycles.propose(shop.on("2026-03-31"), apply=True)
    assert shop.lifecycles.history(one) == ()


def test_failing_lifecycle_is_named_and_the_others_are_proposed(
    open_shop: OpenShop, shop_catalog: Any
) -> None:
    broken = Lifecycle(
        name="shop.broken", stages=[Stage("a", "prospect"), Stage("z", "termination")],
        moves={("a", "z")}, propose="SELECT subject_id, no_such_column AS stage FROM population",
    )  # fmt: skip
    lifecycles = {**shop_catalog().lifecycles, "shop.broken": broken}
    shop = open_shop(lifecycles=lifecycles)
    shop.customer()
    found = shop.lifecycles.propose(shop.on("2026-03-31"), apply=True)
    assert len(found.faults) == 1 and found.faults[0].startswith("lifecycle shop.broken: ")
    assert [c["lifecycle"] for c in found.counts] == ["shop.buyer", "core.customer"]


def test_proposal_that_names_a_subject_twice_is_refused(
    open_shop: OpenShop, shop_catalog: Any
) -> None:
    twice = Lifecycle(
        name="shop.twice", stages=[Stage("a", "prospect"), Stage("z", "termination")],
        moves={("a", "z")},
        propose="SELECT subject_id, as_of, 'a' AS stage, '' AS reason FROM population "
        "UNION ALL SELECT subject_id, as_of, 'z' AS stage, '' AS reason FROM population",
    )  # fmt: skip
    shop = open_shop(lifecycles={"shop.twice": twice})
    shop.customer()
    found = shop.lifecycles.propose(shop.on("2026-03-31"))
    assert found.faults == ("lifecycle shop.twice: its proposal has a subject twice.",)


def test_rule_outweighs_the_lifecycles_own_proposal_while_it_holds(
    open_shop: OpenShop, make_rule: Any
) -> None:
    rule = make_rule(
        "tired", when="shop_days_since_visit >= 20", action="propose_stage", target="gone",
        message="absent for {shop_days_since_visit} days", cooldown_days=30,
    )  # fmt: skip
    shop = open_shop(rules={rule.name: rule})
    one = shop.customer()
    shop.log("shop.visit", one, "2026-02-01")
    shop.lifecycles.propose(shop.on("2026-02-01"), apply=True)
    shop.rules.run(shop.on("2026-02-25"))
    found = shop.lifecycles.propose(shop.on("2026-02-25"), apply=True, lifecycle="shop.buyer")
    move = found.moves.to_pylist()[0]
    assert (move["from_stage"], move["to_stage"]) == ("buyer", "gone")
    assert (move["reason"], move["rule"]) == ("absent for 24 days", "shop.tired")
    # A day later the rule is cooling but still holds: nobody is moved back.
    shop.rules.run(shop.on("2026-02-26"))
    again = shop.lifecycles.propose(shop.on("2026-02-26"), apply=True, lifecycle="shop.buyer")
    assert again.counts[0]["unchanged"] == 1
    # The customer is back, the rule holds no more, and the lifecycle's own proposal counts.
    shop.log("shop.visit", one, "2026-02-27")
    shop.rules.run(shop.on("2026-02-27"))
    back = shop.lifecycles.propose(shop.on("2026-02-27"), apply=True, lifecycle="shop.buyer")
    assert stages(back, "shop.buyer") == [(one, "gone", "buyer")]


def test_stages_are_proposed_on_each_database(
    open_shop: OpenShop, make_rule: Any, database_url: str
) -> None:
    rule = make_rule("tired", when="shop_days_since_visit >= 80", action="propose_stage", target="gone")  # fmt: skip
    shop = open_shop(database_url, rules={rule.name: rule})
    one = shop.customer()
    shop.log("shop.visit", one, "2026-02-01")
    found = shop.lifecycles.propose(shop.on("2026-03-31"), apply=True)
    assert stages(found, "shop.buyer") == [(one, None, "buyer")]
    assert stages(found, "core.customer") == [(one, None, "growth")]
    shop.rules.run(shop.on("2026-04-25"))
    assert shop.lifecycles.propose(shop.on("2026-04-24"), apply=True).moves.num_rows == 0
    found = shop.lifecycles.propose(shop.on("2026-04-25"), apply=True)
    assert stages(found, "shop.buyer") == [(one, "buyer", "gone")]
    assert found.moves.column("reason")[0].as_py() == "absent for 83 days"
    assert shop.store.stages.current("core.customer") == {one: "termination"}


# --- measured -------------------------------------------------------------------------------------


def test_funnel_counts_now_reached_conversion_and_median_stay(open_shop: OpenShop) -> None:
    """Five enter; stays as buyer that ended lasted 10, 20 and 40 days: the median by rank is 20."""
    shop = open_shop()
    paths = {
        "a": [("visitor", "2026-01-01"), ("buyer", "2026-01-11"), ("fan", "2026-01-21")],
        "b": [("buyer", "2026-01-01"), ("gone", "2026-01-21")],
        "c": [("buyer", "2026-01-01"), ("fan", "2026-02-10")],
        "d": [("visitor", "2026-01-01")],
        "e": [("buyer", "2026-03-01")],
    }
    for path in paths.values():
        one = shop.customer()
        for stage, day in path:
            shop.clock.set(shop.on(day).instant.replace(hour=0))
            shop.clock.set(shop.clock().replace(day=int(day[-2:]), month=int(day[5:7]), hour=12))
            shop.lifecycles.advance("shop.buyer", one, stage)
    rows = shop.lifecycles.funnel("shop.buyer", shop.on("2026-03-31")).to_pylist()
    found = [
        (r["stage"], r["customers"], r["reached"], r["conversion"], r["median_days"]) for r in rows
    ]
    assert found == [
        # All five reached visitor or a later stage that is no end.
        ("visitor", 1, 5, None, 10),
        ("buyer", 1, 4, pytest.approx(4 / 5), 20),
        ("fan", 2, 2, pytest.approx(2 / 4), None),
        # An end against all who ever had a stage.
        ("gone", 1, 1, pytest.approx(1 / 5), None),
    ]
    # As of January only what had happened by then.
    early = shop.lifecycles.funnel("shop.buyer", shop.on("2026-01-15")).to_pylist()
    assert [r["customers"] for r in early] == [1, 3, 0, 0]


def test_funnel_of_nobody_has_every_stage_with_zero(open_shop: OpenShop) -> None:
    rows = open_shop().lifecycles.funnel("core.customer").to_pylist()
    assert [r["stage"] for r in rows] == [
        "prospect", "development", "growth", "maturity", "termination",
    ]  # fmt: skip
    assert {(r["customers"], r["reached"], r["conversion"]) for r in rows} == {(0, 0, None)}
