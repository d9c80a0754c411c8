"""How well two values of one key can agree: the levels of each kind, best first, and their odds.

A level is a condition over two values in DuckDB's SQL. ``m`` is the share of true pairs that reach
it, ``u`` that of two random customers; log2(m/u) is what it adds to the evidence (Fellegi and Sunter,
1969, doi 10.1080/01621459.1969.10501049). The figures here are where training begins and what holds
where there is too little to train on: m by our judgement of how often such a value is mistyped or
has changed (about one in ten), u by how often two people share such a value.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen


@frozen
class Level:
    """One degree of agreement.

    Args:
        phrase: the evidence in words; ``{title}`` is the key's.
        condition: SQL over ``{l}`` and ``{r}``; ``{ls}`` and ``{rs}``, how these sound; ``{lo}`` and
            ``{ro}``, the words of both names in order; empty for the last level, which takes all
            else.
        m, u: as above.
        exact: whether the values are equal, so that a rare value weighs more than a common one.
        fixed: whether m and u are never learnt, being too rare for that.
    """

    phrase: str
    condition: str
    m: float
    u: float
    exact: bool = False
    fixed: bool = False


def _name(u_same: float) -> tuple[Level, ...]:
    # 0.92 lets one letter of a name of seven differ, 0.8 two; Winkler (1990) as Splink's own levels.
    return (
        Level("same {title}", "{l} = {r}", 0.80, u_same, exact=True),
        Level("{title} nearly the same", "jaro_winkler_similarity({l}, {r}) >= 0.92", 0.09, 0.003),
        Level("{title} similar", "jaro_winkler_similarity({l}, {r}) >= 0.80", 0.05, 0.01),
        Level("{title} differs", "", 0.06, 1 - u_same - 0.013),
    )


def _sounding_name(u_same: float, u_sound: float) -> tuple[Level, ...]:
    # Two hundred surnames share some dozens of sounds, and one in ten records is in Latin letters.
    return (
        Level("same {title}", "{l} = {r}", 0.70, u_same, exact=True),
        Level("same {title} in pinyin", "{ls} = {rs}", 0.12, u_sound),
        Level("{title} nearly the same", "jaro_winkler_similarity({l}, {r}) >= 0.92", 0.08, 0.003),
        Level("{title} similar", "jaro_winkler_similarity({l}, {r}) >= 0.80", 0.04, 0.01),
        Level("{title} differs", "", 0.06, 1 - u_same - u_sound - 0.013),
    )


def _number(u_same: float, u_near: float) -> tuple[Level, ...]:
    return (
        Level("same {title}", "{l} = {r}", 0.88, u_same, exact=True),
        Level("{title} differs in one place", "damerau_levenshtein({l}, {r}) <= 1", 0.07, u_near),
        Level("{title} differs", "", 0.05, 1 - u_same - u_near),
    )


_DATE = (
    Level("same {title}", "{l} = {r}", 0.88, 0.0001, exact=True),
    Level("{title} differs in one place", "damerau_levenshtein({l}, {r}) <= 1", 0.06, 0.0015),
    Level("{title} differs in two places", "damerau_levenshtein({l}, {r}) <= 2", 0.02, 0.01),
    Level("{title} differs", "", 0.04, 0.9884),
)
_PHONE = (
    Level("same {title}", "{l} = {r}", 0.70, 0.00005, exact=True),
    # One of the two was written without country or area code.
    Level("same last eight digits of the {title}",
          "length({l}) >= 8 AND length({r}) >= 8 AND right({l}, 8) = right({r}, 8)", 0.08, 0.00001),
    Level("{title} differs in one place", "damerau_levenshtein({l}, {r}) <= 1", 0.02, 0.00005),
    Level("{title} differs", "", 0.20, 0.99989),
)  # fmt: skip
# What stands before the @ of a desk and not of a person.
_ROLES = "|".join(
    "info office mail email contact kontakt post admin sales service support hello hallo team accounts "
    "accounting billing buchhaltung invoice rechnung orders order reception rezeption hr jobs press "
    "presse marketing webmaster noreply no-reply help shop kunden booking reservations vertrieb "
    "sekretariat secretary verwaltung contacto ventas bonjour contatti user customer".split()
)
_EMAIL = (
    Level("same {title}", "{l} = {r}", 0.70, 0.00005, exact=True),
    # The two below follow from the name often enough, which is weighed already: they say little, and
    # learnt from addresses that all look alike they would say much.
    Level("same {title} before the @",
          f"split_part({{l}}, '@', 1) = split_part({{r}}, '@', 1)"
          f" AND NOT regexp_full_match(split_part({{l}}, '@', 1), '{_ROLES}')",
          0.06, 0.01, fixed=True),
    # user12@ and user13@ are two people.
    Level("{title} nearly the same",
          "regexp_replace({l}, '[^0-9]', '', 'g') = regexp_replace({r}, '[^0-9]', '', 'g')"
          " AND damerau_levenshtein({l}, {r}) <= 1",
          0.03, 0.005, fixed=True),
    Level("{title} differs", "", 0.21, 0.98495),
)  # fmt: skip
_ADDRESS = (
    Level("same {title}", "{l} = {r}", 0.70, 0.0005, exact=True),
    Level("{title} nearly the same", "jaro_winkler_similarity({l}, {r}) >= 0.92", 0.12, 0.0005),
    Level("{title} similar", "jaro_winkler_similarity({l}, {r}) >= 0.80", 0.06, 0.005),
    Level("{title} differs", "", 0.12, 0.994),
)

LEVELS: Mapping[str, tuple[Level, ...]] = {
    "given_name": _name(0.005),
    "family_name": _name(0.002),
    "name": _name(0.0005),
    "place": _name(0.01),
    "date": _DATE,
    "identifier": _number(0.00001, 0.0001),
    "code": _number(0.005, 0.01),
    "phone": _PHONE,
    "email": _EMAIL,
    "address": _ADDRESS,
}


# Of a population with names in Chinese characters, whose sounds are known.
SOUNDING: Mapping[str, tuple[Level, ...]] = {
    "given_name": _sounding_name(0.005, 0.002),
    "family_name": _sounding_name(0.02, 0.02),
}


# The column with the words of both names in alphabetical order.
IN_ORDER = "names_in_order"
# One form in two hundred is filled in the wrong way round; two random customers agree so as rarely
# as by their whole name, of which each part carries one half.
_SWAPPED = Level("given and family name swapped", "{lo} = {ro}", 0.005, 0.00002, fixed=True)


def with_swapped(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """The levels of a name with that of swapped names after equality, at the cost of the last one."""
    same, *between, last = levels
    rest = evolve(last, m=last.m - _SWAPPED.m, u=last.u - _SWAPPED.u)
    return (same, _SWAPPED, *between, rest)


def sound_of(column: str) -> str:
    """The column beside a name that holds how it sounds."""
    return f"{column}_sound"


def condition(level: Level, column: str, side: str = '"{}_{}"') -> str:
    """The level's condition over the two sides of a column, as ``"core_phone_l"``.

    Args:
        side: how a column of the left (``l``) or right (``r``) side is written.
    """
    sides = {s: side.format(column, s) for s in "lr"}
    sides |= {f"{s}s": side.format(sound_of(column), s) for s in "lr"}
    sides |= {f"{s}o": side.format(IN_ORDER, s) for s in "lr"}
    return level.condition.format(**sides)
