"""Moves of cases go through the cases, so that no clock misses one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from crmkit.declarations import StageMove, StageVeto

from .records import CASE

_moving: ContextVar[bool] = ContextVar("moving", default=False)


@contextmanager
def moving() -> Iterator[None]:
    """Within it, moves of cases are the cases' own."""
    token = _moving.set(True)
    try:
        yield
    finally:
        _moving.reset(token)


def vetoes(moves: Sequence[StageMove]) -> list[StageVeto]:
    """Refuses a case that is moved by the lifecycle's own command: its clocks would not know."""
    if _moving.get():
        return []
    reason = "cases are moved by 'crmkit case', which runs their clocks"
    return [
        StageVeto(subject_id=m.subject_id, reason=reason) for m in moves if m.subject_type == CASE
    ]
