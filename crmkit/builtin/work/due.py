"""When something is due, as people write it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

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
        if len(text) == len("2026-04-01"):
            return day_end(date.fromisoformat(text), zone)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a day such as 2026-04-01 nor a time such as 2026-04-01 09:30."
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after a local day."""
    return datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)
