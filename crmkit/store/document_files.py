"""Files of documents on disk, named by what they hold.

A file lies in ``documents/ab/abcdef...`` by its SHA-256, without ending and readable by its owner
alone. What its sender called it is kept as data and never becomes a path.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from ..errors import InputRefused, StorageError
from ..private import file_mode, folder_mode

_CHUNK = 1 << 20
_HEAD = 512
LONGEST_NAME = 200
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
# Ending: media type and how such a file begins; no beginning means text. What a browser or an
# office program would run by itself (html, svg, macros) is not among them.
KINDS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    "tif": ("image/tiff", (b"II*\x00", b"MM\x00*")),
    "tiff": ("image/tiff", (b"II*\x00", b"MM\x00*")),
    "docx": (_OFFICE + "wordprocessingml.document", (_ZIP,)),
    "xlsx": (_OFFICE + "spreadsheetml.sheet", (_ZIP,)),
    "pptx": (_OFFICE + "presentationml.presentation", (_ZIP,)),
    "odt": (_OPEN + "text", (_ZIP,)),
    "ods": (_OPEN + "spreadsheet", (_ZIP,)),
    "doc": ("application/msword", (_OLE,)),
    "xls": ("application/vnd.ms-excel", (_OLE,)),
    "txt": ("text/plain", ()),
    "csv": ("text/csv", ()),
    "eml": ("message/rfc822", ()),
}


@frozen(kw_only=True)
class StoredFile:
    """A file as it was taken in: its hash (64 hexadecimal digits), bytes, and media type."""

    sha256: str
    size: int
    media_type: str


def safe_name(name: str) -> str:
    r"""A file's name as it may be shown and written: no folders, no control or hidden characters.

    Raises:
        InputRefused: if nothing of a name is left.

    Example:
        >>> safe_name("..\\..\\etc/contract\u202efdp.pdf")
        'contractfdp.pdf'
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Category C holds control characters and those that turn the direction of writing.
    shown = "".join(c for c in last if not unicodedata.category(c).startswith("C")).strip(" .")
    stem, dot, ending = shown.rpartition(".")
    if len(shown) > LONGEST_NAME:
        shown = stem[: LONGEST_NAME - len(ending) - 1] + dot + ending
    if not shown:
        raise InputRefused(f"{name!r} is no file name.")
    return shown


class DocumentFiles:
    """The folder of files.

    Args:
        folder: made when the first file arrives.
        most_bytes: a larger file is refused.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder, self.most_bytes = folder, most_bytes

    def path(self, sha256: str) -> Path:
        """Where a file of that hash lies."""
        return self.folder / sha256[:2] / sha256

    def take(self, source: Path, name: str) -> StoredFile:
        """Copies a file in and gives its hash; one that is there already is not written again.

        The copy is written beside its place, forced to disk and renamed, so that a file under its
        hash is always whole. What a killed process leaves is a file that nobody knows, which
        :meth:`leftovers` names.

        Args:
            name: safe name of the file, by whose ending its kind is told.

        Raises:
            InputRefused: if it is no plain file, empty, too large, of a kind that is not taken, or
                holds something else than its ending says.
            StorageError: if it cannot be read or kept.
        """
        with _translated(f"the document {name}"), _opened(source) as reading:
            head = reading.read(_HEAD)
            media_type = _check_kind(name, head)
            self.folder.mkdir(mode=folder_mode(), parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self.folder)
            os.fchmod(handle, file_mode())
            try:
                with os.fdopen(handle, "wb") as writing:
                    sha256, size = self._copy(head, reading, writing, name)
                self._place(Path(temporary), sha256)
            finally:
                Path(temporary).unlink(missing_ok=True)
        return StoredFile(sha256=sha256, size=size, media_type=media_type)

    def read(self, sha256: str) -> bytes:
        """What a file holds.

        Raises:
            StorageError: if it is gone, or no longer what its hash says.
        """
        try:
            found = self.path(sha256).read_bytes()
        except OSError as error:
            told = error.strerror or str(error)
            raise StorageError(f"the file {sha256[:12]}... cannot be read: {told}.") from error
        if hashlib.sha256(found).hexdigest() != sha256:
            raise StorageError(
                f"the file {sha256[:12]}... was changed on disk.",
                code="E_DAMAGED",
                hint="Restore documents/ from a backup.",
            )
        return found

    def drop(self, sha256: str) -> None:
        """Removes a file; one that is gone already is no error."""
        with _translated(f"the file {sha256[:12]}..."):
            self.path(sha256).unlink(missing_ok=True)

    def leftovers(self, known: frozenset[str]) -> Iterator[Path]:
        """Files in the folder that are not among the hashes ``known``, by path."""
        for path in sorted(self.folder.glob("*")):
            if path.is_file():
                yield path
            elif path.is_dir():
                yield from (p for p in sorted(path.iterdir()) if p.name not in known)

    def _copy(
        self, head: bytes, reading: BinaryIO, writing: BinaryIO, name: str
    ) -> tuple[str, int]:
        digest, size, part = hashlib.sha256(), 0, head
        # Counted while reading: a file may grow, and a size that was asked for may be wrong.
        while part:
            size += len(part)
            if size > self.most_bytes:
                raise InputRefused(
                    f"{name} is larger than {self.most_bytes / 1e6:g} MB.",
                    code="E_TOO_LARGE",
                    hint="Raise document_megabytes in crmkit.toml.",
                )
            digest.update(part)
            writing.write(part)
            part = reading.read(_CHUNK)
        writing.flush()
        os.fsync(writing.fileno())
        return digest.hexdigest(), size

    def _place(self, temporary: Path, sha256: str) -> None:
        place = self.path(sha256)
        place.parent.mkdir(mode=folder_mode(), exist_ok=True)
        temporary.replace(place)
        for folder in (place.parent, self.folder):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    # Not blocking: a pipe would wait for a writer for ever. No link is followed: what it leads to
    # may be another file by now than the one that somebody meant to attach.
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputRefused(
                f"{source.name} is a symbolic link, not a plain file.",
                hint="Give the file that it leads to.",
            ) from error
        raise
    with os.fdopen(handle, "rb") as reading:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise InputRefused(f"{source.name} is no plain file.")
        yield reading


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except InputRefused:
        raise
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputRefused(f"{what} cannot be read: {error.strerror}.") from error
    except OSError as error:
        raise StorageError(f"{what} cannot be kept: {error.strerror or error}.") from error


def _check_kind(name: str, head: bytes) -> str:
    """The media type of a file by its ending.

    Raises:
        InputRefused: if its first bytes say otherwise.
    """
    if not head:
        raise InputRefused(f"{name} is empty.")
    _, dot, ending = name.lower().rpartition(".")
    if not dot or ending not in KINDS:
        raise InputRefused(
            f"{name} is of no kind that is taken.", hint=f"Taken are {', '.join(sorted(KINDS))}."
        )
    media_type, beginnings = KINDS[ending]
    if beginnings and not head.startswith(beginnings):
        raise InputRefused(f"{name} does not hold what .{ending} says.", code="E_KIND")
    known = [start for _, starts in KINDS.values() for start in starts]
    if not beginnings and (b"\x00" in head or head.startswith((*known, b"MZ", b"\x7fELF"))):
        raise InputRefused(f"{name} does not hold text, as .{ending} says.", code="E_KIND")
    return media_type
