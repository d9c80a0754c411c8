"""The TOML text of a profile to the profile that it says.

The format is described in ``docs/reference/profiles.md``.
"""

from __future__ import annotations

import codecs
import string
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import evolve

from ..declarations import CUSTOMER
from ..errors import ProfileError
from .encodings import encoding_fault
from .lookups import ReadTable, no_tables
from .profile import (
    BLANKS,
    CONTACTS,
    FORMATS,
    MODES,
    NAME,
    OPERATORS,
    SPEC_KEYS,
    Condition,
    Emit,
    Key,
    Profile,
    Reference,
    Source,
    Spec,
)
from .profile_specs import SpecReader
from .quality import LIMITS

T = TypeVar("T")


def parse_profile(text: str, origin: str, read: ReadTable = no_tables) -> Profile:
    """The profile that a TOML text says.

    Args:
        text: the TOML.
        origin: where it comes from (a path or ``plugin telecom``), for messages.
        read: gives the bytes of a lookup table, and where it is; raises OSError.

    Raises:
        ProfileError: with the line of broken TOML, or with every fault of its shape.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(origin, [str(error)]) from error
    reader = _Reader(raw, read)
    name, title = reader.text("", raw, "name", ""), reader.text("", raw, "title", "")
    if name is None or not NAME.fullmatch(name):
        reader.fault("name", f"{name!r} is not a name of letters, digits, '-' and '_'")
    reader.unknown("", raw, ("name", "title", "source", "quality", "values", "lookups", "emit"))
    source = reader.source(name or "")
    emits = reader.emits()
    quality = reader.quality()
    if reader.faults:
        raise ProfileError(origin, reader.faults)
    return Profile(
        name=name or "", title=title or "", source=source, emits=emits, text=text, origin=origin,
        quality=quality, tables={n: t for n, t in reader.tables.items() if t is not None},
    )  # fmt: skip


class _Reader(SpecReader):
    """Reads the tables of a profile."""

    def source(self, name: str) -> Source:
        where, table = "source", self.raw.get("source", {})
        if not isinstance(table, dict):
            self.fault(where, "is not a table")
            table = {}
        known = [a.name for a in Source.__attrs_attrs__]
        self.unknown(where, table, known)
        null = self.texts(where, table, "null")
        optional = self.texts(where, table, "optional")
        effective = table.get("effective")
        self._query(where, table)
        return Source(
            name=self.text(where, table, "name") or name,
            format=self.choice(where, table, "format", FORMATS),
            encoding=self._encoding(self.text(where, table, "encoding") or "utf-8"),
            delimiter=self.single(where, table, "delimiter"),
            columns=self.texts(where, table, "columns"),
            sheet=self.text(where, table, "sheet"),
            **self._above(where, table),
            url=self.text(where, table, "url"),
            query=self.text(where, table, "query"),
            multiline=self.flag(where, table, "multiline", False),
            guarded=self.flag(where, table, "guarded", False),
            mode=self.choice(where, table, "mode", MODES),
            blank=self.choice(where, table, "blank", BLANKS),
            key=self.texts(where, table, "key") or (),
            effective=None if effective is None else self.moment(f"{where}.effective", effective),
            last_wins=self.flag(where, table, "last_wins", False),
            null=frozenset({""} if null is None else null),
            strip=self.flag(where, table, "strip", True),
            decimal=self.single(where, table, "decimal") or ".",
            thousands=self.single(where, table, "thousands"),
            date=self.date(where, table),
            first_year=self.first_year(where, table),
            time_zone=self.zone(where, table),
            currency=self.currency(where, table.get("currency")),
            optional=frozenset(optional or ()),
        )

    def _above(self, where: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """What stands above the rows: lines to skip, or the number of the header's line."""
        skip, header = (
            self.count(where, table, "skip_lines"),
            self.count(where, table, "header_row"),
        )
        if skip is not None and header is not None:
            self.fault(f"{where}.header_row", "says the same as skip_lines; give one of them")
        if header is not None and "columns" in table:
            self.fault(f"{where}.header_row", "does not go with columns, which name them instead")
        for key in ("skip_lines", "header_row"):
            if key in table and table.get("format", "csv") not in ("csv", "xlsx"):
                self.fault(f"{where}.{key}", 'is for format = "csv" or "xlsx"')
        return {"skip_lines": skip or 0, "header_row": header or None}

    def _query(self, where: str, table: Mapping[str, Any]) -> None:
        is_query = table.get("format") == "sql"
        if is_query and not table.get("query"):
            self.fault(f"{where}.query", 'a source of format "sql" needs a query')
        for key in ("url", "query"):
            if key in table and not is_query:
                self.fault(f"{where}.{key}", 'is for format = "sql"')

    def quality(self) -> dict[str, float]:
        table = self.raw.get("quality", {})
        if not isinstance(table, dict):
            self.fault("quality", "is not a table")
            return {}
        self.unknown("quality", table, LIMITS)
        found: dict[str, float] = {}
        for name, value in table.items():
            if type(value) in (int, float) and 0 <= value <= 1:
                found[name] = float(value)
            else:
                self.fault(f"quality.{name}", f"{value!r} is not a share of rows from 0 to 1")
        return found

    def emits(self) -> tuple[Emit, ...]:
        tables = self.raw.get("emit", [])
        if (
            not isinstance(tables, list)
            or not tables
            or not all(isinstance(t, dict) for t in tables)
        ):
            self.fault("emit", "a profile needs at least one [[emit]] block")
            return ()
        found: dict[str, Emit] = {}
        for number, table in enumerate(tables, 1):
            emit = self._emit(f"emit {number}", table, found)
            if emit.name in found:
                self.fault(f"emit {number}", f"two emits are named {emit.name!r}; give one a name")
            found[emit.name] = emit
        return tuple(found.values())

    def _emit(self, where: str, table: Mapping[str, Any], earlier: Mapping[str, Emit]) -> Emit:
        known = [a.name for a in Emit.__attrs_attrs__]
        self.unknown(where, table, known)
        entity = self.text(where, table, "entity")
        if not entity:
            self.fault(where, "entity is missing")
            entity = "?"
        where = f"{where} ({entity})"
        fields = table.get("fields", {})
        if not isinstance(fields, dict):
            self.fault(f"{where}.fields", "is not a table")
            fields = {}
        # TOML reads  phone.work = "x"  as a nested table; both ways of writing mean the same.
        flat: dict[str, Any] = {}
        for name, value in fields.items():
            if name in CONTACTS and isinstance(value, dict) and not SPEC_KEYS & set(value):
                flat |= {f"{name}.{label}": inner for label, inner in value.items()}
            else:
                flat[name] = value
        return Emit(
            entity=entity,
            name=self.text(where, table, "name") or entity,
            key=self._key(f"{where}.key", table["key"]) if "key" in table else None,
            source=self.text(where, table, "source"),
            when=self._conditions(f"{where}.when", table.get("when", [])),
            owner=self._given(self._reference_to(earlier), where, table, "owner"),
            subject=self._given(self._reference_to(earlier), where, table, "subject"),
            effective=self._given(self.moment, where, table, "effective"),
            occurred_at=self._given(self.moment, where, table, "occurred_at"),
            channel=self._given(self.spec, where, table, "channel"),
            direction=self._given(self.spec, where, table, "direction"),
            actor=self._given(self.spec, where, table, "actor"),
            amount=self._given(self.spec, where, table, "amount"),
            fields={n: self._field(f"{where}.{n}", entity, n, v) for n, v in flat.items()},
        )

    def _field(self, where: str, entity: str, name: str, value: Any) -> Spec:
        """A field's source; of contact points of one kind a row may have several, as a list."""
        if (
            not isinstance(value, list)
            or name.partition(".")[0] not in CONTACTS
            or entity != CUSTOMER
        ):
            return self.spec(where, value)
        if not value:
            self.fault(where, "names no column")
            return Spec()
        first, *others = (self.spec(f"{where} {n}", one) for n, one in enumerate(value, 1))
        return evolve(first, also=tuple(others))

    def _given(
        self, read: Callable[[str, Any], T], where: str, table: Mapping[str, Any], key: str
    ) -> T | None:
        return read(f"{where}.{key}", table[key]) if key in table else None

    def _reference_to(self, earlier: Mapping[str, Emit]) -> Callable[[str, Any], Reference]:
        return lambda where, value: self._reference(where, value, earlier)

    def _key(self, where: str, value: Any) -> Key:
        if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
            return Key(tuple((":" if i else "", v) for i, v in enumerate(value)))
        if not isinstance(value, str) or not value:
            self.fault(where, f"{value!r} is not a column, a template or a list of columns")
            return Key(())
        if "{" not in value:
            return Key((("", value),))
        try:
            parts = [(text, name) for text, name, _, _ in string.Formatter().parse(value)]
        except ValueError as error:
            self.fault(where, f"template {value!r}: {error}")
            return Key(())
        if any(name == "" for _, name in parts):
            self.fault(where, f"template {value!r} has empty braces")
        return Key(tuple(parts))

    def _conditions(self, where: str, value: Any) -> tuple[Condition, ...]:
        tables = [value] if isinstance(value, dict) else value
        if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
            self.fault(where, f"{value!r} is not a condition table or a list of them")
            return ()
        return tuple(self._condition(where, t) for t in tables)

    def _condition(self, where: str, table: Mapping[str, Any]) -> Condition:
        self.unknown(where, table, ("column", *OPERATORS))
        column = self.text(where, table, "column")
        named = [o for o in OPERATORS if o in table]
        if column is None or len(named) != 1:
            self.fault(where, f"needs column and one of {', '.join(OPERATORS)}")
            return Condition(column=column or "", operator="filled")
        operator = named[0]
        if operator in ("filled", "empty"):
            if not self.flag(where, table, operator, True):
                operator = "empty" if operator == "filled" else "filled"
            return Condition(column=column, operator=operator)
        values = self.texts(where, table, operator) or ()
        return Condition(column=column, operator=operator, values=frozenset(values))

    def _reference(self, where: str, value: Any, earlier: Mapping[str, Emit]) -> Reference:
        if isinstance(value, str):
            if value not in earlier:
                known = ", ".join(earlier) or "none"
                self.fault(where, f"{value!r} is no earlier emit (earlier: {known})")
            return Reference(emit=value)
        if not isinstance(value, dict):
            self.fault(where, f"{value!r} is neither an emit's name nor a table")
            return Reference()
        rest = {k: v for k, v in value.items() if k not in ("entity", "source")}
        return Reference(
            entity=self.text(where, value, "entity") or "customer",
            spec=self.spec(where, rest),
            source=self.text(where, value, "source"),
        )

    def _encoding(self, name: str) -> str:
        fault = encoding_fault(name)
        if fault:
            self.fault("source.encoding", fault)
            return "utf-8"
        return codecs.lookup(name).name
