"""Checks the behaviour score by its kept runs, as the cards that decide are checked by decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .bounds import LEAST, LEAST_EXPECTED, by_chance, verdict

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SCORE = "banking.behaviour"


def check_runs(crm: Crm) -> list[dict[str, Any]]:
    """The figures of the behaviour score by its runs over everyone; none where it has no run.

    Returns:
        At most one row, the fields of ``banking.model_check``; see :func:`figures`.
    """
    if not crm.scores.versions(SCORE):
        return []
    runs = crm.scores.stability(SCORE)
    if not runs:
        return []
    model = crm.scores.model(SCORE, int(runs[-1]["model_version"]))
    bands = len(model.reference["shares"])
    return [figures(runs, by_chance(bands, model.rows, runs[-1]["n"]))]


def figures(runs: Sequence[Mapping[str, Any]], chance: float | None = None) -> dict[str, Any]:
    """The check of kept runs, oldest first, as ``crm.scores.stability`` gives them.

    The index is that of the last run against the training rows; observed over expected is of the
    last run whose six months have passed. ``decisions`` is how many the last run scored. Nobody
    overrides a score. ``chance`` is what the index reaches by chance.
    """
    last = runs[-1]
    psi = last["psi"] if last["n"] >= LEAST else None
    known = [run for run in runs if run["observed_expected"] is not None]
    ratio = None
    if known and known[-1]["expected"] * known[-1]["n"] >= LEAST_EXPECTED:
        ratio = known[-1]["observed_expected"]
    return {
        "score": SCORE, "card_version": int(last["model_version"]), "checked_on": last["as_of"],
        "decisions": last["n"], "psi": psi, "psi_by_chance": None if psi is None else chance, "csi_worst": None, "csi_input": None,
        "observed_expected": ratio, "override_rate": None, "verdict": verdict(psi, ratio, None, chance),
    }  # fmt: skip
