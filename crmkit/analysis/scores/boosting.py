"""Histogram gradient boosting of shallow trees, kept as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ConfigError
from .inputs import Floats, learn_inputs
from .linear import Tuned
from .metrics import log_loss
from .model import Model, Tree, design_matrix
from .training import Training

ROUNDS = (30, 60, 90, 120, 180, 240, 320)
# Further sizes that are grown in vain before the search ends: losses are smooth in the rounds.
PATIENCE = 1
TREE_SETTINGS: dict[str, Any] = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "early_stopping": False,
    "random_state": 0,
}
TOLERANCE = 1e-6


def tune_boosting(training: Training) -> Tuned:
    """The number of rounds with the least log loss over the inner folds."""
    inputs, constant = learn_inputs(training.features, training.table)
    if not inputs:
        return Tuned(
            np.zeros(len(training.splits)),
            lambda: Model(score=training.score, estimator="boosting"),
        )
    design = design_matrix(inputs, training.table)
    tried = _rounds(design[training.rows], training.label[training.rows], training)
    rounds = min(tried, key=lambda size: tried[size].mean())

    def finish() -> Model:
        booster = _grow(_booster(rounds), design, training.label)
        # Private attributes, checked below against the library's own prediction at every training.
        trees = [_plain_tree(stage[0].nodes) for stage in booster._predictors]
        base = float(np.ravel(booster._baseline_prediction)[0])
        model = Model(
            score=training.score, estimator="boosting", inputs=inputs, trees=trees,
            intercept=base + sum(t.value[0] for t in trees),
            tuning={
                "rounds": rounds, "left_out": constant,
                "inner_log_loss": float(tried[rounds].mean()),
                **{k: v for k, v in TREE_SETTINGS.items() if k != "random_state"},
            },
        )  # fmt: skip
        _check_trees(model, training, booster.predict_proba(design)[:, 1])
        return model

    return Tuned(tried[rounds], finish)


def _rounds(design: Floats, label: Floats, training: Training) -> dict[int, Floats]:
    """Log loss of each inner fold for each number of rounds, until more of them are in vain."""
    growing = [_booster(ROUNDS[0]) for _ in training.splits]
    tried: dict[int, Floats] = {}
    for size in ROUNDS:
        losses = []
        for booster, (train, test) in zip(growing, training.splits, strict=True):
            _grow(booster.set_params(max_iter=size), design[train], label[train])
            losses.append(log_loss(label[test], booster.predict_proba(design[test])[:, 1]))
        tried[size] = np.array(losses)
        means = [found.mean() for found in tried.values()]
        if len(means) - int(np.argmin(means)) > PATIENCE:
            break
    return tried


def _booster(rounds: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=rounds, warm_start=True, **TREE_SETTINGS)


def _grow(booster: Any, design: Floats, label: Floats) -> Any:
    # The library cannot bin a column without a value (scikit-learn 1.9 raises): a constant in its
    # place splits nowhere either.
    empty = np.isnan(design).all(axis=0)
    return booster.fit(np.where(empty, 0.0, design), label)


def _check_trees(model: Model, training: Training, expected: Floats) -> None:
    apart = float(np.max(np.abs(model.predict(training.table) - expected)))
    if apart > TOLERANCE:
        raise ConfigError(
            f"score {model.score}: the trees read from scikit-learn give values {apart:.1e} apart "
            f"from its own; more than {TOLERANCE:.0e} is refused.",
            hint="Use estimator logistic, or the scikit-learn version of constraints.txt.",
        )


def _plain_tree(nodes: Any) -> Tree:
    """A scikit-learn predictor's node array as plain data, inner values from the leaves up."""
    leaf = nodes["is_leaf"] == 1
    value = np.where(leaf, nodes["value"], 0.0)
    count = nodes["count"].astype(np.float64)
    # Children stand after their parent, so backwards every child is ready before its parent.
    for i in range(len(nodes) - 1, -1, -1):
        if not leaf[i]:
            left, right = int(nodes["left"][i]), int(nodes["right"][i])
            value[i] = (count[left] * value[left] + count[right] * value[right]) / count[i]
    largest = np.finfo(np.float64).max
    threshold = np.clip(np.where(leaf, 0.0, nodes["num_threshold"]), -largest, largest)
    return Tree(
        column=np.where(leaf, -1, nodes["feature_idx"].astype(np.int64)).tolist(),
        threshold=threshold.tolist(),
        left=np.where(leaf, 0, nodes["left"]).tolist(),
        right=np.where(leaf, 0, nodes["right"]).tolist(),
        missing_left=np.where(leaf, 0, nodes["missing_go_to_left"]).tolist(),
        value=value.tolist(),
    )
