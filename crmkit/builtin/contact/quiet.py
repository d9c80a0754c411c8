"""Quiet hours by the clock on the customer's wall, also on the days when that clock is put."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from zoneinfo import ZoneInfo

from crmkit.entities.zones import instants_of

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
    ends_ahead = (i for n in count() for i in _instants(day + timedelta(days=n), ends, zone))
    return next(i for i in ends_ahead if i > at and not is_quiet(i, zone, begins, ends))


@lru_cache(maxsize=_KEPT)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day."""
    return _instants(day, time(0), zone)[0]


def _instants(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    return instants_of(datetime.combine(day, clock), zone)
