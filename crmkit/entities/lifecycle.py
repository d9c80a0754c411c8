"""Lifecycles: stages, the moves between them, and the log of moves (L1, L2, design D9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import field, frozen
from attrs.validators import in_

from ..errors import MoveRefused, did_you_mean

# The five kinds of L1, in order. A customer stage of any plugin is of one of these kinds.
CUSTOMER_STAGE_KINDS = ("prospect", "development", "growth", "maturity", "termination")
RECORD_STAGE_KINDS = ("open", "waiting", "done", "failed")
FINAL_KINDS = ("termination", "done", "failed")


@frozen
class Stage:
    """A state with a label and a *kind*; rules use the kind, people read the label."""

    name: str
    kind: str = field(validator=in_(CUSTOMER_STAGE_KINDS + RECORD_STAGE_KINDS))
    title: str = ""
    title_zh: str = ""


# Converters with the type of the items: mypy knows none behind a bare ``converter=tuple``.
def _stages(values: Iterable[Stage]) -> tuple[Stage, ...]:
    return tuple(values)


def _moves(values: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset(values)


@frozen(kw_only=True)
class Lifecycle:
    """The stages of a customer or of a record type, and which moves are allowed.

    Args:
        name: owned name, as ``telecom.subscriber``.
        subject: ``customer`` or a record type such as ``telecom.subscription``.
        stages: in order, first the initial one.
        moves: allowed pairs of stage names ``(from, to)``.
        mode: ``moved`` (asked for, refused if not allowed) or ``computed`` (from events, by event
            time; an impossible move is flagged and kept).
        propose: SELECT over analysis tables returning ``subject_id, as_of, stage, reason``: the
            stage in which each subject ought to be (L3); None when nothing is proposed.
    """

    name: str
    subject: str = "customer"
    title: str = ""
    title_zh: str = ""
    stages: tuple[Stage, ...] = field(converter=_stages)
    moves: frozenset[tuple[str, str]] = field(converter=_moves)
    mode: str = field(default="moved", validator=in_(("moved", "computed")))
    propose: str | None = None

    @property
    def initial(self) -> Stage:
        """The stage in which a subject begins."""
        return self.stages[0]

    def stage(self, name: str) -> Stage:
        """The stage of that name.

        Raises:
            MoveRefused: if this lifecycle has no such stage; the message lists the stages.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        names = [s.name for s in self.stages]
        near = did_you_mean(name, names) or f"It has {', '.join(names)}."
        raise MoveRefused(f"lifecycle {self.name} has no stage {name!r}.", hint=near)

    def next_stages(self, name: str) -> tuple[str, ...]:
        """Names of the stages that ``name`` may move to, in stage order."""
        return tuple(s.name for s in self.stages if (name, s.name) in self.moves)

    def check_move(self, current: str | None, target: str) -> None:
        """Refuses an impossible move.

        Args:
            current: the stage now, or None for a subject that has none yet (any start is allowed).
            target: the stage asked for.

        Raises:
            MoveRefused: naming the stages that are allowed from ``current``.
        """
        self.stage(target)
        if current is None or (current, target) in self.moves:
            return
        allowed = ", ".join(self.next_stages(current)) or "none: it is an end"
        raise MoveRefused(
            f"lifecycle {self.name}: {current} cannot move to {target}.",
            hint=f"Allowed from {current}: {allowed}.",
        )

    def faults(self) -> list[str]:
        """Every reason why this is no sound lifecycle; empty when sound."""
        names = [s.name for s in self.stages]
        kinds = CUSTOMER_STAGE_KINDS if self.subject == "customer" else RECORD_STAGE_KINDS
        out = [
            f"stage {n!r} is declared twice"
            for n in sorted({n for n in names if names.count(n) > 1})
        ]
        out += [
            f"stage {s.name!r} is of kind {s.kind!r}, not one of {', '.join(kinds)}"
            for s in self.stages
            if s.kind not in kinds
        ]
        for pair in sorted(self.moves):
            out += [
                f"move {pair[0]} to {pair[1]} names no stage {n!r}" for n in pair if n not in names
            ]
        if not any(s.kind in FINAL_KINDS for s in self.stages):
            out.append(f"no stage is an end (kind {', '.join(FINAL_KINDS)})")
        else:
            out += [f"stage {n!r} reaches no end" for n in names if not self._reaches_end(n)]
        return out

    def _reaches_end(self, name: str) -> bool:
        seen, todo = set(), [name]
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            todo += [t for f, t in self.moves if f == here]
        return any(s.kind in FINAL_KINDS for s in self.stages if s.name in seen)


@frozen(kw_only=True)
class StageChange:
    """One move in the append-only log: who or what moved the subject, when and why."""

    id: int
    lifecycle: str
    subject_type: str
    subject_id: int
    from_stage: str | None
    to_stage: str
    at: datetime
    reason: str = ""
    rule: str | None = None
    actor: str | None = None
