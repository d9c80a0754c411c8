"""Features on small worlds; every expected number is worked by hand beside it."""

from __future__ import annotations

from datetime import date

import pytest


def test_tenure_counts_whole_months_from_the_oldest_line(world, day) -> None:
    # Since 24 February 2025: thirteen months on 24 March 2026; the other since December.
    world.add("telecom_subscription", id=1, activated_on=day(400))
    world.add("telecom_subscription", id=2, activated_on=day(100))
    found = world.features("subscription")[1]
    assert found["tenure_months"] == 13
    assert found["subscriptions"] == 2


# First day, as-of day, and the whole months between.
WHOLE_MONTHS = [
    ("2025-01-28", "2025-02-28", 1), ("2025-01-29", "2025-02-28", 1), ("2025-01-30", "2025-02-28", 1),
    ("2025-01-31", "2025-02-28", 1), ("2025-01-31", "2025-02-27", 0), ("2025-01-31", "2025-03-30", 1),
    ("2025-01-31", "2025-04-30", 3), ("2025-02-28", "2025-03-27", 0), ("2025-02-28", "2025-03-28", 1),
    ("2024-01-31", "2024-02-28", 0), ("2024-01-31", "2024-02-29", 1), ("2024-02-29", "2025-02-28", 12),
    ("2024-02-29", "2028-02-28", 47), ("2024-02-29", "2028-02-29", 48), ("2025-03-01", "2026-03-01", 12),
    ("2025-11-30", "2025-12-31", 1), ("2025-12-31", "2026-01-30", 0), ("2025-12-31", "2026-01-31", 1),
]  # fmt: skip


@pytest.mark.parametrize(("since", "as_of", "months"), WHOLE_MONTHS)
def test_a_month_is_over_on_the_same_day_or_on_the_last_of_a_shorter_month(
    world_of, since, as_of, months
) -> None:
    world, since = world_of(date.fromisoformat(as_of)), date.fromisoformat(since)
    world.add("telecom_subscription", activated_on=since, status="active")
    world.add("telecom_device", acquired_on=since)
    assert world.features("subscription")[1]["tenure_months"] == months
    assert world.features("device")[1]["device_age_months"] == months


@pytest.mark.parametrize(
    ("as_of", "ends", "months", "state"),
    [
        # 92 days, and yet three months.
        ("2026-06-30", "2026-09-30", 3, "expiring"), ("2026-06-29", "2026-09-30", 3 + 1 / 31, "bound"),
        ("2026-11-30", "2027-02-28", 3, "expiring"), ("2027-11-30", "2028-02-29", 3, "expiring"),
        ("2026-05-28", "2026-08-28", 3, "expiring"), ("2026-05-31", "2026-08-31", 3, "expiring"),
        ("2026-05-31", "2026-06-30", 1, "expiring"), ("2026-03-31", "2026-03-31", 0, "expiring"),
        ("2026-04-01", "2026-03-31", -1 / 31, "expired"), ("2028-03-31", "2028-02-29", -1, "expired"),
    ],
)  # fmt: skip
def test_months_to_the_end_of_a_contract_are_those_of_the_calendar(
    world_of, as_of, ends, months, state
) -> None:
    world = world_of(date.fromisoformat(as_of))
    world.add(
        "telecom_subscription", contract_type="24m", contract_ends_on=date.fromisoformat(ends)
    )
    found = world.features("subscription")[1]
    assert found["months_to_end"] == pytest.approx(months)
    assert found["contract_state"] == state


def test_tenure_is_as_stated_where_the_file_has_no_dates(world) -> None:
    world.add("telecom_subscription", tenure_months=34)
    assert world.features("subscription")[1]["tenure_months"] == 34


def test_an_ended_line_and_a_future_line_are_not_held(world, day) -> None:
    world.add("telecom_subscription", id=1, activated_on=day(900), monthly_fee_minor=9000,
              monthly_fee_currency="USD", contract_type="24m")  # fmt: skip
    world.add("telecom_subscription", id=2, activated_on=day(62), monthly_fee_minor=1500,
              monthly_fee_currency="USD", contract_type="month_to_month")  # fmt: skip
    # Before its first version a line shows its timeless first day alone.
    world.add("telecom_subscription", id=3, activated_on=day(-20))
    world.add("telecom_termination", occurred_on=day(10), record_id=1, kind="voluntary")
    found = world.features("subscription")[1]
    assert found["subscriptions"] == 1
    assert found["tenure_months"] == 2  # since 28 January
    assert found["monthly_fee"] == 1500
    assert found["contract_state"] == "free"


