"""Which encoding bytes may be in: a suggestion for a person, never a ground to read them so."""

from __future__ import annotations

import codecs
from collections.abc import Callable

SAMPLE_BYTES = 64 << 10
SHOWN = 24
# Characters; in fewer, Korean and Chinese cannot be told apart.
TELLING = 20
_ASCII = bytes(range(32, 127)) + b"\t\r\n"


def suggest_encodings(data: bytes) -> list[str]:
    """Encodings in which the bytes make sense, the likeliest first.

    Double-byte encodings overlap, so a text is judged by how many of its characters are common ones
    of the encoding. Short texts fit several.

    Args:
        data: some of the file; what cannot be cut cleanly at its end does not matter.
    """
    data = data[:SAMPLE_BYTES]
    if b"\0" in data:
        return []
    found: list[tuple[float, int, str]] = []
    for rank, (name, weigh) in enumerate(_CANDIDATES.items()):
        text = _decoded(data, name)
        if text is None:
            continue
        foreign = [c for c in text if ord(c) > 127]
        if foreign:
            share = sum(map(weigh, foreign)) / len(foreign)
            if name == "euc_kr" and len(foreign) >= TELLING and share > 0.95:
                # Hangul lies within the common Chinese rows, but Chinese does not stay within it.
                share += 0.1
            if share >= 0.5:
                found.append((-round(share, 2), rank, name))
    return [name for _, _, name in sorted(found)]


def suggestion(data: bytes, given: str) -> str:
    """A sentence with the suggested encodings, or that nothing is suggested.

    Args:
        data: bytes that are not in ``given``.
        given: the encoding in which the file was to be read.
    """
    names = [name for name in suggest_encodings(data) if name != given][:3]
    if not names:
        return "Give the encoding by --encoding or in the profile's [source]; it is never guessed."
    shown = "".join(c for c in (_decoded(data, names[0]) or "") if ord(c) > 127 or c == " ")
    words = " ".join(shown.split())[:SHOWN]
    other = f"; {' and '.join(names[1:])} would fit as well" if names[1:] else ""
    return (
        f"It may be {names[0]} (it would say {words!r}){other}: if that is right, "
        f"give --encoding {names[0]} or set encoding in the profile's [source]."
    )


def _decoded(data: bytes, name: str) -> str | None:
    for cut in range(4):
        try:
            return data[: len(data) - cut].decode(name)
        except UnicodeDecodeError as error:
            if error.start < len(data) - 4:
                return None
    return None


def _common_in(encoding: str, first: int, last: int) -> Callable[[str], float]:
    """Whether the lead byte is in the rows of the encoding that hold the common characters."""

    def weigh(char: str) -> float:
        code = char.encode(encoding)
        return 1.0 if len(code) == 2 and first <= code[0] <= last else 0.0

    return weigh


def _japanese(char: str) -> float:
    # Kana are in nearly every Japanese text; half-width ones are what other encodings look like.
    if "\u3040" <= char <= "\u30ff":
        return 1.0
    code = char.encode("shift_jis")
    return 0.8 if len(code) == 2 and 0x88 <= code[0] <= 0x97 else 0.0


def _western(char: str) -> float:
    return 0.7 if char.isalpha() or char in "€£’‘“”–—°§«»…" else 0.0


_CANDIDATES: dict[str, Callable[[str], float]] = {
    # Level 1 of GB 2312, of Big5 and of KS X 1001: the few thousand signs of daily use.
    "gb18030": _common_in("gb18030", 0xB0, 0xD7),
    "big5": _common_in("big5", 0xA4, 0xC6),
    "shift_jis": _japanese,
    "euc_kr": _common_in("euc_kr", 0xB0, 0xC8),
    "cp1252": _western,
}


def encoding_fault(name: str) -> str:
    """Why text cannot be read in an encoding, or an empty text."""
    try:
        found = codecs.lookup(name).name
        kept = _ASCII.decode(found) == _ASCII.decode("ascii")
    except LookupError:
        return f"{name!r} is no encoding that Python knows"
    except UnicodeError:
        kept = False
    if not kept and not found.startswith(("utf-16", "utf-32")):
        # UTF-7 and EBCDIC: lines and delimiters could not be found in the bytes.
        return f"{name!r} does not keep ASCII and cannot be read"
    return ""
