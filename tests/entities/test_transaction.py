from datetime import UTC, datetime

import pytest

from crmkit.entities import IdSource
from crmkit.entities.transaction import EPOCH_MS, id_instant


class Clock:
    def __init__(self, ms: int) -> None:
        self.ms = EPOCH_MS + ms

    def __call__(self) -> int:
        return self.ms


def test_ids_rise_and_never_repeat_when_the_clock_steps_back() -> None:
    clock = Clock(5_000)
    source = IdSource(3, clock_ms=clock)
    first = source.take(10_000)  # more than one millisecond holds
    clock.ms -= 3_600_000
    second = source.take(10)
    ids = first + second
    assert ids == sorted(set(ids))


def test_two_writers_never_collide() -> None:
    clock = Clock(5_000)
    a, b = IdSource(0, clock_ms=clock), IdSource(1, clock_ms=clock)
    assert not set(a.take(9_000)) & set(b.take(9_000))


def test_the_next_holder_of_a_number_starts_after_the_last() -> None:
    clock = Clock(5_000)
    before = IdSource(7, clock_ms=clock)
    last = before.take(20_000)[-1]
    after = IdSource(7, last_ms=before.last_ms, clock_ms=clock)
    assert after.next() > last


def test_an_id_tells_its_millisecond() -> None:
    source = IdSource(0, clock_ms=lambda: EPOCH_MS + 86_400_000)
    assert id_instant(source.next()) == datetime(2025, 1, 2, tzinfo=UTC)


def test_ids_fit_into_a_signed_64_bit_column() -> None:
    assert IdSource(1023, clock_ms=Clock((1 << 41) - 1)).next() < 2**63


def test_writer_number_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="writer number 1024 is not between 0 and 1023"):
        IdSource(1024)
