"""Gzip-compressed text: unpacked block by block, after a first pass that refuses bombs."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from ..errors import InputRefused

MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 1 << 18
# Tables shrink to a tenth, at most a fortieth; what unpacks to more is made to fill a disk.
LARGEST_RATIO = 100
FREE_BYTES = 50 << 20


class GunzipStream:
    """The unpacked bytes of a gzip stream of one or more members.

    Args:
        stream: at its start.
        name: the file's name, for messages.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream, self._name = stream, name
        self._member = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._out = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        """At most ``size`` unpacked bytes; none at the end.

        Raises:
            InputRefused: ``E_GZIP`` if the stream is broken or cut off.
        """
        while len(self._out) < size and not self._ended:
            self._out += self._more(size - len(self._out))
        found, self._out = self._out[:size], self._out[size:]
        return found

    def _more(self, size: int) -> bytes:
        if not self._packed:
            self._packed = self._stream.read(BLOCK_BYTES)
        if self._member.eof:
            # Padding of zeros after the last member is allowed.
            self._packed = self._packed.lstrip(b"\0")
            if not self._packed:
                self._ended = not self._stream.read(1)
                if self._ended:
                    return b""
                raise self._broken("it goes on after its end")
            self._member = zlib.decompressobj(wbits=31)
        elif not self._packed:
            raise self._broken("it is cut off")
        try:
            found = self._member.decompress(self._packed, size)
        except zlib.error as error:
            raise self._broken(str(error)) from None
        self._packed = self._member.unconsumed_tail or self._member.unused_data
        return found

    def _broken(self, words: str) -> InputRefused:
        return InputRefused(
            f"{self._name} is broken gzip: {words}.", code="E_GZIP", hint="Fetch or pack it again."
        )


def check_gzip(stream: BinaryIO, name: str) -> None:
    """Unpacks the whole stream once, keeping nothing, and rewinds it.

    So that a file that is cut off or a bomb is refused before anything is written.

    Raises:
        InputRefused: ``E_GZIP`` or ``E_BOMB``.
    """
    stream.seek(0)
    unpacked, total = GunzipStream(stream, name), 0
    while data := unpacked.read(BLOCK_BYTES):
        total += len(data)
        if total > FREE_BYTES and total > LARGEST_RATIO * stream.tell():
            raise InputRefused(
                f"{name} unpacks to more than {LARGEST_RATIO} times its size.", code="E_BOMB",
                hint="If it is a true table, unpack it and import that.",
            )  # fmt: skip
    stream.seek(0)
