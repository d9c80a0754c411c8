"""Evaluation: how a score does on rows that it has not learnt from (design D13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from attrs import field, frozen

from ...declarations import Feature, Score
from ...errors import ConfigError
from . import metrics
from .dataset import POSITION, Dataset
from .estimators import Fitted, Tuner, fit_rivals
from .inputs import Floats
from .leaks import InputPower
from .profit import MaximumProfit, maximum_profit
from .training import check_sides, folds, labels

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
        estimator: what was chosen; under cross-validation in most folds.
        gains: the gain table of all test rows; under cross-validation every row is valued by the
            model that has not seen it.
        bands: how well calibrated each tenth of the test rows is.
        rivals: the same measures for every estimator that was fitted, under the same protocol.
        psi: how far the values of the test rows lie from those of the training rows.
        profit: expected maximum profit of a customer and the share to contact, where a profit model
            is declared.
        powers: what each input tells by itself.
        label, value: the outcome and the probability of each test row.
    """

    figures: dict[str, Any]
    estimator: str
    gains: list[metrics.GainRow] = field(repr=False)
    bands: list[metrics.CalibrationRow] = field(repr=False)
    rivals: list[dict[str, Any]] = field(repr=False)
    psi: float
    profit: MaximumProfit | None
    powers: list[InputPower] = field(repr=False, factory=list)
    label: Floats = field(repr=False, eq=False)
    value: Floats = field(repr=False, eq=False)

    def measures(self) -> dict[str, Any]:
        """Everything measured in one number, the figures of design D11 first."""
        skipped = ("score", "protocol", "train_until", "warnings")
        found = {key: value for key, value in self.figures.items() if key not in skipped}
        found |= {
            "observed_expected": float(self.label.sum() / self.value.sum()),
            "psi": self.psi,
        }
        if self.profit is not None:
            found |= {"emp": self.profit.profit, "emp_share": self.profit.share}
        return found


@frozen
class _Part:
    """What one estimator did on the test rows of one fold, or of the only test."""

    figures: dict[str, float]
    value: Floats
    psi: float


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
    score: Score,
    estimator: str | None,
    features: Sequence[Feature],
    data: Dataset,
    count: int,
    *,
    rivals: bool = False,
    brought: Mapping[str, Tuner] | None = None,
) -> Evaluation:
    """Means over stratified, shuffled folds with seed 0.

    Encoding and tuning are fitted inside the fold, and so is the choice among rivals where no
    estimator is named. ``auc_sd`` is the standard deviation over the folds (divisor ``count - 1``).

    Args:
        estimator: one of ESTIMATORS or of ``brought``, or None to let ESTIMATORS compete in each
            fold.
        rivals: measure those that are not chosen, too.
        brought: estimators of plugins by name.

    Raises:
        ConfigError: if there are fewer rows with or without the outcome than folds.
    """
    label = data.label
    check_sides(score.name, label, count)
    tests, chosen, parts = [], [], []
    for train, test in folds(label, count):
        rows = data.learnt(data.table.take(pa.array(train)))
        later = data.table.take(pa.array(test))
        fitted = fit_rivals(score.name, estimator, features, rows, rivals=rivals, brought=brought)
        parts.append(_measured(fitted, rows, later))
        chosen.append(fitted.chosen)
        tests.append(test)
    value = np.zeros(len(label))
    for name, test, part in zip(chosen, tests, parts, strict=True):
        value[test] = part[name].value
    protocol = (
        f"{count}-fold cross-validation on {data.dates[-1]}, stratified, shuffled, seed 0, "
        "everything fitted inside the fold, means over folds"
    )
    kept = [part[name] for name, part in zip(chosen, parts, strict=True)]
    # Where rivals were not asked for, a fold has only the one that was chosen in it.
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    aucs = {name: [part[name].figures["auc"] for part in parts] for name in shared}
    return _evaluation(
        score, label, value, _mean(kept), _deviation([p.figures["auc"] for p in kept]), protocol,
        None, max(dict.fromkeys(chosen), key=chosen.count), float(np.mean([p.psi for p in kept])),
        [
            _rival(name, chosen, _mean([part[name] for part in parts]), _deviation(aucs[name]))
            for name in shared
        ],
    )  # fmt: skip


