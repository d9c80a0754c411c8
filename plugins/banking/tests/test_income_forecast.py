"""Income of months and what was expected of it, worked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

NO_BRANCH = "unknown"


def month(number: int, on: int = 15) -> date:
    """A day of a month that is so many months after March 2026."""
    years, rest = divmod(2026 * 12 + 2 + number, 12)
    return date(years, rest + 1, on)


def fees(world: Any, amounts: Mapping[int, int], subject: int = 1, **values: Any) -> None:
    """Fees by month after March 2026."""
    for number, amount in amounts.items():
        world.add(
            "banking_transaction",
            subject_id=subject,
            occurred_on=month(number),
            type="fee",
            amount_minor=-amount,
            **values,
        )


def told(world: Any, **parameters: Any) -> dict[date, tuple[str, int, int | None]]:
    """Period, expected and actual amount by month."""
    return {
        row["month_on"]: (row["period"], row["expected_minor"], row["actual_minor"])
        for row in world.report("income-forecast", **parameters)
    }


def test_a_month_is_the_mean_of_three_carried_on_by_the_mean_step_of_six(world) -> None:
    """Of March, from September to February: the mean of 200, 400 and 300 is 300, and two steps of
    (300 - 50) / 5 = 50 make 400. From March on the mean is 500 and the step (800 - 100) / 5 = 140."""
    world.customers(1)
    fees(world, {-6: 50, -5: 100, -4: 700, -3: 200, -2: 400, -1: 300, 0: 800})
    assert told(world) == {
        month(0, 1): ("past", 400, 800),
        month(1, 1): ("ahead", 780, None),
        month(2, 1): ("ahead", 920, None),
        month(3, 1): ("ahead", 1_060, None),
    }
    (error, *ahead) = [row["error"] for row in world.report("income-forecast")]
    assert error == pytest.approx(-0.5)
    assert ahead == [None] * 3


@pytest.mark.parametrize(
    ("on", "first_ahead"),
    [
        (date(2026, 3, 31), 1),
        (date(2026, 3, 30), 0),
        (date(2026, 3, 1), 0),
        (date(2026, 2, 28), 0),
        (date(2026, 2, 27), -1),
        (date(2025, 12, 31), -2),
        (date(2025, 12, 30), -3),
    ],
)
def test_the_month_has_ended_with_its_last_day(world_of, on: date, first_ahead: int) -> None:
    world = world_of(on)
    world.customers(1)
    fees(world, {number: 100 for number in range(-12, 1) if month(number) <= on})
    ahead = [
        month_on for month_on, (period, *_) in told(world, months=1).items() if period == "ahead"
    ]
    assert ahead == [month(first_ahead + further, 1) for further in range(3)]


@pytest.mark.parametrize(("months", "first"), [(1, 0), (12, -11), (13, -12), (14, -13), (20, -13)])
def test_the_back_test_goes_as_far_as_asked_and_as_six_months_precede(
    world, months: int, first: int
) -> None:
    """Twenty months since August 2024: the first that six precede is February 2025."""
    world.customers(1)
    fees(world, {number: 100 for number in range(-19, 1)})
    found = told(world, months=months)
    assert list(found) == [month(number, 1) for number in range(first, 4)]
    assert {row[1] for row in found.values()} == {100}


def test_a_month_without_six_known_before_it_is_left_out(world) -> None:
    """September lacks: March and the months ahead, which know October to March, alone are told. Of the
    other branch February lacks, in which nothing came and which March and all ahead would have to know."""
    world.customers(1, 2)
    for subject, branch in ((1, "A"), (2, "B")):
        world.add("banking_customer", subject_id=subject, branch=branch)
    fees(world, {number: 100 for number in range(-9, 1) if number != -6}, subject=1)
    fees(world, {number: 100 for number in range(-9, 1) if number != -1}, subject=2)
    found = {(row["branch"], row["month_on"]) for row in world.report("income-forecast")}
    assert found == {
        ("A", month(1, 1)),
        ("A", month(2, 1)),
        ("A", month(3, 1)),
        ("B", month(-3, 1)),
        ("B", month(-2, 1)),
    }


def test_what_counts_as_income_of_a_branch(world) -> None:
    """A loan of 1200.00 at 9 % earns 6.00 a month above the funds price of 3 %, and costs 3.00 without a
    rate; in default it earns nothing. A card of 800.00 at 18 % earns 10.00. Half a cent is one, and half
    a cent less than nothing is nothing."""
    loan = {"outstanding_minor": 120_000, "days_past_due": 0}
    cases = {
        "loan": (600, "banking_loan_statement", 9.0, {**loan, "days_past_due": 89}),
        "default": (None, "banking_loan_statement", 9.0, {**loan, "days_past_due": 90}),
        "not stated": (600, "banking_loan_statement", 9.0, {**loan, "days_past_due": None}),
        "written off": (None, "banking_loan_statement", 9.0, {**loan, "written_off": True}),
        "no rate": (-300, "banking_loan_statement", None, loan),
        "half": (1, "banking_loan_statement", 9.0, {**loan, "outstanding_minor": 100}),
        "half down": (0, "banking_loan_statement", None, {**loan, "outstanding_minor": 200}),
        "card": (1_000, "banking_card_statement", None, {"balance_minor": 80_000}),
        "fee": (70, "banking_transaction", None, {"type": "fee", "amount_minor": -70}),
        "penalty": (
            80,
            "banking_transaction",
            None,
            {"type": "penalty_interest", "amount_minor": -80},
        ),
        "payment": (
            None,
            "banking_transaction",
            None,
            {"type": "card_payment", "amount_minor": -90},
        ),
        "result": (
            500 + 100 - 50 - 20,
            "banking_monthly_result",
            None,
            {
                "net_interest_minor": 500,
                "fees_minor": 100,
                "cost_to_serve_minor": 50,
                "expected_loss_minor": 20,
            },
        ),
        "part of a result": (-50, "banking_monthly_result", None, {"cost_to_serve_minor": 50}),
        "no result": (0, "banking_monthly_result", None, {}),
    }
    for subject, (branch, (_, table, rate, values)) in enumerate(cases.items(), start=1):
        world.customers(subject)
        world.add("banking_customer", subject_id=subject, branch=branch)
        world.add("banking_loan", subject_id=subject, id=subject, rate=rate)
        for number in range(-6, 1):
            world.add(
                table, subject_id=subject, record_id=subject, occurred_on=month(number), **values
            )
    found = {
        row["branch"]: row for row in world.report("income-forecast") if row["period"] == "past"
    }
    assert {branch: row["actual_minor"] for branch, row in found.items()} == {
        branch: income for branch, (income, *_) in cases.items() if income is not None
    }
    assert all(row["expected_minor"] == row["actual_minor"] for row in found.values())


def test_a_branch_stands_under_its_name_its_code_or_as_unknown(world) -> None:
    """Two customers of one branch are summed, and so are those of whom no branch is known."""
    world.customers(1, 2, 3, 4)
    world.add("banking_branch", subject_id=None, code="B1", branch_name="High Street")
    for subject, branch in ((1, "B1"), (2, "B1"), (3, "B2")):
        world.add("banking_customer", subject_id=subject, branch=branch)
    for subject in range(1, 5):
        fees(world, {number: 100 * subject for number in range(-6, 1)}, subject=subject)
    found = {
        (row["branch"], row["actual_minor"]) for row in world.report("income-forecast", months=1)
    }
    assert found >= {("High Street", 300), ("B2", 300), (NO_BRANCH, 400)}
    assert {branch for branch, _ in found} == {"High Street", "B2", NO_BRANCH}


@pytest.mark.parametrize(("came", "error"), [(1, 99.0), (0, None), (-50, -3.0)])
def test_the_error_is_a_share_of_what_came(world, came: int, error: float | None) -> None:
    """A cent was expected a hundredfold; of nothing there is no share; -50 of 100: 100 / -50 - 1."""
    world.customers(1)
    fees(world, {**dict.fromkeys(range(-6, 0), 100), 0: came})
    (past, *_) = world.report("income-forecast")
    assert (past["expected_minor"], past["actual_minor"]) == (100, came)
    assert past["error"] == (None if error is None else pytest.approx(error))
