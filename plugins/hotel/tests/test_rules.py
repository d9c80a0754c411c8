"""H-R1 to H-R16: each by a small world whose numbers are worked by hand, as of 2026-03-31."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from crmkit.declarations import sql_name
from crmkit_hotel.features import feature_sets
from crmkit_hotel.rules import RULES

BY_NUMBER = {int(rule.source.rpartition("H-R")[2]): rule for rule in RULES}


@pytest.fixture
def fired(world):
    """Whether a rule holds for subject 1, on the features that the small world gives."""

    def ask(number: int, **scores: float) -> bool:
        rule = BY_NUMBER[number]
        columns: dict[str, str] = {}
        sets = [s for s in feature_sets() if s.subject == rule.subject]
        for features in sets:
            name = features.name.partition(".")[2]
            found = world.query(features.sql)
            assert len({row["subject_id"] for row in found}) == len(found), name
            world.db.execute(f"CREATE OR REPLACE TEMP TABLE set_{name} AS {features.sql}")
            columns |= {sql_name(f.name): f"set_{name}" for f in features.features}
        tables = " JOIN ".join(
            f"set_{s.name.partition('.')[2]}" + (" USING (subject_id, as_of)" if i else "")
            for i, s in enumerate(sets)
        )
        given = "".join(f", {value} AS {name}" for name, value in scores.items())
        wide = f"SELECT *{given} FROM {tables}"
        held = world.query(f"SELECT subject_id FROM ({wide}) w WHERE ({rule.when})")
        return [row["subject_id"] for row in held] == [1]

    world.customers(1)
    return ask


def _booking(world, day, days: int, **more) -> None:
    """Reservation 1 of guest 1, arriving in so many days. Subjects are the record and its guest."""
    world.add(
        "hotel_reservation", id=1, customer_id=1, arrival_on=day(-days), **{"adults": 1, **more}
    )


def _stay(world, day, out: int, nights: int = 2, **more) -> None:
    world.add(
        "hotel_stay", id=more.pop("id", out), checked_in_on=day(out + nights),
        checked_out_on=day(out), nights=nights, **more,
    )  # fmt: skip


def test_there_are_sixteen_and_each_names_its_source() -> None:
    assert sorted(BY_NUMBER) == list(range(1, 17))
    assert all(
        rule.source == f"Hotel brief, section 7, rule H-R{n}" for n, rule in BY_NUMBER.items()
    )


def test_h_r1_asked_for_in_vain_within_seven_days(world, day, fired) -> None:
    world.add("hotel_presence_question", occurred_on=day(7), answer="refused")
    assert not fired(1)
    world.add("hotel_presence_question", occurred_on=day(6), answer="refused")
    assert fired(1)


@pytest.mark.parametrize(
    ("days", "results", "expected"),
    [(2, [], True), (3, [], False), (2, ["met"], False), (1, ["met", "open"], True),
     (2, ["unavailable"], True), (0, ["open"], False)],
)  # fmt: skip
def test_h_r2_arrives_within_48_hours_and_is_not_prepared(
    world, day, fired, days, results, expected
) -> None:
    """In two days without a line; all met; one of two open; one sold out; arriving today is no longer to come."""
    _booking(world, day, days)
    for number, result in enumerate(results):
        world.add("hotel_preparation", id=10 + number, owner_id=1, code="PIL_TYPE", result=result)
    assert fired(2) is expected


@pytest.mark.parametrize(
    ("status", "days", "expected"),
    [("learnt", 6, True), ("learnt", 7, False), ("candidate", 0, False)],
)
def test_h_r3_a_preference_learnt_this_week_is_confirmed(
    world, fired, status, days, expected
) -> None:
    world.add(
        "hotel_preference",
        code="PIL_TYPE",
        value="down",
        status=status,
        mode="observed",
        days_before=days,
    )
    assert fired(3) is expected


def test_h_r4_noted_after_the_refusal(world, day, fired) -> None:
    """Refused 10 days ago; noted 20 days ago (before), then 5 days ago (after), of another code never."""
    world.add("hotel_preference_refusal", occurred_on=day(10), code="MINIBAR_STOCK")
    world.add("hotel_housekeeping_observation", occurred_on=day(20), code="MINIBAR_STOCK")
    world.add("hotel_housekeeping_observation", occurred_on=day(5), code="PIL_TYPE")
    assert not fired(4)
    world.add("hotel_housekeeping_observation", occurred_on=day(5), code="MINIBAR_STOCK")
    assert fired(4)


@pytest.mark.parametrize(
    ("required", "result", "expected"),
    [(True, "open", True), (True, "met", False), (False, "open", False)],
)
def test_h_r5_an_open_allergy_raises_the_duty_manager(
    world, day, fired, required, result, expected
) -> None:
    _booking(world, day, 1)
    world.add(
        "hotel_preparation",
        id=10,
        owner_id=1,
        code="FOOD_ALLERGY",
        result=result,
        required=required,
    )
    assert fired(5) is expected


@pytest.mark.parametrize(
    ("stated", "kept", "expected"), [(True, 0, True), (True, 2, False), (False, 0, False)]
)
def test_h_r6_who_is_said_to_be_a_repeat_guest_is_asked(
    world, day, fired, stated, kept, expected
) -> None:
    _booking(world, day, 1, repeat_guest=stated, previous_stays=kept)
    assert fired(6) is expected


@pytest.mark.parametrize(
    ("last", "rank", "rates", "given", "expected"),
    [
        # Stays of two nights end 400, 300, 200 and `last` days ago. Gaps end to begin: 98, 98 and
        # 198 - last. The median of (98, 98, x) is 98 for x >= 98, that is last <= 100.
        # 100 days: 100 / 98 = 1.02; and with the last 196 days before: see below.
        (100, 2, [], None, False),
        # Two stays of which 1 of 2 and 0 of 1 lines are met: 50 % and 0 %, both below 70 %.
        (100, 2, [(1, 2), (0, 1)], None, True),
        (100, 2, [(1, 1), (0, 1)], None, False),
        (100, 2, [], False, True),
        (100, 1, [], False, False),
    ],
)  # fmt: skip
def test_h_r7_cold_welcome(world, day, fired, last, rank, rates, given, expected) -> None:
    for booking, out in ((53, 400), (52, 300), (51, 200), (50, last)):
        _stay(world, day, out, owner_id=booking, benefits_given=given if out == last else True)
    world.add("ledger_standing", scheme="hotel.club", tier="gold", rank=rank)
    for stay, (met, lines) in enumerate(rates):
        for number in range(lines):
            world.add(
                "hotel_preparation", id=100 * stay + number, owner_id=50 + stay, code=f"C{number}",
                arrival_on=day(102 + stay), result="met" if number < met else "not_met",
            )  # fmt: skip
    assert fired(7) is expected


def test_h_r7_bookings_that_were_not_kept_are_no_stays(world, day, fired) -> None:
    """Issue 14, line 5: two that were cancelled had lines that were sold out; the one stay was well kept."""
    _stay(world, day, 30, owner_id=50)
    world.add("ledger_standing", scheme="hotel.club", tier="gold", rank=2)
    for number, (booking, result) in enumerate(((50, "met"), (51, "unavailable"), (52, "not_met"))):
        world.add(
            "hotel_preparation", id=number, owner_id=booking, code="PIL_TYPE", result=result,
            arrival_on=day(32 - number),
        )  # fmt: skip
    assert not fired(7)
    _stay(world, day, 20, id=2, owner_id=51)
    _stay(world, day, 10, id=3, owner_id=52)
    assert fired(7)


@pytest.mark.parametrize(("ago", "expected"), [(196, False), (197, True)])
def test_h_r7_a_gap_of_more_than_twice_the_usual(world, day, fired, ago, expected) -> None:
    """Stays of 2 nights 100 days apart: gaps of 98 days, so 196 days is twice and 197 is more."""
    for out in (ago, ago + 100, ago + 200):
        _stay(world, day, out)
    world.add("ledger_standing", scheme="hotel.club", tier="gold", rank=2)
    assert fired(7) is expected


@pytest.mark.parametrize(
    ("ago", "solved", "expected"),
    [(6, True, True), (7, True, False), (59, False, True), (60, False, False)],
)
def test_h_r8_no_offers_until_resolved_and_seven_days(
    world, day, fired, ago, solved, expected
) -> None:
    world.add("hotel_complaint", occurred_on=day(ago), solved=solved)
    assert fired(8) is expected


@pytest.mark.parametrize(
    ("in_house", "acted", "expected"),
    [(True, None, True), (True, 1, False), (True, 3, True), (False, None, False)],
)
def test_h_r9_a_complaint_in_the_house_without_a_first_action(
    world, day, fired, in_house, acted, expected
) -> None:
    """Complained two days ago; acted a day later, or three days ago for an earlier one."""
    world.add("hotel_complaint", occurred_on=day(2), in_house=in_house, solved=False)
    if acted is not None:
        world.add("hotel_recovery_gesture", occurred_on=day(acted), first_action=True)
    assert fired(9) is expected


@pytest.mark.parametrize(
    ("risk", "guaranteed", "days", "expected"),
    [(0.51, False, 14, True), (0.5, False, 14, False), (0.9, True, 14, False), (0.9, None, 15, False),
     (0.9, None, 3, True)],
)  # fmt: skip
def test_h_r10_a_risky_booking_without_guarantee_is_reconfirmed(
    world, day, fired, risk, guaranteed, days, expected
) -> None:
    _booking(world, day, days, guaranteed=guaranteed)
    assert fired(10, score_hotel_cancellation=risk) is expected


@pytest.mark.parametrize(
    ("out", "earned", "expected"),
    [(1, None, True), (0, None, False), (1, 1, False), (5, 30, True), (61, None, False)],
)
def test_h_r11_a_stay_without_points_after_a_day(world, day, fired, out, earned, expected) -> None:
    """Left yesterday without points; today is too soon; posted; posted for an earlier stay only; too late."""
    _stay(world, day, out)
    world.add("ledger_standing", scheme="hotel.club", tier="silver", rank=1)
    if earned is not None:
        world.add(
            "ledger_entry", ledger="hotel.points", kind="earn", amount=1000, days_before=earned
        )
    assert fired(11) is expected


@pytest.mark.parametrize(
    ("rank", "grace", "expected"),
    [(2, date(2026, 6, 1), True), (2, None, False), (0, date(2026, 6, 1), False)],
)
def test_h_r12_a_tier_in_grace_is_told_of(world, fired, rank, grace, expected) -> None:
    world.add("ledger_standing", scheme="hotel.club", tier="gold", rank=rank, grace_until=grace)
    assert fired(12) is expected


def test_h_r13_the_referrer_is_due_after_the_first_completed_stay(world, day, fired) -> None:
    world.add("hotel_referral", state="open")
    assert not fired(13)
    _stay(world, day, 0)
    assert fired(13)


@pytest.mark.parametrize(
    ("ago", "companion", "expected"), [(29, True, True), (30, True, False), (1, False, False)]
)
def test_h_r14_what_companions_like_is_theirs(world, day, fired, ago, companion, expected) -> None:
    world.add("hotel_fnb_order", occurred_on=day(ago), code="DRINK", companion=companion)
    assert fired(14) is expected


@pytest.mark.parametrize(
    ("born", "consent", "expected"),
    [
        # Arrives on 2026-04-03. Born on 6 April: 3 days; on 7 April: 4; on 31 March: 3.
        (date(1980, 4, 6), True, True), (date(1980, 4, 7), True, False),
        (date(1980, 3, 31), True, True), (date(1980, 3, 30), True, False),
        (date(1980, 4, 6), False, False),
    ],
)  # fmt: skip
def test_h_r15_birthday_within_three_days_of_the_arrival(
    world, day, fired, born, consent, expected
) -> None:
    _booking(world, day, 3)
    world.add("hotel_customer", birth_date=born, occasion_consent=consent)
    assert fired(15) is expected


@pytest.mark.parametrize(
    ("out", "said", "done", "expected"),
    [
        (1096, [], None, True), (1095, [], None, False), (1096, [], date(2026, 1, 1), False),
        # (state, channel, days ago): a consent holds until a withdrawal at least as wide covers it.
        (1096, [("given", "email", 900)], None, False),
        (1096, [("given", "email", 900), ("withdrawn", "phone", 800)], None, False),
        (1096, [("given", "email", 900), ("withdrawn", "any", 800)], None, True),
        (1096, [("given", "any", 900), ("withdrawn", "email", 800)], None, False),
        (1096, [("withdrawn", "any", 900), ("given", "email", 800)], None, False),
    ],
)  # fmt: skip
def test_h_r16_three_years_without_a_stay_and_without_consent(
    world, day, fired, out, said, done, expected
) -> None:
    _stay(world, day, out)
    world.add("hotel_customer", anonymised_on=done)
    for number, (state, channel, ago) in enumerate(said):
        at = datetime.combine(day(ago), time(12), UTC)
        world.add(
            "contact_consent", id=number, state=state, channel=channel, purpose="marketing", at=at
        )
    assert fired(16) is expected


# After how many days a rule may fire again, by its number: each day for a room, a month for a guest.
AGAIN = {
    1: 7,
    2: 1,
    3: 30,
    4: 30,
    5: 1,
    6: 2,
    7: 60,
    8: 7,
    9: 1,
    10: 14,
    11: 7,
    12: 30,
    13: 7,
    14: 30,
    15: 30,
    16: 90,
}


def test_a_guest_is_left_alone_until_the_rule_may_fire_again() -> None:
    assert {number: rule.cooldown_days for number, rule in BY_NUMBER.items()} == AGAIN
