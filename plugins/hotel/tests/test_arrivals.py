"""H3, H-R2: the arrivals sheet, on a small world whose figures are worked by hand (as of 2026-03-31)."""

from __future__ import annotations

from datetime import date

import pytest

TOMORROW = date(2026, 4, 1)


@pytest.fixture
def sheet(world):
    """The lines of the sheet by code, for one guest or all."""
    world.customers(1, 2)

    def ask(reservation: int | None = None, **parameters):
        given = {"date": None, **parameters}
        rows = world.report("arrivals", **given)
        return [
            r for r in rows if reservation in (None, r["reservation_id"]) and r["code"] != "ARRIVAL"
        ]

    return ask


def _arrives(world, guest: int = 1, on: date = TOMORROW, **more) -> None:
    world.add(
        "hotel_reservation", subject_id=guest, id=100 + guest, customer_id=guest, property="HER",
        status=more.pop("status", "confirmed"), arrival_on=on, departure_on=date(2026, 4, 3),
        booked_on=date(2026, 1, guest), **more,
    )  # fmt: skip


def _likes(world, code: str, value: str, guest: int = 1, number: int = 1, **more) -> None:
    world.add(
        "hotel_preference", subject_id=guest, id=1000 * guest + number, code=code, value=value,
        **{"status": "declared", "mode": "declared", "purpose": "any", "scope": "chain",
           "weight_for": 4.0, "weight_against": 0.0, "weighed_on": date(2026, 3, 31), "fades": True,
           "fresh_until": date(2028, 1, 1), **more},
    )  # fmt: skip


def test_only_who_arrives_on_the_day_is_on_it(world, sheet) -> None:
    for guest, on, status in (
        (1, TOMORROW, "confirmed"),
        (2, date(2026, 4, 2), "confirmed"),
        (3, TOMORROW, "cancelled"),
    ):
        _arrives(world, guest, on, status=status)
    found = {r["customer_id"] for r in world.report("arrivals", date=None)}
    assert found == {1}
    assert {r["customer_id"] for r in world.report("arrivals", date=date(2026, 4, 2))} == {2}


def test_confidence_is_that_of_the_day_of_arrival(world, sheet) -> None:
    """Weighed a year before: 4 fades to 2, (1+2)/(2+2) = 0.75; learnt once seen: (1+.5)/(2+.5) = 0.6."""
    _arrives(world, on=date(2027, 3, 31))
    _likes(world, "PIL_TYPE", "down")
    _likes(world, "BATHTUB", "true", number=2, status="learnt", weight_for=1.0)
    found = {r["code"]: r for r in sheet(date=date(2027, 3, 31))}
    assert found["PIL_TYPE"]["confidence"] == pytest.approx(0.75)
    assert found["BATHTUB"]["confidence"] == pytest.approx(0.6)
    assert (found["PIL_TYPE"]["origin"], found["BATHTUB"]["origin"]) == ("declared", "learnt")


def test_between_four_and_six_tenths_it_is_asked_and_below_it_is_left_out(world, sheet) -> None:
    """(1+1)/(2+2) = 0.5 is asked; (1+1)/(2+4) = 0.33 is left out."""
    _arrives(world, on=TOMORROW)
    _likes(
        world, "PIL_TYPE", "down", status="learnt", weight_for=1.0, weight_against=1.0, fades=False
    )
    _likes(
        world,
        "BATHTUB",
        "true",
        number=2,
        status="learnt",
        weight_for=1.0,
        weight_against=3.0,
        fades=False,
    )
    assert [(r["code"], r["origin"]) for r in sheet()] == [("PIL_TYPE", "ask")]


def test_declared_beats_learnt_and_the_booking_beats_both(world, sheet) -> None:
    _arrives(world)
    _likes(world, "PIL_TYPE", "down", status="learnt", weight_for=9.0)
    _likes(world, "PIL_TYPE", "latex", number=2)
    assert [(r["val"], r["origin"]) for r in sheet()] == [("latex", "declared")]
    world.add(
        "hotel_request",
        id=5,
        owner_id=101,
        code="PIL_TYPE",
        value="body",
        promise="special_request",
    )
    assert [(r["val"], r["origin"]) for r in sheet()] == [("body", "booking")]


def test_another_trip_or_house_or_a_stale_word_does_not_count(world, sheet) -> None:
    _arrives(world, purpose="leisure")
    _likes(world, "PIL_TYPE", "down", purpose="business", status="learnt")
    _likes(world, "TOI_BRAND", "Acme", number=2, scope="PAR")
    _likes(world, "BLACKOUT", "true", number=3, fresh_until=date(2026, 3, 1))
    assert [(r["code"], r["origin"]) for r in sheet()] == [("BLACKOUT", "ask")]


