"""H6: the reports on small worlds whose figures are worked by hand, as of 2026-03-31."""

from __future__ import annotations

from datetime import date

import pytest


def _stay(world, guest, arrived, left, number, **more) -> None:
    world.add(
        "hotel_stay",
        subject_id=guest,
        id=number,
        checked_in_on=arrived,
        checked_out_on=left,
        **more,
    )


def test_repeat_rate_by_year_of_the_first_stay(world) -> None:
    """2024: guest 1 back after 10 days, guest 2 after 400, guest 3 never: 2 of 3, 1 of 3 in a year."""
    _stay(world, 1, date(2024, 5, 1), date(2024, 5, 3), 1)
    _stay(world, 1, date(2024, 5, 13), date(2024, 5, 15), 2)
    _stay(world, 2, date(2024, 6, 1), date(2024, 6, 2), 3)
    _stay(world, 2, date(2025, 7, 7), date(2025, 7, 9), 4)
    _stay(world, 3, date(2024, 7, 1), date(2024, 7, 2), 5)
    _stay(world, 4, date(2025, 7, 1), date(2025, 7, 2), 6)
    rows = world.report("repeat-rate")
    assert [(r["cohort"], r["guests"], r["again"]) for r in rows] == [(2024, 3, 2), (2025, 1, 0)]
    assert rows[0]["repeat_rate"] == pytest.approx(2 / 3)
    assert rows[0]["within_year"] == pytest.approx(1 / 3)
    # Gaps 10 and 400: the lower of two in the middle.
    assert (rows[0]["median_gap"], rows[1]["median_gap"]) == (10, None)


def test_two_rooms_of_one_night_are_one_visit(world) -> None:
    """Issue 14, line 12: guest 1 has two rooms from 1 to 3 May, one of them a night longer, and comes
    back on the 14th, ten days after the 4th; guest 2 has two rooms of one night and never comes again.

    Their median gap was -2 days, and both had come again.
    """
    world.customers(1, 2)
    _stay(world, 1, date(2024, 5, 1), date(2024, 5, 3), 1, nights=2)
    _stay(world, 1, date(2024, 5, 1), date(2024, 5, 4), 2, nights=3)
    _stay(world, 1, date(2024, 5, 14), date(2024, 5, 16), 3)
    _stay(world, 2, date(2024, 6, 1), date(2024, 6, 2), 4)
    _stay(world, 2, date(2024, 6, 1), date(2024, 6, 2), 5)
    (row,) = world.report("repeat-rate")
    assert (row["cohort"], row["guests"], row["again"]) == (2024, 2, 1)
    assert (row["repeat_rate"], row["within_year"], row["median_gap"]) == (0.5, 0.5, 10)
    assert [(r["customer_id"], r["gaps"]) for r in world.report("next-stay", gaps=1)] == [(1, 1)]


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        # One after the other, the second time back-to-back; within the first; day use of two rooms.
        (("05-01", "05-03"), ("05-05", "05-06"), 1), (("05-01", "05-03"), ("05-03", "05-04"), 1),
        (("05-01", "05-09"), ("05-03", "05-04"), 0), (("05-01", "05-01"), ("05-01", "05-01"), 0),
        (("05-01", "05-03"), ("05-02", "05-06"), 0), (("02-28", "02-29"), ("02-29", "03-01"), 1),
    ],
)  # fmt: skip
def test_a_visit_begins_when_the_last_one_is_over(world, first, second, again) -> None:
    for number, (arrived, left) in enumerate((first, second)):
        days = [date.fromisoformat(f"2024-{text}") for text in (arrived, left)]
        _stay(world, 1, *days, number)
    assert [r["again"] for r in world.report("repeat-rate")] == [again]


def test_value_by_number_of_stays(world) -> None:
    """One guest of two stays brings 300 + 100, one of one stay 100: 80 % and 20 %; beside the room 100 of 400."""
    _stay(
        world,
        1,
        date(2026, 1, 1),
        date(2026, 1, 3),
        1,
        nights=2,
        revenue_room_minor=20000,
        revenue_fnb_minor=10000,
    )
    _stay(world, 1, date(2026, 2, 1), date(2026, 2, 2), 2, nights=1, revenue_room_minor=10000)
    _stay(world, 2, date(2026, 2, 1), date(2026, 2, 2), 3, nights=1, revenue_room_minor=10000)
    _stay(world, 3, date(2020, 2, 1), date(2020, 2, 2), 4, nights=1, revenue_room_minor=99999)
    found = {r["segment"]: r for r in world.report("value-segments", by="stays")}
    assert set(found) == {"2 to 4 stays", "one stay"}
    assert found["2 to 4 stays"]["revenue_share"] == pytest.approx(0.8)
    assert found["2 to 4 stays"]["beside_room"] == pytest.approx(0.25)
    assert (found["one stay"]["revenue_minor"], found["one stay"]["nights"]) == (10000, 1)


