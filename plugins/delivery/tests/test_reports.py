"""Reports of delivery on small worlds, worked by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

import crmkit_delivery
from crmkit.testing.small import AS_OF, AS_OF_ON, SmallWorld
from crmkit_delivery.tables import statuses


def ago(hours: float) -> datetime:
    return AS_OF - timedelta(minutes=round(hours * 60))


def way(
    world: Any, number: int, *scans: tuple[float, str], more: Any = None, **values: Any
) -> None:
    """A waybill of customer 1 with scans, each so many hours ago."""
    world.add("delivery_waybill", id=number, waybill_no=f"W{number}", **values)
    for place, (hours, status) in enumerate(scans):
        at = ago(hours)
        world.add(
            "delivery_scan", id=100 * number + place, owner_id=number, event_at=at, sequence=place,
            status=status, days_before=(AS_OF_ON - at.date()).days, **(more or {}),
        )  # fmt: skip


def test_transit_times_by_nearest_rank(world) -> None:
    """20 shipments of 1 to 20 days and one that never came: half within 10, 95 % within 19."""
    for days in range(1, 21):
        way(world, days, (24 * (days + 1), "picked_up"), (24, "delivered"))
    way(world, 50, (30, "picked_up"))
    (row,) = world.report("transit-times")
    assert row == {
        "slice": "all", "collected": 21, "delivered": 20, "underway": 1, "p50_days": 10.0,
        "p95_days": 19.0,
    }  # fmt: skip


def test_hours_of_each_leg_by_nearest_rank(world) -> None:
    """Legs of 1 to 20 hours from the collection to the hub: half within 10, 95 % within 19.

    The 21st is held for two days on its way, which is no leg; it goes out three hours after.
    """
    for hours in range(1, 21):
        way(world, hours, (40 + hours, "picked_up"), (40, "at_hub"), lane="A-B")
    way(world, 50, (90, "picked_up"), (80, "held"), (32, "at_hub"), (29, "out_for_delivery"),
        lane="A-B")  # fmt: skip
    rows = {
        r["leg"]: (r["legs"], r["p50_hours"], r["p95_hours"]) for r in world.report("leg-times")
    }
    assert rows == {
        "picked_up to at_hub": (20, 10.0, 19.0), "at_hub to out_for_delivery": (1, 3.0, 3.0),
    }  # fmt: skip


def test_first_attempts_and_whose_reason_it_was(world) -> None:
    """Of four first attempts two succeed; Wilson for 2 of 4 is 0.150 to 0.850."""
    for number in (1, 2):
        way(world, number, (30, "out_for_delivery"), (26, "delivered"))
    way(world, 3, (30, "out_for_delivery"), (26, "attempt_failed"), (3, "delivered"),
        more={"responsible": "consignee"})  # fmt: skip
    way(world, 4, (30, "out_for_delivery"), (26, "attempt_failed"),
        more={"reason": "carrier_vehicle_issue"})  # fmt: skip
    (row,) = world.report("first-attempt")
    assert (row["tried"], row["delivered"], row["consignee"], row["carrier"]) == (4, 2, 1, 1)
    assert row["success_rate"] == 0.5
    assert row["success_low"] == pytest.approx(0.1500, abs=1e-4)
    assert row["success_high"] == pytest.approx(0.8500, abs=1e-4)


def test_scan_completeness(world) -> None:
    """Complete; without a departure; without a hub between cities; within a city none is needed."""
    full = ((50, "picked_up"), (40, "at_hub"), (30, "out_for_delivery"), (28, "delivered"))
    way(world, 1, *full, depot="D")
    way(world, 2, full[0], full[1], full[3], depot="D")
    way(world, 3, full[0], full[2], full[3], depot="D")
    way(world, 4, full[0], full[2], full[3], depot="D", scope="same_city")
    (row,) = world.report("scan-completeness")
    assert (row["depot"], row["delivered"], row["complete"]) == ("D", 4, 2)


def test_on_time_counts_what_is_open_and_lost_and_not_what_was_cancelled(world) -> None:
    """Due: one on time, one a minute late, one never delivered; the cancelled one owed nothing.

    Wilson's interval of 1 in 3 is 0.0615 to 0.7923.
    """
    due = {"late_after_at": ago(48), "promise_on": date(2026, 3, 30)}
    way(world, 1, (60, "picked_up"), (48, "delivered"), **due)
    way(world, 2, (60, "picked_up"), (47.98, "delivered"), **due)
    way(world, 3, (60, "picked_up"), **due)
    way(world, 4, (60, "picked_up"), (50, "cancelled"), **due)
    way(world, 5, (60, "picked_up"), late_after_at=ago(-1))
    world.add("customer", subject_id=1)
    (row,) = world.report("on-time")
    assert (row["due"], row["delivered"], row["on_time"]) == (3, 2, 1)
    assert row["on_time_rate"] == pytest.approx(1 / 3)
    assert row["on_time_low"] == pytest.approx(0.0615, abs=1e-4)
    assert row["on_time_high"] == pytest.approx(0.7923, abs=1e-4)


def test_in_full_is_on_time_with_nothing_damaged_or_lacking(world) -> None:
    """Of four two are whole and on time; Wilson for 2 of 4 is 0.150 to 0.850."""
    due = {"late_after_at": ago(48), "promise_on": date(2026, 3, 30)}
    for number, hours, condition in (
        (1, 50, "intact"), (2, 50, None), (3, 50, "part_missing"), (4, 40, "intact"),
    ):  # fmt: skip
        way(world, number, (hours, "delivered"), more={"condition": condition}, **due)
    world.add("customer", subject_id=1)
    (row,) = world.report("on-time")
    assert (row["on_time"], row["in_full_rate"]) == (3, 0.5)
    assert row["in_full_low"] == pytest.approx(0.1500, abs=1e-4)
    assert row["in_full_high"] == pytest.approx(0.8500, abs=1e-4)


def test_collections_by_the_planned_time(world) -> None:
    """On time, a minute late, never; one is planned for later and one was cancelled: 1 of 3."""
    way(world, 1, (50, "picked_up"), pickup_to=ago(50))
    way(world, 2, (49.98, "picked_up"), pickup_to=ago(50))
    way(world, 3, pickup_to=ago(50))
    way(world, 4, pickup_to=ago(-1))
    way(world, 5, (60, "cancelled"), pickup_to=ago(50))
    (row,) = world.report("pickup-on-time")
    assert (row["due"], row["collected"], row["on_time"]) == (3, 2, 1)
    assert row["on_time_low"] == pytest.approx(0.0615, abs=1e-4)
    assert row["on_time_high"] == pytest.approx(0.7923, abs=1e-4)


def test_a_contract_may_count_the_first_attempt(world) -> None:
    due = {"late_after_at": ago(48), "promise_on": date(2026, 3, 30), "on_time_basis": "attempt"}
    way(world, 1, (60, "out_for_delivery"), (50, "attempt_failed"), (20, "delivered"), **due)
    world.add("customer", subject_id=1)
    (row,) = world.report("on-time")
    assert row["on_time"] == 1


def test_profit_of_two_currencies_stands_in_two_rows(world) -> None:
    """Billed 12.00 EUR with 5.00 EUR of cost; a claim of 700 JPY was paid."""
    world.add("delivery_waybill", id=1, ordered_at=ago(50), price_quoted_minor=1200,
              price_quoted_currency="EUR", cost_linehaul_minor=500,
              cost_linehaul_currency="EUR")  # fmt: skip
    world.add("delivery_invoice_line", id=9, owner_id=1, billed_minor=1200, billed_currency="EUR")
    world.add("delivery_claim", id=8, owner_id=1, paid_minor=700, paid_currency="JPY")
    rows = {r["currency"]: (r["revenue_minor"], r["profit_minor"]) for r in world.report("profit")}
    assert rows == {"EUR": (1200, 700), "JPY": (0, -700)}


def test_profit_after_claims(world) -> None:
    """12.00 billed, 7.00 of cost, 3.00 of claims: 2.00 are left; the other is quoted 10.00."""
    cost = {"cost_pickup_minor": 100, "cost_linehaul_minor": 250, "cost_sort_minor": 50,
            "cost_lastmile_minor": 300}  # fmt: skip
    for number, quoted in ((1, 1100), (2, 1000)):
        world.add("delivery_waybill", id=number, ordered_at=ago(50), price_quoted_minor=quoted,
                  price_quoted_currency="EUR", **cost)  # fmt: skip
    world.add("delivery_invoice_line", id=9, owner_id=1, billed_minor=1200)
    world.add("delivery_claim", id=8, owner_id=1, paid_minor=300)
    (row,) = world.report("profit")
    assert (row["revenue_minor"], row["cost_minor"], row["claims_minor"]) == (2200, 1400, 300)
    assert (row["profit_minor"], row["profit_each_minor"]) == (500, 250)
    assert row["margin"] == pytest.approx(500 / 2200)


def test_claims_in_ten_thousand_and_days_to_pay(world) -> None:
    """Two claims on 50 waybills are 400 in 10,000; 60.00 of 100.00 were paid, after three days."""
    for number in range(1, 51):
        world.add("delivery_waybill", id=number, ordered_at=ago(100))
    one = {"kind": "damage", "claimed_minor": 5000, "claimed_currency": "EUR", "filed_at": ago(200)}
    world.add("delivery_claim", id=60, owner_id=1, state="paid", paid_minor=6000, **{
        **one, "claimed_minor": 6000, "decided_at": ago(152), "paid_at": ago(80)})  # fmt: skip
    world.add("delivery_claim", id=61, owner_id=2, state="rejected", **{
        **one, "claimed_minor": 4000, "decided_at": ago(104)})  # fmt: skip
    (row,) = world.report("claims")
    assert (row["claims"], row["approved"], row["rejected"], row["per_10000"]) == (2, 1, 1, 400.0)
    # Wilson for 2 of 50 is 0.01104 to 0.13460.
    assert row["per_10000_low"] == pytest.approx(110.4, abs=0.1)
    assert row["per_10000_high"] == pytest.approx(1346.0, abs=0.1)
    assert (row["paid_share"], row["days_to_decide"], row["days_to_pay"]) == (0.6, 3.0, 3.0)


def test_the_service_card_and_the_penalty(world) -> None:
    """8 of 10 on time against 90 %: ten points below, at 1 % of 100.00 a point: 10.00."""
    world.add("delivery_shipper_account", id=1, sla_target=0.9, penalty_rate=0.01, price_tier="A")
    for number in range(10):
        late = 47 if number < 2 else 49
        way(world, number + 1, (60, "picked_up"), (late, "delivered"), late_after_at=ago(48),
            promise_on=date(2026, 3, 30), price_quoted_minor=1000)  # fmt: skip
    (row,) = world.report("service-card")
    assert (row["due"], row["on_time_net_rate"], row["below"]) == (10, 0.8, True)
    # Wilson for 8 of 10 is 0.4902 to 0.9433, gross and net.
    for name in ("on_time", "on_time_net"):
        assert row[f"{name}_low"] == pytest.approx(0.4902, abs=1e-4)
        assert row[f"{name}_high"] == pytest.approx(0.9433, abs=1e-4)
    assert row["penalty_minor"] == pytest.approx(1000, abs=1)


def test_volume_of_a_shipper_and_the_alarm(world) -> None:
    """90 in twelve weeks, 13 in four: expected 30, limit 30 - 3 x 5.477 = 13.57."""
    for number in range(103):
        days = 10 if number < 13 else 60
        world.add("delivery_waybill", id=number, ordered_at=ago(24 * days))
    (row,) = world.report("shipper-volume")
    assert (row["four_weeks"], row["expected"], row["alarm"]) == (13, 30.0, True)
    assert row["lower_limit"] == pytest.approx(13.568, abs=1e-3)


@pytest.mark.parametrize(
    ("before", "now", "verdict", "alarm"),
    [
        # Nine expected: the limit is 9 - 3 x 3 = 0, and nothing is below it.
        (27, 0, "too few", None), (0, 4, "too few", None),
        # Ten expected: 10 - 3 x 3.162 = 0.51. None is below it, one is not.
        (30, 0, "drops", True), (30, 1, "as expected", False),
    ],
)  # fmt: skip
def test_few_waybills_give_no_verdict(world, before, now, verdict, alarm) -> None:
    for number in range(before + now):
        world.add(
            "delivery_waybill", id=number, ordered_at=ago(24 * (60 if number < before else 10))
        )
    (row,) = world.report("shipper-volume")
    assert (row["four_weeks"], row["verdict"], row["alarm"]) == (now, verdict, alarm)
    assert (row["lower_limit"] is None) == (verdict == "too few")


def test_lanes_of_a_shipper(world) -> None:
    """Three of four waybills go by A-B; of the two that fell due one was on time."""
    due = {"late_after_at": ago(48), "promise_on": date(2026, 3, 30), "ordered_at": ago(90)}
    way(world, 1, (60, "picked_up"), (50, "delivered"), lane="A-B", **due)
    way(world, 2, (60, "picked_up"), (40, "delivered"), lane="A-B", **due)
    way(world, 3, lane="A-B", ordered_at=ago(5), late_after_at=ago(-20))
    way(world, 4, lane="A-C", ordered_at=ago(5), late_after_at=ago(-20))
    first, second = world.report("shipper-lanes")
    assert (first["lane"], first["waybills"], first["share"]) == ("A-B", 3, 0.75)
    assert (first["due"], first["on_time_rate"]) == (2, 0.5)
    # Wilson for 1 of 2 is 0.0945 to 0.9055; of none there is no rate and no limit.
    assert first["on_time_low"] == pytest.approx(0.0945, abs=1e-4)
    assert first["on_time_high"] == pytest.approx(0.9055, abs=1e-4)
    assert (second["lane"], second["due"], second["on_time_rate"]) == ("A-C", 0, None)
    assert (second["on_time_low"], second["on_time_high"]) == (None, None)


def test_receivables_by_age_and_cash_that_is_held(world) -> None:
    for number, (minor, overdue) in enumerate(((5000, 0), (700, 30), (800, 31), (900, 61))):
        world.add("delivery_shipper_account", id=number, receivable_minor=minor,
                  receivable_currency="EUR", days_overdue=overdue)  # fmt: skip
    cod = {"cod_amount_minor": 1200, "cod_amount_currency": "EUR"}
    way(world, 1, (30, "delivered"), **cod)
    way(world, 2, (30, "delivered"), cod_remitted_at=ago(2), **cod)
    way(world, 3, (30, "picked_up"), **cod)
    rows = {(r["kind"], r["age_band"]): r["amount_minor"] for r in world.report("receivables")}
    assert rows == {
        ("cod", "1 to 30 days"): 1200, ("receivable", "0 not overdue"): 5000,
        ("receivable", "1 to 30 days"): 700, ("receivable", "31 to 60 days"): 800,
        ("receivable", "61 days and more"): 900,
    }  # fmt: skip


def test_calls_made_in_time(world) -> None:
    due = {"late_after_at": ago(48), "promise_on": date(2026, 3, 30)}
    for number, told in ((1, 50), (2, 40), (3, None)):
        way(world, number, (60, "picked_up"), **due)
        if told is not None:
            world.add("delivery_late_pre_notice", occurred_on=ago(told).date(),
                      occurred_at=ago(told), record_id=number)  # fmt: skip
    (row,) = world.report("calls-in-time")
    assert (row["late"], row["told_in_time"], row["told_too_late"]) == (3, 1, 1)
    # Wilson for 1 of 3 is 0.0615 to 0.7923.
    assert row["told_low"] == pytest.approx(0.0615, abs=1e-4)
    assert row["told_high"] == pytest.approx(0.7923, abs=1e-4)


def test_suspicious_deliveries_are_told_with_the_reason(world) -> None:
    way(world, 1, (20, "delivered"), more={"pod_proof": "none"})
    way(world, 2, (20, "delivered"), more={"pod_proof": "photo"})
    (row,) = world.report("suspicious-deliveries")
    assert (row["waybill_no"], row["reason"]) == ("W1", "no proof of delivery")


def test_complaints_warn_by_region(world, day) -> None:
    """9 in twelve weeks: 3 expected, the limit is 3 + 3 sqrt(3) = 8.2; nine warn, eight do not."""
    for number, region in ((1, "NORTH"), (2, "SOUTH")):
        world.add("delivery_waybill", id=number, region=region)
        for turn in range(9):
            world.add(
                "delivery_complaint", occurred_on=day(40 + turn), record_id=number, topic="late"
            )
        for _ in range(9 if region == "NORTH" else 8):
            world.add("delivery_complaint", occurred_on=day(5), record_id=number, topic="late")
    found = {r["region"]: (r["recent"], r["warning"]) for r in world.report("complaint-warning")}
    assert found == {"NORTH": (9, True), "SOUTH": (8, False)}


# --- rounds ---------------------------------------------------------------------------------------


def subscribers(world: Any, day: Any, courier: str, stay: int, lost: int, **values: Any) -> None:
    for number in range(stay + lost):
        ended = {"ended_on": day(30), "end_reason": "price"} if number < lost else {}
        world.add(
            "delivery_subscription", id=1000 + world.rows, round="R1", courier=courier,
            started_on=day(300), **{**ended, **values},
        )  # fmt: skip


def test_a_courier_who_loses_more_than_the_others_is_flagged(world, day) -> None:
    """C1 loses 12 of 20 (Wilson 0.387 to 0.781), the others 2 of 40 (0.014 to 0.165).

    Exposure: 8 stay for all 90 days, 12 for 60: (720 + 720) / 30.4375 = 47.31 months.
    """
    subscribers(world, day, "C1", 8, 12)
    subscribers(world, day, "C2", 38, 2)
    rows = {r["part"]: r for r in world.report("round-churn", by="courier")}
    assert (rows["C1"]["lost"], rows["C1"]["flagged"], rows["C2"]["flagged"]) == (12, True, False)
    assert rows["C1"]["loss_low"] == pytest.approx(0.3866, abs=1e-4)
    assert rows["C1"]["others_high"] == pytest.approx(0.1650, abs=1e-4)
    assert rows["C1"]["subscriber_months"] == pytest.approx(47.31, abs=0.01)
    # Of a Poisson count of 12 the exact limits (Garwood 1936) are 6.20 and 20.96.
    assert rows["C1"]["lost_per_month_low"] == pytest.approx(6.20 / 47.31, abs=5e-4)
    assert rows["C1"]["lost_per_month_high"] == pytest.approx(20.96 / 47.31, abs=5e-4)


def test_a_courier_is_held_against_the_same_depot(world, day) -> None:
    """C3 of another depot loses 30 of 40: C1 is flagged by C2 all the same."""
    for number, (courier, depot) in enumerate((("C1", "D1"), ("C2", "D1"), ("C3", "D2"))):
        world.add("delivery_courier", id=90 + number, subject_id=None, code=courier, depot=depot)
    subscribers(world, day, "C1", 8, 12)
    subscribers(world, day, "C2", 38, 2)
    subscribers(world, day, "C3", 10, 30)
    rows = {r["part"]: r for r in world.report("round-churn", by="courier")}
    assert rows["C1"]["others_high"] == pytest.approx(0.1650, abs=1e-4)
    assert rows["C1"]["flagged"]


def test_losses_after_a_hand_over_are_the_leavers(world, day) -> None:
    """Ended 10 days after C1 handed over: lost with C1. Ended 61 days after: C2's own."""
    subscribers(world, day, "C2", 0, 1, handed_over_on=day(40), previous_courier="C1")
    subscribers(world, day, "C2", 0, 1, handed_over_on=day(91), previous_courier="C1")
    rows = {r["part"]: r for r in world.report("round-churn", by="courier")}
    assert {p: (r["lost"], r["courier_left"]) for p, r in rows.items()} == {
        "C1": (1, 1), "C2": (1, 0),
    }  # fmt: skip


