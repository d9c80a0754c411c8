"""Issue 14, line 5: what is prepared follows the booking and what the guest says, up to the last minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import crmkit
from crmkit.entities import CustomerRef, NewInteraction
from crmkit.errors import MoveRefused
from crmkit.testing.clock import SettableClock
from crmkit.warehouse.population import Population
from crmkit_hotel.preparation import business_date

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def crm(tmp_path) -> Iterator[Any]:
    """A guest who likes latex pillows arrives tomorrow; the lines were built an hour ago."""
    clock = SettableClock(NOW - timedelta(hours=2))
    with crmkit.init(
        tmp_path / "house", plugins=("hotel",), clock=clock, actor="ann",
        rights=("ann:hotel.care",), time_zone="Europe/Berlin",
    ) as opened:  # fmt: skip
        opened.store.customers.add(name="Ada Berg", refs=[CustomerRef("pms", "G0")])
        book(opened, "R0", arrival_on=date(2026, 4, 1), departure_on=date(2026, 4, 3))
        opened.run("preference declare", customer="G0", code="PIL_TYPE", value="latex")
        clock.set(NOW - timedelta(hours=1))
        opened.run("preparation build")
        clock.set(NOW)
        yield opened


def book(crm: Any, ref: str, **values: Any) -> None:
    crm.store.records.set(
        "hotel.reservation", source="pms", ref=ref, owner_id=crm.store.customers.find("G0").id,
        values={"property": "HER", "status": "confirmed", **values},
    )  # fmt: skip


def later(crm: Any) -> Any:
    """What has been filed can be seen a minute later."""
    crm.clock.set(crm.clock() + timedelta(minutes=1))
    return crm


def lines(crm: Any, **asked: Any) -> list[tuple[str, str, str]]:
    rows = crm.run("preparation list", **asked).rows
    return [(r["code"], r["result"], r["due_at"].isoformat()) for r in rows]


@pytest.mark.parametrize("door", ["command", "timeline"])
def test_an_allergy_said_after_the_build_stops_the_room(crm, door) -> None:
    if door == "command":
        crm.run("preference declare", customer="G0", code="FOOD_ALLERGY", value="nuts")
    else:
        crm.store.interactions.log(
            NewInteraction(
                kind="hotel.statement", customer_id=crm.store.customers.find("G0").id,
                occurred_at=NOW - timedelta(minutes=5),
                payload={"code": "FOOD_ALLERGY", "value": "nuts"},
            )
        )  # fmt: skip
    later(crm)
    with pytest.raises(MoveRefused, match="R0 is not prepared: FOOD_ALLERGY is required"):
        crm.run("preparation finish", reservation="R0")
    assert crm.store.records.find("hotel.reservation", "R0").values["prepared_at"] is None
    later(crm).run("preparation mark", reservation="R0", code="FOOD_ALLERGY", result="met")
    crm.run("preparation finish", reservation="R0")
    assert crm.store.records.find("hotel.reservation", "R0").values["prepared_at"] == crm.clock()


def test_lines_follow_a_booking_that_is_moved(crm) -> None:
    """Due at noon of the day of arrival in Berlin, 10:00 UTC; what was put there has to be put again."""
    assert lines(crm) == [("PIL_TYPE", "open", "2026-04-01T12:00:00+02:00")]
    crm.run("preparation mark", reservation="R0", code="PIL_TYPE", result="met")
    book(crm, "R0", arrival_on=date(2026, 4, 2), departure_on=date(2026, 4, 4), eta="18:00")
    later(crm).run("preparation build")
    assert lines(later(crm)) == [("PIL_TYPE", "open", "2026-04-02T17:00:00+02:00")]
    assert lines(crm, arrival=date(2026, 4, 1)) == []
    crm.run("preparation mark", reservation="R0", code="PIL_TYPE", result="met")
    later(crm).run("preparation build")
    assert lines(crm, every=True) == [("PIL_TYPE", "met", "2026-04-02T17:00:00+02:00")]


def test_a_line_is_listed_for_the_new_day_before_it_is_built_again(crm) -> None:
    book(crm, "R0", arrival_on=date(2026, 5, 1), departure_on=date(2026, 5, 4))
    assert lines(crm, arrival=date(2026, 4, 1)) == []
    assert lines(crm, arrival=date(2026, 5, 1)) == [
        ("PIL_TYPE", "open", "2026-05-01T12:00:00+02:00")
    ]


@pytest.mark.parametrize("status", ["cancelled", "no_show", "option"])
def test_nothing_is_prepared_for_a_booking_that_is_not_kept(crm, status) -> None:
    book(crm, "R0", status=status)
    assert lines(crm) == []
    with pytest.raises(MoveRefused, match=f"its status is {status}, not confirmed or in_house"):
        crm.run("preparation finish", reservation="R0")


@pytest.mark.parametrize(
    ("eta", "due"),
    [
        # An hour before; who comes after midnight comes on the next day of the calendar.
        ("00:30", "2026-04-01T23:30:00+02:00"), ("01:30", "2026-04-02T00:30:00+02:00"),
        ("05:59", "2026-04-02T04:59:00+02:00"), ("06:00", "2026-04-01T05:00:00+02:00"),
        ("23:30", "2026-04-01T22:30:00+02:00"),
    ],
)  # fmt: skip
def test_a_late_arrival_belongs_to_the_business_date(crm, eta, due) -> None:
    book(crm, "R0", eta=eta)
    assert lines(crm) == [("PIL_TYPE", "open", due)]


def test_after_midnight_the_hotel_still_has_yesterday(crm) -> None:
    """At 00:30 in Berlin of 2 April the arrivals to prepare are those of 2 April, not of 3 April."""
    for moment, day in (
        ("2026-04-01T21:59:00+00:00", 1), ("2026-04-01T22:30:00+00:00", 1),
        ("2026-04-02T03:59:59+00:00", 1), ("2026-04-02T04:00:00+00:00", 2),
    ):  # fmt: skip
        at = datetime.fromisoformat(moment)
        assert business_date(crm, type(crm.as_of()).at(at, "Europe/Berlin")) == date(2026, 4, day)
    assert business_date(crm, crm.as_of("2026-04-01")) == date(2026, 4, 1)
    book(crm, "R1", arrival_on=date(2026, 4, 2), departure_on=date(2026, 4, 3))
    crm.clock.set(datetime(2026, 4, 1, 22, 30, tzinfo=UTC))
    assert sum(r["new"] for r in crm.run("preparation build", days=1).rows) == 1


def test_two_bookings_of_a_guest_for_one_day_are_said(crm) -> None:
    """R1 for the same day and R2 over the last night are; R3 begins when R0 ends."""
    book(crm, "R1", arrival_on=date(2026, 4, 1), departure_on=date(2026, 4, 2))
    book(crm, "R2", arrival_on=date(2026, 4, 2), departure_on=date(2026, 4, 3))
    book(crm, "R3", arrival_on=date(2026, 4, 3), departure_on=date(2026, 4, 5))
    book(crm, "R4", arrival_on=date(2026, 4, 1), departure_on=date(2026, 4, 3), status="cancelled")
    ids = {r: crm.store.records.find("hotel.reservation", r).id for r in ("R0", "R1", "R2")}
    rows = crm.reports.run("hotel.arrivals", {}, later(crm).as_of()).table.to_pylist()
    found = {(r["reservation_id"], r["val"]) for r in rows if r["code"] == "ALSO_BOOKED"}
    assert found == {
        (ids["R0"], f"reservation {ids['R1']}"), (ids["R0"], f"reservation {ids['R2']}"),
        (ids["R1"], f"reservation {ids['R0']}"),
    }  # fmt: skip


def test_lines_of_a_cancelled_booking_are_closed_and_opened_when_it_is_kept_again(crm) -> None:
    """H-R5 counts required lines that are open: 1 of the allergy, none while cancelled, then 1 again."""
    crm.run("preference declare", customer="G0", code="FOOD_ALLERGY", value="nuts")
    later(crm).run("preparation build")

    def results() -> dict[str, str]:
        return dict(crm.store.records.read("hotel.preparation", ["code", "result"]))

    def required_open() -> int:
        table = crm.features.build(
            "hotel.reservation", ["hotel.required_open"], Population.at(later(crm).as_of())
        )
        return table.to_pylist()[0]["hotel_required_open"]

    assert (results(), required_open()) == ({"PIL_TYPE": "open", "FOOD_ALLERGY": "open"}, 1)
    book(crm, "R0", status="cancelled")
    later(crm).run("preparation build")
    closed = {"PIL_TYPE": "cancelled", "FOOD_ALLERGY": "cancelled"}
    assert (results(), required_open()) == (closed, 0)
    book(crm, "R0", status="confirmed")
    later(crm).run("preparation build")
    assert (results(), required_open()) == ({"PIL_TYPE": "open", "FOOD_ALLERGY": "open"}, 1)
