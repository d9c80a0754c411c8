"""Assets, capacity and wealth bands at their bounds: 100,000.00 and 1,000,000.00, or 8000.00 a month."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

AFFLUENT, PRIVATE, INCOME = 10_000_000, 100_000_000, 800_000
Row = tuple[str, Mapping[str, Any]]


@pytest.fixture
def wealth(world) -> Callable[[Sequence[Sequence[Row]]], list[dict[str, Any]]]:
    """What the customer of each case holds."""

    def of(cases: Sequence[Sequence[Row]]) -> list[dict[str, Any]]:
        for subject, rows in enumerate(cases, start=1):
            world.customers(subject)
            for table, values in rows:
                world.add(table, subject_id=subject, **values)
        found = world.features("wealth")
        return [found[subject] for subject in range(1, len(cases) + 1)]

    return of


@pytest.fixture
def held(day) -> Callable[..., list[Row]]:
    """Balances of an account by days before the as-of day."""

    def of(*balances: tuple[int, int | None], account: int | None = 1, **values: Any) -> list[Row]:
        return [
            (
                "banking_transaction",
                {
                    "record_id": account,
                    "occurred_on": day(before),
                    "amount_minor": 1,
                    "balance_after_minor": balance,
                    "type": "transfer_in",
                    **values,
                },
            )
            for before, balance in balances
        ]

    return of


@pytest.fixture
def term(day) -> Callable[..., Row]:
    """A term deposit by the days before of its opening and of its maturity."""

    def of(amount: int, opened: int, matures: int | None, **values: Any) -> Row:
        matures_on = None if matures is None else day(matures)
        return (
            "banking_term_deposit",
            {"amount_minor": amount, "opened_on": day(opened), "matures_on": matures_on, **values},
        )

    return of


@pytest.fixture
def paid(day) -> Callable[..., list[Row]]:
    """Salaries by days before the as-of day."""

    def of(*amounts: tuple[int, int], type: str = "salary") -> list[Row]:
        return [
            (
                "banking_transaction",
                {"occurred_on": day(before), "amount_minor": amount, "type": type},
            )
            for before, amount in amounts
        ]

    return of


def test_bands_begin_at_their_bounds(wealth, held, paid) -> None:
    cases = [
        ("mass", held((5, AFFLUENT - 1))),
        ("affluent", held((5, AFFLUENT))),
        ("affluent", held((5, PRIVATE - 1))),
        ("private", held((5, PRIVATE))),
        # Three months of 8000.00 within 92 days, and a cent less in one of them.
        ("affluent", paid((5, INCOME), (36, INCOME), (67, INCOME))),
        ("mass", paid((5, INCOME), (36, INCOME), (67, INCOME - 1))),
        ("mass", []),
    ]
    found = wealth([rows for _, rows in cases])
    assert [row["wealth_band"] for row in found] == [band for band, _ in cases]


def test_the_bank_sets_its_own_bounds(world, day, wealth, held, paid) -> None:
    """50,000.00 of 40,000.00 and of 200,000.00; 3000.00 of 6000.00 a month."""
    for number, (name, value) in enumerate(
        (("affluent_from", 40_000), ("private_from", 200_000), ("affluent_income", 6_000)), start=1
    ):
        world.add("banking_assumption", subject_id=None, id=number, name=name, value=value)
    (row,) = wealth([held((5, 5_000_000)) + paid((5, 900_000))])
    assert (row["assets_minor"], row["wealth_band"]) == (5_000_000, "affluent")
    shares = [
        row[name] for name in ("assets_to_affluent", "assets_to_private", "income_to_affluent")
    ]
    assert shares == pytest.approx([1.25, 0.25, 0.5])


def test_assets_are_the_last_balances_of_all_accounts_and_deposits_that_run(
    wealth, held, term
) -> None:
    """Of one day the last movement counts; a deposit runs until the day before it matures."""
    cases = [
        (300, held((9, 900), (3, 100)) + held((0, 200), account=2)),
        (100, held((3, 900), id=1) + held((3, 100), id=2)),
        (100, held((3, 100), (2, None)) + held((1, 900), account=None)),
        (-50, held((3, -50))),
        (700, [term(700, 0, -1)]),
        (700, [term(700, 9, None)]),
        (0, [term(700, 9, 0)]),
        (0, [term(700, -1, -90)]),
        (1_100, [*held((3, 100)), term(400, 9, -9), term(600, 9, -9, id=2)]),
    ]
    found = wealth([rows for _, rows in cases])
    assert [row["assets_minor"] for row in found] == [assets for assets, _ in cases]


def test_who_rises_was_seen_ninety_days_ago_in_a_lower_band(wealth, held, term, paid) -> None:
    """The balance of day 90 is the one before; what was paid in on day 89 came after."""
    cases = {
        "risen since": (True, held((200, 1), (89, AFFLUENT))),
        "risen on the day": (False, held((200, 1), (90, AFFLUENT))),
        "seen on the day": (True, held((90, 1), (5, AFFLUENT))),
        "seen a day later": (False, held((89, 1), (5, AFFLUENT))),
        "as it was": (False, held((200, AFFLUENT))),
        "fallen": (False, held((200, PRIVATE), (5, AFFLUENT))),
        "affluent to private": (True, held((200, AFFLUENT), (5, PRIVATE))),
        "private": (False, held((200, PRIVATE), (5, PRIVATE + 1))),
        "just not affluent then": (True, held((200, AFFLUENT - 1), (5, AFFLUENT))),
        "just not private then": (True, held((200, PRIVATE - 1), (5, PRIVATE))),
        "affluent and gone between": (True, held((200, AFFLUENT), (100, 1), (5, AFFLUENT))),
        # Of the day itself one balance counts, not that before it as well.
        "as much on the day": (
            True,
            held((200, AFFLUENT // 2), (90, AFFLUENT // 2), (5, AFFLUENT)),
        ),
        "a deposit since": (True, [*held((200, 1)), term(AFFLUENT, 89, -300)]),
        "a deposit of then": (False, [*held((200, 1)), term(AFFLUENT, 90, -300)]),
        "a deposit without an end": (False, [*held((200, 1)), term(AFFLUENT, 90, None)]),
        # What a deposit held then is in the account now.
        "matured since": (False, [*held((200, 1), (30, AFFLUENT)), term(AFFLUENT, 200, 30)]),
        "matured the day after": (
            False,
            [*held((200, 1), (89, AFFLUENT)), term(AFFLUENT, 200, 89)],
        ),
        "matured on the day": (True, [*held((200, 1), (89, AFFLUENT)), term(AFFLUENT, 200, 90)]),
        # 24,000.00 in three months: 8000.00 a month.
        "paid more": (True, held((200, 1)) + paid((91, 3 * INCOME))),
        "paid as much before": (False, held((200, 1)) + paid((91, 3 * INCOME), (92, 3 * INCOME))),
        "paid so long before": (False, held((200, 1)) + paid((91, 3 * INCOME), (183, 3 * INCOME))),
        "not paid longer before": (
            True,
            held((200, 1)) + paid((91, 3 * INCOME), (184, 3 * INCOME)),
        ),
        "paid a cent less before": (
            True,
            held((200, 1)) + paid((9, 3 * INCOME), (99, 3 * INCOME - 1)),
        ),
        "paid no more": (False, held((200, 1)) + paid((92, 3 * INCOME))),
    }
    found = wealth([rows for _, rows in cases.values()])
    risen = {name: row["wealth_risen"] for name, row in zip(cases, found, strict=True)}
    assert risen == {name: rises for name, (rises, _) in cases.items()}


def test_income_is_a_third_of_the_salaries_and_pensions_of_92_days(wealth, paid) -> None:
    cases = [
        (0.5, paid((0, 600_000), (91, 600_000))),
        (0.25, paid((0, 600_000), (92, 600_000))),
        (0.25, paid((5, 600_000), type="pension")),
        (0.0, paid((5, 600_000), type="transfer_in")),
        (1 / 3 / 800_000, paid((5, 1))),
        # A salary that was paid by mistake and taken back.
        (0.25, paid((5, 600_000), (4, -600_000))),
    ]
    found = wealth([rows for _, rows in cases])
    assert [row["income_to_affluent"] for row in found] == pytest.approx([s for s, _ in cases])


def test_an_income_verified_within_three_years_is_capacity(wealth, day, paid) -> None:
    """1096 days are three years with a leap day. What comes in counts where it is more."""
    cases = [
        (0.5, 0, []),
        (0.5, 1_096, []),
        (0.0, 1_097, []),
        (0.0, -1, []),
        (0.0, None, []),
        (0.75, 0, paid((5, 1_800_000))),
        (0.5, 0, paid((5, 900_000))),
    ]
    found = wealth(
        [
            [
                (
                    "banking_customer",
                    {
                        "income_minor": 400_000,
                        "income_verified_on": None if before is None else day(before),
                    },
                ),
                *rows,
            ]
            for _, before, rows in cases
        ]
    )
    assert [r["capacity_to_affluent"] for r in found] == pytest.approx([c for c, _, _ in cases])


def test_the_next_deposit_to_mature_is_told(wealth, term) -> None:
    """One that matures today has matured; of two of one day the first stands for both."""
    cases = [
        ((1, 700), [term(700, 9, -1)]),
        ((None, None), [term(700, 9, 0)]),
        ((None, None), [term(700, 9, None)]),
        (
            (30, 500),
            [
                term(700, 9, -31),
                term(500, 9, -30, id=2),
                term(300, 9, None, id=3),
                term(1, 99, 5, id=4),
            ],
        ),
        ((30, 500), [term(700, 9, -30, id=2), term(500, 9, -30, id=1)]),
        ((None, None), []),
        ((30, 500), [term(700, 9, 0), term(500, 9, -30, id=2)]),
    ]
    found = wealth([rows for _, rows in cases])
    assert [(r["days_to_maturity"], r["maturing_deposit_minor"]) for r in found] == [
        told for told, _ in cases
    ]
