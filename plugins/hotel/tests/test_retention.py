"""H-R16: who is made anonymous, who is held, and that nothing in the database names them afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.entities import ContactPoint, CustomerRef, NewInteraction
from crmkit.testing.clock import SettableClock

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
# 1,096 days before 31 March 2026 is 31 March 2023 (2024 is a leap year); a day later is a day too few.
THREE_YEARS, NOT_YET = date(2023, 3, 31), date(2023, 4, 1)
CANARIES = (
    "Zacharias", "zach.canary", "+43999000111", "LC-CANARY", "PASS-CANARY", "1971-07-07",
    "ALIAS-CANARY", "ROOM-CANARY", "WORDS-CANARY", "NOTE-CANARY", "Companion-Canary",
)  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """Seven guests with three nights each, who differ in one thing; and the first one's double."""
    folder = tmp_path_factory.mktemp("retention") / "house"
    clock = SettableClock(NOW - timedelta(days=1200))
    with crmkit.init(folder, plugins=("hotel",), clock=clock, actor="ann") as crm:
        for name, out, profile in (
            ("due", THREE_YEARS, {}), ("recent", NOT_YET, {}), ("consents", THREE_YEARS, {}),
            ("held", THREE_YEARS, {"hold_reason": "suit 17"}),
            ("was-held", THREE_YEARS, {"hold_reason": "suit 16", "hold_until_on": date(2026, 3, 30)}),
            ("blocked", THREE_YEARS, {"guest_flags": ["blocklist"]}), ("booked", THREE_YEARS, {}),
        ):  # fmt: skip
            _guest(crm, name, out, profile)
        _name(crm, "due")
        double = _guest(crm, "double", None, {"card_fingerprint": "LC-CANARY-3"})
        crm.run("consent give", customer="consents", channel="email", purpose="marketing")
        clock.set(NOW)
        _book(crm, "booked", date(2026, 5, 1), "confirmed")
        crm.duplicates.merge([(crm.store.customers.find("due").id, double)])
        yield crm, folder


def _guest(crm, ref, out, profile) -> int:
    person = crm.store.customers.add(
        name="Zacharias Canary" if ref == "double" else f"Guest {ref}",
        refs=[CustomerRef("pms", ref)], fields={"hotel": {"home_market": "AT", **profile}},
        contact_points=[ContactPoint("email", f"{ref}.zach.canary@example.com")],
    )  # fmt: skip
    if out is not None:
        booked = _book(crm, ref, out - timedelta(days=3), "checked_out")
        crm.store.records.set(
            "hotel.stay", source="pms", ref=f"S-{ref}", owner_id=booked,
            values={"nights": 3, "room_no": "ROOM-CANARY", "checked_out_on": out},
        )  # fmt: skip
    return person.id


def _book(crm, ref, arrival, status) -> int:
    return crm.store.records.set(
        "hotel.reservation", source="pms", ref=f"R-{ref}-{status}",
        owner_id=crm.store.customers.find(ref).id,
        values={"property": "HER", "status": status, "arrival_on": arrival},
    ).id  # fmt: skip


def _name(crm, ref) -> None:
    """Everything that says who somebody is, in today's and in an earlier version."""
    store = crm.store
    person = store.customers.find(ref)
    for loyalty in ("LC-CANARY-1", "LC-CANARY-2"):
        stored = store.customers.get(person.id)
        store.customers.edit(
            person.id, version=stored.version, changes={"name": f"Zacharias {loyalty}"},
            contact_points=[ContactPoint("phone", "+43999000111")],
            fields={
                "hotel": {"loyalty_no": loyalty, "passport_no": "PASS-CANARY", "alias": "ALIAS-CANARY",
                          "birth_date": date(1971, 7, 7)},
                "core": {"given_name": "Zacharias"},
            },
        )  # fmt: skip
    booked = store.records.find("hotel.reservation", f"R-{ref}-checked_out").id
    for type_, owner, values in (
        ("hotel.companion", booked, {"companion_name": "Companion-Canary"}),
        ("hotel.preference", person.id, {"code": "FREE_TEXT", "note": "NOTE-CANARY",
                                         "mode": "declared", "status": "declared"}),
    ):  # fmt: skip
        store.records.set(type_, source="pms", ref=f"N-{ref}", owner_id=owner, values=values)
    store.interactions.log(
        NewInteraction(
            kind="hotel.complaint", occurred_at=store.clock(), customer_id=person.id,
            payload={"text": "WORDS-CANARY", "solved": True},
        )
    )  # fmt: skip


def _found(folder: Path, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Tables of the database that hold one of the words, whatever the column."""
    with sqlite3.connect(folder / "crmkit.db") as db:
        asked = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        # The index of fragments itself cannot be read row by row; it holds no words.
        tables = [name for (name,) in asked if name != "search_gram"]
        return [
            (table, word)
            for table in tables
            for row in db.execute(f'SELECT * FROM "{table}"')
            for word in words
            if any(word in str(value) for value in row)
        ]


def test_h_r16_profiles_without_ground_become_anonymous_and_the_totals_stay(house) -> None:
    crm, folder = house
    totals = "SELECT count(*) AS stays, sum(nights) AS nights FROM hotel_stay"
    crm.store.customers.search("Zacharias")
    before = crm.query(totals).to_pylist()
    assert before == [{"stays": 7, "nights": 21}]
    with crm.store.rehearsal():
        tried = crm.run("guest anonymise").rows
    assert len(crm.store.customers.search("Zacharias")) == 1
    done = crm.run("guest anonymise").rows
    assert tried == done
    keys = {
        crm.store.customers.find(n).id: n for n in ("due", "was-held", "held", "blocked", "booked")
    }
    assert {keys[row["customer_id"]]: (row["result"], row["why"]) for row in done} == {
        "due": ("anonymous", "Hotel brief, section 7, rule H-R16"),
        "was-held": ("anonymous", "Hotel brief, section 7, rule H-R16"),
        "held": ("held", "legal hold"),
        "blocked": ("held", "on the blocklist"),
        "booked": ("held", "a booking is open"),
    }
    assert {row["last_stay_on"] for row in done} == {THREE_YEARS}
    assert crm.store.customers.search("Zacharias") == []
    gone = [word for word in CANARIES if word != "ROOM-CANARY"]
    others = {"zach.canary"}  # of those who stay
    assert [hit for hit in _found(folder, tuple(gone)) if hit[1] not in others] == []
    kept = [p.value for n in ("held", "recent") for p in crm.store.customers.find(n).contact_points]
    assert kept == ["held.zach.canary@example.com", "recent.zach.canary@example.com"]
    assert len([h for h in _found(folder, ("due.zach.canary", "double.zach.canary"))]) == 0
    # Two of the seven rooms are forgotten.
    assert len(_found(folder, ("ROOM-CANARY",))) == 5
    assert crm.query(totals).to_pylist() == before
    guest = crm.store.customers.find("due").id
    assert crm.store.customers.fields(guest)["hotel"]["anonymised_on"] == NOW.date()
    assert crm.store.customers.fields(guest)["hotel"]["home_market"] == "AT"
    said = {i.kind: i.payload for i in crm.store.interactions.list_for(guest)}
    assert said["hotel.complaint"] == {"solved": True}
    assert said["hotel.anonymised"]["last_stay_on"] == THREE_YEARS


def test_h_r16_it_is_done_once_and_the_held_are_asked_again(house) -> None:
    crm, _ = house
    crm.clock.set(NOW + timedelta(minutes=1))
    assert {row["result"] for row in crm.run("guest anonymise").rows} == {"held"}
