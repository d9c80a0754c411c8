"""Sums: logistic regression on lines, and the scorecard, which is the same on bands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import frozen

from .inputs import BANDS, Floats, Input, learn_inputs
from .metrics import log_loss
from .model import Model
from .training import Training, simplest

# Strengths of the L2 penalty, as scikit-learn's C, over the decades in which standardised inputs and
# hundreds to hundreds of thousands of rows put the optimum; the smallest is the strongest.
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
# Bends at the quartiles: enough for saturation and a valley, few enough to be read.
KNOTS = 3


@frozen
class Tuned:
    """An estimator with its settings chosen: the loss of each inner fold, and the fit on all rows.

    ``losses`` is None for one that chooses nothing by the folds, and so cannot compete.
    """

    losses: Floats | None
    finish: Callable[[], Model]


def tune_logistic(training: Training) -> Tuned:
    """L2 logistic regression; bent numbers only where they earn it.

    Both choices follow the one-standard-error rule over the inner folds: the strongest penalty, and
    straight lines unless bends are better by more than the error.
    """
    tried = {knots: _penalties(training, knots=knots) for knots in (0, KNOTS)}
    best = {knots: simplest(losses) for knots, losses in tried.items()}
    knots = simplest({knots: tried[knots][best[knots]] for knots in tried})
    penalty = best[knots]
    losses = tried[knots][penalty]
    return Tuned(
        losses, lambda: _fit(training, "logistic", penalty, losses, {"knots": knots}, knots=knots)
    )


def tune_scorecard(training: Training) -> Tuned:
    """L2 logistic regression on numbers cut into bands, as a scorecard is read.

    It follows skewed and bent relations without taking the logarithm of anything by hand, and each
    band's weight can be told; steps between neighbouring bands are what the penalty keeps small.
    """
    tried = _penalties(training, bands=BANDS)
    penalty = simplest(tried)
    losses = tried[penalty]
    return Tuned(
        losses,
        lambda: _fit(training, "scorecard", penalty, losses, {"bands": BANDS}, bands=BANDS),
    )


def _penalties(training: Training, **shape: int) -> dict[float, Floats]:
    """Log loss of each inner fold for each penalty, the strongest first."""
    inputs, _ = learn_inputs(training.features, training.table, **shape)
    if not inputs:
        return {PENALTIES[0]: np.zeros(len(training.splits))}
    rows = training.table.take(training.rows)
    design = np.column_stack([i.encode(rows.column(i.column)) for i in inputs])
    label = training.label[training.rows]
    losses: dict[float, list[float]] = {c: [] for c in PENALTIES}
    for train, test in training.splits:
        x, y = design[train], label[train]
        regression = _regression()
        # From the strongest on, each fit starts where the one before ended.
        for c in PENALTIES:
            regression.set_params(C=c).fit(x, y)
            value = regression.predict_proba(design[test])[:, 1]
            losses[c].append(log_loss(label[test], value))
    return {c: np.array(found) for c, found in losses.items()}


def _fit(
    training: Training, estimator: str, penalty: float, losses: Floats, tuning: dict[str, Any],
    **shape: int,
) -> Model:  # fmt: skip
    inputs, constant = learn_inputs(training.features, training.table, **shape)
    if not inputs:
        return Model(score=training.score, estimator=estimator)
    blocks = [i.encode(training.table.column(i.column)) for i in inputs]
    regression = _regression().set_params(C=penalty).fit(np.column_stack(blocks), training.label)
    weights = np.asarray(regression.coef_[0], dtype=np.float64)
    edges = np.cumsum([0, *(b.shape[1] for b in blocks)])
    weighted: list[Input] = [
        source.weighted(weights[edges[i] : edges[i + 1]].tolist(), blocks[i])
        for i, source in enumerate(inputs)
    ]
    return Model(
        score=training.score, estimator=estimator, inputs=weighted,
        intercept=float(regression.intercept_[0] + sum(i.centre for i in weighted)),
        tuning={
            "penalty_c": penalty, **tuning, "left_out": constant,
            "inner_log_loss": float(losses.mean()),
        },
    )  # fmt: skip


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    # Newton steps on a few dozen columns: some ten times as fast here as the default solver.
    return LogisticRegression(solver="newton-cholesky", max_iter=200, warm_start=True)
