"""A clock that tests set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# A Tuesday noon at the end of a quarter: the whole month of March can be asked for.
START = datetime(2026, 3, 31, 12, tzinfo=UTC)


class SettableClock:
    """Stands still until it is told otherwise; call it to get the UTC now.

    Example:
        >>> clock = SettableClock()
        >>> clock.advance(days=1)
        >>> clock().isoformat()
        '2026-04-01T12:00:00+00:00'
    """

    def __init__(self, now: datetime = START) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """Makes it ``now``, in any zone.

        Raises:
            ValueError: if the instant has no time zone.
        """
        if now.tzinfo is None:
            raise ValueError(f"{now.isoformat()} has no time zone")
        self._now = now.astimezone(UTC)

    def advance(self, **units: float) -> None:
        """Moves on by a :class:`~datetime.timedelta` of these units: ``days=1``, ``hours=2``."""
        self._now += timedelta(**units)
