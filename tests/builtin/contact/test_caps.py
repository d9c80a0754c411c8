"""Caps over windows of local days, against counting every window one by one."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from crmkit.builtin.contact.caps import free_day, reached_cap

CAPS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 12)), max_size=3, unique_by=lambda cap: cap[1]
).map(lambda caps: sorted(caps, key=lambda cap: cap[1]))
DAYS = st.lists(st.integers(100, 140), max_size=12).map(sorted)


def fits(days: Sequence[int], day: int, caps: Sequence[tuple[int, int]]) -> bool:
    """Whether every window with the new contact in it holds at most what its cap allows."""
    every = [*days, day]
    return all(
        sum(start <= d < start + length for d in every) <= most
        for most, length in caps
        for start in range(day - length + 1, day + 1)
    )


@given(DAYS, st.integers(95, 145), CAPS)
def test_a_cap_is_reached_where_some_window_would_hold_too_many(days, day, caps) -> None:
    assert (reached_cap(days, day, caps) is None) == fits(days, day, caps)


@given(DAYS, st.integers(95, 145), CAPS)
def test_the_free_day_is_the_first_that_fits(days, day, caps) -> None:
    """After the last contact and the longest window every day is free, so the search ends."""
    first = next(d for d in range(day, 200) if fits(days, d, caps))
    assert free_day(days, day, caps) == first


def test_a_contact_planned_ahead_counts_for_the_days_before_it() -> None:
    """Two a week, with contacts on days 10 and 12: 6 would be the third of the week 6 to 12."""
    caps = [(1, 1), (2, 7)]
    assert reached_cap([10, 12], 6, caps) == (2, 7)
    assert reached_cap([10, 12], 5, caps) is None
    assert reached_cap([10, 12], 10, caps) == (1, 1)
    assert free_day([10, 12], 6, caps) == 17
