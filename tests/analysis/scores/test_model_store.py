"""Models as documents: trees read by hand, points, versions, and figures that are kept beside."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pyarrow as pa
import pytest

from crmkit.analysis.scores.inputs import BandInput, ChoiceInput, NumberInput
from crmkit.analysis.scores.model import Model, ModelFolder, Tree, tree_widths
from crmkit.errors import NotFound

AGE = NumberInput(feature="t.age", column="t_age", low=0, high=20, mean=10, sd=5, weights=[0.5])
CARD = BandInput(feature="t.size", column="t_size", edges=[1, 2], weights=[0.1, 0.2, 0.3])
PLAN = ChoiceInput(feature="t.plan", column="t_plan", levels=["a", "b"], weights=[0.1, 0.2])
SUM = Model(score="t.leave", estimator="logistic", inputs=[AGE])


def test_model_that_reads_nothing_says_its_base_rate_of_everyone() -> None:
    nothing = Model(score="t.leave", estimator="logistic")
    table = pa.table({"t_age": [1, 2, 3]})
    assert nothing.contributions(table).shape == (3, 0)
    assert nothing.predict(table).tolist() == [0.5] * 3
    assert (nothing.version, nothing.rows, nothing.positives, nothing.features) == (0, 0, 0, ())
    third = attrs.evolve(nothing, intercept=float(-np.log(2)))
    assert third.predict(table).tolist() == [round(1 / 3, 12)] * 3


def test_tree_sends_a_value_at_its_threshold_and_a_gap_where_it_says() -> None:
    """Up to 12 goes left, and a gap goes where ``missing_left`` says."""
    for missing_left, gap in ((1, 1.0), (0, -0.5)):
        tree = Tree(
            column=[0, -1, -1],
            threshold=[12.0, 0, 0],
            left=[1, 0, 0],
            right=[2, 0, 0],
            missing_left=[missing_left, 0, 0],
            value=[0.25, 1.0, -0.5],
        )
        model = attrs.evolve(SUM, estimator="boosting", trees=[tree, tree], intercept=0.5)
        rows = pa.table({"t_age": [12.0, 12.001, None]})
        # Each of the two trees moves a row from its mean of 0.25 to the leaf.
        moved = [2 * (leaf - 0.25) for leaf in (1.0, -0.5, gap)]
        assert model.contributions(rows)[:, 0] == pytest.approx(moved)
        odds = np.exp(-(0.5 + np.array(moved)))
        assert model.predict(rows) == pytest.approx(1 / (1 + odds), abs=1e-12)


def test_trees_split_on_one_column_a_number_and_on_all_of_a_text_or_band() -> None:
    """A text of two levels has other and missing too; three bands are two steps and missing."""
    inputs = (AGE, PLAN, CARD)
    assert tree_widths(inputs) == [1, 4, 3]
    # Column 2 is the level b of the plan, column 7 whether the size is missing.
    trees = [
        Tree(
            column=[c, -1, -1],
            threshold=[0.5, 0, 0],
            left=[1, 0, 0],
            right=[2, 0, 0],
            missing_left=[0] * 3,
            value=[0.0, -1.0, 1.0],
        )
        for c in (2, 7)
    ]
    model = Model(score="t.leave", estimator="boosting", inputs=inputs, trees=trees)
    rows = pa.table(
        {"t_age": [1, 2, 3], "t_plan": ["a", "b", None], "t_size": pa.array([None, 1, 3])}
    )
    assert model.contributions(rows).tolist() == [[0, -1, 1], [0, 1, -1], [0, -1, -1]]


def test_only_trees_are_no_sum() -> None:
    kinds = ("logistic", "scorecard", "brought", "boosting")
    assert [attrs.evolve(SUM, estimator=k).additive for k in kinds] == [True, True, True, False]


def test_values_are_kept_to_twelve_decimals() -> None:
    value = SUM.predict(pa.table({"t_age": [15]}))[0]
    # 0.5 * (15 - 10) / 5
    assert value == round(1 / (1 + np.exp(-0.5)), 12)


def test_points_double_the_odds_by_their_step() -> None:
    """600 points are 50 to 1, and 20 more are 100 to 1; whole points are rounded."""
    scale = {"scorecard": {"points": 600, "odds": 50, "pdo": 20}}
    card = attrs.evolve(SUM, tuning=scale)
    # The outcome is the bad one: 50 to 1 is a chance of 1 in 51.
    assert [card.points(1 / (1 + odds)) for odds in (25, 50, 100)] == [580, 600, 620]
    # A factor of 2 ** (1 / 40) is half a point, a little more or less is one or none.
    assert card.points(1 / (1 + 50 * 2 ** (0.51 / 20))) == 601
    assert card.points(1 / (1 + 50 * 2 ** (0.49 / 20))) == 600
    assert SUM.points(0.5) is None


# --- stored ---------------------------------------------------------------------------------------


def test_figures_are_added_to_an_equal_model_once(tmp_path: Path) -> None:
    folder = ModelFolder(tmp_path)
    folder.save(SUM)
    assert folder.save(SUM).metrics == {}
    measured = folder.save(attrs.evolve(SUM, metrics={"auc": 0.7}))
    assert (measured.version, measured.metrics) == (1, {"auc": 0.7})
    # What was measured first stays, with other figures and with none.
    for metrics in ({"auc": 0.8}, {}):
        assert folder.save(attrs.evolve(SUM, metrics=metrics)).metrics == {"auc": 0.7}
    assert folder.load("t.leave").metrics == {"auc": 0.7}
    assert folder.versions("t.leave") == [1]


def test_model_equal_to_one_before_the_latest_is_a_new_version(tmp_path: Path) -> None:
    folder = ModelFolder(tmp_path)
    other = attrs.evolve(SUM, intercept=1.0)
    assert [folder.save(m).version for m in (SUM, other, SUM, SUM)] == [1, 2, 3, 3]
    assert [folder.load("t.leave", v).intercept for v in (1, 2, 3)] == [0, 1, 0]
    assert folder.load("t.leave").version == 3


def test_versions_are_numbers_in_order_and_other_files_are_none(tmp_path: Path) -> None:
    folder = ModelFolder(tmp_path)
    assert folder.versions("t.leave") == []
    for number in range(11):
        folder.save(attrs.evolve(SUM, intercept=float(number)))
    (tmp_path / "t.leave" / "notes.json").write_text("{")
    assert folder.versions("t.leave") == list(range(1, 12))
    assert folder.load("t.leave").version == 11
    with pytest.raises(NotFound, match="12"):
        folder.load("t.leave", 12)
    assert folder.damaged() == []
    (tmp_path / "t.leave" / "3.json").write_text("{")
    assert [path.name for path in folder.damaged()] == ["3.json"]