def test_a_pause_is_no_loss(world, day) -> None:
    subscribers(world, day, "C1", 3, 0, paused_from=day(80))
    (row,) = world.report("round-churn", by="all")
    assert (row["subscribers"], row["lost"]) == (3, 0)


def test_survival_of_subscribers(world, day) -> None:
    """Two of four end in their second month: half are left; the others are censored later."""
    for ended in (day(60), day(60), None, None):
        world.add("delivery_subscription", id=1000 + world.rows, started_on=day(95), ended_on=ended)
    rows = {r["months"]: (r["at_risk"], r["survival"]) for r in world.report("round-survival")}
    assert rows[1] == (4, pytest.approx(0.5))
    assert rows[3] == (2, pytest.approx(0.5))


def test_goods_money_and_data_of_a_day_are_reconciled(world, day) -> None:
    """Two bottles and 8.00 lack; the commission is 4 % of the 92.00 that were handed in: 3.68."""
    world.add(
        "delivery_courier_day", id=1, subject_id=None, courier="C1", round="R1", day=day(1),
        loaded=120, delivered=116, returned=2, cash_due_minor=10000, cash_remitted_minor=9200,
        drops_planned=60, drops_recorded=60, commission_rate=0.04,
    )  # fmt: skip
    (row,) = world.report("courier-settlement")
    assert (row["missing"], row["short_minor"], row["commission_minor"], row["balanced"]) == (
        2, 800, 368, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("handed", "rate", "commission", "short"),
    [
        (100, 0.29, 29, 0),  # 1.00 x 29 % is 0.29
        (100, None, 5, 0),  # no rate on the day: 5 % of the assignment
        (None, None, 0, 100),  # nothing handed in: all is short
    ],
)
def test_commission_is_exact_and_has_a_rate(world, day, handed, rate, commission, short) -> None:
    """The assignment of the day has 5 %; the one before, which ended on the day before, 4 %."""
    for number, (starts, ends, share) in enumerate(((90, 2, 0.04), (1, None, 0.05))):
        world.add(
            "delivery_courier_assignment", id=number, subject_id=None, round="R1", courier="C1",
            starts_on=day(starts), ends_on=None if ends is None else day(ends), commission_rate=share,
        )  # fmt: skip
    world.add(
        "delivery_courier_day", id=1, subject_id=None, courier="C1", round="R1", day=day(1),
        loaded=1, delivered=1, cash_due_minor=100, cash_remitted_minor=handed,
        drops_planned=1, drops_recorded=1, commission_rate=rate,
    )  # fmt: skip
    (row,) = world.report("courier-settlement")
    assert (row["commission_minor"], row["short_minor"]) == (commission, short)
    assert row["balanced"] is (handed is not None)


