"""The score service: dates, labels, walls, training, runs and explanations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import attrs
import numpy as np
import pytest

from crmkit.analysis.scores.applying import bands
from crmkit.analysis.scores.dataset import Datasets, month_ends, recorded
from crmkit.analysis.scores.stability import verdict
from crmkit.declarations import Feature, FeatureSet
from crmkit.entities import FieldType
from crmkit.errors import ConfigError, NotFound, UsageError

OpenShop = Callable[..., Any]


def datasets(shop: Any) -> Datasets:
    return Datasets(shop.warehouse, shop.features, shop.catalog, shop.settings)


def fill(shop: Any, customers: int = 80) -> dict[int, bool]:
    """Customers from January to August 2025; a few more than a third say goodbye.

    The loyal come every 10 to 26 days all along. Of every four, one leaves: on the 20th of a month
    from March to September; half of these come no more from the month before on, the others until
    they go. Every eighth of the others leaves from full activity, so nothing tells the outcome alone.
    """
    left: dict[int, bool] = {}
    for i in range(customers):
        leaves, chance = i % 4 == 0, i % 8 == 1
        one = shop.customer("2025-01-01", tier="basic" if i % 3 == 0 else "gold")
        month = 2 + i % 6
        end = date(2025, month, 1) if i % 8 == 0 else date(2025, month + 1, 18)
        end = end if leaves or chance else date(2025, 8, 31)
        day, days = date(2025, 1, 1 + i % 9), []
        while day <= end:
            days.append(day.isoformat())
            day += timedelta(days=10 + (i % 5) * 4)
        shop.log("shop.visit", one, *days)
        if leaves or chance:
            shop.log("shop.goodbye", one, date(2025, month + 1, 20).isoformat())
        left[one] = leaves or chance
    shop.clock.set(shop.on("2025-09-30").instant)
    return left


# --- dates and labels -----------------------------------------------------------------------------


def test_month_ends_between_two_days_both_included() -> None:
    assert month_ends(date(2023, 12, 31), date(2024, 3, 30)) == [
        date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 29),
    ]  # fmt: skip
    assert month_ends(date(2024, 3, 1), date(2024, 3, 30)) == []


def test_a_thin_tail_of_events_is_no_record_of_what_did_not_happen() -> None:
    """Median of 100, 120, 90, 40 and 3 is 90; April has less than 45 and May too."""
    found = recorded(
        [
            (100, date(2025, 1, 3), date(2025, 1, 31)),
            (3, date(2025, 5, 1), date(2025, 5, 20)),
            (120, date(2025, 2, 1), date(2025, 2, 28)),
            (90, date(2025, 3, 1), date(2025, 3, 30)),
            (40, date(2025, 4, 1), date(2025, 4, 12)),
        ]
    )
    assert found == (date(2025, 1, 3), date(2025, 3, 30))
    assert recorded([]) == (None, None)
    assert recorded([(1, date(2025, 1, 3), date(2025, 1, 3))])[1] == date(2025, 1, 3)


def test_label_is_what_happens_within_the_horizon_after_the_date(open_shop: OpenShop) -> None:
    """With 30 days of horizon, of January's end counts 31 January < day <= 2 March."""
    shop = open_shop()
    days = {"2025-01-31": 0, "2025-02-01": 1, "2025-03-02": 1, "2025-03-03": 0, None: 0}
    expected = {}
    for goodbye, label in days.items():
        one = shop.customer()
        shop.log("shop.visit", one, "2025-01-10")
        if goodbye:
            shop.log("shop.goodbye", one, goodbye)
        expected[one] = label
    stranger = shop.customer()
    shop.log("shop.visit", stranger, "2025-04-15")  # the last event, and not of the population
    shop.clock.set(shop.on("2025-04-30").instant)
    data = datasets(shop).over_time(shop.catalog.scores["shop.leave"], shop.on("2025-04-30"))
    january = data.between(date(2025, 1, 31), date(2025, 1, 31)).to_pylist()
    assert {r["subject_id"]: r["label"] for r in january} == expected
    assert {r["shop_days_since_visit"] for r in january} == {21}


