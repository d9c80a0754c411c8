"""Reports on cases give equal rows on DuckDB and on Spark."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

import crmkit
from crmkit.builtin.service.cases import NewCase
from crmkit.testing.engines import compare_engines, require_spark

pytestmark = pytest.mark.slow
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def test_reports_on_cases_give_equal_rows_on_both_engines(tmp_path, crm_clock) -> None:
    require_spark()
    draw = random.Random(8)
    crm_clock.set(NOW - timedelta(days=200))
    with crmkit.init(tmp_path / "shop", clock=crm_clock) as crm:
        cases = crm.service("service.cases")
        customers = [crm.store.customers.add(name=f"customer {n}").id for n in range(20)]
        for day in range(183, 0, -60):
            crm_clock.set(NOW - timedelta(days=day))
            keys = cases.open(
                [
                    NewCase(
                        customer_id=draw.choice(customers), opened_at=crm.clock() - timedelta(hours=hours),
                        values={
                            "topic": draw.choice(["billing", "noise", None]),
                            "region": draw.choice(["north", "南"]), "severity": f"S{1 + hours % 4}",
                        },
                    )
                    for hours in range(25)
                ]
            )  # fmt: skip
            for key in keys[::2]:
                crm.run("case answer", case=key, channel="email")
            for key in keys[::4]:
                crm.run("case resolve", case=key, agreed=True, recovery_score=draw.randrange(11))
            crm.run("case reopen", case=keys[4])
            crm.run("case compensate", case=keys[0], kind="voucher", amount="12.50")
        crm_clock.set(NOW)
        compared = compare_engines(crm, ["service"], crm.as_of(), kinds=("reports",))
    assert compared.faults == []
    assert {name.split()[1] for name, rows in compared.rows.items() if rows} >= {
        "service.kept-promises", "service.breaches", "service.ageing", "service.outcomes",
        "service.compensation", "service.early-warning",
    }  # fmt: skip
