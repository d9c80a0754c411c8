"""What the cells of a column look like: dates and their format, numbers and their signs, and so on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from attrs import field, frozen

from ..signs import SIGNS, unsigned
from .headers import CURRENCIES, synonyms

# A column is of a type if so many of its cells are; the others are faults that the import will name.
MOSTLY = 0.98
LONGEST_DATE = 40
# Distinct texts looked at; more would not change what the column is.
DISTINCT = 2_000

DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%Y年%m月%d日", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
    "%B %d %Y", "%d. %B %Y", "%d/%b/%Y", "%Y-%b-%d", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y",
    "%d %b %y", "%d-%b-%y",
)  # fmt: skip
TIMES = (
    "",
    " %H:%M:%S",
    " %H:%M",
    "T%H:%M:%S",
    "T%H:%M",
    " %I:%M %p",
    " %I:%M:%S %p",
    " %H:%M:%S.%f",
    ", %H:%M",
)
# Two-digit years as spreadsheets read them: 30 to 99 are 1930 to 1999 (Microsoft, "Two-digit years").
FIRST_YEAR = 1930
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?(Z|[+-][0-9:]+)?)?"
)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?|[+-]?[0-9]+\.")
# Decimal and grouping signs in which numbers may be written, the commonest first.
STYLES = (
    (".", ","), (",", "."), (",", None), (".", " "), (",", " "), (".", "'"), (",", "'"), (".", "’"),
)  # fmt: skip
_BLANKS = str.maketrans("\u00a0\u202f", "  ")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./-]{4,18}[0-9]( *(x|ext\.?) *[0-9]{1,6})?")


@frozen(kw_only=True)
class Style:
    """A way to read numbers; ``decimals`` is the most that one then has.

    A decimal sign or a grouping sign that does not occur is None.
    """

    decimal: str | None = None
    thousands: str | None = None
    decimals: int = 0


@frozen(kw_only=True)
class Shape:
    """A column's cells in sum.

    Attributes:
        filled: share of rows with a value.
        distinct: number of distinct values.
        unique: whether no value stands twice.
        kind: ``integer``, ``number``, ``date``, ``instant``, ``email``, ``phone`` or ``text``.
        date: strptime format; None is ISO.
        also: another format that fits every cell equally, so that a person has to say which.
        decimal, thousands: of numbers, where they are not plain.
        styles: every way in which all the numbers can be read, the likeliest first.
        sign: that of a currency beside the numbers.
        null: texts that mean missing here, beside the empty cell.
        lettered: share of values with a letter in them.
        values: the distinct values, the most frequent first, at most DISTINCT.
    """

    filled: float
    distinct: int
    unique: bool
    kind: str
    date: str | None = None
    also: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    styles: tuple[Style, ...] = ()
    sign: str | None = None
    null: tuple[str, ...] = ()
    lettered: float = 0.0
    values: tuple[str, ...] = field(default=(), repr=False)


def shape_of(cells: Sequence[str | None]) -> Shape:
    """Looks at every cell of a column."""
    counts = Counter(c.strip() for c in cells if c is not None)
    counts.pop("", None)
    null = _missing_words(counts)
    for word in null:
        del counts[word]
    total = sum(counts.values())
    values = tuple(v for v, _ in counts.most_common(DISTINCT))
    kind, more = _kind(values)
    lettered = sum(any(ch.isalpha() for ch in v) for v in values) / len(values) if values else 0.0
    return Shape(
        filled=total / len(cells) if cells else 0.0,
        distinct=len(counts),
        unique=len(counts) == total and total > 0,
        kind=kind,
        null=null,
        lettered=lettered,
        values=values,
        **more,
    )


def _missing_words(counts: Counter[str]) -> tuple[str, ...]:
    """Words for missing. Among words and names they may be data ("None" is a surname in Malawi)."""
    known = [w for w in synonyms()["missing"]["texts"] if w in counts]
    rest = [v for v in counts if v not in known][:DISTINCT]
    if not known or not rest:
        return ()
    if _kind(tuple(rest))[0] != "text":
        return tuple(known)
    shouted = ("NULL", "\\N", "#N/A", "N/A")
    return tuple(w for w in known if w in shouted)


def _share(values: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(v) is not None for v in values) / len(values)


def _kind(values: Sequence[str]) -> tuple[str, dict[str, Any]]:
    if not values:
        return "text", {}
    if _share(values, _ISO) >= MOSTLY:
        return ("instant" if any(len(v) > 10 for v in values) else "date"), {}
    dated = _dates(values)
    if dated:
        return dated
    if _share(values, _INTEGER) >= MOSTLY:
        return "integer", {}
    numbers = _numbers(values)
    if numbers:
        return "number", numbers
    if _share(values, _EMAIL) >= 0.9:
        return "email", {}
    if _share(values, _PHONE) >= 0.95 and any(not v.isdigit() for v in values):
        return "phone", {}
    return "text", {}


def _numbers(values: Sequence[str]) -> dict[str, Any] | None:
    """How the numbers are written, if the values are numbers, with or without a currency's sign."""
    signs: Counter[str] = Counter()
    bare = []
    for value in values:
        found = unsigned(value)
        if found is None or (found[1] and found[1].isalpha() and not _is_currency(found[1])):
            bare.append(value)
            continue
        bare.append(found[0].translate(_BLANKS))
        if found[1]:
            signs[found[1]] += 1
    if len(signs) > 1:
        # Amounts of several currencies are not one column of money.
        return None
    styles = []
    if _share(bare, _NUMBER) >= MOSTLY:
        styles.append(Style(decimals=max(_decimals(v, ".") for v in bare)))
    for decimal, thousands in STYLES:
        if (
            not any(thousands in v for v in bare)
            if thousands
            else not any(decimal in v for v in bare)
        ):
            continue
        if _share(bare, _written(decimal, thousands)) >= MOSTLY:
            most = max(_decimals(v, decimal) for v in bare)
            style = Style(
                decimal=decimal if most and decimal != "." else None, thousands=thousands,
                decimals=most,
            )  # fmt: skip
            styles.append(style)
    if not styles:
        return None
    first = styles[0]
    return {
        "decimal": first.decimal, "thousands": first.thousands, "styles": tuple(styles),
        "sign": next(iter(signs), None),
    }  # fmt: skip


