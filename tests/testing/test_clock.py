from datetime import UTC, datetime, timedelta, timezone

import pytest

from crmkit.testing.clock import SettableClock


def test_it_stands_still_until_it_is_set():
    clock = SettableClock(datetime(2026, 1, 2, 3, tzinfo=UTC))
    assert clock() == clock() == datetime(2026, 1, 2, 3, tzinfo=UTC)
    clock.advance(days=1, hours=2)
    assert clock() == datetime(2026, 1, 3, 5, tzinfo=UTC)


def test_a_local_instant_is_given_back_in_utc():
    clock = SettableClock()
    clock.set(datetime(2026, 1, 2, 8, tzinfo=timezone(timedelta(hours=8))))
    assert clock() == datetime(2026, 1, 2, 0, tzinfo=UTC)
    assert clock().tzinfo is UTC


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match=r"2026-01-02T00:00:00 has no time zone"):
        SettableClock(datetime(2026, 1, 2))  # noqa: DTZ001