@pytest.mark.parametrize(
    ("on", "months", "shown"),
    [
        # Calendar months, that of the day included, whatever their lengths.
        (date(2026, 3, 1), 1, ["2026-03"]), (date(2026, 3, 28), 2, ["2026-02", "2026-03"]),
        (date(2026, 3, 31), 2, ["2026-02", "2026-03"]), (date(2028, 2, 29), 1, ["2028-02"]),
        (date(2026, 4, 30), 3, ["2026-02", "2026-03", "2026-04"]),
        (date(2026, 1, 31), 2, ["2025-12", "2026-01"]),
    ],
)  # fmt: skip
def test_months_are_those_of_the_calendar(on, months, shown) -> None:
    """A start and a promise on the last day of each of four months up to a day.

    Three months of 31 days were 93: as of 31 March four days of December were a month of their own.
    """
    with SmallWorld(crmkit_delivery, as_of_on=on) as world:
        world.add("delivery_shipper_account", id=1, sla_target=0.9, price_tier="A")
        last = on
        for number in range(4):
            world.add("delivery_subscription", id=1000 + number, round="R1", started_on=last)
            world.add("delivery_waybill", id=number, promise_on=last,
                      late_after_at=world.as_of - timedelta(hours=1))  # fmt: skip
            last = last.replace(day=1) - timedelta(days=1)
        for name in ("round-book", "service-card"):
            rows = world.report(name, months=months)
            assert sorted(f"{row['month_on']:%Y-%m}" for row in rows) == shown, name


