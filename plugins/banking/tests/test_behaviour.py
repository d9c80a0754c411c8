"""Features of movements on accounts; every number worked by hand (requirement B4)."""

from __future__ import annotations

from datetime import date

import pytest


def post(world, on: date, amount: int, type_: str = "transfer_out", **values) -> None:
    world.add("banking_transaction", occurred_on=on, amount_minor=amount, type=type_, **values)


def test_a_balance_stands_until_the_next_movement(world, day) -> None:
    """400.00 from day 130 on, 100.00 since day 10, on one account; 50.00 since day 200 on the other.

    Now 150.00; 30 days ago 450.00, a change of -2/3. The mean of days 0 to 29: 11 days (10 to 0) at 100.00
    and 19 (29 to 11) at 400.00 are 290.00, and 50.00 throughout: 290.00 + 50.00 = 340.00. Days 30 to 119
    were at 450.00.
    """
    post(world, day(130), 40_000, record_id=1, balance_after_minor=40_000)
    post(world, day(10), -30_000, record_id=1, balance_after_minor=10_000)
    post(world, day(200), 5_000, record_id=2, balance_after_minor=5_000)
    found = world.features("balance")[1]
    assert found["balance_minor"] == 15_000
    assert found["balance_change_30d"] == pytest.approx(15_000 / 45_000 - 1)
    assert found["average_balance_30d_minor"] == (11 * 10_000 + 19 * 40_000) // 30 + 5_000
    assert found["average_balance_before_minor"] == 45_000
    assert found["average_balance_change"] == pytest.approx(34_000 / 45_000 - 1, abs=1e-4)
    assert found["overdraft_days_90d"] == 0


def test_the_last_movement_of_a_day_is_its_balance(world, day) -> None:
    """Overdrawn by 20.00 from day 40 to day 31: ten days, though it was up at noon of day 40."""
    post(world, day(40), 9_000, record_id=1, balance_after_minor=9_000, id=10)
    post(world, day(40), -11_000, record_id=1, balance_after_minor=-2_000, id=11)
    post(world, day(30), 7_000, record_id=1, balance_after_minor=5_000, id=12)
    found = world.features("balance")[1]
    assert (found["overdraft_days_90d"], found["balance_minor"]) == (10, 5_000)
    assert found["average_balance_before_minor"] is None  # not seen for 120 days


def test_income_is_compared_by_full_months(world) -> None:
    """1,000.00 in each of October to December and in January; nothing since: 1/3 of before, -2/3.

    March is the last full month, as 2026-03-31 ends it, and had none. The last salary came 65 days ago.
    """
    for month in (10, 11, 12):
        post(world, date(2025, month, 25), 100_000, "salary")
    post(world, date(2026, 1, 25), 100_000, "salary")
    found = world.features("income_flow")[1]
    assert found["income_change_3m"] == pytest.approx(-2 / 3)
    assert found["income_last_month_ratio"] == 0
    assert found["income_3m_minor"] == 33_333
    assert (found["days_since_salary"], found["salary_in"]) == (65, False)
    assert (found["salary_stopped"], found["income_months_6m"]) == (True, 4)


def test_a_new_income_has_not_changed(world) -> None:
    post(world, date(2026, 3, 25), 100_000, "salary")
    found = world.features("income_flow")[1]
    assert (found["income_change_3m"], found["salary_in"]) == (None, True)
    assert found["salary_stopped"] is False


def test_signs_of_departure(world, day) -> None:
    """800.00 to the own name elsewhere, one order cancelled within 30 days and one long before."""
    world.customers(1, 2)
    post(world, day(5), -80_000, own_name=True)
    post(world, day(5), -10_000, own_name=False)
    post(world, day(45), -70_000, own_name=True)
    world.add("banking_standing_order", id=1, cancelled_on=day(3))
    world.add("banking_standing_order", id=2, cancelled_on=day(200))
    world.add("banking_account", id=1, status="open", opened_on=day(900))
    world.add("banking_account", id=2, status="closed", opened_on=day(900))
    world.add("banking_closing_request", occurred_on=day(2))
    found = world.features("departure")
    assert found[1] == {
        "open_accounts": 1, "moved_away_30d_minor": 80_000, "orders_cancelled_30d": 1,
        "closing_requests_60d": 1,
    }  # fmt: skip
    assert set(found[2].values()) == {0}


def test_grades_are_held_against_the_half_year_that_followed(world, day) -> None:
    """A run 190 days ago: of four with 0.1 one was 90 days past due on day 10 and one on day 3, more than
    184 days after it; a default before it is no outcome. 1 of 4 is 0.25, Wilson's interval of it
    0.0456 to 0.6994. A run 400 days ago is older, one of 100 days ago is not over."""
    for subject in (1, 2, 3, 4):
        world.add("outcome", subject_id=subject, name="banking.behaviour", kind="score", value=0.1,
                  days_before=190, run="b")  # fmt: skip
    for before, value in ((400, 0.5), (100, 0.5)):
        world.add("outcome", subject_id=1, name="banking.behaviour", kind="score", value=value,
                  days_before=before, run="a")  # fmt: skip
    for subject, before in ((1, 10), (2, 3), (3, 191)):
        world.add("banking_loan_statement", subject_id=subject, record_id=subject, occurred_on=day(before),
                  days_past_due=90)  # fmt: skip
    (row,) = world.report("behaviour-grades")
    assert (row["grade"], row["customers"], row["defaults"]) == ("G6", 4, 1)
    assert (row["expected"], row["observed"]) == (pytest.approx(0.1), 0.25)
    assert (row["low"], row["high"]) == pytest.approx((0.0456, 0.6994), abs=5e-5)
    assert row["observed_expected"] == pytest.approx(2.5)
    assert row["holds"] is True
