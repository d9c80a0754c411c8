"""Quiet hours by the clock on the customer's wall, also on the days when that clock is put."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# A list asks for few instants and zones and very many customers.
_KEPT = 10_000


@lru_cache(maxsize=_KEPT)
def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The day on the wall calendar."""
    return at.astimezone(zone).date()


@lru_cache(maxsize=_KEPT)
def is_quiet(at: datetime, zone: ZoneInfo, begins: time, ends: time) -> bool:
    """Whether the instant lies in the quiet hours; ``begins`` is in them and ``ends`` is not."""
    clock = at.astimezone(zone).time()
    if begins <= ends:
        return begins <= clock < ends
    return clock >= begins or clock < ends


@lru_cache(maxsize=_KEPT)
def quiet_end(at: datetime, zone: ZoneInfo, begins: time, ends: time) -> datetime:
    """The first instant from ``at`` on that is not quiet; ``at`` itself where it is none.

    Where the clock skips the end, it is the instant of the skip; where it shows the end twice, the
    first of the two that is still to come.
    """
    if not is_quiet(at, zone, begins, ends):
        return at
    day = local_day(at, zone)
    ahead = (day + timedelta(days=n) for n in range(3))
    found = [i for d in ahead for i in _instants(d, ends, zone) if i > at]
    return min(i for i in found if not is_quiet(i, zone, begins, ends))


@lru_cache(maxsize=_KEPT)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day."""
    return _instants(day, time(0), zone)[0]


def _instants(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    """When the wall clock shows that time on that day: twice, once, or the skip over it."""
    wall = datetime.combine(day, clock)
    first, second = (wall.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1))
    if first <= second:
        return [first] if first == second else [first, second]
    # Skipped: the offset before gives the later instant and the offset after the earlier one, and
    # the clock was put between them.
    while first - second > timedelta(seconds=1):
        middle = second + (first - second) // 2
        if middle.astimezone(zone).utcoffset() == first.astimezone(zone).utcoffset():
            first = middle
        else:
            second = middle
    return [first.replace(microsecond=0)]
