"""The days of the demo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

FIRST = date(2025, 12, 1)
AS_OF = date(2026, 3, 31)
DAYS = (AS_OF - FIRST).days + 1
# Outcomes known by then are learnt from; hand-overs from then on, whose month has passed, are tested.
TRAIN_UNTIL = date(2026, 2, 12)
# Ills are planted on these days; before them nothing is wrong for longer than it should be.
PLANT_FROM = date(2026, 3, 3)


def day(number: int) -> date:
    """So many days after the first."""
    return FIRST + timedelta(days=number)


def at(on: date, hour: float) -> datetime:
    """An instant of a day; hours beyond 24 are of the days after."""
    start = datetime(on.year, on.month, on.day, tzinfo=UTC)
    return start + timedelta(minutes=round(hour * 60))


def text(instant: datetime) -> str:
    """As the files have it."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def works(on: date) -> bool:
    """Monday to Saturday."""
    return on.weekday() != 6


def next_working(on: date, count: int) -> date:
    """So many working days later."""
    for _ in range(count):
        on += timedelta(days=1)
        while not works(on):
            on += timedelta(days=1)
    return on
