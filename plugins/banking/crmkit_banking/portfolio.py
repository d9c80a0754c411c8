"""Everything about customers whom the bank has: behaviour, arrears, profit, sales and cash, as lists."""

from __future__ import annotations

from . import (
    acceptance,
    arrears,
    balances,
    behaviour,
    cash,
    deposits,
    impairment,
    loan_status,
    profit,
    sales,
    watch,
)

FEATURE_SETS = (
    *behaviour.FEATURES,
    *watch.FEATURES,
    *arrears.FEATURES,
    *profit.FEATURES,
    *sales.FEATURES,
    *cash.FEATURES,
    *loan_status.FEATURES,
)
SCORES = (*behaviour.SCORES, *acceptance.SCORES, *loan_status.SCORES)
RULES = (*watch.RULES, *arrears.RULES, *profit.RULES, *sales.RULES, *cash.RULES)
SEGMENTS = sales.SEGMENTS
REPORTS = (
    *balances.REPORTS,
    *behaviour.REPORTS,
    *watch.REPORTS,
    *arrears.REPORTS,
    *impairment.REPORTS,
    *profit.REPORTS,
    *deposits.REPORTS,
    *sales.REPORTS,
    *cash.REPORTS,
)
LIFECYCLES = watch.LIFECYCLES
CASE_KINDS = watch.CASE_KINDS
COST_DRIVERS = profit.COST_DRIVERS
TIER_SCHEMES = profit.TIER_SCHEMES
