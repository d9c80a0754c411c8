"""What a customer brings in 365 days, at the edges of each term; every figure worked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

# At the funds price of 3 % a balance of 36,500.00 earns 3.00 a day: 36,500 x 0.03 / 365.
BALANCE, A_DAY = 3_650_000, 300
Row = tuple[str, Mapping[str, Any]]


def contributions(world: Any, cases: Sequence[Sequence[Row]]) -> list[dict[str, Any]]:
    """What the customer of each case brings. Ids of records are the case's own."""
    for subject, rows in enumerate(cases, start=1):
        world.customers(subject)
        for table, values in rows:
            own = {
                name: value + 100 * subject
                if name in ("id", "record_id", "owner_id") and value is not None
                else value
                for name, value in values.items()
            }
            world.add(table, subject_id=subject, **own)
    found = world.features("contribution")
    return [found[subject] for subject in range(1, len(cases) + 1)]


def balances(day: Any, *held: tuple[int, int | None], **values: Any) -> list[Row]:
    """Balances of an account by days before the as-of day."""
    return [
        (
            "banking_transaction",
            {
                "record_id": 1,
                "occurred_on": day(before),
                "amount_minor": 1,
                "balance_after_minor": balance,
                "type": "transfer_in",
                **values,
            },
        )
        for before, balance in held
    ]


def statements(day: Any, *shown: Mapping[str, Any], rate: float | None = 3.0) -> list[Row]:
    """A loan with its statements; at a rate of 3 % it earns just the funds price."""
    return [
        ("banking_loan", {"id": 1, "rate": rate}),
        *(
            (
                "banking_loan_statement",
                {
                    "record_id": 1,
                    "occurred_on": day(0),
                    "outstanding_minor": 100_000,
                    "days_past_due": 0,
                    **values,
                },
            )
            for values in shown
        ),
    ]


def test_a_balance_earns_from_its_day_to_the_next_movement_within_365_days(world, day) -> None:
    """The as-of day counts, and day 364 is the first of the 365."""
    cases = [
        (1, balances(day, (0, BALANCE))),
        (2, balances(day, (1, BALANCE))),
        (364, balances(day, (363, BALANCE))),
        (365, balances(day, (364, BALANCE))),
        (365, balances(day, (365, BALANCE))),
        # Of days 100 to 11.
        (90, balances(day, (100, BALANCE), (10, 0))),
        # Gone before the 365 days began, on the first and on the second of them.
        (0, balances(day, (420, BALANCE), (365, 0))),
        (0, balances(day, (420, BALANCE), (364, 0))),
        (1, balances(day, (420, BALANCE), (363, 0))),
    ]
    found = contributions(world, [rows for _, rows in cases])
    assert [row["net_interest_minor"] for row in found] == [A_DAY * days for days, _ in cases]


def test_a_day_has_the_balance_of_its_last_movement(world, day) -> None:
    """By the hour, and of one instant the one that was booked last; without an account or a balance a
    movement says nothing."""
    on = day(9)
    noon, evening = (datetime(on.year, on.month, on.day, hour) for hour in (12, 18))  # noqa: DTZ001
    cases = [
        balances(day, (9, BALANCE), occurred_at=evening) + balances(day, (9, 0), occurred_at=noon),
        balances(day, (9, BALANCE), id=2) + balances(day, (9, 0), id=1),
        balances(day, (9, BALANCE), (4, None)) + balances(day, (3, 0), record_id=None),
    ]
    found = contributions(world, cases)
    assert [row["net_interest_minor"] for row in found] == [A_DAY * 10] * 3


