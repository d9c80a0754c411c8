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
