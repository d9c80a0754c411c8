"""Running a plugin's code so that whatever it does by accident stays its own fault.

A plugin is a program that the user installed, so this is no wall against malice.
"""

from __future__ import annotations

import contextlib
import decimal
import gc
import inspect
import locale
import os
import signal
import sys
import threading
import time
import warnings

# Those of the module signal make an enum of each answer, which takes thirty times as long.
from _signal import getsignal  # type: ignore[import-not-found]
from _signal import signal as set_signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import CrmkitError


def words(error: BaseException, files: Path | None = None) -> str:
    """What went wrong in a plugin's code, in one line of at most 500 characters.

    Args:
        error: what was raised.
        files: the plugin's folder or its one module. The place is that of the innermost frame in
            these files, as ``crmkit_telecom/checks.py:17``; an error that was raised by a library
            still names the line that the author has to change. Without such a frame, or without
            files, it is that of the innermost frame.
    """
    if isinstance(error, SystemExit):
        said = f"sys.exit({error.code!r}) was called"
    else:
        text = " ".join(str(error).split())
        name = type(error).__name__
        said = text if isinstance(error, CrmkitError) else f"{name}: {text}" if text else name
    return said[:400] + f" ({place})"[:100] if (place := _place(error, files)) else said[:500]


def _place(error: BaseException, files: Path | None) -> str:
    """File and line to look at, or an empty text where no frame has a file."""
    innermost = own = ""
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if not path.startswith("<"):
            innermost = f"{Path(path).name}:{trace.tb_lineno}"
            if files is not None and (path == str(files) or path.startswith(f"{files}{os.sep}")):
                own = f"{Path(path).relative_to(files.parent).as_posix()}:{trace.tb_lineno}"
        trace = trace.tb_next
    return own or innermost


class Guard:
    """Catches whatever a plugin's code raises, but an interrupt by the user.

    ``SystemExit`` and other exceptions outside ``Exception`` are caught too: a plugin that calls
    ``sys.exit`` must not end the program, and one that forks must not run it twice. What it prints
    goes to stderr, because stdout carries results only.

    Attributes:
        error: what was raised, or None.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._process = os.getpid()
        self._stdout = sys.stdout

    def __enter__(self) -> Self:
        self._stdout = sys.stdout
        sys.stdout = sys.stderr
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if os.getpid() != self._process:
            # The plugin forked and this is the copy: it must not go on with the user's command.
            os._exit(0)
        sys.stdout = self._stdout
        self.error = error
        # KeyboardInterrupt is the person at the keyboard, not the plugin.
        return error is not None and not isinstance(error, KeyboardInterrupt)


class Watch(Guard):
    """A guard that also restores the state of the process that a plugin's code has changed.

    It watches what changes results, files or the end of the command elsewhere and what plugins change
    by accident, often through a library: decimal context, locale, time zone, umask, current folder,
    signal handlers and alarm, recursion limit, warning filters, garbage collection, standard streams
    and hooks of ``sys``, threads. Takes about 12 µs of processor time.

    Attributes:
        changes: what was changed and has been put back, one clause each, as ``it changed the locale``.
        threads: the threads that it left running, which nobody can end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[str] = []
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._state = _read()
        self._alarm = signal.getitimer(signal.ITIMER_REAL)
        self._streams = (sys.stdin, sys.stderr, sys.excepthook, sys.displayhook)
        self._context = decimal.getcontext().copy()
        self._filters = list(warnings.filters)
        self._threads = threading.enumerate()
        # There is no way to read it but to set it; the strict one, should another thread make a file.
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        handed = sys.stdout
        held = super().__exit__(kind, error, trace)
        stderr = self._streams[1]
        if handed is not stderr:
            self.changes.append("it replaced sys.stdout")
        if stderr is not None and stderr.closed:
            # Python's own streams leave their descriptors open.
            sys.stderr = open(
                2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
            )
            self.changes.append("it closed the stream of errors")
        elif (sys.stdin, sys.stderr, sys.excepthook, sys.displayhook) != self._streams:
            sys.stdin, sys.stderr, sys.excepthook, sys.displayhook = self._streams
            self.changes.append("it replaced a stream or hook of sys")
        if not _same(decimal.getcontext(), self._context):
            self.changes.append("it changed the decimal context")
            decimal.setcontext(self._context)
        if os.umask(self._umask) != self._umask:
            self.changes.append("it changed the umask")
        if warnings.filters != self._filters:
            self._restore_filters()
        alarm_was_changed = getsignal(signal.SIGALRM) != self._state[_HANDLERS][_ALARM]
        if alarm_was_changed or signal.getitimer(signal.ITIMER_REAL)[0] > self._alarm[0]:
            # One that runs out without its handler ends the process; the caller's own goes on.
            signal.setitimer(signal.ITIMER_REAL, *self._alarm)
            self.changes.append("it set an alarm")
        state = _read()
        if state != self._state:
            self.changes += _restore(self._state, state)
        _keep_ctrl_c(self._state[_HANDLERS][_CTRL_C])
        threads = threading.enumerate()
        if threads != self._threads:
            self.threads = [thread for thread in threads if thread not in self._threads]
            left_behind.extend(self.threads)
        return held

    def _restore_filters(self) -> None:
        # Narrow filters are dropped in silence: importing numpy adds some, and rightly so.
        added = [found for found in warnings.filters if found not in self._filters]
        # Makes Python forget, too, what it decided by the filters that go.
        warnings.resetwarnings()
        warnings.filters[:] = self._filters  # type: ignore[index]
        if any(
            text is None and kind is Warning and module is None
            for _, text, kind, module, _ in added
        ):
            self.changes.append("it changed the filter of all warnings")


