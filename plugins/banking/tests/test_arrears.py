"""Days past due, early signs, roll rates and vintages; every number worked by hand."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import pytest


def statement(world, on: date, past: int, owed: int = 100_000, loan: int = 1, **values) -> None:
    world.add("banking_loan_statement", occurred_on=on, days_past_due=past, outstanding_minor=owed,
              record_id=loan, **values)  # fmt: skip


def test_days_past_due_are_counted_to_the_very_day(world, day) -> None:
    """The instalment of 5 January was the last paid, so that of 5 February is unpaid: on 31 March
    it is 54 days past due, though the statement of February says 23."""
    world.customers(1, 2)
    statement(world, date(2026, 2, 28), 23)
    statement(world, date(2025, 12, 31), 26)
    world.add("banking_repayment", occurred_on=day(80), record_id=1, due_on=date(2026, 1, 5))
    found = world.features("arrears")
    assert found[1] == {
        "loans": 1, "outstanding_minor": 100_000, "days_past_due": 54, "worst_days_past_due_6m": 26,
        "months_late_6m": 2,
    }  # fmt: skip
    assert set(found[2].values()) == {0}


def test_without_repayments_arrears_of_the_statement_grow_by_the_day(world) -> None:
    """20 days on 28 February are 51 on 31 March; the other loan is current; the third has ended."""
    world.customers(1)
    statement(world, date(2026, 2, 28), 20, loan=1)
    statement(world, date(2026, 3, 31), 0, loan=2)
    statement(world, date(2025, 9, 30), 60, loan=3)
    found = world.features("arrears")[1]
    assert (found["loans"], found["days_past_due"], found["outstanding_minor"]) == (2, 51, 200_000)


def test_an_instalment_of_the_28th_is_due_on_the_28th(world, day) -> None:
    """Paid up to 28 January, so that 28 February is unpaid: 31 days on 31 March."""
    world.customers(1)
    statement(world, date(2026, 3, 31), 0)
    world.add("banking_repayment", occurred_on=day(60), record_id=1, due_on=date(2026, 1, 28))
    assert world.features("arrears")[1]["days_past_due"] == 31


# Due dates that were met, the as-of day, and the days past due of the next instalment.
MONTH_ENDS = [
    # On the 30th of every month: 30 June is due the day after 29 June.
    (["2026-04-30", "2026-05-30"], "2026-06-29", 0),
    (["2026-04-30", "2026-05-30"], "2026-06-30", 0),
    (["2026-04-30", "2026-05-30"], "2026-07-01", 1),
    # On the last day of the month: February has 28 days, and 31 March follows.
    (["2025-12-31", "2026-01-31"], "2026-02-28", 0),
    (["2025-12-31", "2026-01-31"], "2026-03-01", 1),
    (["2026-01-31", "2026-02-28"], "2026-03-30", 0),
    (["2026-01-31", "2026-02-28"], "2026-04-01", 1),
    # On the 29th and 30th by way of February: the 29th and 30th of March are due, not the 28th.
    (["2026-01-29", "2026-02-28"], "2026-03-29", 0),
    (["2026-01-29", "2026-02-28"], "2026-03-30", 1),
    (["2026-01-30", "2026-02-28"], "2026-03-31", 1),
    # On the 28th: it stays the 28th after February, and in a leap year too.
    (["2026-01-28", "2026-02-28"], "2026-03-29", 1),
    (["2028-01-28"], "2028-02-29", 1),
    # A leap year: 31 January is followed by 29 February, and 29 February by 31 March.
    (["2028-01-31"], "2028-02-29", 0),
    (["2028-01-31"], "2028-03-01", 1),
    (["2028-01-31", "2028-02-29"], "2028-03-31", 0),
    # The year's end: 31 January after 31 December.
    (["2025-11-30", "2025-12-31"], "2026-01-31", 0),
    (["2025-11-30", "2025-12-31"], "2026-02-01", 1),
    # A plan that was moved from the 31st to the 29th of April: 29 May, as the 29th is no last day.
    (["2026-03-31", "2026-04-29"], "2026-05-29", 0),
    (["2026-03-31", "2026-04-29"], "2026-05-30", 1),
]


@pytest.mark.parametrize(("met", "as_of", "past"), MONTH_ENDS)
def test_an_instalment_is_due_on_the_same_day_or_the_last_of_a_shorter_month(
    world_of, met, as_of, past
) -> None:
    on = date.fromisoformat(as_of)
    world = world_of(on)
    world.customers(1)
    statement(world, on, 0)
    for due in map(date.fromisoformat, met):
        world.add("banking_repayment", occurred_on=due, record_id=1, due_on=due)
    assert world.features("arrears")[1]["days_past_due"] == past


def _due(first: date, day: int, number: int) -> date:
    """The instalment of that number: its day of the month, or the last of a shorter month."""
    year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


@pytest.mark.parametrize("seed", range(30))
def test_payments_in_any_order_and_in_parts_leave_the_oldest_instalment_that_is_not_paid(
    world_of, seed
) -> None:
    """A plan of random day and length, paid in full up to some month, each in one to three parts that
    come in any order, and a part of the next: the next is due, whatever the calendar."""
    random = Random(seed)
    day, first, met = (
        random.randint(1, 31),
        date(2027, random.randint(1, 12), 1),
        random.randint(2, 5),
    )
    paid = [_due(first, day, number) for number in range(met)]
    # Of two months that follow each other one has 31 days, so the day is seen.
    assert day in {due.day for due in paid}
    on = _due(first, day, met) + timedelta(days=random.randint(-20, 40))
    world = world_of(on)
    world.customers(1)
    statement(world, on, 0)
    parts = [(_due(first, day, met), random.randint(1, 9_999))]
    for due in paid:
        cuts = sorted(random.sample(range(1, 10_000), random.randint(0, 2)))
        parts += [(due, b - a) for a, b in pairwise([0, *cuts, 10_000])]
    random.shuffle(parts)
    for due, amount in parts:
        world.add(
            "banking_repayment", occurred_on=min(due, on), record_id=1, due_on=due, due_minor=10_000,
            paid_minor=amount, due_currency="EUR", paid_currency="EUR",
        )  # fmt: skip
    expected = max(0, (on - _due(first, day, met)).days)
    assert world.features("arrears")[1]["days_past_due"] == expected


def test_the_lender_may_say_the_day_that_february_hides(world_of) -> None:
    """Only 28 February was seen to be paid; the next instalment is stated for 31 March."""
    on = date(2026, 3, 30)
    for stated, past in ((date(2026, 3, 31), 0), (None, 2)):
        world = world_of(on)
        world.customers(1)
        statement(world, on, 0)
        world.add("banking_loan", id=1, next_due_on=stated)
        world.add(
            "banking_repayment",
            occurred_on=date(2026, 2, 28),
            record_id=1,
            due_on=date(2026, 2, 28),
        )
        assert world.features("arrears")[1]["days_past_due"] == past


def test_an_instalment_is_paid_when_its_payments_reach_what_was_due(world) -> None:
    """Of 100.00 due on 5 February 60.00 were paid: 54 days past due on 31 March. With 40.00 more, and
    not with 40.00 of another currency, the instalment of 5 March is the oldest unpaid: 26 days."""
    euros = {"record_id": 1, "due_minor": 10_000, "due_currency": "EUR", "paid_currency": "EUR"}
    world.customers(1)
    statement(world, date(2026, 3, 31), 54)
    for on, paid, past in (
        (date(2026, 1, 5), {"paid_minor": 10_000}, 54),
        (date(2026, 2, 5), {"paid_minor": 6_000}, 54),
        (date(2026, 2, 5), {"paid_minor": 4_000, "paid_currency": "USD"}, 54),
        (date(2026, 2, 5), {"paid_minor": 4_000}, 26),
    ):
        world.add("banking_repayment", occurred_on=on, due_on=on, **{**euros, **paid})
        assert world.features("arrears")[1]["days_past_due"] == past


def test_a_payment_that_came_back_leaves_its_instalment_unpaid(world) -> None:
    """January to March were paid on the 5th, and that of January came back: 85 days past due on 31
    March, though February and March are paid."""
    euros = {"due_minor": 10_000, "due_currency": "EUR", "paid_currency": "EUR"}
    world.customers(1)
    statement(world, date(2026, 3, 31), 0)
    for due in (date(2026, 1, 5), date(2026, 2, 5), date(2026, 3, 5)):
        world.add(
            "banking_repayment",
            occurred_on=due,
            due_on=due,
            record_id=1,
            paid_minor=10_000,
            **euros,
        )
    assert world.features("arrears")[1]["days_past_due"] == 0
    world.add("banking_repayment", occurred_on=date(2026, 3, 9), due_on=date(2026, 1, 5), record_id=1,
              paid_minor=-10_000, **euros)  # fmt: skip
    assert world.features("arrears")[1]["days_past_due"] == 85


def test_a_part_alone_leaves_its_instalment_unpaid(world) -> None:
    """50.00 of the 100.00 due on 5 March, and nothing else is known to be paid: 26 days on 31 March."""
    world.customers(1)
    statement(world, date(2026, 3, 31), 0)
    world.add("banking_repayment", occurred_on=date(2026, 3, 5), due_on=date(2026, 3, 5), record_id=1,
              due_minor=10_000, due_currency="EUR", paid_minor=5_000, paid_currency="EUR")  # fmt: skip
    assert world.features("arrears")[1]["days_past_due"] == 26


@pytest.mark.parametrize(("age", "loans", "past"), [(45, 1, 55), (46, 0, 0)])
def test_a_loan_runs_while_a_statement_of_45_days_shows_it(world, day, age, loans, past) -> None:
    """A statement with 10 days past due is 45 days old: 55 now. One of 46 days says nothing more."""
    world.customers(1)
    statement(world, day(age), 10)
    found = world.features("arrears")[1]
    assert (found["loans"], found["days_past_due"]) == (loans, past)


def test_use_of_the_card_and_inquiries(world) -> None:
    """0.95, 0.95 and 0.92 after 0.50: three full months, 0.42 more than three months before. -9 of the
    bureau is a code and no number of inquiries."""
    world.customers(1, 2)
    for month, use in ((12, 0.50), (1, 0.95), (2, 0.95), (3, 0.92)):
        on = date(2025 if month == 12 else 2026, month, 28)
        world.add("banking_card_statement", occurred_on=on, record_id=5, utilisation=use)
    world.add("banking_bureau_report", occurred_on=date(2026, 1, 31), bureau_inquiries_6m=4)
    world.add(
        "banking_bureau_report", subject_id=2, occurred_on=date(2026, 1, 31), bureau_inquiries_6m=-9
    )
    found = world.features("credit_use")
    assert found[1]["card_full_months_3m"] == 3
    assert found[1]["card_utilisation_change_3m"] == pytest.approx(0.42)
    assert (found[1]["inquiries_6m"], found[2]["inquiries_6m"]) == (4, None)


def test_collateral_is_as_old_as_its_oldest_valuation(world, day) -> None:
    world.add("banking_collateral", id=1, kind="property", valued_on=day(1200), ltv=0.7)
    world.add("banking_collateral", id=2, kind="vehicle", valued_on=day(10), ltv=0.95)
    found = world.features("collateral")[1]
    assert found == {"collateral_valued_days": 1200, "collateral_ltv": 0.95}


def test_roll_rates_from_month_end_to_month_end(world) -> None:
    """Of four loans current in February one goes to 1-29; of one at 60-89 all goes to 90+; one is repaid.

    In money: 300.00 of 400.00 stay current.
    """
    for loan in (1, 2, 3, 4):
        statement(world, date(2026, 2, 28), 0, owed=10_000, loan=loan)
    for loan, past in ((1, 0), (2, 0), (3, 12)):
        statement(world, date(2026, 3, 31), past, owed=9_000, loan=loan)
    statement(world, date(2026, 2, 28), 75, loan=5)
    statement(world, date(2026, 3, 31), 106, loan=5)
    rows = {(r["from_bucket"], r["to_bucket"]): r for r in world.report("roll-rates", months=1)}
    assert {key: (r["loans"], r["share"]) for key, r in rows.items()} == {
        ("0 current", "0 current"): (2, 0.5),
        ("0 current", "1 1-29"): (1, 0.25),
        ("0 current", "6 repaid"): (1, 0.25),
        ("3 60-89", "4 90+"): (1, 1.0),
    }
    assert rows["0 current", "0 current"]["outstanding_minor"] == 20_000
    assert rows["0 current", "0 current"]["outstanding_share"] == 0.5


def test_vintage_curves_rise_and_stop_where_the_youngest_loan_stands(world) -> None:
    """Two loans of 2025 Q4: October, 95 days past due at the end of February (month 4), and December.

    The December loan is three months old, so the curve has months 1 to 3 and shows none bad; at 30 days
    the first is bad at the end of December (month 2). The loan of 2024 precedes the statements.
    """
    world.add(
        "banking_loan", id=1, granted_on=date(2025, 10, 10), principal_minor=30_000, product="auto"
    )
    world.add(
        "banking_loan", id=2, granted_on=date(2025, 12, 10), principal_minor=10_000, product="auto"
    )
    world.add(
        "banking_loan", id=3, granted_on=date(2024, 1, 10), principal_minor=10_000, product="auto"
    )
    for on, past in ((date(2025, 11, 30), 0), (date(2025, 12, 31), 34), (date(2026, 2, 28), 95)):
        statement(world, on, past, loan=1)
    rows = world.report("vintages")
    assert [(r["vintage"], r["months_on_book"], r["bad"]) for r in rows] == [
        ("2025 Q4", 1, 0), ("2025 Q4", 2, 0), ("2025 Q4", 3, 0),
    ]  # fmt: skip
    rows = world.report("vintages", days=30)
    assert [r["bad_rate"] for r in rows] == [0.0, 0.5, 0.5]
    assert rows[2]["bad_principal_share"] == 0.75
    assert world.report("vintages", product="mortgage") == []


def test_each_running_loan_by_its_last_statement_and_its_oldest_unpaid_instalment(
    world, day
) -> None:
    """One customer a case, with the days past due that the rule gives on 31 March."""
    euros = {"due_currency": "EUR", "paid_currency": "EUR"}
    expected = {}

    def case(*statements: tuple[int, int, int], past: int, loans: int = 1, **values) -> int:
        """A loan with statements so many days ago, days past due and owed; the last comes first."""
        number = len(expected) + 1
        world.customers(number)
        for ago, late, owed in statements:
            statement(world, day(ago), late, owed, number, subject_id=number, **values)
        expected[number] = (loans, past)
        return number

    def pays(number: int, due_on: date, **values) -> None:
        world.add(
            "banking_repayment",
            subject_id=number,
            record_id=number,
            occurred_on=day(1),
            due_on=due_on,
            **values,
        )

    # By the statement alone: 0 days do not grow, 1 day does.
    case((30, 0, 500), past=0)
    case((30, 1, 500), past=31)
    # The last statement counts, though an older one showed more.
    case((2, 3, 500), (33, 90, 500), past=5)
    # It runs while anything is owed and nothing is written off.
    case((1, 10, 1), past=11)
    case((1, 10, 0), past=0, loans=0)
    case((1, 10, 500), past=0, loans=0, written_off=True)
    # Files without the one amount or without the other list what was paid: 5 March is due next.
    for amounts in ({"due_minor": 900}, {"paid_minor": 300}):
        pays(case((1, 0, 500), past=26), date(2026, 2, 5), **euros, **amounts)
    # What remained due stands in the second row: 90.00 of 100.00 are paid, so 5 March is unpaid.
    number = case((1, 0, 500), past=26)
    pays(number, date(2026, 3, 5), due_minor=10_000, paid_minor=6_000, **euros)
    pays(number, date(2026, 3, 5), due_minor=4_000, paid_minor=3_000, **euros)
    # A part of an instalment that was due 185 days ago leaves it unpaid; one day more, the other parts
    # may lie before what is looked at.
    for ago, past in ((185, 185), (186, 0)):
        pays(case((1, 0, 500), past=past), day(ago), due_minor=900, paid_minor=300, **euros)
    # A payment that says no due date tells nothing of arrears.
    number = case((1, 4, 500), past=5)
    world.add("banking_repayment", subject_id=number, record_id=number, occurred_on=day(1))
    found = world.features("arrears")
    assert {n: (f["loans"], f["days_past_due"]) for n, f in found.items()} == expected


def test_months_late_are_those_of_185_days_with_at_least_one_day_past_due(world, day) -> None:
    """0 days are not late, 1 day is; a month counts once for two loans; 185 days ago is too old."""
    world.customers(1, 2)
    for ago, past, loan in ((0, 0, 1), (31, 1, 1), (31, 2, 2), (184, 7, 1), (185, 50, 1)):
        statement(world, day(ago), past, loan=loan)
    found = world.features("arrears")
    assert [(f["months_late_6m"], f["worst_days_past_due_6m"]) for f in found.values()] == [
        (2, 7),
        (0, 0),
    ]


def test_the_day_that_the_lender_states_is_that_of_the_loan_itself(world_of) -> None:
    """Two loans were paid on 28 February, and one of them states 31 March: on 30 March it is not due,
    and the other, which states 28 March, is 2 days late."""
    on = date(2026, 3, 30)
    world = world_of(on)
    world.customers(1, 2)
    for loan, stated in ((1, date(2026, 3, 31)), (2, date(2026, 3, 28))):
        statement(world, on, 0, loan=loan, subject_id=loan)
        world.add("banking_loan", id=loan, subject_id=loan, next_due_on=stated)
        world.add(
            "banking_repayment",
            subject_id=loan,
            occurred_on=date(2026, 2, 28),
            record_id=loan,
            due_on=date(2026, 2, 28),
        )
    found = world.features("arrears")
    assert [(found[n]["loans"], found[n]["days_past_due"]) for n in (1, 2)] == [(1, 0), (1, 2)]


def test_cards_are_as_full_as_the_fullest_and_the_last_bureau_report_counts(world, day) -> None:
    """By customer: use now, its change over three statements, months above nine tenths, inquiries.

    1: of two cards, one at 0.50 after 0.20 three statements before, once full; the other at 0.80 after
    0.75, twice full. 2: exactly 0.90 is not full, and a statement of five ago tells nothing. 3: only two
    statements, so nothing is known of three months. 4: no card; no inquiry by the last report."""
    world.customers(1, 2, 3, 4)
    # The last statement first.
    uses = {
        (1, 1): (0.50, 0.95, 0.10, 0.20, 0.99),
        (1, 2): (0.80, 0.95, 0.91, 0.75),
        (2, 3): (0.90, 0.901, 0.90, 0.95, 0.10),
        (3, 4): (0.30, 0.40),
    }
    for (customer, card), shown in uses.items():
        for months, use in enumerate(shown):
            world.add(
                "banking_card_statement",
                subject_id=customer,
                record_id=card,
                occurred_on=day(30 * months + 1),
                utilisation=use,
            )
    # A statement that does not say the use is none.
    world.add("banking_card_statement", subject_id=3, record_id=4, occurred_on=day(0))
    for customer, ago, inquiries in ((4, 3, 0), (4, 40, 5), (3, 3, 1), (2, 3, -1)):
        world.add(
            "banking_bureau_report",
            subject_id=customer,
            occurred_on=day(ago),
            bureau_inquiries_6m=inquiries,
        )
    found = {
        n: (
            f["card_utilisation"],
            f["card_utilisation_change_3m"],
            f["card_full_months_3m"],
            f["inquiries_6m"],
        )
        for n, f in world.features("credit_use").items()
    }
    assert found == {
        1: (0.80, pytest.approx(0.30), 2, None),
        2: (0.90, pytest.approx(-0.05), 1, None),
        3: (0.30, None, 0, 1),
        4: (None, None, None, 0),
    }


def test_only_what_secures_something_is_collateral(world, day) -> None:
    """A record of the kind none, or of no kind, is neither old nor too small."""
    world.add("banking_collateral", id=1, kind="vehicle", valued_on=day(10), ltv=0.5)
    for number, kind in ((2, "none"), (3, None)):
        world.add("banking_collateral", id=number, kind=kind, valued_on=day(2_000), ltv=2.0)
    assert world.features("collateral")[1] == {"collateral_valued_days": 10, "collateral_ltv": 0.5}


def test_buckets_of_roll_rates_end_the_day_before_30_60_and_90(world) -> None:
    """Loans that stay as they are from February to March, a minor unit owed each; the last statement of
    a month counts; what was written off stays so without a statement; nothing owed has no share."""
    feb, mar = date(2026, 2, 28), date(2026, 3, 31)
    for loan, past in enumerate((0, 1, 29, 30, 59, 60, 89, 90, 400)):
        statement(world, feb, past, 1, loan)
        statement(world, mar, past, 1, loan)
        for on in (date(2026, 2, 27), date(2026, 3, 30)):
            statement(world, on, 45, 7, loan)
    # Nothing of it is left, in the one case without a word in March.
    statement(world, feb, 0, 0, 20, written_off=True)
    statement(world, feb, 10, 0, 21, written_off=True)
    statement(world, mar, 10, 0, 21, written_off=True)
    found = {
        (r["from_bucket"], r["to_bucket"]): (
            r["loans"],
            r["outstanding_minor"],
            r["outstanding_share"],
        )
        for r in world.report("roll-rates", months=1)
    }
    assert found == {
        ("0 current", "0 current"): (1, 1, 1.0),
        ("1 1-29", "1 1-29"): (2, 2, 1.0),
        ("2 30-59", "2 30-59"): (2, 2, 1.0),
        ("3 60-89", "3 60-89"): (2, 2, 1.0),
        ("4 90+", "4 90+"): (2, 2, 1.0),
        ("5 written off", "5 written off"): (2, 0, None),
    }


@pytest.mark.parametrize(("months", "pairs"), [(2, 2), (3, 3), (4, 4)])
def test_roll_rates_go_so_many_months_back_and_over_the_year_end(world, months, pairs) -> None:
    """A loan current at five month ends from November to March has four pairs, one of them over the
    year end, and the statement of March is the first of none."""
    for on in ("2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31"):
        statement(world, date.fromisoformat(on), 0, 100)
    (row,) = world.report("roll-rates", months=months)
    assert (row["from_bucket"], row["to_bucket"]) == ("0 current", "0 current")
    assert (row["loans"], row["outstanding_minor"]) == (pairs, pairs * 100)


def test_a_vintage_counts_each_loan_from_the_month_in_which_it_was_first_bad(world) -> None:
    """Loans of 2023 Q1, whose statements begin in February, up to the 36 months that are shown.

    The first is 90 days past due in month 13 and more later, the second 89 at most, the third is written
    off in month 26, and the fourth was granted in the month before statements begin. Of December 2022
    nothing is judged."""
    lent = (
        (1, date(2023, 2, 1), 10_000),
        (2, date(2023, 3, 31), 20_000),
        (3, date(2023, 2, 28), 30_000),
        (4, date(2023, 1, 1), 40_000),
        (5, date(2022, 12, 31), 50_000),
    )
    for number, on, amount in lent:
        world.add("banking_loan", id=number, granted_on=on, principal_minor=amount, product="auto")
    for loan, on, past, values in (
        (4, date(2023, 2, 28), 0, {}),
        (1, date(2024, 3, 31), 90, {}),
        (1, date(2024, 9, 30), 270, {}),
        (2, date(2025, 3, 31), 89, {}),
        (3, date(2025, 4, 30), 0, {"written_off": True}),
        (5, date(2024, 3, 31), 99, {}),
    ):
        statement(world, on, past, loan=loan, **values)
    rows = world.report("vintages")
    assert [r["months_on_book"] for r in rows] == list(range(1, 37))
    assert {(r["vintage"], r["loans"]) for r in rows} == {("2023 Q1", 4)}
    assert [r["bad"] for r in rows] == [0] * 12 + [1] * 13 + [2] * 11
    assert [rows[i]["bad_rate"] for i in (11, 12, 35)] == [0, 0.25, 0.5]
    assert [rows[i]["bad_principal_share"] for i in (11, 12, 35)] == [0, 0.1, 0.4]


def test_a_quarter_waits_for_its_youngest_loan_and_a_product_for_its_own(world) -> None:
    """The loan of 31 March, the as-of day, has no month on book, so its quarter shows none; one that is
    granted tomorrow is not lent yet. By product only its own loans count, and without an amount lent
    there is no share of it."""
    for number, on, product in (
        (1, date(2026, 1, 5), "auto"),
        (2, date(2026, 3, 31), "consumer"),
        (3, date(2026, 4, 1), "auto"),
    ):
        world.add("banking_loan", id=number, granted_on=on, product=product)
    statement(world, date(2026, 1, 31), 0)
    assert world.report("vintages") == []
    rows = world.report("vintages", product="auto")
    assert [
        (r["vintage"], r["months_on_book"], r["loans"], r["bad_principal_share"]) for r in rows
    ] == [
        ("2026 Q1", 1, 1, None),
        ("2026 Q1", 2, 1, None),
    ]
