"""Rules on shipments, D-R1 to D-R9, D-R17 and D-R18: each fires just above its limit and not below.

Worked by hand; hours and days count back from the end of 31 March 2026.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crmkit.testing.small import AS_OF, AS_OF_ON
from crmkit_delivery.data import SUBSCRIPTION, WAYBILL
from crmkit_delivery.rules import RULES

from .firm import Firm, ago


@pytest.fixture
def firm(world: Any) -> Firm:
    return Firm(world)


# --- D-R1 to D-R5 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "late_after", "fires"),
    [
        (9.9, -5, False),  # out since 14:06, the promise is five hours ahead
        (10.1, -5, True),  # longer than ten hours
        (3, 1, True),  # the promise passed at 23:00
        (3, -1, False),
        (25, -30, True),  # out since yesterday evening: overnight
    ],
)
def test_r1_out_for_delivery_and_not_handed_over(firm, hours, late_after, fires) -> None:
    firm.waybill(late_after_at=ago(late_after)).scan(40, "picked_up")
    firm.scan(hours, "out_for_delivery")
    assert firm.fires("not-handed-over") is fires


def test_r1_what_was_delivered_is_not_listed(firm) -> None:
    firm.waybill(late_after_at=ago(5)).scan(20, "out_for_delivery").scan(2, "delivered")
    assert not firm.fires("not-handed-over")


@pytest.mark.parametrize(
    ("scope", "hours", "trace", "lost"),
    [
        ("inter_city", 23.9, False, False), ("inter_city", 24.1, True, False),
        ("same_city", 4.1, True, False), ("same_city", 3.9, False, False),
        ("inter_city", 168.1, False, True), ("international", 168.1, True, False),
        ("international", 721, False, True),
    ],
)  # fmt: skip
def test_r2_collected_and_not_arrived(firm, scope, hours, trace, lost) -> None:
    firm.world.add("delivery_waybill", id=1, scope=scope, lane="A-B")
    firm.scan(hours + 2, "picked_up").scan(hours, "at_hub")
    assert (firm.fires("trace"), firm.fires("propose-lost")) == (trace, lost)


def test_r2_a_slow_lane_is_traced_later(firm) -> None:
    """Its legs take 20 h in 19 of 20 cases, so 95 % take at most 20 h, and 1.5 times that are 30 h."""
    firm.waybill().scan(31, "picked_up").scan(29, "at_hub")
    for number in range(2, 22):
        firm.world.add("delivery_waybill", id=number, subject_id=number, lane="A-B")
        long = 40 if number == 21 else 20
        for turn, at in enumerate((50 + long, 50)):
            firm.world.add(
                "delivery_scan", id=1000 + 2 * number + turn, subject_id=number, owner_id=number,
                event_at=ago(at), sequence=turn, status=("picked_up", "at_hub")[turn],
                days_before=(AS_OF_ON - ago(at).date()).days,
            )  # fmt: skip
    # 21 legs: one of 2 h (this waybill's), 19 of 20 h, one of 40 h; rank ceil(0.95 x 21) = 20 is 20 h.
    assert not firm.fires("trace")
    firm.world.db.execute(
        "UPDATE delivery_scan SET event_at = event_at - INTERVAL 2 HOUR WHERE owner_id = 1"
    )
    assert firm.fires("trace")


def test_r3_damaged_and_no_claim_after_a_day(firm) -> None:
    firm.waybill().scan(25, "delivered", condition="damaged")
    assert firm.fires("open-claim")
    firm.world.add("delivery_claim", id=7, owner_id=1, state="submitted")
    assert not firm.fires("open-claim")


def test_r3_damage_told_less_than_a_day_ago_waits(firm) -> None:
    firm.waybill().scan(30, "delivered").told("damage_report", 23)
    assert not firm.fires("open-claim")


@pytest.mark.parametrize(("days", "fires"), [(6.9, False), (7.1, True)])
def test_r3_approved_and_unpaid_for_seven_days(firm, days, fires) -> None:
    firm.waybill().scan(300, "delivered")
    firm.world.add("delivery_claim", id=7, owner_id=1, state="approved", decided_at=ago(24 * days))
    assert firm.fires("pay-claim") is fires


@pytest.mark.parametrize(
    ("hours", "answer", "fires", "escalates"),
    [(23, None, False, False), (25, None, True, False), (49, None, True, True), (49, 40, False, False),
     (25, 30, True, False)],  # an answer to something earlier is none
)  # fmt: skip
def test_r4_missing_and_nobody_answers(firm, hours, answer, fires, escalates) -> None:
    firm.waybill().scan(80, "delivered").told("non_receipt_report", hours, direction="in")
    if answer is not None:
        firm.told("service_recovery", answer, direction="out", channel="phone")
    assert (firm.fires("answer-missing"), firm.fires("escalate-missing")) == (fires, escalates)


def test_r4_a_message_by_the_system_is_no_answer(firm) -> None:
    firm.waybill().scan(80, "delivered").told("non_receipt_report", 30, direction="in")
    firm.told("delivery_notice", 20, direction="out", channel="system")
    assert firm.fires("answer-missing")


def test_r4_call_before_it_is_late(firm) -> None:
    """Likely late by the score, or two hours before the promise and not out yet; once it is told, not."""
    firm.waybill(late_after_at=ago(-30)).scan(10, "at_hub")
    assert not firm.fires("call-before-late", score_delivery_late=0.4)
    assert firm.fires("call-before-late", score_delivery_late=0.6)
    firm.world.db.execute("UPDATE delivery_waybill SET late_after_at = ?", [ago(-2)])
    assert firm.fires("call-before-late")
    firm.told("late_pre_notice", 1)
    assert not firm.fires("call-before-late")


@pytest.mark.parametrize(
    ("quoted", "billed", "surcharge", "reason", "fires"),
    [(1000, 1009, None, None, False), (1000, 1011, None, None, True), (1000, 1000, 100, None, True),
     (1000, 1000, 100, "fuel", False), (1000, 950, None, None, True)],
)  # fmt: skip
def test_r5_the_bill_is_not_what_was_quoted(firm, quoted, billed, surcharge, reason, fires) -> None:
    firm.waybill()
    firm.world.add(
        "delivery_invoice_line", id=5, owner_id=1, quoted_minor=quoted, billed_minor=billed,
        surcharges_minor=surcharge, surcharge_reason=reason,
    )  # fmt: skip
    assert firm.fires("price-unclear") is fires


def test_r5_what_was_explained_is_clear(firm) -> None:
    firm.waybill()
    firm.world.add("delivery_invoice_line", id=5, owner_id=1, quoted_minor=1000, billed_minor=2000,
                   explained_at=ago(1))  # fmt: skip
    assert not firm.fires("price-unclear")


# --- D-R6 to D-R9: promises, stops of the clock, proofs, claims -----------------------------------


@pytest.mark.parametrize(
    ("promise", "status", "fires"),
    [
        ({"promise_at": ago(-9), "promise_rule": "next_day v2"}, "at_hub", False),
        ({"promise_at": ago(-9), "promise_rule": None}, "at_hub", True),  # by which rule?
        ({}, "at_hub", True),
        ({}, "delivered", False),  # nothing is promised of it any more
    ],
)
def test_r6_a_promise_has_its_rule_and_version(firm, promise, status, fires) -> None:
    """Which promise the engine makes is worked by hand in ``test_promise.py``."""
    firm.waybill(**promise).scan(9, "picked_up").scan(5, status)
    assert firm.fires("promise-missing") is fires


@pytest.mark.parametrize(
    ("zone", "day_ahead", "working", "fires"),
    [("NORTH", 3, False, True), ("NORTH", 4, False, False), ("SOUTH", 3, False, False),
     ("NORTH", 3, True, False)],  # a Sunday that is worked is no holiday
)  # fmt: skip
def test_r6_promised_for_a_holiday_of_the_destination(
    firm, zone, day_ahead, working, fires
) -> None:
    """Promised to NORTH for Good Friday, 3 April 2026, which its calendar EAST-WEEK has closed."""
    good_friday = AS_OF_ON + timedelta(days=3)
    firm.waybill(dest_zone=zone, promise_rule="next_day v2", late_after_at=ago(-90),
                 promise_on=AS_OF_ON + timedelta(days=day_ahead)).scan(5, "at_hub")  # fmt: skip
    firm.world.add("delivery_zone", id=2, subject_id=None, code="NORTH", calendar="EAST-WEEK")
    firm.world.add("delivery_zone", id=3, subject_id=None, code="SOUTH", calendar="OTHER")
    firm.world.add("delivery_calendar_day", id=4, subject_id=None, calendar="EAST-WEEK",
                   day=good_friday, working=working)  # fmt: skip
    assert firm.fires("promise-on-holiday") is fires


STOP = {"reason": "weather_delay", "responsible": "weather", "evidence": "met office 17"}


@pytest.mark.parametrize(
    ("stop", "net"),
    [
        (STOP, 1.0),  # six hours of storm excuse five hours of delay
        ({**STOP, "evidence": None}, 0.0),
        ({**STOP, "responsible": None}, 0.0),
        ({**STOP, "ended_at": None}, 0.0),
        ({**STOP, "reason": "carrier_sorting_error", "responsible": "carrier"}, 0.0),
        ({**STOP, "opened_at": ago(41)}, 0.0),  # a storm of one hour excuses one
    ],
)
def test_r7_a_stop_of_the_clock_needs_reason_party_evidence_and_end(world, stop, net) -> None:
    firm = Firm(world).waybill(late_after_at=ago(20), promise_on=AS_OF_ON, product="next_day")
    firm.scan(60, "picked_up").scan(15, "delivered")
    world.add("delivery_incident", id=9, owner_id=1,
              **{"opened_at": ago(46), "ended_at": ago(40), **stop})  # fmt: skip
    world.add("customer", subject_id=1)
    (row,) = world.report("on-time")
    assert (row["due"], row["on_time_rate"], row["on_time_net_rate"]) == (1, 0.0, net)


@pytest.mark.parametrize(
    ("stop", "ended", "fires"),
    [
        (STOP, False, False),
        (STOP, True, False),
        ({**STOP, "evidence": None}, False, True),
        ({**STOP, "responsible": None}, False, True),
        ({**STOP, "reason": None}, False, True),
        ({**STOP, "ended_at": None}, False, False),  # the storm still blows
        ({**STOP, "ended_at": None}, True, True),  # the parcel came, so it has ended
        # What does not excuse anyway need not be proven.
        ({"reason": "carrier_sorting_error", "responsible": "carrier"}, True, False),
    ],
)
def test_r7_a_stop_that_lacks_something_is_completed(firm, stop, ended, fires) -> None:
    firm.waybill().scan(60, "picked_up")
    if ended:
        firm.scan(15, "delivered")
    firm.world.add("delivery_incident", id=9, owner_id=1,
                   **{"opened_at": ago(46), "ended_at": ago(40), **stop})  # fmt: skip
    assert firm.fires("stop-incomplete") is fires


@pytest.mark.parametrize(
    ("scan", "fires"),
    [
        ({"pod_proof": "signature", "lat": 52.5200, "lon": 13.4050}, False),
        ({"pod_proof": "none", "lat": 52.5200, "lon": 13.4050}, True),
        # 0.004 degrees of latitude are 445 m, 0.005 are 556 m.
        ({"pod_proof": "photo", "lat": 52.5240, "lon": 13.4050}, False),
        ({"pod_proof": "photo", "lat": 52.5250, "lon": 13.4050}, True),
        # At 52.52 degrees north 0.008 degrees of longitude are 541 m: 111.195 km x 0.008 x 0.6086.
        ({"pod_proof": "photo", "lat": 52.5200, "lon": 13.4130}, True),
        ({"pod_proof": "photo", "lat": 52.5200, "lon": 13.4120}, False),
    ],
)
def test_r8_delivered_without_proof_or_far_away(firm, scan, fires) -> None:
    firm.waybill(address_lat=52.5200, address_lon=13.4050)
    firm.scan(30, "out_for_delivery").scan(26, "delivered", **scan)
    assert firm.fires("suspicious-delivery") is fires


@pytest.mark.parametrize(("count", "fires"), [(40, False), (41, True)])
def test_r8_more_than_forty_deliveries_in_ten_minutes(firm, count, fires) -> None:
    firm.waybill().scan(26, "delivered", pod_proof="photo", courier="K1")
    for number in range(2, count + 1):
        firm.world.add("delivery_waybill", id=number, subject_id=number)
        firm.world.add(
            "delivery_scan", id=1000 + number, subject_id=number, owner_id=number, courier="K1",
            event_at=ago(26) - timedelta(seconds=number), status="delivered", pod_proof="photo",
            days_before=1, sequence=1,
        )  # fmt: skip
    assert firm.fires("suspicious-delivery") is fires


@pytest.mark.parametrize(
    ("claim", "fires"),
    [
        ({"state": "investigating", "approved_minor": 60000}, True),
        ({"state": "investigating"}, False),  # no amount is proposed yet
        ({"state": "approved", "approved_minor": 60000, "decided_at": ago(2)}, False),
        ({"state": "withdrawn", "approved_minor": 60000}, False),
    ],
)
def test_r9_above_the_clerks_limit_a_second_person_decides(firm, claim, fires) -> None:
    """The clerk's limit, who may approve and the amount are worked in ``test_claims.py``."""
    firm.waybill()
    firm.world.add("delivery_claim", id=7, owner_id=1, **claim)
    assert firm.fires("claim-second-person") is fires


