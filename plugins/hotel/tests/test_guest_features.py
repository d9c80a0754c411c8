"""Features of a guest at their edges: many guests in one small world, as of 2026-03-31."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from crmkit.testing.small import AS_OF_ON, day


def _stay(out: int, nights: int = 1, **more) -> tuple:
    """A stay that ended so many days ago."""
    return "hotel_stay", {
        "checked_in_on": day(out + nights),
        "checked_out_on": day(out),
        "nights": nights,
        **more,
    }


def _lines(booking: int, arrived: int, *results: str) -> list[tuple]:
    """Lines that were prepared for a booking which arrived so many days ago."""
    return [
        ("hotel_preparation", {"owner_id": booking, "arrival_on": day(arrived), "result": result})
        for result in results
    ]


def _event(kind: str, ago: int, **more) -> tuple:
    return f"hotel_{kind}", {"occurred_on": day(ago), **more}


def _entry(kind: str, ago: int, amount: int = 100, ledger: str = "hotel.points") -> tuple:
    return "ledger_entry", {"ledger": ledger, "kind": kind, "amount": amount, "days_before": ago}


def _likes(ago: int = 50, status: str = "learnt", fresh: int | None = None) -> tuple:
    until = None if fresh is None else AS_OF_ON + timedelta(days=fresh)
    return "hotel_preference", {"status": status, "days_before": ago, "fresh_until": until}


def _said(state: str, hour: int, channel: str = "email", purpose: str = "marketing") -> tuple:
    at = datetime(2026, 3, 1, hour)  # noqa: DTZ001 - tables carry UTC without a zone
    return "contact_consent", {"state": state, "channel": channel, "purpose": purpose, "at": at}


def _tier(tier: str, rank: int, scheme: str = "hotel.club", **more) -> tuple:
    return "ledger_standing", {"scheme": scheme, "tier": tier, "rank": rank, **more}


NOTHING = {
    "stays": 0,
    "nights": 0,
    "stays_365d": 0,
    "nights_365d": 0,
    "days_since_stay": None,
    "usual_gap_days": None,
    "gap_ratio": None,
    "last_fulfilment": None,
    "poor_stays": 0,
    "benefits_missed": False,
    "complaints_365d": 0,
    "days_since_complaint": None,
    "unsolved_complaints": 0,
    "in_house_complaints": 0,
    "no_first_action": False,
    "refusals_7d": 0,
    "points_balance": 0,
    "days_since_points": None,
    "points_missing": False,
    "tier": "none",
    "tier_rank": 0,
    "tier_in_grace": False,
    "learnt_preferences": 0,
    "newly_learnt_7d": 0,
    "preferences_to_ask": 0,
    "fresh_preferences": 0,
    "seen_after_refusal": 0,
    "of_companions_30d": 0,
    "open_referrals": 0,
    "vip": "none",
    "consented": False,
    "previous_complaint": False,
    "anonymised": False,
}

# Rows of one guest, and every feature that they change.
CASES = [
    ([], {}),
    # 364 days ago is within the year, 365 are not.
    (
        [_stay(364, 2), _stay(400, 3)],
        {
            "stays": 2,
            "nights": 5,
            "stays_365d": 1,
            "nights_365d": 2,
            "days_since_stay": 364,
            "usual_gap_days": 34,
            "gap_ratio": 364 / 34,
            "points_missing": True,
        },
    ),
    ([_stay(365, 2)], {"stays": 1, "nights": 2, "days_since_stay": 365, "points_missing": True}),
    # Gaps of 10, 20, 40 and 80 days: the lower of the two in the middle; of 10, 30 and 50 the middle.
    (
        [_stay(0), _stay(81), _stay(122), _stay(143), _stay(154)],
        {
            "stays": 5,
            "nights": 5,
            "stays_365d": 5,
            "nights_365d": 5,
            "days_since_stay": 0,
            "usual_gap_days": 20,
            "gap_ratio": 0.0,
        },
    ),
    (
        [_stay(60), _stay(91), _stay(142), _stay(153)],
        {
            "stays": 4,
            "nights": 4,
            "stays_365d": 4,
            "nights_365d": 4,
            "days_since_stay": 60,
            "usual_gap_days": 30,
            "gap_ratio": 2.0,
            "points_missing": True,
        },
    ),
    # Back on the day of leaving: no gap to compare with. After a day: 9 times.
    (
        [_stay(9), _stay(10)],
        {
            "stays": 2,
            "nights": 2,
            "stays_365d": 2,
            "nights_365d": 2,
            "days_since_stay": 9,
            "usual_gap_days": 0,
            "points_missing": True,
        },
    ),
    (
        [_stay(9), _stay(11)],
        {
            "stays": 2,
            "nights": 2,
            "stays_365d": 2,
            "nights_365d": 2,
            "days_since_stay": 9,
            "usual_gap_days": 1,
            "gap_ratio": 9.0,
            "points_missing": True,
        },
    ),
    # Two rooms of one night are one stay of two nights.
    (
        [_stay(0), _stay(0)],
        {"stays": 1, "nights": 2, "stays_365d": 1, "nights_365d": 2, "days_since_stay": 0},
    ),
    # Benefits count at the last stay.
    (
        [_stay(0, benefits_given=False), _stay(300, benefits_given=True)],
        {
            "stays": 2,
            "nights": 2,
            "stays_365d": 2,
            "nights_365d": 2,
            "days_since_stay": 0,
            "usual_gap_days": 299,
            "gap_ratio": 0.0,
            "benefits_missed": True,
        },
    ),
    (
        [_stay(0, benefits_given=True), _stay(300, benefits_given=False)],
        {
            "stays": 2,
            "nights": 2,
            "stays_365d": 2,
            "nights_365d": 2,
            "days_since_stay": 0,
            "usual_gap_days": 299,
            "gap_ratio": 0.0,
        },
    ),
    (
        [("hotel_customer", {"stated_stays": 3}), _stay(0)],
        {"stays": 4, "nights": 1, "stays_365d": 1, "nights_365d": 1, "days_since_stay": 0},
    ),
    (
        [
            (
                "hotel_customer",
                {
                    "stated_stays": 3,
                    "vip_level": "2",
                    "guest_flags": ["vegan", "previous_complaint"],
                },
            )
        ],
        {"stays": 3, "vip": "2", "previous_complaint": True},
    ),
    (
        [("hotel_customer", {"guest_flags": ["vegan"], "anonymised_on": date(2026, 1, 1)})],
        {"anonymised": True},
    ),
    # A complaint counts for 365 days, as unsolved for 60, in the house for 14.
    (
        [_event("complaint", 364, solved=True)],
        {"complaints_365d": 1, "days_since_complaint": 364, "no_first_action": True},
    ),
    (
        [_event("complaint", 365, solved=True)],
        {"days_since_complaint": 365, "no_first_action": True},
    ),
    (
        [_event("complaint", 59), _event("complaint", 60)],
        {
            "complaints_365d": 2,
            "days_since_complaint": 59,
            "unsolved_complaints": 1,
            "no_first_action": True,
        },
    ),
    (
        [_event("complaint", 14, in_house=True), _event("complaint", 15, in_house=True)],
        {
            "complaints_365d": 2,
            "days_since_complaint": 14,
            "unsolved_complaints": 2,
            "in_house_complaints": 1,
            "no_first_action": True,
        },
    ),
    (
        [
            _event("complaint", 3, in_house=True, solved=True),
            _event("complaint", 3, in_house=False),
        ],
        {
            "complaints_365d": 2,
            "days_since_complaint": 3,
            "unsolved_complaints": 1,
            "no_first_action": True,
        },
    ),
    # A first action on the day of the complaint is one; before it, or a second one, is none.
    (
        [
            _event("complaint", 3, solved=True),
            _event("recovery_gesture", 3, first_action=True),
            _event("recovery_gesture", 30, first_action=True),
        ],
        {"complaints_365d": 1, "days_since_complaint": 3},
    ),
    (
        [
            _event("complaint", 3, solved=True),
            _event("recovery_gesture", 4, first_action=True),
            _event("recovery_gesture", 1, first_action=False),
        ],
        {"complaints_365d": 1, "days_since_complaint": 3, "no_first_action": True},
    ),
    ([_event("recovery_gesture", 4, first_action=True)], {}),
    (
        [
            _event("presence_question", 6, answer="refused"),
            _event("presence_question", 7, answer="refused"),
            _event("presence_question", 1, answer="told"),
        ],
        {"refusals_7d": 1},
    ),
    # Points: what expires moves none, and what another ledger holds is not theirs.
    (
        [
            _entry("earn", 90, 500),
            _entry("burn", 40, -200),
            _entry("expire", 5, -100),
            _entry("earn", 1, 900, "other"),
        ],
        {"points_balance": 200, "days_since_points": 40},
    ),
    ([_entry("expire", 5, -100)], {"points_balance": -100}),
    # Points are missing from the day after a check-out since which none were earned.
    (
        [_stay(0), _entry("earn", 9)],
        {
            "stays": 1,
            "nights": 1,
            "stays_365d": 1,
            "nights_365d": 1,
            "days_since_stay": 0,
            "points_balance": 100,
            "days_since_points": 9,
        },
    ),
    (
        [_stay(1), _entry("earn", 2)],
        {
            "stays": 1,
            "nights": 1,
            "stays_365d": 1,
            "nights_365d": 1,
            "days_since_stay": 1,
            "points_balance": 100,
            "days_since_points": 2,
            "points_missing": True,
        },
    ),
    (
        [_stay(1), _entry("earn", 1), _entry("earn", 7)],
        {
            "stays": 1,
            "nights": 1,
            "stays_365d": 1,
            "nights_365d": 1,
            "days_since_stay": 1,
            "points_balance": 200,
            "days_since_points": 1,
        },
    ),
    (
        [_stay(1), _entry("burn", 0, -50)],
        {
            "stays": 1,
            "nights": 1,
            "stays_365d": 1,
            "nights_365d": 1,
            "days_since_stay": 1,
            "points_balance": -50,
            "days_since_points": 0,
            "points_missing": True,
        },
    ),
    ([_tier("gold", 2), _tier("top", 9, "hotel.staff")], {"tier": "gold", "tier_rank": 2}),
    # Of two merged profiles the higher tier counts, with its own grace, whichever comes first.
    (
        [_tier("gold", 2), _tier("member", 0, grace_until=date(2026, 6, 1))],
        {"tier": "gold", "tier_rank": 2},
    ),
    (
        [_tier("silver", 1), _tier("gold", 2, grace_until=date(2026, 6, 1))],
        {"tier": "gold", "tier_rank": 2, "tier_in_grace": True},
    ),
    # A preference is new for seven days and fresh up to its last day, or for ever.
    (
        [_likes(6), _likes(7), _likes(8, fresh=0), _likes(9, fresh=-1)],
        {"learnt_preferences": 4, "newly_learnt_7d": 1, "fresh_preferences": 3},
    ),
    (
        [
            _likes(1, "declared"),
            _likes(1, "declared", fresh=-1),
            _likes(1, "ask"),
            _likes(1, "candidate"),
        ],
        {"preferences_to_ask": 1, "fresh_preferences": 1},
    ),
    # What is noted after the refusal, of its code, by any of four; on its day it may have been before.
    (
        [
            _event("preference_refusal", 10, code="PIL_TYPE"),
            _event("preference_refusal", 20, code="PIL_TYPE"),
            _event("housekeeping_observation", 10, code="PIL_TYPE"),
            _event("housekeeping_observation", 9, code="PIL_TYPE"),
            _event("housekeeping_request", 8, code="PIL_TYPE"),
            _event("concierge_request", 7, code="PIL_TYPE"),
            _event("fnb_order", 6, code="PIL_TYPE"),
            _event("fnb_order", 6, code="DRINK"),
        ],
        {"seen_after_refusal": 4},
    ),
    (
        [
            _event("fnb_order", 29, companion=True),
            _event("fnb_order", 30, companion=True),
            _event("fnb_order", 1, companion=False),
        ],
        {"of_companions_30d": 1},
    ),
    (
        [("hotel_referral", {"state": "open"}), ("hotel_referral", {"state": "paid"})],
        {"open_referrals": 1},
    ),
    # A withdrawal covers what was given before it or at its moment, if it is as wide.
    ([_said("given", 9)], {"consented": True}),
    ([_said("given", 9), _said("withdrawn", 9)], {}),
    ([_said("given", 9), _said("withdrawn", 8)], {"consented": True}),
    ([_said("given", 9), _said("withdrawn", 10, "phone")], {"consented": True}),
    ([_said("given", 9), _said("withdrawn", 10, purpose="survey")], {"consented": True}),
    ([_said("given", 9), _said("withdrawn", 10, "any", "any")], {}),
    ([_said("given", 9), _said("given", 9, "phone"), _said("withdrawn", 10)], {"consented": True}),
    ([_said("withdrawn", 9)], {}),
]


def test_what_is_told_of_a_guest_is_theirs_alone(world) -> None:
    world.customers(*range(len(CASES)))
    for subject, (rows, _) in enumerate(CASES):
        for number, (table, values) in enumerate(rows):
            own = {} if table == "hotel_customer" else {"id": 100 * subject + number}
            world.add(table, subject_id=subject, **own, **values)
    found = world.features("guest")
    for subject, (rows, expected) in enumerate(CASES):
        assert found[subject] == pytest.approx({**NOTHING, **expected}), rows


# Bookings that were slept in, as (days since the arrival, results), and the last and the poor among them.
KEPT = [
    (
        [(5, ["met", "partly", "not_met", "unavailable", "open", "cancelled"])],
        (0.375, 1),
    ),  # 1.5 of 4
    ([(5, 7 * ["met"] + 3 * ["not_met"])], (0.7, 0)),  # 70 % are not below 70 %
    ([(5, ["met", "met", "not_met"])], (2 / 3, 1)),
    ([(5, ["met", "partly"]), (9, ["not_met"]), (12, ["not_met"])], (0.75, 1)),  # of the last two
    ([(5, ["not_met"]), (9, ["met", "not_met"]), (12, ["met"])], (0.0, 2)),
    ([(0, ["not_met"])], (0.0, 1)),  # arrived today
    ([(-1, ["not_met"])], (None, 0)),
    ([(5, ["open"])], (None, 0)),
]


def test_fulfilment_is_that_of_the_last_stays_prepared(world) -> None:
    world.customers(*range(len(KEPT)))
    for subject, (bookings, _) in enumerate(KEPT):
        for number, (arrived, results) in enumerate(bookings):
            booking = 10 * subject + number
            for _room in range(2):
                world.add("hotel_stay", subject_id=subject, owner_id=booking)
            for table, values in _lines(booking, arrived, *results):
                world.add(table, subject_id=subject, **values)
        # What was prepared for a booking in which nobody slept.
        world.add(
            "hotel_preparation",
            subject_id=subject,
            owner_id=500 + subject,
            arrival_on=day(1),
            result="unavailable",
        )
    found = world.features("guest")
    assert [(found[i]["last_fulfilment"], found[i]["poor_stays"]) for i in range(len(KEPT))] == [
        expected for _, expected in KEPT
    ]


# What a booking says, and what is told of it.
BOOKINGS = [
    ({"arrival_on": date(2026, 1, 1)}, {"arrival_week": 1, "arrival_month": 1, "arrival_day": 1}),
    ({"arrival_on": date(2026, 1, 7)}, {"arrival_week": 1, "arrival_day": 7}),
    ({"arrival_on": date(2026, 1, 8)}, {"arrival_week": 2, "arrival_month": 1}),
    (
        {"arrival_on": date(2026, 12, 31)},
        {"arrival_week": 53, "arrival_month": 12, "days_to_arrival": 275},
    ),
    ({"arrival_on": AS_OF_ON}, {"days_to_arrival": 0, "agent": "none", "booking_company": "none"}),
    (
        {"arrival_on": day(1), "agent": "A", "company": "C"},
        {"days_to_arrival": -1, "agent": "A", "booking_company": "C"},
    ),
    ({"previous_stays": 0}, {"repeat_guest": False}),
    ({"previous_stays": 1}, {"repeat_guest": True}),
    ({"previous_stays": 1, "repeat_guest": False}, {"repeat_guest": False}),
    ({"deposit_kind": "non_refundable"}, {"repeat_guest": None, "guaranteed": True}),
    ({"deposit_kind": "refundable"}, {"guaranteed": False}),
    ({"deposit_kind": "non_refundable", "guaranteed": False}, {"guaranteed": False}),
]


def test_what_is_told_of_a_booking_is_what_it_says(world) -> None:
    for subject, (values, _) in enumerate(BOOKINGS):
        world.add("hotel_reservation", subject_id=subject, id=subject, **values)
    found = world.features("booking")
    for subject, (values, expected) in enumerate(BOOKINGS):
        assert {name: found[subject][name] for name in expected} == expected, values


TOMORROW = AS_OF_ON + timedelta(days=1)
BORN = {"occasion_consent": True}
# A booking, rows of it, and what is told of how far it is prepared.
PREPARED = [
    (
        {},
        [],
        {
            "to_come": True,
            "lines": 0,
            "open_lines": 0,
            "unavailable_lines": 0,
            "required_open": 0,
            "identity_unsure": False,
            "days_from_birthday": None,
        },
    ),
    ({"arrival_on": AS_OF_ON}, [], {"to_come": False}),
    ({}, [_event("check_in", 0)], {"to_come": False}),
    ({}, [_event("cancellation", 3), _event("cancellation", 2)], {"to_come": False}),
    (
        {},
        [
            ("hotel_preparation", {"result": result, "required": required})
            for result, required in (
                ("open", True),
                ("unavailable", True),
                ("met", True),
                ("cancelled", True),
                ("open", False),
                ("not_met", True),
                ("partly", None),
            )
        ],
        {"lines": 7, "open_lines": 2, "unavailable_lines": 1, "required_open": 3},
    ),
    ({"repeat_guest": True}, [], {"identity_unsure": True}),
    ({"repeat_guest": True, "previous_stays": 0}, [], {"identity_unsure": True}),
    ({"repeat_guest": True, "previous_stays": 1}, [], {"identity_unsure": False}),
    ({"previous_stays": 0}, [], {"identity_unsure": False}),
    # To the nearest birthday: of this year, of the one before or of the next.
    (
        {},
        [("hotel_customer", {"birth_date": date(1980, 4, 11), **BORN})],
        {"days_from_birthday": 10},
    ),
    (
        {},
        [("hotel_customer", {"birth_date": date(1980, 3, 22), **BORN})],
        {"days_from_birthday": 10},
    ),
    (
        {"arrival_on": date(2027, 1, 2)},
        [("hotel_customer", {"birth_date": date(1980, 12, 30), **BORN})],
        {"days_from_birthday": 3},
    ),
    (
        {"arrival_on": date(2026, 12, 30)},
        [("hotel_customer", {"birth_date": date(1980, 1, 2), **BORN})],
        {"days_from_birthday": 3},
    ),
    # The 29th of February is kept on the 28th, the 28th and the 29th of others are their own.
    (
        {"arrival_on": date(2027, 3, 1)},
        [("hotel_customer", {"birth_date": date(1980, 2, 29), **BORN})],
        {"days_from_birthday": 1},
    ),
    (
        {"arrival_on": date(2027, 3, 1)},
        [("hotel_customer", {"birth_date": date(1980, 2, 27), **BORN})],
        {"days_from_birthday": 2},
    ),
    (
        {"arrival_on": date(2027, 3, 1)},
        [("hotel_customer", {"birth_date": date(1980, 3, 29), **BORN})],
        {"days_from_birthday": 28},
    ),
    (
        {},
        [("hotel_customer", {"birth_date": date(1980, 4, 1), "occasion_consent": False})],
        {"days_from_birthday": None},
    ),
    ({}, [("hotel_customer", {"birth_date": date(1980, 4, 1)})], {"days_from_birthday": None}),
    ({}, [("hotel_customer", BORN)], {"days_from_birthday": None}),
]


def test_how_far_a_booking_is_prepared_is_told_of_it_alone(world) -> None:
    for subject, (values, rows, _) in enumerate(PREPARED):
        world.add(
            "hotel_reservation",
            subject_id=subject,
            id=subject,
            **{"arrival_on": TOMORROW, **values},
        )
        for table, row in rows:
            world.add(table, subject_id=subject, **row)
    found = world.features("preparing")
    for subject, (values, rows, expected) in enumerate(PREPARED):
        assert {name: found[subject][name] for name in expected} == expected, (values, rows)
