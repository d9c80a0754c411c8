"""Calendars filled with the holidays of a country."""

from __future__ import annotations

from datetime import date

import pytest

from crmkit.errors import NotFound, UsageError
from crmkit.workspace import Crm


@pytest.fixture
def office(crm: Crm) -> Crm:
    """A workspace with a calendar."""
    crm.store.records.set(
        "service.calendar", source="crmkit", ref="office",
        values={"time_zone": "Asia/Shanghai", "week": "mon-fri 09:00-12:00 13:00-18:00"},
    )  # fmt: skip
    return crm


def test_german_holidays_close_the_office(office: Crm) -> None:
    pytest.importorskip("holidays")
    rows = office.run("case holidays", calendar="office", country="de", subdivision="BE", year=2026).rows  # fmt: skip
    closed = {row["day"]: row["windows"] for row in rows}
    # Good Friday, Easter Monday, Women's Day (Berlin), German Unity Day.
    for day in (date(2026, 4, 3), date(2026, 4, 6), date(2026, 3, 8), date(2026, 10, 3)):
        assert closed[day] == ""
    assert date(2026, 1, 6) not in closed  # Epiphany is none in Berlin


def test_chinese_weekends_that_are_worked_open_the_office(office: Crm) -> None:
    pytest.importorskip("chinese_calendar")
    rows = office.run("case holidays", calendar="office", country="CN", year=2024).rows
    days = {row["day"]: row["windows"] for row in rows}
    # Notice of the State Council for 2024: Spring Festival 10 to 17 February, work on the 4th
    # (a Sunday) and the 18th; National Day 1 to 7 October, work on 29 September.
    for day in (date(2024, 2, 12), date(2024, 2, 16), date(2024, 10, 1), date(2024, 10, 7)):
        assert days[day] == ""
    for day in (date(2024, 2, 4), date(2024, 2, 18), date(2024, 9, 29)):
        assert days[day] == "09:00-12:00 13:00-18:00"
    assert date(2024, 2, 10) not in days  # a Saturday is closed already


def test_a_year_that_is_not_announced_and_an_unknown_country_are_said(office: Crm) -> None:
    pytest.importorskip("chinese_calendar")
    with pytest.raises(UsageError, match="holidays of China in 2999 are not known"):
        office.run("case holidays", calendar="office", country="CN", year=2999)
    pytest.importorskip("holidays")
    with pytest.raises(NotFound, match="XX"):
        office.run("case holidays", calendar="office", country="XX", year=2026)
    assert office.store.records.list("service.calendar_day") == []