def test_the_round_book(world, day) -> None:
    subscribers(world, day, "C1", 1, 2)
    world.add("delivery_pause", occurred_on=day(5))
    rows = {r["month_on"]: (r["started"], r["ended"]) for r in world.report("round-book")}
    assert rows == {date(2026, 3, 1): (0, 2)}


def test_the_ills_say_who_acts_and_what_to_say(world) -> None:
    way(world, 1, (60, "picked_up"), (11, "out_for_delivery"), depot="D1")
    way(world, 2, (60, "picked_up"), (30, "at_hub"), depot="D2", scope="inter_city")
    rows = world.report("ills")
    assert [(r["rule"], r["waybill_no"], r["must_act"]) for r in rows] == [
        ("D-R1", "W1", "depot: ask the courier"), ("D-R2", "W2", "tracing: find it"),
    ]  # fmt: skip
    assert rows[0]["hours"] == pytest.approx(11.0)
    assert "We are calling the courier" in rows[0]["say"]
    assert [r["waybill_no"] for r in world.report("ills", depot="D2")] == ["W2"]
    assert [r["waybill_no"] for r in world.report("ills", out_hours=12.0, trace_hours=40.0)] == []


@pytest.mark.parametrize("status", [s.name for s in statuses() if not s.ends])
def test_silence_is_an_ill_in_every_open_status(world, status) -> None:
    """Forty days without a scan: more than every status allows, and than the seven days of D-R2."""
    way(world, 1, (24 * 40, status), ordered_at=ago(24 * 41))
    world.add("interaction", record_id=1, record_type="delivery.waybill", direction="out",
              channel="phone", occurred_at=ago(24 * 30))  # fmt: skip
    found = {row["rule"] for row in world.report("ills")}
    assert found & {"D-R2 lost", "D-R18 silent"}