def test_what_is_overdrawn_pays_the_overdraft_rate_and_is_lending(world, day) -> None:
    """12 % less 3 %: 9.00 a day of 36,500.00, on days 20 to 11; then as much is paid in. Over 365 days at
    the most: 3285.00, and nothing where it was settled before them. Savings get 1 %, so that 2.00
    a day remain, whatever other accounts there are."""
    savings = [
        ("banking_account", {"id": 1, "type": "savings"}),
        ("banking_account", {"id": 2, "type": "current"}),
    ]
    overdrawn, longer, settled, saved = contributions(
        world,
        [
            balances(day, (20, -BALANCE), (10, BALANCE)),
            balances(day, (400, -BALANCE)),
            balances(day, (420, -BALANCE), (365, 0)),
            balances(day, (9, BALANCE)) + savings,
        ],
    )
    assert overdrawn["loan_contribution_minor"] == 900 * 10
    assert overdrawn["deposit_contribution_minor"] == A_DAY * 11
    assert longer["loan_contribution_minor"] == 900 * 365
    assert longer["deposit_contribution_minor"] == 0
    assert settled["net_interest_minor"] == 0
    assert saved["net_interest_minor"] == 200 * 10


def test_the_trend_compares_the_last_182_days_with_the_182_before(world, day) -> None:
    """Days 181 to 0 against days 363 to 182. What is overdrawn is no balance."""
    cases = [
        # Doubled on the first day of the later half; a day before that; a day after it.
        (200 * 182 / (100 * 182) - 1, [(420, 100), (181, 200)]),
        (200 * 182 / (100 * 181 + 200) - 1, [(420, 100), (182, 200)]),
        ((100 + 200 * 181) / (100 * 182) - 1, [(420, 100), (180, 200)]),
        # Of 1000 nothing counts that went on day 363, and one day that went on day 362.
        (0.0, [(420, 1_000), (363, 100)]),
        (100 * 182 / (1_000 + 100 * 181) - 1, [(420, 1_000), (362, 100)]),
        (182 / 181 - 1, [(362, 100)]),
        (-1.0, [(420, 100), (181, -500)]),
        (1.0 * 182 / 1 - 1, [(182, 100)]),
        (None, [(181, 100)]),
        (None, [(420, -100), (181, 100)]),
    ]
    found = contributions(world, [balances(day, *held) for _, held in cases])
    for row, (trend, held) in zip(found, cases, strict=True):
        expected = None if trend is None else pytest.approx(trend)
        assert row["balance_trend"] == expected, held


def test_a_term_deposit_earns_for_the_days_that_it_ran(world, day) -> None:
    """36,500.00 at 1 % leave 2.00 a day. It earns from the day it was opened to its maturity, within 365
    days, and is held until the day before it matures."""
    cases = [
        # (days before of opening and of maturity, days earned, held)
        (0, None, 0, True),
        (1, -100, 1, True),
        (364, -1, 364, True),
        (365, -1, 365, True),
        (366, None, 365, True),
        (100, 0, 100, False),
        (-1, -100, 0, False),
        # Matured in the 365 days, before them, and just when they began.
        (100, 40, 60, False),
        (500, 40, 325, False),
        (500, 364, 1, False),
        (500, 365, 0, False),
        (800, 400, 0, False),
    ]
    found = contributions(
        world,
        [
            [
                (
                    "banking_term_deposit",
                    {
                        "id": 1,
                        "amount_minor": BALANCE,
                        "rate": 1.0,
                        "opened_on": day(opened),
                        "matures_on": None if matures is None else day(matures),
                    },
                )
            ]
            for opened, matures, _, _ in cases
        ],
    )
    for row, (opened, matures, days, held) in zip(found, cases, strict=True):
        assert row["deposit_contribution_minor"] == 200 * days, (opened, matures)
        assert row["term_deposits_minor"] == (BALANCE if held else 0), (opened, matures)


def test_a_term_deposit_without_a_rate_gets_nothing_and_two_are_summed(world, day) -> None:
    """3.00 a day for ten days and, at 4 %, 1.00 a day less than nothing: 30.00 less 10.00."""
    (row,) = contributions(
        world,
        [
            [
                (
                    "banking_term_deposit",
                    {"id": number, "amount_minor": BALANCE, "rate": rate, "opened_on": day(10)},
                )
                for number, rate in ((1, None), (2, 4.0))
            ]
        ],
    )
    assert row["net_interest_minor"] == 3_000 - 1_000
    assert row["term_deposits_minor"] == 2 * BALANCE


