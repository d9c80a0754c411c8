"""Rules on shippers and subscribers, D-R10 to D-R16: each fires just above its limit and not below.

Worked by hand; hours and days count back from the end of 31 March 2026.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from crmkit.testing.small import AS_OF, AS_OF_ON

from .firm import Firm, ago


@pytest.fixture
def firm(world: Any) -> Firm:
    return Firm(world)


# --- D-R10 to D-R12: shippers ---------------------------------------------------------------------


def ship(world: Any, count: int, days_ago: float, lane: str = "A-B", first: int = 1) -> None:
    """So many waybills of one day at once."""
    world.touched.add("delivery_waybill")
    world.db.execute(
        "INSERT INTO delivery_waybill (id, subject_id, customer_id, as_of, as_of_on, ordered_at, lane) "
        "SELECT range, 1, 1, ?, ?, ?, ? FROM range(?, ?)",
        [AS_OF, AS_OF_ON, ago(24 * days_ago), lane, first, first + count],
    )


@pytest.mark.parametrize(
    ("recent", "before", "fires"),
    [
        # 90 in twelve weeks: 30 are expected; 60 % are 18, and 30 - 3 sqrt(30) is 13.6.
        (13, 90, True), (14, 90, False),
        # Few waybills vary: 9 in twelve weeks, 3 expected, the limit lies below nothing.
        (0, 9, False),
        # 300: 100 expected, 60 % are 60, the limit is 70: the lower of the two counts.
        (59, 300, True), (60, 300, False),
    ],
)  # fmt: skip
def test_r10_volume_drops(firm, recent, before, fires) -> None:
    firm.world.customers(1)
    ship(firm.world, recent, 10)
    ship(firm.world, before, 60, first=1000)
    assert firm.fires("shipper-drop") is fires


def test_r10_a_lane_is_gone_although_volume_stands(firm) -> None:
    firm.world.customers(1)
    ship(firm.world, 12, 60, "A-C", first=5000)
    ship(firm.world, 30, 10)
    ship(firm.world, 60, 60, first=1000)
    assert firm.fires("shipper-drop")


def test_r10_two_complaints_in_thirty_days(firm, day) -> None:
    firm.world.customers(1)
    ship(firm.world, 30, 10)
    ship(firm.world, 90, 60, first=1000)
    firm.world.add("delivery_complaint", occurred_on=day(29))
    assert not firm.fires("shipper-drop")
    firm.world.add("delivery_complaint", occurred_on=day(3))
    assert firm.fires("shipper-drop")


@pytest.mark.parametrize(
    ("receivable", "overdue", "fires"),
    [(5000, 30, False), (5001, 0, True), (100, 31, True)],
)
def test_r11_credit(firm, receivable, overdue, fires) -> None:
    firm.world.customers(1)
    firm.world.add("delivery_shipper_account", id=1, receivable_minor=receivable,
                   credit_limit_minor=5000, days_overdue=overdue)  # fmt: skip
    assert firm.fires("credit") is fires


@pytest.mark.parametrize(("last", "before", "fires"), [(8, 8, True), (9, 8, False), (8, 9, False)])
def test_r12_below_contract_two_months_running(firm, last, before, fires) -> None:
    """Of ten promises so many were kept in February and in January; 90 % are agreed."""
    firm.world.add("delivery_shipper_account", id=1, sla_target=0.9)
    number = 0
    for month, kept in ((datetime(2026, 2, 16), last), (datetime(2026, 1, 16), before)):  # noqa: DTZ001
        for i in range(10):
            number += 1
            firm.world.add("delivery_waybill", id=number, late_after_at=month,
                           promise_on=month.date())  # fmt: skip
            firm.world.add(
                "delivery_scan", id=1000 + number, owner_id=number, status="delivered", sequence=1,
                event_at=month + timedelta(hours=-1 if i < kept else 1), days_before=40,
            )  # fmt: skip
    assert firm.fires("below-contract") is fires


# --- D-R13 to D-R16: rounds -----------------------------------------------------------------------


def subscribe(world: Any, day: Any, **values: Any) -> None:
    world.add(
        "delivery_subscription", id=1, round="R1", courier="C2", started_on=day(400), **values
    )


@pytest.mark.parametrize(
    ("handed_over", "called", "listed", "late"),
    [(0, None, True, False), (14, None, True, False), (15, None, False, True), (10, 3, False, False),
     (10, 12, True, False)],  # a call before the hand-over is none
)  # fmt: skip
def test_r13_called_within_fourteen_days(firm, day, handed_over, called, listed, late) -> None:
    subscribe(firm.world, day, handed_over_on=day(handed_over), previous_courier="C1")
    if called is not None:
        firm.world.add("delivery_round_call", occurred_on=day(called))
    assert firm.fires("call-after-handover") is listed
    assert firm.fires("handover-not-called") is late


def book(world: Any, day: Any, first: int, courier: str, stay: int, lost: int) -> None:
    """Subscribers of a courier since 300 days; those who are lost ended 30 days ago."""
    for number in range(stay + lost):
        world.add(
            "delivery_subscription", id=first + number, subject_id=first + number, round="R1",
            courier=courier, started_on=day(300),
        )  # fmt: skip
        if number < lost:
            world.add("delivery_cancellation", subject_id=first + number, occurred_on=day(30))


@pytest.mark.parametrize(
    ("lost", "elsewhere", "fires"),
    [
        # C1 loses 12 of 20 (Wilson from 0.387), the others of D1 2 of 40 (to 0.165).
        (12, 0, True),
        # 5 of 20 begin at 0.112, below 0.165.
        (5, 0, False),
        # At D2 30 of 40 are lost: another depot's limit is none of C1's.
        (12, 30, True),
    ],
)
def test_r14_a_courier_who_loses_more_than_the_depots_others(
    firm, day, lost, elsewhere, fires
) -> None:
    for number, (courier, depot) in enumerate((("C1", "D1"), ("C2", "D1"), ("C3", "D2"))):
        firm.world.add(
            "delivery_courier", id=90 + number, subject_id=None, code=courier, depot=depot
        )
    subscribe(firm.world, day)
    firm.world.db.execute("UPDATE delivery_subscription SET courier = 'C1'")
    book(firm.world, day, 100, "C1", 19 - lost, lost)
    book(firm.world, day, 200, "C2", 38, 2)
    book(firm.world, day, 300, "C3", 40 - elsewhere, elsewhere)
    assert firm.fires("courier-loses") is fires


@pytest.mark.parametrize(
    ("handed_over", "ended", "fires"),
    [(70, 10, True), (71, 10, False), (None, 10, False), (70, None, False), (150, 91, False)],
)  # sixty days after the hand-over, sixty-one, without one, still there, and lost long ago
def test_r14_a_loss_within_sixty_days_of_a_hand_over_is_the_leavers(
    firm, day, handed_over, ended, fires
) -> None:
    since = None if handed_over is None else day(handed_over)
    subscribe(firm.world, day, previous_courier="C1", handed_over_on=since)
    if ended is not None:
        firm.world.add("delivery_cancellation", occurred_on=day(ended))
    assert firm.fires("lost-with-courier") is fires


@pytest.mark.parametrize(("ahead", "fires"), [(4, False), (3, True), (0, True), (-1, False)])
def test_r15_reminded_three_days_before_the_pause_ends(firm, day, ahead, fires) -> None:
    subscribe(firm.world, day, paused_from=day(10), paused_to=day(-ahead))
    assert firm.fires("resume-reminder") is fires


@pytest.mark.parametrize(("extensions", "fires"), [(1, False), (2, True)])
def test_r15_asked_after_two_extensions(firm, day, extensions, fires) -> None:
    subscribe(firm.world, day, paused_from=day(20), pause_extensions=extensions)
    assert firm.fires("pause-extended") is fires


@pytest.mark.parametrize(("days", "fires"), [(60, False), (61, True)])
def test_r15_at_risk_after_sixty_days(firm, day, days, fires) -> None:
    subscribe(firm.world, day, paused_from=day(days))
    assert firm.fires("pause-at-risk") is fires


@pytest.mark.parametrize(
    ("missed", "fires"), [((2, 9, 29), True), ((2, 9, 30), False), ((2, 9), False)]
)
def test_r16_third_missed_drop_in_thirty_days(firm, day, missed, fires) -> None:
    subscribe(firm.world, day)
    for before in missed:
        firm.world.add("delivery_drop", occurred_on=day(before), result="missed")
    firm.world.add("delivery_drop", occurred_on=day(1), result="done")
    assert firm.fires("third-missed-drop") is fires


def test_r16_who_has_cancelled_is_left_in_peace(firm, day) -> None:
    subscribe(firm.world, day)
    for before in (2, 9, 20):
        firm.world.add("delivery_drop", occurred_on=day(before), result="missed")
    firm.world.add("delivery_cancellation", occurred_on=day(1))
    assert not firm.fires("third-missed-drop")


@pytest.mark.parametrize(
    ("paused", "fires"),
    [
        # Of the drops missed 2, 9 and 20 days ago that of 9 days ago was on a day of the pause.
        ((10, 5), False), ((9, None), False), ((8, 5), True), ((15, 9), True), (None, True),
    ],
)  # fmt: skip
def test_r16_nothing_is_missed_on_a_day_of_a_pause(firm, day, paused, fires) -> None:
    days = {} if paused is None else {
        "paused_from": day(paused[0]), "paused_to": None if paused[1] is None else day(paused[1])
    }  # fmt: skip
    subscribe(firm.world, day, **days)
    for before in (2, 9, 20):
        firm.world.add("delivery_drop", occurred_on=day(before), result="missed")
    assert firm.fires("third-missed-drop") is fires


@pytest.mark.parametrize(
    ("second", "fires"), [((31, 1), True), ((30, 1), False), ((90, 61), False), ((70, 60), True)]
)
def test_r5_two_bills_for_the_same_days(firm, day, second, fires) -> None:
    """The first bill is for the days from 60 to 31 before today."""
    subscribe(firm.world, day)
    for begins, ends in ((60, 31), second):
        firm.world.add(
            "delivery_bill", occurred_on=day(0), period_from=day(begins), period_to=day(ends)
        )
    assert firm.fires("billed-twice") is fires


@pytest.mark.parametrize(
    ("round_", "courier", "left", "fires"),
    [("R1", "C2", None, False), ("R1", "C2", 0, False), ("R1", "C2", 1, True),
     ("R9", "C2", None, True), ("R1", "C9", None, True)],
)  # fmt: skip
def test_r13_a_subscription_that_nobody_on_file_brings(
    firm, day, round_, courier, left, fires
) -> None:
    subscribe(firm.world, day)
    firm.world.add("delivery_round", id=2, subject_id=None, code=round_)
    firm.world.add("delivery_courier", id=3, subject_id=None, code=courier,
                   left_on=None if left is None else day(left))  # fmt: skip
    assert firm.fires("unserved") is fires