def test_a_failed_attempt_may_rest_two_days_and_an_order_one(world) -> None:
    """tables/statuses.csv: 48 hours after a failed attempt, 24 after the planned collection."""
    way(world, 1, (47.9, "attempt_failed"), ordered_at=ago(90))
    way(world, 2, (48.1, "attempt_failed"), ordered_at=ago(90))
    way(world, 3, ordered_at=ago(90), pickup_to=ago(23.9))
    way(world, 4, ordered_at=ago(90), pickup_to=ago(24.1))
    way(world, 5, ordered_at=ago(24.1))
    way(world, 6, ordered_at=ago(90), end_state="unrecorded")
    found = [(row["waybill_no"], row["rule"]) for row in world.report("ills")]
    assert sorted(found) == [(f"W{n}", "D-R18 silent") for n in (2, 4, 5)]


def test_a_shipment_that_was_claimed_as_lost_and_found_is_an_ill(world) -> None:
    """Claimed 50 hours ago and paid; W1 was scanned 20 hours ago, W2 60 hours ago and not since."""
    for number, hours in ((1, 20), (2, 60)):
        way(world, number, (hours, "in_transit"), ordered_at=ago(90))
        world.add("delivery_claim", id=70 + number, owner_id=number, kind="loss", state="paid",
                  approved_minor=9000, filed_at=ago(50))  # fmt: skip
    found = [r["waybill_no"] for r in world.report("ills") if r["rule"] == "D-R9 found"]
    assert found == ["W1"]


