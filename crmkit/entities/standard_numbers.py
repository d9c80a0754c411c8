"""Numbers with a standard's own rules: identity cards, tax numbers, bank accounts, and their check digits."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from ..errors import ConfigError

# Formats of text that JSON Schema defines (draft 2020-12, Validation, section 7.3), and our money.
SCHEMA_FORMATS = frozenset(
    "date-time date time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference "
    "iri iri-reference uuid uri-template json-pointer relative-json-pointer regex money".split()
)
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")


def is_known(name: str) -> bool | None:
    """Whether python-stdnum knows numbers of that name; None if it is not installed."""
    try:
        import_module("stdnum")
    except ImportError:
        return None
    return _module(name) is not None


@cache
def number_reader(name: str) -> Callable[[str], str]:
    """What gives a number's standard form, without the blanks and signs that people put in.

    Args:
        name: of a module of python-stdnum: ``cn.ric``, ``eu.vat``, ``iban``.

    Returns:
        A function that raises ValueError with what is wrong with a number.

    Raises:
        ConfigError: if the extra ``phone`` is not installed, or there is no such number.
    """
    found = _module(name)
    if found is None:
        absent = is_known(name) is None
        raise ConfigError(
            f"numbers of the format {name!r} cannot be checked: "
            + ("python-stdnum is not installed." if absent else "python-stdnum has none."),
            hint="Install it with: pip install 'crmkit[phone]'" if absent else "",
        )

    def read(text: str) -> str:
        try:
            return str(found.validate(text))
        except ValueError as error:
            words = str(error).rstrip(".")
            raise ValueError(f"is no valid {name}: {words[:1].lower()}{words[1:]}") from None

    return read


def _module(name: str) -> Any:
    if not _NAME.fullmatch(name):
        return None
    try:
        found = import_module(f"stdnum.{name}")
    except ImportError:
        return None
    return found if hasattr(found, "validate") else None
