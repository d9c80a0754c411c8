"""Texts that have a shape: addresses of e-mail and the web, phone numbers, languages, time zones, opening times.

A field names the shape of its text by ``format``. These names are crmkit's own, beside the formats of
JSON Schema and the numbers of :mod:`crmkit.entities.standard_numbers`:

================= ============================================================================
``shown_text``    a text of which something is to be seen: not empty, not only blanks
``email_address`` one address, ``name@domain`` (RFC 5321: at most 254 characters)
``phone_number``  one number of 3 to 17 digits (E.164 has 15, and 00 before them), with the
                  signs that people write between them, and an extension
``web_address``   ``http``, ``https`` or none before the name of the host
``social_handle`` a name or address that is no script
``language_tag``  ``de``, ``zh-CN`` (BCP 47); ``_`` may stand for ``-``
``time_zone``     a name of the IANA database, as ``Europe/Berlin``
``week``          opening times of a week, see :func:`crmkit.entities.parse_week`
``windows``       opening times of a day, see :func:`crmkit.entities.parse_windows`
``target``        the time that a clock gives, see :class:`crmkit.entities.Target`
================= ============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import frozen

from .business_time import Calendar, parse_week, parse_windows
from .clocks import Target
from .standard_numbers import number_reader
from .zones import parse_zone

Read = Callable[[str], str]


@frozen
class TextFormat:
    """A shape of text.

    Args:
        read: gives the text as it is kept; raises ValueError that says what is wrong with it.
        allowed: what the shape allows, in words.
        usual: a pattern of texts that are surely right and kept as they are. Most of a file's are,
            and matching one takes a tenth of the time of reading it.
    """

    read: Read
    allowed: str
    usual: re.Pattern[str] | None = None


_EXTENSION = re.compile(
    r"\s*(;ext=|extension|ext\.?|extn\.?|x|#|durchwahl|dw|分机|转)\s*[0-9]{1,7}$", re.I
)
_PHONE = re.compile(r"[+＋]?[0-9 \u00a0()./\-\u2010-\u2015]+")
# A number cell that a spreadsheet wrote as text: its last digits may be lost.
_DECIMALS = re.compile(r"[0-9]{6,}\.[0-9]{1,2}")
# What stands between several in one cell; digits of a whole number, without the area maybe.
_BETWEEN = re.compile(r"\s*[,;|/\n]\s*|\s+(?:or|and|oder|und|ou|et|o|y|或)\s+")
_WHOLE_PHONE = 7
_LOCAL = re.compile(r"[^\s@,;:<>()\[\]\\\"]{1,64}")
_HOST = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?(\.[^\W_]([\w-]{0,61}[^\W_])?)+")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.I)
_SCRIPTS = ("javascript", "data", "vbscript", "file", "blob")
_TAG = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


def _shown_text(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


def _is(text: str, read: Read) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _several(text: str, read: Read) -> bool:
    """Whether a text is several addresses or numbers, each of which can be read.

    A slash stands within a phone number too (030/123456), so both sides have to be whole ones.
    """
    parts = [part.strip() for part in _BETWEEN.split(text)]
    if len(parts) < 2:
        return False
    whole = [p for p in parts if "@" in p or sum(map(str.isdigit, p)) >= _WHOLE_PHONE]
    return len(whole) > 1 and all(_is(part, read) for part in whole)


def _email(text: str) -> str:
    local, at, host = text.rpartition("@")
    if _several(text, _email):
        raise ValueError("holds several e-mail addresses, and one is allowed")
    if not at and _is(text, _phone) and sum(map(str.isdigit, text)) >= _WHOLE_PHONE:
        raise ValueError("is a phone number and not an e-mail address")
    if not at or not _LOCAL.fullmatch(local) or not _HOST.fullmatch(host) or len(text) > 254:
        raise ValueError("is not an e-mail address such as ann@example.org")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError("is not an e-mail address: a dot stands at the wrong place before the @")
    return text


def _phone(text: str) -> str:
    bare = _EXTENSION.sub("", text)
    digits = sum(c.isdigit() for c in bare)
    if _several(bare, _phone):
        raise ValueError("holds several phone numbers, and one is allowed")
    if "@" in text and _is(text, _email):
        raise ValueError("is an e-mail address and not a phone number")
    if not _PHONE.fullmatch(bare) or not 3 <= digits <= 17 or _DECIMALS.fullmatch(bare):
        raise ValueError("is not one phone number such as +49 30 123456")
    return text


def _web(text: str) -> str:
    scheme = _SCHEME.match(text)
    if re.search(r"\s", text) or not text:
        raise ValueError("is not a web address such as https://example.org")
    if ":" in text and (scheme is None or scheme[1].lower() not in ("http", "https")):
        raise ValueError("is not a web address of http or https")
    if scheme is not None and not re.match(r"https?://[^/]", text, re.I):
        raise ValueError("is not a web address such as https://example.org")
    return text


def _social(text: str) -> str:
    scheme = _SCHEME.match(_shown_text(text).strip())
    if scheme is not None and scheme[1].lower() in _SCRIPTS:
        raise ValueError(f"begins with {scheme[0]!r}, which a browser would run")
    return text


def _language(text: str) -> str:
    if not _TAG.fullmatch(text):
        raise ValueError("is not a language tag such as de or zh-CN")
    return text


def _time_zone(text: str) -> str:
    parse_zone(text)
    return text


def _week(text: str) -> str:
    Calendar(time_zone="UTC", week=parse_week(text))
    return text


def _windows(text: str) -> str:
    parse_windows(text)
    return text


def _target(text: str) -> str:
    Target.parse(text)
    return text


TEXT_FORMATS: dict[str, TextFormat] = {
    "shown_text": TextFormat(_shown_text, "a text", re.compile(r"\S.*", re.S)),
    "email_address": TextFormat(
        _email, "one e-mail address such as ann@example.org",
        re.compile(r"[A-Za-z0-9_+-]{1,40}(\.[A-Za-z0-9_+-]{1,20})?@[A-Za-z0-9]{1,60}(\.[A-Za-z0-9]{1,60}){1,2}"),
    ),
    "phone_number": TextFormat(
        _phone, "one phone number of 3 to 17 digits", re.compile(r"\+?[0-9]{3,17}")
    ),
    "web_address": TextFormat(_web, "a web address, of http or https"),
    "social_handle": TextFormat(_social, "a name or address that is no script"),
    "language_tag": TextFormat(_language, "a language tag such as de or zh-CN"),
    "time_zone": TextFormat(_time_zone, "a time zone such as Europe/Berlin (IANA)"),
    "week": TextFormat(_week, "opening times such as mon-fri 09:00-17:00; a night as two windows"),
    "windows": TextFormat(_windows, "opening times of a day such as 09:00-12:00 13:00-17:00"),
    "target": TextFormat(_target, "a time such as 30 min, 24 h, 3 working days or 15 days"),
}  # fmt: skip


def text_reader(name: str) -> Read:
    """What reads texts of a format of crmkit's own, or numbers of a standard.

    Args:
        name: from :data:`TEXT_FORMATS`, or a module of python-stdnum such as ``iban``.

    Raises:
        ConfigError: as :func:`~crmkit.entities.standard_numbers.number_reader`.
    """
    own = TEXT_FORMATS.get(name)
    return number_reader(name) if own is None else own.read


def format_words(name: str) -> str:
    """What a format allows, in words."""
    own = TEXT_FORMATS.get(name)
    return f"a valid {name}" if own is None else own.allowed
