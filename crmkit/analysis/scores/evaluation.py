"""Evaluation: how a score does on rows that it has not learnt from (design D13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from attrs import field, frozen

from ...declarations import Feature, Score
from ...errors import ConfigError
from . import metrics
from .dataset import Dataset
from .estimators import check_sides, fit, folds
from .inputs import Floats

# Test rows in an evaluation over time, unless a date is given (design D13).
TEST_SHARE = 0.25
MEASURES = (
    "auc", "ks", "brier", "log_loss", "lift_top_decile", "calibration_slope",
    "calibration_intercept",
)  # fmt: skip


@frozen(kw_only=True)
class Evaluation:
    """How good a score is.

    Attributes:
        figures: the keys of design D11, in their order.
        gains: the gain table of all test rows; under cross-validation every row is valued by the
            model that has not seen it.
        label, value: the outcome and the probability of each test row.
    """

    figures: dict[str, Any]
    gains: list[metrics.GainRow] = field(repr=False)
    label: Floats = field(repr=False, eq=False)
    value: Floats = field(repr=False, eq=False)


def measure(label: Floats, value: Floats) -> dict[str, float]:
    """Every measure of MEASURES on one set of test rows."""
    slope, intercept = metrics.calibration(label, value)
    return {
        "auc": metrics.auc(label, value),
        "ks": metrics.ks(label, value),
        "brier": metrics.brier(label, value),
        "log_loss": metrics.log_loss(label, value),
        "lift_top_decile": metrics.lift_top_decile(label, value),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
    }


def cross_validate(
    score: Score, estimator: str, features: Sequence[Feature], data: Dataset, count: int
) -> Evaluation:
    """Means over stratified, shuffled folds with seed 0; encoding and tuning are fitted inside.

    ``auc_sd`` is the standard deviation over the folds (divisor ``count - 1``).

    Raises:
        ConfigError: if there are fewer rows with or without the outcome than folds.
    """
    label = data.label
    check_sides(score.name, label, count)
    value = np.zeros(len(label))
    rows = []
    for train, test in folds(label, count):
        model = fit(score.name, estimator, features, data.table.take(pa.array(train)))
        value[test] = model.predict(data.table.take(pa.array(test)))
        rows.append(measure(label[test], value[test]))
    means = {name: float(np.mean([row[name] for row in rows])) for name in MEASURES}
    spread = float(np.std([row["auc"] for row in rows], ddof=1))
    protocol = (
        f"{count}-fold cross-validation on {data.dates[-1]}, stratified, shuffled, seed 0, "
        "everything fitted inside the fold, means over folds"
    )
    return _evaluation(score, label, value, means, spread, protocol, None)


def evaluate_later(
    score: Score,
    estimator: str,
    features: Sequence[Feature],
    data: Dataset,
    train_until: date | None,
) -> Evaluation:
    """Trains on outcomes known by a day and tests on dates from that day on.

    ``train_until`` None cuts at the day where the latest 25 % of the rows begin. A training row
    counts only if its horizon ends by the cut, so no outcome of the test time is learnt from.
    ``auc_sd`` is the standard deviation over the test dates, missing where there is one.

    Raises:
        ConfigError: if nothing is left to train or test on.
    """
    cut = train_until or _default_cut(data)
    known_after = timedelta(days=score.horizon_days)
    train, test = data.between(None, cut - known_after), data.between(cut, None)
    if not train.num_rows or not test.num_rows:
        raise ConfigError(
            f"score {score.name}: cut at {cut} there are {train.num_rows} rows to train on (dates "
            f"to {cut - known_after}) and {test.num_rows} to test on (dates from {cut}); dates are "
            f"{', '.join(map(str, data.dates))}.",
            hint="Choose another --train-until, or use --cv 5.",
        )
    label = np.asarray(test.column("label").to_numpy(), dtype=np.float64)
    check_sides(score.name, label, 1)
    model = fit(score.name, estimator, features, train)
    value = model.predict(test)
    trained = sorted(set(train.column("as_of_on").to_pylist()))
    tested = sorted(set(test.column("as_of_on").to_pylist()))
    protocol = (
        f"trained on {len(trained)} dates {trained[0]} to {trained[-1]} with outcomes known by "
        f"{cut}, tested on {len(tested)} later dates {tested[0]} to {tested[-1]}"
    )
    return _evaluation(
        score, label, value, measure(label, value), _spread(test, label, value), protocol, cut
    )


def _default_cut(data: Dataset) -> date:
    days = data.table.column("as_of_on").to_pylist()
    cut: date = sorted(days)[int(len(days) * (1 - TEST_SHARE))]
    return cut


def _spread(test: pa.Table, label: Floats, value: Floats) -> float | None:
    """Standard deviation of the AUC over the test dates that have both outcomes."""
    days = np.array(test.column("as_of_on").to_pylist())
    found = []
    for day in np.unique(days):
        here = days == day
        if 0 < label[here].sum() < here.sum():
            found.append(metrics.auc(label[here], value[here]))
    return float(np.std(found, ddof=1)) if len(found) > 1 else None


def _evaluation(
    score: Score, label: Floats, value: Floats, means: dict[str, float], spread: float | None,
    protocol: str, train_until: date | None,
) -> Evaluation:  # fmt: skip
    shown = {name: None if np.isnan(means[name]) else means[name] for name in MEASURES}
    figures: dict[str, Any] = {
        "score": score.name,
        "n": len(label),
        "positives": int(label.sum()),
        "auc": shown.pop("auc"),
        "auc_sd": spread,
        **shown,
        "protocol": protocol,
        "train_until": train_until,
        "warnings": [],
    }
    gains = metrics.gain_table(label, value, min(10, len(label)))
    return Evaluation(figures=figures, gains=gains, label=label, value=value)
