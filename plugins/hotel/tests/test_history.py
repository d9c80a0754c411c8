"""Issue 14, line 12: what a report says of a day stays what it was, whatever is filed later.

Ada books, stays, complains, and changes her mind; each report is asked as of three days with a change
between them, and as of the same days again after more has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

import crmkit
from crmkit.entities import CustomerRef, Money, NewInteraction
from crmkit.testing.clock import SettableClock

DAYS = ("2026-03-05", "2026-03-13", "2026-03-16")


def at(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """On 1 March two bookings and a preference; on the 12th a stay; on the 15th corrections; in April more."""
    clock = SettableClock(at(1))
    folder = tmp_path_factory.mktemp("history") / "house"
    with crmkit.init(
        folder, plugins=("hotel",), clock=clock, actor="ann", currency="EUR"
    ) as opened:
        ada = opened.store.customers.add(name="Ada Berg", refs=[CustomerRef("pms", "G0")]).id
        book(opened, ada, "A", date(2026, 3, 10), date(2026, 3, 12), channel="ota", nights=2,
             adr=Money(10000, "EUR"))  # fmt: skip
        book(opened, ada, "B", date(2026, 3, 20), date(2026, 3, 22))
        opened.run("preference declare", customer="G0", code="PIL_TYPE", value="down")

        clock.set(at(12))
        book(opened, ada, "A", date(2026, 3, 10), date(2026, 3, 12), status="checked_out")
        stay(opened, nights=2, revenue_room=Money(20000, "EUR"))
        log(opened, ada, "survey", nps=9)
        log(opened, ada, "complaint", solved=False)
        opened.run("loyalty post")
        opened.run("tier review", scheme="hotel.club", as_of="2026-03-12")

        clock.set(at(15))
        book(opened, ada, "B", date(2026, 3, 21), date(2026, 3, 23))
        opened.run("preference declare", customer="G0", code="PIL_TYPE", value="latex")
        stay(opened, nights=3, revenue_room=Money(30000, "EUR"))
        log(opened, ada, "survey", nps=0)
        opened.run("loyalty post")

        clock.set(at(20))
        yield opened


def book(crm: Any, guest: int, ref: str, arrival: date, departure: date, **more: Any) -> None:
    crm.store.records.set(
        "hotel.reservation", source="pms", ref=ref, owner_id=guest,
        values={"property": "HER", "status": "confirmed", "arrival_on": arrival,
                "departure_on": departure, **more},
    )  # fmt: skip


def stay(crm: Any, **values: Any) -> None:
    crm.store.records.set(
        "hotel.stay", source="pms", ref="S", owner_id=crm.store.records.find("hotel.reservation", "A").id,
        values={"checked_in_on": date(2026, 3, 10), "checked_out_on": date(2026, 3, 12), **values},
    )  # fmt: skip


def log(crm: Any, guest: int, kind: str, **payload: Any) -> None:
    crm.store.interactions.log(
        NewInteraction(
            kind=f"hotel.{kind}", customer_id=guest, occurred_at=crm.clock(), payload=payload
        )
    )


# Report, parameters, columns, and the rows as of each of the three days, worked by hand.
CASES = [
    ("expectation", {"date": "2026-03-20"}, ("code", "val"),
     [[("ARRIVAL", None), ("PIL_TYPE", "down")], [("ARRIVAL", None), ("PIL_TYPE", "down")],
      # Moved to the 21st; of a window of two days that is still in it.
      [("ARRIVAL", None), ("PIL_TYPE", "latex")]]),
    ("arrivals", {"date": "2026-03-20"}, ("code", "val"),
     [[("ARRIVAL", None), ("PIL_TYPE", "down")], [("ARRIVAL", None), ("PIL_TYPE", "down")], []]),
    ("channels", {}, ("channel", "bookings", "nights", "revenue_minor"),
     [[], [("ota", 1, 2, 20000)], [("ota", 1, 2, 20000)]]),
    ("repeat-rate", {}, ("cohort", "guests", "again"), [[], [(2026, 1, 0)], [(2026, 1, 0)]]),
    ("value-segments", {"by": "stays"}, ("segment", "nights", "revenue_minor"),
     [[], [("one stay", 2, 20000)], [("one stay", 3, 30000)]]),
    # One promoter: 100; beside a detractor: 0.
    ("nps", {}, ("n", "nps"), [[], [(1, 100.0)], [(2, 0.0)]]),
    ("recovery", {}, ("outcome", "guests", "back"),
     [[], [("not solved", 1, 0)], [("not solved", 1, 0)]]),
    # Two nights, then three, at 500 points.
    ("loyalty", {}, ("tier", "members", "outstanding"),
     [[], [("member", 1, 1000)], [("member", 1, 1500)]]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "columns", "wanted"), CASES, ids=[c[0] for c in CASES])
def test_a_report_of_a_day_is_what_was_known_that_day(crm, name, given, columns, wanted) -> None:
    def shown() -> list[list[tuple[Any, ...]]]:
        tables = [crm.reports.run(f"hotel.{name}", given, crm.as_of(day)).table for day in DAYS]
        return [
            sorted((tuple(row[c] for c in columns) for row in table.to_pylist()), key=str)
            for table in tables
        ]

    assert shown() == wanted


def test_nothing_that_is_filed_later_changes_a_past_day(crm) -> None:
    def everything() -> list[Any]:
        return [
            crm.reports.run(f"hotel.{name}", given, crm.as_of(day)).table.to_pylist()
            for name, given, *_ in CASES
            for day in DAYS
        ]

    before = everything()
    ada = crm.store.customers.find("G0").id
    crm.clock.set(at(2, 4))
    book(crm, ada, "A", date(2026, 3, 9), date(2026, 3, 12), channel="phone")
    book(crm, ada, "B", date(2026, 3, 21), date(2026, 3, 23), status="cancelled")
    stay(crm, nights=1, revenue_room=Money(100, "EUR"), checked_out_on=date(2026, 3, 11))
    log(crm, ada, "complaint", solved=True)
    crm.run("preference refuse", customer="G0", code="PIL_TYPE")
    crm.run("loyalty post")
    crm.run("tier review", scheme="hotel.club", as_of="2026-04-01")
    assert everything() == before
