"""Rules and segments over the wide table: fired in one pass, kept, cooled down, and isolated."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from crmkit.declarations import Feature, FeatureSet, Scope
from crmkit.entities import FieldType
from crmkit.errors import NotFound, PluginError

OpenShop = Callable[..., Any]


def with_rules(open_shop: OpenShop, *rules: Any, **changes: Any) -> Any:
    return open_shop(rules={rule.name: rule for rule in rules}, **changes)


def fired(run: Any) -> list[tuple[str, int]]:
    return [(row["rule"], row["subject_id"]) for row in run.rows()]


def test_rule_fires_on_whoever_fulfils_it_with_message_and_evidence(
    open_shop: OpenShop, make_rule: Any
) -> None:
    rule = make_rule(evidence=["shop_visits_60d"])
    shop = with_rules(open_shop, rule)
    near, far, _never = shop.customer(), shop.customer(), shop.customer()
    shop.log("shop.visit", near, "2026-03-20")
    shop.log("shop.visit", far, "2026-02-01", "2026-02-10")
    run = shop.rules.run(shop.on("2026-03-31"))
    # 10 February to 31 March are 49 days; who never came has no value, which fulfils nothing.
    row = run.rows()[0]
    assert fired(run) == [("shop.absent", far)]
    assert (row["action"], row["target"]) == ("list", "call")
    assert row["message"] == "absent for 49 days"
    assert json.loads(row["evidence"]) == {"shop_days_since_visit": 49, "shop_visits_60d": 2}
    assert (run.counts[0]["fired"], run.counts[0]["served"]) == (1, 1)


def test_firings_are_kept_in_the_store_and_as_an_outcome_table(
    open_shop: OpenShop, make_rule: Any
) -> None:
    shop = with_rules(open_shop, make_rule())
    one = shop.customer()
    shop.log("shop.visit", one, "2026-02-01")
    shop.rules.run(shop.on("2026-03-31"))
    kept = shop.store.outcomes.for_subject(one)
    assert [(o.name, o.kind, o.reasons) for o in kept] == [
        ("shop.absent", "rule", ("absent for 58 days",))
    ]
    assert kept[0].evidence == {"shop_days_since_visit": 58}
    # Later the customer is back: nothing fires, and nothing is left in the store.
    shop.log("shop.visit", one, "2026-04-29")
    shop.rules.run(shop.on("2026-04-30"))
    assert shop.store.outcomes.for_subject(one) == []


def test_money_and_missing_values_read_well_in_messages(
    open_shop: OpenShop, make_rule: Any
) -> None:
    rule = make_rule(
        when="shop_visits_60d = 0",
        message="spent {shop_spent_60d_minor}, absent for {shop_days_since_visit:.1f} days",
    )
    shop = with_rules(open_shop, rule)
    shop.customer()
    run = shop.rules.run(shop.on("2026-03-31"))
    # spent_60d_minor is declared missing=0, the days have no value.
    assert run.rows()[0]["message"] == "spent 0.00, absent for unknown days"


def test_cooldown_counts_days_and_the_same_date_fires_the_same(
    open_shop: OpenShop, make_rule: Any
) -> None:
    shop = with_rules(open_shop, make_rule(cooldown_days=14))
    one = shop.customer()
    shop.log("shop.visit", one, "2026-01-01")
    found = {}
    for day in ("2026-03-01", "2026-03-01", "2026-03-14", "2026-03-15", "2026-03-16"):
        run = shop.rules.run(shop.on(day))
        found[day] = (run.counts[0]["fired"], run.counts[0]["cooling"])
        # While it cools down and still holds, the firing stays in the store.
        assert len(shop.store.outcomes.list("shop.absent")) == 1
    assert found == {
        "2026-03-01": (1, 0), "2026-03-14": (0, 1), "2026-03-15": (1, 0), "2026-03-16": (0, 1),
    }  # fmt: skip


def test_run_for_the_past_leaves_the_latest_in_the_store(
    open_shop: OpenShop, make_rule: Any
) -> None:
    shop = with_rules(open_shop, make_rule())
    early, late = shop.customer(), shop.customer()
    shop.log("shop.visit", early, "2026-01-01", "2026-03-30")
    shop.log("shop.visit", late, "2026-01-01")
    shop.rules.run(shop.on("2026-03-31"))
    past = shop.rules.run(shop.on("2026-02-28"))
    assert {row["subject_id"] for row in past.rows()} == {early, late}
    assert [o.subject_id for o in shop.store.outcomes.list("shop.absent")] == [late]


def test_failing_rules_are_named_and_the_others_run(open_shop: OpenShop, make_rule: Any) -> None:
    shop = with_rules(
        open_shop,
        make_rule("good"),
        make_rule("misspelt", when="shop_days_since_visits >= 30"),
        make_rule("barred", when="random() > 0.5 AND shop_days_since_visit > 1"),
        make_rule("mistyped", when="shop_tier > 5"),
        make_rule("badwords", message="{shop_tier:.1f}", when="shop_tier = 'basic'"),
    )
    one = shop.customer(tier="basic")
    shop.log("shop.visit", one, "2026-01-01")
    run = shop.rules.run(shop.on("2026-03-31"))
    assert fired(run) == [("shop.good", one)]
    assert sorted(run.faults) == ["shop.badwords", "shop.barred", "shop.misspelt", "shop.mistyped"]
    assert "did you mean shop_days_since_visit" in run.faults["shop.misspelt"]
    assert "is not allowed" in run.faults["shop.barred"]
    assert "its message cannot be filled" in run.faults["shop.badwords"]


def test_rule_on_a_broken_feature_is_named_and_the_others_run(
    open_shop: OpenShop, make_rule: Any, shop_catalog: Any
) -> None:
    broken = FeatureSet(
        name="shop.broken", sql="SELECT subject_id, as_of, nothing AS shop_broken FROM shop_visit",
        features=[shop_catalog().features["shop.visits_60d"].__class__(
            name="shop.broken", type=shop_catalog().features["shop.visits_60d"].type)],
    )  # fmt: skip
    rules = [make_rule("good"), make_rule("broken", when="shop_broken > 1")]
    sets = {**shop_catalog().feature_sets, "shop.broken": broken}
    shop = with_rules(open_shop, *rules, feature_sets=sets)
    one = shop.customer()
    shop.log("shop.visit", one, "2026-01-01")
    run = shop.rules.run(shop.on("2026-03-31"))
    assert fired(run) == [("shop.good", one)]
    assert "feature set shop.broken" in run.faults["shop.broken"]


def test_action_that_nobody_serves_is_counted(open_shop: OpenShop, make_rule: Any) -> None:
    shop = with_rules(
        open_shop,
        make_rule("case", action="open_case", target="desk"),
        make_rule("stage", action="propose_stage", target="gone"),
        make_rule("nowhere", action="propose_stage", target="heaven"),
    )
    shop.log("shop.visit", shop.customer(), "2026-01-01")
    run = shop.rules.run(shop.on("2026-03-31"))
    assert {c["rule"]: (c["fired"], c["served"]) for c in run.counts} == {
        "shop.case": (1, 0), "shop.nowhere": (1, 0), "shop.stage": (1, 1),
    }  # fmt: skip


def test_stage_is_a_column_and_a_score_that_cannot_be_trained_a_remark(
    open_shop: OpenShop, make_rule: Any
) -> None:
    shop = with_rules(
        open_shop,
        make_rule("fan", when="stage_shop_buyer = 'fan'", message="a fan"),
        make_rule("risk", when="score_shop_leave > 0.5", message="risky"),
    )
    fan, _other = shop.customer(), shop.customer()
    shop.clock.set(shop.on("2026-03-30").instant)
    shop.lifecycles.advance("shop.buyer", fan, "fan")
    run = shop.rules.run(shop.on("2026-03-31"))
    assert fired(run) == [("shop.fan", fan)]
    assert run.faults == {}
    assert run.remarks == (
        "score shop.leave has no model, so what rests on it is empty: "
        "score shop.leave: nobody is in its cross-section on 2026-03-31.",
    )


def test_only_the_named_rules_run(open_shop: OpenShop, make_rule: Any) -> None:
    shop = with_rules(open_shop, make_rule("one"), make_rule("two"))
    shop.log("shop.visit", shop.customer(), "2026-01-01")
    assert {n for n, _ in fired(shop.rules.run(shop.on("2026-03-31"), ["shop.two"]))} == {
        "shop.two"
    }
    with pytest.raises(NotFound, match=r"there is no rule 'shop\.tow'\. Did you mean shop\.two"):
        shop.rules.run(shop.on("2026-03-31"), ["shop.tow"])


def test_rules_run_on_no_customers(open_shop: OpenShop, make_rule: Any) -> None:
    shop = with_rules(open_shop, make_rule(cooldown_days=7))
    run = shop.rules.run(shop.on("2026-03-31"))
    assert (run.rows(), run.faults) == ([], {})


# --- segments -------------------------------------------------------------------------------------


def with_segments(open_shop: OpenShop, *segments: Any) -> Any:
    return open_shop(segments={segment.name: segment for segment in segments})


def test_segment_keeps_members_and_their_history(open_shop: OpenShop, make_segment: Any) -> None:
    shop = with_segments(open_shop, make_segment("regulars", "shop_visits_60d >= 2"))
    one, two, three = (shop.customer() for _ in range(3))
    shop.log("shop.visit", one, "2026-01-05", "2026-01-06")
    shop.log("shop.visit", two, "2026-01-05", "2026-01-20", "2026-03-10", "2026-03-11")
    shop.log("shop.visit", three, "2026-03-01")
    january = shop.segments.run("shop.regulars", shop.on("2026-01-31"))
    march = shop.segments.run("shop.regulars", shop.on("2026-03-31"))
    assert [r["subject_id"] for r in january.rows()] == [one, two]
    assert [(r["subject_id"], r["evidence"]) for r in march.rows()] == [
        (two, {"shop_visits_60d": 2})
    ]
    assert [h["members"] for h in shop.segments.history("shop.regulars")] == [2, 1]
    listed = shop.segments.list()[0]
    assert (listed["name"], listed["members"]) == ("shop.regulars", 1)
    assert [o.subject_id for o in shop.store.outcomes.list("shop.regulars")] == [two]


def test_failing_segment_names_plugin_and_cause_after_the_others_are_kept(
    open_shop: OpenShop, make_segment: Any
) -> None:
    shop = with_segments(
        open_shop, make_segment("bad", "shop_visit_60d > 1"), make_segment("good", "shop_visits_60d > 0")
    )  # fmt: skip
    one = shop.customer()
    shop.log("shop.visit", one, "2026-03-30")
    with pytest.raises(PluginError, match=r"plugin shop, segment shop\.bad: .*shop_visits_60d"):
        shop.segments.run_all(shop.on("2026-03-31"))
    assert [o.subject_id for o in shop.store.outcomes.list("shop.good")] == [one]


def test_segment_never_run_has_no_members_yet(open_shop: OpenShop, make_segment: Any) -> None:
    shop = with_segments(open_shop, make_segment("any", "shop_visits_60d >= 0"))
    assert (shop.segments.list()[0]["members"], shop.segments.history("shop.any")) == (None, ())


# --- one customer, versions -----------------------------------------------------------------------


def test_one_customer_is_run_from_the_store_and_leaves_the_others_alone(
    open_shop: OpenShop, make_rule: Any
) -> None:
    shop = with_rules(open_shop, make_rule(cooldown_days=14))
    one, other = shop.customer(), shop.customer()
    shop.log("shop.visit", other, "2026-01-01")
    shop.rules.run(shop.on("2026-03-31"))
    shop.log("shop.visit", one, "2026-01-10")
    alone = shop.rules.run_for(one, shop.on("2026-03-31"))
    assert shop.warehouse.is_stale()  # no snapshot was needed
    assert fired(alone) == [("shop.absent", one)]
    assert alone.counts[0]["looked_at"] == "one customer"
    kept = [o.subject_id for o in shop.store.outcomes.list("shop.absent")]
    assert sorted(kept) == [one, other]
    # What was kept of both for that date counts for the cool-down.
    later = shop.rules.run(shop.on("2026-04-05"))
    assert (later.counts[0]["fired"], later.counts[0]["cooling"]) == (0, 2)


def test_dry_run_keeps_nothing(open_shop: OpenShop, make_rule: Any) -> None:
    shop = with_rules(open_shop, make_rule())
    one = shop.customer()
    shop.log("shop.visit", one, "2026-01-01")
    for run in (
        shop.rules.run(shop.on("2026-03-31"), keep=False),
        shop.rules.run_for(one, shop.on("2026-03-31"), keep=False),
    ):
        assert fired(run) == [("shop.absent", one)]
    assert shop.store.outcomes.for_subject(one) == []
    assert not shop.settings.runs.exists()


def test_feature_of_everyone_is_that_of_the_last_full_run_with_its_date(
    open_shop: OpenShop, make_rule: Any, shop_catalog: Any
) -> None:
    share = FeatureSet(
        name="shop.share", scope=Scope.POPULATION,
        sql="SELECT v.subject_id, v.as_of, count(*) / max(a.n) AS shop_share FROM shop_visit v "
        "JOIN (SELECT as_of, count(*) AS n FROM shop_visit GROUP BY as_of) a ON a.as_of = v.as_of "
        "GROUP BY v.subject_id, v.as_of",
        features=[Feature(name="shop.share", type=FieldType.NUMBER)],
    )  # fmt: skip
    rule = make_rule("large", when="shop_share >= 0.5", message="{shop_share}")
    sets = {**shop_catalog().feature_sets, share.name: share}
    shop = with_rules(open_shop, rule, feature_sets=sets)
    one, other = shop.customer(), shop.customer()
    shop.log("shop.visit", one, "2026-01-01", "2026-01-02", "2026-01-03")
    shop.log("shop.visit", other, "2026-01-01")
    never = shop.rules.run_for(one, shop.on("2026-03-30"), keep=False)
    assert never.rows() == [] and "never computed" in never.remarks[0]
    # 3 of 4 visits.
    assert shop.rules.run(shop.on("2026-03-31")).rows()[0]["message"] == "0.75"
    shop.log("shop.visit", other, "2026-01-04", "2026-01-05", "2026-01-06", "2026-01-07")
    at = shop.on("2026-03-31")
    for run in (
        shop.rules.run_for(one, at, keep=False),
        shop.rules.run(at, changed=True, keep=False),
    ):
        # Now 3 of 8, but not as the last full run saw it.
        assert [(r["subject_id"], r["message"]) for r in run.rows()] == [(one, "0.75")]
    alone = shop.rules.run_for(one, at, keep=False)
    assert alone.remarks == ("shop_share looks at other customers and is of 2026-04-01 00:00.",)


def test_firings_keep_the_version_of_the_text_that_fired(
    open_shop: OpenShop, make_rule: Any, shop_catalog: Any
) -> None:
    shop = with_rules(open_shop, make_rule())
    one = shop.customer()
    shop.log("shop.visit", one, "2026-01-01")
    first = shop.rules.run(shop.on("2026-03-30")).rows()[0]["version"]
    rule = make_rule(when="shop_days_since_visit >= 60")
    shop.reopen(shop_catalog(rules={rule.name: rule}))
    second = shop.rules.run(shop.on("2026-03-31")).rows()[0]["version"]
    told = shop.rules.versions("shop.absent")
    assert [(t["version"], t["when"], t["runs"]) for t in told] == [
        (first, "shop_days_since_visit >= 30", 1), (second, "shop_days_since_visit >= 60", 1),
    ]  # fmt: skip
    assert shop.store.outcomes.for_subject(one)[0].model_version == second != first
