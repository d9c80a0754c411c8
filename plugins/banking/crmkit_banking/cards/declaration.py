"""The estimator as declared: light, since every command reads the declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.declarations import Estimator

from .points import Scale

if TYPE_CHECKING:
    from crmkit.learning import Training, Tuned

NAME = "banking.points"
SCALE = Scale()


def _tune(training: Training) -> Tuned:
    from .estimator import tune

    return tune(training)


POINTS = Estimator(name=NAME, tune=_tune, title="Scorecard in whole points, optimally binned")
