"""Rules: each fires on the customer that the brief describes, and not on the next best one."""

from __future__ import annotations

import pytest

from crmkit_telecom.rules import RULES

BY_NAME = {rule.name.removeprefix("telecom."): rule for rule in RULES}
# A subscriber about whom there is nothing to do.
CALM = {
    "telecom_subscriptions": 1, "telecom_port_out_requests_60d": 0,
    "telecom_cancellation_requests_60d": 0, "telecom_months_to_end": 9.0,
    "contact_marketing_by_phone": "unknown", "telecom_bill_shock_ratio": 1.0, "telecom_full_months_3m": 0,
    "telecom_usage_trend_3m": 0.0, "telecom_payment_model": "postpaid",
    "telecom_repeat_contacts_30d": 1, "telecom_dropped_call_rate": 0.01,
    "telecom_outage_minutes": 10, "telecom_late_payments_12m": 0, "telecom_days_overdue": 0,
    "telecom_key_account_tier": "none", "telecom_has_account_manager": False,
    "telecom_device_age_months": 10, "telecom_instalments_paid": True,
    "telecom_household_departures_60d": 0, "telecom_city_departure_ratio": 1.0,
    "telecom_city_departure_share_60d": 0.01,
}  # fmt: skip
KEY = {"telecom_key_account_tier": "large", "telecom_has_account_manager": True,
       "telecom_days_since_review": 10, "telecom_bill_change": 0.0}  # fmt: skip

FIRES = [
    ("save-desk", {"telecom_port_out_requests_60d": 1}),
    ("save-desk", {"telecom_cancellation_requests_60d": 1}),
    ("contract-end-risk", {"telecom_months_to_end": 3.0, "band_telecom_churn": 1}),
    ("no-contract-risk", {"telecom_contract_type": "month_to_month", "band_telecom_churn": 1}),
    ("bill-shock", {"telecom_bill_shock_ratio": 1.5}),
    ("larger-plan", {"telecom_full_months_3m": 3}),
    ("usage-fall", {"telecom_usage_trend_3m": -0.3}),
    ("prepaid-silent", {"telecom_payment_model": "prepaid", "telecom_days_since_topup": 30}),
    ("prepaid-quiet", {"telecom_payment_model": "prepaid", "telecom_days_since_topup": 14}),
    ("repeat-contacts", {"telecom_repeat_contacts_30d": 2}),
    ("network-trouble", {"telecom_dropped_call_rate": 0.02}),
    ("network-trouble", {"telecom_outage_minutes": 240}),
    ("network-no-sales", {"telecom_outage_minutes": 240}),
    ("late-payer", {"telecom_late_payments_12m": 2}),
    ("late-payer", {"telecom_days_overdue": 30}),
    ("key-account-change", {**KEY, "telecom_bill_change": -0.2}),
    ("key-account-change", {**KEY, "telecom_months_to_end": 2.9}),
    ("key-account-change", {**KEY, "telecom_days_since_review": 60}),
    ("key-account-change", {**KEY, "telecom_has_account_manager": False}),
    ("device-upgrade", {"telecom_device_age_months": 24}),
    ("household-leaves", {"telecom_household_departures_60d": 3}),
    ("neighbourhood-leaves",
     {"telecom_city_departure_ratio": 2.0, "telecom_city_departure_share_60d": 0.02}),
    ("win-back", {"telecom_subscriptions": 0, "telecom_days_since_departure": 30,
                  "telecom_departure_kind": "voluntary"}),
    ("win-back", {"telecom_subscriptions": 0, "telecom_days_since_departure": 180,
                  "telecom_departure_kind": "voluntary"}),
]  # fmt: skip

