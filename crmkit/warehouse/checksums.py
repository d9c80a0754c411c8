"""Checksums: an answer comes only from files that are as they were written.

A disk, a copy or another program may change a file without an error. So the size and the SHA-256 of
every file are kept when it is written, and the file is hashed when a process first opens it. A
process hashes it again only if the file's inode, size or time of change is another.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from attrs import frozen

Stamp = tuple[int, int, int, int]
# Of this process: files that had their checksum, with the stamp that they had then.
_verified: dict[Path, tuple[Stamp, str]] = {}


@frozen
class Checksum:
    """What a file was when it was written: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Checksum:
        """The checksum of a file as it is now.

        Raises:
            OSError: if it cannot be read.
        """
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(file.tell(), digest)

    def fits_size(self, path: Path) -> bool:
        """Whether the file is there with this size; it is not read."""
        try:
            return path.stat().st_size == self.size
        except FileNotFoundError:
            return False

    def fits(self, path: Path) -> bool:
        """Whether the file is there with this very content; it is read once in a process.

        Raises:
            OSError: if it is there and cannot be read.
        """
        try:
            # Taken before the file is read: a change in between then counts as one after it.
            stamp = stamp_of(path)
            if stamp[1] != self.size:
                return False
            if _verified.get(path) == (stamp, self.sha256):
                return True
            found = Checksum.of(path)
        except FileNotFoundError:
            return False
        if found != self:
            return False
        _verified[path] = (stamp, self.sha256)
        return True


def stamp_of(path: Path) -> Stamp:
    """Inode, size and the times of the last change of a file, which differ after it was changed.

    Raises:
        OSError: if it is not there.
    """
    status = path.stat()
    # The change time (ctime) cannot be set back by the program that writes the file.
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