@pytest.mark.parametrize(
    ("bearer", "parties", "fires"),
    [
        ("carrier", ("weather", "carrier"), False),  # the latest incident counts
        ("shipper", ("shipper", "carrier"), True),
        ("carrier", (), False),
        (None, (), True),
    ],
)
def test_r9_the_payer_of_a_claim_follows_who_answers(firm, bearer, parties, fires) -> None:
    firm.waybill()
    firm.world.add("delivery_claim", id=7, owner_id=1, state="approved", liability_party=bearer)
    for number, party in enumerate(parties):
        firm.world.add("delivery_incident", id=20 + number, owner_id=1, responsible=party,
                       opened_at=ago(50 - number), assignee="ann")  # fmt: skip
    assert firm.fires("claim-bearer") is fires


@pytest.mark.parametrize(
    ("approved", "more", "fires"),
    [
        # 80.00 were lost, 60.00 declared, half of it damaged, 5.00 of freight back: 35.00.
        (3500, {}, False), (3501, {}, True),
        # Insured for 100.00: the loss of 80.00 counts, half of it and the freight are 45.00.
        (4500, {"insured_value_minor": 10000}, False), (4501, {"insured_value_minor": 10000}, True),
    ],
)  # fmt: skip
def test_r9_no_claim_is_approved_above_what_is_owed(firm, approved, more, fires) -> None:
    firm.waybill(declared_value_minor=6000, **more)
    firm.world.add("delivery_claim", id=7, owner_id=1, state="approved", approved_minor=approved,
                   proven_loss_minor=8000, share_damaged=0.5, freight_refund_minor=500)  # fmt: skip
    assert firm.fires("claim-above-owed") is fires