SILENT = [
    ("prepaid-quiet", {"telecom_payment_model": "prepaid", "telecom_days_since_topup": 13}),
    ("prepaid-quiet", {"telecom_payment_model": "prepaid", "telecom_days_since_topup": 30}),
    ("prepaid-quiet", {"telecom_payment_model": "prepaid", "telecom_days_since_topup": 20,
                       "telecom_days_since_usage": 2}),
    ("network-no-sales", {"telecom_dropped_call_rate": 0.02, "telecom_subscriptions": 0}),
    ("save-desk", {"telecom_port_out_requests_60d": 1, "telecom_subscriptions": 0}),
    ("contract-end-risk", {"telecom_months_to_end": 3.0, "band_telecom_churn": 2}),
    ("contract-end-risk", {"telecom_months_to_end": 3.1, "band_telecom_churn": 1}),
    ("contract-end-risk", {"telecom_months_to_end": 1.0, "band_telecom_churn": 1,
                           "contact_marketing_by_phone": "withdrawn"}),
    ("no-contract-risk", {"telecom_contract_type": "month_to_month", "band_telecom_churn": 2}),
    ("no-contract-risk", {"telecom_contract_type": "12m", "band_telecom_churn": 1}),
    ("bill-shock", {"telecom_bill_shock_ratio": 1.49}),
    ("larger-plan", {"telecom_full_months_3m": 2}),
    ("usage-fall", {"telecom_usage_trend_3m": -0.29}),
    ("prepaid-silent", {"telecom_payment_model": "prepaid", "telecom_days_since_topup": 40,
                        "telecom_days_since_usage": 5}),
    ("late-payer", {"telecom_days_overdue": 29}),
    ("key-account-change", KEY),
    ("device-upgrade", {"telecom_device_age_months": 30, "telecom_instalments_paid": False}),
    ("win-back", {"telecom_subscriptions": 0, "telecom_days_since_departure": 29,
                  "telecom_departure_kind": "voluntary"}),
    ("win-back", {"telecom_subscriptions": 0, "telecom_days_since_departure": 60,
                  "telecom_departure_kind": "moved"}),
]  # fmt: skip


def _fires(world, name: str, values: dict) -> bool:
    world.db.execute("ALTER TABLE feature ADD COLUMN score_telecom_churn DOUBLE")
    world.db.execute("ALTER TABLE feature ADD COLUMN band_telecom_churn BIGINT")
    world.add("feature", **{**CALM, **values})
    return bool(world.query(f"SELECT 1 FROM feature WHERE {BY_NAME[name].when}"))


@pytest.mark.parametrize(("name", "values"), FIRES)
def test_the_rule_fires(world, name: str, values: dict) -> None:
    assert _fires(world, name, values)


@pytest.mark.parametrize(("name", "values"), SILENT)
def test_the_rule_is_silent(world, name: str, values: dict) -> None:
    assert not _fires(world, name, values)


def test_nothing_fires_on_a_calm_subscriber(world) -> None:
    world.db.execute("ALTER TABLE feature ADD COLUMN band_telecom_churn BIGINT")
    world.add("feature", **CALM)
    found = [r.name for r in RULES if world.query(f"SELECT 1 FROM feature WHERE {r.when}")]
    assert found == []


def test_every_rule_says_where_it_comes_from_and_is_tried_here() -> None:
    assert {name for name, _ in FIRES} == set(BY_NAME)
    assert all(rule.source and rule.title_zh for rule in RULES)


# After how many days a rule may fire again: the window of what it counts, or what it leaves to do.
AGAIN = {
    14: ("save-desk", "repeat-contacts", "network-trouble", "network-no-sales"),
    30: (
        "contract-end-risk",
        "no-contract-risk",
        "bill-shock",
        "usage-fall",
        "prepaid-quiet",
        "prepaid-silent",
        "late-payer",
        "key-account-change",
    ),
    60: ("household-leaves", "neighbourhood-leaves"),
    90: ("larger-plan",),
    180: ("device-upgrade", "win-back"),
}


def test_a_customer_is_left_alone_until_the_rule_may_fire_again() -> None:
    expected = {name: days for days, names in AGAIN.items() for name in names}
    assert {name: rule.cooldown_days for name, rule in BY_NAME.items()} == expected