# Threads that plugins left running in this process. They would keep a finished command alive.
left_behind: list[threading.Thread] = []

_HANDLED = tuple(
    int(getattr(signal, name))  # an enum as an argument costs ten times as much
    for name in "SIGINT SIGTERM SIGHUP SIGQUIT SIGALRM SIGPIPE SIGCHLD SIGUSR1 SIGUSR2".split()
    if hasattr(signal, name)
)
# Where the handlers stand in what :func:`_read` gives, and SIGALRM's among them.
_HANDLERS, _ALARM, _CTRL_C = 3, _HANDLED.index(signal.SIGALRM), _HANDLED.index(signal.SIGINT)
_TZ = "TZ"


def _read() -> tuple[Any, ...]:
    """What of the process can be compared as it is, in the order of :data:`_PARTS`."""
    return (
        locale.setlocale(locale.LC_ALL),
        (os.environ.get(_TZ), time.tzname, time.timezone),
        _folder(),
        tuple([getsignal(number) for number in _HANDLED]),
        sys.getrecursionlimit(),
        gc.isenabled(),
    )


def _set_time_zone(before: tuple[str | None, tuple[str, str], int]) -> None:
    if before[0] is None:
        os.environ.pop(_TZ, None)
    else:
        os.environ[_TZ] = before[0]
    time.tzset()


def _set_folder(folder: str | None) -> None:
    if folder is not None:
        with contextlib.suppress(OSError):  # deleted meanwhile: nothing to go back to
            os.chdir(folder)


def _set_handlers(handlers: Sequence[Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # no other thread may set them, and so this one's plugin has not
    for number, handler in zip(_HANDLED, handlers, strict=True):
        if getsignal(number) != handler and handler is not None:
            signal.signal(number, handler)


def _keep_ctrl_c(handler: Any) -> None:
    """Sets Python's handler of Ctrl-C again.

    Libraries written in C take it for the time of their work and may leave the system's behind, of
    which Python knows nothing (OR-Tools does). Ctrl-C would then end the process without clearing up.
    """
    if handler is not None and threading.current_thread() is threading.main_thread():
        set_signal(_HANDLED[_CTRL_C], handler)


# What was changed, and how to put it back.
_PARTS: tuple[tuple[str, Callable[[Any], object]], ...] = (
    ("it changed the locale", lambda place: locale.setlocale(locale.LC_ALL, place)),
    ("it changed the time zone", _set_time_zone),
    ("it changed the current folder", _set_folder),
    ("it changed a signal handler", _set_handlers),
    ("it changed the recursion limit", sys.setrecursionlimit),
    ("it switched garbage collection", lambda on: gc.enable() if on else gc.disable()),
)


def _restore(before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    for (said, put_back), old, new in zip(_PARTS, before, after, strict=True):
        if old != new:
            put_back(old)
            yield said


def _same(one: decimal.Context, other: decimal.Context) -> bool:
    """Whether two contexts compute alike. Flags are left out: they are raised by any inexact sum."""
    return (
        one.prec == other.prec
        and one.rounding == other.rounding
        and one.Emin == other.Emin
        and one.Emax == other.Emax
        and one.capitals == other.capitals
        and one.clamp == other.clamp
        and one.traps == other.traps
    )


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - Path.cwd() takes four times as long
    except FileNotFoundError:  # the folder was deleted under us: nothing to go back to
        return None


def unusable(result: object) -> str | None:
    """Why a result cannot be read as a value at all, or None if it can.

    A generator runs later, outside the guard; a coroutine never runs.
    """
    if inspect.iscoroutine(result):
        result.close()
        return "returned a coroutine; a hook is a plain function, not 'async def'"
    if inspect.isgenerator(result):
        result.close()
        return "returned a generator; return a list"
    if inspect.isasyncgen(result):
        return "returned an async generator; return a list"
    return None
