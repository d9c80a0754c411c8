"""Columns of cells to columns of stored values, each distinct text converted and checked once."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from ..entities.checks import Fault, Reference, allowed_words, as_json, compile_check, shown
from ..entities.field_types import FieldType
from ..entities.fields import Field
from ..entities.money import MONEY_CONTEXT, Money
from ..entities.text_formats import TEXT_FORMATS, text_reader
from .lookups import Lookup
from .profile import Spec
from .values import (
    PrecisionLost,
    Reading,
    expected_words,
    plain_reader,
    read_currency,
    reader_of,
    whole_number,
    whole_or_none,
)

Encode = Callable[[Any], Any]
Cell = Any  # the text of a cell, None where it is absent, or a tuple of these
Faults = list[tuple[int, Fault]]

# A cache of this many texts holds every value of a low-cardinality column; others are dropped.
CACHED_TEXTS = 20_000
INSTANT_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _same(value: Any) -> Any:
    return value


def _instant_text(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _minor(value: Money) -> int:
    return value.minor


_SQLITE: dict[FieldType, Encode] = {
    FieldType.BOOLEAN: int,
    FieldType.DATE: date.isoformat,
    FieldType.INSTANT: _instant_text,
    FieldType.MONEY: _minor,
    FieldType.LIST: _json,
}
_POSTGRESQL: dict[FieldType, Encode] = {
    FieldType.INSTANT: lambda value: value.astimezone(UTC).replace(tzinfo=None),
    FieldType.MONEY: _minor,
    FieldType.LIST: _json,
}
_PAYLOAD: dict[FieldType, Encode] = {
    FieldType.DATE: date.isoformat,
    FieldType.INSTANT: _instant_text,
    FieldType.MONEY: _minor,
}


def encoder(kind: FieldType, form: str) -> Encode:
    """What makes the stored form of a value.

    Args:
        form: ``sqlite``, ``postgresql``, or ``payload`` for a member of a JSON payload.
    """
    if form == "payload":
        inner = _PAYLOAD.get(kind, _same)
        return lambda value: _json(inner(value))
    return (_SQLITE if form == "sqlite" else _POSTGRESQL).get(kind, _same)


class Memo(dict[Any, Any]):
    """Cell to stored value; a cell that cannot be taken gives None and stands in ``faults``."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self._convert = convert
        self.faults: dict[Any, Fault] = {}

    def __missing__(self, cell: Any) -> Any:
        value = self._convert(cell)
        if isinstance(value, Fault):
            self.faults[cell] = value
            value = None
        self[cell] = value
        return value

    def column(self, cells: Sequence[Cell]) -> tuple[list[Any], Faults]:
        """The stored values of a column, and the cells that cannot be taken by position."""
        if len(self) > CACHED_TEXTS:
            self.clear()
            self.faults.clear()
        values = list(map(self.__getitem__, cells))
        if not self.faults:
            return values, []
        get = self.faults.get
        return values, [(i, fault) for i, cell in enumerate(cells) if (fault := get(cell))]