def test_a_loan_earns_by_its_statements_of_365_days_unless_it_is_in_default(world, day) -> None:
    """1000.00 at 9 % for a month, less the funds price of 3 %: 5.00; without a rate it costs 2.50."""
    cases = [
        (500, 9.0, {"occurred_on": day(364)}),
        (0, 9.0, {"occurred_on": day(365)}),
        (500, 9.0, {"days_past_due": 89}),
        (0, 9.0, {"days_past_due": 90}),
        (500, 9.0, {"days_past_due": None}),
        (0, 9.0, {"written_off": True}),
        (-250, None, {}),
    ]
    found = contributions(world, [statements(day, values, rate=rate) for _, rate, values in cases])
    assert [row["net_interest_minor"] for row in found] == [earned for earned, _, _ in cases]


@pytest.mark.parametrize(
    ("collateral", "share"),
    [
        # 60 % are lost of an unsecured loan. Of a secured one what 70 % of the value leave, at least 10 %.
        ((), 0.6),
        ((100_000,), 0.3),
        ((20_000, 50_000), 0.51),
        ((128_571,), 0.1),
        ((130_000,), 0.1),
        ((0,), 1.0),
    ],
)
def test_expected_loss_goes_by_days_past_due_and_collateral(
    world, day, collateral: tuple[int, ...], share: float
) -> None:
    """Of 1000.00: 1 % until the first day past due, 8 % from it, 25 % from 30, 50 % from 60, all from 90."""
    held = [
        ("banking_collateral", {"id": number, "owner_id": 1, "value_minor": value})
        for number, value in enumerate(collateral)
    ]
    steps = [
        (None, 0.01),
        (0, 0.01),
        (1, 0.08),
        (29, 0.08),
        (30, 0.25),
        (59, 0.25),
        (60, 0.5),
        (89, 0.5),
        (90, 1.0),
        (400, 1.0),
    ]
    found = contributions(
        world, [statements(day, {"days_past_due": past}) + held for past, _ in steps]
    )
    assert [row["expected_loss_minor"] for row in found] == [
        round(100_000 * pd * share) for _, pd in steps
    ]


def test_the_last_statement_of_45_days_says_what_is_owed(world, day) -> None:
    """60 % of the 1000.00 in default are 600.00; an older statement and a loan written off lose nothing
    more, and what the month before said is past. One cent in default is lost whole."""
    bad = {"days_past_due": 90}
    cent = statements(day, {**bad, "outstanding_minor": 1})
    cases = [
        (60_000, statements(day, {**bad, "occurred_on": day(45)})),
        (0, statements(day, {**bad, "occurred_on": day(46)})),
        (0, statements(day, {**bad, "written_off": True})),
        (60_000, statements(day, {"occurred_on": day(30)}, bad)),
        (600, statements(day, bad | {"occurred_on": day(30)}, {})),
        (600, statements(day, {"id": 2}, {"id": 1, **bad})),
        (1, [*cent, ("banking_collateral", {"id": 1, "owner_id": 1, "value_minor": 0})]),
        (0, statements(day, {**bad, "outstanding_minor": 0})),
    ]
    found = contributions(world, [rows for _, rows in cases])
    assert [row["expected_loss_minor"] for row in found] == [lost for lost, _ in cases]


