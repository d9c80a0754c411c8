"""Aggregates over amounts of several currencies are refused in declared SQL (design D22)."""

from __future__ import annotations

import pytest

from crmkit.warehouse.mixing import mixing_faults

REFUSED = (
    "SELECT sum(amount_minor) FROM shop_sale",
    "SELECT subject_id, avg(s.amount_minor * 2) FROM shop_sale s GROUP BY subject_id",
    "SELECT sum(amount_minor) OVER (PARTITION BY subject_id) FROM shop_sale",
    "SELECT sum(CASE WHEN days_before < 90 THEN amount_minor ELSE 0 END) FROM shop_sale",
    "SELECT sum(amount_minor) FILTER (WHERE days_before < 90) FROM shop_sale",
    # What an amount is called afterwards does not matter.
    "WITH s AS (SELECT -amount_minor AS paid FROM shop_sale) SELECT sum(paid) FROM s",
    "SELECT max(x) FROM (SELECT coalesce(fee_minor, 0) AS x FROM shop_plan) p",
    "WITH s AS (SELECT 1 AS x UNION ALL SELECT amount_minor FROM shop_sale) SELECT sum(x) FROM s",
    "WITH s AS (SELECT * FROM (SELECT amount_minor AS x FROM shop_sale) a) SELECT sum(s.x) FROM s",
    # By currency first and then all together.
    "WITH c AS (SELECT currency, sum(amount_minor) AS x FROM shop_sale GROUP BY currency) "
    "SELECT sum(x) FROM c",
)
ALLOWED = (
    "SELECT sum(amount_base_minor) AS amount_minor FROM shop_sale",
    "SELECT currency, sum(amount_minor) FROM shop_sale GROUP BY currency",
    "SELECT sum(fee_minor) OVER (PARTITION BY fee_currency) FROM shop_plan",
    "SELECT sum(amount_minor) FROM shop_sale WHERE currency = 'EUR'",
    "SELECT sum(amount_minor) FILTER (WHERE currency = 'EUR') FROM shop_sale",
    "SELECT sum(CASE WHEN currency = 'EUR' THEN amount_minor END) FROM shop_sale",
    "SELECT count(amount_minor), max(amount_minor / paid_minor) FROM shop_sale",
    "SELECT max(CASE WHEN amount_minor > 0 THEN days_before END) FROM shop_sale",
    # A name that ends alike and is made of what is in one currency.
    "WITH s AS (SELECT amount_base_minor AS amount_minor FROM shop_sale) SELECT sum(amount_minor) FROM s",
    "SELECT sum(value_revenue_365d_minor) FROM feature",
)  # fmt: skip


@pytest.mark.parametrize("sql", REFUSED)
def test_an_aggregate_without_the_currency_is_refused(sql: str) -> None:
    (fault,) = mixing_faults(sql)
    assert "may add up several currencies: write the _base_minor of the amount" in fault


@pytest.mark.parametrize("sql", ALLOWED)
def test_one_currency_at_a_time_is_allowed(sql: str) -> None:
    assert mixing_faults(sql) == []
