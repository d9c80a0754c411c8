"""Keys of one file that a person would take for one: told, and kept apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

# About 20 MB; a source that writes its keys in two ways shows it well before.
KEYS_WATCHED = 100_000
PAIRS_SHOWN = 3
# Cyrillic and Greek letters whose shape is that of a Latin one.
_SHAPES = str.maketrans("асеорхуіјѕһԁӏ" + "αορνικ", "aceopxyijshdl" + "aopvik")


class Alike:
    """Finds keys that differ only by case, width, blanks, invisible signs or foreign look-alikes."""

    def __init__(self, limit: int = KEYS_WATCHED) -> None:
        self._limit = limit
        self._first: dict[str, str] = {}
        self.count = 0
        self.pairs: list[tuple[str, str]] = []

    def add(self, refs: Sequence[str | None]) -> None:
        """Watches the keys of a batch."""
        if len(self._first) >= self._limit:
            return
        known = [r for r in refs if r is not None]
        for folded, ref in zip(_folded(known), known, strict=True):
            first = self._first.setdefault(folded, ref)
            if first != ref:
                self.count += 1
                if len(self.pairs) < PAIRS_SHOWN and (first, ref) not in self.pairs:
                    self.pairs.append((first, ref))

    @property
    def remark(self) -> str:
        """What was found in words, or an empty text."""
        if not self.pairs:
            return ""
        pairs = ", ".join(f"{a!r} and {b!r}" for a, b in self.pairs)
        return (
            f"keys look alike and differ only by case, blanks or invisible signs: {pairs} "
            f"({self.count} rows in all); they are kept as different customers."
        )


def _folded(refs: list[str]) -> list[str]:
    text = "\n".join(refs)
    if text.isascii():
        found = text.lower().replace(" ", "").split("\n")
        if len(found) == len(refs):
            return found
    return [_fold(ref) for ref in refs]


def _fold(ref: str) -> str:
    text = unicodedata.normalize("NFKC", ref).casefold().translate(_SHAPES)
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
