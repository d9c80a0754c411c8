"""The scores of bookings: nothing that is known only at check-in is an input (D13, H-R10)."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

import crmkit
import crmkit_hotel
from crmkit_hotel.features import feature_sets
from crmkit_hotel.scores import BOOKING, HISTORY, LEAKING, scores

from .test_profiles import BOOKINGS

CANCELLATION, REPEAT = scores()
RESERVATION = {r.name: r for r in crmkit_hotel.register_record_types()}["hotel.reservation"]


def test_the_leaking_columns_are_declared_and_no_input_reads_them() -> None:
    """The brief, section 6: country, room assigned, changes, parking and requests leak; so does the end."""
    fields = RESERVATION.fields.by_name
    outcome = {name for name, field in fields.items() if field.outcome_only}
    assert set(LEAKING) <= outcome
    assert {"status", "ended_on", "cancel_reason"} <= outcome
    (booking,) = [s for s in feature_sets() if s.name == "hotel.booking"]
    for name in outcome:
        assert name not in booking.sql.replace("hotel_", "").split(), name
    inputs = {name.removeprefix("hotel.") for name in (*CANCELLATION.features, *REPEAT.features)}
    assert inputs == set(BOOKING)
    assert not inputs & outcome


def test_the_history_is_no_input_of_the_repeat_guest() -> None:
    assert not {f"hotel.{name}" for name in HISTORY} & set(REPEAT.features)


@pytest.mark.parametrize(
    ("status", "label"),
    [("cancelled", 1), ("no_show", 1), ("checked_out", 0), ("in_house", 0), ("confirmed", None)],
)
def test_what_counts_as_not_kept(world, status, label) -> None:
    world.add("hotel_reservation", status=status)
    assert [row["label"] for row in world.query(CANCELLATION.target)] == [label]


def test_a_booking_cancelled_afterwards_counts_though_it_was_open(world) -> None:
    world.add("hotel_reservation", status="confirmed")
    world.add("hotel_cancellation", occurred_on=date(2026, 4, 2), days_after=2)
    assert [row["label"] for row in world.query(CANCELLATION.target)] == [1]


COLUMNS = (
    "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_week_number,"
    "arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,"
    "meal,country,market_segment,distribution_channel,is_repeated_guest,previous_cancellations,"
    "previous_bookings_not_canceled,reserved_room_type,assigned_room_type,booking_changes,"
    "deposit_type,agent,company,days_in_waiting_list,customer_type,adr,required_car_parking_spaces,"
    "total_of_special_requests,reservation_status,reservation_status_date"
)


def bookings_told_by_lead_days() -> str:
    """900 bookings of 2018, of which those made long before are cancelled, nine in ten.

    The columns and their order are those of Antonio, Almeida & Nunes (2019).
    """
    draw = random.Random(3)
    lines = [COLUMNS]
    for i in range(900):
        arrival = date(2018, 1, 1) + timedelta(days=i * 300 // 900)
        lead = draw.randint(0, 300)
        gone = draw.random() < (0.9 if lead > 150 else 0.1)
        ended = arrival - timedelta(days=min(lead, 2)) if gone else arrival + timedelta(days=1)
        lines.append(
            f"City Hotel,{int(gone)},{lead},{arrival:%Y,%B},{arrival.isocalendar().week},{arrival.day},"
            f"0,1,2,0,0,BB,PRT,Online TA,TA/TO,0,0,0,A,A,0,No Deposit,9,,0,Transient,{90 + i % 7}.0,0,0,"
            f"{'Canceled' if gone else 'Check-Out'},{ended}"
        )
    return "\n".join(lines) + "\n"


def test_lead_days_that_tell_much_never_stop_the_scores_own_training(tmp_path: Path) -> None:
    """On another year's bookings lead_days alone reach 0.90; a hotel knows them at booking."""
    file = tmp_path / "bookings.csv"
    file.write_text(bookings_told_by_lead_days(), encoding="utf-8")
    with crmkit.init(tmp_path / "workspace", plugins=("hotel",)) as crm:
        crm.import_file(file, profile="hotel-bookings")
        found = crm.scores.evaluate("hotel.cancellation")
    (told,) = [w for w in found["warnings"] if w.startswith("hotel.lead_days")]
    assert "AUC 0.9" in told and told.endswith("the hotel knows it when the booking is made.")
    assert found["auc"] > 0.85


def test_the_rate_is_not_vouched_for_since_it_may_be_written_again() -> None:
    assert set(CANCELLATION.features) - set(CANCELLATION.vouched) == {"hotel.adr"}
    assert set(REPEAT.features) - set(REPEAT.vouched) == {"hotel.adr"}


@pytest.mark.slow
def test_out_of_time_on_the_public_file(tmp_path: Path) -> None:
    """The latest quarter of arrivals, from 2016-08-31: at least 0.805 and below 0.88, which is a leak;
    the repeat guest at least 0.925 (issue 7, after the brief's 0.813 and 0.935)."""
    if not BOOKINGS.is_file():
        pytest.skip("the public data are not here")
    with crmkit.init(tmp_path / "workspace", plugins=("hotel",)) as crm:
        crm.import_file(BOOKINGS, profile="hotel-bookings")
        found = crm.scores.evaluate("hotel.cancellation")
        again = crm.scores.evaluate("hotel.repeat_guest")
    assert (str(found["train_until"]), found["n"]) == ("2016-08-31", 10060)
    assert 0.805 <= found["auc"] < 0.88
    assert again["auc"] >= 0.925
