from datetime import UTC, date, datetime

import pytest

from crmkit.entities.asof import AsOf


def test_a_day_ends_at_local_midnight() -> None:
    # Shanghai is UTC+8 all year, so 31 March ends there at 16:00 UTC.
    as_of = AsOf.parse("2026-03-31", "Asia/Shanghai")
    assert as_of == AsOf(datetime(2026, 3, 31, 16, tzinfo=UTC), date(2026, 3, 31))


def test_a_day_of_changing_clocks_ends_at_its_own_midnight() -> None:
    # In Berlin summer time ends at 03:00 on 25 October 2026: the day begins at +2 and ends at +1.
    assert AsOf.parse("2026-10-24", "Europe/Berlin").instant == datetime(
        2026, 10, 24, 22, tzinfo=UTC
    )
    assert AsOf.parse("2026-10-25", "Europe/Berlin").instant == datetime(
        2026, 10, 25, 23, tzinfo=UTC
    )


def test_an_instant_at_midnight_still_belongs_to_the_day_before() -> None:
    as_of = AsOf.parse("2026-04-01T00:00:00Z", "UTC")
    assert as_of == AsOf.parse("2026-03-31", "UTC")
    assert as_of.on == date(2026, 3, 31)
    assert str(as_of) == "2026-04-01T00:00:00Z"


def test_an_instant_without_zone_is_local() -> None:
    as_of = AsOf.parse("2026-03-31T12:00", "Asia/Shanghai")
    assert as_of.instant == datetime(2026, 3, 31, 4, tzinfo=UTC)


def test_other_text_is_refused_with_examples() -> None:
    with pytest.raises(ValueError, match="'yesterday' is neither a day such as 2026-03-31"):
        AsOf.parse("yesterday", "UTC")
