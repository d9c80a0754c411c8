"""Files that people name: opened if they are files, refused if they are something else."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from ..errors import InputRefused, NotFound, StorageError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
# Opening a pipe that nobody writes to would wait for ever.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_file(path: str | Path, what: str = "file") -> BinaryIO:
    """A file opened for reading; the caller closes it.

    Args:
        path: symbolic links are followed.
        what: names it in the error where there is none.

    Raises:
        NotFound: if there is none.
        InputRefused: if it is a folder, pipe, device or socket: it may have no end, and an import
            reads its file twice.
        StorageError: if it cannot be read.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        raise NotFound(what, str(path)) from None
    except OSError as error:
        check_regular(path)
        raise StorageError(f"cannot read {path}: {error.strerror}.") from error
    kind = _kind(os.fstat(descriptor).st_mode)
    if kind is not None:
        os.close(descriptor)
        raise _refused(path, kind)
    return os.fdopen(descriptor, "rb")


def check_regular(path: str | Path) -> None:
    """Refuses a path at which something else than a file is.

    Raises:
        InputRefused: naming what it is.
    """
    try:
        kind = _kind(Path(path).stat().st_mode)
    except OSError:
        return
    if kind is not None:
        raise _refused(path, kind)


def _kind(mode: int) -> str | None:
    return next((words for test, words in _KINDS if test(mode)), None)


def _refused(path: str | Path, kind: str) -> InputRefused:
    hint = "" if kind == "a folder" else "Give a file; - reads standard input."
    return InputRefused(f"{path} is {kind}, not a file.", hint=hint)
