"""Balances recomputed from transactions; every number worked by hand (requirement B1)."""

from __future__ import annotations

import pytest


def post(world, day, account: int, before: int, *movements: tuple[int, int]) -> None:
    """Transactions of a day in the order given: (amount, balance after)."""
    for amount, balance in movements:
        world.add("banking_transaction", record_id=account, occurred_on=day(before),
                  amount_minor=amount, balance_after_minor=balance)  # fmt: skip


def test_a_balance_that_follows_from_its_movements_agrees(world, day) -> None:
    """0 + 100.00, then 40.00 out and 10.00 in on one day, filed the wrong way round: 70.00."""
    post(world, day, 7, 9, (10_000, 10_000))
    post(world, day, 7, 5, (1_000, 7_000), (-4_000, 6_000))
    (row,) = world.report("balance-agreement")
    assert (row["finding"], row["account_days"], row["accounts"]) == ("agrees", 2, 1)
    assert (row["transactions"], row["share"]) == (3, 1.0)
    assert world.report("balance-findings") == []


def test_the_first_balance_seen_is_where_the_account_begins(world, day) -> None:
    """It had 500.00 before: 30.00 out leaves 470.00, 20.00 in 490.00; 500.00 follows no row."""
    post(world, day, 7, 9, (2_000, 49_000), (-3_000, 47_000))
    post(world, day, 7, 3, (1_000, 50_000))
    (row,) = world.report("balance-agreement")
    assert (row["finding"], row["account_days"]) == ("agrees", 2)


def test_interest_rounded_to_a_tenth_is_rounding_and_a_lost_row_is_a_gap(world, day) -> None:
    """100.00 + 0.50 shown as 100.40 is a step of -0.10; 25.00 that no row explains is a gap.

    The day after it agrees again: the step is 0, and the difference stays 24.90.
    """
    post(world, day, 7, 9, (10_000, 10_000))
    post(world, day, 7, 8, (50, 10_040))
    post(world, day, 7, 5, (-1_000, 11_540))
    post(world, day, 7, 4, (-100, 11_440))
    found = {r["finding"]: r for r in world.report("balance-agreement")}
    assert {name: r["account_days"] for name, r in found.items()} == {
        "agrees": 2, "rounding": 1, "gap": 1,
    }  # fmt: skip
    assert found["gap"]["largest_step_minor"] == 2_500
    rows = world.report("balance-findings")
    assert [(r["day_on"], r["step_minor"], r["difference_minor"]) for r in rows] == [
        (day(8), -10, -10),
        (day(5), 2_500, 2_490),
    ]
    assert (rows[1]["stated_minor"], rows[1]["recomputed_minor"]) == (11_540, 9_050)
    (gap,) = world.report("balance-findings", finding="gap")
    assert gap["day_on"] == day(5)


@pytest.mark.parametrize(("allowed", "finding"), [(9, "gap"), (10, "rounding")])
def test_how_much_is_rounding_can_be_said(world, day, allowed: int, finding: str) -> None:
    post(world, day, 7, 9, (10_000, 10_000))
    post(world, day, 7, 8, (50, 10_040))
    (row,) = world.report("balance-findings", rounding_minor=allowed)
    assert row["finding"] == finding
