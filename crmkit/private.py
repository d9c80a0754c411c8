"""Who may read the files of a workspace: its owner alone, or a group.

While a workspace is open, the process makes files with its mask, whatever the mask was before: so
files of libraries and plugins, of the database and of what spills to disk have the modes of our own.
What a user names as an output is the user's, and keeps the mask that the process began with.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

# What others may not do with new files, by the setting `permissions`.
MASKS = {"private": 0o077, "group": 0o007}

_lock = threading.RLock()
_open: list[int] = []
_before = 0o022


class Mask:
    """The mask of one open workspace; of several in one process the strictest holds.

    Args:
        permissions: ``private`` (files 0600, folders 0700) or ``group`` (0660 and 2770).
    """

    def __init__(self, permissions: str) -> None:
        global _before
        mask = MASKS[permissions]
        self._mask: int | None = mask
        with _lock:
            if not _open:
                _before = os.umask(0o077)
            _open.append(mask)
            _hold()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.lift()

    def lift(self) -> None:
        """Gives the process its own mask back, once no workspace is open; twice is once."""
        with _lock:
            if self._mask in _open:
                _open.remove(self._mask)
                _hold()
            self._mask = None


def _hold() -> None:
    os.umask(_mask() if _open else _before)


@contextmanager
def users_own() -> Iterator[None]:
    """Within, files are made with the mask that the process had before a workspace was opened."""
    with _lock:
        inside = os.umask(_before) if _open else None
        try:
            yield
        finally:
            if inside is not None:
                os.umask(inside)


def file_mode() -> int:
    """The mode of a new file of a workspace; of its owner's alone where none is open."""
    return 0o666 & ~_mask()


def folder_mode() -> int:
    """The mode of a new folder, as :func:`file_mode`."""
    return 0o777 & ~_mask()


def _mask() -> int:
    mask = 0 if _open else MASKS["private"]
    for one in _open:
        mask |= one
    return mask


def make_root(folder: Path, permissions: str) -> None:
    """Makes the folder of a workspace, with its parents; one that is there keeps its mode.

    In a workspace of a group the folder hands its group on to what is made in it (setgid).
    """
    if folder.is_dir():
        return
    folder.mkdir(parents=True)
    folder.chmod(0o2770 if permissions == "group" else 0o700)


def make_file(path: str | os.PathLike[str]) -> None:
    """Makes an empty file, where there is none, for a library that would choose a mode itself."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        return
