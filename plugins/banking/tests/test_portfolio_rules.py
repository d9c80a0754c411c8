"""Rules 3 to 11, 13 and 14 of the brief: each fires on its case and is silent just beside it."""

from __future__ import annotations

import pytest

from crmkit_banking.portfolio import RULES

BY_NAME = {rule.name.removeprefix("banking."): rule for rule in RULES}
CALM = {
    "open_accounts": 1, "loans": 1, "days_past_due": 0, "unusual_withdrawal": False,
    "unusual_card_payment": False, "atm_draws_today": 1, "balance_change_30d": -0.1,
    "average_balance_before_minor": 90_000, "average_balance_change": 0.0, "salary_stopped": False,
    "orders_cancelled_30d": 0, "moved_away_30d_minor": 0, "income_change_3m": 0.0,
    "card_full_months_3m": 0, "inquiries_6m": 0, "collateral_valued_days": 300, "collateral_ltv": 0.7,
    "contribution_minor": 5_000, "days_to_maturity": 200, "wealth_risen": False,
    "consent_marketing": True, "on_watch": False, "open_complaint": False, "next_product": "savings",
    "days_above_cash_limit": 0,
}  # fmt: skip
FALLING = {"balance_change_30d": -0.6}
# (rule of the brief, name, values that make it fire)
FIRES = [
    (3, "watch-withdrawal", {"unusual_withdrawal": True}),
    (3, "watch-card-use", {"unusual_card_payment": True}),
    (3, "watch-card-use", {"new_country": "IT"}),
    (3, "watch-card-use", {"atm_draws_today": 6}),
    (4, "watch-about-to-close", {**FALLING, "salary_stopped": True}),
    (4, "watch-about-to-close", {**FALLING, "orders_cancelled_30d": 2}),
    (4, "watch-about-to-close", {**FALLING, "moved_away_30d_minor": 1}),
    (5, "watch-income-drop", {"income_change_3m": -0.4}),
    (5, "watch-balance-drop", {"average_balance_change": -0.5}),
    (5, "no-limit-increase", {"income_change_3m": -0.4}),
    (6, "reminder", {"days_past_due": 1}),
    (6, "reminder", {"days_past_due": 29}),
    (6, "stage-two", {"days_past_due": 30}),
    (6, "pre-legal", {"days_past_due": 60}),
    (6, "default", {"days_past_due": 90}),
    (7, "early-delinquency", {"card_full_months_3m": 3}),
    (7, "early-delinquency", {"inquiries_6m": 3}),
    (8, "restrict", {"contribution_minor": -1}),
    (9, "maturity", {"days_to_maturity": 30}),
    (10, "wealth-invitation", {"wealth_risen": True}),
    (11, "life-event", {"life_event": "retirement"}),
    (13, "revalue-collateral", {"collateral_valued_days": 1_096}),
    (13, "revalue-collateral", {"collateral_ltv": 0.91}),
    (14, "order-cash", {"days_above_cash_limit": 1}),
]  # fmt: skip
SILENT = [
    ("watch-card-use", {"atm_draws_today": 5}),
    ("watch-about-to-close", FALLING),
    ("watch-about-to-close", {"balance_change_30d": -0.59, "salary_stopped": True}),
    ("watch-about-to-close", {**FALLING, "salary_stopped": True, "open_accounts": 0}),
    ("watch-about-to-close", {**FALLING, "salary_stopped": True, "average_balance_before_minor": 900}),
    ("watch-income-drop", {"income_change_3m": -0.39}),
    ("watch-balance-drop", {"average_balance_change": -0.49}),
    ("reminder", {"days_past_due": 30}),
    ("stage-two", {"days_past_due": 60}),
    ("pre-legal", {"days_past_due": 90}),
    ("default", {"days_past_due": 89}),
    ("early-delinquency", {"card_full_months_3m": 2, "inquiries_6m": 2}),
    ("early-delinquency", {"inquiries_6m": 3, "days_past_due": 5}),
    ("maturity", {"days_to_maturity": 31}),
    ("wealth-invitation", {"wealth_risen": True, "consent_marketing": False}),
    ("life-event", {"life_event": "retirement", "days_past_due": 1}),
    ("life-event", {"life_event": "retirement", "on_watch": True}),
    ("life-event", {"life_event": "retirement", "next_product": None}),
    ("revalue-collateral", {"collateral_ltv": 0.95, "loans": 0}),
]  # fmt: skip


def _fires(world, name: str, values: dict) -> bool:
    columns = {f"banking_{key}": value for key, value in {**CALM, **values}.items()}
    world.add("feature", **columns)
    return bool(world.query(f"SELECT 1 FROM feature WHERE {BY_NAME[name].when}"))


@pytest.fixture(scope="module")
def one():
    """One small world for all rules: each test looks at the row that it wrote last."""
    import crmkit_banking
    from crmkit.testing.small import SmallWorld

    with SmallWorld(crmkit_banking) as made:
        yield made


@pytest.fixture
def rows(one):
    one.db.execute("DELETE FROM feature")
    return one


@pytest.mark.parametrize(("number", "name", "values"), FIRES)
def test_the_rule_fires(rows, number: int, name: str, values: dict) -> None:
    assert _fires(rows, name, values)
    assert f"rule {number}" in BY_NAME[name].source


@pytest.mark.parametrize(("name", "values"), SILENT)
def test_the_rule_is_silent(rows, name: str, values: dict) -> None:
    assert not _fires(rows, name, values)


def test_nothing_fires_on_a_calm_customer(rows) -> None:
    assert [name for name in BY_NAME if _fires(rows, name, {})] == []


def test_every_rule_is_tried_here() -> None:
    assert {name for _, name, _ in FIRES} == set(BY_NAME)
    assert {number for number, _, _ in FIRES} == {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14}
    assert all(rule.title_zh for rule in RULES)
