"""Shipped profiles through a real workspace: the public bookings file and OPERA-like exports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import crmkit

DATA = Path(os.environ["CRMKIT_DATA"])
BOOKINGS = DATA / "hotel_bookings" / "hotel_bookings_2015_2016.csv"
HEADER = (
    "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_week_number,"
    "arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,meal,"
    "country,market_segment,distribution_channel,is_repeated_guest,previous_cancellations,"
    "previous_bookings_not_canceled,reserved_room_type,assigned_room_type,booking_changes,deposit_type,"
    "agent,company,days_in_waiting_list,customer_type,adr,required_car_parking_spaces,"
    "total_of_special_requests,reservation_status,reservation_status_date"
)
KEPT = (
    "Resort Hotel,0,342,2015,July,27,1,0,0,2,0,0,BB,PRT,Direct,Direct,0,0,0,C,C,3,No Deposit,,,0,"
    "Transient,0.0,0,0,Check-Out,2015-07-01"
)
LOST = (
    "City Hotel,1,85,2016,February,9,29,2,3,1,,0,SC,,Online TA,TA/TO,1,2,0,A,,0,Non Refund,9,,0,"
    "Transient,82.5,0,0,No-Show,2016-02-29"
)


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Any]:
    """A workspace with the hotel, whose user has the right to see hidden guests."""
    rights = ("ann:hotel.presence", "ann:hotel.care")
    with crmkit.init(
        tmp_path / "workspace", plugins=("hotel",), actor="ann", rights=rights
    ) as opened:
        yield opened


def _file(folder: Path, *lines: str) -> Path:
    path = folder / "rows.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_equal_bookings_are_several_and_come_once(crm, tmp_path) -> None:
    """D10: the file has no key, so the third equal row is told by its text and that it is the third."""
    path = _file(tmp_path, HEADER, KEPT, LOST, KEPT, KEPT)
    first = crm.import_file(path, profile="hotel-bookings")
    again = crm.import_file(path, profile="hotel-bookings")
    assert (first.created, first.rejected) == (4, 0)
    assert (again.unchanged, again.created) == (4, 0)
    booked = crm.store.records.list("hotel.reservation")
    assert len(booked) == 4
    lost = next(r.values for r in booked if r.values["property"] == "City Hotel")
    assert (lost["arrival_on"], lost["status"]) == (date(2016, 2, 29), "no_show")
    assert (lost["deposit_kind"], lost["guaranteed"], lost["meal"]) == (
        "non_refundable",
        True,
        "none",
    )
    assert (lost["channel"], lost["children"], str(lost["adr"])) == ("ota", None, "82.50")


@pytest.mark.slow
def test_the_whole_public_file_is_taken(crm) -> None:
    """All 40,000 rows accounted for, 8,697 of them equal to an earlier one (data README: 21.7 %)."""
    if not BOOKINGS.is_file():
        pytest.skip("the public data are not here")
    lines = BOOKINGS.read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) - len(set(lines)) == 8697
    done = crm.import_file(BOOKINGS, profile="hotel-bookings")
    assert (done.read, done.created, done.rejected) == (40000, 40000, 0)
    statuses = [r[0] for r in crm.store.records.read("hotel.reservation", ["status"])]
    # The data README: 13,170 cancelled and 389 no-shows.
    assert (
        statuses.count("checked_out"),
        statuses.count("cancelled"),
        statuses.count("no_show"),
    ) == (26441, 13170, 389)


PROFILES = (
    "NAME_ID,PROFILE_TYPE,FIRST,LAST,EMAIL,PHONE,BIRTH_DATE,VIP_STATUS,MEMBERSHIP_NO,NATIONALITY,PRIVATE_FLAG,MAIL_YN,MAIL_YN_DATE,TOTAL_STAYS,TOTAL_NIGHTS",
    "1001,GUEST,Ada,Berg,ada@example.com,+43660111,21.05.1980,V2,M77,AT,P,Y,02.01.2026,4,11",
    "1002,COMPANY,,Acme Ltd,desk@acme.example,+43660222,,,,,,,,,",
)
RESERVATIONS = (
    "RESV_NAME_ID,UPDATE_DATE,NAME_ID,RESORT,RESV_STATUS,ARRIVAL,DEPARTURE,NIGHTS,BOOKED,BOOKED_ROOM_CATEGORY,ROOM_CATEGORY,RATE_CODE,ORIGIN,ADULTS,CHILDREN,ROOM",
    "R1,01.03.2026,1001,HER,RESERVED,01.04.2026,03.04.2026,2,01.03.2026,DBL,,BAR,WEB,1,0,",
    "R1,03.04.2026,1001,HER,CHECKED OUT,01.04.2026,03.04.2026,2,01.03.2026,DBL,DLX,BAR,WEB,1,0,412",
    "R2,05.03.2026,1001,HER,CANCELLED,08.05.2026,09.05.2026,1,01.03.2026,DBL,,BAR,OTHER,1,0,",
)
PREFERENCES = (
    "PREFERENCE_ID,NAME_ID,PREFERENCE_TYPE,PREFERENCE,RESORT,INSERT_DATE,DESCRIPTION",
    "P1,1001,PILLOW,FOAM,*,02.03.2026,",
    "P2,1001,DIETARY,NUTS,,02.03.2026,tree nuts",
    "P3,1001,PILLOW,HAY,,02.03.2026,",
)


def test_opera_like_exports_of_profiles_reservations_and_preferences(crm, tmp_path) -> None:
    for rows, name, rejected in (
        (PROFILES, "opera-profiles", 0), (RESERVATIONS, "opera-reservations", 0),
        (PREFERENCES, "opera-preferences", 1),
    ):  # fmt: skip
        done = crm.import_file(_file(tmp_path, *rows), profile=name)
        told = Path(done.rejects_file).read_text(encoding="utf-8") if done.rejects_file else ""
        assert done.rejected == rejected, (name, told)
    guest = crm.store.customers.find("opera:1001")
    hotel = crm.store.customers.fields(guest.id)["hotel"]
    assert (hotel["vip_level"], hotel["privacy_level"], hotel["stated_stays"]) == (
        "2",
        "presence_secret",
        4,
    )
    consents = crm.service("contact.consents")
    assert consents.state(guest.id, "email", "marketing") == "given"
    assert consents.of_customer(guest.id)[0].at.date() == date(2026, 1, 2)
    booked = crm.store.records.find("hotel.reservation", "R1")
    assert (booked.values["status"], booked.values["room_type_assigned"]) == ("checked_out", "DLX")
    assert len(crm.store.records.versions("hotel.reservation", booked.id)) == 2
    assert [r.values["room_no"] for r in crm.store.records.list("hotel.stay")] == ["412"]
    crm.run("preference learn")
    held = {
        r["code"]: (r["value"], r["status"], r["confidence"] > 0.6)
        for r in crm.run("preference list", customer="1001").rows
    }
    assert held == {
        "FOOD_ALLERGY": ("nuts", "declared", True), "PIL_TYPE": ("memory_foam", "declared", True),
    }  # fmt: skip
