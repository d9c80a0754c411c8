"""Transactions and ids (design D2)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from attrs import frozen

EPOCH_MS = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
WRITER_BITS, COUNTER_BITS = 10, 12
WRITERS, COUNTERS = 1 << WRITER_BITS, 1 << COUNTER_BITS
# Command of a transaction that removes rows: the warehouse then writes its files anew.
REVERT = "batch revert"
# The command of changes of records, which can be undone.
RECORD_SET = "record set"


@frozen(kw_only=True)
class Transaction:
    """One write to the store: when (UTC), by whom, by which command, from which source."""

    id: int
    at: datetime
    actor: str
    command: str
    source: str | None = None
    first_id: int | None = None
    last_id: int | None = None


def id_instant(value: int) -> datetime:
    """The UTC instant, to the millisecond, in which an id was drawn."""
    ms = (value >> (WRITER_BITS + COUNTER_BITS)) + EPOCH_MS
    return datetime.fromtimestamp(ms / 1000, UTC)


class IdSource:
    """Draws 64-bit ids that rise in time and never collide between writers.

    41 bits of milliseconds since 2025, 10 bits of writer number, 12 bits of counter. When more than
    4096 ids are wanted in one millisecond, or the clock steps back, the source runs ahead of the
    clock rather than repeat itself; ``last_ms`` is what the next holder of the number must start
    after.
    """

    def __init__(
        self, writer: int, *, last_ms: int = 0, clock_ms: Callable[[], int] | None = None
    ) -> None:
        if not 0 <= writer < WRITERS:
            raise ValueError(f"writer number {writer} is not between 0 and {WRITERS - 1}")
        self.writer = writer
        self._clock_ms = clock_ms or (lambda: time.time_ns() // 1_000_000)
        self._ms, self._counter = last_ms, COUNTERS
        self._lock = threading.Lock()

    @property
    def last_ms(self) -> int:
        """The latest millisecond since 2025 in which an id was drawn."""
        return self._ms

    def take(self, count: int) -> list[int]:
        """``count`` new ids, rising."""
        out: list[int] = []
        with self._lock:
            while len(out) < count:
                now = self._clock_ms() - EPOCH_MS
                if now > self._ms:
                    self._ms, self._counter = now, 0
                elif self._counter >= COUNTERS:
                    self._ms, self._counter = self._ms + 1, 0
                step = min(count - len(out), COUNTERS - self._counter)
                base = ((self._ms << WRITER_BITS | self.writer) << COUNTER_BITS) | self._counter
                out.extend(range(base, base + step))
                self._counter += step
        return out

    def next(self) -> int:
        """One new id."""
        return self.take(1)[0]