@pytest.mark.parametrize(
    ("contract", "ends_before", "state"),
    [
        ("month_to_month", None, "free"),
        ("12m", 5, "expired"),
        ("12m", -60, "expiring"),  # until 30 May: two months less a day
        ("24m", -120, "bound"),  # until 29 July
        ("24m", None, "bound"),  # the IBM file has no dates of contracts
    ],
)
def test_contract_state(world, day, contract: str, ends_before: int | None, state: str) -> None:
    ends = None if ends_before is None else day(ends_before)
    world.add("telecom_subscription", contract_type=contract, contract_ends_on=ends)
    assert world.features("subscription")[1]["contract_state"] == state


def test_fees_in_another_currency_are_not_added(world) -> None:
    world.add("telecom_subscription", id=1, monthly_fee_minor=5000, monthly_fee_currency="USD")
    world.add("telecom_subscription", id=2, monthly_fee_minor=2000, monthly_fee_currency="USD")
    world.add("telecom_subscription", id=3, monthly_fee_minor=3000, monthly_fee_currency="CNY")
    assert world.features("subscription")[1]["monthly_fee"] == 7000


def test_addons_are_counted_and_unknown_ones_stay_unknown(world) -> None:
    world.add("telecom_subscription", addon_security=True, addon_backup=False, addon_family=True)
    found = world.features("subscription")[1]
    assert found["addon_count"] == 2
    assert (found["addon_security"], found["addon_backup"], found["addon_roaming"]) == (
        True,
        False,
        None,
    )


def test_bill_shock_is_the_last_bill_over_the_mean_of_the_three_before(world, day) -> None:
    for before, amount in ((93, 2000), (62, 3000), (31, 4000), (3, 4500)):
        world.add("telecom_bill", occurred_on=day(before), record_id=7, amount_minor=amount)
    found = world.features("billing")[1]
    assert found["bill_shock_ratio"] == pytest.approx(1.5)  # 4500 / 3000
    assert found["bill_change"] == pytest.approx(0.125)  # 4500 / 4000 - 1
    assert found["bill_amount"] == 4500


def test_three_bills_are_too_few_for_a_shock(world, day) -> None:
    for before in (62, 31, 3):
        world.add("telecom_bill", occurred_on=day(before), record_id=7, amount_minor=9000 - before)
    assert world.features("billing")[1]["bill_shock_ratio"] is None


def test_a_shock_two_bills_ago_is_still_the_recent_one(world, day) -> None:
    # 1000, 1000, 1000, 3000, 1000, 1000: the fourth is 3.0 times; the last is 1000 / (5000/3).
    amounts = (1000, 1000, 1000, 3000, 1000, 1000)
    for before, amount in zip((153, 123, 92, 62, 31, 3), amounts, strict=True):
        world.add("telecom_bill", occurred_on=day(before), record_id=7, amount_minor=amount)
    found = world.features("billing")[1]
    assert found["bill_shock_3m"] == pytest.approx(3.0)
    assert found["bill_shock_ratio"] == pytest.approx(0.6)
    assert found["spend_trend_3m"] == pytest.approx(5000 / 3000 - 1)


def test_a_second_line_that_begins_is_no_bill_shock(world, day) -> None:
    for before in (93, 62, 31, 3):
        world.add("telecom_bill", occurred_on=day(before), record_id=7, amount_minor=1000)
    world.add("telecom_bill", occurred_on=day(3), record_id=8, amount_minor=5000)
    assert world.features("billing")[1]["bill_shock_ratio"] == pytest.approx(1.0)


def test_late_and_unpaid_bills(world, day) -> None:
    world.add("telecom_bill", occurred_on=day(80), record_id=7, amount_minor=1000, due_on=day(64))
    world.add("telecom_bill", occurred_on=day(50), record_id=7, amount_minor=1000, due_on=day(34))
    world.add("telecom_bill", occurred_on=day(3), record_id=7, amount_minor=1000, due_on=day(-14))
    world.add(
        "telecom_payment", occurred_on=day(60), record_id=7, amount_minor=1000, due_on=day(64)
    )
    # The first was paid four days after its due date; the second is open; the third is not due yet.
    assert world.features("payments")[1]["late_payments_12m"] == 1
    assert world.features("billing")[1]["days_overdue"] == 34


