"""Models as plain data: fitted, stored, read back, scored, explained and turned into SQL."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import attrs
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from crmkit.analysis.scores import estimators
from crmkit.analysis.scores.inputs import BandInput, ChoiceInput, NumberInput, learn_inputs
from crmkit.analysis.scores.metrics import auc
from crmkit.analysis.scores.model import Model, ModelFolder, Tree
from crmkit.analysis.scores.model_sql import sql_expression
from crmkit.analysis.scores.reasons import as_text, describe, reasons
from crmkit.analysis.scores.training import Training, simplest
from crmkit.declarations import ESTIMATORS, Feature
from crmkit.entities.fields import FieldType
from crmkit.errors import ConfigError, NotFound, StorageError

AGE = Feature(name="t.age", type=FieldType.INTEGER, unit="month", phrase="only {value} months here")
PLAN = Feature(name="t.plan", type=FieldType.TEXT, phrase={"basic": "has the basic plan"})
VIP = Feature(name="t.vip", type=FieldType.BOOLEAN, phrase={"false": "is no VIP"})
FEATURES = [AGE, PLAN, VIP]

HAND = Model(
    score="t.leave", estimator="logistic", intercept=-1.0,
    inputs=[
        NumberInput(feature="t.age", column="t_age", low=0, high=20, mean=10, sd=5,
                    knots=[10], weights=[-0.5, 0.25], missing=0.3, centre=0.1),
        ChoiceInput(feature="t.plan", column="t_plan", levels=["basic", "it's"],
                    weights=[0.8, -0.4], other=0.05, missing=0.0, centre=0.2),
    ],
)  # fmt: skip


def sample(rows: int = 1200, seed: int = 5) -> pa.Table:
    """Rows whose outcome falls with age and is more frequent on the basic plan."""
    draw = np.random.default_rng(seed)
    age = draw.integers(0, 72, rows)
    plan = draw.choice(["basic", "plus", "max"], rows, p=[0.5, 0.3, 0.2])
    vip = draw.random(rows) < 0.2
    z = 0.8 - 0.06 * age + 1.2 * (plan == "basic") - 0.7 * vip
    label = (draw.random(rows) < 1 / (1 + np.exp(-z))).astype(np.int64)
    gaps = draw.random(rows) < 0.05
    return pa.table(
        {
            "t_age": pa.array(age, mask=gaps),
            "t_plan": pa.array(plan, mask=draw.random(rows) < 0.05),
            "t_vip": pa.array(vip),
            "label": label,
        }
    )


def test_hand_made_model_gives_hand_worked_log_odds() -> None:
    rows = pa.table({"t_age": [5, 15, 99, None], "t_plan": ["basic", "it's", "new", None]})
    found = HAND.contributions(rows)
    # age 5: -0.5 * (5-10)/5 = 0.5; 15: -0.5 + 0.25*5/5 = -0.25; 99 is held at 20: -1 + 0.5 = -0.5;
    # missing: 0.3; all less the centre 0.1.
    assert found[:, 0] == pytest.approx([0.4, -0.35, -0.6, 0.2])
    # basic 0.8, it's -0.4, unheard-of 0.05, missing 0; all less the centre 0.2.
    assert found[:, 1] == pytest.approx([0.6, -0.6, -0.15, -0.2])
    assert HAND.predict(rows)[0] == pytest.approx(1 / (1 + np.exp(-(-1 + 0.4 + 0.6))))


def test_sql_form_equals_python_on_gaps_edges_and_quotes() -> None:
    rows = pa.table(
        {
            "t_age": pa.array([5, 15, 99, None, -3, 10], pa.int64()),
            "t_plan": ["basic", "it's", "new", None, "basic", "it's"],
        }
    )
    engine = duckdb.connect()
    engine.register("feature", rows)
    found = engine.sql(f"select {sql_expression(HAND)} as value from feature").fetchnumpy()["value"]
    assert found == pytest.approx(HAND.predict(rows), abs=1e-9)


CARD = Model(
    score="t.leave", estimator="scorecard", intercept=-1.0,
    inputs=[BandInput(feature="t.age", column="t_age", edges=[6, 12],
                      weights=[0.9, 0.4, -0.2], missing=0.3, centre=0.1)],
)  # fmt: skip


def test_scorecard_gives_each_band_its_weight_in_python_and_in_sql() -> None:
    rows = pa.table({"t_age": pa.array([-5, 6, 7, 12, 13, None], pa.int64())})
    # An edge belongs to the band below it; all less the centre 0.1.
    expected = [0.8, 0.8, 0.3, 0.3, -0.3, 0.2]
    assert CARD.contributions(rows)[:, 0] == pytest.approx(expected)
    engine = duckdb.connect()
    engine.register("feature", rows)
    found = engine.sql(f"select {sql_expression(CARD)} as value from feature").fetchnumpy()["value"]
    assert found == pytest.approx(CARD.predict(rows), abs=1e-12)
    assert Model.from_json(CARD.to_json()) == CARD


def test_scorecard_bands_are_tenths_and_steps_add_up_to_their_weights() -> None:
    # 1 to 40 in tenths: edges 4, 8, ... 36, the last band open.
    table = pa.table({"t_age": list(range(1, 41)), "label": [0, 1] * 20})
    [found], _ = learn_inputs([AGE], table, bands=10)
    assert isinstance(found, BandInput) and found.edges == tuple(range(4, 37, 4))
    design = found.encode(table["t_age"])
    assert design.sum(axis=1).tolist() == [(age - 1) // 4 for age in range(1, 41)]
    weighted = found.weighted([0.5] * 9 + [7.0], design)
    assert weighted.weights == pytest.approx([0.5 * i for i in range(10)])
    # Steps are 0 to 9 equally often, so the mean is 0.5 * 4.5; no gap was seen: the average.
    assert (weighted.centre, weighted.missing) == pytest.approx((2.25, 2.25))


def test_trees_have_no_sql_form() -> None:
    with pytest.raises(ConfigError, match="boosting model has no SQL form"):
        sql_expression(attrs.evolve(HAND, estimator="boosting"))


def test_hand_made_tree_books_each_step_to_the_input_split_on() -> None:
    # root: age <= 12 (missing goes right); left leaf 1.0 (3 rows); right: plan basic? no -1, yes 0.2
    tree = Tree(
        column=[0, -1, 1, -1, -1], threshold=[12.0, 0, 0.5, 0, 0], left=[1, 0, 3, 0, 0],
        right=[2, 0, 4, 0, 0], missing_left=[0] * 5, value=[0.3, 1.0, -0.4, -1.0, 0.2],
    )  # fmt: skip
    model = attrs.evolve(HAND, estimator="boosting", trees=[tree], intercept=-0.7)
    rows = pa.table({"t_age": [3, 20, None], "t_plan": ["it's", "it's", "basic"]})
    found = model.contributions(rows)
    assert found == pytest.approx(np.array([[0.7, 0.0], [-0.7, -0.6], [-0.7, 0.6]]))
    assert model.predict(rows)[0] == pytest.approx(1 / (1 + np.exp(0.0)))  # -0.7 + 0.7


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_fitted_model_survives_its_document(estimator: str, tmp_path: Path) -> None:
    table = sample()
    model = estimators.fit("t.leave", estimator, FEATURES, table)
    stored = ModelFolder(tmp_path).save(model)
    again = ModelFolder(tmp_path).load("t.leave")
    assert again == stored
    assert again.predict(table).tolist() == model.predict(table).tolist()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_equal_rows_train_an_equal_model(estimator: str) -> None:
    first = estimators.fit("t.leave", estimator, FEATURES, sample())
    second = estimators.fit("t.leave", estimator, FEATURES, sample())
    assert first.hash == second.hash


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_one_row_alone_gives_the_digits_of_the_batch(estimator: str) -> None:
    table = sample()
    model = estimators.fit("t.leave", estimator, FEATURES, table)
    batch = model.predict(table)
    for row in (0, 17, 1199):
        assert model.predict(table.slice(row, 1))[0] == batch[row]


def test_fitted_values_are_calibrated_in_the_large() -> None:
    """Without class weights, the mean probability is the observed rate."""
    table = sample()
    model = estimators.fit("t.leave", "logistic", FEATURES, table)
    rate = np.mean(table["label"].to_numpy())
    assert model.predict(table).mean() == pytest.approx(rate, abs=1e-4)
    assert model.positives == table["label"].to_numpy().sum()


@pytest.mark.parametrize("estimator", ["logistic", "scorecard"])
def test_fitted_sum_in_sql_equals_python(estimator: str) -> None:
    table = sample()
    model = estimators.fit("t.leave", estimator, FEATURES, table)
    engine = duckdb.connect()
    engine.register("feature", table)
    found = engine.sql(f"select {sql_expression(model)} as value from feature").fetchnumpy()
    assert np.max(np.abs(found["value"] - model.predict(table))) < 1e-9


def test_a_valley_is_bent_and_a_line_stays_straight() -> None:
    draw = np.random.default_rng(2)
    x = draw.uniform(-3, 3, 3000)
    feature = Feature(name="t.x", type=FieldType.NUMBER)
    chance = {"valley": x**2 - 3, "line": x}
    knots = {}
    for shape, z in chance.items():
        label = (draw.random(3000) < 1 / (1 + np.exp(-z))).astype(np.int64)
        table = pa.table({"t_x": x, "label": label})
        knots[shape] = estimators.fit("t.s", "logistic", [feature], table).tuning["knots"]
    assert knots == {"valley": 3, "line": 0}


def test_readable_estimator_is_taken_unless_another_is_better_by_more_than_the_error() -> None:
    flat = np.array([0.40, 0.44, 0.42, 0.41, 0.43])
    # Behind by 0.002 on every fold: small, but sure (the error of the difference is 0).
    assert simplest({"logistic": flat + 0.002, "boosting": flat}) == "boosting"
    # Behind by 0.002 in the mean, with an error of 0.004 / sqrt(5) * ... = 0.0045: not sure.
    shaky = flat + np.array([0.012, -0.012, 0.012, -0.012, 0.010])
    assert simplest({"logistic": shaky, "boosting": flat}) == "logistic"
    assert simplest({"logistic": flat, "boosting": flat + 0.1}) == "logistic"


def test_rivals_compete_and_interactions_are_left_to_trees() -> None:
    """The outcome turns on whether the signs of two numbers agree, which no sum can say."""
    draw = np.random.default_rng(4)
    x, y = draw.normal(size=3000), draw.normal(size=3000)
    crossed = (draw.random(3000) < np.where(x * y > 0, 0.8, 0.2)).astype(np.int64)
    line = (draw.random(3000) < 1 / (1 + np.exp(-x))).astype(np.int64)
    features = [Feature(name=f"t.{n}", type=FieldType.NUMBER) for n in "xy"]
    found = {}
    for shape, label in {"crossed": crossed, "line": line}.items():
        table = pa.table({"t_x": x, "t_y": y, "label": label})
        found[shape] = estimators.fit("t.s", None, features, table)
    assert {shape: m.estimator for shape, m in found.items()} == {
        "crossed": "boosting", "line": "logistic",
    }  # fmt: skip
    rivals = {r["estimator"]: r for r in found["crossed"].tuning["rivals"]}
    assert list(rivals) == list(ESTIMATORS)
    assert rivals["boosting"]["behind"] == 0
    assert rivals["logistic"]["behind"] > rivals["logistic"]["standard_error"]


ODD = {
    "one known row": lambda n: [7.0] + [None] * (n - 1),
    "five known rows": lambda n: [float(i) if i < 5 else None for i in range(n)],
    "known in one inner fold only": None,
    "empty": lambda n: [None] * n,
    "constant": lambda n: [3.0] * n,
    "one value and gaps": lambda n: [3.0 if i % 2 else None for i in range(n)],
    "one row apart": lambda n: [9.0] + [3.0] * (n - 1),
    "not numbers": lambda n: [float("nan")] * n,
    "infinities": lambda n: [(float("inf"), float("-inf"), 1.0, 2.0)[i % 4] for i in range(n)],
    "nothing but infinity": lambda n: [float("inf")] * n,
    "huge": lambda n: [1.7e308 * (-1) ** i for i in range(n)],
}


@pytest.mark.parametrize("shape", ODD)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_odd_column_in_any_fold_stops_no_estimator(estimator: str, shape: str) -> None:
    """A column that is empty or constant, in all rows or in one inner fold, is learnt around."""
    table = sample(600)
    make = ODD[shape]
    if make is None:
        training = Training.of("t.leave", FEATURES, table)
        held_out = set(training.splits[0][1].tolist())
        odd = [float(i % 3) if i in held_out else None for i in range(600)]
    else:
        odd = make(600)
    odd_feature = Feature(name="t.odd", type=FieldType.NUMBER)
    table = table.append_column("t_odd", pa.array(odd, pa.float64()))
    model = estimators.fit("t.leave", estimator, [*FEATURES, odd_feature], table)
    value = model.predict(table)
    assert np.isfinite(value).all()
    # The odd column says nothing about who left: the others still carry the model.
    assert auc(table["label"].to_numpy().astype(float), value) > 0.7
    assert np.isfinite(model.contributions(table)).all()
    if estimator != "boosting":
        engine = duckdb.connect()
        engine.register("feature", table)
        found = engine.sql(f"select {sql_expression(model)} as value from feature").fetchnumpy()
        assert np.max(np.abs(found["value"] - value)) < 1e-9


def test_level_never_seen_in_training_counts_as_the_average() -> None:
    table = sample().filter(pc.is_valid(sample()["t_plan"]))
    model = estimators.fit("t.leave", "logistic", FEATURES, table)
    unknown = pa.table({"t_age": [30, 30], "t_plan": ["unheard-of", None], "t_vip": [True, True]})
    assert model.contributions(unknown)[:, 1] == pytest.approx([0, 0], abs=1e-9)


def test_rare_levels_are_pooled_and_constants_left_out() -> None:
    plan = ["a"] * 300 + ["b"] * 280 + ["c"] * 12 + ["d"] * 8
    same = Feature(name="t.same", type=FieldType.INTEGER)
    table = pa.table({"t_plan": plan, "t_same": [4] * 600})
    found, constant = learn_inputs([PLAN, same], table, knots=0)
    assert constant == ["t.same"]
    assert isinstance(found[0], ChoiceInput) and found[0].levels == ("a", "b")
    assert found[0].encode(table["t_plan"]).sum(axis=0).tolist() == [300, 280, 20, 0]


def test_date_as_input_is_refused_with_its_name() -> None:
    born = Feature(name="t.born_on", type=FieldType.DATE)
    with pytest.raises(ConfigError, match=r"a score cannot take t\.born_on") as caught:
        estimators.fit("t.leave", "logistic", [born], pa.table({"label": [0, 1]}))
    assert "number of days" in caught.value.hint


def test_too_few_outcomes_are_refused_with_their_count() -> None:
    table = pa.table({"t_age": list(range(20)), "label": [1] * 3 + [0] * 17})
    with pytest.raises(ConfigError, match="of 20 rows 3 had the outcome"):
        estimators.fit("t.leave", "logistic", [AGE], table)


def test_absent_library_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ConfigError, match="needs scikit-learn") as caught:
        estimators.fit("t.leave", "logistic", FEATURES, sample())
    assert "crmkit[ml]" in caught.value.hint


def test_scoring_needs_no_learning_library(monkeypatch: pytest.MonkeyPatch) -> None:
    text = estimators.fit("t.leave", "boosting", FEATURES, sample()).to_json()
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert 0 < Model.from_json(text).predict(sample(5))[0] < 1


# --- stored models --------------------------------------------------------------------------------


def test_versions_count_up_and_an_equal_model_is_kept_once(tmp_path: Path) -> None:
    folder = ModelFolder(tmp_path)
    assert folder.save(HAND).version == 1
    assert folder.save(attrs.evolve(HAND, trained_at="2026-01-01T00:00:00Z")).version == 1
    assert folder.save(attrs.evolve(HAND, intercept=-2.0)).version == 2
    assert folder.versions("t.leave") == [1, 2]
    assert folder.load("t.leave", 1).intercept == -1.0


def test_score_never_trained_says_how_to_train_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"crmkit score train t\.leave"):
        ModelFolder(tmp_path).load("t.leave")


def _changed(text: str, **values: Any) -> str:
    return json.dumps({**json.loads(text), **values})


@pytest.mark.parametrize(
    "change",
    [{"intercept": -0.5}, {"version": 9}, {"trained_at": "2020-01-01"}, {"metrics": {"auc": 1.0}}],
)
def test_model_changed_after_it_was_stored_is_refused(change: dict[str, Any]) -> None:
    text = _changed(HAND.to_json(), **change)
    with pytest.raises(StorageError, match="was changed after it was stored"):
        Model.from_json(text)


def test_every_flipped_bit_of_a_stored_model_is_found_or_changes_nothing(tmp_path: Path) -> None:
    """White space between the values is the only place where a flipped bit may do nothing."""
    folder = ModelFolder(tmp_path)
    kept = folder.save(HAND)
    path = tmp_path / HAND.score / "1.json"
    sound = path.read_bytes()
    assert folder.damaged() == []
    found = 0
    for bit in range(0, len(sound) * 8, 11):
        content = bytearray(sound)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        try:
            assert folder.load(HAND.score) == kept
        except (StorageError, ConfigError):
            found += 1
    assert found > len(sound) * 8 / 11 / 2


def test_model_of_a_version_without_checksums_is_read() -> None:
    document = json.loads(HAND.to_json())
    del document["checksum"]
    assert Model.from_json(json.dumps(document)) == HAND


def test_model_of_a_later_format_is_refused() -> None:
    document = json.loads(_changed(HAND.to_json(), format=2))
    del document["checksum"]
    with pytest.raises(ConfigError, match="has format 2; this crmkit reads format 1"):
        Model.from_json(json.dumps(document))


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"hash": "x", "format": 1}'])
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(StorageError, match=r"t\.leave/1\.json was changed after it was stored"):
        Model.from_json(text, "t.leave/1.json")


# --- reasons --------------------------------------------------------------------------------------


def test_reasons_are_what_raises_the_score_strongest_first() -> None:
    rows = pa.table({"t_age": [5, 15, 5], "t_plan": ["basic", "basic", "it's"]})
    named = {f.name: f for f in FEATURES}
    found = reasons(HAND, named, rows, HAND.contributions(rows), "USD")
    assert [as_text(r) for r in found] == [
        "has the basic plan; only 5 months here",  # 0.6 and 0.4
        "has the basic plan",  # the age lowers the risk
        "only 5 months here",
    ]
    assert (found[0][0].feature, found[0][0].value, found[0][0].effect) == ("t.plan", "basic", 0.6)


def test_value_without_words_and_a_gap_give_no_reason() -> None:
    rows = pa.table({"t_age": pa.array([None], pa.int64()), "t_plan": ["new"]})
    model = attrs.evolve(HAND, inputs=[HAND.inputs[0], attrs.evolve(HAND.inputs[1], other=2.0)])
    named = {f.name: f for f in FEATURES}
    assert reasons(model, named, rows, model.contributions(rows), "USD") == [[]]


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        (AGE, 3, "only 3 months here"),
        (VIP, "false", "is no VIP"),
        (VIP, "true", ""),
        (Feature(name="t.share", type=FieldType.NUMBER, phrase="{value} of it"), 1 / 3, "0.33 of it"),
        (Feature(name="t.up", type=FieldType.NUMBER, phrase="up {value:.0%}"), 0.25, "up 25%"),
        (Feature(name="t.calls", type=FieldType.INTEGER, unit="1"), 2, "calls is 2"),
        (Feature(name="t.wait", type=FieldType.NUMBER, unit="min", title="wait"), 2.5, "wait is 2.5 min"),
        (Feature(name="t.bill_minor", type=FieldType.MONEY, unit="JPY-minor", phrase="pays {value}"),
         900, "pays 900 JPY"),
        (Feature(name="t.fee", type=FieldType.MONEY, unit="minor", phrase="pays {value}"), 1999,
         "pays 19.99 USD"),
        (Feature(name="t.n", type=FieldType.INTEGER, phrase={"0": "never called"}), 0, "never called"),
    ],
)  # fmt: skip
def test_values_are_put_in_words(feature: Feature, value: Any, words: str) -> None:
    assert describe(feature, value, "USD") == words