def evaluate_later(
    score: Score,
    estimator: str | None,
    features: Sequence[Feature],
    data: Dataset,
    train_until: date | None,
    *,
    rivals: bool = False,
    brought: Mapping[str, Tuner] | None = None,
) -> Evaluation:
    """Trains on outcomes known by a day and tests on dates from that day on.

    ``train_until`` None cuts at the day where the latest 25 % of the rows begin. A training row
    counts only if its horizon ends by the cut, so no outcome of the test time is learnt from.
    ``auc_sd`` is the standard deviation over the test dates; where there is one, the standard error
    of the area.

    Args:
        estimator: one of ESTIMATORS or of ``brought``, or None to let ESTIMATORS compete on the
            training rows.
        rivals: measure those that are not chosen, too.
        brought: estimators of plugins by name.

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
    label = labels(test)
    check_sides(score.name, label, 1)
    learnt = data.learnt(train)
    fitted = fit_rivals(score.name, estimator, features, learnt, rivals=rivals, brought=brought)
    parts = _measured(fitted, learnt, test)
    trained = sorted(set(train.column("as_of_on").to_pylist()))
    tested = sorted(set(test.column("as_of_on").to_pylist()))
    protocol = (
        f"trained on {len(trained)} dates {trained[0]} to {trained[-1]} with outcomes known by "
        f"{cut}, tested on {len(tested)} later dates {tested[0]} to {tested[-1]}"
    )
    spreads = {name: _spread(test, label, part.value) for name, part in parts.items()}
    kept = parts[fitted.chosen]
    return _evaluation(
        score, label, kept.value, kept.figures, spreads[fitted.chosen], protocol, cut,
        fitted.chosen, kept.psi,
        [_rival(name, [fitted.chosen], parts[name].figures, spreads[name]) for name in parts],
    )  # fmt: skip


def evaluate_in_order(
    score: Score,
    estimator: str | None,
    features: Sequence[Feature],
    data: Dataset,
    *,
    rivals: bool = False,
    brought: Mapping[str, Tuner] | None = None,
) -> Evaluation:
    """Trains on the earlier rows of data without dates whose order tells the time.

    The test is the latest 25 % of the rows by ``position``; rows of equal position stay together.

    Args:
        data: a cross-section with ``position``.

    Raises:
        ConfigError: if a side has too few rows with or without the outcome.
    """
    position = np.asarray(data.table.column(POSITION).to_numpy(), dtype=np.float64)
    cut = float(np.sort(position)[int(len(position) * (1 - TEST_SHARE))])
    train = data.learnt(data.table.filter(pa.array(position < cut)))
    test = data.table.filter(pa.array(position >= cut))
    label = labels(test)
    check_sides(score.name, label, 1)
    fitted = fit_rivals(score.name, estimator, features, train, rivals=rivals, brought=brought)
    parts = _measured(fitted, train, test)
    protocol = (
        f"trained on the {train.num_rows} rows before position {cut:.0f}, tested on the "
        f"{test.num_rows} from it on: the rows have no dates, and their order tells the time"
    )
    kept = parts[fitted.chosen]
    return _evaluation(
        score, label, kept.value, kept.figures, _error(label, kept.value), protocol, None,
        fitted.chosen, kept.psi,
        [
            _rival(name, [fitted.chosen], part.figures, _error(label, part.value))
            for name, part in parts.items()
        ],
    )  # fmt: skip


def _measured(fitted: Fitted, train: pa.Table, test: pa.Table) -> dict[str, _Part]:
    label, found = labels(test), {}
    for name, model in fitted.models.items():
        value = model.predict(test)
        found[name] = _Part(measure(label, value), value, metrics.psi(model.predict(train), value))
    return found


def _mean(parts: Sequence[_Part]) -> dict[str, float]:
    return {name: float(np.mean([p.figures[name] for p in parts])) for name in MEASURES}


def _deviation(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _rival(
    name: str, chosen: Sequence[str], figures: dict[str, float], spread: float | None
) -> dict[str, Any]:
    shown = _without_nan(figures)
    return {
        "estimator": name,
        "chosen": chosen.count(name) / len(chosen),
        "auc": shown.pop("auc"),
        "auc_sd": spread,
        **shown,
    }


def _without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: None if np.isnan(figures[name]) else figures[name] for name in MEASURES}


def _default_cut(data: Dataset) -> date:
    days = data.table.column("as_of_on").to_pylist()
    cut: date = sorted(days)[int(len(days) * (1 - TEST_SHARE))]
    return cut


def _spread(test: pa.Table, label: Floats, value: Floats) -> float | None:
    """Standard deviation of the AUC over the test dates that have both outcomes.

    With a single such date it is the standard error of the area itself, by its number of rows.
    """
    days = np.array(test.column("as_of_on").to_pylist())
    found = []
    for day in np.unique(days):
        here = days == day
        if 0 < label[here].sum() < here.sum():
            found.append(metrics.auc(label[here], value[here]))
    return _deviation(found) if len(found) > 1 else _error(label, value)


def _error(label: Floats, value: Floats) -> float:
    positives = int(label.sum())
    return metrics.auc_error(metrics.auc(label, value), positives, len(label) - positives)


def _evaluation(
    score: Score, label: Floats, value: Floats, means: dict[str, float], spread: float | None,
    protocol: str, train_until: date | None, estimator: str, psi: float,
    rivals: list[dict[str, Any]],
) -> Evaluation:  # fmt: skip
    shown = _without_nan(means)
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
    parts = min(10, len(label))
    return Evaluation(
        figures=figures,
        estimator=estimator,
        gains=metrics.gain_table(label, value, parts),
        bands=metrics.calibration_table(label, value, parts),
        rivals=rivals,
        psi=psi,
        profit=maximum_profit(label, value, score.profit) if score.profit else None,
        label=label,
        value=value,
    )