def _billing(world, day, bills: dict[int, int], *paid: tuple[int, int | None, int | None]) -> dict:
    """Features after bills of line 7 (days since the due date: amount) and payments.

    Args:
        paid: days before, amount in minor units, days since the due date that it names or None.
    """
    for due, amount in bills.items():
        world.add("telecom_bill", occurred_on=day(due + 16), record_id=7, amount_minor=amount,
                  currency="USD", due_on=day(due))  # fmt: skip
    for before, amount, due in paid:
        world.add("telecom_payment", occurred_on=day(before), record_id=7, amount_minor=amount,
                  currency="USD", due_on=None if due is None else day(due))  # fmt: skip
    return world.features("billing")[1]


@pytest.mark.parametrize(
    ("paid", "overdue"),
    [
        ([(42, 1, 40)], 40),  # one cent of ten dollars
        ([(42, 600, 40), (41, 400, 40)], 10),  # two parts make the first whole
        ([(42, 1000, 40), (38, -1000, 40)], 40),  # reversed
        ([(42, 1000, 40), (38, -1000, 40), (5, 1000, 40)], 10),  # reversed and paid again
        ([(42, 2000, 40)], 0),  # the surplus of the first bill settles the second
        ([(42, 1500, 40)], 10),  # half of the second is open
        ([(5, 1000, None)], 10),  # without a due date: the oldest first
        ([(5, 2000, None)], 0),
        ([(5, 1000, 10)], 40),  # the second is paid, the first is not
        ([(42, None, 40)], 40),  # no amount
        ([(20, 1000, 250)], 40),  # for a bill that is not on file
    ],
)
def test_a_bill_is_paid_by_amount(world, day, paid, overdue) -> None:
    """Two bills of 10.00, due 40 and 10 days ago."""
    assert _billing(world, day, {40: 1000, 10: 1000}, *paid)["days_overdue"] == overdue


def test_a_payment_in_another_currency_pays_no_bill(world, day) -> None:
    world.add("telecom_payment", occurred_on=day(42), record_id=7, amount_minor=1000,
              currency="JPY", due_on=day(40))  # fmt: skip
    assert _billing(world, day, {40: 1000})["days_overdue"] == 40


def test_a_credit_note_reduces_what_is_owed_and_is_not_the_last_bill(world, day) -> None:
    """Bills of 30.00; a note of -30.00 for the one due 40 days ago, and one of -5.00 for none."""
    world.add("telecom_bill", occurred_on=day(3), record_id=7, amount_minor=-3000,
              currency="USD", due_on=day(40))  # fmt: skip
    world.add("telecom_bill", occurred_on=day(2), record_id=7, amount_minor=-500,
              currency="USD")  # fmt: skip
    found = _billing(world, day, {100: 3000, 70: 3000, 40: 3000, 10: 3000},
                     (100, 3000, 100), (70, 3000, 70), (9, 2000, 10))  # fmt: skip
    assert found["days_overdue"] == 10  # 30.00 - 20.00 - 5.00 = 5.00 are open
    assert (found["bill_amount"], found["bill_change"]) == (3000, 0.0)
    assert found["bill_shock_ratio"] == pytest.approx(1.0)


def test_amounts_of_two_currencies_are_not_added_up(world, day) -> None:
    """Bills of 10.00 USD and 5,000 JPY, fees of 30.00 USD and 900 JPY, top-ups of 7.00 USD and 300 JPY."""
    for line, amount, fee, topup, currency in (
        (7, 1000, 3000, 700, "USD"), (8, 5000, 900, 300, "JPY"),
    ):  # fmt: skip
        world.add("telecom_bill", occurred_on=day(3), record_id=line, amount_minor=amount,
                  currency=currency)  # fmt: skip
        world.add("telecom_topup", occurred_on=day(3), amount_minor=topup, currency=currency)
        world.add("telecom_subscription", id=line, monthly_fee_minor=fee,
                  monthly_fee_currency=currency)  # fmt: skip
    assert world.features("billing")[1]["bill_amount"] == 1000
    assert world.features("topup")[1]["topup_amount_90d"] == 700
    assert world.features("subscription")[1]["monthly_fee"] == 3000


