"""Where a profile's fields get their values: the sources of ``[emit.fields]`` and their like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .profile import SPEC_KEYS, Spec
from .toml_tables import TableReader


class SpecReader(TableReader):
    """Reads field sources; the profile's value maps are known to it by name."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        super().__init__()
        self.raw = raw
        values = raw.get("values", {})
        self.maps: dict[str, Mapping[str, Any]] = {}
        for name, table in values.items() if isinstance(values, dict) else ():
            if isinstance(table, dict):
                self.maps[name] = table
            else:
                self.fault(f"values.{name}", "is not a table")

    def moment(self, where: str, value: Any) -> Spec:
        # A bare date is the commonest effective date, so it need not be written as {value = ...}.
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d([T ].*)?", value):
            return Spec(value=value)
        if hasattr(value, "isoformat"):
            return Spec(value=value.isoformat())
        return self.spec(where, value)

    def spec(self, where: str, value: Any) -> Spec:
        if isinstance(value, str):
            return Spec(columns=(value,))
        if not isinstance(value, dict):
            self.fault(where, f"{value!r} is neither a column nor a table")
            return Spec()
        self.unknown(where, value, sorted(SPEC_KEYS))
        ways = [k for k in ("column", "value", "join") if k in value]
        if len(ways) != 1:
            self.fault(where, "needs exactly one of column, value, join")
        columns = self.texts(where, value, "join") if "join" in value else None
        if "column" in value:
            column = self.text(where, value, "column")
            columns = (column,) if column else None
        null = self.texts(where, value, "null")
        currency = value.get("currency")
        currency_column = None
        if isinstance(currency, dict):
            currency_column = self.text(f"{where}.currency", currency, "column")
            if not currency_column:
                self.fault(f"{where}.currency", "needs a column")
            currency = None
        return Spec(
            columns=columns or (),
            sep=self.text(where, value, "sep", " ") or "",
            value=_plain(value.get("value")),
            map=self._map(where, value.get("map")),
            date=self.date(where, value),
            currency=self.currency(where, currency),
            currency_column=currency_column,
            split=self.text(where, value, "split"),
            part=self._part(where, value),
            factor=self._factor(where, value),
            other=self._other(where, value),
            null=None if null is None else frozenset(null),
            decimal=self.single(where, value, "decimal"),
            thousands=self.single(where, value, "thousands"),
            time_zone=self.zone(where, value),
            default=_plain(value.get("default")),
        )

    def _map(self, where: str, value: Any) -> Mapping[str, Any] | None:
        if isinstance(value, str):
            if value not in self.maps:
                known = ", ".join(self.maps) or "none"
                self.fault(f"{where}.map", f"there is no [values.{value}] (known: {known})")
            value = self.maps.get(value, {})
        if value is None or isinstance(value, dict):
            return None if value is None else {k: _plain(v) for k, v in value.items()}
        self.fault(f"{where}.map", f"{value!r} is neither a table nor the name of one")
        return None

    def _part(self, where: str, table: Mapping[str, Any]) -> int | None:
        value = table.get("part")
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value):
            return value
        self.fault(f"{where}.part", f"{value!r} is not a whole number from 1, or from -1 backwards")
        return None

    def _factor(self, where: str, table: Mapping[str, Any]) -> Decimal | None:
        value = table.get("factor")
        if value is None:
            return None
        # The digits as they are written: 0.1 is a tenth and not the float nearest to it.
        found = Decimal(str(value)) if type(value) in (int, float) else Decimal(0)
        if found.is_finite() and found:
            return found
        self.fault(f"{where}.factor", f"{value!r} is not a number other than 0")
        return None

    def _other(self, where: str, table: Mapping[str, Any]) -> Any:
        if "other" in table and "map" not in table:
            self.fault(f"{where}.other", "says what texts become that map lacks, so it needs a map")
        return _plain(table.get("other"))


def _plain(value: Any) -> Any:
    """TOML dates become the ISO text that a cell would hold."""
    return value.isoformat() if hasattr(value, "isoformat") else value
