"""How a column becomes numbers for a model, and what each value then adds to the log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from crmkit.analysis.scores.inputs import (
    BandInput,
    ChoiceInput,
    NumberInput,
    learn_inputs,
    number_words,
)
from crmkit.declarations import Feature
from crmkit.entities.fields import FieldType

X = Feature(name="t.x", type=FieldType.NUMBER)
PLAN = Feature(name="t.plan", type=FieldType.TEXT)
VIP = Feature(name="t.vip", type=FieldType.BOOLEAN)

LINE = NumberInput(feature="t.x", column="t_x", low=0, high=20, mean=10, sd=5, knots=[10, 15])
CUT = BandInput(feature="t.x", column="t_x", edges=[10])
LEVELS = ChoiceInput(feature="t.plan", column="t_plan", levels=["a", "b"])


def column(values: list[Any], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind or pa.float64())])


def learn(feature: Feature, values: list[Any], **shape: int) -> Any:
    """The encoder that is learnt from a column, or None where it is left out."""
    name = feature.name.replace(".", "_")
    found, constant = learn_inputs([feature], pa.table({name: values}), **shape)
    assert [i.feature for i in found] + constant == [feature.name]
    return found[0] if found else None


# --- numbers as lines -----------------------------------------------------------------------------


def test_number_is_a_line_its_bends_and_whether_it_is_missing() -> None:
    """In units of 5 from 10 on, with bends at 10 and 15; what lies outside of 0 to 20 is held there."""
    rows = {
        5.0: [-1, 0, 0, 0],
        12.0: [0.4, 0.4, 0, 0],
        20.0: [2, 2, 1, 0],
        99.0: [2, 2, 1, 0],
        -3.0: [-2, 0, 0, 0],
        None: [0, 0, 0, 1],
        float("inf"): [0, 0, 0, 1],
        float("nan"): [0, 0, 0, 1],
    }
    assert LINE.width == 4
    assert LINE.encode(column(list(rows))) == pytest.approx(np.array(list(rows.values())))


def test_number_learns_its_mean_and_standard_deviation() -> None:
    """The textbook's 2, 4, 4, 4, 5, 5, 7, 9: mean 5, and a sum of squares of 32 over 8 is 4."""
    found = learn(X, [2, 4, 4, 4, 5, 5, 7, 9, None])
    assert isinstance(found, NumberInput)
    assert (found.low, found.high, found.mean, found.sd, found.knots) == (2, 9, 5, 2, ())


def test_number_near_the_end_of_what_a_float_holds_is_learnt() -> None:
    found = learn(X, [1e300, 3e300])
    assert (found.mean, found.sd) == (pytest.approx(2e300), pytest.approx(1e300))


def test_number_bends_only_with_more_than_two_values_a_piece() -> None:
    """One bend makes two pieces: four values are too few, of five it is the third."""
    assert learn(X, [1, 2, 3, 4, 4, 4], knots=1).knots == ()
    assert learn(X, [1, 2, 3, 4, 5], knots=1).knots == (3,)
    # Three bends are the quartiles of nine values, and of eight there are none.
    assert learn(X, list(range(1, 10)), knots=3).knots == (3, 5, 7)
    assert learn(X, list(range(1, 9)), knots=3).knots == ()
    # The lowest value is most of them: a bend there would be no bend.
    assert learn(X, [0] * 9 + [1, 2, 3, 4], knots=1).knots == ()


def test_one_value_is_left_out_unless_gaps_tell_it_apart() -> None:
    assert learn(X, [3.0, 3.0, 3.0]) is None
    assert learn(X, pa.array([None, None], pa.float64())) is None
    found = learn(X, [3.0, 3.0, None])
    assert (found.low, found.high, found.mean, found.sd) == (3, 3, 3, 1)


def test_a_gap_has_its_weight_where_training_had_one_and_else_counts_as_the_average() -> None:
    line = NumberInput(feature="t.x", column="t_x", low=0, high=2, mean=1, sd=1)
    # Parts 0.5, 0.5 and the gap's 0.8: an average of 0.6.
    told = line.weighted([0.5, 0.8], line.encode(column([2, 2, None])))
    assert (told.weights, told.missing, told.centre) == ((0.5,), 0.8, pytest.approx(0.6))
    assert told.contribution(column([0, 2, None])) == pytest.approx([-1.1, -0.1, 0.2])
    # Parts 0.5, 0.5 and -0.5: an average of a sixth.
    untold = line.weighted([0.5, 0.8], line.encode(column([2, 2, 0])))
    assert (untold.missing, untold.centre) == pytest.approx((1 / 6, 1 / 6))
    assert untold.contribution(column([None])) == pytest.approx([0])


def test_encoder_without_weights_adds_nothing_for_a_gap_or_a_rare_level() -> None:
    assert LINE.contribution(column([None])).tolist() == [0]
    assert BandInput(feature="t.x", column="t_x", edges=[1], weights=[0.2, 0.4]).contribution(
        column([0, 2, None])
    ) == pytest.approx([0.2, 0.4, 0])
    plain = ChoiceInput(feature="t.plan", column="t_plan", levels=["a"], weights=[0.5])
    assert plain.contribution(column(["a", "z", None], pa.string())).tolist() == [0.5, 0, 0]


