"""Writes to a terminal: in its width and colours, and through a pager where it is too low."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import subprocess

NO_PAGER = "crmkit.no_pager"
# Where the names of the columns are kept that a narrow terminal leaves out first.
DETAIL = "crmkit.detail"


def terminal_width(output: str | None = None) -> int | None:
    """Cells in a line of the terminal that the result goes to; None if it goes to a file or pipe."""
    if output not in (None, "-") or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def remark_text(text: str) -> str:
    """A remark as stderr shows it: wrapped at words where that is a terminal.

    It may quote data, which must not steer the terminal.
    """
    if not text.replace("\n", "").isprintable():
        from ..present.values import printable

        text = "\n".join(map(printable, text.split("\n")))
    if not sys.stderr.isatty():
        return text
    from ..present.fitting import wrapped

    width = shutil.get_terminal_size().columns
    return "\n".join(part for line in text.split("\n") for part in wrapped(line, width))


def has_colours() -> bool:
    """Whether the terminal may be sent colours (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(lines: Sequence[str]) -> None:
    """Lines on the terminal; through ``PAGER``, else less, where they are more than it has rows.

    With ``--no-pager``, ``PAGER`` empty or ``cat``, or without a keyboard they are printed. A pager
    that cannot be started is no fault: the lines are printed.
    """
    text = "".join(f"{line}\n" for line in lines).encode()
    command = _pager() if len(lines) >= shutil.get_terminal_size().lines else []
    if command:
        # Lazy: few results are longer than the terminal, and every command prints remarks.
        import subprocess

        # As git sets them: colours pass through, and less ends by itself on a short text.
        environment = {"LESS": "FRX", "LV": "-c", **os.environ}
        try:
            # The person at the terminal names their own pager.
            with subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=sys.stdout, env=environment
            ) as pager:  # fmt: skip
                _feed(pager, text)
                return
        except OSError:
            pass
    sys.stdout.flush()
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def _feed(pager: subprocess.Popen[bytes], text: bytes) -> None:
    while True:
        try:
            pager.communicate(text)
            return
        except BrokenPipeError:  # the reader has seen enough
            return
        except KeyboardInterrupt:  # the pager handles it; it goes on until q is typed
            text = b""


def _pager() -> list[str]:
    ctx = click.get_current_context(silent=True)
    if not sys.stdin.isatty() or (ctx is not None and ctx.meta.get(NO_PAGER)):
        return []
    try:
        import shlex

        command = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # an unclosed quotation mark
        return []
    return [] if not command or command == ["cat"] or not shutil.which(command[0]) else command
