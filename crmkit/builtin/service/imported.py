"""Cases that an import brought: their state, times and clocks, as if they had been worked here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmkit.declarations import CaseKind, RowFault
from crmkit.entities import Lifecycle
from crmkit.errors import UsageError

from .records import CASE

if TYPE_CHECKING:
    from crmkit.declarations import Batch
    from crmkit.hosting.catalog import Catalog

# The instants of a case from the last on, each with the verb that sets it.
INSTANTS = {"closed_at": "close", "resolved_at": "resolve", "answered_at": "answer"}
COUNTS = ("answers", "reminders", "escalation_level", "reopen_count")
OPEN = ("open", "waiting")


class UnclearState(UsageError):
    """The instants of a case do not say in which state it is."""


def implied_state(kind: CaseKind, lifecycle: Lifecycle, values: Mapping[str, Any]) -> str | None:
    """The state that the instants of a case say; None if there are none: it is as it was opened.

    Raises:
        UnclearState: if they fit several states, as "approved" and "rejected" of an answered claim.
    """
    known = [stage.name for stage in lifecycle.stages]
    given = [(name, verb) for name, verb in INSTANTS.items() if values.get(name) is not None]
    for name, verb in given:
        found = [state for state in kind.states_of(verb) if state in known]
        if name == "closed_at":
            # A case that is closed is done, however its kind calls it.
            done = [stage.name for stage in lifecycle.stages if stage.kind == "done"]
            found = [*found, *done][:1]
        if len(found) == 1:
            return found[0]
        if found:
            raise _unclear(name, found)
    if given:
        raise _unclear(given[0][0], [name for name in known if name != lifecycle.initial.name])
    return None


def _unclear(name: str, states: Sequence[str]) -> UnclearState:
    return UnclearState(
        f"{name} alone does not say whether the case is {', '.join(states[:-1])} or {states[-1]}: "
        "map the field state",
        code="E_STATE",
    )


def is_open(lifecycle: Lifecycle, state: str) -> bool:
    """Whether a case in this state still has to be worked."""
    return lifecycle.stage(state).kind in OPEN


def reached_at(
    kind: CaseKind, lifecycle: Lifecycle, values: Mapping[str, Any], state: str, known: datetime
) -> datetime:
    """When a case entered its state: the instant that says so, else what is known of it.

    Args:
        known: when its source says that the values hold. Of a case that is still to be worked it is
            the last instant that it tells, so that no promise begins later than the customer counts.
    """
    done = not is_open(lifecycle, state)
    for name, verb in INSTANTS.items():
        said: datetime | None = values.get(name)
        if said is not None and (state in kind.states_of(verb) or (done and name != "answered_at")):
            return said
    names = ("opened_at", *INSTANTS)
    told: list[datetime] = [values[name] for name in names if values.get(name) is not None]
    return max(*told, known) if done else max(told)


def way_to(kind: CaseKind, lifecycle: Lifecycle, start: str, state: str) -> list[str]:
    """The states after ``start`` up to ``state``: the shortest way of moves, implied states first.

    A source may move its cases otherwise; then it is the state alone.
    """
    usual = {*kind.implied, *kind.states_of("answer"), *kind.states_of("resolve")}
    for through in (set(kind.implied), usual, {stage.name for stage in lifecycle.stages}):
        ways, seen = [[start]], {start}
        while ways:
            longer = []
            for way in ways:
                for here, there in sorted(lifecycle.moves):
                    if here != way[-1] or there in seen:
                        continue
                    if there == state:
                        return [*way[1:], state]
                    if there in through:
                        seen.add(there)
                        longer.append([*way, there])
            ways = longer
    return [state]


def times_on(
    kind: CaseKind, way: Sequence[str], values: Mapping[str, Any], reached: datetime
) -> list[datetime]:
    """When each state of a way was entered, the last one at ``reached``.

    A state of which no instant is known is implied by the next one, as when a case is worked here:
    who answers has acknowledged.
    """
    told = {
        state: values[name]
        for name, verb in INSTANTS.items()
        for state in kind.states_of(verb)
        if values.get(name) is not None
    }
    answered: datetime | None = values.get("answered_at")
    if answered is not None and not kind.states_of("answer"):
        # The kind does not say which state an answer leads to: the one before where it is now.
        told |= dict.fromkeys(way[-2:-1], answered)
    out, at = [], reached
    for state in reversed(way):
        at = max(values["opened_at"], min(at, told.get(state, at)))
        out.append(at)
    return out[::-1]


def row_faults(batch: Batch, catalog: Catalog) -> list[RowFault]:
    """Rows of cases whose kind, state or severity is unknown, or whose state nothing says."""
    if batch.entity != CASE:
        return []
    columns = batch.columns
    names = ("kind", "state", "severity", *INSTANTS)
    given: dict[str, Sequence[Any]] = {n: columns[n] for n in names if n in columns}
    faults = []
    for row in range(batch.size):
        values = {name: found[row] for name, found in given.items()}
        fault = _fault(values, catalog, state_mapped="state" in given)
        if fault is not None:
            field, allowed, message = fault
            faults.append(
                RowFault(
                    row=row, field=field, value=values.get(field), message=message,
                    allowed=allowed, code="E_STATE" if field == "state" else "E_ENUM",
                )
            )  # fmt: skip
    return faults


def _fault(
    values: Mapping[str, Any], catalog: Catalog, *, state_mapped: bool
) -> tuple[str, str, str] | None:
    name = values.get("kind")
    if name is None:
        return None  # a record that is there keeps its kind, and a new one needs one by its schema
    if name not in catalog.case_kinds:
        return "kind", _listed(catalog.case_kinds), f"{name!r} is not a case kind"
    kind = catalog.case_kinds[name]
    lifecycle = catalog.lifecycles[kind.lifecycle]
    states = [stage.name for stage in lifecycle.stages]
    state, severity = values.get("state"), values.get("severity")
    if state is not None and state not in states:
        return "state", _listed(states), f"{state!r} is not a state of {name}"
    if severity is not None and severity not in kind.severities:
        allowed = _listed(kind.severities)
        return "severity", allowed, f"{severity!r} is not a severity of {name}"
    if state is None:
        try:
            implied_state(kind, lifecycle, values)
        except UnclearState as error:
            return "state", _listed(states), error.message
    return None


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
