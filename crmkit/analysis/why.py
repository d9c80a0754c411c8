"""Why a customer stands where it stands: a stage, score, segment or rule explained (design section 4).

Nothing is computed anew. What is said is what the stage log and the kept runs hold, at two times
(design D1): what was true at a date by all that is recorded today, and what was known by then. A move
that was entered late, or a run made for a past day, is in the first and not in the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from ..declarations import CUSTOMER
from ..entities.asof import AsOf
from ..entities.lifecycle import StageChange
from ..errors import NotFound
from .runs import Runs, Told

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..store.store import Store

MEMBER, FIRED, COOLING = "member", "fired", "cooling down"


@frozen(kw_only=True)
class Reason:
    """What is known of one subject under one name.

    Attributes:
        what: the lifecycle, score, segment or rule; ``kind`` is ``stage`` or one of the others.
        subject_type, subject_id: the customer, or one of its records.
        value: the stage, the score as a fraction, ``member``, ``fired`` or ``cooling down`` (fired
            within the rule's cool-down before the last run); None if none of it held at the date.
        known_then: the same by what was recorded at the date.
        since: when that began: the move, the as-of of the first of the runs in a row that found it,
            the firing. UTC.
        as_of: of the run that says so; None for a stage. UTC.
        recorded_at: when that was written down, UTC; later than the date where it was not known.
        reasons: in words, most important first.
        evidence: the inputs by name.
        by: the rule, lifecycle or score that decided; None where a person did. ``version`` of its
            text or model.
        actor: who moved the customer, or None.
    """

    what: str
    kind: str
    subject_type: str
    subject_id: int
    value: str | float | None = None
    known_then: str | float | None = None
    since: datetime | None = None
    as_of: datetime | None = None
    recorded_at: datetime | None = None
    reasons: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(factory=dict, hash=False)
    by: str | None = None
    version: str | None = None
    actor: str | None = None


class Why:
    """Explains from what is kept."""

    def __init__(self, store: Store, catalog: Catalog, runs: Runs) -> None:
        self._store, self._catalog, self._runs = store, catalog, runs

    def explain(self, customer_id: int, what: str, at: AsOf) -> tuple[Reason, ...]:
        """Why a customer, or each of its records, stands as it does under a name.

        Args:
            what: name of a lifecycle, score, segment or rule.
            at: at which date, exclusive.

        Returns:
            One for the customer; one for each record where the name is about records, none if the
            customer has no such record.

        Raises:
            NotFound: if nothing has that name, with the near misses.
        """
        named: Mapping[str, Mapping[str, Any]] = {
            "stage": self._catalog.lifecycles, "score": self._catalog.scores,
            "segment": self._catalog.segments, "rule": self._catalog.rules,
        }  # fmt: skip
        for kind, declared in named.items():
            if what in declared:
                subject = declared[what].subject
                return tuple(
                    self._of_stage(what, subject, who, at)
                    if kind == "stage"
                    else self._of_runs(kind, what, subject, who, at)
                    for who in self._subjects(customer_id, subject)
                )
        every = [name for declared in named.values() for name in declared]
        raise NotFound("lifecycle, score, segment or rule", what, every)

    def _subjects(self, customer_id: int, subject: str) -> Iterator[int]:
        if subject == CUSTOMER:
            yield customer_id
            return
        for record in self._store.records.list_for(customer_id):
            if record.type == subject:
                yield record.id

    # --- stages -----------------------------------------------------------------------------------

    def _of_stage(self, what: str, subject: str, who: int, at: AsOf) -> Reason:
        moves = [
            (change, recorded)
            for change, recorded in self._store.stages.recorded(who, what)
            if change.at < at.instant
        ]
        if not moves:
            return Reason(what=what, kind="stage", subject_type=subject, subject_id=who)
        last, recorded = moves[-1]
        known = [change.to_stage for change, entered in moves if entered < at.instant]
        fired = self._firing_behind(last)
        return Reason(
            what=what, kind="stage", subject_type=subject, subject_id=who, value=last.to_stage,
            known_then=known[-1] if known else None, since=last.at, recorded_at=recorded,
            reasons=(last.reason,) if last.reason else (), by=last.rule, actor=last.actor,
            evidence=fired.evidence if fired else {}, version=fired.version if fired else None,
        )  # fmt: skip

    def _firing_behind(self, change: StageChange) -> Told | None:
        """The firing of the rule that proposed a move; None where a person or its SQL did."""
        if change.rule is None or change.rule not in self._catalog.rules:
            return None
        # Moves are dated at the last moment of the as-of for which they are proposed.
        end = change.at + timedelta(microseconds=1)
        found = [
            t for t in self._runs.told_of("rule", change.rule, change.subject_id, end) if t.found
        ]
        return found[-1] if found else None

    # --- scores, segments, rules ------------------------------------------------------------------

    def _of_runs(self, kind: str, what: str, subject: str, who: int, at: AsOf) -> Reason:
        told = self._runs.told_of(kind, what, who, at.instant)
        known = [one for one in told if one.made_at < at.instant]
        base: dict[str, Any] = {
            "what": what,
            "kind": kind,
            "subject_type": subject,
            "subject_id": who,
        }
        shown = self._standing(kind, what, told)
        then = self._standing(kind, what, known)
        value = self._value(kind, shown, told)
        if shown is None:
            return Reason(**base, known_then=self._value(kind, then, known))
        return Reason(
            **base, value=value, known_then=self._value(kind, then, known),
            since=_began(told) if kind == "segment" else shown.as_of, as_of=told[-1].as_of,
            recorded_at=shown.made_at, reasons=shown.reasons, evidence=shown.evidence, by=what,
            version=shown.version,
        )  # fmt: skip

    def _standing(self, kind: str, what: str, told: Sequence[Told]) -> Told | None:
        """What the last run found, or an earlier firing within the cool-down."""
        if told and told[-1].found:
            return told[-1]
        if not told or kind != "rule":
            return None
        first = told[-1].on - timedelta(days=self._catalog.rules[what].cooldown_days)
        earlier = [one for one in _last_of_each(told) if one.found and one.on > first]
        return earlier[-1] if earlier else None

    def _value(self, kind: str, shown: Told | None, told: Sequence[Told]) -> str | float | None:
        if shown is None:
            return None
        if kind == "score":
            return shown.value
        if kind == "segment":
            return MEMBER
        return FIRED if shown is told[-1] else COOLING


def _last_of_each(told: Sequence[Told]) -> list[Told]:
    """The last run for each as-of; a later one for the same replaces what the earlier said."""
    return [*{one.as_of: one for one in told}.values()]


def _began(told: Sequence[Told]) -> datetime:
    """The as-of of the first of the runs in a row, up to the last, in which the subject is."""
    began = told[-1].as_of
    for one in reversed(_last_of_each(told)):
        if not one.found:
            break
        began = one.as_of
    return began
