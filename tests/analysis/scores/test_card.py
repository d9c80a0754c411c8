"""What a model card says, from a model by hand."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from crmkit.analysis.scores import card
from crmkit.analysis.scores.model import Model

MODEL = Model(score="shop.leave", estimator="logistic", until="2025-06-30")


def test_window_is_told_by_its_days_and_data_without_time_by_the_day(leave: Any) -> None:
    score = attrs.evolve(leave, gap_days=0, horizon_days=30)
    assert card._window(MODEL, score) == "0 to 30 days after the date"
    assert card._window(attrs.evolve(MODEL, until=None), score) == "as it stands on the day"


def test_data_without_time_and_protected_fields_are_limits(leave: Any) -> None:
    plain = card._limits(MODEL, leave)
    assert len(plain) == 2
    timeless = card._limits(attrs.evolve(MODEL, until=None), leave)
    assert len(timeless) == 3 and timeless[1].startswith("Learnt from data without time")
    warned = attrs.evolve(MODEL, tuning={"warnings": ["tier tells much."]})
    guarded = attrs.evolve(leave, limits="Not for minors.", protected=("shop.customer.sex",))
    found = card._limits(warned, guarded)
    assert (found[0], found[-1]) == ("Not for minors.", "Tier tells much.")
    assert found[1] == "No input may read the protected fields `shop.customer.sex`."


def test_inputs_left_out_are_named_with_the_reason() -> None:
    assert card._left_out(MODEL) == ""
    out = attrs.evolve(MODEL, tuning={"left_out": ["t.a", "t.b"]})
    assert card._left_out(out) == "Left out, because all training rows agree: `t.a`, `t.b`."
    scale = attrs.evolve(out, tuning={**out.tuning, "scorecard": {}})
    assert "because they tell too little" in card._left_out(scale)


def test_card_in_points_lists_each_bin_and_names_an_input_once() -> None:
    bins = [
        {"bin": "to 1", "rows": 90, "bad_rate": 0.125, "woe": -0.5, "points": -12},
        {"bin": "above 1", "rows": 10, "bad_rate": None, "woe": 0.25, "points": 7},
    ]
    sheet = {
        "base": 500,
        "points": 600.0,
        "odds": 50.0,
        "pdo": 20.0,
        "inputs": [{"feature": "t.a", "bins": bins}],
    }
    heading, lead, table = card._sheet(attrs.evolve(MODEL, tuning={"scorecard": sheet}))
    assert heading == "## Scorecard"
    assert "Everybody has 500 points" in lead and "600 points are odds of 50 to 1, and 20 " in lead
    assert table.splitlines()[2:] == [
        "| `t.a` | to 1 | 90 | 0.125 | -0.5 | -12 |",
        "|  | above 1 | 10 |  | 0.25 | 7 |",
    ]
    assert card._sheet(MODEL) == []


def test_rivals_are_listed_where_there_is_more_than_one() -> None:
    row = {"inner_log_loss": 0.5, "behind": 0.0, "standard_error": 0.0}
    one = [{"estimator": "logistic", **row}]
    two = [*one, {"estimator": "boosting", **row}]
    told = card._rivals(attrs.evolve(MODEL, tuning={"rivals": one}))
    assert told == ["None competed: logistic was declared or asked for by name."]
    lead, table = card._rivals(attrs.evolve(MODEL, tuning={"rivals": two}))
    assert lead.startswith("Log loss on the folds")
    assert table.splitlines()[2:] == [
        "| **logistic** | 0.5 | 0 | 0 |",
        "| boosting | 0.5 | 0 | 0 |",
    ]


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (0.123456, "0.1235"), (12, "12"), (0.0, "0"), ("x", "x")]
)
def test_figures_are_told_to_four_digits(value: Any, shown: str) -> None:
    assert card._shown(value) == shown


def test_sentences_begin_large_and_end_with_one_full_stop_and_cells_stay_cells() -> None:
    assert card._sentence("trained on two dates.") == "Trained on two dates."
    assert card._sentence("a") == "A."
    assert card._table(("a", "b"), [("x|y", "1\n2")]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| x\\|y | 1 2 |",
    ]
