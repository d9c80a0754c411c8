"""Marks of running commands: one that ended without its result is reported by the next command.

A process that is killed, crashes or is ended by a plugin with ``os._exit(0)`` says nothing and may even
exit with 0. So each command that opens a workspace keeps a file in ``.crmkit/running`` and deletes it when
it ends; the system holds a lock on the file as long as the process lives. A file without a lock is that of
a command that did not come to its end.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
from datetime import datetime
from pathlib import Path

from attrs import frozen

from ..private import file_mode, folder_mode

FOLDER = Path(".crmkit", "running")
# Of the part that says which plugin is running; the words of the command follow it.
_SIZE = 256
_NOBODY = b" " * _SIZE


@frozen(kw_only=True)
class Ended:
    """A command that ended without its result.

    Attributes:
        command: as ``crmkit import``, without its values.
        began_at: UTC instant.
        plugin: whose code was running at that moment; empty if none was.
        what: the hook or command of the plugin.
    """

    command: str
    began_at: datetime
    plugin: str = ""
    what: str = ""

    def __str__(self) -> str:
        said = f"{self.command!r}, begun at {self.began_at:%Y-%m-%d %H:%M:%SZ}, ended without its result"
        if self.plugin:
            said += f" while plugin {self.plugin} ran {self.what}"
        return (
            f"{said}. What it had committed stands: look before you run it again. An import goes on "
            "from where it stopped."
        )


class Mark:
    """The mark of this process's command.

    Args:
        folder: of the workspace. Where it cannot be written there is no mark.
        command: without values, which may be personal data.
    """

    def __init__(self, folder: Path, command: str, began_at: datetime) -> None:
        self._path = folder / FOLDER / f"{os.getpid()}-{began_at:%Y%m%dT%H%M%S%f}"
        self._process = os.getpid()
        self._file = -1
        self._memory: mmap.mmap | None = None
        self._outer: list[bytes] = []
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=folder_mode(), parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, file_mode())
            values = {"command": command, "began_at": began_at.isoformat()}
            try:
                _lock(self._file)
                # Only now, as nobody reports a file that is empty.
                os.write(self._file, _NOBODY + json.dumps(values).encode())
            except OSError:  # a full disk, or one that knows no locks
                self.end()

    def enter(self, plugin: str, what: str) -> None:
        """Says that code of a plugin runs now; costs no system call, and outlives the process."""
        if self._memory is None:
            if self._file < 0:
                return
            self._memory = mmap.mmap(self._file, _SIZE)
        self._outer.append(self._memory[:_SIZE])
        self._memory[:_SIZE] = f"{plugin}\n{what}".encode()[:_SIZE].ljust(_SIZE)

    def leave(self) -> None:
        """Says that the code entered last has come back."""
        if self._memory is not None and self._outer:
            self._memory[:_SIZE] = self._outer.pop()

    def end(self) -> None:
        """Deletes the mark: the command has said what came of it."""
        if self._file < 0 or os.getpid() != self._process:
            return
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        if self._memory is not None:
            self._memory.close()
        os.close(self._file)
        self._file, self._memory = -1, None


def take_ended(folder: Path) -> list[Ended]:
    """The commands that ended without their result since the last time, oldest first; each once."""
    found = []
    try:
        paths = sorted(Path(entry.path) for entry in os.scandir(folder / FOLDER))
    except OSError:  # no command has run here yet
        return []
    for path in paths:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            file = os.open(path, os.O_RDWR)
            try:
                _lock(file)  # raises while its process lives
                content = os.read(file, 4096)
                if not content:
                    continue  # its process has not locked it yet
                path.unlink()
            finally:
                os.close(file)
            plugin, _, what = content[:_SIZE].decode(errors="replace").strip().partition("\n")
            values = json.loads(content[_SIZE:])
            began_at = datetime.fromisoformat(values["began_at"])
            found.append(
                Ended(command=values["command"], began_at=began_at, plugin=plugin, what=what)
            )
    return sorted(found, key=lambda ended: ended.began_at)


def _lock(file: int) -> None:
    """Locks an open file until it is closed.

    Raises:
        BlockingIOError: if another process holds the lock.
    """
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