def test_at_most_as_many_of_a_group_as_the_catalogue_says(world, sheet) -> None:
    """Pillows: two of type, size, count and firmness; the surer ones (weights 7, 6, 5, 4)."""
    _arrives(world)
    for number, (code, value) in enumerate(
        (("PIL_TYPE", "down"), ("PIL_SIZE", "king"), ("PIL_COUNT", "2"), ("PIL_FIRM", "soft"))
    ):
        _likes(world, code, value, number=number, weight_for=7.0 - number)
    assert sorted(r["code"] for r in sheet()) == ["PIL_SIZE", "PIL_TYPE"]


def test_however_many_allergies_there_are_each_is_on_the_sheet(world, sheet) -> None:
    """H-R5: six allergies, although at most four of the dietary group are prepared, and the diet."""
    _arrives(world)
    allergies = ("celery", "eggs", "fish", "milk", "nuts", "sesame")
    for number, value in enumerate(allergies):
        _likes(world, "FOOD_ALLERGY", value, number=number, fades=False)
    _likes(world, "DIET", "vegan", number=9, weight_for=2.0)
    found = [(r["code"], r["val"]) for r in sheet(department="kitchen")]
    assert sorted(found) == [("DIET", "vegan"), *(("FOOD_ALLERGY", value) for value in allergies)]


def test_sold_out_goes_to_the_higher_level_and_the_other_gets_the_substitute(world, sheet) -> None:
    """One king room for two: VIP 1 gets it, the other a queen, of which there are three."""
    _arrives(world, 1)
    _arrives(world, 2)
    world.add("hotel_customer", subject_id=2, vip_level="1")
    for guest in (1, 2):
        _likes(world, "BED_CONF", "king", guest)
    world.add(
        "hotel_supply",
        subject_id=None,
        id=1,
        property="HER",
        code="BED_CONF",
        value="king",
        quantity=1,
    )
    world.add(
        "hotel_supply",
        subject_id=None,
        id=2,
        property="HER",
        code="BED_CONF",
        value="queen",
        quantity=3,
    )
    found = {r["customer_id"]: (r["can_be_met"], r["stand_in"]) for r in sheet()}
    assert found == {1: (False, "queen"), 2: (True, None)}


def test_what_the_guest_wants_avoided_is_no_wish_and_never_the_substitute(world, sheet) -> None:
    """No down is left; feather would stand in, but the guest avoids it, so the next one does."""
    _arrives(world)
    _likes(world, "PIL_TYPE", "down")
    _likes(world, "PIL_TYPE", "feather", number=2, strength="avoid", fades=False)
    for number, (value, left) in enumerate((("down", 0), ("feather", 3), ("hypoallergenic", 3))):
        world.add(
            "hotel_supply", subject_id=None, id=number, property="HER", code="PIL_TYPE", value=value,
            quantity=left,
        )  # fmt: skip
    columns = ("val", "origin", "can_be_met", "stand_in")
    found = {tuple(r[c] for c in columns) for r in sheet()}
    assert found == {
        ("down", "declared", False, "hypoallergenic"), ("not feather", "avoid", None, None),
    }  # fmt: skip


def test_what_guests_who_stay_on_have_is_no_longer_there(world, sheet) -> None:
    _arrives(world, 1)
    _likes(world, "BED_CONF", "king")
    world.add(
        "hotel_supply",
        subject_id=None,
        id=1,
        property="HER",
        code="BED_CONF",
        value="king",
        quantity=1,
    )
    _arrives(world, 2, date(2026, 3, 30), status="in_house")
    world.add(
        "hotel_preparation",
        subject_id=2,
        id=9,
        owner_id=102,
        code="BED_CONF",
        value="king",
        result="met",
    )
    (line,) = sheet()
    assert (line["can_be_met"], line["stand_in"]) == (False, "queen")


def test_sensitive_values_are_on_the_sheet_of_the_department_that_acts(world, sheet) -> None:
    """H-R5."""
    _arrives(world)
    _likes(world, "FOOD_ALLERGY", "peanuts", fades=False, fresh_until=None, sensitive=True)
    (line,) = sheet()
    assert (line["val"], line["required"]) == ("see the sheet of kitchen", True)
    assert [r["val"] for r in sheet(department="kitchen")] == ["peanuts"]
    assert sheet(department="housekeeping") == []