# --- D-R17: late risk -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "scores", "fires", "at_order"),
    [
        ("picked_up", {"score_delivery_late": 0.5}, True, False),
        ("picked_up", {"score_delivery_late": 0.49}, False, False),
        # The newest score counts: on the way it has become unlikely.
        ("at_hub", {"score_delivery_late": 0.6, "score_delivery_late_in_transit": 0.2}, False, False),
        ("pickup_booked", {"score_delivery_late_at_order": 0.7}, False, True),
        ("pickup_booked", {"score_delivery_late_at_order": 0.4}, False, False),
        ("delivered", {"score_delivery_late": 0.9}, False, False),
        ("at_hub", {}, False, False),  # nothing was scored
    ],
)  # fmt: skip
def test_r17_what_will_probably_be_late_is_put_first(firm, status, scores, fires, at_order) -> None:
    firm.waybill(late_after_at=ago(-30)).scan(10, status)
    assert firm.fires("likely-late", **scores) is fires
    assert firm.fires("likely-late-at-order", **scores) is at_order


def test_r17_the_reasons_beside_the_score(firm) -> None:
    """This week one of three promises on lane A-B was kept; two others are at the hub of this one.

    What fell due eight days ago, the storm that is over and lane A-C tell nothing.
    """
    firm.waybill(late_after_at=ago(-30)).scan(10, "picked_up").scan(5, "at_hub", place="HUB")

    def other(number: int, due: float, scan: float, status: str, lane: str = "A-B") -> None:
        firm.world.add("delivery_waybill", id=number, subject_id=number, lane=lane,
                       late_after_at=ago(due))  # fmt: skip
        firm.world.add("delivery_scan", id=1000 + number, subject_id=number, owner_id=number,
                       event_at=ago(scan), sequence=1, status=status, place="HUB",
                       days_before=1)  # fmt: skip

    other(2, 24, 30, "delivered")
    other(3, 24, 20, "delivered")
    other(4, 24, 30, "at_hub")
    other(5, 192, 100, "at_hub", lane="A-C")
    other(6, 192, 100, "delivered")
    for number, lane_of, ended in ((1, 4, None), (2, 3, ago(2)), (3, 5, None)):
        firm.world.add("delivery_incident", id=number, owner_id=lane_of, responsible="weather",
                       opened_at=ago(40), ended_at=ended)  # fmt: skip
    found = firm.world.features("congestion")[1]
    assert found["lane_late_7d"] == pytest.approx(2 / 3)
    assert (found["hub_waiting"], found["lane_weather"]) == (2, 1)


