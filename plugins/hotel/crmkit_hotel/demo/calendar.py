"""The days of the demo."""

from __future__ import annotations

from datetime import date

AS_OF = date(2026, 3, 31)
TOMORROW = date(2026, 4, 1)
YEARS = 3
# When the club reviewed its tiers.
REVIEWS = (date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28), AS_OF)
