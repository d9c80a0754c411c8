"""What the timeline teaches of a guest, from when on it is held, and what stays and referrals earn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import crmkit
from crmkit.entities import ContactPoint, CustomerRef, NewInteraction
from crmkit.errors import UsageError
from crmkit.testing.clock import SettableClock
from crmkit_hotel.preference.learning import facts_of

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SEEN, SAID = "housekeeping_observation", "statement"


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A guest with a stay of business, one that has not ended, and a booking for tomorrow."""
    clock = SettableClock(NOW)
    folder = tmp_path_factory.mktemp("learning") / "house"
    with crmkit.init(folder, plugins=("hotel",), clock=clock, actor="ann") as opened:
        guest = opened.store.customers.add(name="Ada Berg", refs=[CustomerRef("pms", "G0")]).id
        for ref, arrival, departure, status, purpose in (
            ("R1", date(2026, 3, 1), date(2026, 3, 3), "checked_out", "business"),
            ("R2", date(2026, 3, 10), None, "in_house", None),
            ("R3", date(2026, 4, 1), date(2026, 4, 3), "confirmed", "family"),
        ):
            opened.store.records.set(
                "hotel.reservation",
                source="pms",
                ref=ref,
                owner_id=guest,
                values={
                    "status": status,
                    "arrival_on": arrival,
                    "departure_on": departure,
                    "purpose": purpose,
                },
            )
        yield opened


def fact(crm: Any, kind: str, day: int, subject: str | None = None, **payload: Any) -> Any:
    """The one fact that such an interaction of a day of March gives a new guest with the same stays."""
    guest = crm.store.customers.find("G0").id
    crm.store.interactions.log(
        NewInteraction(
            kind=f"hotel.{kind}",
            customer_id=guest,
            occurred_at=datetime(2026, 3, day, 12, tzinfo=UTC),
            source="test",
            ref="the one",
            subject_id=crm.store.records.find("hotel.reservation", subject).id if subject else None,
            payload={"code": "PIL_TYPE", "value": "down", **payload},
        )
    )
    _, evidence, _ = facts_of(crm, [guest])
    return evidence[guest]


@pytest.mark.parametrize(
    ("day", "about", "stay", "purpose"),
    [
        # From the day of arrival to that of departure, or on and on where none is known.
        (1, None, "R1", "business"),
        (3, None, "R1", "business"),
        (10, None, "R2", "any"),
        (30, None, "R2", "any"),
        (4, None, "2026-03-04", "any"),
        (9, None, "2026-03-09", "any"),
        # What is said of a booking belongs to it, whatever the day; one of no stay has no purpose.
        (20, "R1", "R1", "business"),
        (2, "R2", "R2", "any"),
        (2, "R3", "R3", "any"),
    ],
)
def test_a_fact_belongs_to_the_stay_of_its_day_or_to_the_one_it_names(
    crm, day, about, stay, purpose
) -> None:
    (seen,) = fact(crm, SEEN, day, about)
    found = crm.store.records.find("hotel.reservation", stay).id if stay[0] == "R" else stay
    assert (seen.stay, seen.purpose, seen.on) == (found, purpose, date(2026, 3, day))


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        (
            SEEN,
            {},
            {
                "mode": "observed",
                "holds": True,
                "purpose": "business",
                "strength": "",
                "property": "chain",
                "touchpoint": SEEN,
                "share": None,
            },
        ),
        (
            SEEN,
            {"holds": False, "mode": "praised", "property": "HER"},
            {"mode": "praised", "holds": False, "property": "HER"},
        ),
        (SEEN, {"purpose": "leisure"}, {"purpose": "leisure"}),
        (SEEN, {"purpose": "unknown"}, {"purpose": "any"}),
        # The guest's word holds for every trip unless it names one.
        (SAID, {}, {"mode": "declared", "purpose": "any", "touchpoint": SAID}),
        (
            SAID,
            {"purpose": "leisure", "strength": "avoid", "share": False},
            {"purpose": "leisure", "strength": "avoid", "share": False},
        ),
        (SAID, {"mode": "observed"}, {"mode": "observed", "purpose": "business"}),
    ],
)
def test_a_fact_says_how_it_is_known_and_for_what(crm, kind, payload, expected) -> None:
    found = [f for f in fact(crm, kind, 2, **payload) if f.touchpoint == kind][-1]
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    "payload", [{"companion": True}, {"code": None, "value": None}, {"value": None}]
)
def test_what_is_of_a_companion_or_says_nothing_is_no_fact(crm, payload) -> None:
    assert [f for f in fact(crm, "fnb_order", 2, **payload) if f.touchpoint == "fnb_order"] == []