def test_late_payments_count_bills_that_were_paid_late(world, day) -> None:
    """Two late parts of one bill are one; a late payment that was reversed is none."""
    _billing(world, day, {80: 1000, 50: 1000, 20: 1000},
             (70, 500, 80), (60, 500, 80), (40, 1000, 50), (39, -1000, 50), (20, 1000, 20))  # fmt: skip
    assert world.features("payments")[1]["late_payments_12m"] == 1


def test_usage_trend_is_the_mean_of_data_and_voice(world) -> None:
    months = [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    for begins, gb in zip(months, (10.0, 10.0, 10.0, 5.0), strict=True):
        world.add("telecom_usage", occurred_on=begins, period_starts_on=begins, record_id=7,
                  data_gb=gb, voice_out_min=100.0, data_allowance_gb=10.0)  # fmt: skip
    found = world.features("usage")[1]
    assert found["usage_trend_3m"] == pytest.approx(-0.25)  # data -50 %, voice 0 %
    assert found["data_use_of_allowance"] == pytest.approx(25 / 30)
    assert found["full_months_3m"] == 2
    assert found["data_gb"] == 5.0


def test_unlimited_lines_do_not_dilute_the_use_of_the_allowance(world) -> None:
    begins = date(2026, 3, 1)
    world.add("telecom_usage", occurred_on=begins, period_starts_on=begins, record_id=7,
              data_gb=9.0, data_allowance_gb=10.0)  # fmt: skip
    world.add(
        "telecom_usage", occurred_on=begins, period_starts_on=begins, record_id=8, data_gb=90.0
    )
    found = world.features("usage")[1]
    assert found["data_use_of_allowance"] == pytest.approx(0.9)
    assert found["data_gb"] == pytest.approx(99.0)


def test_silence_counts_from_the_last_month_with_any_usage(world, day) -> None:
    world.add("telecom_usage", occurred_on=day(59), period_starts_on=day(89), data_gb=0.2)
    world.add("telecom_usage", occurred_on=day(0), period_starts_on=day(30), data_gb=0.0,
              voice_out_min=0.0)  # fmt: skip
    assert world.features("usage")[1]["days_since_usage"] == 59


def test_silence_of_every_month_known_counts_from_the_oldest(world, day) -> None:
    for before in (0, 31, 62):
        world.add("telecom_usage", occurred_on=day(before), period_starts_on=day(before + 30),
                  data_gb=0.0, sms=0)  # fmt: skip
    assert world.features("usage")[1]["days_since_usage"] == 62


def test_repeat_contacts_count_one_topic_within_thirty_days(world, day) -> None:
    world.add("telecom_service_call", occurred_on=day(29), topic="billing", resolved=False)
    world.add("telecom_complaint", occurred_on=day(2), topic="billing")
    world.add("telecom_service_call", occurred_on=day(1), topic="roaming", resolved=True)
    world.add("telecom_service_call", occurred_on=day(30), topic="billing", resolved=False)
    found = world.features("contacts")[1]
    assert found["repeat_contacts_30d"] == 2
    assert found["unsolved_calls_90d"] == 2
    assert (found["complaints_90d"], found["billing_complaints_90d"]) == (1, 1)
    assert found["days_since_contact"] == 1


def test_ninety_days_include_the_day_itself_and_no_more(world, day) -> None:
    world.add("telecom_complaint", occurred_on=day(89), topic="network")
    world.add("telecom_complaint", occurred_on=day(90), topic="network")
    world.add("telecom_port_out_request", occurred_on=day(59))
    world.add("telecom_port_out_request", occurred_on=day(60))
    found = world.features("contacts")[1]
    assert found["network_complaints_90d"] == 1
    assert found["port_out_requests_60d"] == 1


@pytest.mark.parametrize(
    ("withdrawal", "standing"),
    [
        ({"occurred_on": 19, "record_id": 7, "request": "port_out"}, (1, 1)),  # line 8 still goes
        ({"occurred_on": 19, "request": "port_out"}, (0, 1)),  # of all lines
        ({"occurred_on": 31, "record_id": 7, "request": "port_out"}, (2, 1)),  # of an earlier one
        ({"occurred_on": 19, "record_id": 7, "request": "cancellation"}, (2, 0)),
    ],
)
def test_a_withdrawn_request_does_not_count(world, day, withdrawal, standing) -> None:
    """Porting codes for lines 7 and 8 and a cancellation of line 7, 20 to 30 days ago."""
    world.add("telecom_port_out_request", occurred_on=day(30), record_id=7)
    world.add("telecom_port_out_request", occurred_on=day(20), record_id=8)
    world.add("telecom_cancellation_request", occurred_on=day(25), record_id=7)
    on = day(withdrawal.pop("occurred_on"))
    world.add("telecom_request_withdrawal", occurred_on=on, **withdrawal)
    found = world.features("contacts")[1]
    assert (found["port_out_requests_60d"], found["cancellation_requests_60d"]) == standing


def test_the_control_group_counts_as_no_offer(world, day) -> None:
    world.add("telecom_retention_offer", occurred_on=day(9), result="control", offer="none")
    world.add("telecom_retention_offer", occurred_on=day(8), result="accepted", offer="discount")
    world.add("telecom_retention_offer", occurred_on=day(7), result="no_answer", offer="discount")
    found = world.features("contacts")[1]
    assert (found["retention_offers_180d"], found["offers_accepted_180d"]) == (2, 1)


def test_topups(world, day) -> None:
    world.add("telecom_topup", occurred_on=day(120), amount_minor=1000)
    world.add("telecom_topup", occurred_on=day(45), amount_minor=1500)
    found = world.features("topup")[1]
    assert found == {"days_since_topup": 45, "topups_90d": 1, "topup_amount_90d": 1500}


def test_device_age_is_that_of_the_newest_and_every_instalment_counts(world, day) -> None:
    # Since 31 March 2024: two years to the day.
    world.add("telecom_device", id=1, acquired_on=day(800), instalment_balance_minor=0)
    world.add("telecom_device", id=2, acquired_on=day(730), instalment_balance_minor=2400)
    assert world.features("device")[1] == {"device_age_months": 24, "instalments_paid": False}


def test_a_customer_has_departed_when_every_line_has_ended(world, day) -> None:
    for subject in (1, 2):
        world.add("telecom_subscription", subject_id=subject, id=subject * 10)
        world.add("telecom_subscription", subject_id=subject, id=subject * 10 + 1)
    world.add("telecom_termination", subject_id=1, occurred_on=day(50), record_id=10, kind="moved")
    world.add(
        "telecom_termination", subject_id=1, occurred_on=day(40), record_id=11, kind="voluntary"
    )
    world.add(
        "telecom_termination", subject_id=2, occurred_on=day(40), record_id=20, kind="voluntary"
    )
    assert world.features("departure") == {
        1: {"days_since_departure": 40, "departure_kind": "voluntary"}
    }


def test_neighbourhood_counts_voluntary_departures_only(world, day) -> None:
    world.customers(1, 2, 3, 4)
    for subject in (1, 2, 3, 4):
        world.add("telecom_customer", subject_id=subject, city="Elmsworth",
                  household="H1" if subject < 4 else None)  # fmt: skip
    world.add("telecom_termination", subject_id=2, occurred_on=day(10), kind="voluntary")
    world.add("telecom_termination", subject_id=3, occurred_on=day(59), kind="voluntary")
    world.add("telecom_termination", subject_id=4, occurred_on=day(60), kind="voluntary")
    world.add("telecom_termination", subject_id=4, occurred_on=day(5), kind="involuntary")
    found = world.features("neighbourhood")
    assert found[1]["household_departures_60d"] == 2
    assert found[4]["household_departures_60d"] == 0
    assert found[1]["city_departure_share_60d"] == pytest.approx(2 / 4)
    assert found[1]["city_departure_ratio"] == pytest.approx(2.0)  # two after one


def test_the_tier_has_a_value_where_the_file_is_silent(world) -> None:
    world.add("telecom_customer")
    found = world.features("customer")[1]
    assert (found["key_account_tier"], found["has_account_manager"]) == ("none", False)
