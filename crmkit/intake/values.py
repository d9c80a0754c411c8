"""Reading one cell: text to a value of the declared type.

Every reader takes the text of a cell and returns the value as JSON Schema sees it: text, ``int``,
``float``, ``bool``, ``date``, an aware UTC ``datetime``, :class:`Money` or a list of texts.
A reader raises ``ValueError`` with words that say what is wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from attrs import field, frozen

from ..entities.checks import check_year
from ..entities.field_types import FieldType
from ..entities.money import Money
from .signs import currencies_of, unsigned

Read = Callable[[str], Any]

# ASCII digits only: int() and Decimal() would also take full-width digits and underscores.
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_PLAIN = re.compile(r"[+-]?[0-9.,]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Three zeros may be a group of thousands.
_WHOLE = re.compile(r"([+-]?[0-9]+)[.,](0{1,2}|0{4,})")
_EXPONENT = re.compile(r"([+-]?[1-9])(?:[.,]([0-9]+))?[eE][+]([0-9]{1,2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-9]{2}"
    r"(:[0-9]{2}([.,][0-9]{1,9})?)?( ?(Z|z|[+-][0-9]{2}:?[0-9]{2}))?"
)
_LEAP_SECOND = re.compile(r"([T ]23:59):60([.,][0-9]+)?")
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "y", "t", "1"), True),
    **dict.fromkeys(("false", "no", "n", "f", "0"), False),
}
INT64 = 1 << 63
NO_CURRENCIES = ("XXX", "XTS")


@frozen(kw_only=True)
class Reading:
    """How texts are written in a file: the settings that readers need.

    ``first_year``: two-digit years are those of the hundred years from this one.
    """

    decimal: str = "."
    thousands: str | None = None
    date: str | None = None
    first_year: int | None = None
    zone: ZoneInfo = field(factory=lambda: ZoneInfo("UTC"))
    currency: str = "USD"
    split: str | None = None


def reader_of(kind: FieldType, reading: Reading) -> Read:
    """The function that reads texts of a field type."""
    if kind is FieldType.TEXT:
        return str
    if kind is FieldType.BOOLEAN:
        return read_boolean
    if kind is FieldType.LIST:
        return lambda text: read_list(text, reading.split)
    if kind is FieldType.DATE:
        return lambda text: read_date(text, reading.date, reading.first_year)
    if kind is FieldType.INSTANT:
        return lambda text: read_instant(text, reading.date, reading.zone, reading.first_year)
    plain = plain_reader(reading)
    if kind is FieldType.INTEGER:
        return lambda text: read_whole(text, plain)
    if kind is FieldType.NUMBER:
        return lambda text: read_number(plain(text))
    return lambda text: read_money(plain(_without_sign(text, reading.currency)), reading.currency)


def _without_sign(text: str, currency: str) -> str:
    """An amount without the sign of its currency, which has to be the one that is read."""
    # Almost every amount is digits and signs of its own.
    if _PLAIN.fullmatch(text):
        return text
    found = unsigned(text)
    if found is None:
        return text
    amount, sign = found
    if sign is not None and currency not in currencies_of(sign):
        raise ValueError(f"is in {sign}, and the amount is read in {currency}")
    return amount


def plain_reader(reading: Reading) -> Callable[[str], str]:
    """Takes grouping and the decimal sign of the file out of a number."""
    if reading.decimal == "." and reading.thousands is None:
        return str
    point, group = reading.decimal, reading.thousands
    # Spreadsheets group by several kinds of blanks.
    blanks = "\u00a0\u202f " if group in (" ", "\u00a0", "\u202f") else ""
    # Only well-formed groups: in a file with thousands "," the cell "1,5" is no fifteen.
    grouped = re.compile(
        rf"[+-]?[0-9]{{1,3}}({re.escape(group)}[0-9]{{2,3}})*{re.escape(group)}[0-9]{{3}}"
        rf"({re.escape(point)}[0-9]*)?"
        if group
        else "(?!)"
    )

    def plain(text: str) -> str:
        for blank in blanks:
            text = text.replace(blank, group or "")
        if group and group in text:
            if not grouped.fullmatch(text):
                raise ValueError(f"is not grouped by {group!r}")
            text = text.replace(group, "")
        if point != ".":
            if "." in text:
                raise ValueError(f"has a '.', but the decimal sign is {point!r}")
            text = text.replace(point, ".")
        return text

    return plain


def read_integer(text: str) -> int:
    """A whole number of 64 bits."""
    # 20 characters hold any 64-bit number; int() of thousands of digits would be slow.
    if not _INTEGER.fullmatch(text):
        raise ValueError("is not a whole number")
    if len(text) > 20 or not -INT64 <= int(text) < INT64:
        raise ValueError("does not fit into 64 bits")
    return int(text)


class PrecisionLost(ValueError):
    """A text is a number of which a spreadsheet has left digits out."""


def whole_number(text: str) -> str | None:
    """The whole number that spreadsheets and data frames write as ``20.0`` or ``4.93012E+05``.

    Either decimal sign will do, as nothing but zeros follows it.

    Returns:
        The number in digits; None where the text is something else, plain digits among it.

    Raises:
        PrecisionLost: if the text has an exponent and fewer digits than the number, as ``4.93E+11``.
    """
    decimals = _WHOLE.fullmatch(text)
    if decimals:
        return decimals[1]
    exponent = _EXPONENT.fullmatch(text)
    if exponent is None:
        return None
    first, rest, places = exponent[1], exponent[2] or "", int(exponent[3])
    if len(rest) < places:
        raise PrecisionLost(
            "is a number of which a spreadsheet shows the first digits only: export the column as text"
        )
    return None if rest[places:].strip("0") else first + rest[:places]


def whole_or_none(text: str) -> str | None:
    """As :func:`whole_number`, and None where digits are lost."""
    try:
        return whole_number(text)
    except PrecisionLost:
        return None


def read_whole(text: str, plain: Callable[[str], str] = str) -> int:
    """A whole number, also written with decimals of zeros.

    Args:
        plain: takes grouping and the file's decimal sign out.
    """
    try:
        digits = plain(text)
    except ValueError:
        # "2.0" in a file whose decimal sign is the comma.
        if _WHOLE.fullmatch(text) is None:
            raise
        digits = text
    return read_integer(whole_number(digits) or digits)


def read_number(text: str) -> float:
    """A finite number; minus zero becomes zero."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("is not a number")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("is not a finite number")
    return value + 0.0


