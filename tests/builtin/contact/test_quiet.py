"""Quiet hours by the customer's wall clock, worked by hand at both changes of summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from crmkit.builtin.contact.quiet import day_start, quiet_end

BERLIN, SHANGHAI, BEIRUT = map(ZoneInfo, ("Europe/Berlin", "Asia/Shanghai", "Asia/Beirut"))
NIGHT = (time(21), time(8))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "hours", "free"),
    [
        # Winter in Berlin is UTC+1: 20:59:59 is the last second before 21:00.
        ("2026-01-10T19:59:59", BERLIN, NIGHT, "2026-01-10T19:59:59"),
        ("2026-01-10T20:00:00", BERLIN, NIGHT, "2026-01-11T07:00:00"),
        ("2026-01-11T06:59:59", BERLIN, NIGHT, "2026-01-11T07:00:00"),
        ("2026-01-11T07:00:00", BERLIN, NIGHT, "2026-01-11T07:00:00"),
        # The same instant is evening in Shanghai, UTC+8 all year.
        ("2026-01-10T13:00:00", SHANGHAI, NIGHT, "2026-01-11T00:00:00"),
        # The night of 2026-03-29 is an hour short: 08:00 is already UTC+2.
        ("2026-03-28T21:30:00", BERLIN, NIGHT, "2026-03-29T06:00:00"),
        # The night of 2026-10-25 is an hour long: 08:00 is UTC+1 again.
        ("2026-10-24T20:00:00", BERLIN, NIGHT, "2026-10-25T07:00:00"),
        # 02:30 on 2026-03-29 is skipped: the clock goes from 02:00 to 03:00 at 01:00 UTC.
        ("2026-03-29T00:10:00", BERLIN, (time(21), time(2, 30)), "2026-03-29T01:00:00"),
        # 02:30 on 2026-10-25 is shown twice, at 00:30 and at 01:30 UTC; at 01:10 UTC it is 02:10
        # for the second time.
        ("2026-10-24T23:00:00", BERLIN, (time(21), time(2, 30)), "2026-10-25T00:30:00"),
        ("2026-10-25T01:10:00", BERLIN, (time(21), time(2, 30)), "2026-10-25T01:30:00"),
        # Quiet at noon, and no quiet hours at all.
        ("2026-01-10T11:30:00", BERLIN, (time(12), time(14)), "2026-01-10T13:00:00"),
        ("2026-01-10T10:59:00", BERLIN, (time(12), time(14)), "2026-01-10T10:59:00"),
        ("2026-01-10T23:00:00", BERLIN, (time(0), time(0)), "2026-01-10T23:00:00"),
        # Both ends of quiet hours within a day: 12:00 is in them and 14:00 is not.
        ("2026-01-10T11:00:00", BERLIN, (time(12), time(14)), "2026-01-10T13:00:00"),
        ("2026-01-10T13:00:00", BERLIN, (time(12), time(14)), "2026-01-10T13:00:00"),
        # Free from 02:30 to 03:00 alone: on 2026-03-29 that half hour is skipped, and 03:00 is quiet
        # again, so the next one counts: 02:30 of the 30th is 00:30 UTC.
        ("2026-03-28T12:00:00", BERLIN, (time(3), time(2, 30)), "2026-03-30T00:30:00"),
    ],
)  # fmt: skip
def test_the_first_instant_that_is_not_quiet(at, zone, hours, free) -> None:
    assert quiet_end(utc(at), zone, *hours) == utc(free)


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        (BERLIN, "2026-10-31T23:00:00"),
        (SHANGHAI, "2026-10-31T16:00:00"),
        # At 01:00 the clocks of Havana go back to 00:00: midnight is at 04:00 and at 05:00 UTC.
        (ZoneInfo("America/Havana"), "2026-11-01T04:00:00"),
    ],
)
def test_a_day_begins_when_its_midnight_first_comes(zone, begins) -> None:
    assert day_start(date(2026, 11, 1), zone) == utc(begins)


def test_a_day_without_midnight_begins_when_the_clock_is_put() -> None:
    """In Beirut 2026-03-29 begins at 01:00, UTC+3: 22:00 UTC of the day before."""
    assert day_start(date(2026, 3, 29), BEIRUT) == utc("2026-03-28T22:00:00")
