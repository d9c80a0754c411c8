"""Bytes to numbered lines: decoded strictly, in Unicode's composed form, faults kept to their line."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from typing import Protocol

from attrs import define, field

from ..errors import InputRefused
from .encodings import SAMPLE_BYTES, suggestion

BLOCK_BYTES = 1 << 20
# A line beyond this is not data but a file of another kind; holding it would break the memory goal.
LONGEST_LINE = 64 << 20
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = {
    b"\x89PNG": "a PNG picture",
    b"%PDF": "a PDF document",
    b"MZ": "a Windows program",
    b"PK\x03\x04": "a ZIP archive or an XLSX workbook",
    b"\x1f\x8b": "gzip-compressed",
    b"\xd0\xcf\x11\xe0": "an old Office document such as XLS",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x7fELF": "a program",
    b"SQLite format 3\x00": "a SQLite database",
    b"PAR1": "a Parquet file",
}


_REMEDIES = {
    b"PK\x03\x04": 'If it is a workbook, set format = "xlsx" in the profile\'s [source].',
    b"PAR1": 'Set format = "parquet" in the profile\'s [source].',
    b"\xd0\xcf\x11\xe0": "Open it in a spreadsheet and save it as .xlsx or CSV.",
}


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


@define
class Lines:
    """Some lines in a row.

    Attributes:
        first: number of the first one, from 1.
        texts: without line ends.
        bad: index of a line that could not be decoded to the message about it; its text holds
            the bytes escaped.
        nul: whether any of them holds a NUL character.
        position: bytes of the file read so far.
    """

    first: int
    texts: list[str]
    bad: dict[int, str] = field(factory=dict)
    nul: bool = False
    position: int = 0


class LineReader:
    """Reads a binary stream once, as blocks of lines.

    Args:
        stream: the file, at its start; only its ``read`` is used.
        encoding: the profile's; a byte order mark of the file goes before it.
        name: the file's name, for messages.

    Attributes:
        spoilt: the first lines that are not in the encoding, as bytes, for a suggestion.
    """

    def __init__(self, stream: Readable, encoding: str, name: str) -> None:
        self._stream, self._encoding, self._name = stream, encoding, name
        self.spoilt = b""
        self._read = 0
        self._number = 1

    def blocks(self) -> Iterator[Lines]:
        """All lines of the file.

        Raises:
            InputRefused: ``E_EMPTY`` for a file without content, ``E_SIGNATURE`` for one that is no
                text, ``E_ENCODING`` where a whole file is not in the encoding.
        """
        start = self._take(BLOCK_BYTES)
        if not start:
            raise InputRefused(f"{self._name} is empty.", code="E_EMPTY")
        for signature, words in _SIGNATURES.items():
            if start.startswith(signature):
                raise InputRefused(
                    f"{self._name} is {words}, not a text file.", code="E_SIGNATURE",
                    hint=_REMEDIES.get(signature, "Save it as CSV or JSONL and import that."),
                )  # fmt: skip
        skip = 0
        for mark, encoding in _BOMS:
            if start.startswith(mark):
                skip, self._encoding = len(mark), encoding
                break
        if self._encoding.replace("_", "-").startswith(("utf-16", "utf-32")):
            yield from self._wide(start[skip:])
        else:
            yield from self._narrow(start[skip:], skip)

    def _take(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._read += len(data)
        return data

    def _narrow(self, start: bytes, offset: int) -> Iterator[Lines]:
        """Encodings in which a line feed is the byte 10 and nothing else is."""
        rest = start
        while True:
            data = self._take(BLOCK_BYTES)
            if not data:
                break
            cut = _last_end(rest)
            if cut:
                yield self._decode(rest[:cut], offset)
                offset += cut
            rest = rest[cut:] + data
            self._check_length(len(rest))
        if rest:
            yield self._decode(rest, offset)

    def _check_length(self, size: int) -> None:
        if size > LONGEST_LINE + BLOCK_BYTES:
            raise InputRefused(
                f"{self._name}: line {self._number} is longer than {LONGEST_LINE >> 20} MiB.",
                code="E_LINE",
            )

    def _decode(self, data: bytes, offset: int) -> Lines:
        try:
            text = data.decode(self._encoding)
        except UnicodeDecodeError:
            return self._decode_singly(data, offset)
        return self._number_lines(_split(text), {}, "\0" in text)

    def _decode_singly(self, data: bytes, offset: int) -> Lines:
        texts: list[str] = []
        spoilt: list[bytes] = []
        bad: dict[int, str] = {}
        for match in _LINE.finditer(data):
            if match.start() == len(data):
                break
            line = match[1]
            try:
                texts.append(composed(line.decode(self._encoding)))
            except UnicodeDecodeError as error:
                at = offset + match.start() + error.start
                bad[len(texts)] = f"byte {at} of the file is not {self._encoding} ({error.reason})"
                texts.append(line.decode("ascii", errors="backslashreplace"))
                spoilt.append(line)
        if self._number == 1:
            self.spoilt = b"\n".join(spoilt)[:SAMPLE_BYTES]
            self._check_encoding(len(bad), len(texts))
        return self._number_lines(texts, bad, b"\0" in data)

    def _check_encoding(self, bad: int, lines: int) -> None:
        """A file of which most lines cannot be decoded is in another encoding, and not all faulty."""
        if lines > 1 and bad > (lines - 1) / 2:
            raise InputRefused(
                f"{self._name}: {bad} of its first {lines} lines are not {self._encoding}.",
                code="E_ENCODING", hint=suggestion(self.spoilt, self._encoding),
            )  # fmt: skip

    def _wide(self, start: bytes) -> Iterator[Lines]:
        """UTF-16 and UTF-32, where a line cannot be found before decoding."""
        encoding = self._encoding if self._encoding[-2:] in ("le", "be") else f"{self._encoding}-le"
        decoder = codecs.getincrementaldecoder(encoding)()
        rest, data = "", start
        while True:
            last = not data
            try:
                rest += decoder.decode(data, final=last)
            except UnicodeDecodeError as error:
                raise InputRefused(
                    f"{self._name} is not {self._encoding} near byte {self._read}: {error.reason}.",
                    code="E_ENCODING",
                ) from None
            if last:
                break
            cut = _last_end(rest.encode("utf-8", "surrogatepass")) and max(
                rest.rfind("\n"), rest[:-1].rfind("\r")
            )
            if cut and cut > 0:
                yield self._number_lines(_split(rest[: cut + 1]), {}, "\0" in rest)
                rest = rest[cut + 1 :]
            self._check_length(len(rest))
            data = self._take(BLOCK_BYTES)
        if rest:
            yield self._number_lines(_split(rest), {}, "\0" in rest)

    def _number_lines(self, texts: list[str], bad: dict[int, str], nul: bool) -> Lines:
        first = self._number
        self._number += len(texts)
        return Lines(first, texts, bad, nul, self._read)


def _last_end(data: bytes) -> int:
    """Where the last complete line ends. A carriage return at the very end may be half of CRLF."""
    at = data.rfind(b"\n")
    return (at if at >= 0 else data.rfind(b"\r", 0, -1)) + 1


def _split(text: str) -> list[str]:
    # str.splitlines would also split at form feeds and the like, which are data.
    text = composed(text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def composed(text: str) -> str:
    """The text in Unicode's composed form (NFC)."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", text)
