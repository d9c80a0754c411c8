"""Reports on what to do: whom to call, key accounts, add-ons, contracts, complaints."""

from __future__ import annotations

import json

import pytest

NEUTRAL = {
    "telecom_subscriptions": 1, "contact_marketing_by_phone": "given", "telecom_late_payments_12m": 0,
    "telecom_days_overdue": 0, "telecom_topup_amount_90d": 0, "telecom_port_out_requests_60d": 0,
    "telecom_cancellation_requests_60d": 0, "telecom_complaints_90d": 0,
    "telecom_network_complaints_90d": 0, "telecom_service_complaints_90d": 0,
    "telecom_billing_complaints_90d": 0, "telecom_unsolved_calls_90d": 0,
    "telecom_outage_minutes_3m": 0, "telecom_full_months_3m": 0, "telecom_contract_state": "free",
}  # fmt: skip


def _candidate(
    world, subject: int, probability: float, reasons: list[str] | None = None, **features
):
    world.add("feature", subject_id=subject, **{**NEUTRAL, **features})
    world.add("outcome", subject_id=subject, name="telecom.churn", run="1", value=probability,
              band=1, days_before=0, reasons=json.dumps(reasons or []))  # fmt: skip


# --- retention list -------------------------------------------------------------------------------

# Value of a fee of 50.00: 5000 x 0.5 x 24 = 60000 minor units.
PLAIN = {
    "budget": 1_000_000,
    "contact_cost": 100,
    "accept_rate": 0.3,
    "margin": 0.5,
    "value_months": 24,
}


def test_gain_of_the_best_offer_by_hand(world) -> None:
    """Somebody whom a service credit suits: it costs half a fee and is accepted by 0.3 x 1.2.

    gain = 0.5 x 0.36 x 60000 - 100 - 0.36 x 2500 = 10800 - 100 - 900 = 9800. The discount would
    bring 0.5 x 0.24 x 60000 - 100 - 0.24 x 6000 = 5660, the gift 0.5 x 0.18 x 60000 - 100 - 900.
    """
    _candidate(world, 7, 0.5, ["6.1% of calls break off", "has no contract"],
               telecom_monthly_fee=5000, telecom_dropped_call_rate=0.061)  # fmt: skip
    (row,) = world.report("retention-list", **PLAIN)
    assert row["customer_id"] == 7
    assert row["offer"] == "service_credit"
    assert row["accept_probability"] == pytest.approx(0.36)
    assert row["expected_loss_minor"] == 30000  # 0.5 x 60000
    assert row["expected_cost_minor"] == 1000
    assert row["expected_gain_minor"] == 9800
    assert row["reasons"] == "6.1% of calls break off; has no contract"
    assert (row["call_when"], row["channel"]) == ("this week", "phone")


def test_the_budget_takes_the_highest_gain_per_cost_first(world) -> None:
    """Equal offers: the gain per cost rises with the probability, each contact costs 1000."""
    for subject, probability in ((1, 0.3), (2, 0.6), (3, 0.45)):
        _candidate(world, subject, probability, telecom_monthly_fee=5000,
                   telecom_dropped_call_rate=0.05)  # fmt: skip
    rows = world.report("retention-list", **{**PLAIN, "budget": 2000})
    assert [r["customer_id"] for r in rows] == [2, 3]
    assert [r["budget_used_minor"] for r in rows] == [1000, 2000]
    assert [
        r["customer_id"] for r in world.report("retention-list", **{**PLAIN, "budget": 1999})
    ] == [2]


def test_nobody_is_called_at_a_loss(world) -> None:
    """A risk of 1 %: 0.01 x 0.24 x 60000 = 144 does not cover contact and offer."""
    _candidate(world, 1, 0.01, telecom_monthly_fee=5000)
    assert world.report("retention-list", **PLAIN) == []


@pytest.mark.parametrize(
    "features",
    [
        {"contact_marketing_by_phone": "withdrawn"},
        {"telecom_late_payments_12m": 2},
        {"telecom_days_overdue": 30},
        {"telecom_subscriptions": 0},
    ],
)
def test_who_may_not_be_called_is_not_listed(world, features) -> None:
    _candidate(world, 1, 0.6, telecom_monthly_fee=5000, **features)
    assert world.report("retention-list", **PLAIN) == []


def test_the_offer_suits_the_trouble(world) -> None:
    cases = {
        1: ({"telecom_contract_state": "expired", "telecom_months_to_end": -1.0}, "renewal_gift"),
        2: ({"telecom_full_months_3m": 3}, "larger_plan"),
        3: ({"telecom_network_complaints_90d": 1}, "service_credit"),
        4: ({"telecom_billing_complaints_90d": 1}, "discount"),
    }
    for subject, (features, _) in cases.items():
        _candidate(world, subject, 0.6, telecom_monthly_fee=5000, **features)
    found = {r["customer_id"]: r["offer"] for r in world.report("retention-list", **PLAIN)}
    assert found == {subject: offer for subject, (_, offer) in cases.items()}


