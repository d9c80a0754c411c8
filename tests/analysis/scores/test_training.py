"""What estimators are given and how one is chosen; and which reasons are named of a row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from crmkit.analysis.scores import training
from crmkit.analysis.scores.inputs import NumberInput
from crmkit.analysis.scores.model import Model
from crmkit.analysis.scores.reasons import reasons
from crmkit.analysis.scores.training import Training, check_sides, gap, inner_folds, simplest
from crmkit.declarations import Feature
from crmkit.entities.fields import FieldType
from crmkit.errors import ConfigError


def test_gap_is_the_mean_difference_and_its_standard_error() -> None:
    # Differences 0.1, 0.2, 0.3: a deviation of 0.1 over the root of 3.
    found = gap(np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.4, 0.4]))
    assert found == pytest.approx((0.2, 0.1 / 3**0.5))


@pytest.mark.parametrize(("shift", "chosen"), [(0.0, "plain"), (-0.001, "plain"), (0.001, "rich")])
def test_a_plain_choice_may_be_behind_by_just_one_error(shift: float, chosen: str) -> None:
    """Differences of 1 and 3 eighths: 2/8 in the mean, and an error of 1/8: too far. Of -1 and 3:
    1/8 with an error of 2/8. Of 0 and 2: 1/8 with an error of 1/8, which is still no worse."""
    best = np.array([0.5, 0.5])
    far, near = best + np.array([1, 3]) / 8, best + np.array([-1, 3]) / 8
    assert simplest({"plain": far, "rich": best}) == "rich"
    assert simplest({"plain": near, "rich": best}) == "plain"
    even = best + np.array([0, 2]) / 8 + shift
    assert simplest({"plain": even, "rich": best}) == chosen


@pytest.mark.parametrize(
    ("positives", "rows", "enough"), [(3, 6, True), (2, 6, False), (4, 6, False)]
)
def test_as_many_rows_as_folds_are_needed_on_both_sides(
    positives: int, rows: int, enough: bool
) -> None:
    label = np.array([1.0] * positives + [0.0] * (rows - positives))
    if enough:
        check_sides("t.s", label, 3)
    else:
        with pytest.raises(ConfigError, match=f"of 6 rows {positives} had the outcome; at least 3"):
            check_sides("t.s", label, 3)


def test_inner_folds_keep_a_subject_together_and_hold_every_row_once() -> None:
    """Twenty subjects with three rows each, of which every other one has the outcome."""
    subjects = np.repeat(np.arange(20), 3)
    label = (subjects % 2).astype(float)
    pairs = inner_folds(label, subjects)
    assert len(pairs) == 5
    assert sorted(i for _, test in pairs for i in test) == list(range(60))
    for train, test in pairs:
        assert not set(subjects[train]) & set(subjects[test])
        assert label[test].mean() == pytest.approx(0.5)


def test_where_few_subjects_hold_all_outcomes_rows_are_dealt_singly() -> None:
    """Two of ten subjects have the outcome: by subject three of five folds would have none."""
    subjects = np.repeat(np.arange(10), 5)
    label = (subjects < 2).astype(float)
    assert [label[test].sum() for _, test in inner_folds(label, subjects)] == [2] * 5


def test_tuning_looks_at_a_draw_of_the_rows_and_the_same_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = pa.table({"t_x": list(range(100)), "label": [0, 1] * 50})
    features = [Feature(name="t.x", type=FieldType.NUMBER)]
    assert Training.of("t.s", features, table).rows.tolist() == list(range(100))
    monkeypatch.setattr(training, "TUNING_ROWS", 60)
    found = Training.of("t.s", features, table)
    assert len(set(found.rows.tolist())) == 60
    assert found.rows.tolist() == sorted(found.rows.tolist())
    assert found.rows.tolist() == Training.of("t.s", features, table).rows.tolist()
    # The places of the folds are those among the rows drawn.
    assert sorted(i for _, test in found.splits for i in test) == list(range(60))


# --- which reasons are named ----------------------------------------------------------------------


def named(effects: dict[str, float], **phrases: str) -> list[tuple[str, float]]:
    """The reasons of one row whose inputs have these effects, in words and with what they add."""
    inputs = [
        NumberInput(feature=f"t.{n}", column=f"t_{n}", low=0, high=9, mean=0, sd=1) for n in effects
    ]
    features = {
        f"t.{n}": Feature(name=f"t.{n}", type=FieldType.INTEGER, phrase=phrases.get(n, f"much {n}"))
        for n in effects
    }
    model = Model(score="t.s", estimator="logistic", inputs=inputs)
    table = pa.table({f"t_{n}": [3] for n in effects})
    (found,) = reasons(model, features, table, np.array([list(effects.values())]), "EUR")
    return [(reason.words, reason.effect) for reason in found]


def test_an_effect_of_a_twentieth_is_a_reason_and_one_below_is_none() -> None:
    assert named({"a": 0.05, "b": 0.0499, "c": -1.0}) == [("much a", 0.05)]


def test_four_reasons_at_most_strongest_first_and_equal_ones_by_name() -> None:
    found = named({"e": 0.1, "d": 0.3, "c": 0.2, "b": 0.3, "a": 0.25})
    assert found == [("much b", 0.3), ("much d", 0.3), ("much a", 0.25), ("much c", 0.2)]
    # Apart by less than a millionth is equal.
    assert [words for words, _ in named({"b": 0.3000002, "a": 0.3})] == ["much a", "much b"]
    assert [words for words, _ in named({"b": 0.300002, "a": 0.3})] == ["much b", "much a"]


def test_the_same_words_are_said_once_and_leave_room_for_the_next() -> None:
    effects = {"a": 0.5, "b": 0.4, "c": 0.3, "d": 0.2, "e": 0.1}
    found = named(effects, a="comes seldom", b="comes seldom")
    assert [effect for _, effect in found] == [0.5, 0.3, 0.2, 0.1]
