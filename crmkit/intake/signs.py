"""Signs of currencies around amounts, and the ways in which negative amounts are written."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Signs to the currencies that are written so, the commonest first (Unicode CLDR 46, narrow symbols).
SIGNS: Mapping[str, tuple[str, ...]] = {
    "US$": ("USD",), "$": ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "CLP", "COP", "ARS"),
    "R$": ("BRL",), "€": ("EUR",), "£": ("GBP", "EGP"), "¥": ("CNY", "JPY"), "￥": ("CNY", "JPY"),
    "元": ("CNY",), "円": ("JPY",), "₹": ("INR",), "₩": ("KRW",), "₽": ("RUB",), "₺": ("TRY",),
    "₴": ("UAH",), "₫": ("VND",), "฿": ("THB",), "₱": ("PHP",), "₪": ("ILS",), "zł": ("PLN",),
    "Kč": ("CZK",), "Ft": ("HUF",), "kr": ("SEK", "NOK", "DKK", "ISK"), "Fr.": ("CHF",),
}  # fmt: skip
_SIGN = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True)) + "|[A-Z]{3}"
_DIGITS = r"[0-9](?:[0-9.,'’ \u00a0\u202f]*[0-9])?[.,]?|[.,][0-9]+"
_SIGNED = re.compile(
    rf"(?P<minus>[-−(]?) ?(?P<before>{_SIGN})?[ \u00a0\u202f]?(?P<inner>[-−]?)(?P<number>{_DIGITS})"
    rf"[ \u00a0\u202f]?(?P<after>{_SIGN})?(?P<end>[-−)]?)"
)


def unsigned(text: str) -> tuple[str, str | None] | None:
    """An amount without the sign of its currency: its number with ``-`` before it, and the sign.

    Takes ``$1,234.50``, ``12,50 €``, ``EUR 5``, ``-$5``, ``$-5``, ``5.00-`` and ``(5.00)``.

    Returns:
        None where the text is written in another way; the sign is None where there is none.
    """
    found = _SIGNED.fullmatch(text)
    if found is None or (found["before"] and found["after"]):
        return None
    opened, closed = found["minus"] == "(", found["end"] == ")"
    minus = [m for m in (found["minus"], found["inner"], found["end"]) if m and m not in "()"]
    if opened != closed or len(minus) + opened > 1:
        return None
    sign = found["before"] or found["after"]
    return ("-" if minus or opened else "") + found["number"], sign


def currencies_of(sign: str) -> tuple[str, ...]:
    """The currencies that are written with a sign or code, the commonest first."""
    return SIGNS.get(sign, (sign,))
