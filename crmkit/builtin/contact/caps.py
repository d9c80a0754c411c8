"""Caps: at most so many contacts in any so many local days on end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

# A cap is a pair (most, days).
Cap = tuple[int, int]


def reached_cap(days: Sequence[int], day: int, caps: Sequence[Cap]) -> Cap | None:
    """The first cap that one more contact on ``day`` would break, or None.

    Contacts may be planned ahead, so every window of days that holds ``day`` is looked at, also
    those that end after it.

    Args:
        days: ordinals of the days of the counted contacts, rising, one for each contact.
        caps: the shortest first.
    """
    if not days:
        return None
    for most, length in caps:
        if _breaks(days, day, most, length):
            return most, length
    return None


def free_day(days: Sequence[int], day: int, caps: Sequence[Cap]) -> int:
    """The first day from ``day`` on on which one more contact breaks no cap."""
    while (cap := reached_cap(days, day, caps)) is not None:
        # A full window stays full until its first contact leaves it.
        most, length = cap
        day = _leaves(days, day, most, length)
    return day


def _breaks(days: Sequence[int], day: int, most: int, length: int) -> bool:
    first, last = bisect_left(days, day - length + 1), bisect_right(days, day + length - 1)
    near = days[first:last]
    if len(near) < most:
        return False
    # Windows that begin with a contact, or with the day itself, hold as many as any other.
    starts = [d for d in near if d <= day]
    return any(
        bisect_left(near, start + length) - bisect_left(near, start) >= most
        for start in (*starts, day)
    )


def _leaves(days: Sequence[int], day: int, most: int, length: int) -> int:
    """The next day that is worth trying: one after which some contact is out of reach."""
    return days[bisect_left(days, day - length + 1)] + length
