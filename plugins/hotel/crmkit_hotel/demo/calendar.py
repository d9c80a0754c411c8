"""The days of the demo."""

from __future__ import annotations

from datetime import date

AS_OF = date(2026, 3, 31)
TOMORROW = date(2026, 4, 1)
YEARS = 3
