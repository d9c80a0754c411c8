"""One house through its commands: arrivals, preparation, callers, points, claims, referrals, merging."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import crmkit
from crmkit.entities import ContactBatch, ContactPoint, CustomerRef, NewInteraction
from crmkit.errors import MoveRefused, UsageError
from crmkit.testing.clock import SettableClock

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Three guests: one arrives tomorrow and likes down and has an allergy, one is in the house, one is hidden there."""
    folder = tmp_path_factory.mktemp("house") / "workspace"
    clock = SettableClock(NOW - timedelta(days=1))
    with crmkit.init(
        folder,
        plugins=("hotel",),
        clock=clock,
        actor="ann",
        rights=("ann:hotel.presence", "ann:hotel.care"),
    ) as opened:
        for number, (name, level) in enumerate(
            (("Ada Berg", "normal"), ("Ben Dahl", "normal"), ("Cy Hidden", "presence_secret"))
        ):
            opened.store.customers.add(
                name=name, refs=[CustomerRef("pms", f"G{number}")],
                contact_points=[ContactPoint("address", f"Street {number % 2}")],
                fields={"hotel": {"privacy_level": level}},
            )  # fmt: skip
        book(opened, "G0", "R0", date(2026, 4, 1), "confirmed")
        for guest in (1, 2):
            book(opened, f"G{guest}", f"R{guest}", date(2026, 3, 29), "in_house")
        opened.run("preference declare", customer="G0", code="PIL_TYPE", value="down")
        opened.run("preference declare", customer="G0", code="FOOD_ALLERGY", value="nuts")
        opened.store.records.set(
            "hotel.supply",
            source="pms",
            ref="d",
            values={"property": "HER", "code": "PIL_TYPE", "value": "feather", "quantity": 3},
        )
        clock.set(NOW)
        yield opened


def book(crm: Any, guest: str, ref: str, arrival: date, status: str, **more: Any) -> Any:
    return crm.store.records.set(
        "hotel.reservation", source="pms", ref=ref, owner_id=crm.store.customers.find(guest).id,
        values={"property": "HER", "status": status, "arrival_on": arrival,
                "departure_on": arrival + timedelta(days=3), **more},
    )  # fmt: skip


def test_h_r2_h_r5_lines_are_built_marked_and_an_open_allergy_stops_the_room(crm) -> None:
    built = {
        r["department"]: (r["new"], r["unavailable"]) for r in crm.run("preparation build").rows
    }
    # The house tracks pillows and has no down: sold out, feather stands in. The allergy is the kitchen's.
    assert (built["housekeeping"], built["kitchen"]) == ((1, 1), (1, 0))
    assert sum(r["new"] for r in crm.run("preparation build").rows) == 0
    (line,) = crm.run("preparation list", department="kitchen").rows
    assert (line["code"], line["value"], line["required"]) == ("FOOD_ALLERGY", "nuts", True)
    assert [r["value"] for r in crm.run("preparation list").rows] == ["see kitchen"]
    with pytest.raises(
        MoveRefused, match="R0 is not prepared: FOOD_ALLERGY is required and not met"
    ):
        crm.run("preparation finish", reservation="R0")
    with pytest.raises(UsageError, match="not_met needs --reason"):
        crm.run("preparation mark", reservation="R0", code="FOOD_ALLERGY", result="not_met")
    crm.run("preparation mark", reservation="R0", code="food_allergy", result="met")
    crm.run("preparation finish", reservation="R0")
    assert crm.store.records.find("hotel.reservation", "R0").values["prepared_at"] == NOW
    pillow = crm.store.records.list("hotel.preparation", where={"code": "PIL_TYPE"})[0].values
    assert (pillow["result"], pillow["substitute"], pillow["reason"]) == (
        "unavailable",
        "feather",
        "sold out",
    )


def test_h_r1_a_caller_gets_the_same_words_for_hidden_away_and_unknown(crm) -> None:
    said = {
        who: crm.run("guest ask", who=who).rows[0]["say"]
        for who in ("Cy Hidden", "G2", "Ada Berg", "Nobody At All")
    }
    assert set(said.values()) == {"There is nobody of that name whom I can connect you with."}
    assert crm.run("guest ask", who="Ben").rows[0]["say"].startswith("In the house")
    hidden = crm.store.customers.find("G2").id
    kinds = [i.payload["answer"] for i in crm.store.interactions.list_for(hidden)]
    assert kinds.count("refused") == 2


