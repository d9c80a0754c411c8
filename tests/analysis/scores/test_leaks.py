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
