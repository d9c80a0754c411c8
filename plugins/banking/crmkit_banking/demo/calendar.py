"""The months of the demo: which are shown, which is held back, and the days in them."""

from __future__ import annotations

import calendar
from datetime import date

# Three years are shown. One more month is held back: a check appends it and sees that nothing earlier
# changes, and it holds the drift that the model alarm has to find.
FIRST_YEAR, FIRST_MONTH = 2023, 7
SHOWN_MONTHS = 36
ALL_MONTHS = SHOWN_MONTHS + 1
DRIFT_MONTH = SHOWN_MONTHS


def first_day(month: int) -> date:
    """First day of the demo's month, counted from 0; earlier months are negative."""
    year, zero_based = divmod(FIRST_YEAR * 12 + FIRST_MONTH - 1 + month, 12)
    return date(year, zero_based + 1, 1)


def last_day(month: int) -> date:
    """Last day of the demo's month, counted from 0."""
    begins = first_day(month)
    return begins.replace(day=calendar.monthrange(begins.year, begins.month)[1])


def day_number(month: int, day: int = 1) -> int:
    """Ordinal of a day of the month, from 1 to 28."""
    return first_day(month).toordinal() + day - 1


AS_OF = last_day(SHOWN_MONTHS - 1)
# Tiers are reviewed at the ends of the last two quarters.
REVIEWS = (last_day(SHOWN_MONTHS - 4), AS_OF)
# Behaviour until then is learnt from; the ten months after it are the test.
TRAIN_UNTIL = date(2025, 8, 31)
# Watch cases are planted in the last twelve months that are shown.
WATCH_FROM_MONTH = SHOWN_MONTHS - 12
WATCH_FROM = first_day(WATCH_FROM_MONTH)
