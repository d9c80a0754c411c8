"""Import profiles: TOML text to a checked plan of what each row feeds (design D10).

The format is described in ``docs/reference/profiles.md``.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import string
import tomllib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import field, frozen

from ..errors import ProfileError
from .quality import LIMITS

T = TypeVar("T")

_ASCII = bytes(range(32, 127)) + b"\t\r\n"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
FORMATS = ("csv", "jsonl", "xlsx", "parquet", "sql")
MODES = ("upsert", "full")
CUSTOMER_FIELDS = ("kind", "name", "locale", "time_zone", "region", "owner", "team")
CONTACTS = ("phone", "email", "address", "web", "social")
OPERATORS = ("equals", "not_equals", "in", "not_in", "filled", "empty")


@frozen(kw_only=True)
class Spec:
    """Where one value comes from: columns (joined by ``sep``) or a constant, and how it is read.

    ``map`` is source text to value; ``null``, ``decimal``, ``thousands``, ``time_zone`` and
    ``currency`` are None where the source's hold. ``part`` is the number of the piece of a cell cut
    at ``split`` (blanks if None), from 1, or from -1 at its end; ``factor`` multiplies a number;
    ``other`` is what texts become that ``map`` does not hold (None: they are faults). ``currency_column`` names the column that holds
    an amount's currency.
    """

    columns: tuple[str, ...] = ()
    sep: str = " "
    value: Any = None
    map: Mapping[str, Any] | None = field(default=None, hash=False)
    date: str | None = None
    currency: str | None = None
    currency_column: str | None = None
    split: str | None = None
    part: int | None = None
    factor: Decimal | None = None
    other: Any = None
    null: frozenset[str] | None = None
    decimal: str | None = None
    thousands: str | None = None
    time_zone: str | None = None
    default: Any = None

    @property
    def used(self) -> tuple[str, ...]:
        """Every column that it reads."""
        extra = (self.currency_column,) if self.currency_column else ()
        return self.columns + extra


@frozen
class Key:
    """A ref: literal texts and columns in turn, as ``(literal, column or None)``."""

    parts: tuple[tuple[str, str | None], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns in the order in which they appear."""
        return tuple(column for _, column in self.parts if column is not None)

    @property
    def single(self) -> str | None:
        """The column, if the key is nothing but that column."""
        return self.parts[0][1] if len(self.parts) == 1 and not self.parts[0][0] else None


@frozen(kw_only=True)
class Reference:
    """Something that another emit makes (``emit``), or that is stored (``entity`` and ``spec``)."""

    emit: str | None = None
    entity: str | None = None
    spec: Spec | None = None
    source: str | None = None


@frozen(kw_only=True)
class Condition:
    """``operator`` is one of OPERATORS; ``values`` are the texts it compares with."""

    column: str
    operator: str
    values: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Emit:
    """One entity that a row feeds; None where the profile says nothing."""

    entity: str
    name: str
    key: Key | None = None
    source: str | None = None
    when: tuple[Condition, ...] = ()
    owner: Reference | None = None
    subject: Reference | None = None
    effective: Spec | None = None
    occurred_at: Spec | None = None
    channel: Spec | None = None
    direction: Spec | None = None
    actor: Spec | None = None
    amount: Spec | None = None
    fields: Mapping[str, Spec] = field(factory=dict, hash=False)

    @property
    def used(self) -> tuple[str, ...]:
        """Columns that decide what this emit writes, each once, in a stable order."""
        found: list[str] = list(self.key.columns) if self.key else []
        found += [c.column for c in self.when]
        envelope = (self.effective, self.occurred_at, self.channel, self.direction, self.actor)
        for spec in (*envelope, self.amount, *self.fields.values()):
            found += spec.used if spec else ()
        for reference in (self.owner, self.subject):
            found += reference.spec.used if reference and reference.spec else ()
        return tuple(dict.fromkeys(found))


