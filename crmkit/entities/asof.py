"""As-of: the instant up to which an analysis may look (design D1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen

from .moments import parse_moment


@frozen(order=True)
class AsOf:
    """What is visible: facts with ``occurred_at < instant``.

    ``instant`` is UTC and aware; ``on`` is the local day that contains the last visible moment, from
    which ``days_before`` is counted.
    """

    instant: datetime
    on: date

    @classmethod
    def end_of(cls, day: date, time_zone: str) -> AsOf:
        """The end of a local day, exclusive: everything on that day is visible."""
        midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone))
        return cls(midnight.astimezone(UTC), day)

    @classmethod
    def at(cls, instant: datetime, time_zone: str) -> AsOf:
        """An aware instant, exclusive.

        Raises:
            ValueError: if the instant has no zone.
        """
        if instant.tzinfo is None:
            raise ValueError(f"{instant.isoformat()} has no time zone")
        last = (instant - timedelta(microseconds=1)).astimezone(ZoneInfo(time_zone))
        return cls(instant.astimezone(UTC), last.date())

    @classmethod
    def parse(cls, text: str, time_zone: str) -> AsOf:
        """Reads ``2026-03-31`` (end of that day), a local time, or ``2026-03-31T12:00:00Z``.

        Raises:
            ValueError: if the text is none of these.
        """
        return cls.at(parse_moment(text, time_zone, day_ends=True).instant, time_zone)

    def __str__(self) -> str:
        return self.instant.strftime("%Y-%m-%dT%H:%M:%SZ")
