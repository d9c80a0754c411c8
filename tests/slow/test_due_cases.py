"""Ten thousand open cases are listed by time left, as their clocks' logs say."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

import crmkit
from crmkit.builtin.service.cases import NewCase

pytestmark = pytest.mark.slow

CASES = 10_000
# Resolution is not promised before work begins, so what is due first is to acknowledge: one hour.
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def test_what_is_due_equals_what_the_logs_say(tmp_path, crm_clock) -> None:
    crm_clock.set(NOW)
    draw = random.Random(3)
    with crmkit.init(tmp_path / "shop", clock=crm_clock) as crm:
        cases = crm.service("service.cases")
        customers = [crm.store.customers.add(name=f"customer {n}").id for n in range(50)]
        ages = [draw.randrange(7200) for _ in range(CASES)]
        cases.open(
            [
                NewCase(
                    customer_id=draw.choice(customers), by_customer=False, ref=f"K{number}",
                    values={"topic": "billing", "severity": f"S{1 + number % 4}"},
                    opened_at=NOW - timedelta(seconds=ages[number]),
                )
                for number in range(CASES)
            ]
        )  # fmt: skip
        found = cases.due(NOW)
        assert [d.left for d in found] == sorted(timedelta(hours=1, seconds=-age) for age in ages)
        used = {d.ref: d.level for d in found}
        for number in draw.sample(range(CASES), 2_000):
            share = ages[number] / 3600
            level = max(step for step in (0, 0.5, 0.75, 0.9, 1) if share >= step)
            assert used[f"K{number}"] == level
        before = [(d.ref, d.due_at) for d in found]
        cases.recompute(NOW)
        assert [(d.ref, d.due_at) for d in cases.due(NOW)] == before