def test_each_subject_is_learnt_from_at_its_own_moment(open_shop: OpenShop, leave: Any) -> None:
    """At the first visit: that visit is seen, later ones are not, and 30 days have to follow it."""
    first = attrs.evolve(
        leave,
        moments="SELECT subject_id, min(occurred_at) AS moment FROM shop_visit GROUP BY subject_id",
    )
    shop = open_shop(scores={first.name: first})
    leaver, stayer, late_comer = (shop.customer() for _ in range(3))
    shop.log("shop.visit", leaver, "2025-02-10", "2025-02-20")
    shop.log("shop.goodbye", leaver, "2025-03-12")  # the 30th day after
    shop.log("shop.visit", stayer, "2025-03-31")
    shop.log("shop.visit", late_comer, "2025-04-01")  # 29 days before the last day seen
    data = datasets(shop).over_time(shop.catalog.scores["shop.leave"], shop.on("2025-04-30"))
    found = {row["subject_id"]: row for row in data.table.to_pylist()}
    assert {who: row["label"] for who, row in found.items()} == {leaver: 1, stayer: 0}
    assert found[leaver]["as_of_on"] == date(2025, 2, 10)
    assert (found[leaver]["shop_visits_60d"], found[leaver]["shop_days_since_visit"]) == (1, 0)
    assert data.last is data


def test_null_label_leaves_the_row_out(open_shop: OpenShop, leave: Any) -> None:
    """Whoever goes within a week of the date came too soon: neither loyal nor an outcome."""
    gap = attrs.evolve(
        leave,
        target="SELECT subject_id, as_of, CASE WHEN days_after > 7 THEN 1 END AS label "
        "FROM shop_goodbye WHERE days_after > 0 AND days_after <= 30",
    )
    shop = open_shop(scores={gap.name: gap})
    expected = {}
    for days, label in (
        (["2025-02-05"], None), (["2025-02-08"], 1), ([], 0), (["2025-02-05", "2025-02-10"], 1),
    ):  # fmt: skip
        one = shop.customer()
        shop.log("shop.visit", one, "2025-01-10")
        shop.log("shop.goodbye", one, *days)
        if label is not None:
            expected[one] = label
    shop.log("shop.visit", shop.customer(), "2025-04-15", "2025-04-16", "2025-04-17")
    data = datasets(shop).over_time(shop.catalog.scores["shop.leave"], shop.on("2025-04-30"))
    january = data.between(date(2025, 1, 31), date(2025, 1, 31)).to_pylist()
    assert {r["subject_id"]: r["label"] for r in january} == expected


@pytest.mark.parametrize("form", ["target", "cross_section"])
def test_label_other_than_0_1_and_null_is_refused(
    open_shop: OpenShop, leave: Any, form: str
) -> None:
    odd = attrs.evolve(leave, **{form: "SELECT subject_id, as_of, 2 AS label FROM shop_customer"})
    shop = open_shop(scores={odd.name: odd})
    fill(shop, 16)
    with pytest.raises(ConfigError, match="a label is 0, 1 or NULL, not 2"):
        shop.scores.evaluate("shop.leave", cv=3 if form == "cross_section" else None)


def test_null_label_leaves_a_row_of_a_cross_section_out(open_shop: OpenShop, leave: Any) -> None:
    unclear = attrs.evolve(
        leave,
        cross_section="SELECT subject_id, as_of, CASE tier WHEN 'gone' THEN 1 WHEN 'here' THEN 0 "
        "END AS label FROM shop_customer",
    )
    shop = open_shop(scores={unclear.name: unclear})
    expected = {shop.customer(tier="gone"): 1, shop.customer(tier="here"): 0}
    shop.customer(tier="unclear")
    shop.clock.advance(days=1)
    at = shop.on("2025-12-31")
    data = datasets(shop).cross_section(shop.catalog.scores["shop.leave"], at)
    rows = data.table.to_pylist()
    assert {r["subject_id"]: r["label"] for r in rows} == expected


def test_dates_count_only_when_their_horizon_has_been_seen(open_shop: OpenShop) -> None:
    shop = open_shop()
    one, two = shop.customer(), shop.customer()
    shop.log(
        "shop.visit", one, "2025-01-10", "2025-02-10", "2025-03-10", "2025-04-10", "2025-05-31"
    )
    shop.log("shop.visit", two, "2025-01-10", "2025-02-10", "2025-03-10", "2025-04-10")
    shop.log("shop.goodbye", two, "2025-05-20")
    score = shop.catalog.scores["shop.leave"]
    # Seen to 31 May, 30 days after 30 April end on 30 May; 31 May has none.
    later = datasets(shop).over_time(score, shop.on("2025-12-31"))
    assert [str(d) for d in later.dates] == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"]


