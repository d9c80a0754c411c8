"""Values of match keys in the one form in which they are compared.

What two systems write differently and mean equally becomes equal here: width, case and accents,
titles, the marks inside numbers. What may be meant differently stays different; how close two such
values are is the model's business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ...entities.address import plain_email

_WORD = re.compile(r"\w+")
_NOT_ALNUM = re.compile(r"[\W_]+")
_HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]")
_TITLES = frozenset("mr mrs ms miss mx dr prof sir dame madam herr frau mme".split())
_TITLES_ZH = ("先生", "女士", "小姐", "太太")
# What tells father and son of one name apart; the higher the number, the younger.
GENERATIONS = {
    "sr": 1, "sen": 1, "senior": 1, "jr": 2, "jun": 2, "junior": 2, "ii": 2, "iii": 3, "iv": 4,
}  # fmt: skip
_LEGAL_FORMS = frozenset(
    "ltd limited llc inc incorporated corp corporation co company plc gmbh ag kg sa sarl srl bv "
    "pty".split()
)
_LEGAL_FORMS_ZH = ("股份有限公司", "有限责任公司", "有限公司", "集团", "公司")
_STREET_WORDS = {
    "street": "st", "strasse": "str", "road": "rd", "avenue": "ave", "boulevard": "blvd",
    "drive": "dr", "lane": "ln", "place": "pl", "court": "ct", "crescent": "cres",
    "square": "sq", "highway": "hwy", "terrace": "tce",
}  # fmt: skip
# Surnames of two characters; any other Chinese name begins with a surname of one.
_COMPOUND_SURNAMES = frozenset(
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 长孙 宇文 司徒 令狐 夏侯 南宫 歐陽 司馬 諸葛 長孫".split()
)


def plain(text: str) -> str:
    """The text without differences of width, case and accents, with single blanks.

    Example:
        >>> plain("  Ｍüller-LÜDENSCHEIDT ")
        'muller ludenscheidt'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(
        c for c in unicodedata.normalize("NFD", folded) if unicodedata.category(c) != "Mn"
    )
    # Combining marks that carry meaning elsewhere (Devanagari vowels are Mc) were kept.
    return " ".join(_WORD.findall(unicodedata.normalize("NFC", bare).replace("_", " ")))


def name(text: str) -> str | None:
    """A part of a person's name, or a place: without titles; None if nothing is left."""
    found = plain(text)
    for title in _TITLES_ZH:
        if len(found) > len(title):
            found = found.removesuffix(title)
    words = [word for word in found.split() if word not in _TITLES] or found.split()
    return " ".join(words) or None


def organisation(text: str) -> str | None:
    """A company's name without its legal form; None if nothing is left."""
    found = plain(text)
    for form in _LEGAL_FORMS_ZH:
        if len(found) > len(form):
            found = found.removesuffix(form)
    words = [word for word in found.split() if word not in _LEGAL_FORMS] or found.split()
    return " ".join(words) or None


def is_han(text: str) -> bool:
    """Whether the text begins with a Chinese character."""
    return _HAN.match(text) is not None


def split_name(text: str) -> tuple[str | None, str | None]:
    """Given and family name of a person whose name is written in one.

    ``Family, Given`` is taken at its word; else the last word is the family name, and in Chinese
    the first character or a surname of two.

    Example:
        >>> split_name("Dr. Ann-Marie Example")
        ('ann marie', 'example')
        >>> split_name("欧阳晓明")
        ('晓明', '欧阳')
    """
    family, comma, given = text.partition(",")
    if comma and family.strip() and given.strip():
        return name(given), name(family)
    whole = name(text)
    if whole is None:
        return None, None
    if " " not in whole and is_han(whole):
        cut = 2 if whole[:2] in _COMPOUND_SURNAMES and len(whole) > 2 else 1
        return whole[cut:] or None, whole[:cut]
    *before, last = whole.split()
    if last in GENERATIONS and len(before) > 1:
        *before, last = *before[:-1], f"{before[-1]} {last}"
    return " ".join(before) or None, last


def identifier(text: str) -> str | None:
    """Letters and digits of a number or code in capitals; one that is all one digit is no number.

    Example:
        >>> identifier("ab-12 34"), identifier("000000")
        ('AB1234', None)
    """
    found = code(text)
    return found if found and len(set(found)) > 1 else None


def code(text: str) -> str | None:
    """Letters and digits of a short code, such as a postal code, in capitals."""
    return _NOT_ALNUM.sub("", unicodedata.normalize("NFKC", text)).upper() or None


def day(text: str) -> str | None:
    """The digits of a date: ``1961-03-04`` and ``19610304`` are one; no calendar is asked.

    Old files hold birth dates that never were, and a mistyped date still says much.
    """
    found = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isdigit())
    return found if len(set(found)) > 1 else None


def address(text: str) -> str | None:
    """Street and number with the usual words for streets cut short."""
    return " ".join(_STREET_WORDS.get(word, word) for word in plain(text).split()) or None


def phone(text: str, country: str | None = None) -> str | None:
    """A telephone number's digits from the country code on, as far as that is known.

    Args:
        text: as written by a person.
        country: ISO 3166 code of the country in which a number without code is dialled.

    Where ``phonenumbers`` is not installed, or the country is not known, it is the digits without
    leading zeros.
    """
    found = unicodedata.normalize("NFKC", text).strip()
    parsed = _parsed_phone(found, country)
    if parsed is not None:
        return parsed
    digits = "".join(c for c in found if c.isdigit()).lstrip("0")
    return digits if len(digits) >= 5 and len(set(digits)) > 1 else None


def _parsed_phone(text: str, country: str | None) -> str | None:
    library = _phonenumbers()
    if library is None or (country is None and not text.startswith("+")):
        return None
    try:
        number = library.parse(text, country)
    except library.NumberParseException:
        return None
    if not library.is_possible_number(number):
        return None
    return str(library.format_number(number, library.PhoneNumberFormat.E164)).lstrip("+")


@cache
def _phonenumbers() -> Any:
    """The library of the extra ``phone``, or None. Lazy: its tables take 50 ms to load."""
    try:
        import phonenumbers
    except ImportError:
        return None
    return phonenumbers


# By kind of match key; phones and undivided names need more than their text.
NORMALISERS: Mapping[str, Callable[[str], str | None]] = {
    "given_name": name,
    "family_name": name,
    "place": name,
    "date": day,
    "identifier": identifier,
    "code": code,
    "email": plain_email,
    "address": address,
}
