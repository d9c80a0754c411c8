"""Due times worked by hand from the calendar and the dates on which the clocks change.

Summer time of 2026: Berlin begins 29 March (02:00 becomes 03:00, +1 to +2) and ends 25 October
(03:00 becomes 02:00). New York begins 8 March and ends 1 November at 02:00 local.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.entities import Calendar, parse_week, parse_windows
from crmkit.entities.zones import instants_of

BERLIN = "Europe/Berlin"
OFFICE = Calendar(time_zone=BERLIN, week=parse_week("mon-fri 09:00-17:00"))


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def local(text: str, zone: str = BERLIN, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("start", "worked", "due"),
    [
        # Within a day; from before it opens; from after it closes.
        ("2026-03-18T10:00", 3, "2026-03-18T13:00"),
        ("2026-03-18T06:00", 1, "2026-03-18T10:00"),
        ("2026-03-18T20:00", 1, "2026-03-19T10:00"),
        # To the very end of the day is still that day, one second more is the next.
        ("2026-03-18T10:00", 7, "2026-03-18T17:00"),
        ("2026-03-18T10:00", 7 + 1 / 3600, "2026-03-19T09:00:01"),
        # Over a weekend: Friday 15:00, two hours left, then three on Monday.
        ("2026-03-20T15:00", 5, "2026-03-23T12:00"),
        # Three working days of eight hours end at the same time of day three open days later.
        ("2026-03-19T11:00", 24, "2026-03-24T11:00"),
        # Over the weekend on which summer time begins or ends: office hours do not notice.
        ("2026-03-27T16:00", 2, "2026-03-30T10:00"),
        ("2026-10-23T16:00", 2, "2026-10-26T10:00"),
    ],
)
def test_business_hours_are_added_by_hand(start: str, worked: float, due: str) -> None:
    assert OFFICE.add(local(start), hours(worked)) == local(due)
    assert OFFICE.between(local(start), local(due)) == hours(worked)


def test_a_holiday_and_a_worked_sunday_replace_the_week() -> None:
    # Good Friday (3 April 2026) is closed, Easter Monday too; Sunday the 5th is worked till noon.
    easter = Calendar(
        time_zone=BERLIN,
        week=OFFICE.week,
        days={
            date(2026, 4, 3): (),
            date(2026, 4, 5): parse_windows("09:00-12:00"),
            date(2026, 4, 6): (),
        },
    )
    # Thursday 16:00: one hour on Thursday, three on Sunday, the fifth on Tuesday.
    assert easter.add(local("2026-04-02T16:00"), hours(5)) == local("2026-04-07T10:00")
    assert OFFICE.add(local("2026-04-02T16:00"), hours(5)) == local("2026-04-03T13:00")


def test_wall_clock_hours_count_through_both_changes() -> None:
    always = Calendar(time_zone=BERLIN)
    # 24 real hours from noon before the change: 13:00 in spring, 11:00 in autumn.
    assert always.add(local("2026-03-28T12:00"), hours(24)) == local("2026-03-29T13:00")
    assert always.add(local("2026-10-24T12:00"), hours(24)) == local("2026-10-25T11:00")


def test_a_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    nights = Calendar(time_zone=BERLIN, week=parse_week("sat 22:00-24:00; sun 00:00-06:00"))
    whole = {
        ("2026-03-21T20:00", "2026-03-22T08:00"): 8,
        ("2026-03-28T20:00", "2026-03-29T08:00"): 7,
        ("2026-10-24T20:00", "2026-10-25T08:00"): 9,
    }
    for (start, end), worked in whole.items():
        assert nights.between(local(start), local(end)) == hours(worked)


def test_a_window_that_opens_in_the_missing_hour_opens_at_the_change() -> None:
    early = Calendar(time_zone="America/New_York", week=parse_week("sun 02:30-05:00"))
    # 8 March 2026, 02:00 EST becomes 03:00 EDT, which is 07:00 UTC; 05:00 EDT is 09:00 UTC.
    assert early.add(datetime(2026, 3, 8, tzinfo=UTC), hours(0.5)) == datetime(
        2026, 3, 8, 7, 30, tzinfo=UTC
    )
    assert early.between(datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)) == (
        hours(2)
    )


def test_the_hour_that_comes_twice_is_counted_twice_and_never_three_times() -> None:
    # 1 November 2026 in New York: 01:00 to 02:00 comes at 05:00 and at 06:00 UTC.
    late = Calendar(time_zone="America/New_York", week=parse_week("sun 00:00-01:30 01:30-03:00"))
    day = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    assert late.between(*day) == hours(4)
    assert late.add(day[0], hours(4)) == datetime(2026, 11, 1, 8, tzinfo=UTC)
    # What closes at 01:30 does so when that comes for the second time, at 06:30 UTC.
    night = Calendar(time_zone="America/New_York", week=parse_week("sun 00:00-01:30"))
    assert night.between(*day) == hours(2.5)


def test_subtracting_finds_when_work_must_begin() -> None:
    # Due Monday 11:00, three hours of work: two on Monday, one on Friday.
    assert OFFICE.subtract(local("2026-03-23T11:00"), hours(3)) == local("2026-03-20T16:00")
    always = Calendar(time_zone=BERLIN)
    assert always.subtract(local("2026-03-29T13:00"), hours(24)) == local("2026-03-28T12:00")


def test_whole_local_days_end_at_their_own_midnight() -> None:
    always = Calendar(time_zone=BERLIN)
    # The day after 28 March ends when the 30th begins, in summer time: 22:00 UTC.
    assert always.end_of_day(local("2026-03-28T00:00"), 1) == datetime(2026, 3, 29, 22, tzinfo=UTC)


@given(
    minute=st.integers(0, 390_000),
    seconds=st.integers(1, 400_000),
)
def test_adding_is_undone_by_measuring_and_by_subtracting(minute: int, seconds: int) -> None:
    # Any minute from March to November, both changes of the clocks among them.
    start = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)
    mixed = Calendar(
        time_zone="America/New_York",
        week=parse_week("mon-fri 08:00-12:00 13:00-17:30; sat 22:00-24:00; sun 00:00-04:00"),
        days={date(2026, 7, 3): (), date(2026, 11, 26): ()},
    )
    worked = timedelta(seconds=seconds)
    due = mixed.add(start, worked)
    assert mixed.between(start, due) == worked
    # Where work begins is not earlier than the start, and what lies between is no business time.
    begin = mixed.subtract(due, worked)
    assert begin >= start
    assert mixed.between(start, begin) == timedelta()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mon-fri 9-17", "not a time window"),
        ("mon 17:00-09:00", "not a time window"),
        ("mon 09:00-24:30", "not a time window"),
        ("monday 09:00-17:00", "not of the form"),
        ("mon-xyz 09:00-17:00", "not of the form"),
    ],
)
def test_a_week_that_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_week(text)


def test_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="at least once a week"):
        Calendar(time_zone="UTC", week={})


def test_the_average_open_day_is_a_working_day() -> None:
    assert Calendar(
        time_zone="UTC", week=parse_week("mon-fri 09:00-12:00 13:00-18:00")
    ).working_day == hours(8)
    assert Calendar(time_zone="UTC").working_day == hours(24)
    # Five days of 8 hours and a Saturday of 4: 44 hours over six open days, 7 h 20 min.
    assert Calendar(
        time_zone="UTC", week=parse_week("mon-fri 09:00-17:00; sat 09:00-13:00")
    ).working_day == timedelta(hours=7, minutes=20)


def test_a_range_of_days_may_go_over_the_weekend() -> None:
    """Friday to Monday are four days; a day named twice has the windows of both."""
    morning, evening = (540, 600), (1080, 1140)
    assert parse_week("fri-mon 09:00-10:00") == dict.fromkeys((0, 4, 5, 6), (morning,))
    assert parse_week("sun 18:00-19:00; sun 09:00-10:00") == {6: (morning, evening)}
    assert parse_week("mon-sun 09:00-10:00") == dict.fromkeys(range(7), (morning,))


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        # Minutes after midnight: 23 x 60 + 59 and 24 x 60.
        ("00:00-24:00", ((0, 1440),)),
        ("23:59-24:00", ((1439, 1440),)),
        ("00:00-00:01 08:59-09:59", ((0, 1), (539, 599))),
    ],
)
def test_windows_are_read_to_the_minute(text: str, windows: tuple[tuple[int, int], ...]) -> None:
    assert parse_windows(text) == windows


@pytest.mark.parametrize(
    ("text", "is_night"),
    [
        ("09:00-09:00", False),
        ("09:01-09:00", True),
        ("24:00-09:00", True),
        ("24:01-09:00", False),
        ("09:00-24:01", False),
        ("09:60-10:00", False),
        ("09:00-09:60", False),
        ("17:00-08:60", False),
        ("9:00-17:00", False),
    ],
)
def test_only_what_ends_on_the_next_day_is_told_how_a_night_is_written(
    text: str, is_night: bool
) -> None:
    with pytest.raises(ValueError, match="is not a time window such as 09:00-17:00") as told:
        parse_windows(text)
    assert ("write a night as" in str(told.value)) == is_night


def test_no_time_at_all_is_used_up_at_the_first_open_instant() -> None:
    """On Wednesday at 17:00 the office has just closed; on Thursday at 09:00 it opens."""
    opening = local("2026-03-19T09:00")
    for start in ("2026-03-18T17:00", "2026-03-18T20:00", "2026-03-19T09:00"):
        assert OFFICE.add(local(start), hours(0)) == opening
    closing = local("2026-03-18T17:00")
    for end in ("2026-03-18T17:00", "2026-03-18T20:00", "2026-03-19T09:00"):
        assert OFFICE.subtract(local(end), hours(0)) == closing


@pytest.mark.parametrize(
    ("start", "end", "worked"),
    [
        ("2026-03-18T12:00", "2026-03-18T12:00", 0),
        ("2026-03-18T12:00", "2026-03-18T11:00", 0),
        ("2026-03-18T17:00", "2026-03-19T09:00", 0),
        ("2026-03-18T16:59", "2026-03-19T09:01", 2 / 60),
        # All of Wednesday and Thursday, and the first hour of Friday.
        ("2026-03-18T00:00", "2026-03-20T10:00", 17),
    ],
)
def test_only_open_hours_lie_between_two_instants(start: str, end: str, worked: float) -> None:
    assert OFFICE.between(local(start), local(end)) == hours(worked)


def test_a_duration_is_not_negative_and_an_instant_has_a_zone() -> None:
    for calendar in (OFFICE, Calendar(time_zone=BERLIN)):
        for reckon in (calendar.add, calendar.subtract):
            with pytest.raises(ValueError, match="a duration is 0 or more, not -1 day"):
                reckon(local("2026-03-18T12:00"), hours(-1))
            with pytest.raises(ValueError, match="2026-03-18T12:00:00 has no time zone"):
                reckon(datetime(2026, 3, 18, 12), hours(1))  # noqa: DTZ001


def test_a_calendar_has_a_first_and_a_last_day() -> None:
    desk = Calendar(time_zone="UTC", week=parse_week("mon-sun 09:00-17:00"))
    with pytest.raises(ValueError, match="the calendar ends before the duration does"):
        desk.add(datetime(9999, 12, 20, tzinfo=UTC), hours(400))
    with pytest.raises(ValueError, match="the calendar begins after the duration does"):
        desk.subtract(datetime(1, 1, 10, tzinfo=UTC), hours(400))


def test_the_day_on_which_the_clocks_change_ends_at_its_own_midnight() -> None:
    """24 October ends in summer time (22:00 UTC), the 25th in winter time (23:00 UTC)."""
    ends = [OFFICE.end_of_day(local("2026-10-24T23:59"), days) for days in (0, 1)]
    assert ends == [
        datetime(2026, 10, 24, 22, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("zone", "wall", "shown"),
    [
        (BERLIN, "2026-03-18T02:30", ["2026-03-18T01:30"]),
        # Left out from 02:00 to 03:00, put at 01:00 UTC; both ends of the gap are there.
        (BERLIN, "2026-03-29T01:59:59", ["2026-03-29T00:59:59"]),
        (BERLIN, "2026-03-29T02:00", ["2026-03-29T01:00"]),
        (BERLIN, "2026-03-29T02:59:59", ["2026-03-29T01:00"]),
        (BERLIN, "2026-03-29T03:00", ["2026-03-29T01:00"]),
        (BERLIN, "2026-03-29T03:00:01", ["2026-03-29T01:00:01"]),
        # Twice from 02:00 until before 03:00.
        (BERLIN, "2026-10-25T02:00", ["2026-10-25T00:00", "2026-10-25T01:00"]),
        (BERLIN, "2026-10-25T03:00", ["2026-10-25T02:00"]),
        # Lord Howe Island puts its clocks by half an hour: from 02:00 (+10:30) to 02:30 (+11).
        ("Australia/Lord_Howe", "2026-10-04T02:15", ["2026-10-03T15:30"]),
        # Samoa left out 30 December 2011, from UTC-10 to UTC+14.
        ("Pacific/Apia", "2011-12-30T12:00", ["2011-12-30T10:00"]),
    ],
)
def test_the_wall_clock_shows_a_time_once_twice_or_skips_it(
    zone: str, wall: str, shown: list[str]
) -> None:
    found = instants_of(datetime.fromisoformat(wall), ZoneInfo(zone))
    assert found == [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in shown]