def test_last_dates_without_any_outcome_are_left_out_with_a_warning(open_shop: OpenShop) -> None:
    shop = open_shop()
    one = shop.customer()
    shop.log(
        "shop.visit", one, "2025-01-10", "2025-02-10", "2025-03-10", "2025-04-10", "2025-06-10"
    )
    shop.log("shop.goodbye", one, "2025-02-20")
    data = datasets(shop).over_time(shop.catalog.scores["shop.leave"], shop.on("2025-12-31"))
    assert [str(d) for d in data.dates] == ["2025-01-31"]
    assert data.warnings[0] == (
        "2025-02-28 to 2025-04-30 left out: nobody leaves after 2025-01-31, so the outcomes may not "
        "have been recorded yet."
    )


def test_dates_before_an_input_was_known_are_refused_by_name(open_shop: OpenShop) -> None:
    """The tier is known only since customers were filed in March (design D3)."""
    shop = open_shop()
    one, two = shop.customer("2025-03-01", tier="basic"), shop.customer("2025-03-01", tier="gold")
    for who in (one, two):
        shop.log("shop.visit", who, "2025-01-10", "2025-02-10", "2025-03-10", "2025-04-10")
    shop.log("shop.goodbye", two, "2025-05-10")
    shop.log("shop.visit", one, "2025-06-10")
    score = shop.catalog.scores["shop.leave"]
    data = datasets(shop).over_time(score, shop.on("2025-12-31"))
    assert [str(d) for d in data.dates] == ["2025-03-31", "2025-04-30"]
    assert data.warnings == (
        "2025-01-31 to 2025-02-28 left out: not known to anybody then: shop.tier.",
    )


def test_no_events_say_what_is_missing(open_shop: OpenShop, leave: Any) -> None:
    shop = open_shop(scores={leave.name: attrs.evolve(leave, cross_section=None)})
    shop.customer()
    with pytest.raises(ConfigError, match=r"no month-end has its outcome known") as caught:
        shop.scores.train("shop.leave")
    assert "events are seen from no day to no day, and 30 days have to follow" in str(caught.value)


# --- walls ----------------------------------------------------------------------------------------


def test_feature_that_reads_a_field_known_afterwards_is_refused(
    open_shop: OpenShop, shop_catalog: Any, leave: Any
) -> None:
    late = FeatureSet(
        name="shop.late",
        sql="SELECT subject_id, as_of, left_because AS shop_late FROM shop_customer",
        features=[Feature(name="shop.late", type=FieldType.TEXT)],
    )
    score = attrs.evolve(leave, features=(*leave.features, "shop.late"))
    sets = {**shop_catalog().feature_sets, "shop.late": late}
    shop = open_shop(feature_sets=sets, scores={score.name: score})
    for act in (shop.scores.train, shop.scores.evaluate):
        with pytest.raises(
            ConfigError, match=r"shop\.late reads shop_customer\.left_because"
        ) as caught:
            act("shop.leave")
        assert caught.value.code == "E_LEAK"


def test_input_that_tells_the_outcome_alone_stops_the_training(open_shop: OpenShop) -> None:
    """Nobody said so, but the tier is written when a customer leaves."""
    shop = open_shop()
    for i in range(60):
        gone = {"left_because": "price"} if i % 3 == 0 else {}
        shop.customer(tier="closed" if i % 3 == 0 else "open", **gone)
    shop.clock.advance(days=1)
    with pytest.raises(
        ConfigError, match=r"score shop\.leave: .*: shop\.tier \(AUC 1\.000, "
    ) as caught:
        shop.scores.evaluate("shop.leave", cv=3)
    assert (caught.value.code, caught.value.exit_code) == ("E_LEAK", 5)
    found = shop.scores.evaluate("shop.leave", cv=3, allow_leak=True)
    assert found["auc"] == 1.0
    assert found["calibration_slope"] is None  # the values separate the outcomes completely
    assert found["warnings"][0].startswith("shop.tier tells much by itself")


# --- train, run, explain --------------------------------------------------------------------------


@pytest.fixture
def filled(open_shop: OpenShop) -> Any:
    shop = open_shop()
    fill(shop)
    return shop


def test_training_is_on_known_outcomes_and_equal_data_train_one_version(filled: Any) -> None:
    model = filled.scores.train("shop.leave", until=date(2025, 6, 30))
    # The history begins on 1 January; 30 days after 31 May are 30 June.
    assert model.dates == ("2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31")
    assert (model.version, model.until) == (1, "2025-06-30")
    assert filled.scores.train("shop.leave", until=date(2025, 6, 30)).version == 1
    assert filled.scores.train("shop.leave").version == 2
    listed = filled.scores.list()[0]
    assert (listed["version"], listed["rows"] > model.rows) == ("2", True)