@frozen(kw_only=True)
class Source:
    """How the file is read; the keys of ``[source]``."""

    name: str
    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str | None = None
    columns: tuple[str, ...] | None = None
    sheet: str | None = None
    url: str | None = None
    query: str | None = None
    multiline: bool = False
    guarded: bool = False
    mode: str = "upsert"
    key: tuple[str, ...] = ()
    effective: Spec | None = None
    last_wins: bool = False
    null: frozenset[str] = frozenset({""})
    strip: bool = True
    decimal: str = "."
    thousands: str | None = None
    date: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    optional: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Profile:
    """A profile whose shape is sound; whether it fits the catalog is checked by the mapping."""

    name: str
    title: str
    source: Source
    emits: tuple[Emit, ...]
    text: str = field(repr=False)
    origin: str = ""
    quality: Mapping[str, float] = field(factory=dict, hash=False)

    @property
    def hash(self) -> str:
        """SHA-256 of the text: an import is resumed only with the same profile."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def used(self) -> tuple[str, ...]:
        """Every column that the profile reads."""
        found = list(self.source.key)
        if self.source.effective:
            found += self.source.effective.used
        for emit in self.emits:
            found += emit.used
        return tuple(dict.fromkeys(found))


def parse_profile(text: str, origin: str) -> Profile:
    """The profile that a TOML text says.

    Args:
        text: the TOML.
        origin: where it comes from (a path or ``plugin telecom``), for messages.

    Raises:
        ProfileError: with the line of broken TOML, or with every fault of its shape.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(origin, [str(error)]) from error
    reader = _Reader(raw)
    name, title = reader.text("", raw, "name", ""), reader.text("", raw, "title", "")
    if name is None or not NAME.fullmatch(name):
        reader.fault("name", f"{name!r} is not a name of letters, digits, '-' and '_'")
    reader.unknown("", raw, ("name", "title", "source", "quality", "values", "emit"))
    source = reader.source(name or "")
    emits = reader.emits()
    quality = reader.quality()
    if reader.faults:
        raise ProfileError(origin, reader.faults)
    return Profile(
        name=name or "", title=title or "", source=source, emits=emits, text=text, origin=origin,
        quality=quality,
    )  # fmt: skip


