"""Spellings of one word: what a person types against what is on file."""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not take apart into a plain letter and a mark.
_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ĸ": "k", "ŋ": "n",
    "æ": "ae", "œ": "oe", "þ": "th", "ß": "ss", "ə": "a",
}  # fmt: skip
_SIGNS = dict.fromkeys("’‘‛ʼʻ`´ʹ′＇", "'") | dict.fromkeys("‐‑‒–—―−", "-")
_PLAIN = str.maketrans(_LETTERS | _SIGNS)
# Accents of Latin, Greek and Cyrillic; marks of other scripts are letters of their own.
_MARKS = re.compile("[\u0300-\u036f]")
# As passports and keyboards without the letters write them.
_SPELT_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "'": "", "’": "", "ʼ": ""}
)


def plain_spelling(text: str) -> str:
    """The text as it is compared: one case, no accents, plain letters, signs and single blanks.

    Example:
        >>> plain_spelling("Ｗeiß  Łukasz"), plain_spelling("İstanbul"), plain_spelling("東京")
        ('weiss lukasz', 'istanbul', '東京')
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = _MARKS.sub("", unicodedata.normalize("NFD", text)).translate(_PLAIN)
        text = unicodedata.normalize("NFC", text)
    elif "`" in text:
        text = text.translate(_PLAIN)
    return " ".join(text.lower().split())


def spelt_out(text: str) -> str | None:
    """The text with umlauts as two letters and without apostrophes; None where that changes nothing.

    Example:
        >>> spelt_out("Müller"), spelt_out("O’Brien"), spelt_out("Smith")
        ('mueller', 'obrien', None)
    """
    lowered = unicodedata.normalize("NFC", text).lower()
    found = lowered.translate(_SPELT_OUT)
    return plain_spelling(found) if found != lowered else None
