"""Business time: how long a calendar was open between two instants, and when its time is up (S1).

Windows are written in local time, durations are counted in time that really passed. A window that
opens or closes in the hour that a change to summer time leaves out does so at the change; where an
hour comes twice, a window opens at its first and closes at its second coming.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from attrs import field, frozen

from .zones import instants_of

# A window of a day in minutes after midnight, from 0 to 1440.
Window = tuple[int, int]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RULE = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?\s+(.+)")
_SPAN = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")


def parse_week(text: str) -> dict[int, tuple[Window, ...]]:
    """Windows by weekday (0 is Monday) of ``mon-fri 09:00-12:00 13:00-17:00; sat 09:00-12:00``.

    A night shift is written as two windows: ``mon 22:00-24:00; tue 00:00-06:00``.

    Raises:
        ValueError: saying what is wrong with which part.
    """
    week: dict[int, tuple[Window, ...]] = {}
    for part in (p.strip() for p in text.lower().split(";") if p.strip()):
        rule = _RULE.fullmatch(part)
        names = [] if rule is None else [rule[1], rule[2] or rule[1]]
        if rule is None or not set(names) <= set(DAYS):
            raise ValueError(
                f"{part!r} is not of the form 'mon-fri 09:00-17:00' (days: {', '.join(DAYS)})"
            )
        first, last = (DAYS.index(name) for name in names)
        for day in range(first, last + (7 if last < first else 0) + 1):
            week[day % 7] = week.get(day % 7, ()) + parse_windows(rule[3])
    return {day: tuple(sorted(windows)) for day, windows in sorted(week.items())}


def parse_windows(text: str) -> tuple[Window, ...]:
    """Windows of one day, as ``09:00-12:00 13:00-17:00``.

    Raises:
        ValueError: for a window that is not written so or does not close after it opens.
    """
    out = []
    for word in text.split():
        span = _SPAN.fullmatch(word)
        if span is None:
            raise _no_window(word)
        hour, minute, last_hour, last_minute = map(int, span.groups())
        opens, closes = hour * 60 + minute, last_hour * 60 + last_minute
        if closes < opens <= 1440:
            raise _no_window(
                word, ", so write a night as 22:00-24:00 and 00:00-06:00 of the next day"
            )
        if not opens < closes <= 1440:
            raise _no_window(word)
        out.append((opens, closes))
    return tuple(out)


def _no_window(word: str, more: str = "") -> ValueError:
    return ValueError(f"{word!r} is not a time window such as 09:00-17:00{more}")


def _by_day(days: Mapping[date, Iterable[Window]]) -> dict[date, tuple[Window, ...]]:
    return {day: tuple(windows) for day, windows in days.items()}


@frozen(kw_only=True)
class Calendar:
    """Weekly windows in a time zone, and the days on which others hold.

    Args:
        time_zone: IANA name, in which the windows are written.
        week: windows by weekday, 0 is Monday; None never closes (wall-clock time).
        days: windows of single days, which replace those of the week: none for a holiday, some for
            a Sunday that is worked.

    Raises:
        ValueError: if the week never opens.

    Example:
        >>> desk = Calendar(time_zone="Europe/Berlin", week=parse_week("mon-fri 09:00-17:00"))
        >>> friday = datetime(2026, 3, 27, 15, tzinfo=UTC)  # 16:00 in Berlin
        >>> desk.add(friday, timedelta(hours=2)).isoformat()  # 10:00 on Monday, summer time
        '2026-03-30T08:00:00+00:00'
    """

    time_zone: str
    week: Mapping[int, tuple[Window, ...]] | None = field(default=None, hash=False)
    days: Mapping[date, tuple[Window, ...]] = field(factory=dict, converter=_by_day, hash=False)

    def __attrs_post_init__(self) -> None:
        if self.week is not None and not any(self.week.values()):
            raise ValueError("a calendar opens at least once a week")

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def working_day(self) -> timedelta:
        """How long an open day of the week is on average: what a working day of a target means."""
        if self.week is None:
            return timedelta(days=1)
        open_days = [windows for windows in self.week.values() if windows]
        minutes = sum(closes - opens for windows in open_days for opens, closes in windows)
        return timedelta(minutes=minutes) / len(open_days)

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The instant at which ``duration`` of business time after ``start`` is used up (UTC).

        Raises:
            ValueError: if the duration is negative or the instant has no zone.
        """
        left, here = _checked(start, duration)
        if self.week is None:
            return here + left
        for opens, closes in self._spans(here, 1):
            room = closes - max(opens, here)
            if left <= room and room > timedelta():
                return max(opens, here) + left
            left -= max(room, timedelta())
        raise ValueError("the calendar ends before the duration does")

    def subtract(self, end: datetime, duration: timedelta) -> datetime:
        """The latest instant from which ``duration`` of business time passes until ``end`` (UTC).

        Raises:
            ValueError: as :meth:`add`.
        """
        left, here = _checked(end, duration)
        if self.week is None:
            return here - left
        for opens, closes in self._spans(here, -1):
            room = min(closes, here) - opens
            if left <= room and room > timedelta():
                return min(closes, here) - left
            left -= max(room, timedelta())
        raise ValueError("the calendar begins after the duration does")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Business time from ``start`` to ``end``; none if ``end`` is not later."""
        here, there = start.astimezone(UTC), end.astimezone(UTC)
        if self.week is None or there <= here:
            return max(there - here, timedelta())
        used = timedelta()
        for opens, closes in self._spans(here, 1):
            if opens >= there:
                break
            used += max(min(closes, there) - max(opens, here), timedelta())
        return used

    def end_of_day(self, start: datetime, days: int) -> datetime:
        """The end of the local day that lies ``days`` days after that of ``start`` (UTC)."""
        day = start.astimezone(self.zone).date() + timedelta(days=days + 1)
        return instants_of(datetime.combine(day, time()), self.zone)[0]

    def _spans(self, here: datetime, step: int) -> Iterator[tuple[datetime, datetime]]:
        """Open spans in UTC, day by day from a local day before ``here`` on, or backwards."""
        day = here.astimezone(self.zone).date() - timedelta(days=step)
        while date.min < day < date.max:
            yield from self._open_on(day)[::step]
            day += timedelta(days=step)

    def _open_on(self, day: date) -> list[tuple[datetime, datetime]]:
        known = self._opened.get(day)
        if known is not None:
            return known
        spans: list[tuple[datetime, datetime]] = []
        for opens, closes in self.days.get(day, (self.week or {}).get(day.weekday(), ())):
            midnight = datetime.combine(day, time())
            begin = instants_of(midnight + timedelta(minutes=opens), self.zone)[0]
            end = instants_of(midnight + timedelta(minutes=closes), self.zone)[-1]
            # Where an hour comes twice, the window before may close after this one opens.
            begin = max(begin, spans[-1][1]) if spans else begin
            if begin < end:
                spans.append((begin, end))
        self._opened[day] = spans
        return spans

    @cached_property
    def _opened(self) -> dict[date, list[tuple[datetime, datetime]]]:
        return {}


def _checked(at: datetime, duration: timedelta) -> tuple[timedelta, datetime]:
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    if duration < timedelta():
        raise ValueError(f"a duration is 0 or more, not {duration}")
    return duration, at.astimezone(UTC)