def test_commission_of_channels_is_exact(world) -> None:
    """29 % of 1.50 is 43.5 cents, which is 44; floats have 43.49999999999999."""
    world.add(
        "hotel_reservation", arrival_on=date(2026, 3, 1), nights=1, adr_minor=150, commission=0.29,
        channel="ota", status="checked_out",
    )  # fmt: skip
    (row,) = world.report("channels")
    assert (row["cost_minor"], row["cost_rate"]) == (44, pytest.approx(0.29))


def test_channels_and_what_they_cost(world) -> None:
    """OTA: two kept of 2 nights at 100.00 with 18 %, one cancelled: 400.00, 72.00, 1 of 3 lost."""
    for number, status in enumerate(("checked_out", "checked_out", "cancelled")):
        world.add(
            "hotel_reservation",
            id=number,
            arrival_on=date(2026, 3, 1),
            nights=2,
            adr_minor=10000,
            commission=0.18,
            channel="ota",
            status=status,
        )
    world.add(
        "hotel_reservation",
        id=9,
        arrival_on=date(2026, 3, 1),
        nights=1,
        adr_minor=9000,
        channel="phone",
        status="checked_out",
    )
    found = {r["channel"]: r for r in world.report("channels")}
    ota = found["ota"]
    assert (ota["revenue_minor"], ota["cost_minor"], ota["nights"]) == (40000, 7200, 4)
    assert (ota["share"], ota["lost_rate"]) == (pytest.approx(0.75), pytest.approx(1 / 3))
    assert (found["phone"]["is_direct"], ota["is_direct"]) == (True, False)


def test_who_comes_back_after_a_complaint(world, day) -> None:
    """Recovered and back; solved without a gesture and not back; not solved and back before only.

    Of the two who did not complain one came again after the first stay; 20 and 40 minutes are 30.
    """
    for guest, solved in ((1, True), (2, True), (3, False)):
        world.add("hotel_complaint", subject_id=guest, occurred_on=day(100), solved=solved)
        _stay(world, guest, day(101), day(99), guest)
    world.add("hotel_complaint", subject_id=6, occurred_on=day(100), solved=True)
    _stay(world, 6, day(101), day(99), 6)
    for guest, minutes in ((1, 20.0), (6, 40.0)):
        world.add(
            "hotel_recovery_gesture", subject_id=guest, occurred_on=day(99), first_action=True,
            minutes_after=minutes,
        )  # fmt: skip
    _stay(world, 1, day(50), day(48), 11)
    _stay(world, 4, day(50), day(48), 12)
    for number, first in enumerate((60, 30)):
        _stay(world, 5, day(first), day(first - 2), 13 + number)
    _stay(world, 7, day(900), day(898), 15)
    columns = ("guests", "back", "return_rate", "first_action_minutes")
    found = {r["outcome"]: tuple(r[c] for c in columns) for r in world.report("recovery")}
    assert found == {
        "recovered": (2, 1, 0.5, 30.0), "solved, nothing given": (1, 0, 0.0, None),
        "not solved": (1, 0, 0.0, None), "no complaint": (2, 1, 0.5, None),
    }  # fmt: skip


def test_net_promoter_score_with_its_interval(world, day) -> None:
    """Of 10: five promoters, two detractors: 30; error 100 sqrt((0.5 + 0.2 - 0.09) / 10) = 24.698."""
    for score in (9, 10, 9, 10, 9, 7, 8, 7, 0, 6):
        world.add("hotel_survey", occurred_on=day(3), nps=score, touchpoint="spa")
    world.add("hotel_survey", occurred_on=day(400), nps=0, touchpoint="spa")
    (row,) = world.report("nps")
    assert (row["n"], row["nps"]) == (10, pytest.approx(30))
    assert row["low"] == pytest.approx(30 - 1.96 * 24.698, abs=0.01)
    assert row["high"] == pytest.approx(30 + 1.96 * 24.698, abs=0.01)
    assert (row["csat_n"], row["csat"], row["csat_low"]) == (0, None, None)


def test_satisfaction_is_the_share_of_the_top_two_boxes(world, day) -> None:
    """Three of four: 0.75; Wilson's interval at z = 1.96 is 0.3006 to 0.9544."""
    for score in (5, 4, 4, 3):
        world.add("hotel_survey", occurred_on=day(3), csat=score, touchpoint="desk")
    (row,) = world.report("nps")
    assert (row["n"], row["nps"], row["csat_n"], row["csat"]) == (0, None, 4, 0.75)
    assert (row["csat_low"], row["csat_high"]) == (
        pytest.approx(0.3006, abs=5e-5), pytest.approx(0.9544, abs=5e-5),
    )  # fmt: skip


