"""Numbers inside sentences: singular and plural, past and future, nothing said of what is nought.

Texts of rules and reasons are templates with one number and its words side by side, as
``asked {times} times``. The words are put right by the number, in one place for all of them.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

_IRREGULAR = {"people": "person", "children": "child", "halves": "half", "lives": "life"}
_REGULAR = {one: many for many, one in _IRREGULAR.items()}
# Words that end in s and are no plural, as in "1 is", "1 less".
_NO_PLURAL = re.compile(r"(?:ss|us|is|as)$|^(?:its|has|was|does|goes|always|perhaps|besides|news)$")
# What was to come and has passed: "ends in -2.4 months" is "ended 2.4 months ago".
_PAST = {
    "ends": "ended", "expires": "expired", "starts": "started", "begins": "began",
    "renews": "renewed", "matures": "matured", "closes": "closed", "opens": "opened",
    "arrives": "arrived", "leaves": "left", "due": "was due", "falls due": "fell due",
}  # fmt: skip
_COMES = re.compile(r"(?:\b(?P<verb>falls due|[a-z]+) )?in $")
# With what follows a ratio, which is not counted: "1 time the usual", and never "once the usual".
_AFTER = re.compile(r" [a-z]+\b(?: the\b)?")
_NOUN = re.compile(r" (?P<noun>[a-z]+)\b")


@frozen
class Phrase:
    """One field of a template with the words that depend on its value.

    Attributes:
        name: of the field. spec, conversion: its format.
        before, after: the words beside it.
        optional: whether all of it is left out for a value that is missing or nought: the template
            has it in square brackets.
    """

    name: str
    spec: str
    conversion: str | None
    before: str
    after: str
    optional: bool


def singular(noun: str) -> str:
    """The singular of an English plural; any other word as it is.

    Example:
        >>> [singular(word) for word in ("premiums", "complaints", "people", "boxes", "less")]
        ['premium', 'complaint', 'person', 'box', 'less']
    """
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if not noun.endswith("s") or len(noun) < 3 or _NO_PLURAL.search(noun):
        return noun
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    return noun[:-2] if re.search(r"(?:sses|shes|ches|xes|zes)$", noun) else noun[:-1]


def plural(noun: str) -> str:
    """The plural of an English noun.

    Example:
        >>> [plural(word) for word in ("premium", "person", "box", "delivery", "day")]
        ['premiums', 'people', 'boxes', 'deliveries', 'days']
    """
    if noun in _REGULAR:
        return _REGULAR[noun]
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(?:s|sh|ch|x|z)$", noun) else "s")


def unit_plural(unit: str) -> str:
    """The unit of a number other than one: words in the plural, symbols such as ``GB`` as they are."""
    return plural(unit) if unit.isalpha() and unit.islower() and len(unit) > 3 else unit


def counted(number: float, noun: str) -> str:
    """A number with its noun, given in the singular: ``1 report``, ``2 reports``, ``1,200 rows``."""
    shown = f"{number:,}"
    return f"{shown} {noun if shown in ('1', '-1') else plural(noun)}"


def parse_phrases(template: str) -> Iterator[str | Phrase]:
    """A template as texts and phrases.

    Square brackets hold one field with words that are left out where it is missing or nought, as in
    ``[paid late {late} times, ]{days} days overdue``.

    Raises:
        ValueError: if the braces do not fit.
    """
    pieces = re.split(r"\[([^\[\]{}]*\{[^{}]*\}[^\[\]{}]*)\]", template)
    for place, piece in enumerate(pieces):
        yield from _phrases(piece, optional=place % 2 == 1)


def _phrases(piece: str, *, optional: bool) -> Iterator[str | Phrase]:
    parts = list(string.Formatter().parse(piece))
    pending = ""
    for place, (literal, name, spec, conversion) in enumerate(parts):
        text, pending = pending + literal, ""
        if name is None:
            yield text
            continue
        before = text if optional else _tail(text)
        if len(text) > len(before):
            yield text[: len(text) - len(before)]
        after = ""
        if place + 1 < len(parts):
            following = parts[place + 1][0]
            found = _AFTER.match(following)
            after = following if optional else found[0] if found else ""
            parts[place + 1] = (following[len(after) :], *parts[place + 1][1:])
        yield Phrase(name, spec or "", conversion, before, after, optional)


def _tail(text: str) -> str:
    found = _COMES.search(text)
    return found[0] if found else ""


def fill(phrase: Phrase, value: Any, shown: str) -> str:
    """The words of a phrase with its value.

    Args:
        value: the value, by which number and time of the words are chosen.
        shown: how it is written.
    """
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if phrase.optional and (value is None or number == 0):
        return ""
    before, after = phrase.before, phrase.after
    noun = _NOUN.match(after)
    if number is not None and number < 0 and shown.startswith("-"):
        comes = _COMES.search(before)
        if comes and noun:
            verb = comes["verb"] or ""
            past = _PAST.get(verb, verb)
            start = before[: comes.start()] + (f"{past} " if past else "")
            rest = fill(Phrase("", "", None, "", after, False), -number, shown[1:])
            words = _NOUN.match(rest.removeprefix(shown[1:]))
            end = len(shown[1:]) + (words.end() if words else 0)
            return f"{start}{rest[:end]} ago{rest[end:]}"
    if noun and shown in ("1", "-1"):
        rest = after[noun.end() :]
        if noun["noun"] == "times" and shown == "1" and not rest.startswith(" the"):
            return f"{before}once{rest}"
        return f"{before}{shown} {singular(noun['noun'])}{rest}"
    return f"{before}{shown}{after}"


def filled(template: str, said: Callable[[Phrase], tuple[Any, str]]) -> str:
    """A whole template; ``said`` gives the value of a field and how it is written."""
    return "".join(p if isinstance(p, str) else fill(p, *said(p)) for p in parse_phrases(template))
