"""Progress of long work, passed to a listener that shows it.

Services say where they are; without a listener that costs a comparison. A listener belongs to a
thread of work and not to the process, so that two embedded workspaces do not mix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Listener = Callable[[str, int | None, int | None], None]
Item = TypeVar("Item")

_listener: ContextVar[Listener | None] = ContextVar("crmkit_progress", default=None)
_within: ContextVar[str] = ContextVar("crmkit_progress_within", default="")


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Calls ``listener(what, done, total)`` for every step of the work inside.

    Args:
        listener: must return at once; ``done`` and ``total`` are None where nobody knows.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def step(what: str, done: int | None = None, total: int | None = None) -> None:
    """Says what is being done, and how much of it is behind."""
    listener = _listener.get()
    if listener is not None:
        listener(_within.get() + what, done, total)


@contextmanager
def within(what: str) -> Iterator[None]:
    """Steps inside are those of ``what``."""
    step(what)
    token = _within.set(f"{_within.get()}{what}: ")
    try:
        yield
    finally:
        _within.reset(token)


def steps(items: Sequence[Item], name: Callable[[Item], str]) -> Iterator[Item]:
    """The items one by one, each told before it is given out.

    Example:
        >>> with listening(lambda *told: print(*told)):
        ...     for _ in steps(["a", "b"], str): pass
        a 0 2
        b 1 2
    """
    for number, item in enumerate(items):
        step(name(item), number, len(items))
        yield item