def test_numbers_that_are_none_are_said_as_nothing() -> None:
    values = column([1.5, None, float("nan"), float("inf"), -float("inf")])
    assert number_words(values) == [1.5, None, None, None, None]
    assert LINE.words(values) == CUT.words(values) == [1.5, None, None, None, None]


# --- numbers in bands -----------------------------------------------------------------------------


def test_band_holds_its_edge_and_special_codes_stand_apart() -> None:
    """Up to 10 and above it, a gap, and the codes -1 and -2 that are no quantities."""
    card = BandInput(
        feature="t.x",
        column="t_x",
        edges=[10],
        weights=[0.2, 0.5],
        missing=0.1,
        centre=0.1,
        specials=[-1, -2],
        special_weights=[0.7, 0.9],
    )
    values = column([5, 10, 11, None, -1, -2])
    assert card.codes(values).tolist() == [0, 0, 1, 2, 3, 4]
    assert card.contribution(values) == pytest.approx([0.1, 0.1, 0.4, 0, 0.6, 0.8])


def test_bands_are_steps_from_the_lowest_on() -> None:
    cut = BandInput(feature="t.x", column="t_x", edges=[1, 2])
    values = column([1, 2, 3, None])
    assert cut.width == 3
    assert cut.encode(values).tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]]
    # Bands 0, 0.5 and 0.5 + 1, and the gap's 0.8: an average of 0.7.
    told = cut.weighted([0.5, 1.0, 0.8], cut.encode(values))
    assert (told.weights, told.missing) == ((0, 0.5, 1.5), 0.8)
    assert told.contribution(values) == pytest.approx([-0.7, -0.2, 0.8, 0.1])
    known = column([1, 2, 3])
    assert cut.weighted([0.5, 1.0, 0.8], cut.encode(known)).missing == pytest.approx(2 / 3)


def test_equal_values_leave_fewer_bands_and_the_last_one_is_open() -> None:
    assert learn(X, [1] * 5 + [2] * 5, bands=10).edges == (1,)
    assert learn(X, list(range(1, 11)), bands=2).edges == (5,)
    assert learn(X, [3, 3, None], bands=10).edges == ()


# --- levels ---------------------------------------------------------------------------------------


def test_level_never_seen_counts_as_the_average_and_one_seen_once_as_itself() -> None:
    """Three of a at 0.6 and one of b at 0.3: an average of 0.525."""
    rows = column(["a", "a", "a", "b"], pa.string())
    design = LEVELS.encode(rows)
    assert design.tolist() == [[1, 0, 0, 0]] * 3 + [[0, 1, 0, 0]]
    found = LEVELS.weighted([0.6, 0.3, 0.1, -0.2], design)
    assert (found.weights, found.centre) == ((0.6, 0.3), pytest.approx(0.525))
    seen = column(["a", "b", "z", None], pa.string())
    assert found.contribution(seen) == pytest.approx([0.075, -0.225, 0, 0])
    # With one other level and one gap in training both have their weights: an average of 0.2.
    mixed = LEVELS.weighted([0.6, 0.3, 0.1, -0.2], LEVELS.encode(seen))
    assert mixed.contribution(seen) == pytest.approx([0.4, 0.1, -0.1, -0.4])


@pytest.mark.parametrize(
    ("counts", "kept"),
    [
        # A twentieth of the rows while that is below 20: of 100 rows 5, of 300 rows 15.
        ({"a": 91, "b": 5, "c": 4}, ("a", "b")),
        ({"a": 271, "b": 15, "c": 14}, ("a", "b")),
        # Beyond 400 rows always 20.
        ({"a": 961, "b": 20, "c": 19}, ("a", "b")),
        # Fewer than 20 rows hold every level.
        ({"a": 18, "b": 1}, ("a", "b")),
    ],
)
def test_level_has_a_weight_with_twenty_rows_or_a_twentieth(
    counts: dict[str, int], kept: tuple[str, ...]
) -> None:
    assert learn(PLAN, [level for level, n in counts.items() for _ in range(n)]).levels == kept


def test_fifty_levels_at_most_the_commonest_first_and_then_by_name() -> None:
    names = [f"level {i:02}" for i in range(51)]
    values = [name for name in names for _ in range(20)]
    assert learn(PLAN, values).levels == tuple(names[:50])
    assert learn(PLAN, [*values, names[50]]).levels == (*names[:49], names[50])


def test_one_level_is_left_out_unless_gaps_tell_it_apart() -> None:
    assert learn(PLAN, ["a"] * 20) is None
    assert learn(PLAN, ["a"] * 19 + [None]).levels == ("a",)


def test_boolean_has_two_levels_in_words() -> None:
    found = learn(VIP, [True, False, None])
    assert (found.levels, found.boolean) == (("false", "true"), True)
    assert found.words(column([True, False, None], pa.bool_())) == ["true", "false", None]
    assert not learn(PLAN, ["true", "false"]).boolean


def test_encoders_stand_in_the_order_of_the_features_without_those_that_say_nothing() -> None:
    table = pa.table({"t_x": [1.0, 2.0], "t_plan": ["a", "a"], "t_vip": [True, False]})
    found, constant = learn_inputs([VIP, PLAN, X], table)
    assert ([i.feature for i in found], constant) == (["t.vip", "t.x"], ["t.plan"])
