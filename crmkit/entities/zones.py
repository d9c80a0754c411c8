"""Time zones by name."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from ..errors import did_you_mean


def parse_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name, as ``Europe/Berlin``.

    Raises:
        ValueError: for any other text, with the names that it may stand for.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(name, available_timezones())
        hint = near or "Write it as Europe/Berlin."
        raise ValueError(f"{name!r} is not an IANA time zone. {hint}") from None


def instants_of(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """When the wall clock shows a local time (UTC): once, twice, or at the skip over it.

    Args:
        local: without a zone, in whole seconds.
        zone: of the clock.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) == local:
        return sorted({first, second})
    # Skipped: the offset before it gives the later instant and the offset after it the earlier one,
    # and the clock was put between them.
    seconds = range(int((first - second).total_seconds()))
    offset = first.astimezone(zone).utcoffset()
    change = bisect_left(
        seconds,
        True,
        key=lambda s: (second + timedelta(seconds=s)).astimezone(zone).utcoffset() == offset,
    )
    return [second + timedelta(seconds=change)]
