"""Phone numbers and e-mail addresses in the form in which two of them are one."""

from __future__ import annotations

import re
import unicodedata

# By channel, the kind of contact point whose value is an address that several customers may share.
SHARED_BY_CHANNEL = {
    "phone": "phone", "sms": "phone", "ivr": "phone", "fax": "phone", "email": "email",
}  # fmt: skip
# Digits that two writings of one number share where one lacks the country or area code; the
# comparison of duplicates takes as many (crmkit.intake.matching.levels).
LAST_DIGITS = 8
# Fewer digits, or one digit repeated, are a placeholder and nobody's number.
LEAST_DIGITS = 5
_EXTENSION = re.compile(r"(?i)(?<=\d)\s*(?:ext|x|;|#|,).*$", re.DOTALL)
# As most addresses are written, and the form that all are brought to.
_PLAIN_EMAIL = re.compile(r"[a-z0-9._-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
# What nearly all numbers are written with beside their digits; a bracket may hold a trunk zero.
_MARKS = str.maketrans("", "", "+ -./")
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")


def plain_email(text: str) -> str | None:
    """An e-mail address without capitals, blanks around it and the tag after a plus sign.

    Returns:
        None for what is no e-mail address.

    Example:
        >>> plain_email(" Ann+Shop@Example.org ")
        'ann@example.org'
    """
    if _PLAIN_EMAIL.fullmatch(text):
        return text
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    found = text.strip().removeprefix("mailto:").casefold()
    if found.endswith(">"):
        found = found[:-1].rpartition("<")[2].strip()
    local, _, host = found.rpartition("@")
    local = local.partition("+")[0] or local
    host = host.rstrip(".")
    return f"{local}@{host}" if local and host else None


def plain_phone(text: str) -> str | None:
    """The digits of a phone number without zeros in front, a trunk zero in brackets or an extension.

    Returns:
        None for what is no number: fewer than five digits, or one digit repeated.

    Example:
        >>> plain_phone("+49 (0)30 123456-78"), plain_phone("0049 30 12345678"), plain_phone("00000")
        ('493012345678', '493012345678', None)
    """
    digits = text.translate(_MARKS)
    if not (digits.isascii() and digits.isdigit()):
        found = _EXTENSION.sub("", _TRUNK_ZERO.sub("", unicodedata.normalize("NFKC", text)))
        digits = "".join(str(unicodedata.digit(c)) for c in found if c.isdigit())
    digits = digits.lstrip("0")
    return digits if len(digits) >= LEAST_DIGITS and len(set(digits)) > 1 else None


def address_key(kind: str, value: str) -> str:
    """What contact points of one address have in common, to be looked up by; empty is nothing.

    Of an e-mail address it is all of it; of a phone number the last eight digits, as one may be
    written with the country code and another without. :func:`is_same_address` says whether two of
    one key are one address.
    """
    if kind == "email":
        return plain_email(value) or ""
    if kind == "phone":
        return (plain_phone(value) or "")[-LAST_DIGITS:]
    return ""


def is_same_address(kind: str, one: str, other: str) -> bool:
    """Whether two values of a kind of contact point reach the same mailbox or phone.

    Example:
        >>> is_same_address("phone", "030 123456", "+49 30 123456")
        True
        >>> is_same_address("phone", "+1 212 555 0123", "+1 312 555 0123")
        False
    """
    if kind == "email":
        return plain_email(one) is not None and plain_email(one) == plain_email(other)
    if kind != "phone":
        return False
    short, long = sorted((plain_phone(one) or "", plain_phone(other) or ""), key=len)
    return short == long != "" or (len(short) >= LAST_DIGITS and long.endswith(short))
