"""When the garbage collector runs during an import."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def collecting_by_batch() -> Iterator[Callable[[], object]]:
    """Lets the collector run only when the function that this yields is called: once a batch.

    A batch allocates some 100,000 tuples and lists, none of them in a cycle. Left to itself, the
    collector would go through everything in memory several times a batch to find nothing. Called
    after each batch, it looks at what is new, so that cycles of plugins do not pile up.
    """
    if not gc.isenabled():
        yield _young
        return
    gc.disable()
    try:
        yield _young
    finally:
        gc.enable()


def _young() -> int:
    return gc.collect(1)
