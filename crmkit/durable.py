"""Text files that are there whole or not at all, also after a crash or a loss of power."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Puts a file with ``text`` (UTF-8) in the place of what was there.

    A reader sees the old text or the new one. The file keeps its permissions.

    Raises:
        OSError: if it cannot be written; what was there stays.
    """
    draft = _draft(path, text)
    try:
        with suppress(FileNotFoundError):
            shutil.copymode(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_new(path: Path, text: str) -> None:
    """Writes a file that must not be there yet.

    Raises:
        FileExistsError: if it is; of several writers at once one alone succeeds.
        OSError: if it cannot be written.
    """
    draft = _draft(path, text)
    try:
        # Renaming would overwrite what another writer has put there.
        path.hardlink_to(draft)
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _draft(path: Path, text: str) -> Path:
    # Of this process, so that two writers do not write into one draft.
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