def test_who_is_in_the_house_by_name_for_those_with_the_right(crm) -> None:
    rows = crm.run("guest in-house").rows
    assert [(r["privacy"], r["property"]) for r in rows] == [("presence_secret", "HER")]


def test_h_r11_points_of_a_stay_are_posted_once_for_three_rooms_at_most(crm) -> None:
    """Two nights in five rooms: 500 x 2 x 3 = 3,000 points; the balance is the sum of the entries."""
    booked = book(crm, "G1", "R9", date(2026, 3, 1), "checked_out", rooms=5)
    crm.store.records.set(
        "hotel.stay", source="pms", ref="S9", owner_id=booked.id,
        values={"nights": 2, "checked_in_on": date(2026, 3, 1), "checked_out_on": date(2026, 3, 3)},
    )  # fmt: skip
    assert crm.run("loyalty post").rows == [{"stays": 1, "points": 3000}]
    assert crm.run("loyalty post").rows == [{"stays": 0, "points": 0}]
    guest = crm.store.customers.find("G1").id
    accounts = crm.service("ledger.accounts")
    assert accounts.balances("hotel.points", [guest]) == {guest: 3000}
    assert accounts.unbalanced("hotel.points") == []


def test_one_corrected_stay_moves_its_difference_and_stops_nobody(crm) -> None:
    """Issue 14, line 8: 500 points a night. S10 of two nights had three, S11 one, S12 was another guest's.

    2 x 500 + 2 x 500 + 500 = 2,500 at first; then +500, -500 and a move, whose guest has 500 more.
    The points of S11 are spent, so 500 cannot be taken: it is named, and the others are posted.
    """
    accounts, records = crm.service("ledger.accounts"), crm.store.records
    guests = [
        crm.store.customers.add(name=f"Guest {n}", refs=[CustomerRef("pms", f"L{n}")]).id
        for n in range(3)
    ]
    for number, guest, nights in ((10, 0, 2), (11, 1, 2), (12, 0, 1)):
        booked = book(crm, f"L{guest}", f"R{number}", date(2026, 3, 1), "checked_out")
        records.set(
            "hotel.stay", source="pms", ref=f"S{number}", owner_id=booked.id,
            values={"nights": nights, "checked_out_on": date(2026, 3, 3)},
        )  # fmt: skip
    assert crm.run("loyalty post").rows == [{"stays": 3, "points": 2500}]
    accounts.post(
        "hotel.points", [accounts.posting(customer_id=guests[1], amount=-900, kind="burn")]
    )
    for number, nights in ((10, 3), (11, 1)):
        records.set("hotel.stay", source="pms", ref=f"S{number}", values={"nights": nights})
    records.set(
        "hotel.reservation", source="pms", ref="R12", owner_id=guests[2],
        values={"arrival_on": date(2026, 3, 1)},
    )  # fmt: skip
    answer = crm.run("loyalty post")
    assert answer.rows == [{"stays": 2, "points": 1000}]
    assert list(answer.remarks) == [
        "stay-S11 is not posted: hotel.points: the balance is 100, and 500 was to be taken."
    ]
    assert accounts.balances("hotel.points", guests) == dict(
        zip(guests, (1500, 100, 500), strict=True)
    )
    # A check-out that was entered by mistake is taken back with its points.
    records.set("hotel.stay", source="pms", ref="S10", values={"checked_out_on": None})
    assert crm.run("loyalty post").rows == [{"stays": 1, "points": -1500}]
    assert accounts.unbalanced("hotel.points") == []
    records.set("hotel.stay", source="pms", ref="S11", values={"nights": 2})


