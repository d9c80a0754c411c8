"""Clocks of a promise: logs of events from which due and used time are recomputed (S1).

A clock is never stored as a countdown. From its events, its target and the calendar follows
everything else, so a changed holiday list or target gives every due time anew, and the same log
gives the same times for ever. In time is what is fulfilled *before* the due instant: of a 24-hour
promise, 23:59:59 is in time and 24:00:00 is not.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import field, frozen
from attrs.validators import in_

from .business_time import Calendar

EVENTS = ("activate", "pause", "resume", "fulfil", "cancel", "breach")
UNITS = ("minute", "hour", "working_hour", "working_day", "day")
_TARGET = re.compile(r"(\d+)\s*(min(?:ute)?|h(?:our)?|working[ _]hour|working[ _]day|day)s?")
_SHORT = {"min": "minute", "h": "hour"}


@frozen
class Target:
    """How much time a clock gives: ``24 hours``, ``3 working days``, ``15 days``.

    Minutes and hours are meant on the wall clock, working hours in the time of a calendar. A
    ``working_day`` is the average open day of the calendar. A ``day`` is a whole local day, for
    what is known by the day: n days end with the n-th day after the first.
    """

    amount: int
    unit: str = field(validator=in_(UNITS))

    @classmethod
    def parse(cls, text: str) -> Target:
        """Reads ``30 min``, ``24 h``, ``3 working days``, ``15 days``.

        Raises:
            ValueError: if the text is none of these.
        """
        found = _TARGET.fullmatch(text.strip().lower())
        if found is None or int(found[1]) == 0:
            raise ValueError(
                f"{text!r} is not a time such as '30 min', '24 h', '8 working hours', '3 working days' or "
                "'15 days'"
            )
        return cls(int(found[1]), _SHORT.get(found[2], found[2].replace(" ", "_")))

    @property
    def working(self) -> bool:
        """Whether it is counted while a calendar is open, not on the wall clock."""
        return self.unit.startswith("working")

    def duration(self, start: datetime, calendar: Calendar) -> timedelta:
        """The business time that a clock started at ``start`` has in all."""
        if self.unit == "minute":
            return timedelta(minutes=self.amount)
        if self.unit in ("hour", "working_hour"):
            return timedelta(hours=self.amount)
        if self.unit == "working_day":
            return calendar.working_day * self.amount
        return calendar.between(start, calendar.end_of_day(start, self.amount))

    def __str__(self) -> str:
        words = self.unit.replace("_", " ")
        return f"{self.amount} {words}{'' if self.amount == 1 else 's'}"


@frozen
class ClockEvent:
    """One entry of a clock's log: what happened to it, and when (UTC)."""

    event: str = field(validator=in_(EVENTS))
    at: datetime


class ClockState(enum.Enum):
    """Where a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


@frozen(kw_only=True)
class Reading:
    """What a clock's log says.

    Attributes:
        state: where it stands after its last event.
        started_at: when it was activated.
        due_at: the instant at which its time is or would have been used up; None while it is
            paused, and for good if it was stopped then.
        stopped_at: when it was fulfilled or cancelled, None before.
        total: the time that it has in all, in business time.
        used: business time used up to its last event.
        since: when it last began to run, from which ``due_at`` is counted.
    """

    state: ClockState
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    total: timedelta
    used: timedelta
    since: datetime

    def is_late(self, now: datetime) -> bool:
        """Whether its promise is broken, as far as is known at ``now``."""
        if self.state is ClockState.CANCELLED:
            return False
        if self.state is not ClockState.RUNNING:
            return self.used >= self.total
        return self.due_at is not None and now >= self.due_at

    def used_at(self, now: datetime, calendar: Calendar) -> timedelta:
        """Business time used by ``now``."""
        running = self.state is ClockState.RUNNING
        return self.used + (calendar.between(self.since, now) if running else timedelta())

    def passes(self, share: float, calendar: Calendar) -> datetime | None:
        """The instant at which ``share`` (0 to 1) of its time is used up; None while it stands.

        A share that was used before it last began to run gives the instant of that beginning.
        """
        if self.state is not ClockState.RUNNING:
            return None
        left = max(self.total * share - self.used, timedelta())
        return calendar.add(self.since, left)


def replay(events: Sequence[ClockEvent], target: Target, calendar: Calendar) -> Reading:
    """Reads a clock's log.

    Args:
        events: in the order in which they happened, the activation first. What cannot follow (a
            pause of a clock that stands, anything after its end) changes nothing; ``breach`` is a
            note and changes nothing either.
        target: how much time it has.
        calendar: in whose time that is counted.

    Raises:
        ValueError: if the log does not begin with an activation.
    """
    if not events or events[0].event != "activate":
        raise ValueError("a clock's log begins with its activation")
    start = since = events[0].at
    total, used, banked = target.duration(start, calendar), timedelta(), timedelta()
    state, stopped = ClockState.RUNNING, None
    for entry in events[1:]:
        running = state is ClockState.RUNNING
        if running and entry.event in ("pause", "fulfil", "cancel"):
            used = banked + calendar.between(since, entry.at)
        if entry.event == "pause" and running:
            state = ClockState.PAUSED
        elif entry.event == "resume" and not running:
            state, since, banked = ClockState.RUNNING, entry.at, used
        elif entry.event in ("fulfil", "cancel"):
            stopped = entry.at
            break
    due = None
    if state is ClockState.RUNNING:
        due = calendar.add(since, max(total - banked, timedelta()))
    if stopped is not None:
        state = ClockState.FULFILLED if entry.event == "fulfil" else ClockState.CANCELLED
    return Reading(
        state=state, started_at=start, due_at=due, stopped_at=stopped, total=total, used=used,
        since=since,
    )  # fmt: skip
