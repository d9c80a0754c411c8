"""Names of declarations, as they are and as analysis SQL writes them."""

from __future__ import annotations

from collections.abc import Iterable

CUSTOMER = "customer"


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """A converter with the type of the items: mypy knows none behind a bare ``converter=tuple``."""
    return tuple(values)


def sql_name(name: str) -> str:
    """The name in analysis SQL of a public name: ``telecom.bill`` is ``telecom_bill``."""
    return name.replace(".", "_").replace("-", "_")
