"""The expected maximum profit of a campaign."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve
from numpy.typing import NDArray

from crmkit.analysis.scores.profit import _hull, maximum_profit
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


# Beta(1, 1): every share of acceptance is as likely as the other. Of four, the first and third by
# value would leave; one who leaves and one who stays tie in the middle.
UNIFORM = Profit(value=100, offer=10, contact=0, accept=(1, 1))
LABEL, VALUE = [1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1]


def test_profit_of_free_contacts_is_the_integral_over_the_share_that_accepts() -> None:
    """Two corners: the first alone earns 22.5 g, the first three 45 g - 2.5; they cross at g = 1/9.

    22.5/2 * (1/9)^2 + 45/2 * (1 - (1/9)^2) - 2.5 * 8/9, and a quarter is contacted for a ninth of
    the shares, three quarters for the others.
    """
    found = maximum_profit(LABEL, VALUE, UNIFORM)
    assert found.profit == pytest.approx(11.25 / 81 + 22.5 * 80 / 81 - 20 / 9, abs=1e-9)
    assert found.share == pytest.approx((0.25 + 8 * 0.75) / 9, abs=1e-9)


def test_profit_of_paid_contacts_is_nothing_until_enough_accept() -> None:
    """A contact costs 5: the first alone earns 22.5 g - 1.25, above nothing from g = 1/18 on; the
    first three earn 45 g - 6.25, above that from g = 2/9 on."""
    found = maximum_profit(LABEL, VALUE, evolve(UNIFORM, contact=5))
    one = 11.25 * ((2 / 9) ** 2 - (1 / 18) ** 2) - 1.25 * (2 / 9 - 1 / 18)
    three = 22.5 * (1 - (2 / 9) ** 2) - 6.25 * 7 / 9
    assert found.profit == pytest.approx(one + three, abs=1e-9)
    assert found.share == pytest.approx(0.25 / 6 + 0.75 * 7 / 9, abs=1e-9)


@pytest.mark.parametrize(
    ("label", "value", "leave", "stay"),
    [
        # Leavers and stayers in turn: points on the line from nobody to everybody are no corners.
        ([0, 1, 0, 1], [0.9, 0.8, 0.2, 0.1], [0, 1], [0, 1]),
        # The point in the middle lies on the line from the first corner to the last.
        ([1, 0, 1, 0, 1], [0.9, 0.5, 0.5, 0.4, 0.4], [0, 1 / 3, 1], [0, 0, 1]),
        # A tie is passed in one step; after the last leaver there is no corner.
        (LABEL, VALUE, [0, 0.5, 1], [0, 0, 0.5]),
        ([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1], [0, 1], [0, 0]),
        ([1, 0], [0.5, 0.5], [0, 1], [0, 1]),
        # The best value stays, the second leaves: the way to the second goes past the first.
        ([0, 1, 1, 0], [0.9, 0.8, 0.7, 0.1], [0, 1], [0, 0.5]),
    ],
)
def test_corners_are_those_of_the_upper_hull(
    label: list[int], value: list[float], leave: list[float], stay: list[float]
) -> None:
    found = _hull(np.array(label, dtype=float), np.array(value))
    assert found[0] == pytest.approx(leave)
    assert found[1] == pytest.approx(stay)
