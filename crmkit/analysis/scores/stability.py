"""Whether a score still holds: its runs against what its model was trained on."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...declarations import Score
from ...entities.asof import AsOf
from .dataset import Datasets
from .metrics import share_shift
from .model import Model, ModelFolder

# Bounds of practice (Siddiqi 2006, chapter 8): below 0.10 stable, above 0.25 to be acted upon.
PSI_WATCH, PSI_ACT = 0.10, 0.25
# Observed over expected outcomes outside of this calls for a new training.
RATIO = (0.8, 1.25)


def run_stability(
    score: Score, runs: pa.Table, models: ModelFolder, datasets: Datasets, now: AsOf
) -> list[dict[str, Any]]:
    """One row for each as-of of kept runs, oldest first; see :meth:`Scores.stability`.

    Args:
        score: whose runs.
        runs: outcomes of the last run for each as-of.
        models: the trained versions.
        datasets: asks what has happened since.
        now: what may be seen.
    """
    if not runs.num_rows:
        return []
    seen = datasets.seen_until(score, now)
    return [
        _row(score, runs.filter(pc.equal(runs.column("as_of"), pa.scalar(instant))), models, datasets, seen)
        for instant in sorted(pc.unique(runs.column("as_of")).to_pylist())
    ]  # fmt: skip


def _row(
    score: Score, run: pa.Table, models: ModelFolder, datasets: Datasets, seen: date | None
) -> dict[str, Any]:
    head = run.slice(0, 1).to_pylist()[0]
    as_of = AsOf(head["as_of"].replace(tzinfo=UTC), head["as_of_on"])
    model = models.load(score.name, int(head["model_version"]))
    values = run.column("value").to_numpy()
    moved = distribution_shift(model, values)
    expected, observed = float(values.mean()), None
    if seen is not None and seen >= as_of.on + timedelta(days=score.horizon_days):
        told = datasets.outcomes(score, run.column("subject_id").to_pylist(), as_of)
        # Whose outcome cannot be told counts on neither side.
        counted = np.isin(run.column("subject_id").to_numpy(), told.column("subject_id").to_numpy())
        if counted.any():
            expected = float(values[counted].mean())
            observed = float(np.mean(told.column("label").to_numpy()))
    ratio = observed / expected if observed is not None and expected else None
    return {
        "as_of": as_of.on,
        "model_version": head["model_version"],
        "n": len(values),
        "psi": moved,
        "expected": expected,
        "observed": observed,
        "observed_expected": ratio,
        "verdict": verdict(moved, ratio),
    }


def distribution_shift(model: Model, values: np.typing.NDArray[np.float64]) -> float:
    """The stability index of values against those that the model gave its training rows."""
    edges, shares = model.reference["edges"], np.array(model.reference["shares"])
    found = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(shares))
    # An empty band counts as half a row, else its logarithm has no value.
    before = np.maximum(shares, 0.5 / model.rows)
    return share_shift(before, np.maximum(found, 0.5) / len(values))


def verdict(psi: float, ratio: float | None) -> str:
    """``act`` where the model should be trained anew, ``watch``, or ``stable``.

    Args:
        psi: stability index of the values.
        ratio: observed over expected outcomes, or None while unknown.
    """
    if psi > PSI_ACT or (ratio is not None and not RATIO[0] <= ratio <= RATIO[1]):
        return "act"
    return "watch" if psi >= PSI_WATCH else "stable"
