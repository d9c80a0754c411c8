"""Estimators: from rows with a known outcome to a model as plain data.

Both are tuned by log loss in an inner cross-validation over a small general grid, never by looking
at the rows they are judged on, and neither weighs the classes: weights would destroy the
calibration that makes a probability usable for money (van den Goorbergh et al. 2022, JAMIA 29,
10.1093/jamia/ocac093).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...declarations import Feature
from ...errors import ConfigError
from .inputs import Floats, Input, check_inputs, learn_inputs
from .metrics import log_loss
from .model import Model, Tree, design_matrix

# Strengths of the L2 penalty, as scikit-learn's C, over the decades in which standardised inputs and
# hundreds to hundreds of thousands of rows put the optimum; the smallest is the strongest.
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
# Bends at the quartiles: enough for saturation and a valley, few enough to be read.
KNOTS = 3
INNER_FOLDS = 5
ROUNDS = (25, 50, 75, 100, 150, 200, 300)
TREE_SETTINGS: dict[str, Any] = {
    "learning_rate": 0.05,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 20,
    "early_stopping": False,
    "random_state": 0,
}
TOLERANCE = 1e-6
Subjects = NDArray[np.int64] | None
Splits = list[tuple[Any, Any]]
# The grid is searched on at most this many rows; the final fit takes all.
TUNING_ROWS = 20_000


def fit(score: str, estimator: str, features: Sequence[Feature], table: pa.Table) -> Model:
    """Fits an estimator.

    Args:
        score: name of the score, kept in the model.
        estimator: ``logistic`` or ``boosting``.
        features: inputs; ``table`` has a column for each by its SQL name.
        table: training rows with ``label`` (0 or 1).

    Returns:
        The model, with no version, dates or metrics yet.

    Raises:
        ConfigError: if scikit-learn is absent, a feature is no possible input, the rows hold one
            outcome only, or no input varies.
    """
    check_inputs(features)
    label = labels(table)
    check_sides(score, label, INNER_FOLDS)
    limits = _threadpoolctl()
    fitted = _fit_logistic if estimator == "logistic" else _fit_boosting
    # On small matrices waiting threads cost more than they compute (measured: 29 s instead of 5 s on
    # two busy cores), and one thread gives the same digits on any machine.
    with limits(1):
        model = fitted(score, features, table, label, _subjects(table))
    if not model.inputs:
        raise ConfigError(
            f"score {score}: every input holds one value over all {len(label)} training rows."
        )
    values = model.predict(table)
    return attrs.evolve(
        model, rows=len(label), positives=int(label.sum()), reference=_reference(values)
    )


def labels(table: pa.Table) -> Floats:
    """The column ``label`` (0 or 1) as floats, one a row."""
    return np.asarray(table.column("label").to_numpy(), dtype=np.float64)


def check_sides(score: str, label: Floats, least: int) -> None:
    """Refuses labels of which fewer than ``least`` are 1, or fewer than ``least`` are 0.

    Raises:
        ConfigError: saying how many there are and how many are needed.
    """
    positives = int(label.sum())
    if min(positives, len(label) - positives) < least:
        raise ConfigError(
            f"score {score}: of {len(label)} rows {positives} had the outcome; at least "
            f"{least} with and {least} without it are needed."
        )


def _threadpoolctl() -> Callable[[int], AbstractContextManager[Any]]:
    """What limits numeric threads; it comes with scikit-learn, whose absence is told here."""
    try:
        import sklearn  # noqa: F401  (asked for here, used by the estimators)
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ConfigError(
            "training a score needs scikit-learn, which is not installed.",
            hint="Install it with: pip install 'crmkit[ml]'",
        ) from error
    limits: Callable[[int], AbstractContextManager[Any]] = threadpool_limits
    return limits


# --- logistic -------------------------------------------------------------------------------------


def _fit_logistic(
    score: str, features: Sequence[Feature], table: pa.Table, label: Floats, subjects: Subjects
) -> Model:
    """L2 logistic regression; bent numbers only where they earn it.

    Both choices follow the one-standard-error rule (Breiman et al. 1984, Classification and
    Regression Trees, section 3.4.3) over the folds of an inner cross-validation: the strongest
    penalty that is no worse than the best by more than one standard error of the difference, and
    straight lines unless bends are better by more than that.
    """
    tried: dict[int, dict[float, Floats]] = {}
    rows = _tuning_rows(label)
    splits = inner_folds(label[rows], None if subjects is None else subjects[rows])
    for knots in (0, KNOTS):
        inputs, constant = learn_inputs(features, table, knots=knots)
        if not inputs:
            return Model(score=score, estimator="logistic")
        design = np.column_stack([i.encode(table.column(i.column)) for i in inputs])
        tried[knots] = _penalty_losses(design[rows], label[rows], splits)
    best = {knots: _strongest(losses) for knots, losses in tried.items()}
    gain = tried[0][best[0]] - tried[KNOTS][best[KNOTS]]
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    knots = KNOTS if gain.mean() > error else 0
    inputs, constant = learn_inputs(features, table, knots=knots)
    blocks = [i.encode(table.column(i.column)) for i in inputs]
    design = np.column_stack(blocks)
    weights, intercept = _ridge(design, label, best[knots])
    edges = np.cumsum([0, *(b.shape[1] for b in blocks)])
    weighted: list[Input] = [
        source.weighted(weights[edges[i] : edges[i + 1]].tolist(), blocks[i])
        for i, source in enumerate(inputs)
    ]
    return Model(
        score=score, estimator="logistic", inputs=weighted,
        intercept=float(intercept + sum(i.centre for i in weighted)),
        tuning={
            "penalty_c": best[knots], "knots": knots, "left_out": constant,
            "inner_log_loss": float(tried[knots][best[knots]].mean()),
        },
    )  # fmt: skip


def _strongest(losses: dict[float, Floats]) -> float:
    best = min(losses, key=lambda c: losses[c].mean())
    for c in sorted(losses):
        worse = losses[c] - losses[best]
        if worse.mean() <= worse.std(ddof=1) / np.sqrt(len(worse)):
            return c
    return best


def _penalty_losses(design: Floats, label: Floats, splits: Splits) -> dict[float, Floats]:
    """Log loss of each inner fold for each penalty."""
    losses: dict[float, list[float]] = {c: [] for c in PENALTIES}
    for train, test in splits:
        x, y = design[train], label[train]
        regression = _regression()
        # From the strongest on, each fit starts where the one before ended.
        for c in PENALTIES:
            regression.set_params(C=c).fit(x, y)
            value = regression.predict_proba(design[test])[:, 1]
            losses[c].append(log_loss(label[test], value))
    return {c: np.array(found) for c, found in losses.items()}


def _ridge(design: Floats, label: Floats, penalty_c: float) -> tuple[Floats, float]:
    regression = _regression().set_params(C=penalty_c).fit(design, label)
    return np.asarray(regression.coef_[0], dtype=np.float64), float(regression.intercept_[0])


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    # Newton steps on a few dozen columns: some ten times as fast here as the default solver.
    return LogisticRegression(solver="newton-cholesky", max_iter=200, warm_start=True)


def _subjects(table: pa.Table) -> Subjects:
    """Whose row each one is, or None where no subject has two."""
    if "subject_id" not in table.column_names:
        return None
    found = table.column("subject_id").to_numpy()
    return found if len(np.unique(found)) < len(found) else None


def _tuning_rows(label: Floats) -> NDArray[np.intp]:
    """Positions of at most TUNING_ROWS rows, the same draw every time."""
    order = np.random.default_rng(0).permutation(len(label))
    return np.asarray(np.sort(order[:TUNING_ROWS]), dtype=np.intp)


def inner_folds(label: Floats, subjects: Subjects) -> Splits:
    """The folds of tuning: stratified, and all rows of a subject on one side.

    A subject's months resemble one another, so with one month here and the next there every weak
    penalty would look good.
    """
    if subjects is None:
        return folds(label, INNER_FOLDS)
    from sklearn.model_selection import StratifiedGroupKFold

    splits = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=0)
    pairs = list(splits.split(np.zeros(len(label)), label, subjects))
    # Where few subjects hold all outcomes, a fold may have none: then rows are dealt singly.
    mixed = all(0 < label[test].sum() < len(test) for _, test in pairs)
    return pairs if mixed else folds(label, INNER_FOLDS)


def folds(label: Floats, count: int) -> Splits:
    """Stratified, shuffled folds with seed 0 (design D13): pairs of train and test positions."""
    from sklearn.model_selection import StratifiedKFold

    return list(
        StratifiedKFold(count, shuffle=True, random_state=0).split(np.zeros(len(label)), label)
    )


# --- boosting -------------------------------------------------------------------------------------


def _fit_boosting(
    score: str, features: Sequence[Feature], table: pa.Table, label: Floats, subjects: Subjects
) -> Model:
    """Histogram gradient boosting of shallow trees; the number of rounds by inner validation."""
    inputs, constant = learn_inputs(features, table, knots=0)
    if not inputs:
        return Model(score=score, estimator="boosting")
    design = design_matrix(inputs, table)
    losses = np.zeros(len(ROUNDS))
    rows = _tuning_rows(label)
    x, y = design[rows], label[rows]
    for train, test in inner_folds(y, None if subjects is None else subjects[rows]):
        grown = _boost(x[train], y[train], max(ROUNDS))
        stages = list(grown.staged_predict_proba(x[test]))
        losses += [log_loss(y[test], stages[r - 1][:, 1]) / INNER_FOLDS for r in ROUNDS]
    rounds = ROUNDS[int(np.argmin(losses))]
    booster = _boost(design, label, rounds)
    # Private attributes, checked below against the library's own prediction at every training.
    trees = [_plain_tree(stage[0].nodes) for stage in booster._predictors]
    base = float(np.ravel(booster._baseline_prediction)[0])
    model = Model(
        score=score, estimator="boosting", inputs=inputs, trees=trees,
        intercept=base + sum(t.value[0] for t in trees),
        tuning={
            "rounds": rounds, "left_out": constant, "inner_log_loss": float(losses.min()),
            **{k: v for k, v in TREE_SETTINGS.items() if k != "random_state"},
        },
    )  # fmt: skip
    apart = float(np.max(np.abs(model.predict(table) - booster.predict_proba(design)[:, 1])))
    if apart > TOLERANCE:
        raise ConfigError(
            f"score {score}: the trees read from scikit-learn give values {apart:.1e} apart from "
            f"its own; more than {TOLERANCE:.0e} is refused.",
            hint="Use estimator logistic, or the scikit-learn version of constraints.txt.",
        )
    return model


def _boost(design: Floats, label: Floats, rounds: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    with warnings.catch_warnings():
        # A column of which a fold sees no value bins with numpy warnings and splits nowhere.
        warnings.simplefilter("ignore", RuntimeWarning)
        return HistGradientBoostingClassifier(max_iter=rounds, **TREE_SETTINGS).fit(design, label)


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


def _reference(values: Floats) -> dict[str, Any]:
    """Decile edges of the training values and the share of rows in each band between them."""
    edges = np.unique(np.quantile(values, np.arange(1, 10) / 10, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "shares": (counts / len(values)).tolist()}