def test_r17_what_is_late_already_is_no_risk(firm) -> None:
    firm.waybill(late_after_at=ago(1)).scan(10, "at_hub")
    assert not firm.fires("likely-late", score_delivery_late=0.9)


# --- D-R18: disorder ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("incident", "fires"),
    [({}, True), ({"assignee": "ann"}, False), ({"ended_at": ago(1)}, False)],
)
def test_r18_an_exception_without_an_owner(firm, incident, fires) -> None:
    firm.waybill()
    firm.world.add("delivery_incident", id=3, owner_id=1, opened_at=ago(5), **incident)
    assert firm.fires("no-owner") is fires


@pytest.mark.parametrize(("place", "fires"), [("HUB-B", False), ("HUB-X", True), (None, False)])
def test_r18_a_misroute(firm, place, fires) -> None:
    firm.waybill().scan(9, "picked_up").scan(5, "at_hub", place=place)
    firm.world.add("delivery_lane", id=2, subject_id=None, code="A-B", hubs=["HUB-A", "HUB-B"])
    assert firm.fires("misrouted") is fires


@pytest.mark.parametrize(
    ("kind", "hours", "recorded", "skipped", "impossible"),
    [
        ("skipped", 5, None, True, False), ("backward", 5, None, False, True),
        ("after_end", 5, None, False, True), ("none", 5, None, False, False),
        ("skipped", 25, None, False, False),  # it was listed yesterday
        ("skipped", 40, 3, True, False),  # it became known three hours ago
    ],
)  # fmt: skip
def test_r18_scans_that_skip_or_cannot_follow(firm, kind, hours, recorded, skipped, impossible):
    firm.waybill()
    firm.scan(hours, "delivered", recorded_at=None if recorded is None else ago(recorded))
    firm.world.add("delivery_anomaly", id=4, owner_id=1, scan_id=101, kind=kind)
    assert firm.fires("steps-skipped") is skipped
    assert firm.fires("impossible-scan") is impossible