def test_when_and_by_which_channel(world, day) -> None:
    _candidate(world, 1, 0.6, telecom_monthly_fee=5000, telecom_port_out_requests_60d=1)
    _candidate(world, 2, 0.6, telecom_monthly_fee=5000, telecom_months_to_end=0.5)
    for before, channel in ((10, "app"), (20, "app"), (30, "phone"), (700, "web")):
        world.add(
            "interaction", subject_id=1, occurred_on=day(before), channel=channel, direction="in"
        )
    found = {r["customer_id"]: r for r in world.report("retention-list", **PLAIN)}
    assert (found[1]["call_when"], found[1]["channel"]) == ("today", "app")
    assert found[2]["call_when"] == "within three days"


def test_prepaid_value_is_what_is_topped_up(world) -> None:
    """3000 in three months stand for a fee of 1000: expected loss 0.5 x 1000 x 0.5 x 24 = 6000."""
    _candidate(world, 1, 0.5, telecom_monthly_fee=0, telecom_topup_amount_90d=3000)
    (row,) = world.report("retention-list", **PLAIN)
    assert row["expected_loss_minor"] == 6000


def test_only_the_latest_run_of_the_score_counts(world) -> None:
    _candidate(world, 1, 0.6, telecom_monthly_fee=5000)
    world.add("outcome", subject_id=1, name="telecom.churn", run="0", value=0.1, days_before=30)
    (row,) = world.report("retention-list", **PLAIN)
    assert row["probability"] == 0.6


# --- what offers earned ---------------------------------------------------------------------------


def test_offers_against_the_control_group(world, day) -> None:
    """Of four who got a discount one leaves within 90 days, of four in control two: uplift 0.25."""
    for subject in range(1, 9):
        control = subject > 4
        world.add("telecom_retention_offer", subject_id=subject, occurred_on=day(120),
                  offer="none" if control else "discount",
                  result="control" if control else ("accepted" if subject < 3 else "declined"),
                  cost_minor=0 if control else 500)  # fmt: skip
    for subject, before in ((4, 60), (5, 100), (6, 31), (7, 10)):  # the last one after 110 days
        world.add(
            "telecom_termination", subject_id=subject, occurred_on=day(before), kind="voluntary"
        )
    found = {r["offer"]: r for r in world.report("retention-results")}
    discount = found["discount"]
    assert (discount["customers"], discount["accepted"], discount["kept"]) == (4, 2, 3)
    assert discount["kept_share"] == pytest.approx(0.75)
    assert discount["uplift_share"] == pytest.approx(0.25)
    # 1.96 x sqrt(0.75 x 0.25 / 4 + 0.5 x 0.5 / 4)
    assert discount["uplift_share_margin"] == pytest.approx(1.96 * (0.046875 + 0.0625) ** 0.5)
    assert discount["cost_minor"] == 2000
    assert found["control"]["kept"] == 2


def test_offers_too_young_to_judge_are_left_out(world, day) -> None:
    world.add("telecom_retention_offer", occurred_on=day(89), offer="discount", result="declined")
    assert world.report("retention-results") == []


def test_answers_to_offers_by_discount(world, day) -> None:
    for result in ("accepted", "accepted", "declined", "no_answer"):
        world.add("telecom_retention_offer", occurred_on=day(5), offer="discount",
                  discount_share=0.2, result=result, cost_minor=300)  # fmt: skip
    world.add("telecom_retention_offer", occurred_on=day(5), offer="none", result="control")
    (row,) = world.report("offer-response")
    assert (row["contacted"], row["reached"], row["accepted"]) == (4, 3, 2)
    assert row["accept_share"] == 0.5
    assert row["accept_share_low"] + row["accept_share_high"] == pytest.approx(
        1.0
    )  # symmetric at one half


# --- key accounts, contracts, add-ons, complaints -------------------------------------------------


def test_key_account_alerts(world) -> None:
    for subject, manager in ((1, "M01"), (2, None), (3, "M02")):
        world.add("telecom_customer", subject_id=subject, key_account_tier="large",
                  account_manager=manager)  # fmt: skip
    world.add("feature", subject_id=1, telecom_subscriptions=1, telecom_bill_change=-0.2,
              telecom_months_to_end=12.0, telecom_days_since_review=59)  # fmt: skip
    world.add("feature", subject_id=2, telecom_subscriptions=1, telecom_bill_change=0.1,
              telecom_months_to_end=2.0, telecom_days_since_review=60)  # fmt: skip
    world.add("feature", subject_id=3, telecom_subscriptions=1, telecom_bill_change=-0.19,
              telecom_months_to_end=3.1, telecom_days_since_review=1)  # fmt: skip
    found = {r["customer_id"]: r for r in world.report("key-accounts")}
    assert set(found) == {1, 2}
    assert found[1]["why"] == "consumption fell"
    assert found[2]["alerts"] == 3
    assert found[2]["why"] == "contract ends or has ended; no review lately; no manager"


