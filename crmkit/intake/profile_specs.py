"""Where a profile's fields get their values: the sources of ``[emit.fields]`` and their like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from .lookups import Lookup, LookupTable, ReadTable, file_fault, no_column, read_table
from .profile import BLANKS, SPEC_KEYS, Spec
from .toml_tables import TableReader

LOOKUP_KEYS = ("file", "key", "delimiter")
# A table is written plainly by the profile's author, and one way to a value is enough.
_NOT_WITH_LOOKUP = frozenset(("map", "value", "factor", "date", "decimal", "thousands", "sep"))


class SpecReader(TableReader):
    """Reads field sources; the profile's value maps and tables are known to it by name."""

    def __init__(self, raw: Mapping[str, Any], read: ReadTable) -> None:
        super().__init__()
        self.raw = raw
        source = raw.get("source")
        self.shared: Mapping[str, Any] = source if isinstance(source, dict) else {}
        values = raw.get("values", {})
        self.maps: dict[str, Mapping[str, Any]] = {}
        for name, table in values.items() if isinstance(values, dict) else ():
            if isinstance(table, dict):
                self.maps[name] = table
            else:
                self.fault(f"values.{name}", "is not a table")
        # Of a table that cannot be read its faults are known, so None: those who use it say no more.
        self.tables: dict[str, LookupTable | None] = {}
        lookups = raw.get("lookups", {})
        if not isinstance(lookups, dict):
            self.fault("lookups", "is not a table of tables")
            lookups = {}
        for name, table in lookups.items():
            self.tables[name] = self._table(f"lookups.{name}", table, read)

    def _table(self, where: str, table: Any, read: ReadTable) -> LookupTable | None:
        if not isinstance(table, dict):
            self.fault(where, "is not a table")
            return None
        before = len(self.faults)
        self.unknown(where, table, LOOKUP_KEYS)
        file, key = self.text(where, table, "file") or "", self.texts(where, table, "key")
        delimiter = self.single(where, table, "delimiter") or ","
        if not key:
            self.fault(f"{where}.key", "names no column of the table")
        fault = file_fault(file)
        if fault:
            self.fault(f"{where}.file", fault)
        if len(self.faults) > before:
            return None
        try:
            data, place = read(file)
        except OSError as error:
            reason = "there is none" if isinstance(error, FileNotFoundError) else error.strerror
            self.fault(f"{where}.file", f"{file!r} cannot be read beside the profile: {reason}")
            return None
        found, faults = read_table(file, data, place, key or (), delimiter)
        for words in faults:
            self.fault(where, words)
        return found

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
        lookup = self._lookup(where, value, columns or ())
        return Spec(
            columns=columns or (),
            sep=self.text(where, value, "sep", " ") or "",
            value=_plain(value.get("value")),
            map=self._map(where, value.get("map")),
            date=self.date(where, value, self.shared),
            first_year=self.first_year(where, value),
            currency=self.currency(where, currency),
            currency_column=currency_column,
            split=self.text(where, value, "split"),
            part=self._part(where, value),
            factor=self._factor(where, value),
            lookup=lookup,
            other=self._other(where, value),
            null=None if null is None else frozenset(null),
            decimal=self.single(where, value, "decimal"),
            thousands=self.single(where, value, "thousands"),
            time_zone=self.zone(where, value),
            default=_plain(value.get("default")),
            blank=self.choice(where, value, "blank", BLANKS) if "blank" in value else None,
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

    def _lookup(self, where: str, spec: Mapping[str, Any], columns: Sequence[str]) -> Lookup | None:
        name, take = self.text(where, spec, "lookup"), self.text(where, spec, "take")
        if name is None:
            if take is not None:
                self.fault(f"{where}.take", "names a column of a table, so it needs a lookup")
            return None
        beside = sorted(_NOT_WITH_LOOKUP & set(spec))
        if beside or isinstance(spec.get("currency"), dict):
            words = ", ".join(beside) or "a currency column"
            self.fault(f"{where}.lookup", f"does not go with {words}")
        if name not in self.tables:
            known = ", ".join(self.tables) or "none"
            self.fault(f"{where}.lookup", f"there is no [lookups.{name}] (known: {known})")
        table = self.tables.get(name)
        if table is None:
            return None
        if len(columns) != len(table.key):
            words = f"{name} has the key {', '.join(table.key)}, and the columns named are"
            self.fault(f"{where}.lookup", f"{words} {', '.join(columns) or 'none'}")
        if take is None or take not in table.columns:
            words = "is missing" if take is None else no_column(table.where, take, table.columns)
            self.fault(f"{where}.take", words)
            return None
        return Lookup.of(table, take)

    def _other(self, where: str, table: Mapping[str, Any]) -> Any:
        if "other" in table and not {"map", "lookup"} & set(table):
            words = "says what texts become that are not found, so it needs a map or a lookup"
            self.fault(f"{where}.other", words)
        return _plain(table.get("other"))


def _plain(value: Any) -> Any:
    """TOML dates become the ISO text that a cell would hold."""
    return value.isoformat() if hasattr(value, "isoformat") else value
