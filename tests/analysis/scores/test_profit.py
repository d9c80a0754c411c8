"""The expected maximum profit of a campaign."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from crmkit.analysis.scores.profit import maximum_profit
from crmkit.declarations import Profit

OTHER = Profit(value=300, offer=20, contact=2, accept=(3, 5))


def drawn(seed: int, rows: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Outcomes and values of two decimals, so that there are ties."""
    draw = np.random.default_rng(seed)
    value = np.round(draw.random(rows), 2)
    return (draw.random(rows) < value * 0.5).astype(np.int64), value


@pytest.mark.parametrize(
    ("seed", "rows", "positives", "profit", "share", "other"),
    [
        (1, 400, 96, 7.799556681306134, 0.6065446366020317, 13.906305484613126),
        (2, 1000, 253, 7.983003524456018, 0.6365709698694539, 14.214372791520505),
        (3, 60, 16, 9.477695631197639, 0.6693943539340834, 17.07230809597444),
    ],
)
def test_it_equals_an_independent_library(
    seed: int, rows: int, positives: int, profit: float, share: float, other: float
) -> None:
    """Figures of empulse 0.13.1 on the same draw: ``empc_score`` and its ``optimal_rate`` with the
    published defaults, and with clv=300, incentive_cost=20, contact_cost=2, alpha=3, beta=5."""
    label, value = drawn(seed, rows)
    assert label.sum() == positives
    found = maximum_profit(label, value, Profit())
    assert found.profit == pytest.approx(profit, rel=1e-12)
    assert found.share == pytest.approx(share, rel=1e-12)
    assert maximum_profit(label, value, OTHER).profit == pytest.approx(other, rel=1e-12)


def test_perfect_ranking_earns_the_mean_acceptance_of_all_who_leave() -> None:
    """Half leave and all of them are contacted: 0.5 * (0.3 * (200 - 10) - 1) = 28.

    Only where fewer than 1 / 190 accept is nobody contacted, which Beta(6, 14) all but rules out.
    """
    found = maximum_profit([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], Profit())
    assert found.profit == pytest.approx(28, abs=1e-6)
    assert found.share == pytest.approx(0.5, abs=1e-6)


def test_offer_that_costs_what_is_won_is_not_made() -> None:
    label, value = drawn(1, 400)
    costly = Profit(value=200, offer=199, contact=100)
    assert maximum_profit(label, value, costly).profit == pytest.approx(0, abs=1e-9)
