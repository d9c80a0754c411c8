"""What a case kind says and what operators have set over it: targets, calendars, routes, limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfoNotFoundError

from crmkit.declarations import CaseClock, CaseKind
from crmkit.entities import Calendar, Money, Target, parse_week, parse_windows
from crmkit.errors import ConfigError, NotFound

from .records import CALENDAR, CALENDAR_DAY, POLICY, ROUTE, TARGET

if TYPE_CHECKING:
    from crmkit.store.store import Store, Tx

LIMITS = ("reminders", "no_reply_days", "silence_days", "reopen_days")


class Rulebook:
    """The rules in force, read once for a whole batch of cases.

    A calendar or target that cannot be read raises when a case needs it, and not before.
    """

    def __init__(self, store: Store, tx: Tx | None = None) -> None:
        self._kinds = store.catalog.case_kinds
        self._currency = store.currency
        names = ("clock", "kind", "severity", "region", "target", "calendar")
        self._targets = store.records.read(TARGET, names, tx=tx)
        routed = ("kind", "topic", "region", "product", "department")
        self._routes = store.records.read(ROUTE, routed, tx=tx)
        limits = ("ref", "compensation_limit", *LIMITS)
        self._policies = {row[0]: row[1:] for row in store.records.read(POLICY, limits, tx=tx)}
        # Until an operator sets the hours of the office.
        office: _Written = (str(store.time_zone), "mon-fri 09:00-17:00", {})
        self._written = {"office": office, **_calendars(store, tx)}
        self._calendars: dict[str, Calendar] = {}

    def kind(self, name: str) -> CaseKind:
        """The case kind of that name.

        Raises:
            NotFound: naming those that there are.
        """
        if name not in self._kinds:
            raise NotFound("case kind", name, self._kinds)
        return self._kinds[name]

    def timing(self, kind: CaseKind, clock: CaseClock, values: Any) -> tuple[Target, Calendar, str]:
        """Target, calendar and the calendar's key for a clock of a case with these values.

        The key is empty for wall-clock time, which keeps the time zone of the calendar.
        """
        severity, region = values.get("severity"), values.get("region")
        wanted = (clock.name, kind.name, severity, region)
        best = _most_specific(wanted, [(row[:4], row[4:]) for row in self._targets])
        if best is None:
            text = clock.targets.get(severity or "", clock.targets.get("", ""))
            calendar = clock.calendar
            if not text:
                # A severity was forgotten: the most lenient target is better than no promise.
                text = list(clock.targets.values())[-1]
        else:
            text, calendar = best[0], best[1] or ""
        try:
            target = Target.parse(text)
        except ValueError as error:
            raise ConfigError(f"target of clock {clock.name}: {error}.") from error
        found = self._calendar(calendar or clock.calendar)
        if target.working:
            return target, found, calendar or clock.calendar
        return target, Calendar(time_zone=found.time_zone), ""

    def department(self, kind: CaseKind, values: Any) -> str | None:
        """The department that a case with these values goes to, or None if no route knows it."""
        wanted = (kind.name, values.get("topic"), values.get("region"), values.get("product"))
        declared = [
            ((kind.name, r.topic, r.region, r.product), (r.department,)) for r in kind.routes
        ]
        best = _most_specific(wanted, [(row[:4], row[4:]) for row in self._routes])
        best = best or _most_specific(wanted, declared)
        return None if best is None else str(best[0])

    def limit(self, kind: CaseKind, name: str) -> int:
        """``reminders``, ``no_reply_days``, ``silence_days`` or ``reopen_days`` of a kind."""
        found = self._policies.get(kind.name)
        given = None if found is None else found[1 + LIMITS.index(name)]
        return int(getattr(kind, name) if given is None else given)

    def compensation_limit(self, kind: CaseKind) -> Money:
        """Above which a second person decides."""
        found = self._policies.get(kind.name)
        given: Money | None = None if found is None else found[0]
        return given or Money.parse(kind.compensation_limit, self._currency)

    def _calendar(self, name: str) -> Calendar:
        if name not in self._written:
            raise NotFound(
                "calendar", name, self._written, hint=f"Add it: crmkit record set {CALENDAR}."
            )
        if name not in self._calendars:
            self._calendars[name] = _read(name, *self._written[name])
        return self._calendars[name]


def _most_specific(wanted: Sequence[Any], rows: Sequence[tuple[Any, Any]]) -> Any:
    """What belongs to the row that names most of ``wanted`` and nothing else; the first of equals."""
    best, score = None, -1
    for named, found in rows:
        hits = sum(1 for have, want in zip(named, wanted, strict=True) if have and have == want)
        if hits == sum(1 for have in named if have) and hits > score:
            best, score = found, hits
    return best


# Time zone, week, and windows of single days, as operators wrote them.
_Written = tuple[str, str, dict[date, str]]


def _calendars(store: Store, tx: Tx | None) -> dict[str, _Written]:
    days: dict[int, dict[date, str]] = {}
    for owner, day, windows in store.records.read(
        CALENDAR_DAY, ("owner_id", "day", "windows"), tx=tx
    ):
        days.setdefault(owner, {})[day] = windows or ""
    rows = store.records.read(CALENDAR, ("id", "ref", "time_zone", "week"), tx=tx)
    return {ref: (zone, week, days.get(record_id, {})) for record_id, ref, zone, week in rows}


def _read(name: str, zone: str, week: str, days: dict[date, str]) -> Calendar:
    try:
        special = {day: parse_windows(text) for day, text in days.items()}
        made = Calendar(time_zone=zone, week=parse_week(week), days=special)
        made.zone  # noqa: B018 - an unknown zone is said here and not at the first case
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigError(
            f"calendar {name}: {error}.", hint=f"Mend it: crmkit record set {CALENDAR} {name}"
        ) from error
    return made
