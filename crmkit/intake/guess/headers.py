"""What a column's header says: its role in core, and how like a declared field's name it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from ...entities.fields import Field
from ...resources import resource_text

# Confidences of a match, from certain to a hint. They order candidates and warn the reader; they
# were set by hand on the public files that the tests name and are not probabilities.
SAME, OTHER_NAME, EQUAL_WORDS, LESS_NOISE, NEAR = 0.95, 0.9, 0.85, 0.7, 0.6
# ISO 4217 codes that headers end with, as in ``sales_usd``, or that stand beside amounts.
CURRENCIES = frozenset(
    "USD EUR GBP CNY JPY CHF AUD CAD HKD INR BRL TWD NZD SGD SEK NOK DKK PLN CZK HUF RUB TRY ZAR MXN KRW "
    "THB IDR MYR PHP VND ILS AED SAR EGP NGN KES ARS CLP COP UAH RON BGN".split()
)
# Those that are no words of their own ("try", "cop").
_NO_WORDS = CURRENCIES - {"TRY", "COP", "RON", "MAD", "ALL"}
# Below this similarity names that differ are different names ("state" and "status" are 0.73 alike).
NEAREST = 0.92
SHORTEST_NEAR = 7


@cache
def synonyms() -> Mapping[str, Any]:
    """The words of ``synonyms.toml``."""
    import tomllib

    return tomllib.loads(resource_text("crmkit.intake.guess", "synonyms.toml"))


def words_of(header: str) -> tuple[str, ...]:
    """The words of a header in lower case: ``MonthlyCharges`` and ``monthly_charges`` are alike."""
    text = unicodedata.normalize("NFKC", header)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def currency_of(header: str) -> str | None:
    """The currency that a header names, or None."""
    found = [w.upper() for w in words_of(header) if w.upper() in _NO_WORDS]
    return found[-1] if found else None


def squeezed(header: str) -> str:
    """A header without blanks, case and punctuation."""
    return "".join(words_of(header))


@cache
def _same_words() -> Mapping[str, str]:
    return {word: first for first, rest in synonyms()["words"].items() for word in rest}


def _canonical(words: Iterable[str]) -> tuple[str, ...]:
    same = _same_words()
    return tuple(same.get(w, w) for w in words)


def _quiet(words: Iterable[str]) -> tuple[str, ...]:
    noise = frozenset(synonyms()["noise"]["words"])
    return tuple(w for w in words if w not in noise)


@cache
def _roles() -> Mapping[str, tuple[str, float]]:
    found: dict[str, tuple[str, float]] = {}
    for role, names in synonyms()["roles"].items():
        for name in names:
            found.setdefault(squeezed(name), (role, SAME))
    return found


def role_of(header: str) -> tuple[str, float] | None:
    """The role in core that a header says, and how surely; None if it says none."""
    roles = _roles()
    exact = roles.get(squeezed(header))
    if exact:
        return exact
    quiet = "".join(_quiet(words_of(header)))
    found = roles.get(quiet) if quiet else None
    return (found[0], LESS_NOISE) if found else None


def likeness(header: str, field: Field) -> float:
    """How surely a header names a field, 0 to 1, by the field's name and titles."""
    sure = max(_alike(header, name) for name in (field.name, field.title, field.title_zh))
    if sure < OTHER_NAME and squeezed(header) in _other_names(field.name):
        return OTHER_NAME
    return sure


@cache
def _other_names(field: str) -> frozenset[str]:
    return frozenset(map(squeezed, synonyms()["fields"].get(field, ())))


def _alike(header: str, name: str) -> float:
    mine, other = words_of(header), words_of(name)
    if not mine or not other:
        return 0.0
    if "".join(mine) == "".join(other):
        return SAME
    first, second = _canonical(mine), _canonical(other)
    if first == second or "".join(first) == "".join(second):
        return EQUAL_WORDS
    left, right = _quiet(first), _quiet(second)
    if left and left == right:
        return LESS_NOISE
    short, long = sorted(("".join(mine), "".join(other)), key=len)
    if len(short) >= SHORTEST_NEAR and SequenceMatcher(None, short, long).ratio() >= NEAREST:
        return NEAR
    return 0.0