def _is_currency(sign: str) -> bool:
    return sign in SIGNS or sign in CURRENCIES


@cache
def _written(decimal: str, thousands: str | None) -> re.Pattern[str]:
    point = re.escape(decimal)
    if thousands is None:
        return re.compile(rf"[+-]?[0-9]+({point}[0-9]+)?")
    group = re.escape(thousands)
    return re.compile(
        rf"[+-]?([0-9]+|[0-9]{{1,3}}({group}[0-9]{{2,3}})*{group}[0-9]{{3}})({point}[0-9]+)?"
    )


def _decimals(value: str, decimal: str) -> int:
    _, found, rest = value.rpartition(decimal)
    return len(rest) if found and rest.isdigit() else 0


def _dates(values: Sequence[str]) -> tuple[str, dict[str, Any]] | None:
    if not all(any(c.isdigit() for c in v) and len(v) <= LONGEST_DATE for v in values[:10]):
        return None
    fitting = []
    for time in TIMES:
        for day in DATE_FORMATS:
            layout = day + time
            if _fits(values, layout):
                fitting.append((layout, bool(time)))
        if fitting:
            break
    if not fitting:
        return None
    layout, timed = fitting[0]
    also = fitting[1][0] if len(fitting) > 1 else None
    return ("instant" if timed else "date"), {"date": layout, "also": also}


def _fits(values: Sequence[str], layout: str) -> bool:
    wrong, allowed = 0, (1 - MOSTLY) * len(values)
    for value in values:
        try:
            # Only whether it is a date counts here; its zone is the import's concern.
            year = datetime.strptime(value, layout).year  # noqa: DTZ007
        except ValueError:
            year = 0
        wrong += not 1900 <= year <= 2200 or (layout == "%Y%m%d" and len(value) != 8)
        if wrong > allowed:
            return False
    return True