def test_a_scan_is_seen_once_it_is_recorded(firm) -> None:
    """Delivered at 20:00, but nobody knows by midnight: it is still out."""
    firm.waybill(late_after_at=ago(3)).scan(15, "out_for_delivery")
    firm.scan(4, "delivered", recorded_at=AS_OF + timedelta(hours=1))
    assert firm.fires("not-handed-over")


def test_every_rule_of_the_brief_is_there() -> None:
    numbers = {int(rule.source.rpartition("D-R")[2]) for rule in RULES}
    assert numbers == set(range(1, 19))
    assert {rule.subject for rule in RULES} == {WAYBILL, "customer", SUBSCRIPTION}


@pytest.mark.parametrize(
    ("status", "hours", "fires"),
    [
        # tables/statuses.csv: 48 hours after a failed attempt, 720 after a loss was declared.
        ("attempt_failed", 47, False), ("attempt_failed", 49, True), ("lost", 719, False),
        ("lost", 721, True), ("delivered", 2000, False), ("in_transit", 2000, False),
    ],
)  # fmt: skip
def test_r18_silence_in_every_open_status(firm, status, hours, fires) -> None:
    firm.waybill().scan(hours, status)
    assert firm.fires("silent") is fires


def test_r18_silence_of_a_loss_that_was_claimed_is_none(firm) -> None:
    firm.waybill().scan(721, "lost")
    firm.world.add("delivery_claim", id=4, owner_id=1, kind="loss", state="paid", filed_at=ago(700))
    assert not firm.fires("silent")


@pytest.mark.parametrize(
    ("status", "hours", "fires"),
    [("out_for_delivery", 49, True), ("out_for_delivery", 51, False), ("lost", 49, False)],
)
def test_r9_a_loss_that_was_paid_and_found(firm, status, hours, fires) -> None:
    """Claimed 50 hours ago and paid."""
    firm.waybill().scan(hours, status)
    firm.world.add("delivery_claim", id=4, owner_id=1, kind="loss", state="paid", approved_minor=900,
                   filed_at=ago(50))  # fmt: skip
    assert firm.fires("claim-found") is fires
