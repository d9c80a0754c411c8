"""Cases inside one write: moved, said on the timeline, and kept together with their clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import define, field

from crmkit.declarations import StageMove
from crmkit.entities import Money, NewInteraction
from crmkit.errors import MoveRefused, UsageError

from .clocks import Clocks, by_column, save_clocks
from .records import CASE, CASE_EVENT
from .rulebook import Rulebook

if TYPE_CHECKING:
    from datetime import datetime

    from crmkit.analysis.lifecycles import Lifecycles
    from crmkit.store.store import Store, Tx


# When a case did what it did last; nothing is filed before that.
_STEPS = ("opened_at", "waiting_since", "answered_at", "resolved_at", "closed_at")


@define
class Case:
    """A case with its clocks, as it stands inside a write."""

    id: int
    source: str
    ref: str
    customer_id: int
    values: dict[str, Any]
    clocks: Clocks


@define
class Change:
    """Cases inside one write: verbs change them, :meth:`save` keeps them.

    Args:
        since: by case, from when what is saved holds: what follows from a case's own values holds
            since they do, so that its source can go on telling what came next. None is now.
    """

    store: Store
    lifecycles: Lifecycles | None
    tx: Tx
    rules: Rulebook
    cases: list[Case]
    since: Mapping[int, datetime] | None = None
    _moves: list[StageMove] = field(factory=list)
    _events: list[Any] = field(factory=list)
    _done_at: datetime | None = None

    @property
    def now(self) -> datetime:
        """When what is done was done: as it is filed, or earlier."""
        return self._done_at or self.tx.at

    def done_at(self, at: datetime) -> None:
        """What follows was done at an earlier time and is filed only now.

        Raises:
            UsageError: if the time is still to come, or before the last step of a case.
        """
        if at > self.tx.at:
            raise UsageError(f"{at:%Y-%m-%dT%H:%M:%SZ} is still to come.")
        for case in self.cases:
            steps = [case.values[name] for name in _STEPS if case.values[name] is not None]
            if steps and at < max(steps):
                raise UsageError(
                    f"case {case.ref}: {at:%Y-%m-%dT%H:%M:%SZ} is before its last step at "
                    f"{max(steps):%Y-%m-%dT%H:%M:%SZ}."
                )
        self._done_at = at

    def find(self, name: str) -> Case:
        """The case that was asked for by that key, with or without its source."""
        return next(c for c in self.cases if name in (c.ref, f"{c.source}:{c.ref}"))

    def move(
        self, case: Case, states: Sequence[str], *, what: str, note: str = "",
        direction: str = "none", channel: str | None = None,
    ) -> str:  # fmt: skip
        """Moves a case to the first of ``states`` that is allowed, through what it implies.

        Raises:
            MoveRefused: naming what is allowed from the state now.
        """
        lifecycle = self.store.catalog.lifecycles[case.clocks.kind.lifecycle]
        here = str(case.values["state"])
        states = [s for s in states if any(s == stage.name for stage in lifecycle.stages)]
        path = self.way(case, states)
        if path is None:
            if not states:
                raise MoveRefused(f"cases of {case.clocks.kind.name} know no {what!r}.")
            lifecycle.check_move(here, states[0])
            raise MoveRefused(f"case {case.ref}: {here} cannot be left by {what!r}.")
        for state in path:
            self._moves.append(
                StageMove(
                    lifecycle=lifecycle.name, subject_type=CASE, subject_id=case.id,
                    from_stage=case.values["state"], to_stage=state, reason=what,
                )
            )  # fmt: skip
            case.clocks.enter(state, self.now)
            case.values["state"] = state
        case.values["is_open"] = lifecycle.stage(path[-1]).kind in ("open", "waiting")
        if not case.values["is_open"]:
            case.values["external_due_at"] = None
        self.log(case, what, note, direction=direction, channel=channel)
        return path[-1]

    def way(self, case: Case, states: Sequence[str]) -> list[str] | None:
        """The states through which a case would go to one of ``states``, or None."""
        lifecycle = self.store.catalog.lifecycles[case.clocks.kind.lifecycle]
        here = str(case.values["state"])
        return _path(lifecycle.moves, here, states, case.clocks.kind.implied)

    def log(
        self, case: Case, action: str, note: str = "", *, direction: str = "none",
        channel: str | None = None, amount: Money | None = None,
    ) -> None:  # fmt: skip
        """Shows on the customer's timeline what was done."""
        payload = {"action": action, "state": case.values["state"], "text": note or None}
        self._events.append(
            NewInteraction(
                kind=CASE_EVENT, occurred_at=self.now, customer_id=case.customer_id,
                subject_id=case.id, direction=direction, channel=channel, amount=amount,
                payload={k: v for k, v in payload.items() if v is not None},
            )
        )  # fmt: skip

    def save(self) -> None:
        """Writes moves, cases, clocks and the timeline."""
        while self._moves:
            # One move a subject and batch: those that a later one implies go first.
            first = {m.subject_id: m for m in reversed(self._moves)}
            if self.lifecycles is None:
                self.store.stages.move(list(first.values()), tx=self.tx)
            else:
                self.lifecycles.move(list(first.values()), tx=self.tx)
            self._moves = [m for m in self._moves if m is not first[m.subject_id]]
        for case in self.cases:
            case.values.update(case.clocks.due() if case.values["is_open"] else _NOTHING_DUE)
        for source in sorted({case.source for case in self.cases}):
            mine = [case for case in self.cases if case.source == source]
            self.store.records.put(
                CASE, source=source, refs=[case.ref for case in mine],
                values=by_column([case.values for case in mine]),
                owners=[case.customer_id for case in mine],
                effective=None if self.since is None else [self.since[case.id] for case in mine],
                tx=self.tx,
            )  # fmt: skip
        save_clocks(self.store, self.tx, {case.id: case.clocks for case in self.cases})
        if self._events:
            self.store.interactions.log(self._events, tx=self.tx)
            self._events = []


_NOTHING_DUE = dict.fromkeys(("due_at", "due_clock", "half_at", "warned_at", "urgent_at"))


def _path(
    moves: frozenset[tuple[str, str]], here: str, wanted: Sequence[str], implied: Sequence[str]
) -> list[str] | None:
    """The shortest way to one of ``wanted`` through implied states only; None if there is none."""
    ways: list[list[str]] = [[]]
    for _ in range(len(implied) + 1):
        for way in ways:
            last = way[-1] if way else here
            for state in wanted:
                if (last, state) in moves:
                    return [*way, state]
        ways = [
            [*way, state]
            for way in ways
            for state in implied
            if (way[-1] if way else here, state) in moves and state not in (here, *way)
        ]
    return None
