from decimal import (
    ROUND_DOWN,
    ROUND_UP,
    Context,
    Decimal,
    FloatOperation,
    Inexact,
    Rounded,
    localcontext,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.entities import Money

amounts = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "USD", 1999),
        ("-0.01", "EUR", -1),
        ("1500", "JPY", 1500),
        ("1.234", "KWD", 1234),
        ("1E+3", "USD", 100_000),
        ("12345678901234567.89", "USD", 1234567890123456789),
    ],
)
def test_amount_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "context",
    [
        Context(prec=3),
        Context(prec=3, rounding=ROUND_UP),
        Context(traps=[Inexact, Rounded, FloatOperation]),
        Context(prec=2, Emax=3, Emin=-3, traps=[]),
    ],
)
def test_amounts_do_not_depend_on_the_context_of_the_thread(context: Context) -> None:
    """A library that sets it for its own sake changed 11,378,541,220 into 11,388,972,000."""
    with localcontext(context):
        amount = Money.parse("11378541220.05", "USD")
        assert amount == Money(1137854122005, "USD")
        assert str(amount) == "11378541220.05"
        # 1137854122005 × 1.000000000005 = 1137854122010.689...; half a cent goes to the even one.
        assert amount.times(Decimal("1.000000000005")) == Money(1137854122011, "USD")
        assert Money(5, "USD").times(Decimal("0.5")) == Money(2, "USD")
        with pytest.raises(ValueError, match="not a decimal amount"):
            Money.parse("x", "USD")


@pytest.mark.parametrize(
    ("text", "currency", "words"),
    [
        ("1.5", "JPY", "more than 0 decimals of JPY"),
        ("0.001", "USD", "more than 2 decimals of USD"),
        ("NaN", "USD", "not a finite amount"),
        ("Infinity", "USD", "not a finite amount"),
        ("1,234.50", "USD", "not a decimal amount"),
        ("", "USD", "not a decimal amount"),
        ("1E+999999", "USD", "too many digits"),
        ("9" * 70, "JPY", "too many digits"),
    ],
)
def test_amount_that_cannot_be_exact_is_refused(text: str, currency: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Money.parse(text, currency)


@given(amounts, st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_text_round_trip_is_the_identity(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(str(money), currency) == money


@given(amounts, st.integers(1, 50))
def test_parts_sum_to_the_whole_and_differ_by_one_at_most(minor: int, parts: int) -> None:
    split = Money(minor, "USD").split(parts)
    assert sum(p.minor for p in split) == minor
    assert max(split, key=lambda p: p.minor).minor - min(split, key=lambda p: p.minor).minor <= 1


def test_hundred_in_three_keeps_the_odd_cent() -> None:
    assert [str(p) for p in Money(10_000, "USD").split(3)] == ["33.34", "33.33", "33.33"]


def test_two_currencies_do_not_add() -> None:
    with pytest.raises(ValueError, match="cannot add EUR to USD"):
        Money(1, "USD") + Money(1, "EUR")


def test_a_half_minor_unit_rounds_to_even() -> None:
    assert Money(5, "USD").times(Decimal("0.5")).minor == 2
    assert Money(7, "USD").times(Decimal("0.5")).minor == 4


@pytest.mark.parametrize(
    ("minor", "factor", "product"),
    [
        (100, 0.29, 29),  # 100 x 0.29 is 28.999999999999996 of floats
        (150, 0.29, 44),  # 43.5 goes to the even 44; floats have 43.49999999999999
        (115, 0.1, 12),  # 11.5
        (10**17 + 1, 1.0, 10**17 + 1),  # more digits than a float has
        (-100, Decimal("0.29"), -29),
    ],
)
def test_a_share_is_exact(minor: int, factor: float | Decimal, product: int) -> None:
    assert Money(minor, "USD").times(factor) == Money(product, "USD")


def test_a_share_is_rounded_as_the_contract_says() -> None:
    """5 % of 0.50 is 2.5 cents."""
    assert Money(50, "USD").times(0.05, ROUND_UP) == Money(3, "USD")
    assert Money(50, "USD").times(0.05, ROUND_DOWN) == Money(2, "USD")


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), Decimal("-Infinity")])
def test_a_share_must_be_finite(factor: float | Decimal) -> None:
    with pytest.raises(ValueError, match="cannot be multiplied by"):
        Money(1, "USD").times(factor)


def test_an_amount_is_not_split_into_nothing() -> None:
    with pytest.raises(ValueError, match="1 or more parts, not 0"):
        Money(5, "USD").split(0)
    assert Money(5, "USD").split(1) == [Money(5, "USD")]
    assert Money(-5, "USD").split(3) == [Money(-1, "USD"), Money(-2, "USD"), Money(-2, "USD")]


def test_an_amount_of_64_digits_is_the_longest() -> None:
    assert Money.parse("9" * 64, "JPY").minor == int("9" * 64)
    assert Money.parse("1e64", "JPY").minor == 10**64
    for text in ("9" * 65, "1e65", f"0.{'1' * 65}"):
        with pytest.raises(ValueError, match="too many digits for an amount"):
            Money.parse(text, "JPY")
