"""Shows on stderr that a command is at work: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO

import click

from ..progress import listening

# Work that ends sooner shows nothing.
QUIET_SECONDS = 2.0
# Without a terminal a line is written so often: enough to see that it goes on, few enough for a log.
LINE_SECONDS = 10.0
_REDRAW_SECONDS = 0.2
_BAR = 24
_KEY = "crmkit.working"


class Working:
    """A thread that shows what the work is at, until it is stopped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._live = stream, stream.isatty()
        self._what, self._done, self._total = "", None, None  # type: tuple[str, int | None, int | None]
        self._started, self._lock = time.monotonic(), threading.Lock()
        self._ended, self._drawn = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="crmkit progress", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def told(self, what: str, done: int | None, total: int | None) -> None:
        """Takes what the work says it is at."""
        self._what, self._done, self._total = " ".join(what.split()), done, total

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Takes the bar away while something else is written to the terminal."""
        with self._lock:
            self._erase()
            yield

    def stop(self) -> None:
        """Ends it and leaves no trace on the terminal."""
        self._ended.set()
        with self._lock:
            self._erase()

    def _run(self) -> None:
        every = _REDRAW_SECONDS if self._live else LINE_SECONDS
        wait = QUIET_SECONDS if self._live else LINE_SECONDS
        while not self._ended.wait(wait):
            wait = every
            with self._lock:
                if self._ended.is_set():
                    return
                try:
                    self._draw()
                except (OSError, ValueError):  # nobody reads stderr any more
                    return

    def _draw(self) -> None:
        seconds = time.monotonic() - self._started
        if self._live:
            width = shutil.get_terminal_size().columns
            text = self._line(seconds, bar=True)[: width - 1]
            self._stream.write(f"\r{text}\x1b[K")
            self._drawn = True
        else:
            self._stream.write(f"still working: {self._line(seconds, bar=False)}\n")
        self._stream.flush()

    def _line(self, seconds: float, *, bar: bool) -> str:
        parts = [f"{seconds:.0f} s"]
        if self._total:
            done = min(self._done or 0, self._total)
            if bar:
                filled = _BAR * done // self._total
                parts.insert(0, f"[{'#' * filled}{'.' * (_BAR - filled)}]")
            parts.append(f"{done:,} of {self._total:,}")
        return "  ".join([*parts, self._what or "working"])

    def _erase(self) -> None:
        if self._drawn:
            self._drawn = False
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def begin() -> None:
    """Shows that the command of the current context is at work, until its context closes."""
    ctx = click.get_current_context().find_root()
    if _KEY in ctx.meta:
        return
    working = ctx.meta[_KEY] = Working(sys.stderr)
    stack = ExitStack()
    stack.enter_context(listening(working.told))
    stack.callback(working.stop)
    ctx.call_on_close(stack.close)
    working.start()


def end() -> None:
    """The work is over and its result is about to be shown."""
    working = _current()
    if working is not None:
        working.stop()


@contextmanager
def hidden() -> Iterator[None]:
    """Takes the bar away while a remark or a question is written."""
    working = _current()
    if working is None:
        yield
        return
    with working.hidden():
        yield


def _current() -> Working | None:
    ctx = click.get_current_context(silent=True)
    return None if ctx is None else ctx.meta.get(_KEY)