def test_evaluation_is_on_later_dates_whose_outcomes_were_not_learnt(filled: Any) -> None:
    found = filled.scores.evaluate("shop.leave", train_until=date(2025, 5, 31))
    assert list(found) == [
        "score", "n", "positives", "auc", "auc_sd", "ks", "brier", "log_loss", "lift_top_decile",
        "calibration_slope", "calibration_intercept", "protocol", "train_until", "warnings",
    ]  # fmt: skip
    # 31 May less 30 days of horizon is 1 May: the last date learnt from is 30 April.
    assert found["protocol"] == (
        "trained on 4 dates 2025-01-31 to 2025-04-30 with outcomes known by 2025-05-31, "
        "tested on 3 later dates 2025-05-31 to 2025-07-31"
    )
    assert found["train_until"] == date(2025, 5, 31)
    assert 0 < found["positives"] < found["n"]


def test_cut_that_leaves_nothing_to_learn_from_says_which_dates_there_are(filled: Any) -> None:
    with pytest.raises(ConfigError, match="there are 0 rows to train on") as caught:
        filled.scores.evaluate("shop.leave", train_until=date(2025, 2, 15))
    assert "dates are 2025-01-31, 2025-02-28" in str(caught.value)


def test_folds_of_a_score_with_dates_say_that_they_are_of_one_date_and_compute_no_other(
    open_shop: OpenShop, leave: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = open_shop(scores={leave.name: attrs.evolve(leave, cross_section=None)})
    fill(filled, customers=240)
    built = []
    build = filled.features.build
    monkeypatch.setattr(
        filled.features, "build", lambda s, n, p: built.append(p.span()) or build(s, n, p)
    )
    found = filled.scores.evaluate("shop.leave", cv=3)
    (day,) = {first for first, last in built if first == last} & {last for _, last in built}
    assert len(built) <= 2
    assert any(f"cross-validated on the rows of {day} alone" in w for w in found["warnings"])
    assert str(day) in found["protocol"]


def test_a_score_says_what_share_of_a_source_it_has_not_seen(filled: Any) -> None:
    """9,727 of 10,000 rows rejected: what is left is another population (97.3 %)."""
    imports = filled.store.imports
    named = {"file_name": "bills.csv", "profile": "p", "profile_hash": "q"}

    def run(file_hash: str, **counts: int) -> None:
        one = imports.start(**named, file_hash=file_hash, source="billing")
        with filled.store.begin("import") as tx:
            imports.save_progress(tx, one.id, next_line=2, **counts)
        imports.finish(one.id, seconds=1.0)

    run("f", read=10_000, created=273, rejected=9_727)
    found = filled.scores.evaluate("shop.leave", train_until=date(2025, 5, 31))
    assert found["warnings"][-1].startswith(
        "9,727 of 10,000 rows (97.3%) of source billing were rejected by import"
    )
    # The rejects were mended and imported by the same profile: nothing is missing any more.
    run("g", read=9_727, created=9_727)
    found = filled.scores.evaluate("shop.leave", train_until=date(2025, 5, 31))
    assert not [w for w in found["warnings"] if "were rejected" in w]


def test_a_score_tells_of_more_than_a_hundredth_rejected_and_not_of_less(
    open_shop: OpenShop,
) -> None:
    shop = open_shop()
    imports = shop.store.imports
    for source, read, rejected in (("one", 100, 1), ("two", 100, 2), ("none", 0, 0), ("all", 1, 1)):
        one = imports.start(
            file_name="f.csv", profile="p", profile_hash="q", file_hash=source, source=source
        )
        with shop.store.begin("import") as tx:
            imports.save_progress(tx, one.id, next_line=2, read=read, rejected=rejected)
        imports.finish(one.id, seconds=1.0)
    told = sorted(shop.scores._unseen())
    assert [words.split(" were rejected")[0] for words in told] == [
        "1 of 1 rows (100.0%) of source all",
        "2 of 100 rows (2.0%) of source two",
    ]


def test_run_keeps_value_band_reasons_and_hash_of_everyone(filled: Any) -> None:
    filled.scores.train("shop.leave", until=date(2025, 6, 30))
    run = filled.scores.run("shop.leave", filled.on("2025-06-30"))
    rows = sorted(run.rows(), key=lambda r: (-r["value"], r["subject_id"]))
    assert [r["band"] for r in rows] == sorted(r["band"] for r in rows)
    assert all(0 < r["value"] < 1 for r in rows)
    assert {r["model_version"] for r in rows} == {"1"}
    assert rows[0]["reasons"] and set(rows[0]["evidence"]) <= set(
        filled.catalog.scores["shop.leave"].features
    )
    assert rows[-1]["value"] < rows[0]["value"]
    stored = {o.subject_id: o.value for o in filled.store.outcomes.list("shop.leave")}
    assert stored == {r["subject_id"]: r["value"] for r in rows}
    with filled.warehouse.session() as session:
        from crmkit.warehouse.population import Population

        frame = session.frame(Population.at(filled.on("2025-06-30")), "report")
        outcome = frame.query("SELECT subject_id, value FROM outcome WHERE name = 'shop.leave'")
    assert dict(zip(*outcome.to_pydict().values(), strict=True)) == stored


def test_same_date_scores_the_same_and_later_data_change_nothing(filled: Any) -> None:
    filled.scores.train("shop.leave", until=date(2025, 6, 30))
    at = filled.on("2025-06-30")
    first = filled.scores.run("shop.leave", at)
    for one in first.table.column("subject_id").to_pylist()[:20]:
        filled.log("shop.visit", one, "2025-07-02", "2025-07-03")
        filled.log("shop.goodbye", one, "2025-07-04")
    second = filled.scores.run("shop.leave", at)
    same = ["subject_id", "value", "band", "reasons", "model_version", "inputs_hash"]
    assert second.run != first.run
    assert second.table.select(same) == first.table.select(same)


def test_explanation_recomputes_the_value_that_was_kept(filled: Any) -> None:
    filled.scores.train("shop.leave", until=date(2025, 6, 30))
    at = filled.on("2025-06-30")
    run = filled.scores.run("shop.leave", at)
    # A later version of the model must not change what was said then.
    filled.scores.train("shop.leave")
    for row in run.rows()[:10]:
        found = filled.scores.explain("shop.leave", row["subject_id"], at)
        assert (found.value, found.stored, found.same) == (row["value"], row["value"], True)
        assert (found.model_version, found.inputs_hash) == ("1", row["inputs_hash"])
        assert [reason.words for reason in found.reasons] == row["reasons"]
        z = np.log(found.value / (1 - found.value))
        model = filled.scores._models.load("shop.leave", 1)
        assert model.intercept + sum(found.contributions.values()) == pytest.approx(z, abs=1e-5)
    # Without a date, the latest run is explained.
    assert filled.scores.explain("shop.leave", run.rows()[0]["subject_id"]).same is True


def test_only_what_was_stored_by_the_date_is_explained(filled: Any) -> None:
    filled.scores.train("shop.leave", until=date(2025, 6, 30))
    run = filled.scores.run("shop.leave", filled.on("2025-06-30"))
    filled.scores.train("shop.leave")
    second = filled.scores.run("shop.leave", filled.on("2025-07-31"))
    both = set(second.table.column("subject_id").to_pylist())
    row = next(row for row in run.rows() if row["subject_id"] in both)
    # The day before: nothing stands in for what was not stored.
    told = r"no value of score shop\.leave was stored by 2025-06-29.*as of 2025-06-30"
    with pytest.raises(UsageError, match=told) as caught:
        filled.scores.explain("shop.leave", row["subject_id"], filled.on("2025-06-29"))
    assert caught.value.code == "E_NOT_FOUND"
    # The day after, and weeks after: what was stored by then, by the model of then.
    for day in ("2025-07-01", "2025-07-30"):
        found = filled.scores.explain("shop.leave", row["subject_id"], filled.on(day))
        assert (found.value, found.same, found.model_version) == (row["value"], True, "1")
        assert str(found.as_of.on) == "2025-06-30"
    later = filled.scores.explain("shop.leave", row["subject_id"], filled.on("2025-08-01"))
    assert (later.model_version, str(later.as_of.on)) == ("2", "2025-07-31")


def test_of_a_subject_that_no_run_has_nothing_is_explained(filled: Any) -> None:
    filled.scores.train("shop.leave", until=date(2025, 6, 30))
    run = filled.scores.run("shop.leave", filled.on("2025-06-30"))
    new = filled.store.customers.add(name="New")
    assert new.id not in run.table.column("subject_id").to_pylist()
    with pytest.raises(UsageError, match="None is stored at all; to store one: crmkit score run"):
        filled.scores.explain("shop.leave", new.id, filled.on("2025-06-30"))


def test_corrected_inputs_show_in_the_explanation(filled: Any) -> None:
    """A visit of before that was logged afterwards is known now, and was not then."""
    filled.scores.train("shop.leave", until=date(2025, 6, 30))
    at = filled.on("2025-06-30")
    row = filled.scores.run("shop.leave", at).rows()[0]
    filled.log("shop.visit", row["subject_id"], "2025-06-29")
    found = filled.scores.explain("shop.leave", row["subject_id"], at)
    assert (found.same, found.stored) == (False, row["value"])
    assert found.inputs_hash != row["inputs_hash"]


def test_model_that_is_a_sum_is_scored_by_the_engine(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the SQL changed by a hundred-thousandth, run and explanation refuse by name."""
    from crmkit.analysis.scores import applying

    model = filled.scores.train("shop.leave", until=date(2025, 6, 30), estimator="scorecard")
    at = filled.on("2025-06-30")
    run = filled.scores.run("shop.leave", at)
    inputs = datasets(filled).to_score(filled.catalog.scores["shop.leave"], at)
    assert run.table.column("value").to_pylist() == pytest.approx(
        model.predict(inputs).tolist(), abs=1e-9
    )
    exact = applying.sql_expression
    monkeypatch.setattr(applying, "sql_expression", lambda model: f"0.00001 + {exact(model)}")
    with pytest.raises(ConfigError, match=r"values 1\.0e-05 apart from Python; more than 1e-06"):
        filled.scores.run("shop.leave", at)


def test_trees_are_scored_in_batches_as_in_one(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmkit.analysis.scores import applying

    filled.scores.train("shop.leave", until=date(2025, 6, 30), estimator="boosting")
    at = filled.on("2025-06-30")
    whole = filled.scores.run("shop.leave", at)
    monkeypatch.setattr(applying, "BATCH", 7)
    parts = filled.scores.run("shop.leave", at)
    assert whole.table.num_rows > 7
    for column in ("value", "reasons", "inputs_hash"):
        assert parts.table.column(column).equals(whole.table.column(column))


def test_rivals_are_measured_on_the_rows_of_the_chosen_one(filled: Any) -> None:
    found = filled.scores.assess("shop.leave", rivals=True)
    assert [row["estimator"] for row in found.rivals] == ["logistic", "scorecard", "boosting"]
    [chosen] = [row for row in found.rivals if row["chosen"]]
    assert chosen["estimator"] == found.estimator
    for measure in ("auc", "brier", "lift_top_decile", "calibration_slope"):
        assert chosen[measure] == found.figures[measure]
    assert {power.feature for power in found.powers} == set(
        filled.catalog.scores["shop.leave"].features
    )


def test_without_a_declared_estimator_the_rivals_compete(filled: Any, shop_catalog: Any) -> None:
    free = attrs.evolve(filled.catalog.scores["shop.leave"], estimator=None)
    filled.reopen(shop_catalog(scores={free.name: free}))
    assert filled.scores.list()[0]["estimator"] == "automatic"
    model = filled.scores.train("shop.leave")
    assert filled.scores.list()[0]["estimator"] == model.estimator
    text = filled.scores.card("shop.leave")
    assert f"**{model.estimator}**" in text and "one-standard-error rule" in text


def test_folds_may_choose_differently(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five folds three choose the scorecard; each row keeps the value of its fold's choice."""
    from crmkit.analysis.scores import evaluation

    names = iter(["scorecard", "logistic", "scorecard", "logistic", "scorecard"])
    real = evaluation.fit_rivals
    monkeypatch.setattr(
        evaluation,
        "fit_rivals",
        lambda score, estimator, *rest, rivals, brought: real(
            score, next(names), *rest, rivals=rivals
        ),
    )
    score = filled.catalog.scores["shop.leave"]
    data = datasets(filled).over_time(score, filled.on("2025-09-30"))
    inputs = datasets(filled).inputs(score)
    found = evaluation.cross_validate(score, None, inputs, data, 5)
    assert (found.estimator, found.rivals) == ("scorecard", [])
    assert 0 < found.value.min() and found.value.max() < 1


def test_inferred_outcomes_are_learnt_from_and_never_tested_on(filled: Any) -> None:
    """Of ten subjects whose outcome is inferred one is known already, and keeps what is known."""
    from crmkit.analysis.scores import evaluation

    score, as_of = filled.catalog.scores["shop.leave"], filled.on("2025-09-30")
    data = datasets(filled).over_time(score, as_of).last
    ids = data.table.column("subject_id").to_pylist()
    known = data.table.slice(9)
    data = attrs.evolve(data, table=known)
    found = datasets(filled).with_inferred(score, data, {i: 1 for i in ids[:10]}, as_of)
    assert found.inferred is not None
    assert found.inferred.column("subject_id").to_pylist() == sorted(ids[:9])
    assert set(found.inferred.column("label").to_pylist()) == {1}
    assert found.learnt(known).num_rows == known.num_rows + 9
    assert found.warnings[-1].startswith("9 rows with an inferred outcome")
    judged = evaluation.cross_validate(score, "logistic", datasets(filled).inputs(score), found, 2)
    assert judged.figures["n"] == known.num_rows
    assert judged.label.tolist() == data.label.tolist()
    assert datasets(filled).with_inferred(score, data, {ids[9]: 1}, as_of) is data


def test_declared_estimator_has_no_rivals_unless_asked(filled: Any, shop_catalog: Any) -> None:
    fixed = attrs.evolve(filled.catalog.scores["shop.leave"], estimator="scorecard")
    filled.reopen(shop_catalog(scores={fixed.name: fixed}))
    model = filled.scores.train("shop.leave")
    assert (model.estimator, len(model.tuning["rivals"])) == ("scorecard", 1)
    assert model.tuning["chosen_by"] == "declaration or option"
    assert "None competed: scorecard" in filled.scores.card("shop.leave")
    found = filled.scores.assess("shop.leave", rivals=True)
    assert found.estimator == "scorecard" and len(found.rivals) == 3


def test_card_says_what_was_learnt_how_good_it_is_and_for_whom(filled: Any) -> None:
    plain = filled.scores.train("shop.leave")
    assert "Not measured when it was trained" in filled.scores.card("shop.leave")
    measured = filled.scores.train("shop.leave", measured=True)
    # The figures are no part of what was learnt: the same version, now with them.
    assert (measured.version, measured.hash) == (plain.version, plain.hash)
    found = filled.scores.evaluate("shop.leave")
    text = filled.scores.card("shop.leave")
    assert f"| AUC | {found['auc']:.4g} |" in text
    assert found["protocol"][1:] in text
    assert "| **logistic** |" in text and "| boosting |" in text and measured.hash in text
    assert f"{measured.rows} rows ({measured.positives} with the outcome)" in text
    for power in measured.tuning["powers"]:
        name, iv, auc = power["feature"], power["iv"], power["auc"]
        assert any(
            line.startswith(f"| `{name}` |") and line.endswith(f"| {iv:.4g} | {auc:.4g} |")
            for line in text.splitlines()
        )
    assert "Only for those whom its population SQL returns" in text


def test_stability_compares_runs_with_the_training_and_with_what_happened(filled: Any) -> None:
    model = filled.scores.train("shop.leave", until=date(2025, 6, 30), estimator="logistic")
    days = ("2025-05-31", "2025-06-30", "2025-08-31")
    runs = [filled.scores.run("shop.leave", filled.on(day)) for day in days]
    rows = filled.scores.stability("shop.leave")
    assert [(str(r["as_of"]), r["n"]) for r in rows] == [
        (day, run.table.num_rows) for day, run in zip(days, runs, strict=True)
    ]
    # By hand: shares of the run's values between the tenths of the training values.
    edges, shares = model.reference["edges"], model.reference["shares"]
    values = runs[1].table.column("value").to_pylist()
    bands = [sum(1 for e in edges if v > e) for v in values]
    held = [max(bands.count(b), 0.5) / len(values) for b in range(len(edges) + 1)]
    index = sum((h - s) * np.log(h / s) for h, s in zip(held, shares, strict=True) if s)
    assert rows[1]["psi"] == pytest.approx(index)
    # Of June's people those who said goodbye in July, from the dataset of the truth.
    truth = datasets(filled).over_time(filled.catalog.scores["shop.leave"], filled.on("2025-09-30"))
    june = truth.between(date(2025, 6, 30), date(2025, 6, 30)).column("label").to_numpy()
    assert rows[1]["observed"] == pytest.approx(june.mean())
    assert rows[1]["observed_expected"] == pytest.approx(june.mean() / np.mean(values))
    # August's horizon has not passed.
    assert (rows[2]["observed"], rows[2]["observed_expected"]) == (None, None)


@pytest.mark.parametrize(
    ("psi", "ratio", "word"),
    [
        (0.09, 1.0, "stable"), (0.10, 1.0, "watch"), (0.25, None, "watch"), (0.26, 1.0, "act"),
        (0.0, 0.79, "act"), (0.0, 1.26, "act"), (0.0, 0.8, "stable"), (0.0, None, "stable"),
    ],
)  # fmt: skip
def test_verdict_follows_the_bounds_of_practice(psi: float, ratio: float | None, word: str) -> None:
    assert verdict(psi, ratio) == word


def test_score_without_a_model_says_how_to_train_it(filled: Any) -> None:
    with pytest.raises(NotFound, match=r"crmkit score train shop\.leave"):
        filled.scores.run("shop.leave", filled.on("2025-06-30"))


def test_first_look_trains_on_what_was_known_and_the_next_one_does_not(filled: Any) -> None:
    on = filled.on("2025-06-30")
    remark = filled.scores.ready("shop.leave", on)
    assert remark.startswith("score shop.leave had no model and was trained on ")
    [listed] = [row for row in filled.scores.list() if row["name"] == "shop.leave"]
    assert listed["version"] == "1"
    assert filled.scores.ready("shop.leave", on) is None
    assert [row["version"] for row in filled.scores.list()] == ["1"]


def test_model_reads_what_it_learnt_when_the_declaration_has_moved_on(
    filled: Any, shop_catalog: Any
) -> None:
    filled.scores.train("shop.leave", until=date(2025, 6, 30))
    on = filled.on("2025-06-30")
    before = filled.scores.run("shop.leave", on).table
    declared = filled.catalog.scores["shop.leave"]
    fewer = attrs.evolve(declared, features=declared.features[:1])
    filled.reopen(shop_catalog(scores={"shop.leave": fewer}))
    after = filled.scores.run("shop.leave", on).table
    assert after.column("value").equals(before.column("value"))


def test_model_that_learnt_later_events_warns_when_run_for_the_past(filled: Any) -> None:
    filled.scores.train("shop.leave")
    run = filled.scores.run("shop.leave", filled.on("2025-03-31"))
    assert "its values there are no fair test" in run.warnings[0]


def test_model_of_an_absent_feature_is_refused_by_name(filled: Any, shop_catalog: Any) -> None:
    filled.scores.train("shop.leave")
    sets = {n: s for n, s in shop_catalog().feature_sets.items() if n != "shop.tier"}
    score = attrs.evolve(
        filled.catalog.scores["shop.leave"], features=("shop.visits_60d", "shop.days_since_visit")
    )
    filled.reopen(shop_catalog(feature_sets=sets, scores={score.name: score}))
    with pytest.raises(ConfigError, match=r"needs shop\.tier, which no enabled plugin declares"):
        filled.scores.run("shop.leave", filled.on("2025-06-30"))


def test_data_without_time_are_learnt_from_as_they_stand(open_shop: OpenShop) -> None:
    shop = open_shop()
    draw = np.random.default_rng(1)
    for i in range(120):
        gone = {"left_because": "price"} if draw.random() < (0.6 if i % 2 else 0.2) else {}
        shop.customer(tier="basic" if i % 2 else "gold", **gone)
    shop.clock.advance(days=1)
    model = shop.scores.train("shop.leave")
    assert (model.until, len(model.dates), model.rows) == (None, 1, 120)
    assert set(model.tuning["left_out"]) == {"shop.visits_60d", "shop.days_since_visit"}
    found = shop.scores.evaluate("shop.leave", cv=4)
    assert found["n"] == 120 and found["train_until"] is None
    assert found["protocol"].startswith("4-fold cross-validation on ")


def test_bands_are_tenths_and_equal_values_go_by_subject() -> None:
    # 12 rows: the first two bands have two rows, as ntile(10) gives them; ties by position.
    values = np.array([0.5] * 4 + [0.9] + [0.1] * 7)
    assert bands(values).tolist() == [1, 2, 2, 3, 1, 4, 5, 6, 7, 8, 9, 10]


def test_scores_are_equal_on_each_database(open_shop: OpenShop, database_url: str) -> None:
    shop = open_shop(database_url)
    fill(shop, 48)
    shop.scores.train("shop.leave", until=date(2025, 6, 30))
    run = shop.scores.run("shop.leave", shop.on("2025-06-30"))
    found = shop.scores.explain("shop.leave", run.rows()[0]["subject_id"], shop.on("2025-06-30"))
    assert found.same is True
    assert isinstance(shop.store.outcomes.list("shop.leave")[0].as_of, datetime)
