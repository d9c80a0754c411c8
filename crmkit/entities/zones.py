"""Time zones by name."""

from __future__ import annotations

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