def read_boolean(text: str) -> bool:
    """One of true, false, yes, no, y, n, t, f, 1, 0 in any case; 1.0 and 0.0 are 1 and 0."""
    value = _BOOLEANS.get(text.lower())
    if value is None:
        value = _BOOLEANS.get(whole_or_none(text) or "")
    if value is None:
        raise ValueError("is neither true nor false")
    return value


def read_money(text: str, currency: str) -> Money:
    """A plain decimal amount of ``currency`` that fits into 64 bits of minor units."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError("is not a decimal amount")
    money = Money.parse(text, read_currency(currency))
    if not -INT64 <= money.minor < INT64:
        raise ValueError("does not fit into 64 bits")
    return money


def read_currency(text: str) -> str:
    """An ISO 4217 code; the codes for no currency are refused."""
    if not re.fullmatch("[A-Z]{3}", text) or text in NO_CURRENCIES:
        raise ValueError(f"{text!r} is not a currency")
    return text


def read_date(text: str, layout: str | None, first_year: int | None = None) -> date:
    """A day, ISO or in the strptime ``layout``; ``first_year`` as in :class:`Reading`."""
    if layout is not None:
        return check_year(_by_layout(text, layout, first_year).date())
    if not _DATE.fullmatch(text):
        raise ValueError("is not a date such as 2026-03-31")
    try:
        return check_year(date.fromisoformat(text))
    except ValueError as error:
        raise ValueError(f"is not a date: {error}") from None


def read_instant(
    text: str, layout: str | None, zone: ZoneInfo, first_year: int | None = None
) -> datetime:
    """An instant in UTC: ISO or in ``layout``, in ``zone`` where it names none.

    A day alone is its first moment. A local time that a clock change skips or doubles is refused,
    because guessing would move the fact by an hour without a word.
    """
    if layout is not None:
        found = _by_layout(text, layout, first_year)
    elif _DATE.fullmatch(text):
        # The first moment of a day exists and is one, whatever the clocks do at midnight.
        first = datetime.combine(read_date(text, None), time(), zone)
        return first.astimezone(UTC)
    elif _INSTANT.fullmatch(text):
        # Clocks of computers have no leap second; the last instant before it is the nearest.
        text = _LEAP_SECOND.sub(r"\1:59.999999", text)
        found = datetime.fromisoformat(text.replace(",", ".").replace(" +", "+").replace(" Z", "Z"))
    else:
        raise ValueError("is not an instant such as 2026-03-31T10:00:00Z")
    check_year(found.date())
    return found.astimezone(UTC) if found.tzinfo else _localised(found, zone)


def _by_layout(text: str, layout: str, first_year: int | None) -> datetime:
    # The zone is put on by the caller, who also finds local times that do not exist.
    for form in dict.fromkeys((layout, layout.replace("%y", "%Y"))):
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007
            if "%y" not in form or first_year is None:
                return found
            return found.replace(year=first_year + (found.year - first_year) % 100)
        except ValueError:
            # A cell with all four digits of the year may stand among others.
            continue
    raise ValueError(f"is not written as {layout}")


def _localised(local: datetime, zone: ZoneInfo) -> datetime:
    found = local.replace(tzinfo=zone)
    utc = found.astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(f"does not exist in {zone.key}: the clocks skip it")
    if found.replace(fold=1).utcoffset() != found.utcoffset():
        raise ValueError(f"occurs twice in {zone.key}: give it with its offset, as +01:00")
    return utc


def read_list(text: str, separator: str | None) -> list[str]:
    """A list of texts: a JSON array, or parts between ``separator``, each without blanks around."""
    if separator is not None:
        return [part for part in (p.strip() for p in text.split(separator)) if part]
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not a JSON array of texts") from None
    if not isinstance(found, list) or not all(isinstance(v, str) for v in found):
        raise ValueError("is not a JSON array of texts")
    return found


_EXPECTED = {
    FieldType.TEXT: "text",
    FieldType.INTEGER: "a whole number",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true, false, yes, no, y, n, t, f, 1, 0",
    FieldType.LIST: "a list of texts",
}


def expected_words(kind: FieldType, reading: Reading) -> str:
    """What texts of a type look like, for the rejects file."""
    if kind is FieldType.DATE:
        return f"a date as {reading.date}" if reading.date else "a date as 2026-03-31"
    if kind is FieldType.INSTANT:
        return (
            f"an instant as {reading.date}"
            if reading.date
            else "an instant as 2026-03-31T10:00:00Z"
        )
    if kind is FieldType.MONEY:
        return f"an amount of {reading.currency} as 1234{reading.decimal}50"
    return _EXPECTED[kind]
