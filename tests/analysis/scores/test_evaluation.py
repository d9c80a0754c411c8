"""On which rows a score is tested, and what is said of it, with a model of which every value is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pytest

from crmkit.analysis.scores import estimators, evaluation
from crmkit.analysis.scores.dataset import Dataset
from crmkit.analysis.scores.estimators import Fitted
from crmkit.analysis.scores.inputs import NumberInput
from crmkit.analysis.scores.linear import Tuned
from crmkit.analysis.scores.metrics import auc_error, logistic
from crmkit.analysis.scores.model import Model
from crmkit.declarations import Feature, Profit
from crmkit.entities.fields import FieldType
from crmkit.errors import ConfigError

X = Feature(name="t.x", type=FieldType.NUMBER)
# Its log-odds are x itself.
FIXED = Model(
    score="shop.leave",
    estimator="fixed",
    inputs=[NumberInput(feature="t.x", column="t_x", low=-9, high=9, mean=0, sd=1, weights=[1])],
)
BROUGHT = {"fixed": lambda training: Tuned(None, lambda: FIXED)}
DAYS = (date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 30))
# Ten rows of each date: five with the outcome, of which one is below one without.
LABEL = [0, 0, 0, 0, 1, 0, 1, 1, 1, 1]
VALUES = [-3.0, -2.5, -2.0, -1.5, -1.0, 0.5, 1.0, 2.0, 2.5, 3.0]


def rows(days: Sequence[date], label: Sequence[int] = LABEL, **more: Any) -> pa.Table:
    """Ten rows for each day, of the same ten subjects."""
    count = len(days)
    ons = [day for day in days for _ in range(10)]
    return pa.table(
        {
            "subject_id": list(range(10)) * count,
            "as_of": pa.array(ons, pa.date32()).cast(pa.timestamp("us")),
            "as_of_on": pa.array(ons, pa.date32()),
            "label": list(label) * count,
            "t_x": VALUES * count,
            **more,
        }
    )


def data(days: Sequence[date] = DAYS, **more: Any) -> Dataset:
    return Dataset(table=rows(days, **more), dates=tuple(days), timed=True)


def later(leave: Any, found: Dataset, until: date | None = None, **more: Any) -> Any:
    return evaluation.evaluate_later(leave, "fixed", [X], found, until, brought=BROUGHT, **more)


def test_the_latest_quarter_of_the_rows_is_the_test(leave: Any) -> None:
    """Of 40 rows the 31st is of 30 April, 30 days after 31 March: March is known by then.

    24 of 25 pairs are in the right order; the error is that of the area, for there is one date.
    """
    found = later(leave, data())
    figures = found.figures
    assert figures["train_until"] == date(2025, 4, 30)
    assert figures["protocol"].startswith("trained on 3 dates 2025-01-31 to 2025-03-31 with")
    assert "tested on 1 later dates 2025-04-30 to 2025-04-30" in figures["protocol"]
    assert (figures["n"], figures["positives"], figures["auc"]) == (10, 5, 24 / 25)
    assert figures["auc_sd"] == pytest.approx(auc_error(24 / 25, 5, 5))
    assert found.value == pytest.approx(logistic(VALUES), abs=1e-11)
    # The values of the test lie as those of the training.
    assert found.psi == pytest.approx(0, abs=1e-12)
    assert [(r["estimator"], r["chosen"], r["auc"]) for r in found.rivals] == [("fixed", 1, 0.96)]


def test_a_date_is_learnt_from_when_its_horizon_ends_by_the_cut(leave: Any) -> None:
    """With a day more of horizon 31 March is not known by 30 April, with 29 days it is."""
    for horizon, count in ((31, 2), (30, 3), (29, 3)):
        found = later(attrs.evolve(leave, horizon_days=horizon), data())
        assert found.figures["protocol"].startswith(f"trained on {count} dates")
    # The cut itself belongs to the test.
    assert later(leave, data(), date(2025, 3, 31)).figures["n"] == 20
    assert later(leave, data(), date(2025, 4, 1)).figures["n"] == 10


@pytest.mark.parametrize("until", [date(2025, 3, 1), date(2025, 5, 1)])
def test_a_cut_without_rows_on_one_side_is_refused(leave: Any, until: date) -> None:
    """By 1 March 30 January is known and no date; from 1 May on there is none to test on."""
    with pytest.raises(ConfigError, match=f"cut at {until} there are") as caught:
        later(leave, data(), until)
    assert "dates are 2025-01-31, 2025-02-28, 2025-03-31, 2025-04-30" in str(caught.value)


def test_the_spread_is_that_of_the_dates_that_have_both_outcomes(leave: Any) -> None:
    """March ranks 24 of 25 pairs rightly and April 20: apart by 4/25, whose deviation is that over
    the root of 2. May, when nobody left, has no area."""
    days = (*DAYS, date(2025, 5, 31))
    april = [0, 0, 0, 1, 0, 1, 0, 1, 1, 1]
    # Of April's leavers the lowest is above three others, the next above four: 3 + 4 + 3 * 5 = 22.
    label = LABEL * 3 + april + [0] * 10
    table = rows(days).set_column(3, "label", pa.array(label))
    found = later(leave, Dataset(table=table, dates=days, timed=True), date(2025, 3, 31))
    assert (found.figures["n"], found.figures["positives"]) == (30, 10)
    assert found.figures["auc_sd"] == pytest.approx((24 / 25 - 22 / 25) / 2**0.5)


def test_outcomes_over_expected_and_the_profit_are_among_the_measures(leave: Any) -> None:
    plain = later(leave, data())
    expected = 5 / sum(1 / (1 + np.exp(-z)) for z in VALUES)
    assert plain.measures()["observed_expected"] == pytest.approx(expected)
    assert not {"emp", "protocol", "warnings", "score"} & set(plain.measures())
    assert plain.profit is None
    paid = later(attrs.evolve(leave, profit=Profit()), data())
    assert paid.measures()["emp"] == paid.profit.profit > 0
    # Ten rows are ten bands of one, from the highest value and from the lowest.
    assert [g.positives for g in plain.gains] == LABEL[::-1]
    assert [b.rate for b in plain.bands] == LABEL


@pytest.mark.parametrize(
    ("positions", "tested"),
    [
        (list(range(40)), 10),
        # Rows 29 to 32 have one place: all of them are tested.
        ([*range(28), 28, 29, 29, 29, 29, *range(33, 40)], 11),
        # The file stands in another order than its rows happened.
        (list(range(39, -1, -1)), 10),
    ],
)
def test_the_last_quarter_by_position_is_the_test(
    leave: Any, positions: list[int], tested: int
) -> None:
    found = evaluation.evaluate_in_order(
        leave, "fixed", [X], data(position=positions), brought=BROUGHT
    )
    cut = sorted(positions)[30]
    assert found.figures["n"] == tested
    assert found.figures["protocol"].startswith(
        f"trained on the {40 - tested} rows before position {cut}, tested on the {tested} from it on"
    )
    assert found.figures["train_until"] is None
    error = auc_error(found.figures["auc"], int(found.label.sum()), tested - int(found.label.sum()))
    assert found.figures["auc_sd"] == pytest.approx(error)


def test_every_row_is_valued_in_the_fold_that_tests_it(leave: Any) -> None:
    two = data(DAYS[:2])
    found = evaluation.cross_validate(leave, "fixed", [X], two, 2, brought=BROUGHT)
    assert found.value == pytest.approx(logistic(VALUES * 2), abs=1e-11)
    assert found.label.tolist() == LABEL * 2
    assert found.figures["protocol"].startswith("2-fold cross-validation on 2025-02-28, ")
    # Whatever the folds of ten: the mean of both means of squared distances is that of all rows.
    distances = [(y - 1 / (1 + np.exp(-z))) ** 2 for y, z in zip(LABEL, VALUES, strict=True)]
    assert found.figures["brier"] == pytest.approx(np.mean(distances), abs=1e-9)


def test_share_of_folds_in_which_an_estimator_was_chosen(
    leave: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four folds the plain one was chosen in three, and is named as the estimator."""
    names = iter(["other", "plain", "plain", "plain"])
    both = {"plain": FIXED, "other": FIXED}
    monkeypatch.setattr(evaluation, "fit_rivals", lambda *_, **__: Fitted(next(names), both))
    found = evaluation.cross_validate(leave, None, [X], data(DAYS[:1]), 4)
    assert found.estimator == "plain"
    assert {r["estimator"]: r["chosen"] for r in found.rivals} == {"plain": 0.75, "other": 0.25}


def test_more_folds_than_outcomes_are_refused(leave: Any) -> None:
    with pytest.raises(ConfigError, match="of 10 rows 5 had the outcome; at least 6 with"):
        evaluation.cross_validate(leave, "fixed", [X], data(DAYS[:1]), 6, brought=BROUGHT)


def test_rivals_are_judged_by_the_folds_and_one_without_losses_is_not() -> None:
    """Behind by 0.1 and 0.2: 0.15 in the mean, with an error of 0.1 / root 2 / root 2 = 0.05."""
    tuned = {
        "fixed": Tuned(None, lambda: FIXED),
        "near": Tuned(np.array([0.4, 0.5]), lambda: FIXED),
        "best": Tuned(np.array([0.3, 0.3]), lambda: FIXED),
    }
    first, *others = estimators._judged(tuned)
    assert list(first.values()) == ["fixed", None, None, None]
    assert [list(row.values()) for row in others] == [
        ["near", pytest.approx(0.45), pytest.approx(0.15), pytest.approx(0.05)],
        ["best", pytest.approx(0.3), 0, 0],
    ]