def test_coverage_counts_fresh_preferences(world) -> None:
    """Guest 1 has three fresh ones, guest 2 two and one that is stale: half."""
    for guest in (1, 2):
        world.add(
            "hotel_reservation",
            subject_id=guest,
            id=guest,
            property="HER",
            status="confirmed",
            arrival_on=date(2026, 4, 1),
        )
        for number in range(3):
            stale = guest == 2 and number == 0
            world.add(
                "hotel_preference", subject_id=guest, id=10 * guest + number, code=f"C{number}",
                mode="declared", status="declared", last_confirmed_on=date(2026, 3, 21),
                fresh_until=date(2026, 3, 1) if stale else date(2027, 1, 1),
            )  # fmt: skip
    (row,) = world.report("coverage")
    assert (row["guests"], row["covered"], row["coverage"]) == (2, 1, 0.5)
    assert (row["mean_fresh"], row["mean_age_days"]) == (2.5, 10.0)


def test_next_stay_by_quartiles_of_the_guests_own_gaps(world) -> None:
    """Gaps 10, 20, 30, 40 days: quartiles by rank 10, 20, 30 after the last departure on 1 March."""
    days = [
        date(2025, 10, 1),
        date(2025, 10, 12),
        date(2025, 11, 2),
        date(2025, 12, 3),
        date(2026, 1, 13),
    ]
    for number, arrived in enumerate(days):
        _stay(world, 1, arrived, date.fromordinal(arrived.toordinal() + 1), number)
    world.customers(1)
    (row,) = world.report("next-stay")
    assert row["gaps"] == 4
    assert (row["from_on"], row["expected_on"], row["until_on"]) == (
        date(2026, 1, 24),
        date(2026, 2, 3),
        date(2026, 2, 13),
    )
    assert row["overdue_days"] == 46


def test_loyalty_liability_and_breakage(world) -> None:
    """Gold: 1,000 earned, 300 burnt, 200 expired: 500 owed, a fifth ran out; one without a tier."""
    for kind, amount in (("earn", 1000), ("burn", -300), ("expire", -200)):
        world.add("ledger_entry", ledger="hotel.points", kind=kind, amount=amount)
    world.add("ledger_entry", subject_id=2, ledger="hotel.points", kind="earn", amount=70)
    world.add("ledger_entry", subject_id=2, ledger="ledger.points", kind="earn", amount=9999)
    world.add("ledger_standing", scheme="hotel.club", tier="gold", rank=2)
    found = {
        r["tier"]: (r["outstanding"], r["earned"], r["breakage"]) for r in world.report("loyalty")
    }
    assert found == {"gold": (500, 1000, 0.2), "none": (70, 70, 0.0)}


def test_a_guest_of_two_merged_profiles_stands_in_the_higher_tier(world) -> None:
    for tier, rank in (("member", 0), ("gold", 2), ("silver", 1)):
        world.add("ledger_standing", id=9 - rank, scheme="hotel.club", tier=tier, rank=rank)
    world.add("ledger_entry", ledger="hotel.points", kind="earn", amount=1000)
    assert [(r["tier"], r["members"]) for r in world.report("loyalty")] == [("gold", 1)]


def test_cold_welcome_says_why(world) -> None:
    common = {
        "hotel_tier": "gold",
        "hotel_tier_rank": 2,
        "hotel_poor_stays": 0,
        "hotel_benefits_missed": False,
    }
    world.add("feature", subject_id=1, **{**common, "hotel_gap_ratio": 2.1})
    world.add(
        "feature",
        subject_id=2,
        **{**common, "hotel_gap_ratio": 1.0, "hotel_poor_stays": 2, "hotel_benefits_missed": True},
    )
    world.add("feature", subject_id=3, **{**common, "hotel_gap_ratio": 2.0})
    world.add("feature", subject_id=4, **{**common, "hotel_gap_ratio": 9.0, "hotel_tier_rank": 1})
    found = {r["customer_id"]: r["why"] for r in world.report("cold-welcome")}
    assert found == {
        1: "longer away than usual", 2: "two stays below 70 %; tier benefits not given",
    }  # fmt: skip


def test_calibration_compares_each_tenth_with_what_happened(world) -> None:
    """Tenth 1: values 0.8 and 0.6, one of two lost: 0.7 expected, 0.5 observed."""
    for record, value, status in (
        (1, 0.8, "cancelled"),
        (2, 0.6, "checked_out"),
        (3, 0.1, "confirmed"),
    ):
        world.add(
            "hotel_reservation",
            subject_id=record,
            id=record,
            status=status,
            arrival_on=date(2026, 3, 1),
        )
        world.add("feature", subject_id=record, hotel_adr=1)
        world.add(
            "outcome",
            subject_id=record,
            name="hotel.cancellation",
            kind="score",
            value=value,
            band=1 if value > 0.5 else 2,
            days_before=1,
        )
    found = {
        r["band"]: (r["expected"], r["observed"], r["ended"]) for r in world.report("calibration")
    }
    assert found[1] == (pytest.approx(0.7), 0.5, 2)
    assert found[2] == (pytest.approx(0.1), None, 0)
