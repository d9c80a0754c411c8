"""Two records that agree in what a household or a firm shares, and belong to two people all the same.

Spouses share telephone, e-mail, address and family name, twins the birth date too, and a father may
have given his son his name. Match keys are weighed as if they were independent, so such pairs come
out as certain. What tells relatives apart is the given name, the birth date and a number of their
own: a pair in which one of these speaks against it stays below :data:`HELD_AT`, whatever else agrees.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cached_property

from .blocking import NAMES
from .given_names import distance, may_be_one
from .levels import sound_of
from .normalise import GENERATIONS
from .people import People

# From this probability on pairs are merged unseen; relatives stay below, and are still listed.
MERGE_FROM = 0.95
HELD_AT = 0.94
# Parents are rarely younger when a child is born.
GENERATION_YEARS = 12
# Of the eight digits of a birth date; more differ by no mistyping.
MOST_MISTYPED = 2
_PLACES = ("place", "code", "address")


class Relatives:
    """Says of pairs why they may be two people.

    Args:
        people: the customers with their normalised values.
    """

    def __init__(self, people: People) -> None:
        self._people = people

    def reason(self, a: int, b: int) -> str | None:
        """Why two customers are not taken for one without somebody's decision; None for no reason.

        An equal identifier settles it: relatives have numbers of their own.
        """
        if any(one == other for one, other in self._known("identifier", a, b)):
            return None
        organisations = [i for i in (a, b) if self._of("name", i) is not None]
        if len(organisations) == 1 and self._of(NAMES[0], *{a, b} - set(organisations)):
            return "a person and an organisation"
        if len(organisations) == 2:
            return self._branches(a, b)
        return self._people_apart(a, b)

    def _branches(self, a: int, b: int) -> str | None:
        """Two offices of one firm share its switchboard."""
        if not all(_is_one_firm(one, other) for one, other in self._known("name", a, b)):
            return "different names of organisations"
        pairs = [pair for kind in _PLACES for pair in self._known(kind, a, b)]
        if any(distance(one, other) > MOST_MISTYPED for one, other in pairs):
            return "different places of one organisation"
        return None

    def _people_apart(self, a: int, b: int) -> str | None:
        agree = self._given_names_agree(a, b)
        if agree is False:
            return "different given names"
        dates = list(self._known("date", a, b))
        if any(is_far_apart(one, other) for one, other in dates):
            return "birth dates far apart"
        same_day = any(one == other for one, other in dates)
        if not same_day and self._generation(a) != self._generation(b):
            return "Jr. or Sr. differs"
        if agree is None and not same_day:
            return "no given name or birth date to compare"
        return None

    def _given_names_agree(self, a: int, b: int) -> bool | None:
        """None if they cannot be compared."""
        (one, other), (family, other_family) = (
            [self._of(kind, i) for i in (a, b)] for kind in NAMES
        )
        if one is None or other is None:
            return None
        heard = [self._sounds.get(i) for i in (a, b)]
        if heard[0] is not None and heard[0] == heard[1]:
            return True
        if _script(one) != _script(other):
            return None
        if may_be_one(one, other):
            return True
        if family is None or other_family is None:
            return False
        words = [sorted(f"{x} {y}".split()) for x, y in ((one, family), (other, other_family))]
        return words[0] == words[1] or (may_be_one(one, other_family) and may_be_one(family, other))

    def _generation(self, customer_id: int) -> int | None:
        """Of a name with Jr., Sr. or a numeral at its end."""
        for kind in NAMES:
            _, *rest = (self._of(kind, customer_id) or "").split() or [""]
            if rest and rest[-1] in GENERATIONS:
                return GENERATIONS[rest[-1]]
        return None

    def _known(self, kind: str, a: int, b: int) -> Iterator[tuple[str, str]]:
        """The values of each key of a kind that both have."""
        for values in self._columns.get(kind, ()):
            one, other = values.get(a), values.get(b)
            if one is not None and other is not None:
                yield one, other

    def _of(self, kind: str, customer_id: int) -> str | None:
        return next((v[customer_id] for v in self._columns.get(kind, ()) if customer_id in v), None)

    @cached_property
    def _columns(self) -> dict[str, list[dict[int, str]]]:
        """By kind of key, each key's values by customer."""
        columns: dict[str, list[dict[int, str]]] = {}
        for name, key in self._people.keys.items():
            columns.setdefault(key.kind, []).append(self._people.values(name))
        return columns

    @cached_property
    def _sounds(self) -> dict[int, str]:
        """How given names sound, by customer, where that is known."""
        given = [n for n, key in self._people.keys.items() if key.kind == NAMES[0]]
        heard = [sound_of(n) for n in given if sound_of(n) in self._people.sounds]
        return self._people.values(heard[0]) if heard else {}


def is_far_apart(left: str, right: str) -> bool:
    """Whether two dates, as digits, lie a generation apart or agree in nothing a mistyping leaves.

    Example:
        >>> is_far_apart("19500101", "19800101"), is_far_apart("19800102", "19800201")
        (True, False)
    """
    years = [_year(digits) for digits in (left, right)]
    if None not in years and abs(int(years[0] or 0) - int(years[1] or 0)) >= GENERATION_YEARS:
        return True
    day_first = left[:4] + left[6:] + left[4:6]
    return min(distance(left, right), distance(day_first, right)) > MOST_MISTYPED


def _year(digits: str) -> int | None:
    """The year of a date written year first or last."""
    candidates = (digits[:4], digits[-4:]) if len(digits) == 8 else ()
    return next((int(year) for year in candidates if 1800 <= int(year) < 2200), None)


def _is_one_firm(left: str, right: str) -> bool:
    """Whether the same words, in any order and but for a mistyped letter in a long one, name both."""
    if left.replace(" ", "") == right.replace(" ", ""):
        return True
    one, other = sorted(left.split()), sorted(right.split())
    return len(one) == len(other) and all(
        x == y or (min(len(x), len(y)) > 4 and x.isalpha() and y.isalpha() and distance(x, y) <= 1)
        for x, y in zip(one, other, strict=True)
    )


def _script(text: str) -> str:
    """The script of the first letter: LATIN, CYRILLIC, CJK."""
    return unicodedata.name(text[0], "").partition(" ")[0]
