"""Values of TOML tables, each checked, with every fault gathered by the key where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..entities.checks import FIRST_YEAR, LAST_YEAR
from ..entities.zones import parse_zone


class TableReader:
    """Reads keys of tables; ``faults`` holds what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def fault(self, where: str, message: str) -> None:
        self.faults.append(f"{where}: {message}")

    def unknown(self, where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in table:
            if key not in known:
                place = f"{where}.{key}" if where else key
                self.fault(place, f"unknown key (known: {', '.join(known)})")

    def text(
        self, where: str, table: Mapping[str, Any], key: str, default: str | None = None
    ) -> str | None:
        value = table.get(key, default)
        if value is None or isinstance(value, str):
            return value
        self.fault(f"{where}.{key}".strip("."), f"{value!r} is not a text")
        return default

    def texts(self, where: str, table: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        self.fault(f"{where}.{key}".strip("."), f"{value!r} is not a list of texts")
        return None

    def flag(self, where: str, table: Mapping[str, Any], key: str, default: bool) -> bool:
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        self.fault(f"{where}.{key}", f"{value!r} is not true or false")
        return default

    def count(self, where: str, table: Mapping[str, Any], key: str) -> int | None:
        value = table.get(key)
        least = 1 if key == "header_row" else 0
        if value is None or (type(value) is int and value >= least):
            return value
        self.fault(f"{where}.{key}", f"{value!r} is not a whole number of {least} or more")
        return None

    def choice(self, where: str, table: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str:
        value = table.get(key, allowed[0])
        if value in allowed:
            return str(value)
        self.fault(f"{where}.{key}", f"{value!r} is not one of {', '.join(allowed)}")
        return allowed[0]

    def single(self, where: str, table: Mapping[str, Any], key: str) -> str | None:
        value = self.text(where, table, key)
        if value is None or len(value) == 1:
            return value
        self.fault(f"{where}.{key}", f"{value!r} is not one character")
        return None

    def date(
        self, where: str, table: Mapping[str, Any], shared: Mapping[str, Any] | None = None
    ) -> str | None:
        """A strptime format; of ``shared`` and the table itself one says the century of ``%y``."""
        value = self.text(where, table, "date")
        if value is not None and "%" not in value:
            self.fault(f"{where}.date", f"{value!r} is no strptime format such as '%d/%m/%Y'")
        if value is not None and "%y" in value and "first_year" not in {**(shared or {}), **table}:
            words = "two-digit years (%y) do not say their century: give first_year, as 1930"
            self.fault(f"{where}.date", words)
        return value

    def first_year(self, where: str, table: Mapping[str, Any]) -> int | None:
        value = table.get("first_year")
        if value is None or (type(value) is int and FIRST_YEAR <= value <= LAST_YEAR - 99):
            return value
        self.fault(
            f"{where}.first_year",
            f"{value!r} is not a year from {FIRST_YEAR} to {LAST_YEAR - 99}: two-digit years are "
            "those of the hundred years that it begins",
        )
        return None

    def zone(self, where: str, table: Mapping[str, Any]) -> str | None:
        value = self.text(where, table, "time_zone")
        if value is not None:
            try:
                parse_zone(value)
            except ValueError as error:
                self.fault(f"{where}.time_zone", str(error).rstrip("."))
                return None
        return value

    def currency(self, where: str, value: Any) -> str | None:
        if value is None or (isinstance(value, str) and re.fullmatch("[A-Z]{3}", value)):
            return value
        self.fault(f"{where}.currency", f"{value!r} is no ISO 4217 code")
        return None