def test_stays_of_two_systems_with_one_key_earn_both(crm) -> None:
    for source, guest in (("pms", "G1"), ("old", "G0")):
        booked = book(crm, guest, f"R-{source}", date(2026, 2, 1), "checked_out")
        crm.store.records.set(
            "hotel.stay", source=source, ref="1", owner_id=booked.id,
            values={"checked_in_on": date(2026, 2, 1), "checked_out_on": date(2026, 2, 3)},
        )  # fmt: skip
    assert crm.run("loyalty post").rows == [{"stays": 2, "points": 2000}]
    assert crm.run("loyalty post").rows == [{"stays": 0, "points": 0}]


def test_an_imported_referral_of_an_unknown_guest_stops_no_other(crm) -> None:
    for source, ref, referrer in (("web", "1", "nobody"), ("web", "2", "G1"), ("app", "2", "G2")):
        friend = crm.store.customers.add(name=ref, refs=[CustomerRef(source, f"friend {ref}")])
        booked = crm.store.records.set(
            "hotel.reservation", source="pms", ref=f"RR-{source}{ref}", owner_id=friend.id,
            values={"status": "checked_out", "arrival_on": date(2026, 3, 1)},
        )  # fmt: skip
        crm.store.records.set(
            "hotel.stay", source="pms", ref=f"SR-{source}{ref}", owner_id=booked.id,
            values={"checked_out_on": date(2026, 3, 2)},
        )  # fmt: skip
        crm.store.records.set(
            "hotel.referral", source=source, ref=ref, owner_id=friend.id,
            values={"referrer": referrer, "state": "open"},
        )  # fmt: skip
    paid = crm.run("loyalty settle")
    assert [r["points"] for r in paid.rows] == [2000, 2000]
    assert [r["state"] for r in paid.rows] == ["paid", "paid"]
    (said,) = paid.remarks
    assert said.startswith("referral web:1 is not paid: there is no customer 'nobody'")
    assert crm.run("loyalty settle").rows == []


@pytest.mark.parametrize(
    ("guest", "reservation", "out", "reason"),
    [
        # Sixty days before 31 March is 30 January.
        ("G0", "C1", date(2026, 1, 30), "granted"), ("G0", "C2", date(2026, 1, 29), "late"),
        ("G0", "C3", None, "not_found"), ("G1", "C4", date(2026, 3, 1), "not_own_stay"),
        ("G0", "unknown", None, "not_found"),
    ],
)  # fmt: skip
def test_h_r11_missing_stay_claims(crm, guest, reservation, out, reason) -> None:
    if reservation != "unknown":
        booked = book(crm, "G0", reservation, date(2026, 1, 1), "checked_out")
        if out:
            crm.store.records.set(
                "hotel.stay", source="pms", ref=f"S-{reservation}", owner_id=booked.id,
                values={"nights": 1, "checked_out_on": out},
            )  # fmt: skip
    (row,) = crm.run("loyalty claim", customer=guest, reservation=reservation).rows
    assert (row["reason"], row["points"]) == (reason, 500 if reason == "granted" else 0)
    if reason == "granted":
        assert (
            crm.run("loyalty claim", customer=guest, reservation=reservation).rows[0]["reason"]
            == "already_posted"
        )


def test_h_r13_a_referrer_is_paid_after_the_first_stay_and_never_for_oneself(crm) -> None:
    store = crm.store
    friend = store.customers.add(name="Finn Frost", refs=[CustomerRef("pms", "F1")])
    with pytest.raises(UsageError, match="same address"):
        same = store.customers.add(
            name="Twin",
            refs=[CustomerRef("pms", "F2")],
            contact_points=[ContactPoint("address", "street 0")],
        )
        crm.run("loyalty refer", referrer="G0", friend=str(same.id))
    with pytest.raises(UsageError, match="same guest"):
        crm.run("loyalty refer", referrer="G0", friend="G0")
    crm.run("loyalty refer", referrer="G1", friend="F1")
    assert crm.run("loyalty settle").rows == []
    booked = book(crm, "F1", "RF", date(2026, 3, 20), "checked_out")
    store.records.set(
        "hotel.stay",
        source="pms",
        ref="SF",
        owner_id=booked.id,
        values={"checked_out_on": date(2026, 3, 22)},
    )
    assert [r["points"] for r in crm.run("loyalty settle").rows] == [2000]
    assert crm.run("loyalty settle").rows == []
    assert friend.id != store.customers.find("G1").id


