"""Reports on what customers are worth and on the score's quality; every number worked by hand."""

from __future__ import annotations

import math
from datetime import date

import pytest


def _subscriber(world, subject: int, **features) -> None:
    world.add("feature", subject_id=subject, telecom_subscriptions=1, **features)


def _bill(world, subject: int, on: date, amount: int) -> None:
    world.add("telecom_bill", subject_id=subject, occurred_on=on, amount_minor=amount)


# --- value ----------------------------------------------------------------------------------------


def test_lifetime_value_is_margin_times_what_is_left_of_the_customer(world, day) -> None:
    """Three bills of 10.00 are 10.00 a month, margin 5.00.

    The probability of leaving in 61 days is 0.2, so q = 0.8 ^ (30.4375 / 61) stay a month. Over two
    months without discount: 5.00 x (q + q^2).
    """
    _subscriber(world, 1, telecom_tenure_months=20, telecom_payment_model="postpaid")
    for before in (10, 40, 71, 120):
        _bill(world, 1, day(before), 1000)
    world.add("outcome", subject_id=1, name="telecom.churn", value=0.2, days_before=0, run="r1")
    (row,) = world.report("value-segments", by="payment_model", value_months=2, discount_rate=0.0)
    assert (row["segment"], row["customers"], row["arpu_minor"]) == ("postpaid", 1, 1000)
    assert row["margin_minor"] == 500
    q = 0.8 ** (30.4375 / 61)
    assert row["clv_minor"] == round(500 * (q + q * q))
    assert row["total_clv_minor"] == row["clv_minor"]
    assert row["revenue_share"] == 1.0


def test_money_of_later_months_is_worth_less(world, day) -> None:
    """Nobody leaves; at 10 % a year 1.00 of next month is worth 1.10 ^ (-1/12)."""
    _subscriber(world, 1, telecom_tenure_months=20)
    for before in (10, 40, 71):
        _bill(world, 1, day(before), 100_000)
    world.add("outcome", subject_id=1, name="telecom.churn", value=0.0, days_before=0, run="r1")
    (row,) = world.report("value-segments", value_months=1, margin=1.0)
    assert row["clv_minor"] == round(100_000 * 1.1 ** (-1 / 12))
    (row,) = world.report("value-segments", value_months=3, margin=1.0, discount_rate=0.0)
    assert row["clv_minor"] == 300_000


def test_revenue_of_newcomers_and_of_who_tops_up(world, day) -> None:
    """One bill of 20.00 in the first month is 20.00 a month; top-ups of 30.00 in a quarter are 10.00."""
    _subscriber(world, 1, telecom_tenure_months=1, telecom_payment_model="postpaid")
    _bill(world, 1, day(5), 2000)
    _subscriber(world, 2, telecom_tenure_months=30, telecom_payment_model="prepaid")
    world.add("telecom_topup", subject_id=2, occurred_on=day(9), amount_minor=3000)
    rows = world.report("value-segments", by="payment_model")
    assert [(r["segment"], r["arpu_minor"]) for r in rows] == [
        ("postpaid", 2000),
        ("prepaid", 1000),
    ]
    assert [r["revenue_share"] for r in rows] == pytest.approx([2 / 3, 1 / 3])
    assert all(r["clv_minor"] is None for r in rows)


def test_migration_keeps_the_bounds_of_the_quarter_before(world, day) -> None:
    """1.00, 2.00 and 3.00 before set the bounds 1.00 and 2.00."""
    for subject, earlier, latest, status in (
        (1, 100, 250, "active"), (2, 200, 90, "terminated"), (3, 300, 150, "active"),
        (4, 0, 50, "active"),
    ):  # fmt: skip
        world.add("telecom_subscription", id=subject, subject_id=subject, status=status)
        _bill(world, subject, day(120), earlier)
        _bill(world, subject, day(30), latest)
    rows = world.report("value-migration")
    assert [(r["from_level"], r["to_level"], r["change_minor"]) for r in rows] == [
        ("0 new", "1 low", 50), ("1 low", "3 high", 150), ("2 middle", "0 left", -110),
        ("3 high", "2 middle", -150),
    ]  # fmt: skip
    assert {r["share"] for r in rows} == {1.0}


# --- the score ------------------------------------------------------------------------------------


def _said(world, days_before: int, values: dict[int, float]) -> None:
    for subject, value in values.items():
        world.add("outcome", subject_id=subject, name="telecom.churn", value=value,
                  days_before=days_before, run=f"r{days_before}")  # fmt: skip


def _left(world, subject: int, on: date, kind: str = "voluntary") -> None:
    world.add("telecom_termination", subject_id=subject, occurred_on=on, kind=kind)


def test_a_run_is_judged_by_who_left_15_to_75_days_after_it(world, day) -> None:
    """Run 100 days ago on 0.9, 0.6, 0.4, 0.1. The first leaves after 20 days and the third after 60;
    the second after 10 days, too soon, and the fourth after 80, too late.

    Pairs of leaver and stayer: 0.9 over 0.6 and 0.1, 0.4 over 0.1 but under 0.6: 3 of 4. Two left of
    2.0 expected. The top tenth holds one of two leavers: lift 1 / 0.5.
    """
    _said(world, 100, {1: 0.9, 2: 0.6, 3: 0.4, 4: 0.1})
    for subject, before in ((1, 80), (2, 90), (3, 40), (4, 20)):
        _left(world, subject, day(before))
    rows = world.report("score-quality")
    assert [r["leavers"] for r in rows] == [1, 0, 1, 0]
    assert {r["run_on"] for r in rows} == {date(2025, 12, 21)}
    assert {r["auc"] for r in rows} == {0.75}
    assert rows[0]["observed_expected"] == pytest.approx(1.0)
    assert [r["lift"] for r in rows] == [2.0, 0.0, 2.0, 0.0]
    assert [r["captured_share"] for r in rows] == [0.5, 0.5, 1.0, 1.0]
    assert {(r["psi"], r["alarm"]) for r in rows} == {(0.0, False)}


def test_equal_ratings_count_half_and_other_endings_not_at_all(world, day) -> None:
    _said(world, 100, {1: 0.5, 2: 0.5})
    _left(world, 1, day(60))
    _left(world, 2, day(60), kind="involuntary")
    rows = world.report("score-quality")
    assert sum(r["leavers"] for r in rows) == 1
    assert {r["auc"] for r in rows} == {0.5}


def test_a_shift_of_the_ratings_raises_the_alarm_before_anybody_can_have_left(world) -> None:
    """Quarters in the four bins of the first run become 3/4, 0, 1/4, 0; an empty bin counts 0.0001."""
    _said(world, 100, {1: 0.9, 2: 0.6, 3: 0.4, 4: 0.1})
    _said(world, 10, {1: 0.95, 2: 0.95, 3: 0.95, 4: 0.5})
    latest = [r for r in world.report("score-quality") if r["run_on"] == date(2026, 3, 21)]
    psi = 0.5 * math.log(3) + 2 * (0.0001 - 0.25) * math.log(0.0001 / 0.25)
    assert latest[0]["psi"] == pytest.approx(psi)
    assert {(r["alarm"], r["leavers"], r["auc"]) for r in latest} == {(True, None, None)}


def test_far_more_leavers_than_expected_raise_the_alarm(world, day) -> None:
    """One left of 0.5 expected: 2.0, over 1.25."""
    _said(world, 100, {1: 0.4, 2: 0.1})
    _left(world, 1, day(60))
    rows = world.report("score-quality")
    assert {r["observed_expected"] for r in rows} == {2.0}
    assert all(r["alarm"] for r in rows)
