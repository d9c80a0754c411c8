"""Features at their edges: many customers in one small world, each with the rows of one case."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count

import pytest

# Bills of one line, the oldest first, and what is told of them.
BILLS = [
    # The last three before the last: (2000 + 3000 + 9000) / 3; before the fourth (1000 + 2000 + 3000) / 3.
    (
        (1000, 2000, 3000, 9000, 7000),
        {
            "bill_shock_ratio": 1.5,
            "bill_shock_3m": 4.5,
            "bill_amount": 7000,
            "bill_change": 7 / 9 - 1,
            "spend_trend_3m": None,
        },
    ),
    # Of seven bills the trend leaves out the first: 1500 against 600.
    ((9000, 100, 200, 300, 400, 500, 600), {"spend_trend_3m": 1.5, "bill_shock_3m": 2.0}),
    # The fourth last was 9 times the usual and is no longer recent; the third last is 300 of 1100 / 3.
    ((100, 100, 100, 900, 300, 300, 400), {"bill_shock_3m": 9 / 11, "spend_trend_3m": -1 / 11}),
    # A bill of nothing is a bill, and nothing can be told against it.
    ((0, 0, 0, 500), {"bill_shock_ratio": None, "bill_shock_3m": None, "bill_change": None}),
    ((500, 0), {"bill_amount": 0, "bill_change": -1.0, "bill_shock_ratio": None}),
    ((0, 0, 0, 5, 5, 5), {"spend_trend_3m": None, "bill_change": 0.0}),
    # A bill of one cent is none of nothing.
    ((1, 1, 1, 5), {"bill_shock_ratio": 5.0, "bill_change": 4.0}),
    ((0, 0, 1, 2, 2, 2), {"spend_trend_3m": 5.0, "bill_shock_3m": 6.0}),
    ((800,), {"bill_amount": 800, "bill_change": None, "spend_trend_3m": None, "days_overdue": 0}),
]


def test_each_customers_bills_are_compared_with_their_own(world, day) -> None:
    """The third bill before the last of 0, 0, 1, 2 is 2 against 1 / 3."""
    for subject, (amounts, _) in enumerate(BILLS):
        for back, amount in enumerate(reversed(amounts)):
            world.add(
                "telecom_bill",
                subject_id=subject,
                occurred_on=day(3 + 30 * back),
                record_id=7,
                amount_minor=amount,
            )
    found = world.features("billing")
    for subject, (amounts, expected) in enumerate(BILLS):
        values = {name: found[subject][name] for name in expected}
        assert values == pytest.approx(expected), amounts


def test_bills_of_a_line_and_of_no_line_are_compared_apart(world, day) -> None:
    """10.00 a month without a line and 30.00 for line 1: nothing has changed."""
    for before in (93, 63, 33, 3):
        world.add("telecom_bill", occurred_on=day(before), amount_minor=1000)
        world.add("telecom_bill", occurred_on=day(before), amount_minor=3000, record_id=1)
    found = world.features("billing")[1]
    assert (found["bill_shock_ratio"], found["bill_amount"]) == (1.0, 4000)


# Bills, the oldest first, as amount and charges outside the allowance; their share.
OVERAGES = [
    ([(1000, 900), (1000, 100), (1000, None), (2000, 200)], 0.1),  # 300 of 3000; one says nothing
    ([(1000, None), (1000, None)], None),
    ([(0, 0), (0, 0)], None),
    ([(1, 1)], 1.0),
]


def test_overage_is_a_share_of_the_last_three_bills_that_state_it(world, day) -> None:
    for subject, (bills, _) in enumerate(OVERAGES):
        for back, (amount, overage) in enumerate(reversed(bills)):
            world.add(
                "telecom_bill",
                subject_id=subject,
                occurred_on=day(3 + 30 * back),
                record_id=7,
                amount_minor=amount,
                overage_minor=overage,
            )
    found = world.features("billing")
    assert [found[i]["overage_share_3m"] for i in range(len(OVERAGES))] == [
        None if share is None else pytest.approx(share) for _, share in OVERAGES
    ]


# Bills as (billed days ago, due days ago, amount) and payments as (days ago, due days ago, amount), of
# lines as they come; days overdue.
OWED = [
    ([(56, 40, 1)], [], 40),  # one cent is owed as well
    ([(56, 40, 1000)], [(42, 40, 999)], 40),
    ([(56, 40, 1000)], [(42, 40, 1000)], 0),
    ([(56, 0, 1000)], [], 0),  # due today
    ([(56, 1, 1000)], [], 1),
    ([(56, -5, 1000)], [], 0),  # due in five days
    # Without a due date: what came before the first bill here is for one that is too old to be seen.
    ([(56, 40, 1000)], [(57, None, 1000)], 40),
    ([(56, 40, 1000)], [(56, None, 1000)], 0),
    ([(56, 40, 1000), (26, 10, 1000)], [(50, None, 2000)], 0),
    ([(56, 40, 1000), (26, 10, 1000)], [(50, None, 1999)], 10),
    # Two bills of one due date, and a payment between them.
    ([(56, 40, 600), (50, 40, 400)], [(53, None, 1000)], 0),
    # A bill without a due date is no payment and falls due on no day.
    ([(56, 40, 1000), (30, None, 1)], [(42, None, 1000)], 0),
    # A bill without an amount owes nothing.
    ([(56, 40, 1000), (30, 10, None)], [(42, 40, 1000)], 0),
    # Three bills, the surplus of the last pays for the first and not for the second.
    ([(86, 70, 500), (56, 40, 500), (26, 10, 500)], [(9, 10, 1000)], 40),
]


def _owe(world, day, subject: int, line: int | None, currency: str, bills, paid) -> None:
    for table, rows in (("bill", bills), ("payment", paid)):
        for before, due, amount in rows:
            world.add(
                f"telecom_{table}",
                subject_id=subject,
                occurred_on=day(before),
                record_id=line,
                amount_minor=amount,
                due_on=None if due is None else day(due),
                currency=currency,
            )


def test_what_is_owed_is_told_to_the_cent_and_the_day(world, day) -> None:
    for subject, (bills, paid, _) in enumerate(OWED):
        _owe(world, day, subject, 7, "USD", bills, paid)
    found = world.features("billing")
    overdue = [found[subject]["days_overdue"] for subject in range(len(OWED))]
    assert overdue == [days for *_, days in OWED]


def test_money_of_another_line_currency_or_customer_pays_no_bill(world, day) -> None:
    """Each has an open bill and next to it a paid one that differs in one respect."""
    bill, whole, undated = [(56, 40, 1000)], [(42, 40, 1000)], [(42, None, 1000)]
    too_much, note = [(42, 40, 3000)], [(41, None, -1000)]
    for subject, (line, currency) in enumerate(
        ((7, "USD"), (8, "USD"), (None, "USD"), (1, "USD"), (7, "JPY"))
    ):
        for paid in (undated, too_much):
            owner = 10 * subject + (paid is too_much)
            _owe(world, day, owner, 7 if line else 1, "USD", bill, [])
            _owe(world, day, owner, line, currency, bill, paid)
    # Of these each pays its own.
    _owe(world, day, 99, 7, "USD", [*bill, *note], [])
    _owe(world, day, 98, 7, "USD", bill, whole)
    _owe(world, day, 97, None, "USD", bill, whole)
    _owe(world, day, 96, None, "USD", bill, undated)
    found = world.features("billing")
    overdue = {subject: values["days_overdue"] for subject, values in found.items()}
    # 20.00 billed on one due date: 10.00 are open, 10.00 too much.
    own = {0: 40, 1: 0, **dict.fromkeys((96, 97, 98, 99), 0)}
    assert overdue == {**dict.fromkeys(overdue, 40), **own}


# What a month of one line says: data, its allowance, voice, its allowance, dropped calls, outage, downlink,
# roaming days, contacts, share to other networks.
MONTHS = [
    (8.0, 10.0, 30.0, 100, 0.01, 10, 50.0, 1, 11, 0.1),
    (7.9, 10.0, 60.0, 100, 0.03, 20, 40.0, 2, 12, 0.2),
    (9.0, 10.0, 90.0, 100, 0.05, 40, 30.0, 4, 13, 0.3),
    (9.5, 10.0, 0.0, 100, 0.07, 80, 20.0, 8, 14, 0.4),
    (10.0, 10.0, 900.0, 100, 0.09, 160, 10.0, 16, 15, 0.5),
]
NAMES = (
    "data_gb",
    "data_allowance_gb",
    "voice_out_min",
    "voice_allowance_min",
    "dropped_call_rate",
    "outage_minutes",
    "downlink_mbps",
    "roaming_days",
    "distinct_contacts",
    "offnet_share",
)


def _use(world, day, subject: int, months) -> None:
    """Monthly summaries, the latest first: values, or one for each line."""
    for back, lines in enumerate(months):
        for values in lines if isinstance(lines, list) else [lines]:
            world.add(
                "telecom_usage",
                subject_id=subject,
                occurred_on=day(30 * back),
                period_starts_on=day(30 * back + 30),
                **values,
            )


def test_usage_is_that_of_the_months_named(world, day) -> None:
    _use(world, day, 1, [dict(zip(NAMES, month, strict=True)) for month in MONTHS])
    assert world.features("usage")[1] == pytest.approx(
        {
            "data_gb": 8.0,
            "voice_min": 30.0,
            "data_use_of_allowance": 0.83,  # 0.8, 0.79, 0.9
            "voice_use_of_allowance": 0.6,  # 0.3, 0.6, 0.9
            "full_months_3m": 2,  # exactly four fifths are enough, 0.79 are not
            # 8 against (7.9 + 9 + 9.5) / 3 = 8.8 and 30 against (60 + 90 + 0) / 3 = 50.
            "usage_trend_3m": (8 / 8.8 + 0.6) / 2 - 1,
            "days_since_usage": 0,
            "dropped_call_rate": 0.03,  # the worse of the last two
            "outage_minutes_3m": 70,
            "outage_minutes": 10,
            "downlink_mbps": 50.0,
            "roaming_days_3m": 7,
            "distinct_contacts": 11,
            "offnet_share": 0.2,
        }
    )


def test_lines_of_a_month_are_added_up_or_the_worst_is_told(world, day) -> None:
    good = {
        "data_gb": 3.0,
        "voice_out_min": 20.0,
        "dropped_call_rate": 0.01,
        "outage_minutes": 5,
        "downlink_mbps": 9.0,
        "roaming_days": 1,
        "distinct_contacts": 3,
        "offnet_share": 0.2,
    }
    bad = {
        "data_gb": 4.0,
        "voice_out_min": 30.0,
        "dropped_call_rate": 0.02,
        "outage_minutes": 7,
        "downlink_mbps": 4.0,
        "roaming_days": 2,
        "distinct_contacts": 4,
        "offnet_share": 0.4,
    }
    for subject, lines in ((1, [good, bad]), (2, [bad, good])):
        _use(world, day, subject, [lines])
    expected = {
        "data_gb": 7.0,
        "voice_min": 50.0,
        "dropped_call_rate": 0.02,
        "outage_minutes": 7,
        "downlink_mbps": 4.0,
        "roaming_days_3m": 3,
        "distinct_contacts": 7,
        "offnet_share": 0.3,
    }
    for values in world.features("usage").values():
        assert {name: values[name] for name in expected} == pytest.approx(expected)


# Months, the latest first, and what is told of them.
USES = [
    # An allowance of 1 GB is one; one of nothing is none, and its use counts on neither side.
    (
        [[{"data_gb": 0.5, "data_allowance_gb": 1.0}, {"data_gb": 5.0, "data_allowance_gb": 0.0}]],
        {"data_use_of_allowance": 0.5},
    ),
    (
        [
            [
                {"voice_out_min": 0.5, "voice_allowance_min": 1},
                {"voice_out_min": 5.0, "voice_allowance_min": 0},
            ]
        ],
        {"voice_use_of_allowance": 0.5},
    ),
    # Three months are too few for a trend; with four, the one of data and voice that there is.
    ([{"data_gb": 2.0}] + 2 * [{"data_gb": 1.0}], {"usage_trend_3m": None}),
    ([{"data_gb": 2.0}] + 3 * [{"data_gb": 1.0}], {"usage_trend_3m": 1.0}),
    ([{"voice_out_min": 0.5}] + 3 * [{"voice_out_min": 1.0}], {"usage_trend_3m": -0.5}),
    # Nothing to compare with.
    ([{"data_gb": 2.0}] + 3 * [{"data_gb": 0.0}], {"usage_trend_3m": None}),
    ([{"voice_out_min": 2.0}] + 3 * [{"voice_out_min": 0.0}], {"usage_trend_3m": None}),
    # A summary that says nothing is silence; a single message is none.
    ([{}, {}, {"voice_out_min": 1.0}], {"days_since_usage": 60}),
    ([{}, {"sms": 1}, {"sms": 4}], {"days_since_usage": 30}),
    ([{}, {"data_gb": 0.1}, {}], {"days_since_usage": 30}),
    # Without an outage or a day abroad stated in the last three months there was none.
    (
        3 * [{"data_gb": 1.0}] + [{"outage_minutes": 9, "roaming_days": 9}],
        {"outage_minutes_3m": 0, "roaming_days_3m": 0, "dropped_call_rate": None},
    ),
]


def test_usage_of_few_months_and_of_nothing(world, day) -> None:
    for subject, (months, _) in enumerate(USES):
        _use(world, day, subject, months)
    found = world.features("usage")
    for subject, (months, expected) in enumerate(USES):
        values = {name: found[subject][name] for name in expected}
        assert values == pytest.approx(expected), months


def test_a_month_of_two_lines_ends_with_the_later_summary(world, day) -> None:
    for before in (31, 28):
        world.add("telecom_usage", occurred_on=day(before), period_starts_on=day(59), data_gb=1.0)
    assert world.features("usage")[1]["days_since_usage"] == 28


# Kind, payload, the feature that counts it and its days.
COUNTED = [
    ("complaint", {"topic": "other"}, "complaints_90d", 90),
    ("complaint", {"topic": "network"}, "network_complaints_90d", 90),
    ("complaint", {"topic": "service"}, "service_complaints_90d", 90),
    ("complaint", {"topic": "billing"}, "billing_complaints_90d", 90),
    ("complaint", {"topic": "price"}, "billing_complaints_90d", 90),
    ("service_call", {"topic": "service", "resolved": True}, "service_calls_90d", 90),
    ("service_call", {"topic": "service", "resolved": False}, "unsolved_calls_90d", 90),
    ("port_out_request", {}, "port_out_requests_60d", 60),
    ("cancellation_request", {}, "cancellation_requests_60d", 60),
    ("network_fault", {}, "network_faults_90d", 90),
    ("plan_change", {"move": "down"}, "plan_downgrades_180d", 180),
    ("retention_offer", {"result": "accepted"}, "offers_accepted_180d", 180),
    ("retention_offer", {"result": "declined"}, "retention_offers_180d", 180),
]


def test_an_event_counts_up_to_the_last_day_of_its_window(world, day) -> None:
    """Today, on the last day and the day after it: two of three, whatever else there was."""
    for subject, (kind, values, _, days) in enumerate(COUNTED):
        for before in (0, days - 1, days):
            world.add(f"telecom_{kind}", subject_id=subject, occurred_on=day(before), **values)
        world.add("telecom_store_visit", subject_id=subject, occurred_on=day(5))
        world.add("telecom_plan_change", subject_id=subject, occurred_on=day(5), move="up")
        world.add(
            "telecom_retention_offer", subject_id=subject, occurred_on=day(5), result="control"
        )
    found = world.features("contacts")
    assert [found[i][name] for i, (_, _, name, _) in enumerate(COUNTED)] == [2] * len(COUNTED)
    kinds = {name for *_, name, _ in COUNTED}
    others = {
        "complaints_90d": {1, 2, 3, 4},
        "service_calls_90d": {6},
        "retention_offers_180d": {11},
    }
    for subject, (_, _, own, _) in enumerate(COUNTED):
        for name in kinds - {own}:
            assert found[subject][name] == 2 * (subject in others.get(name, ())), (own, name)


def test_days_since_the_latest_contact_and_review(world, day) -> None:
    for subject, (kind, before) in enumerate(
        (("store_visit", 12), ("service_call", 3), ("complaint", 7), ("account_review", 4))
    ):
        for on in (before + 20, before):
            world.add(f"telecom_{kind}", subject_id=subject, occurred_on=day(on))
        world.add("telecom_network_fault", subject_id=subject, occurred_on=day(1))
    found = world.features("contacts")
    assert [found[i]["days_since_contact"] for i in range(4)] == [12, 3, 7, None]
    assert [found[i]["days_since_review"] for i in range(4)] == [None, None, None, 4]
    # A visit is a contact and has no topic of which it could be a repetition.
    assert [found[i]["repeat_contacts_30d"] for i in range(4)] == [0, 2, 2, 0]


# Line of the request, and of a withdrawal so many days after it; whether the request still stands.
WITHDRAWN = [
    (None, None, 0, False),  # at the same moment
    (None, None, 1, False),
    (None, None, -1, True),
    (7, None, 1, False),
    (None, 7, 1, False),
    (7, 7, 1, False),
    (7, 8, 1, True),
    (1, None, 0, False),
]


def test_a_withdrawal_is_for_its_line_or_for_all_and_for_what_came_before(world, day) -> None:
    for subject, (line, withdrawn, later, _) in enumerate(WITHDRAWN):
        world.add(
            "telecom_port_out_request", subject_id=subject, occurred_on=day(20), record_id=line
        )
        world.add(
            "telecom_request_withdrawal",
            subject_id=subject,
            occurred_on=day(20 - later),
            record_id=withdrawn,
            request="port_out",
        )
    found = world.features("contacts")
    standing = [
        i in found and found[i]["port_out_requests_60d"] == 1 for i in range(len(WITHDRAWN))
    ]
    assert standing == [stands for *_, stands in WITHDRAWN]


ADDONS = (
    "security",
    "backup",
    "device_protection",
    "tech_support",
    "streaming_tv",
    "streaming_movies",
    "roaming",
    "family",
)
TODAY = date(2026, 3, 31)
# Lines, and what is told of them together.
HELD = [
    ([{"activated_on": TODAY}], {"tenure_months": 0, "subscriptions": 1, "lines": 1}),
    ([{"line_count": 3}, {}], {"subscriptions": 2, "lines": 4, "tenure_months": None}),
    # The oldest line and the contract that ends first speak, whichever line has them.
    (
        [
            {"activated_on": date(2025, 3, 31), "contract_ends_on": date(2026, 8, 31)},
            {"activated_on": date(2025, 6, 30), "contract_ends_on": date(2026, 5, 31)},
        ],
        {
            "tenure_months": 12,
            "months_to_end": 2.0,
            "contract_months_left": 2.0,
            "contract_months_over": None,
        },
    ),
    (
        [{"contract_ends_on": TODAY}],
        {"months_to_end": 0.0, "contract_months_left": 0.0, "contract_months_over": None},
    ),
    (
        [{"contract_ends_on": date(2026, 2, 28)}],
        {"months_to_end": -1.0, "contract_months_left": None, "contract_months_over": 1.0},
    ),
    # The highest fee speaks for all; an unknown one is the lowest, and of equal ones the first line.
    (
        [{"plan_code": "a", "monthly_fee_minor": None}, {"plan_code": "b", "monthly_fee_minor": 1}],
        {"plan_code": "b", "monthly_fee": 1},
    ),
    (
        [
            {
                "plan_code": "a",
                "monthly_fee_minor": 5,
                "contract_type": "12m",
                "internet_service": "dsl",
            },
            {
                "plan_code": "b",
                "monthly_fee_minor": 5,
                "contract_type": "24m",
                "internet_service": "fiber",
            },
            {"plan_code": "c", "monthly_fee_minor": 4},
        ],
        {"plan_code": "a", "contract_type": "12m", "internet_service": "dsl", "monthly_fee": 14},
    ),
    (
        [{"payment_model": "prepaid", "payment_method": "cash"}],
        {"payment_model": "prepaid", "payment_method": "cash", "contract_state": None},
    ),
    ([{f"addon_{name}": True for name in ADDONS}], {"addon_count": 8}),
    ([{f"addon_{name}": False for name in ADDONS}], {"addon_count": 0, "addon_family": False}),
    (
        2 * [{"addon_backup": True, "total_charges_minor": 700}],
        {"addon_count": 2, "total_charges": 1400},
    ),
]


def test_lines_of_a_customer_are_taken_together(world) -> None:
    numbers = count(1)
    for subject, (lines, _) in enumerate(HELD):
        for values in lines:
            world.add("telecom_subscription", subject_id=subject, id=next(numbers), **values)
    found = world.features("subscription")
    for subject, (lines, expected) in enumerate(HELD):
        values = {name: found[subject][name] for name in expected}
        assert values == pytest.approx(expected), lines


def test_only_a_line_that_ended_itself_is_left_out(world, day) -> None:
    """Three customers with lines 1 to 6: one line, none and both have ended."""
    for subject in (1, 2, 3):
        for line in (2 * subject - 1, 2 * subject):
            world.add("telecom_subscription", subject_id=subject, id=line, monthly_fee_minor=line)
    for subject, line in ((1, 2), (3, 5), (3, 6)):
        world.add("telecom_termination", subject_id=subject, occurred_on=day(4), record_id=line)
    found = world.features("subscription")
    fees = {i: (values["subscriptions"], values["monthly_fee"]) for i, values in found.items()}
    assert fees == {1: (1, 1), 2: (2, 7)}


def test_a_device_is_paid_when_not_a_cent_is_owed(world) -> None:
    for subject, (balance, acquired_on) in enumerate(
        ((0, TODAY), (1, TODAY), (None, TODAY), (0, TODAY + timedelta(days=1)))
    ):
        world.add(
            "telecom_device",
            subject_id=subject,
            acquired_on=acquired_on,
            instalment_balance_minor=balance,
        )
    assert world.features("device") == {
        0: {"device_age_months": 0, "instalments_paid": True},
        1: {"device_age_months": 0, "instalments_paid": False},
        2: {"device_age_months": 0, "instalments_paid": None},
    }


def test_top_ups_count_for_ninety_days(world, day) -> None:
    for subject, before in ((1, 89), (2, 90)):
        world.add("telecom_topup", subject_id=subject, occurred_on=day(before), amount_minor=500)
    assert world.features("topup") == {
        1: {"days_since_topup": 89, "topups_90d": 1, "topup_amount_90d": 500},
        2: {"days_since_topup": 90, "topups_90d": 0, "topup_amount_90d": 0},
    }


# Payments of one line as (days ago, days ago at which it was due, amount), and how many were late.
LATE = [
    ([(364, 365, 1000)], 1),  # within the year, a day late
    ([(365, 366, 1000)], None),
    ([(40, 40, 1000)], None),  # on the day itself
    ([(40, 41, 1)], 1),
    ([(40, 41, None)], 1),  # without an amount it is late all the same
    ([(40, 41, 1000), (39, 41, -1000)], None),
    ([(40, 41, 1000), (10, 11, 1000)], 2),
]


def test_a_bill_was_paid_late_from_the_day_after_it_was_due(world, day) -> None:
    for subject, (payments, _) in enumerate(LATE):
        for before, due, amount in payments:
            world.add(
                "telecom_payment",
                subject_id=subject,
                occurred_on=day(before),
                due_on=day(due),
                amount_minor=amount,
                record_id=None if subject else 7,
            )
    found = world.features("payments")
    late = [found.get(i, {}).get("late_payments_12m") for i in range(len(LATE))]
    assert late == [number for _, number in LATE]


def test_a_customer_has_left_once_every_line_they_held_has_ended(world, day) -> None:
    """Line 1 ended; the other began today, begins tomorrow, has ended too, is of no known day."""
    others = {1: TODAY, 2: TODAY + timedelta(days=1), 3: day(99), 4: None}
    for subject, activated_on in others.items():
        world.add("telecom_subscription", subject_id=subject, id=10 * subject, activated_on=day(99))
        world.add(
            "telecom_subscription",
            subject_id=subject,
            id=10 * subject + 1,
            activated_on=activated_on,
        )
        world.add(
            "telecom_termination",
            subject_id=subject,
            occurred_on=day(8 + subject),
            record_id=10 * subject,
            kind="voluntary",
        )
    world.add("telecom_termination", subject_id=3, occurred_on=day(5), record_id=31, kind="moved")
    # One of whom no line is known, and one whose line is there and who ended another.
    world.add("telecom_termination", subject_id=5, occurred_on=day(2), record_id=50, kind="fraud")
    world.add("telecom_subscription", subject_id=6, id=60, activated_on=day(99))
    world.add("telecom_termination", subject_id=6, occurred_on=day(2), record_id=31, kind="fraud")
    assert world.features("departure") == {
        2: {"days_since_departure": 10, "departure_kind": "voluntary"},
        3: {"days_since_departure": 5, "departure_kind": "moved"},
        5: {"days_since_departure": 2, "departure_kind": "fraud"},
    }


def test_departures_count_in_the_own_household_and_city_for_sixty_days(world, day) -> None:
    """Ayr: of three customers one left 59 days ago, one 60, one 119 and 120. Bly: one of two left."""
    homes = {
        1: ("H1", "Ayr"),
        2: ("H1", "Ayr"),
        3: ("H2", "Ayr"),
        4: ("H2", "Bly"),
        5: (None, "Bly"),
        6: ("H3", None),
        7: (None, None),
    }
    world.customers(*homes)
    for subject, (household, city) in homes.items():
        world.add("telecom_customer", subject_id=subject, household=household, city=city)
    left = (
        (1, 59, "voluntary"),
        (2, 60, "voluntary"),
        (3, 119, "voluntary"),
        (3, 120, "voluntary"),
        (3, 3, "moved"),
        (4, 0, "voluntary"),
        (6, 5, "voluntary"),
        (7, 5, "voluntary"),
    )
    for subject, before, kind in left:
        world.add("telecom_termination", subject_id=subject, occurred_on=day(before), kind=kind)
    found = world.features("neighbourhood")
    ayr, bly, nowhere = (1 / 3, 0.5), (0.5, None), (0.0, None)
    assert {
        i: (v["household_departures_60d"], v["city_departure_share_60d"], v["city_departure_ratio"])
        for i, v in found.items()
    } == {
        1: (1, *ayr),
        2: (1, *ayr),
        3: (1, *ayr),
        4: (1, *bly),
        5: (0, *bly),
        6: (1, *nowhere),
        7: (0, *nowhere),
    }


def test_each_moment_is_looked_at_by_itself(world, day) -> None:
    """One customer as of today and as of a month before, when they had a line and had not left."""
    earlier = datetime(2026, 3, 1)  # noqa: DTZ001 - tables carry UTC without a zone
    world.add("telecom_subscription", id=7, monthly_fee_minor=100, plan_code="now")
    world.add("telecom_subscription", id=7, monthly_fee_minor=200, plan_code="then", as_of=earlier)
    world.add("telecom_termination", occurred_on=day(4), record_id=7, kind="voluntary")
    sets = {s.name: s for s in world.plugin.register_features()}
    held = world.query(sets["telecom.subscription"].sql)
    assert [(row["as_of"], row["telecom_plan_code"]) for row in held] == [(earlier, "then")]
    gone = world.query(sets["telecom.departure"].sql)
    assert [(row["as_of"], row["telecom_days_since_departure"]) for row in gone] == [
        (world.as_of, 4)
    ]
