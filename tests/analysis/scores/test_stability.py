"""Whether the values of today still lie as those of the training did, by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from crmkit.analysis.scores.model import Model
from crmkit.analysis.scores.stability import distribution_shift, verdict

# Ten training rows: five up to 0.2, five above it up to 0.4, and none beyond.
MODEL = Model(
    score="t.leave",
    estimator="logistic",
    rows=10,
    reference={"edges": [0.2, 0.4], "shares": [0.5, 0.5, 0.0]},
)


def test_values_that_lie_as_before_have_not_moved() -> None:
    """The empty band counts half of ten rows, 0.05, before and half of two, 0.25, now."""
    found = distribution_shift(MODEL, np.array([0.1, 0.3]))
    assert found == pytest.approx((0.25 - 0.05) * log(0.25 / 0.05), abs=1e-12)


def test_a_value_on_an_edge_belongs_to_the_band_below_it() -> None:
    """A quarter, a quarter and a half now, against a half, a half and half a row of ten."""
    found = distribution_shift(MODEL, np.array([0.2, 0.4, 0.41, 0.9]))
    expected = 2 * (0.25 - 0.5) * log(0.25 / 0.5) + (0.5 - 0.05) * log(0.5 / 0.05)
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_band_that_is_empty_now_counts_as_half_a_row() -> None:
    """All four are in the first band: an eighth each stands for the others."""
    found = distribution_shift(MODEL, np.array([0.0, 0.1, 0.1, 0.2]))
    expected = (
        (1 - 0.5) * log(1 / 0.5)
        + (0.125 - 0.5) * log(0.125 / 0.5)
        + (0.125 - 0.05) * log(0.125 / 0.05)
    )
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("psi", "ratio", "word"),
    [
        (0.0999, None, "stable"),
        (0.1, None, "watch"),
        (0.25, 1.0, "watch"),
        (0.2501, None, "act"),
        (0.0, 0.8, "stable"),
        (0.0, 0.7999, "act"),
        (0.0, 1.25, "stable"),
        (0.0, 1.2501, "act"),
        (0.1, 1.25, "watch"),
        (0.0, 0.0, "act"),
    ],
)
def test_verdict_changes_at_the_bounds(psi: float, ratio: float | None, word: str) -> None:
    assert verdict(psi, ratio) == word
