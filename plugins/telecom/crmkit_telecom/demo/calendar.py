"""The months of the demo: which are shown, which is held back, and the days in them."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

# Twenty months are shown: a year of history before the first training row, then half a year of
# outcomes to learn from and a later half to be judged on. One more is held back, so that a check
# can append it and see that nothing earlier changes.
FIRST_YEAR, FIRST_MONTH = 2024, 11
SHOWN_MONTHS = 20
ALL_MONTHS = SHOWN_MONTHS + 1


def first_day(month: int) -> date:
    """First day of the demo's month, counted from 0."""
    year, zero_based = divmod(FIRST_YEAR * 12 + FIRST_MONTH - 1 + month, 12)
    return date(year, zero_based + 1, 1)


def last_day(month: int) -> date:
    """Last day of the demo's month, counted from 0."""
    begins = first_day(month)
    return begins.replace(day=calendar.monthrange(begins.year, begins.month)[1])


def day_of(month: int, day: int) -> date:
    """A day of the month, from 1; beyond its end it runs into the next month."""
    return first_day(month) + timedelta(days=int(day) - 1)


AS_OF = last_day(SHOWN_MONTHS - 1)
# Outcomes until the end of January train; those that begin later are the test.
TRAIN_UNTIL = date(2026, 1, 31)
# The month whose leavers are compared with the generator's own knowledge.
JUDGED_MONTH = 16
JUDGED_ON = last_day(JUDGED_MONTH)