class _Reader:
    """Reads tables and gathers every fault with the key where it stands."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.faults: list[str] = []
        values = raw.get("values", {})
        self.maps: dict[str, Mapping[str, Any]] = {}
        for name, table in values.items() if isinstance(values, dict) else ():
            if isinstance(table, dict):
                self.maps[name] = table
            else:
                self.fault(f"values.{name}", "is not a table")

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

    def choice(self, where: str, table: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str:
        value = table.get(key, allowed[0])
        if value in allowed:
            return str(value)
        self.fault(f"{where}.{key}", f"{value!r} is not one of {', '.join(allowed)}")
        return allowed[0]

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
            delimiter=self._single(where, table, "delimiter"),
            columns=self.texts(where, table, "columns"),
            sheet=self.text(where, table, "sheet"),
            url=self.text(where, table, "url"),
            query=self.text(where, table, "query"),
            multiline=self.flag(where, table, "multiline", False),
            guarded=self.flag(where, table, "guarded", False),
            mode=self.choice(where, table, "mode", MODES),
            key=self.texts(where, table, "key") or (),
            effective=None if effective is None else self._moment(f"{where}.effective", effective),
            last_wins=self.flag(where, table, "last_wins", False),
            null=frozenset({""} if null is None else null),
            strip=self.flag(where, table, "strip", True),
            decimal=self._single(where, table, "decimal") or ".",
            thousands=self._single(where, table, "thousands"),
            date=self._date(where, table),
            time_zone=self._zone(where, table),
            currency=self._currency(where, table.get("currency")),
            optional=frozenset(optional or ()),
        )

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
            if name in CONTACTS and isinstance(value, dict) and not _SPEC_KEYS & set(value):
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
            effective=self._given(self._moment, where, table, "effective"),
            occurred_at=self._given(self._moment, where, table, "occurred_at"),
            channel=self._given(self._spec, where, table, "channel"),
            direction=self._given(self._spec, where, table, "direction"),
            actor=self._given(self._spec, where, table, "actor"),
            amount=self._given(self._spec, where, table, "amount"),
            fields={n: self._spec(f"{where}.{n}", v) for n, v in flat.items()},
        )

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
            spec=self._spec(where, rest),
            source=self.text(where, value, "source"),
        )

    def _moment(self, where: str, value: Any) -> Spec:
        # A bare date is the commonest effective date, so it need not be written as {value = ...}.
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d([T ].*)?", value):
            return Spec(value=value)
        if hasattr(value, "isoformat"):
            return Spec(value=value.isoformat())
        return self._spec(where, value)

    def _spec(self, where: str, value: Any) -> Spec:
        if isinstance(value, str):
            return Spec(columns=(value,))
        if not isinstance(value, dict):
            self.fault(where, f"{value!r} is neither a column nor a table")
            return Spec()
        self.unknown(where, value, sorted(_SPEC_KEYS))
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
            date=self._date(where, value),
            currency=self._currency(where, currency),
            currency_column=currency_column,
            split=self.text(where, value, "split"),
            part=self._part(where, value),
            factor=self._factor(where, value),
            other=self._other(where, value),
            null=None if null is None else frozenset(null),
            decimal=self._single(where, value, "decimal"),
            thousands=self._single(where, value, "thousands"),
            time_zone=self._zone(where, value),
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

    def _encoding(self, name: str) -> str:
        fault = encoding_fault(name)
        if fault:
            self.fault("source.encoding", fault)
            return "utf-8"
        return codecs.lookup(name).name

    def _single(self, where: str, table: Mapping[str, Any], key: str) -> str | None:
        value = self.text(where, table, key)
        if value is None or len(value) == 1:
            return value
        self.fault(f"{where}.{key}", f"{value!r} is not one character")
        return None

    def _date(self, where: str, table: Mapping[str, Any]) -> str | None:
        value = self.text(where, table, "date")
        if value is not None and "%" not in value:
            self.fault(f"{where}.date", f"{value!r} is no strptime format such as '%d/%m/%Y'")
        if value is not None and "%y" in value:
            self.fault(f"{where}.date", "two-digit years (%y) do not say their century")
        return value

    def _zone(self, where: str, table: Mapping[str, Any]) -> str | None:
        value = self.text(where, table, "time_zone")
        if value is not None:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError):
                self.fault(f"{where}.time_zone", f"{value!r} is no IANA zone")
                return None
        return value

    def _currency(self, where: str, value: Any) -> str | None:
        if value is None or (isinstance(value, str) and re.fullmatch("[A-Z]{3}", value)):
            return value
        self.fault(f"{where}.currency", f"{value!r} is no ISO 4217 code")
        return None


def encoding_fault(name: str) -> str:
    """Why text cannot be read in an encoding, or an empty text."""
    try:
        found = codecs.lookup(name).name
        kept = _ASCII.decode(found) == _ASCII.decode("ascii")
    except LookupError:
        return f"{name!r} is no encoding that Python knows"
    except UnicodeError:
        kept = False
    if not kept and not found.startswith(("utf-16", "utf-32")):
        # UTF-7 and EBCDIC: lines and delimiters could not be found in the bytes.
        return f"{name!r} does not keep ASCII and cannot be read"
    return ""


def _plain(value: Any) -> Any:
    """TOML dates become the ISO text that a cell would hold."""
    return value.isoformat() if hasattr(value, "isoformat") else value


_SPEC_KEYS = frozenset(
    "column value join sep map date currency split null decimal thousands time_zone default "
    "part factor other".split()
)
