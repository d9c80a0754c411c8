"""Control groups and the interval of the uplift, against published figures."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmkit.builtin.outreach.control import control_group
from crmkit.builtin.outreach.uplift import difference, wilson


@pytest.mark.parametrize(
    ("treated", "control", "low", "high"),
    [
        # The contrasts of R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890. The limits are
        # those of statsmodels 0.15.0: confint_proportions_2indep(*treated, *control,
        # method="newcomb", compare="diff") gives 0.052431, 0.333873; 0.170523, 0.809018;
        # -0.038137, 0.192560; -0.277533, 0.277533.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
    ],
)
def test_the_interval_is_that_of_newcombe(treated, control, low, high) -> None:
    found = difference(treated, control)
    assert found[0] == pytest.approx(treated[0] / treated[1] - control[0] / control[1])
    assert found[1:] == pytest.approx((low, high), abs=0.00005)


@pytest.mark.parametrize(
    ("successes", "people", "low", "high"),
    [
        # statsmodels 0.15.0: proportion_confint(successes, people, method="wilson").
        (1, 4, 0.045587, 0.699358),
        (2, 4, 0.150039, 0.849961),
        (1, 3, 0.061492, 0.792340),
        (2, 40, 0.013821, 0.165039),
    ],
)
def test_the_interval_of_one_rate_is_wilsons(successes, people, low, high) -> None:
    assert wilson(successes, people) == pytest.approx((low, high), abs=5e-7)


def test_the_same_seed_draws_the_same_customers_and_another_seed_others() -> None:
    people = [(i, "") for i in range(1000)]
    drawn = control_group(people, 0.1, seed=7)
    assert len(drawn) == 100
    assert control_group(reversed(people), 0.1, seed=7) == drawn
    # Two draws of 100 of 1000 share 10 on average; more than 40 would be no chance.
    assert len(drawn & control_group(people, 0.1, seed=8)) < 40


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.sampled_from((0.0, 0.1, 0.25, 0.5)))
def test_each_stratum_gives_its_share(sizes, share) -> None:
    people = [(n * 100 + i, f"s{n}") for n, size in enumerate(sizes) for i in range(size)]
    drawn = control_group(people, share, seed=1)
    assert abs(len(drawn) - share * len(people)) < 1
    for n, size in enumerate(sizes):
        assert abs(sum(i // 100 == n for i in drawn) - share * size) < 1.0 + 1e-9
