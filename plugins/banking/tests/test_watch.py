"""What is unusual about a day, and the watch list that it makes; every number worked by hand."""

from __future__ import annotations

import pytest


def draw(world, day, before: int, amount: int, type_: str = "cash_out", **values) -> None:
    values = {"via": "atm", "country": "DE", **values}
    world.add(
        "banking_transaction", occurred_on=day(before), amount_minor=-amount, type=type_, **values
    )


@pytest.fixture
def usual(world, day):
    """Five withdrawals before: 100, 100, 100, 100 and 140 (median 100, mean 108, sd 17.89).

    Five times the median is 500.00, more than the mean and four deviations (179.55): the bound is 500.00.
    """
    for before, amount in ((100, 10_000), (80, 10_000), (60, 10_000), (40, 10_000), (20, 14_000)):
        draw(world, day, before, amount)
    return world


@pytest.mark.parametrize(("amount", "unusual"), [(50_000, False), (50_100, True)])
def test_a_withdrawal_above_five_times_the_median_is_unusual(usual, day, amount, unusual) -> None:
    draw(usual, day, 0, amount, id=77)
    found = usual.features("unusual")[1]
    assert (found["withdrawal_today_minor"], found["withdrawal_bound_minor"]) == (amount, 50_000)
    assert found["unusual_withdrawal"] is unusual
    assert found["unusual_transaction"] == ("77" if unusual else None)


def test_where_amounts_vary_much_the_deviations_set_the_bound(world, day) -> None:
    """1, 1, 1, 1 and 501 have the mean 101 and sd 223.61: the bound is 995.43 and not 5."""
    for before, amount in ((9, 100), (8, 100), (7, 100), (6, 100), (5, 50_100)):
        draw(world, day, before, amount)
    draw(world, day, 0, 90_000)
    found = world.features("unusual")[1]
    assert found["withdrawal_bound_minor"] == pytest.approx(99_543, abs=1)
    assert found["unusual_withdrawal"] is False


def test_of_four_withdrawals_nothing_can_be_told(world, day) -> None:
    for before in (9, 8, 7, 6):
        draw(world, day, before, 100)
    draw(world, day, 0, 900_000)
    found = world.features("unusual")[1]
    assert (found["withdrawal_bound_minor"], found["unusual_withdrawal"]) == (None, False)


def test_draws_of_a_day_and_a_country_that_is_new(usual, day) -> None:
    """Six draws; a payment in Italy where only Germany was seen; Germany itself is not new."""
    for number in range(6):
        draw(usual, day, 0, 9_000, id=200 + number)
    draw(usual, day, 0, 3_000, "card_payment", country="IT", via="pos", id=300)
    found = usual.features("unusual")[1]
    assert (found["atm_draws_today"], found["new_country"]) == (6, "IT")
    assert found["unusual_transaction"] == "300"


def test_who_drew_nothing_today_has_no_row(usual) -> None:
    assert usual.features("unusual") == {}


def test_the_watch_list_shows_the_transactions_and_the_outcome(usual, day) -> None:
    """The rule fired two days ago on a withdrawal of 600.00; the case that it opened was explained."""
    draw(usual, day, 2, 60_000, id=500, via="counter")
    draw(usual, day, 2, 4_000, "card_payment", id=501)
    usual.add("outcome", subject_id=1, name="banking.watch-withdrawal", kind="rule", days_before=2,
              reasons='["withdrew 600.00"]', run="r")  # fmt: skip
    usual.add("service_case", id=9, kind="banking.watch", topic="withdrawal", opened_on=day(2),
              state="explained")  # fmt: skip
    (row,) = usual.report("watch-list")
    assert (row["raised_on"], row["customer_id"], row["flag"]) == (day(2), 1, "withdrawal")
    assert (row["position"], row["transaction_id"], row["amount_minor"]) == (1, 500, -60_000)
    assert (row["via"], row["resolution"]) == ("counter", "explained")
    assert row["evidence"] == '["withdrew 600.00"]'


def test_of_an_account_about_to_close_the_transfers_to_the_own_name_are_shown(world, day) -> None:
    world.add("banking_transaction", occurred_on=day(9), amount_minor=-90_000, type="transfer_out",
              own_name=True, id=40)  # fmt: skip
    world.add(
        "banking_transaction", occurred_on=day(8), amount_minor=-100, type="transfer_out", id=41
    )
    world.add("outcome", name="banking.watch-about-to-close", kind="rule", days_before=3, run="r")
    world.add(
        "banking_watch_item", id=1, flag="about_to_close", raised_on=day(3), resolution="lost"
    )
    (row,) = world.report("watch-list")
    assert (row["transaction_id"], row["flag"], row["resolution"]) == (40, "about_to_close", "lost")
    assert world.report("watch-list", days=2) == []


def test_of_a_balance_drop_what_went_out_is_shown(world, day) -> None:
    """Fired two days ago: 900.00 and 500.00 went out in its 30 days; what came in and what is older is not it."""
    for before, amount in ((5, -50_000), (20, -90_000), (6, 10_000), (32, -70_000)):
        world.add(
            "banking_transaction", occurred_on=day(before), amount_minor=amount, type="transfer_out"
        )
    world.add("outcome", name="banking.watch-balance-drop", kind="rule", days_before=2, run="r")
    rows = world.report("watch-list")
    assert [(row["position"], row["amount_minor"], row["flag"]) for row in rows] == [
        (1, -90_000, "balance_drop"), (2, -50_000, "balance_drop"),
    ]  # fmt: skip
