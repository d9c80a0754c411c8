"""Holidays of countries, brought into a calendar from the libraries that keep them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from crmkit.entities import parse_week
from crmkit.errors import ConfigError, NotFound, UsageError

from .clocks import OWN
from .records import CALENDAR, CALENDAR_DAY

if TYPE_CHECKING:
    from crmkit.store.store import Store

# Day: its name, and whether it is worked although it is a Saturday or Sunday.
Days = dict[date, tuple[str, bool]]


def fill_calendar(
    store: Store, calendar: str, country: str, year: int, subdivision: str | None
) -> list[tuple[date, str, str]]:
    """Files the holidays of a year, and the weekends worked instead, as days of a calendar.

    Returns:
        Day, title and windows (empty is closed) of each, in order.

    Raises:
        NotFound: for an unknown calendar or country.
        UsageError: for a year that is not announced yet.
        ConfigError: if the libraries are not installed.
    """
    found = _china(year) if country == "CN" else _elsewhere(country, year, subdivision)
    with store.begin("case holidays") as tx:
        record = store.records.find(CALENDAR, calendar, tx=tx)
        week = parse_week(record.values["week"])
        hours = " ".join(_window(*w) for w in next(w for w in week.values() if w))
        days = [
            (day, title, hours if worked else "") for day, (title, worked) in sorted(found.items())
        ]
        store.records.put(
            CALENDAR_DAY, source=OWN, refs=[f"{record.ref}/{day}" for day, _, _ in days],
            owners=[record.id] * len(days), tx=tx,
            values={
                "day": [day for day, _, _ in days], "title": [title for _, title, _ in days],
                "windows": [windows for _, _, windows in days],
            },
        )  # fmt: skip
    return days


def _china(year: int) -> Days:
    try:
        # Lazy: an extra, which only this command needs.
        import chinese_calendar
    except ImportError as error:
        raise _missing("chinesecalendar") from error
    out: Days = {}
    day = date(year, 1, 1)
    try:
        while day.year == year:
            free, name = chinese_calendar.get_holiday_detail(day)
            if free != (day.weekday() >= 5):
                out[day] = (str(name or "调休"), not free)
            day += timedelta(days=1)
    except NotImplementedError as error:
        raise UsageError(
            f"the holidays of China in {year} are not known to chinesecalendar.",
            hint="Install its latest version, or file the days by hand as service.calendar_day.",
        ) from error
    return out


def _elsewhere(country: str, year: int, subdivision: str | None) -> Days:
    try:
        import holidays
    except ImportError as error:
        raise _missing("holidays") from error
    known = holidays.list_supported_countries()
    if country not in known:
        raise NotFound("country", country, known)
    if subdivision is not None and subdivision not in known[country]:
        raise NotFound(f"subdivision of {country}", subdivision, known[country])
    found = holidays.country_holidays(country, subdiv=subdivision, years=year)
    worked: Days = {day: ("", True) for day in found.weekend_workdays if day.year == year}
    return {**{day: (name, False) for day, name in found.items()}, **worked}


def _missing(library: str) -> ConfigError:
    return ConfigError(
        f"{library} is not installed. Install it with: pip install 'crmkit[calendars]'."
    )


def _window(opens: int, closes: int) -> str:
    return f"{opens // 60:02d}:{opens % 60:02d}-{closes // 60:02d}:{closes % 60:02d}"
