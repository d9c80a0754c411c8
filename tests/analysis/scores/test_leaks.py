"""The alarm against inputs that know the outcome."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from crmkit.analysis.scores.leaks import InputPower, check_powers, input_powers
from crmkit.declarations import Feature, Score
from crmkit.entities.fields import FieldType
from crmkit.errors import ConfigError

CALM = InputPower("t.calm", 0.2, 0.6, 0.58, 0.62, 4000)
STRONG = InputPower("t.strong", 0.7, 0.75, 0.73, 0.77, 4000)
LEAK = InputPower("t.leak", 3.0, 0.81, 0.80, 0.82, 40_000)
UNSURE = InputPower("t.unsure", 0.9, 0.86, 0.79, 0.92, 120)


def test_strong_input_is_warned_of_by_name() -> None:
    warnings = check_powers("t.s", [CALM, STRONG], allow_leak=False)
    assert len(warnings) == 1
    assert warnings[0].startswith(
        "t.strong tells much by itself (information value 0.70, AUC 0.750, 95 % interval 0.730 to "
        "0.770, 4,000 rows)"
    )


def test_leak_stops_and_is_named_with_what_was_found() -> None:
    with pytest.raises(ConfigError, match=r"score t\.s: .*: t\.leak \(AUC 0\.810, 95 %") as caught:
        check_powers("t.s", [CALM, LEAK], allow_leak=False)
    assert "interval 0.800 to 0.820, 40,000 rows" in caught.value.message
    assert caught.value.code == "E_LEAK"
    assert "--allow-leak" in caught.value.hint


def test_an_area_above_the_limit_by_chance_stops_nothing() -> None:
    """0.86 with an interval from 0.79 on is not surely above 0.80: a warning is enough."""
    warnings = check_powers("t.s", [UNSURE], allow_leak=False)
    assert [w.split(" ")[0] for w in warnings] == ["t.unsure"]


def test_a_few_outcomes_that_an_input_happens_to_rank_first_stop_nothing() -> None:
    """Three of 100 customers left, and one column ranks them on top by luck: area 1.

    By the error of Hanley & McNeil at 0.6569 (q1 0.4891, q2 0.5209, variance 8.922 / 291), 1.96 of
    which is 0.3432 = 1 - 0.6568, the interval begins at 0.657.
    """
    table = pa.table({"t_x": list(range(100)), "label": [0] * 97 + [1] * 3})
    found = input_powers([Feature(name="t.x", type=FieldType.INTEGER)], table)[0]
    assert (found.auc, found.auc_high, found.rows) == (1.0, 1.0, 100)
    assert found.auc_low == pytest.approx(0.6569, abs=5e-5)
    assert check_powers("t.s", [found], allow_leak=False)
    many = pa.table({"t_x": list(range(1000)), "label": [0] * 900 + [1] * 100})
    sure = input_powers([Feature(name="t.x", type=FieldType.INTEGER)], many)[0]
    with pytest.raises(ConfigError, match=r"t\.x"):
        check_powers("t.s", [sure], allow_leak=False)


def test_allowed_leak_is_still_warned_of() -> None:
    assert check_powers("t.s", [LEAK], allow_leak=True)[0].startswith("t.leak tells much")


def test_powers_of_a_number_a_text_and_a_gap() -> None:
    # x: of 4 positives 3 above all negatives, 1 below: 12 of 16 pairs. Text: levels by rate;
    # fewer than 20 rows of a level are pooled, so 40 rows a side are given.
    table = pa.table(
        {
            "t_x": pa.array([9, 8, 7, 0, 1, 2, 3, 4, None], pa.int64()),
            "label": [1, 1, 1, 1, 0, 0, 0, 0, 0],
        }
    )
    number = input_powers([Feature(name="t.x", type=FieldType.INTEGER)], table)[0]
    assert number.auc == pytest.approx(12 / 16)
    text = pa.table(
        {"t_p": ["a"] * 40 + ["b"] * 40, "label": [1] * 30 + [0] * 10 + [1] * 10 + [0] * 30}
    )
    choice = input_powers([Feature(name="t.p", type=FieldType.TEXT)], text)[0]
    # 30 of 40 positives in a, 30 of 40 negatives in b: 0.75*0.75 + ties (0.75*0.25*2)/2 = 0.75
    assert choice.auc == pytest.approx(0.75)
    assert choice.iv == pytest.approx(2 * 0.5 * np.log(3))


def test_identifier_like_text_is_no_leak() -> None:
    """Every level is rare, so together they tell nothing."""
    table = pa.table({"t_id": [f"c{i}" for i in range(30)], "label": [1, 0] * 15})
    found = input_powers([Feature(name="t.id", type=FieldType.TEXT)], table)[0]
    assert (found.iv, found.auc) == (0, 0.5)


def test_a_vouched_input_is_warned_of_with_its_reason_and_others_still_stop() -> None:
    reason = "arrears come before a default."
    warnings = check_powers("t.s", [LEAK], allow_leak=False, vouched={"t.leak": reason})
    assert warnings == [w for w in warnings if w.startswith("t.leak tells") and w.endswith(reason)]
    assert len(warnings) == 1
    with pytest.raises(ConfigError, match=r"t\.leak"):
        check_powers("t.s", [LEAK], allow_leak=False, vouched={"t.calm": reason})


def test_a_score_vouches_for_its_own_inputs_alone() -> None:
    with pytest.raises(ValueError, match=r"t\.other, which is none of its features"):
        Score(name="t.s", features=("t.a",), population="", target="", vouched={"t.other": "so"})
    with pytest.raises(ValueError, match="give a reason"):
        Score(name="t.s", features=("t.a",), population="", target="", vouched={"t.a": ""})


@pytest.mark.parametrize(
    ("iv", "area", "low", "verdict"),
    [
        (0.5, 0.7999, 0.7, "silent"),
        (0.5001, 0.6, 0.5, "warned"),
        (0.1, 0.8, 0.7, "warned"),
        (0.1, 0.81, 0.7999, "warned"),
        (0.1, 0.81, 0.8, "stopped"),
    ],
)
def test_alarm_begins_above_half_an_information_value_and_at_an_area_of_0_8(
    iv: float, area: float, low: float, verdict: str
) -> None:
    power = InputPower("t.x", iv, area, low, 0.9, 1234)
    if verdict == "stopped":
        with pytest.raises(ConfigError, match=r"t\.x \(AUC 0\.810, 95 % interval 0\.800 to 0\.900"):
            check_powers("t.s", [power], allow_leak=False)
    else:
        warned = check_powers("t.s", [power], allow_leak=False)
        assert len(warned) == (1 if verdict == "warned" else 0)


def test_warnings_begin_with_the_input_that_tells_most_and_equal_ones_go_by_name() -> None:
    powers = [
        InputPower(f"t.{n}", iv, 0.6, 0.5, 0.7, 9) for n, iv in (("c", 2), ("b", 1), ("a", 1))
    ]
    warned = check_powers("t.s", powers, allow_leak=False)
    assert [w.split(" ")[0] for w in warned] == ["t.c", "t.a", "t.b"]


def test_a_number_tells_as_much_whichever_way_it_points_and_its_gaps_are_not_ranked() -> None:
    """Of 3 leavers and 3 others with a value, 8 of 9 pairs are in order; two gaps stand apart."""
    label = [1, 1, 1, 0, 0, 0, 1, 0]
    for sign in (1, -1):
        values = [sign * x for x in (6, 5, 3, 4, 2, 1)]
        table = pa.table({"t_x": [*values, None, None], "label": label})
        found = input_powers([Feature(name="t.x", type=FieldType.INTEGER)], table)[0]
        assert (found.auc, found.rows) == (pytest.approx(8 / 9), 6)


@pytest.mark.parametrize("known", [[None, None, 1, 2], [1, 2, None, None], [None] * 4])
def test_a_number_known_of_one_side_alone_tells_nothing_by_rank(known: list[int | None]) -> None:
    table = pa.table({"t_x": pa.array(known, pa.int64()), "label": [1, 1, 0, 0]})
    found = input_powers([Feature(name="t.x", type=FieldType.INTEGER)], table)[0]
    assert (found.auc, found.auc_low, found.auc_high) == (0.5, 0, 1)


@pytest.mark.parametrize(("rows", "area"), [(19, (20 + 19 / 2) / 39), (20, 1.0)])
def test_levels_below_twenty_rows_are_taken_together(rows: int, area: float) -> None:
    """All of b leave and nobody else. With 19 rows b is one with the 19 of c and ties with them."""
    counts = {"a": 20, "b": rows, "c": 19}
    table = pa.table(
        {
            "t_p": [level for level, n in counts.items() for _ in range(n)],
            "label": [int(level == "b") for level, n in counts.items() for _ in range(n)],
        }
    )
    found = input_powers([Feature(name="t.p", type=FieldType.TEXT)], table)[0]
    assert found.auc == pytest.approx(area)


def test_information_value_of_a_number_counts_its_gaps_as_a_group() -> None:
    """2 of 10 leave at one value, 8 of 10 at the other, 5 of 10 without any: of 15 a side."""
    label = [1] * 2 + [0] * 8 + [1] * 8 + [0] * 2 + [1] * 5 + [0] * 5
    values = [1] * 10 + [2] * 10 + [None] * 10
    table = pa.table({"t_x": values, "label": label})
    found = input_powers([Feature(name="t.x", type=FieldType.INTEGER)], table)[0]
    assert found.iv == pytest.approx(2 * 6 / 15 * np.log(4))
    # By the levels of a text the same.
    text = pa.table(
        {"t_x": [None if v is None else str(v) for v in values] * 2, "label": label * 2}
    )
    found = input_powers([Feature(name="t.x", type=FieldType.TEXT)], text)[0]
    assert found.iv == pytest.approx(2 * 6 / 15 * np.log(4))
