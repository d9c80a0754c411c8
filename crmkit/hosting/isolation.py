"""Running a plugin's code so that whatever it does stays its own fault."""

from __future__ import annotations

import contextlib
import decimal
import inspect
import locale
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import CrmkitError


def words(error: BaseException) -> str:
    """What went wrong in a plugin's code, in one line of at most 500 characters.

    The place is that of the innermost frame, so that the author finds it without a traceback.
    """
    if isinstance(error, SystemExit):
        said = f"sys.exit({error.code!r}) was called"
    else:
        text = " ".join(str(error).split())
        name = type(error).__name__
        said = text if isinstance(error, CrmkitError) else f"{name}: {text}" if text else name
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith("<"):
            place = f" ({Path(code.co_filename).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return said[:440] + place[:60]


class Guard:
    """Catches whatever a plugin's code raises, but an interrupt by the user.

    ``SystemExit`` and other exceptions outside ``Exception`` are caught too: a plugin that calls
    ``sys.exit`` must not end the program, and one that forks must not run it twice. What it prints goes to stderr, because stdout carries
    results only.

    Attributes:
        error: what was raised, or None.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._process = os.getpid()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(contextlib.redirect_stdout(sys.stderr))
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
        self._stack.close()
        self.error = error
        # KeyboardInterrupt is the person at the keyboard, not the plugin.
        return error is not None and not isinstance(error, KeyboardInterrupt)


@contextlib.contextmanager
def restored_process() -> Iterator[list[str]]:
    """Puts back the state of the process that a plugin may have changed, and says what it was.

    The code inside is guarded, so nothing is raised through here.

    Yields:
        A list that is filled on leaving: one sentence per thing that was put back.
    """
    changed: list[str] = []
    folder = _folder()
    place = locale.setlocale(locale.LC_ALL)
    context = decimal.getcontext().copy()
    limit = sys.getrecursionlimit()
    with warnings.catch_warnings():
        before = list(warnings.filters)
        yield changed
        # Narrow filters are dropped in silence: importing numpy adds some, and rightly so.
        added = [found for found in warnings.filters if found not in before]
        if any(
            text is None and kind is Warning and module is None
            for _, text, kind, module, _ in added
        ):
            changed.append("it changed the filter of all warnings")
    if folder is not None and _folder() != folder:
        os.chdir(folder)
        changed.append("it changed the current folder")
    if locale.setlocale(locale.LC_ALL) != place:
        locale.setlocale(locale.LC_ALL, place)
        changed.append("it changed the locale")
    if _settings(decimal.getcontext()) != _settings(context):
        decimal.setcontext(context)
        changed.append("it changed the decimal context")
    if sys.getrecursionlimit() != limit:
        sys.setrecursionlimit(limit)
        changed.append("it changed the recursion limit")


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


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # the folder was deleted under us: nothing to go back to
        return None


def _settings(context: decimal.Context) -> tuple[object, ...]:
    # Flags are left out: they are raised by any inexact sum.
    traps = tuple(sorted(signal.__name__ for signal, on in context.traps.items() if on))
    return (context.prec, context.rounding, context.Emin, context.Emax, context.capitals, traps)
