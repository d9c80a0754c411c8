"""Moments as people write them: a day, a local time, or an instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen


@frozen
class Moment:
    """An instant with how it was read.

    Attributes:
        instant: UTC and aware.
        words: how the text was read, in the zone, such as ``the end of 2026-03-31 in Europe/Berlin``;
            empty where it names its instant itself.
    """

    instant: datetime
    words: str

    def __str__(self) -> str:
        shown = self.instant.replace(tzinfo=None).isoformat() + "Z"
        return f"{shown} ({self.words})" if self.words else shown


def parse_moment(text: str, time_zone: str, *, day_ends: bool = False) -> Moment:
    """Reads ``2026-03-31``, ``2026-03-31 14:30`` (in the zone) or ``2026-03-31T12:00:00Z``.

    Args:
        time_zone: IANA name; in it days begin and end and local times are taken.
        day_ends: a day alone means its end, exclusive, and not its beginning: for what may be seen
            up to a day, and for deadlines.

    Raises:
        ValueError: if the text is none of these, or a local time that a change of the clocks left
            out or repeated.

    Example:
        >>> str(parse_moment("2026-03-31 14:30", "Europe/Berlin"))
        '2026-03-31T12:30:00Z (2026-03-31 14:30 in Europe/Berlin)'
    """
    zone = ZoneInfo(time_zone)
    try:
        day = _day(text)
        if day is not None:
            start = day + timedelta(days=1) if day_ends else day
            instant = datetime.combine(start, time(), zone).astimezone(UTC)
            return Moment(
                instant, f"the {'end' if day_ends else 'beginning'} of {day} in {time_zone}"
            )
        given = datetime.fromisoformat(text)
        if given.tzinfo is not None:
            return Moment(given.astimezone(UTC), "")
        local = given.isoformat(sep=" ", timespec="auto")
        shown = local.removesuffix(":00") if local.count(":") == 2 else local
        return Moment(_local(given, zone).astimezone(UTC), f"{shown} in {time_zone}")
    except OverflowError:
        raise ValueError(f"{text!r} is beyond the years 1 to 9999") from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a day such as 2026-03-31, a local time such as 2026-03-31 14:30, "
            "nor an instant such as 2026-03-31T12:00:00Z"
        ) from None
    return None


def _local(naive: datetime, zone: ZoneInfo) -> datetime:
    """A wall-clock time as an instant; one that a clock change skips or repeats is refused."""
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    skipped = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive
    raise ValueError(
        f"{naive.isoformat()} {'did not exist' if skipped else 'came twice'} in {zone.key}, "
        f"where the clocks changed: give the offset too, such as {first.isoformat()}"
    )
