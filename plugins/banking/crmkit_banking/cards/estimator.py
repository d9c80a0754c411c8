"""From labelled rows to a card: bins, weights by regression, whole points.

The inputs are the weights of evidence of the bins; a logistic regression weighs them. An input whose
information value is below 0.02 tells nothing and is left out, and so is one that would be weighed
against its own evidence, which no officer could defend (Siddiqi 2006, chapters 6 and 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from crmkit.declarations import Feature, sql_name
from crmkit.entities import FieldType
from crmkit.learning import (
    BandInput,
    ChoiceInput,
    Model,
    Training,
    Tuned,
    log_loss,
    number_array,
    text_array,
)

from .binning import Binning, Floats, bin_number, bin_text
from .declaration import NAME, SCALE
from .points import Scale

if TYPE_CHECKING:
    import pyarrow as pa

NUMBERS = (FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY)
LEAST_IV = 0.02
# Strengths of the L2 penalty as scikit-learn's C on weights of evidence, whose scale is already that
# of the log-odds; the smallest is the strongest. Bins that were sought with the outcome in view
# promise too much on small samples, and the penalty takes that back.
PENALTIES = (0.03, 0.1, 0.3, 1.0)


@frozen
class _Line:
    """An input with its bins and the weight that the regression gave its evidence."""

    feature: Feature
    binning: Binning
    weight: float


def tune(training: Training) -> Tuned:
    """The card of some training rows, with the penalty of the least loss on the inner folds.

    Bins are sought inside each fold, as they see the outcome. The best is taken and not the strongest
    that is as good, because a card that is shrunk too far understates who is good and who is bad.
    """
    tried = _losses(training)
    penalty = min(PENALTIES, key=lambda c: tried[c].mean())
    return Tuned(tried[penalty], lambda: fit_card(training, penalty))


def _losses(training: Training) -> dict[float, Floats]:
    """Log loss of each inner fold by penalty; the rate alone where no input tells anything."""
    found: dict[float, list[float]] = {c: [] for c in PENALTIES}
    for train, test in training.splits:
        rows, later = training.rows[train], training.rows[test]
        table, label = training.table.take(rows), training.label[rows]
        binned, _ = _binned(training.features, table, label)
        for c in PENALTIES:
            if not binned:
                value = np.full(len(later), float(label.mean()))
            else:
                lines, _, intercept = _weighed(binned, label, c)
                held = training.table.take(later)
                logit = np.full(len(later), intercept)
                for line in lines:
                    codes = _codes(line, held)
                    logit += line.weight * np.array([b.woe for b in line.binning.bins])[codes]
                value = 1 / (1 + np.exp(-logit))
            found[c].append(log_loss(training.label[later], value))
    return {c: np.array(losses) for c, losses in found.items()}


def _codes(line: _Line, table: pa.Table) -> Any:
    """The bin of rows that the bins were not sought on."""
    points = [0] * len(line.binning.bins)
    source = _input(line, points, SCALE)
    codes = source.codes(table.column(source.column))
    if line.feature.type in NUMBERS:
        return codes
    place = {level: i for i, group in enumerate(line.binning.groups) for level in group}
    size = len(line.binning.groups)
    levels = [place[level] for level in source.levels]  # type: ignore[union-attr]
    return np.array([*levels, size, size + 1])[codes]


def fit_card(training: Training, penalty: float = PENALTIES[-1], scale: Scale = SCALE) -> Model:
    """A card as a model of crmkit whose weights are whole points over the scale's factor.

    Its ``tuning["scorecard"]`` is the sheet that a person reads: scale, base points, and for each
    input its information value and its bins with counts, weight of evidence and points.
    """
    binned, dropped = _binned(training.features, training.table, training.label)
    if not binned:
        return Model(score=training.score, estimator=NAME)
    lines, against, intercept = _weighed(binned, training.label, penalty)
    points = [_points(line, scale) for line in lines]
    # The lowest bin of each input counts 0 points; what that takes away goes to the base.
    base = round(scale.offset - scale.factor * intercept) + sum(min(p) for p in points)
    points = [[value - min(p) for value in p] for p in points]
    inputs = [_input(line, p, scale) for line, p in zip(lines, points, strict=True)]
    centre = sum(i.centre for i in inputs)
    return Model(
        score=training.score,
        estimator=NAME,
        inputs=inputs,
        intercept=(scale.offset - base) / scale.factor + centre,
        tuning={
            "penalty_c": penalty,
            "least_iv": LEAST_IV,
            "left_out": sorted({*dropped, *against}),
            "scorecard": {
                "points": scale.points,
                "odds": scale.odds,
                "pdo": scale.pdo,
                "base": base,
                "sample_bad_rate": float(training.label.mean()),
                "against_evidence": against,
                "inputs": [_sheet(line, p) for line, p in zip(lines, points, strict=True)],
            },
        },
    )


def _binned(
    features: Sequence[Feature], table: pa.Table, label: Floats
) -> tuple[list[tuple[Feature, Binning]], list[str]]:
    kept, dropped = [], []
    for feature in features:
        column = table.column(sql_name(feature.name))
        binning = (
            bin_number(number_array(column), label, feature.special, _unit(feature))
            if feature.type in NUMBERS
            else bin_text(text_array(column).to_pylist(), label)
        )
        if binning.iv < LEAST_IV:
            dropped.append(feature.name)
        else:
            kept.append((feature, binning))
    return kept, dropped


def _unit(feature: Feature) -> str:
    """Money is learnt in minor units, whatever the currency: the bins say so."""
    return "minor units" if feature.type is FieldType.MONEY else ""


def _weighed(
    binned: Sequence[tuple[Feature, Binning]], label: Floats, penalty: float
) -> tuple[list[_Line], list[str], float]:
    """The lines whose evidence counts in its own sense, those that would not, and the intercept."""
    from sklearn.linear_model import LogisticRegression

    kept, against = list(binned), []
    while True:
        evidence = np.column_stack(
            [np.array([b.woe for b in binning.bins])[binning.codes] for _, binning in kept]
        )
        regression = LogisticRegression(C=penalty, solver="newton-cholesky", max_iter=200)
        regression.fit(evidence, label)
        # Evidence for good lowers the log-odds of bad, so that its weight is below 0.
        weights = np.asarray(regression.coef_[0], dtype=np.float64)
        worst = int(np.argmax(weights))
        if weights[worst] < 0 or len(kept) == 1:
            break
        against.append(kept.pop(worst)[0].name)
    lines = [_Line(f, b, float(w)) for (f, b), w in zip(kept, weights, strict=True)]
    return lines, against, float(regression.intercept_[0])


def _points(line: _Line, scale: Scale) -> list[int]:
    """Points of every bin, by rounding to the nearest whole point."""
    return [round(-scale.factor * line.weight * b.woe) for b in line.binning.bins]


def _input(line: _Line, points: Sequence[int], scale: Scale) -> BandInput | ChoiceInput:
    """The line as an input of a model: weights are log-odds of bad, whole points over the factor.

    They are told against the best bin, as the points lost are that a decision gives as its reasons.
    """
    weights = [-p / scale.factor for p in points]
    centre = min(weights)
    name, column = line.feature.name, sql_name(line.feature.name)
    binning = line.binning
    if line.feature.type in NUMBERS:
        bands = len(binning.edges) + 1
        return BandInput(
            feature=name, column=column, edges=binning.edges, weights=weights[:bands],
            missing=weights[bands], centre=centre, specials=binning.specials,
            special_weights=weights[bands + 1 :],
        )  # fmt: skip
    pairs = sorted(
        (level, weight)
        for group, weight in zip(binning.groups, weights, strict=False)
        for level in group
    )
    return ChoiceInput(
        feature=name, column=column, levels=[p[0] for p in pairs], weights=[p[1] for p in pairs],
        other=weights[-2], missing=weights[-1], centre=centre,
        boolean=line.feature.type is FieldType.BOOLEAN,
    )  # fmt: skip


def _sheet(line: _Line, points: Sequence[int]) -> dict[str, Any]:
    rows = [
        {
            "bin": b.label, "kind": b.kind, "rows": b.rows, "bads": b.bads, "bad_rate": b.bad_rate,
            "woe": b.woe, "iv": b.iv, "points": p, "levels": list(levels),
        }
        for b, p, levels in zip(line.binning.bins, points, _levels(line.binning), strict=True)
    ]  # fmt: skip
    return {
        "feature": line.feature.name,
        "title": line.feature.title,
        "iv": line.binning.iv,
        "bins": rows,
    }


def _levels(binning: Binning) -> list[tuple[str, ...]]:
    """The levels of each bin; none of what is no group of levels."""
    return [*binning.groups, *[()] * (len(binning.bins) - len(binning.groups))]
