"""When something is due, as people write it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crmkit.entities.moments import parse_moment
from crmkit.errors import UsageError


def parse_due(text: str, zone: ZoneInfo) -> datetime:
    """The instant of a due time: a day ends with its last moment, a time without zone is local.

    Args:
        text: ``2026-04-01``, ``2026-04-01 09:30`` or ``2026-04-01T09:30:00Z``.
        zone: in which days end and local times are taken.

    Raises:
        UsageError: if it is none of these.

    Example:
        >>> parse_due("2026-04-01", ZoneInfo("Europe/Berlin")).isoformat()
        '2026-04-01T22:00:00+00:00'
    """
    try:
        return parse_moment(text, zone.key, day_ends=True).instant
    except ValueError as error:
        raise UsageError(f"{error}.") from None


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after a local day."""
    return datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)
