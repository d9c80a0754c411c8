"""The scores of bookings: nothing that is known only at check-in is an input (D13, H-R10)."""

from __future__ import annotations

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
    from datetime import date

    world.add("hotel_reservation", status="confirmed")
    world.add("hotel_cancellation", occurred_on=date(2026, 4, 2), days_after=2)
    assert [row["label"] for row in world.query(CANCELLATION.target)] == [1]


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
