"""Writes that another one got in the way of, run again whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from ..errors import Contended

if TYPE_CHECKING:
    from .store import Store

P = ParamSpec("P")
T = TypeVar("T")

RETRIES = 3


class _Writes(Protocol):
    _store: Any


W = TypeVar("W", bound=_Writes)


def rerun(store: Store, work: Callable[[], T]) -> T:
    """What ``work`` gives, which is run up to three times more if the database chose it to give way.

    Args:
        work: a whole transaction, which may be run again: what it read, it reads again, and what it
            keeps outside the database it keeps when the transaction is over. Inside an open write it
            is run once, since all of that write would have to be done again.
    """
    for _ in range(RETRIES):
        try:
            return work()
        except Contended:
            if store.is_writing:
                raise
    return work()


def retried(
    method: Callable[Concatenate[W, P], T],
) -> Callable[Concatenate[W, P], T]:
    """A method that is one transaction, run as :func:`rerun` does."""

    @wraps(method)
    def run(self: W, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return rerun(self._store, lambda: method(self, *args, **kwargs))

    return run