def test_h_r8_no_offers_for_seven_days_after_a_complaint(crm) -> None:
    from crmkit_hotel.blocks import complained

    guest = crm.store.customers.find("G1").id
    for ref, at, solved in (
        ("a", NOW - timedelta(days=3), True),
        ("b", NOW - timedelta(days=1), False),
    ):
        crm.store.interactions.log(
            NewInteraction(
                kind="hotel.complaint",
                occurred_at=at,
                customer_id=guest,
                ref=ref,
                payload={"solved": solved},
            )
        )
    blocks = complained(crm, ContactBatch(customers=(guest,), since=NOW, until=NOW))
    assert sorted(b.until for b in blocks) == [NOW + timedelta(days=4), NOW + timedelta(days=59)]


def test_h_r14_a_companions_preference_is_not_learnt_as_the_guests(crm) -> None:
    guest = crm.store.customers.find("G1").id
    payload = {"code": "DRINK", "value": "milk", "mode": "declared", "companion": True}
    crm.store.interactions.log(
        NewInteraction(kind="hotel.fnb_order", occurred_at=NOW, customer_id=guest, payload=payload)
    )
    crm.run("preference learn")
    assert [r["code"] for r in crm.run("preference list", customer="G1", every=True).rows] == []


def test_h5_the_stricter_privacy_level_stays_when_two_profiles_are_one(crm) -> None:
    store = crm.store
    kept = store.customers.add(
        name="Dora Twin",
        refs=[CustomerRef("pms", "T1")],
        fields={"hotel": {"privacy_level": "normal", "vip_level": "3"}},
    )
    other = store.customers.add(
        name="D. Twin",
        refs=[CustomerRef("web", "T2")],
        fields={"hotel": {"privacy_level": "room_secret", "vip_level": "1"}},
    )
    crm.duplicates.merge([(kept.id, other.id)])
    fields = store.customers.fields(kept.id)["hotel"]
    assert (fields["privacy_level"], fields["vip_level"]) == ("room_secret", "1")


def test_h_r12_tiers_go_up_at_once_and_keep_grace(crm) -> None:
    scheme = crm.catalog.tier_schemes["hotel.club"]
    assert [t.name for t in scheme.tiers] == ["member", "silver", "gold", "platinum"]
    assert (scheme.grace_days, scheme.soft_landing, scheme.rest_days) == (90, True, 365)
    moved = crm.run("tier review", scheme="hotel.club").rows
    # Two nights in the last year: everybody is a member.
    assert {r["to_tier"] for r in moved} == {"member"}


def test_the_desk_shows_bookings_and_likes_but_nothing_sensitive(crm) -> None:
    rows = crm.run("desk", who="Ada Berg").rows
    likes = [r["text"] for r in rows if r["panel"] == "hotel.preferences"]
    assert len(likes) == 1
    assert "PIL_TYPE" in likes[0]
    assert any(r["panel"] == "hotel.bookings" and "2026-04-01" in r["text"] for r in rows)


def test_what_guests_say_in_words_is_counted_for_the_catalogue(crm) -> None:
    """Two guests of three say the same, written differently; the third says something of their own."""
    for guest, said in (("G0", "Extra  blanket"), ("G1", "extra blanket"), ("G2", "a harp")):
        crm.run("preference declare", customer=guest, code="FREE_TEXT", value=said)
    assert crm.run("preference words").rows == [
        {"words": "extra blanket", "guests": 2, "last_said_on": NOW.date()}
    ]
    asked = "SELECT value FROM hotel_preference WHERE code = 'FREE_TEXT'"
    rows = crm.query(asked, crm.as_of("2026-04-01")).to_pylist()
    # The same words have the same label, and the snapshot has no words (D17).
    assert len(rows) == 3
    assert len({row["value"] for row in rows}) == 2
    assert all(row["value"].startswith("in words ") for row in rows)
    with pytest.raises(UsageError, match="housekeeping_observation takes no words"):
        crm.run("preference observe", customer="G0", code="FREE_TEXT", value="a harp")
    assert [r["words"] for r in crm.run("preference words", least=1).rows] == [
        "extra blanket", "a harp",
    ]  # fmt: skip