class Converter:
    """Reads the cells of one field: null texts, value map, type, schema, stored form.

    Args:
        spec: where the value comes from and how it is written.
        field: the target.
        reading: how this file writes values, with the field's own settings applied.
        null: texts that mean missing.
        strip: whether blanks around a cell are removed first.
        encode: from value to stored form.
    """

    def __init__(
        self, spec: Spec, field: Field, reading: Reading, *, null: Collection[str], strip: bool,
        encode: Encode,
    ) -> None:  # fmt: skip
        self.spec, self.field, self.reading = spec, field, reading
        self.null, self.strip, self.encode = frozenset(null), strip, encode
        self.read = reader_of(field.type, reading)
        # Constants, defaults and mapped values are written by the profile's author, plainly.
        self.read_plain = reader_of(
            field.type, Reading(zone=reading.zone, currency=reading.currency, split=reading.split)
        )
        form = field.text_format
        self.shape = None if form is None else text_reader(form)
        own = None if form is None else TEXT_FORMATS.get(form)
        self.usual = None if own is None else own.usual
        self.check = compile_check(field.schema)
        self.missing: Any = None
        if spec.default is not None:
            self.missing = self.constant(spec.default)
        elif field.required:
            self.missing = Fault("E_REQUIRED", "", allowed_words(field.schema), "is missing")
        self.memo = Memo(self._pair if spec.currency_column else self._joined)

    def column(self, cells: Sequence[Cell]) -> tuple[list[Any], Faults]:
        """Stored values of a column of cells, and faults by position."""
        if self._is_plain and cells:
            plain = self._plain_column(cells)
            if plain is not None:
                return plain, []
        return self.memo.column(cells)

    @property
    def _is_plain(self) -> bool:
        """Whether a text is stored as it stands, so that a column can be taken whole."""
        spec = self.spec
        return (
            self.field.type is FieldType.TEXT
            and self.encode is _same
            and (self.shape is None or self.usual is not None)
            and spec.map is None
            and spec.lookup is None
            and len(spec.columns) == 1
            and spec.default is None
            and spec.part is None
        )

    def _plain_column(self, cells: Sequence[Cell]) -> list[Any] | None:
        """The column where that is quick, or None: names and ids would only fill the cache."""
        if self.check is not None:
            checking = set(self.field.schema) & _CHECKING
            if checking - {"format"} or (checking and self.usual is None):
                return None
        if None in cells:
            return None
        values = list(map(str.strip, cells)) if self.strip else list(cells)
        if not self.null.isdisjoint(values):
            if self.missing is not None:
                return None
            null = self.null
            values = [None if v in null else v for v in values]
        if self.usual is not None:
            there = (v for v in values if v is not None)
            if not all(map(self.usual.fullmatch, there)):
                return None
        if self.check is not None:
            # Only the length is left to be judged, so one text of each length speaks for all.
            by_length = {len(v): v for v in values if v is not None}
            if not all(map(self.check, by_length.values())):
                return None
        return values

    def constant(self, value: Any) -> Any:
        """The stored form of a value that the profile gives, or a fault."""
        return self._finish(_text(value), self.read_plain)

    def _joined(self, cell: Cell) -> Any:
        if self.spec.lookup is not None:
            return self._found(self.spec.lookup, cell if cell.__class__ is tuple else (cell,))
        if cell.__class__ is tuple:
            parts = [p for p in map(self._clean, cell) if p is not None]
            cell = self.spec.sep.join(parts) if parts else None
        text = self._clean(cell)
        return self.missing if text is None else self._one(text)

    def _pair(self, cells: tuple[Cell, ...]) -> Any:
        """An amount with its currency from another column: ``(minor, currency)``."""
        text, code = self._clean(cells[0]), self._clean(cells[-1])
        if text is None:
            return self.missing
        if code is None:
            return Fault("E_REQUIRED", "", "an ISO 4217 code", "the amount's currency is missing")
        try:
            reading = Reading(
                decimal=self.reading.decimal,
                thousands=self.reading.thousands,
                currency=read_currency(code),
            )
        except ValueError as error:
            return Fault("E_TYPE", shown(code), "an ISO 4217 code", str(error))
        value = self._finish(text, reader_of(FieldType.MONEY, reading))
        return value if value is None or isinstance(value, Fault) else (value, code)

    def _clean(self, text: str | None) -> str | None:
        if text is None:
            return None
        if self.strip:
            text = text.strip()
        return None if text in self.null else text

    def _found(self, lookup: Lookup, cells: tuple[Cell, ...]) -> Any:
        """The value of the table's row with this key; a key that lacks a part is missing."""
        key = tuple(self._part(self._clean(cell)) for cell in cells)
        if None in key:
            return self.missing
        text = lookup.values.get(key)  # type: ignore[arg-type]
        if text is None:
            whole = tuple(whole_or_none(part or "") or part for part in key)
            text = lookup.values.get(whole)  # type: ignore[arg-type]
        if text is None:
            given = shown(", ".join(map(str, key)))
            columns = ", ".join(lookup.table.key)
            return self._others(
                Fault(
                    "E_LOOKUP", given, f"{columns} of {lookup.table.where}",
                    f"{given!r} is not among {columns} of {lookup.table.where}",
                )
            )  # fmt: skip
        return self.missing if text == "" else self._finish(text, self.read_plain)

    def _others(self, fault: Fault) -> Any:
        """What becomes of a text that is not found."""
        other = self.spec.other
        if other is None:
            return fault
        return self.missing if other == "" else self._finish(_text(other), self.read_plain)

    def _part(self, text: str | None) -> str | None:
        if text is None or self.spec.part is None:
            return text
        return self._clean(_piece(text, self.spec.split, self.spec.part))

    def _one(self, cell: str) -> Any:
        text = self._part(cell)
        if text is None:
            return self.missing
        table = self.spec.map
        if table is None:
            return self._read(text)
        if text not in table:
            # A code that is a whole number may be written as 1.0.
            whole = whole_or_none(text) or text
            text = whole if whole in table else text
        if text not in table:
            allowed = ", ".join(table)
            words = f"{shown(text)!r} is not one of {shown(allowed)}"
            return self._others(Fault("E_MAP", shown(text), allowed, words))
        mapped = table[text]
        # A map may say that a text means missing.
        return self.missing if mapped == "" else self._finish(_text(mapped), self.read_plain)

    def _read(self, text: str) -> Any:
        """The value of a cell; a text that does not fit is tried as the whole number that it is."""
        factor = self.spec.factor
        value = self._finish(text, self.read if factor is None else partial(self._scaled, factor))
        if self.field.type is not FieldType.TEXT or not isinstance(value, Fault):
            return value
        try:
            whole = whole_number(text)
        except PrecisionLost as error:
            allowed = "all digits, written as text"
            return Fault("E_PRECISION_LOST", shown(text), allowed, f"{shown(text)!r} {error}")
        if whole is None:
            return value
        tried = self._finish(whole, self.read)
        return value if isinstance(tried, Fault) else tried

    def _scaled(self, factor: Decimal, text: str) -> Any:
        """A number in the file's unit, read in the field's."""
        plain = plain_reader(self.reading)(text)
        try:
            found = MONEY_CONTEXT.multiply(Decimal(plain, MONEY_CONTEXT), factor)
        except ArithmeticError:
            raise ValueError("is not a number") from None
        if not found.is_finite():
            raise ValueError("is not a finite number")
        return self.read_plain(f"{found.normalize(MONEY_CONTEXT):f}")

    def _finish(self, text: str, read: Callable[[str], Any]) -> Any:
        try:
            value = read(text)
        except ValueError as error:
            words = str(error)
            said = words if words.startswith("'") else f"{shown(text)!r} {words}"
            code = "E_PRECISION_LOST" if isinstance(error, PrecisionLost) else "E_TYPE"
            return Fault(code, shown(text), expected_words(self.field.type, self.reading), said)
        if self.shape is not None:
            try:
                value = self.shape(value)
            except ValueError as error:
                code = "E_NUMBER" if self.field.standard_number else "E_PATTERN"
                words = str(error)
                said = words if words.startswith("'") else f"{shown(text)!r} {words}"
                return Fault(code, shown(text), allowed_words(self.field.schema), said)
        if self.check is not None:
            judged = as_json(value)
            if not self.check(judged):
                return Reference(self.field.schema).fault(judged, shown(text))
        return self.encode(value)


# What a check may ask of a text beside its length; a usual text has its format.
_CHECKING = frozenset("enum const pattern format".split())


def _piece(text: str, separator: str | None, number: int) -> str | None:
    """The piece of that number, from 1 or from -1 backwards; None if there are not so many."""
    pieces = text.split(separator)
    at = number - 1 if number > 0 else number
    return pieces[at] if -len(pieces) <= at < len(pieces) else None


def _text(value: Any) -> str:
    """A TOML value as the text of a cell."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value) if isinstance(value, list) else str(value)


def fragments(columns: Mapping[str, Sequence[str | None]], size: int) -> list[str]:
    """JSON objects from columns of JSON members, keys sorted, missing members left out.

    Args:
        columns: member name to JSON texts; None is missing.
        size: how many objects.
    """
    if not columns:
        return ["{}"] * size
    labelled = [
        [None if v is None else f"{_json(name)}:{v}" for v in columns[name]]
        for name in sorted(columns)
    ]
    return ["{" + ",".join(filter(None, parts)) + "}" for parts in zip(*labelled, strict=True)]