def test_what_is_learnt_or_filed_today_holds_from_this_moment_on(crm) -> None:
    crm.store.records.set(
        "hotel.reservation",
        source="pms",
        ref="R3",
        values={"status": "confirmed", "arrival_on": date(2026, 4, 1)},
    )
    crm.clock.set(NOW + timedelta(hours=1))
    asked = "SELECT min(valid_from) AS at FROM hotel_preference"
    crm.run("preference declare", customer="G0", code="DESK", value="yes")
    crm.clock.set(NOW + timedelta(hours=2))
    crm.run("preparation build")
    crm.clock.set(NOW + timedelta(hours=3))
    now = crm.as_of()
    filed = crm.query("SELECT valid_from FROM hotel_preparation", now).to_pylist()
    assert {row["valid_from"].replace(tzinfo=UTC) for row in filed} == {NOW + timedelta(hours=2)}
    desk = crm.query(f"{asked} WHERE code = 'DESK'", now).to_pylist()
    assert desk[0]["at"].replace(tzinfo=UTC) == NOW + timedelta(hours=1)


def test_a_friend_who_is_still_in_the_house_or_has_the_same_card_earns_nothing(crm) -> None:
    """H-R13: paid on the day of the check-out and not before; a referral of one's own card is refused."""
    customers, records = crm.store.customers, crm.store.records
    for number, card in (("T", "c1"), ("F", "c2"), ("S", "c1"), ("N1", None), ("N2", None)):
        customers.add(
            name=f"Guest {number}",
            refs=[CustomerRef("pms", number)],
            contact_points=[ContactPoint("address", f"Street {number}")],
            fields={"hotel": {"card_fingerprint": card}},
        )
    with pytest.raises(UsageError, match="S cannot be referred by T: same card"):
        crm.run("loyalty refer", referrer="T", friend="S")
    crm.run("loyalty refer", referrer="N1", friend="N2")
    crm.run("loyalty refer", referrer="T", friend="F")
    booked = records.set(
        "hotel.reservation",
        source="pms",
        ref="RF",
        owner_id=customers.find("F").id,
        values={"status": "in_house", "arrival_on": date(2026, 3, 29)},
    )
    for out, paid in ((None, []), (date(2026, 4, 1), []), (date(2026, 3, 31), [2000])):
        records.set(
            "hotel.stay",
            source="pms",
            ref="SF",
            owner_id=booked.id,
            values={"checked_in_on": date(2026, 3, 29), "checked_out_on": out},
        )
        assert [row["points"] for row in crm.run("loyalty settle").rows] == paid


@pytest.mark.parametrize(
    ("rooms", "points"), [(None, 1000), (1, 1000), (2, 2000), (3, 3000), (4, 3000)]
)
def test_points_of_two_nights_are_those_of_at_most_three_rooms(crm, rooms, points) -> None:
    """500 points a night and room, posted once the stay has ended; the difference when it is corrected."""
    booked = crm.store.records.set(
        "hotel.reservation",
        source="pms",
        ref=f"RP{rooms}",
        owner_id=crm.store.customers.find("G0").id,
        values={"status": "checked_out", "arrival_on": date(2026, 2, 1), "rooms": rooms},
    )
    crm.run("loyalty post")
    crm.store.records.set(
        "hotel.stay",
        source="pms",
        ref=f"SP{rooms}",
        owner_id=booked.id,
        values={"checked_in_on": date(2026, 2, 1), "checked_out_on": date(2026, 2, 3)},
    )
    assert crm.run("loyalty post").rows == [{"stays": 1, "points": points}]