def test_tier_benefits_promises_and_complaints_are_lines(world, sheet) -> None:
    """Gold has three benefits; an unkept promise; an open case: H-R8."""
    _arrives(world)
    world.add("ledger_standing", scheme="hotel.club", tier="gold", rank=2)
    world.add(
        "hotel_recovery_gesture",
        occurred_on=date(2026, 1, 5),
        gesture="free_dinner",
        next_stay=True,
    )
    world.add("service_case", id=77, is_open=True)
    found = sorted((r["origin"], r["code"]) for r in sheet())
    assert found == [
        ("promise", "GREETING"), ("promise", "RECOVERY"), ("tier", "LATE_CHECKOUT"),
        ("tier", "UPGRADE"), ("tier", "WELCOME_AMENITY"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("born", "consent", "days"),
    [
        # Stays from 1 to 3 April: from 29 March to 6 April counts.
        (date(1980, 3, 28), True, []), (date(1980, 3, 29), True, ["2026-03-29"]),
        (date(1980, 4, 6), True, ["2026-04-06"]), (date(1980, 4, 7), True, []),
        (date(1980, 4, 2), False, []),
    ],
)  # fmt: skip
def test_occasions_within_three_days_of_the_stay(world, sheet, born, consent, days) -> None:
    """H-R15."""
    _arrives(world)
    world.add("hotel_customer", birth_date=born, occasion_consent=consent)
    assert [r["val"] for r in sheet() if r["origin"] == "occasion"] == days


@pytest.mark.parametrize("value", ["02-30", "13-01", "04-31", "1981-02-31", "soon", "00-00", "5-1"])
def test_a_day_that_no_calendar_has_leaves_the_others_on_the_sheet(world, sheet, value) -> None:
    """Issue 14, line 5: one guest's bad birthday, filed before values were checked."""
    for guest in (1, 2):
        _arrives(world, guest)
        world.add("hotel_customer", subject_id=guest, occasion_consent=True)
    _likes(world, "BIRTHDAY", value)
    _likes(world, "BIRTHDAY", "04-02", guest=2)
    _likes(world, "PIL_TYPE", "down", number=3)
    found = [(r["customer_id"], r["origin"], r["val"]) for r in sheet()]
    assert sorted(found) == [(1, "declared", "down"), (2, "occasion", "2026-04-02")]


def test_fulfilment_counts_partly_as_half(world) -> None:
    """Three met, one partly, one not of five: 3.5 / 5 = 0.7; open lines and other windows are left out."""
    results = ["met", "met", "met", "partly", "not_met", "open"]
    for number, result in enumerate(results):
        world.add(
            "hotel_preparation",
            id=number,
            owner_id=1,
            department="housekeeping",
            code="PIL_TYPE",
            result=result,
            arrival_on=date(2026, 3, 1),
        )
    world.add(
        "hotel_preparation",
        id=90,
        owner_id=1,
        department="housekeeping",
        code="PIL_TYPE",
        result="met",
        arrival_on=date(2025, 1, 1),
    )
    (row,) = world.report("fulfilment")
    assert (row["n"], row["met"], row["partly"], row["not_met"]) == (5, 3, 1, 1)
    assert row["rate"] == pytest.approx(0.7)
    # Wilson at p = 0.7, n = 5, z = 1.96: (0.7 + 0.38414 +- 1.96 * sqrt(0.21 / 5 + 0.038416)) / 1.76832.
    assert row["low"] == pytest.approx(0.2989, abs=1e-3)
    assert row["high"] == pytest.approx(0.9275, abs=1e-3)


@pytest.mark.parametrize(
    ("status", "arrives", "lines"),
    [
        ("checked_out", date(2026, 3, 1), [1]), ("cancelled", date(2026, 3, 1), []),
        ("no_show", date(2026, 3, 1), []), ("confirmed", date(2026, 4, 2), []),
    ],
)  # fmt: skip
def test_fulfilment_follows_a_booking_that_is_moved_or_cancelled(
    world, status, arrives, lines
) -> None:
    """Issue 14, line 5: built for 1 March and sold out; nobody who did not come missed it."""
    _arrives(world, on=arrives, status=status)
    world.add(
        "hotel_preparation", id=1, owner_id=101, department="housekeeping", code="PIL_TYPE",
        result="unavailable", arrival_on=date(2026, 3, 1),
    )  # fmt: skip
    assert [row["n"] for row in world.report("fulfilment")] == lines


def test_a_guest_of_two_merged_profiles_arrives_once_with_the_higher_tier(world, sheet) -> None:
    _arrives(world)
    _likes(world, "PIL_TYPE", "down")
    for number, (tier, rank) in enumerate((("member", 0), ("gold", 2))):
        world.add("ledger_standing", id=number, scheme="hotel.club", tier=tier, rank=rank)
    rows = world.report("arrivals", date=None)
    codes = [r["code"] for r in rows]
    assert {"ARRIVAL", "PIL_TYPE"} < set(codes) and len(set(codes)) == len(codes)
    assert {r["tier"] for r in rows} == {"gold"}
