"""The clocks of cases: what a change of state does to them, and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import define, field

from crmkit.declarations import CaseClock, CaseKind
from crmkit.entities import Calendar, ClockEvent, ClockState, Reading, replay

from .records import CLOCK, CLOCK_EVENT

if TYPE_CHECKING:
    from crmkit.store.store import Store, Tx

    from .rulebook import Rulebook

OWN = "crmkit"
SHARES = {"half_at": 0.5, "warned_at": 0.75, "urgent_at": 0.9}


@define
class KeptClock:
    """One run of a clock of a case: its log, of which the first ``stored`` events are kept already."""

    name: str
    number: int
    events: list[ClockEvent]
    stored: int = 0

    @property
    def ended(self) -> bool:
        """Whether it was fulfilled or cancelled."""
        return any(e.event in ("fulfil", "cancel") for e in self.events)

    @property
    def paused(self) -> bool:
        """Whether it stands."""
        marks = [e.event for e in self.events if e.event in ("activate", "pause", "resume")]
        return marks[-1] == "pause"


@define
class Clocks:
    """The clocks of one case, in the order in which they were started.

    Args:
        kind: of the case.
        values: its fields, by which targets and calendars are chosen.
        kept: runs of its clocks.
    """

    rules: Rulebook
    kind: CaseKind
    values: Mapping[str, Any]
    kept: list[KeptClock] = field(factory=list)

    def enter(self, state: str, at: datetime) -> None:
        """Starts, pauses, resumes and stops what entering ``state`` at ``at`` does."""
        for declared in self.kind.clocks:
            self._enter(declared, state, at)

    def _enter(self, declared: CaseClock, state: str, at: datetime) -> None:
        running = self._running(declared.name)
        if running is not None:
            self._note_breach(declared, running, at)
            if state in declared.stops:
                running.events.append(ClockEvent("fulfil", at))
            elif state in declared.cancels:
                running.events.append(ClockEvent("cancel", at))
            elif running.paused != (state in declared.pauses):
                running.events.append(ClockEvent("resume" if running.paused else "pause", at))
        elif state in declared.starts:
            self._start(declared.name, at)

    def renew(self, at: datetime) -> None:
        """The customer was told how things stand: what promises that is kept, and begins anew."""
        for declared in self.kind.clocks:
            running = self._running(declared.name) if declared.renewed else None
            if running is not None:
                self._note_breach(declared, running, at)
                running.events.append(ClockEvent("fulfil", at))
                self._start(declared.name, at)

    def adopt(self, way: Sequence[tuple[str, datetime]]) -> None:
        """Makes the clocks of a case that was imported, as if it had been worked here.

        Args:
            way: the states that it entered since it was last looked at, each with its instant. The
                instants of the case that a clock is declared to be made from go before them.
        """
        for declared in self.kind.clocks:
            started = self.values.get(declared.started_on) if declared.started_on else None
            stopped = self.values.get(declared.stopped_on) if declared.stopped_on else None
            if started is not None and all(run.name != declared.name for run in self.kept):
                self._start(declared.name, started)
            for state, at in way:
                if stopped is not None and state in (*declared.stops, *declared.cancels):
                    continue
                if started is not None and self._running(declared.name) is None:
                    continue
                self._enter(declared, state, at)
            running = self._running(declared.name)
            if running is not None and stopped is not None:
                self._note_breach(declared, running, stopped)
                running.events.append(ClockEvent("fulfil", stopped))

    def note_breaches(self, now: datetime) -> None:
        """Notes in the log of every running clock that its time was used up, once."""
        for declared in self.kind.clocks:
            running = self._running(declared.name)
            if running is not None:
                self._note_breach(declared, running, now)

    def readings(self) -> list[tuple[KeptClock, Reading, Calendar]]:
        """What each run says, with the calendar in whose time it is read; unknown clocks are left out."""
        found = []
        for run in self.kept:
            declared = self._declared(run.name)
            if declared is not None:
                target, calendar, _ = self.rules.timing(self.kind, declared, self.values)
                found.append((run, replay(run.events, target, calendar), calendar))
        return found

    def due(self) -> dict[str, Any]:
        """Fields of the case that say what is due first, and when how much of it is used."""
        running = [
            (reading.due_at, run.name, reading, calendar)
            for run, reading, calendar in self.readings()
            if reading.state is ClockState.RUNNING and reading.due_at is not None
        ]
        outside = self.values.get("external_due_at")
        out = dict.fromkeys(("due_at", "due_clock", *SHARES))
        if running:
            due_at, name, reading, calendar = min(running, key=lambda one: one[:2])
            shares = {to: reading.passes(share, calendar) for to, share in SHARES.items()}
            out = {"due_at": due_at, "due_clock": name, **shares}
        if outside is not None and (not running or outside < out["due_at"]):
            out = {**dict.fromkeys(out), "due_at": outside, "due_clock": "external"}
        return out

    def _start(self, name: str, at: datetime) -> None:
        number = 1 + sum(1 for run in self.kept if run.name == name)
        self.kept.append(KeptClock(name, number, [ClockEvent("activate", at)]))

    def _running(self, name: str) -> KeptClock | None:
        return next((run for run in self.kept if run.name == name and not run.ended), None)

    def _declared(self, name: str) -> CaseClock | None:
        return next((clock for clock in self.kind.clocks if clock.name == name), None)

    def _note_breach(self, declared: CaseClock, run: KeptClock, now: datetime) -> None:
        target, calendar, _ = self.rules.timing(self.kind, declared, self.values)
        reading = replay(run.events, target, calendar)
        noted = any(e.event == "breach" for e in run.events)
        if not noted and reading.due_at is not None and reading.is_late(now):
            run.events.append(ClockEvent("breach", reading.due_at))


def load_logs(store: Store, case_ids: Iterable[int], tx: Tx | None) -> dict[int, list[KeptClock]]:
    """The stored logs of the clocks of these cases, by case."""
    names = ("id", "ref", "owner_id", "clock")
    rows = store.records.read(
        CLOCK, names, among={"owner_id": case_ids}, sort=("started_at",), tx=tx
    )
    logs: dict[int, list[tuple[int, ClockEvent]]] = {}
    for owner, number, event, at in store.records.read(
        CLOCK_EVENT, ("owner_id", "number", "event", "happened_at"),
        among={"owner_id": [row[0] for row in rows]}, tx=tx,
    ):  # fmt: skip
        logs.setdefault(owner, []).append((number, ClockEvent(event, at)))
    found: dict[int, list[KeptClock]] = {}
    for clock_id, ref, case_id, name in rows:
        log = [event for _, event in sorted(logs.get(clock_id, ()), key=lambda one: one[0])]
        run = KeptClock(name, int(ref.rpartition("/")[2]), log, stored=len(log))
        found.setdefault(case_id, []).append(run)
    return found


def save_clocks(store: Store, tx: Tx, clocks: Mapping[int, Clocks]) -> None:
    """Keeps the clocks of these cases, by case id, and what is new in their logs."""
    refs: list[str] = []
    owners: list[int] = []
    rows: list[dict[str, Any]] = []
    runs: list[KeptClock] = []
    for case_id, one in clocks.items():
        for run, reading, _ in one.readings():
            declared = next(c for c in one.kind.clocks if c.name == run.name)
            target, _, calendar = one.rules.timing(one.kind, declared, one.values)
            late = None if reading.stopped_at is None else reading.is_late(reading.stopped_at)
            refs.append(f"{case_id}/{run.name}/{run.number}")
            owners.append(case_id)
            runs.append(run)
            rows.append(
                {
                    "clock": run.name, "state": reading.state.value, "target": str(target),
                    "calendar": calendar or None, "started_at": reading.started_at,
                    "due_at": reading.due_at, "stopped_at": reading.stopped_at,
                    "total_seconds": int(reading.total.total_seconds()),
                    "used_seconds": int(reading.used.total_seconds()), "late": late,
                }
            )  # fmt: skip
    if not refs:
        return
    written = store.records.put(
        CLOCK,
        source=OWN,
        refs=refs,
        values=by_column(rows),
        owners=owners,
        # A clock that is new has been true since it was started, also where a file brought it.
        effective=[
            tx.at if run.stored else row["started_at"] for run, row in zip(runs, rows, strict=True)
        ],
        tx=tx,
    )
    new = [
        (clock_id, ref, number, run.events[number])
        for clock_id, ref, run in zip(written.ids, refs, runs, strict=True)
        for number in range(run.stored, len(run.events))
    ]
    if new:
        store.records.put(
            CLOCK_EVENT, source=OWN, refs=[f"{ref}/{number}" for _, ref, number, _ in new],
            owners=[clock_id for clock_id, _, _, _ in new],
            values={
                "number": [number for _, _, number, _ in new],
                "event": [entry.event for _, _, _, entry in new],
                "happened_at": [entry.at for _, _, _, entry in new],
            },
            tx=tx,
        )  # fmt: skip


def by_column(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows of equal keys, turned into columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}