def test_stops_that_overlap_are_counted_once(world) -> None:
    """Delivered 6 hours late. Stops of 100 to 97, of 99 to 96 and of 98 to 97 hours ago stood for 4
    hours together, not for 7; with one more of 2.5 hours it was 6.5, which excuse it.
    """
    due = {"late_after_at": ago(54), "promise_on": date(2026, 3, 29)}
    excused = {"reason": "weather_delay", "responsible": "weather", "evidence": "met office"}
    way(world, 1, (120, "picked_up"), (48, "delivered"), **due)
    world.add("customer", subject_id=1)
    for number, (began, ended) in enumerate(((100, 97), (99, 96), (98, 97))):
        world.add("delivery_incident", id=80 + number, owner_id=1, opened_at=ago(began),
                  ended_at=ago(ended), **excused)  # fmt: skip
    (row,) = world.report("on-time")
    assert (row["due"], row["on_time"], row["excused"]) == (1, 0, 0)
    world.add(
        "delivery_incident", id=90, owner_id=1, opened_at=ago(80), ended_at=ago(77.5), **excused
    )
    (row,) = world.report("on-time")
    assert row["excused"] == 1


@pytest.mark.parametrize(
    ("by", "slices"),
    [
        ("department", {"express": 1200, "freight": 400}),
        ("route", {"7": 900, "8": 700}),
        ("month", {"2026-02": 500, "2026-03": 1100}),
    ],
)
def test_profit_by_department_route_and_month(world, by, slices) -> None:
    for number, (department, route, promised, quoted) in enumerate((
        ("express", "7", date(2026, 2, 28), 500), ("express", "8", date(2026, 3, 1), 700),
        ("freight", "7", date(2026, 3, 2), 400),
    )):  # fmt: skip
        world.add("delivery_waybill", id=number, ordered_at=ago(900), department=department,
                  route=route, promise_on=promised, price_quoted_minor=quoted,
                  price_quoted_currency="EUR")  # fmt: skip
    found = {row["slice"]: row["profit_minor"] for row in world.report("profit", by=by)}
    assert found == slices


