"""The early warning against a chart worked by hand and against the measured figures of the method."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmkit.builtin.service.cases import NewCase
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm

WEIGHT, WEEKS, BASE = 0.3, 8, 26


def file_weeks(crm: Crm, clock: SettableClock, topic: str, weeks: list[int]) -> None:
    """Files cases: ``weeks[0]`` of them in the week that ends now, the others before."""
    now = clock()
    customer = crm.store.customers.add(name=topic).id
    new = [
        NewCase(
            customer_id=customer, values={"topic": topic, "region": "north"}, by_customer=False,
            opened_at=now - timedelta(days=7 * week + 1, minutes=number),
        )
        for week, count in enumerate(weeks)
        for number in range(count)
    ]  # fmt: skip
    crm.service("service.cases").open(new)


def test_a_rise_is_found_and_its_chart_is_that_worked_by_hand(
    crm: Crm, crm_clock: SettableClock
) -> None:
    crm_clock.set(datetime(2026, 6, 1, 12, tzinfo=UTC))
    # Two a week for 26 weeks, then two a week for 5 more, then 6, 7 and 8 in the last three.
    file_weeks(crm, crm_clock, "rising", [8, 7, 6] + [2] * 31)
    file_weeks(crm, crm_clock, "calm", [3] + [2] * 33)
    file_weeks(crm, crm_clock, "rare", [4] + [0] * 33)
    file_weeks(crm, crm_clock, "new", [5] + [0] * 33)
    rows = crm.reports.run("service.early-warning", as_of=crm.as_of()).table.to_pylist()
    found = {row["topic"]: row for row in rows}
    # By hand: 2 for five weeks leaves 2; then 2 + 0.3 * 4 = 3.2; 3.2 * 0.7 + 2.1 = 4.34;
    # 4.34 * 0.7 + 2.4 = 5.438. Limit: 2 + 3 * 1.41421356 * 0.42008403 = 3.78226.
    assert found["rising"]["expected"] == pytest.approx(2)
    assert found["rising"]["ewma"] == pytest.approx(5.438)
    assert found["rising"]["upper_limit"] == pytest.approx(3.78226, abs=1e-5)
    assert found["calm"]["ewma"] == pytest.approx(2.3)
    alarms = {topic: row["alarm"] for topic, row in found.items()}
    # "rare" is above its limit of 0 with four cases, of which an alarm needs five.
    assert alarms == {"rising": True, "calm": False, "rare": False, "new": True}


def alarms(counts: np.ndarray) -> np.ndarray:
    """The report's rule over simulated weeks: one truth value for each series and week watched."""
    watched = counts.shape[1] - BASE - WEEKS + 1
    out = np.zeros((counts.shape[0], watched), bool)
    for week in range(watched):
        expected = counts[:, week : week + BASE].mean(axis=1)
        level = expected
        for count in counts[:, week + BASE : week + BASE + WEEKS].T:
            level = WEIGHT * count + (1 - WEIGHT) * level
        limit = expected + 3 * np.sqrt(expected * WEIGHT / (2 - WEIGHT))
        out[:, week] = (level > limit) & (counts[:, week + BASE + WEEKS - 1] >= 5)
    return out


@pytest.mark.parametrize(
    ("a_week", "false_alarms", "weeks_to_detect"),
    [(2, 0.009, 5), (8, 0.006, 2), (30, 0.004, 1)],
)
def test_the_rule_detects_a_doubling_as_fast_as_was_measured(
    a_week: int, false_alarms: float, weeks_to_detect: int
) -> None:
    """Figures of the brief, section 6: false alarms a week and median weeks to a doubling.

    The brief's rates are upper bounds here: needing five cases lowers that of rare topics.
    """
    draw, before, after = np.random.default_rng(5), BASE + WEEKS - 1, 40
    calm = draw.poisson(a_week, (4000, before + after))
    assert false_alarms / 3 < alarms(calm).mean() < false_alarms * 1.2
    doubled = np.hstack(
        [draw.poisson(a_week, (4000, before)), draw.poisson(2 * a_week, (4000, after))]
    )
    hit = alarms(doubled)
    first = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, after + 1)
    assert np.median(first) == weeks_to_detect
