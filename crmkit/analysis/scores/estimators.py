"""Estimators: from rows with a known outcome to a model as plain data.

All are tuned by log loss in an inner cross-validation over a small general grid, never by looking
at the rows they are judged on, and none weighs the classes: weights would destroy the calibration
that makes a probability usable for money (van den Goorbergh et al. 2022, JAMIA 29,
10.1093/jamia/ocac093).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from attrs import frozen

from ...declarations import ESTIMATORS, Feature
from ...errors import ConfigError, did_you_mean
from .boosting import tune_boosting
from .inputs import Floats, check_inputs
from .linear import Tuned, tune_logistic, tune_scorecard
from .model import Model
from .training import Training, gap, simplest

Tuner = Callable[[Training], Tuned]
TUNERS: dict[str, Tuner] = {
    "logistic": tune_logistic,
    "scorecard": tune_scorecard,
    "boosting": tune_boosting,
}


@frozen
class Fitted:
    """Estimators fitted to the same rows.

    Attributes:
        chosen: the name of the one to be used.
        models: those that were fitted, the most readable first.
    """

    chosen: str
    models: dict[str, Model]

    @property
    def model(self) -> Model:
        """The chosen one."""
        return self.models[self.chosen]


def fit(
    score: str,
    estimator: str | None,
    features: Sequence[Feature],
    table: pa.Table,
    *,
    brought: Mapping[str, Tuner] | None = None,
) -> Model:
    """Fits an estimator, or the one that wins where none is named; see :func:`fit_rivals`."""
    return fit_rivals(score, estimator, features, table, rivals=False, brought=brought).model


def fit_rivals(
    score: str,
    estimator: str | None,
    features: Sequence[Feature],
    table: pa.Table,
    *,
    rivals: bool = True,
    brought: Mapping[str, Tuner] | None = None,
) -> Fitted:
    """Fits an estimator and its rivals to the same rows.

    Without a named estimator they compete on the inner folds: the most readable one that is no
    worse than the best by more than one standard error of their difference is chosen.

    Args:
        score: name of the score, kept in the model.
        estimator: one of ESTIMATORS or of ``brought``, or None.
        features: inputs; ``table`` has a column for each by its SQL name.
        table: training rows with ``label`` (0 or 1).
        rivals: fit those that are not chosen, too.
        brought: estimators of plugins by name; they take part only when named.

    Returns:
        Models with no version, dates or metrics yet; the ``rivals`` of the chosen one's tuning say
        what each lost on the inner folds.

    Raises:
        ConfigError: if scikit-learn is absent, a feature is no possible input, the rows hold one
            outcome only, no input varies, or there is no estimator of that name.
    """
    check_inputs(features)
    tuners = _tuners(estimator, brought or {})
    limits = _threadpoolctl()
    tried = tuple(tuners) if rivals or estimator is None else (estimator,)
    # On small matrices waiting threads cost more than they compute (measured: 29 s instead of 5 s on
    # two busy cores), and one thread gives the same digits on any machine.
    with limits(1):
        training = Training.of(score, features, table)
        tuned = {name: tuners[name](training) for name in tried}
        chosen = estimator or simplest(
            {name: one.losses for name, one in tuned.items() if one.losses is not None}
        )
        models = {
            name: _finished(one, training)
            for name, one in tuned.items()
            if rivals or name == chosen
        }
    judged = {"rivals": _judged(tuned), "chosen_by": "one-standard-error rule"}
    if estimator is not None:
        judged["chosen_by"] = "declaration or option"
    models[chosen] = attrs.evolve(models[chosen], tuning={**models[chosen].tuning, **judged})
    return Fitted(chosen, models)


def _tuners(estimator: str | None, brought: Mapping[str, Tuner]) -> dict[str, Tuner]:
    """The built-in estimators, and the one that was named if a plugin brings it, which is first."""
    if estimator is None or estimator in TUNERS:
        return dict(TUNERS)
    if estimator not in brought:
        raise ConfigError(
            f"there is no estimator {estimator!r}; there are "
            f"{', '.join([*ESTIMATORS, *sorted(brought)])}.",
            hint=did_you_mean(estimator, [*ESTIMATORS, *brought]),
        )
    return {estimator: brought[estimator], **TUNERS}


def _finished(tuned: Tuned, training: Training) -> Model:
    model = tuned.finish()
    if not model.inputs:
        raise ConfigError(
            f"score {training.score}: every input holds one value over all {len(training.label)} "
            "training rows."
        )
    return attrs.evolve(
        model, rows=len(training.label), positives=int(training.label.sum()),
        reference=_reference(model.predict(training.table)),
    )  # fmt: skip


def _judged(tuned: dict[str, Tuned]) -> list[dict[str, Any]]:
    """What each rival lost on the inner folds, and how far it was behind the best."""
    known = {name: one.losses for name, one in tuned.items() if one.losses is not None}
    best = min(known.values(), key=lambda losses: float(losses.mean()), default=None)
    found: list[dict[str, Any]] = []
    for name in tuned:
        loss = behind = error = None
        if name in known and best is not None:
            loss = float(known[name].mean())
            behind, error = gap(known[name], best)
        found.append(
            {
                "estimator": name,
                "inner_log_loss": loss,
                "behind": behind,
                "standard_error": error,
            }
        )
    return found


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


def _reference(values: Floats) -> dict[str, Any]:
    """Decile edges of the training values and the share of rows in each band between them."""
    edges = np.unique(np.quantile(values, np.arange(1, 10) / 10, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "shares": (counts / len(values)).tolist()}