def test_cards_fees_and_work_count_for_365_days(world, day) -> None:
    """A card statement of 800.00 at 18 % less 3 % earns 10.00 in its month; fees are what was booked
    under their names; 2.50 of work on a loan and 4.00 of other work are the loan's and the deposit's."""
    work = {"driver": "x", "scale": 100_000_000, "quantity": 1.0}

    def of(before: int) -> list[Row]:
        on = {"occurred_on": day(before)}
        return [
            ("banking_card_statement", {**on, "balance_minor": 80_000}),
            ("banking_transaction", {**on, "type": "fee", "amount_minor": -100}),
            ("banking_transaction", {**on, "type": "penalty_interest", "amount_minor": -20}),
            ("banking_transaction", {**on, "type": "card_payment", "amount_minor": -7_000}),
            (
                "activity_cost",
                {
                    **work,
                    "days_before": before,
                    "kind": "banking.collections_call",
                    "rate": 250_000_000,
                },
            ),
            (
                "activity_cost",
                {**work, "days_before": before, "kind": "banking.complaint", "rate": 400_000_000},
            ),
        ]

    within, before = contributions(world, [of(364), of(365)])
    assert (within["fees_minor"], within["cost_to_serve_minor"]) == (120, 650)
    assert within["loan_contribution_minor"] == 1_000 - 250
    assert within["deposit_contribution_minor"] == 120 - 400
    assert within["contribution_minor"] == 1_000 + 120 - 650
    assert {before[name] for name in before if name != "balance_trend"} == {0}


def test_of_two_costs_that_the_bank_set_the_last_holds(world) -> None:
    """4.00, then 3.00; what was done twice and a half costs 7.50."""
    world.customers(1)
    for number, cost in ((1, 4.0), (2, 3.0)):
        world.add("value_cost", subject_id=None, id=number, driver="x", cost=cost)
    world.add(
        "activity_cost",
        days_before=0,
        driver="x",
        scale=100_000_000,
        kind="banking.complaint",
        quantity=2.5,
        rate=150_000_000,
    )
    assert world.features("contribution")[1]["cost_to_serve_minor"] == 750


def test_halves_are_rounded_up_whatever_the_order_of_the_sum(world, day) -> None:
    """0.1 and twice 0.2 of a cent of work are half a cent: one. A loan of 2.00 without a rate costs half
    a cent of funds, which up is nothing; 2.04 cost 0.51 of a cent, which is one."""
    work = {
        "driver": "x",
        "scale": 100_000_000,
        "kind": "banking.complaint",
        "rate": 1_000_000,
        "days_before": 0,
    }
    bits, half, more = contributions(
        world,
        [
            [("activity_cost", {**work, "quantity": part}) for part in (0.1, 0.2, 0.2)],
            statements(day, {"outstanding_minor": 200}, rate=None),
            statements(day, {"outstanding_minor": 204}, rate=None),
        ],
    )
    assert bits["cost_to_serve_minor"] == 1
    assert [row["net_interest_minor"] for row in (half, more)] == [0, -1]


def test_who_has_no_business_brings_nothing(world) -> None:
    (row,) = contributions(world, [[]])
    assert row.pop("balance_trend") is None
    assert len(row) == 8
    assert set(row.values()) == {0}


def test_places_are_of_those_who_have_an_open_account_or_owe(world, day) -> None:
    """Five of nine: accounts without a state or a day, and opened on the day; one that owes a cent; of
    equal contributions the first customer stands before the second."""
    accounts = {
        1: {},
        2: {"status": "open", "opened_on": day(0)},
        3: {"opened_on": day(-1)},
        4: {"status": "closed"},
        5: {"status": "dormant"},
    }
    world.customers(*range(1, 10))
    for subject, values in accounts.items():
        world.add("banking_account", subject_id=subject, id=subject, **values)
    for subject, owed, before in ((6, 1, 45), (7, 0, 45), (8, 1, 46)):
        world.add(
            "banking_loan_statement",
            subject_id=subject,
            record_id=subject,
            occurred_on=day(before),
            outstanding_minor=owed,
            days_past_due=0,
        )
    world.add("banking_account", subject_id=9, id=9)
    for subject, fee in ((5, 900), (9, 100)):
        world.add(
            "banking_transaction",
            subject_id=subject,
            occurred_on=day(5),
            type="fee",
            amount_minor=-fee,
        )
    found = world.features("contribution_rank")
    assert {s: row["contribution_place"] for s, row in found.items()} == pytest.approx(
        {5: 0.2, 9: 0.4, 1: 0.6, 2: 0.8, 6: 1.0}
    )