def test_contracts_by_the_month_of_their_end(world, day) -> None:
    for number, ends in ((1, day(-10)), (2, day(-12)), (3, day(4)), (4, day(-800))):
        world.add("telecom_subscription", id=number, subject_id=number, status="active",
                  contract_type="12m", contract_ends_on=ends, monthly_fee_minor=1000)  # fmt: skip
    world.add("outcome", subject_id=1, name="telecom.churn", run="1", value=0.5, days_before=0)
    found = {r["ends_in"]: r for r in world.report("contract-expiry")}
    assert set(found) == {"2026-04", "run out"}
    assert found["2026-04"]["lines"] == 2
    assert found["2026-04"]["fee_at_risk_minor"] == 500


def test_the_addon_that_peers_hold_most(world) -> None:
    """Of ten alike six hold security and two backup; the base is the same ten.

    Drawn towards the base by twenty: security (6 + 20 x 0.6) / 30 = 0.6.
    """
    for subject in range(1, 11):
        world.add("feature", subject_id=subject, **{**NEUTRAL, "telecom_internet_service": "fiber",
                  "telecom_payment_model": "postpaid", "telecom_tenure_months": 20,
                  "telecom_addon_security": subject <= 6, "telecom_addon_backup": subject in (1, 7)})  # fmt: skip
    rows = world.report("addon-candidates")
    assert {r["customer_id"]: r["addon"] for r in rows} == {
        **{s: "backup" for s in range(2, 7)}, **{s: "security" for s in range(7, 11)},
    }  # fmt: skip
    assert rows[0]["peer_share"] == pytest.approx(0.6)
    assert (rows[0]["peers"], rows[0]["holders"]) == (10, 6)


def test_nothing_is_sold_to_who_complains(world) -> None:
    for subject in (1, 2, 3):
        world.add("feature", subject_id=subject, **{**NEUTRAL, "telecom_complaints_90d": subject == 3,
                  "telecom_addon_security": subject == 1})  # fmt: skip
    assert [r["customer_id"] for r in world.report("addon-candidates")] == [2]


def test_usage_and_value_in_thirds(world) -> None:
    for subject in range(1, 10):
        world.add("feature", subject_id=subject, telecom_subscriptions=1, telecom_data_gb=float(subject),
                  telecom_bill_amount=1000 * subject, telecom_complaints_90d=0)  # fmt: skip
    rows = world.report("usage-segments")
    assert [(r["usage_level"], r["value_level"], r["customers"]) for r in rows] == [
        ("1 low", "1 low", 3), ("2 middle", "2 middle", 3), ("3 high", "3 high", 3),
    ]  # fmt: skip
    assert [r["mean_bill_minor"] for r in rows] == [2000, 5000, 8000]


def test_an_unusual_rise_of_complaints_is_flagged(world, day) -> None:
    """Nine after one: 8 > 2 sqrt(10) = 6.3 is unusual; five after three: 2 < 2 sqrt(8) is not."""
    for subject, city in ((1, "Elmsworth"), (2, "Farleigh")):
        world.add("telecom_customer", subject_id=subject, city=city)
        world.add("feature", subject_id=subject, telecom_subscriptions=1)
    for subject, recent, earlier in ((1, 9, 1), (2, 5, 3)):
        for number in range(recent + earlier):
            before = 10 if number < recent else 100
            world.add(
                "telecom_complaint", subject_id=subject, occurred_on=day(before), topic="network"
            )
    found = {r["area"]: r for r in world.report("complaints-network")}
    assert (found["Elmsworth"]["recent"], found["Elmsworth"]["earlier"]) == (9, 1)
    assert found["Elmsworth"]["unusual"] is True
    assert found["Farleigh"]["unusual"] is False
    assert found["Elmsworth"]["per_1000"] == 9000.0


def test_complaints_by_region_and_by_the_latest_home_cell(world, day) -> None:
    """Two customers of one region; one moved from cell A to cell B a month ago."""
    for subject in (1, 2):
        world.add("telecom_customer", subject_id=subject)
        world.add("customer", subject_id=subject, region="north")
        world.add("feature", subject_id=subject, telecom_subscriptions=1)
        world.add("telecom_complaint", subject_id=subject, occurred_on=day(5), topic="network")
    world.add("telecom_usage", subject_id=1, occurred_on=day(60), cell="A")
    world.add("telecom_usage", subject_id=1, occurred_on=day(30), cell="B")
    (north,) = world.report("complaints-network", by="region")
    assert (north["area"], north["customers"], north["recent"]) == ("north", 2, 2)
    cells = world.report("complaints-network", by="cell")
    assert [(r["area"], r["recent"]) for r in cells] == [("B", 1), ("unknown", 1)]


def test_the_board_of_key_accounts_may_show_the_quiet_ones_too(world) -> None:
    for subject, change in ((1, -0.5), (2, 0.1)):
        world.add("telecom_customer", subject_id=subject, key_account_tier="large",
                  account_manager="M1")  # fmt: skip
        world.add("feature", subject_id=subject, telecom_subscriptions=1, telecom_lines=3,
                  telecom_bill_change=change, telecom_months_to_end=12.0,
                  telecom_days_since_review=5)  # fmt: skip
    assert [r["customer_id"] for r in world.report("key-accounts")] == [1]
    quiet = world.report("key-accounts", only_alerts=False)[1]
    assert (quiet["customer_id"], quiet["alerts"], quiet["why"]) == (2, 0, "")