@pytest.mark.parametrize(
    ("handed_over", "ended", "lost", "days"),
    [
        # Of the last 90 days the day of the hand-over and 49 before it are C1's, 40 are C2's.
        (40, None, {}, {"C1": 50, "C2": 40}),
        # Ended 10 days after: lost with C1. C2 served those ten days.
        (40, 30, {"C1": 1}, {"C1": 50, "C2": 10}),
        # Ended 61 days after: lost with C2, who served 30 days up to 30 days ago and the one more.
        (91, 30, {"C2": 1}, {"C2": 60}),
        # Handed over to another from tomorrow on: all of it is C1's.
        (-5, None, {}, {"C1": 90}),
    ],
)
def test_days_and_losses_by_who_served(world, day, handed_over, ended, lost, days) -> None:
    world.add(
        "delivery_subscription", id=1000, round="R1", courier="C2", previous_courier="C1",
        started_on=day(300), handed_over_on=day(handed_over),
        ended_on=None if ended is None else day(ended),
    )  # fmt: skip
    rows = world.report("round-churn", by="courier")
    assert {r["part"]: r["lost"] for r in rows if r["lost"]} == lost
    assert {r["part"]: round(r["subscriber_months"] * 30.4375) for r in rows} == days
    (row,) = world.report("round-churn", by="round")
    assert (row["subscribers"], round(row["subscriber_months"] * 30.4375)) == (
        1, sum(days.values()),
    )  # fmt: skip
