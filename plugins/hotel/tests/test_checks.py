"""Issue 14, line 5: what is kept of a preference is judged by the catalogue at every door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import crmkit
from crmkit.entities import CustomerRef, NewInteraction
from crmkit.errors import UsageError
from crmkit.testing.clock import SettableClock

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
REFUSED = (
    ("TEMP_C", "99", "field 'value': is not a value of TEMP_C .allowed: a number from 16 to 30."),
    ("BIRTHDAY", "02-30", "BIRTHDAY .allowed: a day of the calendar such as 05-21"),
    ("BIRTHDAY", "1981-02-29", "is not a value of BIRTHDAY"),
    ("WHEELCHAIR", "perhaps", "is not a value of WHEELCHAIR .allowed: true or false"),
    ("NO_SUCH", "1", "field 'code': is not in the catalogue of preferences"),
    ("temp_c", "21", "is not in the catalogue of preferences; did you mean TEMP_C"),
)


@pytest.fixture
def crm(tmp_path) -> Iterator[Any]:
    """One guest who arrives tomorrow."""
    with crmkit.init(
        tmp_path / "house", plugins=("hotel",), clock=SettableClock(NOW), actor="ann",
        rights=("ann:hotel.care",),
    ) as opened:  # fmt: skip
        guest = opened.store.customers.add(
            name="Ada Berg", refs=[CustomerRef("pms", "G0")],
            fields={"hotel": {"occasion_consent": True}},
        )  # fmt: skip
        opened.store.records.set(
            "hotel.reservation", source="pms", ref="R0", owner_id=guest.id,
            values={"property": "HER", "status": "confirmed", "arrival_on": date(2026, 4, 1),
                    "departure_on": date(2026, 4, 3)},
        )  # fmt: skip
        yield opened


def log(crm: Any, kind: str, **payload: Any) -> None:
    guest = crm.store.customers.find("G0").id
    crm.store.interactions.log(
        NewInteraction(
            kind=f"hotel.{kind}", occurred_at=NOW - timedelta(hours=1), customer_id=guest,
            payload=payload,
        )
    )  # fmt: skip


@pytest.mark.parametrize(("code", "value", "words"), REFUSED)
def test_the_timeline_refuses_what_the_catalogue_does_not_take(crm, code, value, words) -> None:
    for kind in ("statement", "housekeeping_observation"):
        with pytest.raises(UsageError, match=words):
            log(crm, kind, code=code, value=value)
    assert crm.run("preference learn").rows == [{"changed": 0}]


@pytest.mark.parametrize(("code", "value", "words"), REFUSED)
def test_records_refuse_it_too(crm, code, value, words) -> None:
    guest = crm.store.customers.find("G0").id
    booked = crm.store.records.find("hotel.reservation", "R0").id
    doors = (
        ("hotel.preference", guest, {"mode": "declared", "status": "declared"}),
        ("hotel.request", booked, {}),
        ("hotel.supply", None, {"property": "HER", "quantity": 1}),
    )
    for record, owner, more in doors:
        with pytest.raises(UsageError, match=words):
            crm.store.records.set(
                record, source="pms", ref="x", owner_id=owner,
                values={"code": code, "value": value, **more},
            )  # fmt: skip


def test_a_value_is_changed_together_with_its_code(crm) -> None:
    """By itself it cannot be judged."""
    crm.run("preference declare", customer="G0", code="TEMP_C", value="21")
    with pytest.raises(UsageError, match="field 'code': is missing beside the value"):
        crm.store.records.change("hotel.preference", {"value": "99"}, {"code": "TEMP_C"})


def test_an_import_rejects_the_row_and_takes_the_others(crm, tmp_path) -> None:
    rows = ["request,reservation,as_of,code,value,promise"]
    rows += ["1,R0,2026-03-01,TEMP_C,99,rate", "2,R0,2026-03-01,TEMP_C,21,rate"]
    path = tmp_path / "requests.csv"
    path.write_text("\n".join(rows))
    done = crm.import_file(path, profile="hotel-requests")
    assert (done.created, done.rejected) == (1, 1)


@pytest.mark.parametrize(
    ("day", "arrives", "kept"),
    [
        ("02-29", date(2026, 3, 1), ["2026-02-28"]), ("02-29", date(2028, 3, 1), ["2028-02-28"]),
        ("04-02", date(2026, 4, 1), ["2026-04-02"]), ("12-31", date(2027, 1, 2), ["2026-12-31"]),
    ],
)  # fmt: skip
def test_a_leap_day_is_a_birthday(crm, day, arrives, kept) -> None:
    """The 29th of February is kept on the 28th; occasions count within three days of the stay."""
    crm.store.records.set(
        "hotel.reservation", source="pms", ref="R0",
        values={"arrival_on": arrives, "departure_on": arrives + timedelta(days=2)},
    )  # fmt: skip
    crm.run("preference declare", customer="G0", code="BIRTHDAY", value=day)
    asked = {"date": arrives.isoformat()}
    crm.clock.set(NOW + timedelta(minutes=1))
    rows = crm.reports.run("hotel.arrivals", asked, crm.as_of()).table.to_pylist()
    assert [r["val"] for r in rows if r["origin"] == "occasion"] == kept


def test_a_statement_on_the_timeline_outranks_what_was_learnt(crm) -> None:
    """Seen on two stays, down is learnt; the guest says latex at the desk, without a word on how sure."""
    guest = crm.store.customers.find("G0").id
    for number in (1, 2):
        arrived = date(2026, number, 1)
        stay = crm.store.records.set(
            "hotel.reservation", source="pms", ref=f"S{number}", owner_id=guest,
            values={"status": "checked_out", "arrival_on": arrived,
                    "departure_on": arrived + timedelta(days=2)},
        )  # fmt: skip
        crm.store.interactions.log(
            NewInteraction(
                kind="hotel.housekeeping_observation", customer_id=guest, subject_id=stay.id,
                occurred_at=datetime(2026, number, 2, 9, tzinfo=UTC),
                payload={"code": "PIL_TYPE", "value": "down"},
            )
        )  # fmt: skip
    log(crm, "statement", code="PIL_TYPE", value="latex")
    crm.run("preference learn")
    crm.clock.set(NOW + timedelta(minutes=1))
    rows = crm.reports.run("hotel.arrivals", {}, crm.as_of()).table.to_pylist()
    assert [(r["val"], r["origin"]) for r in rows if r["code"] == "PIL_TYPE"] == [
        ("latex", "declared")
    ]
