"""Column types that mean the same on SQLite and PostgreSQL (design D14).

========== ======================== ==========================
type       SQLite (STRICT)          PostgreSQL
========== ======================== ==========================
Text       TEXT                     TEXT
Integer    INTEGER (64 bits)        BIGINT
Number     REAL                     DOUBLE PRECISION
Boolean    INTEGER 0 or 1           BOOLEAN
Instant    TEXT, see instant_text() TIMESTAMP, UTC without zone
Date       TEXT ``YYYY-MM-DD``      DATE
Json       TEXT                     TEXT
========== ======================== ==========================

Stock SQLAlchemy types do not serve: STRICT tables refuse ten of thirteen of their names, and
``Numeric`` on SQLite loses digits without a word, which is why money is integer minor units.
A value that a database would bend silently (NaN becomes NULL on SQLite, a naive instant has no
zone) is refused here, before it is bound.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import types as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from ..entities.field_types import FieldType
from ..errors import DatabaseDamaged, UsageError

INT64 = 1 << 63


class Stored(sa.TypeDecorator[Any]):
    """A type with one name here and a native type in each database.

    Attributes:
        word: the name kept in declarations; a column whose word changes has changed its storage.
    """

    # Says what operators do: with TEXT, `+` between numbers would join their digits.
    impl: Any = sa.TEXT
    # SQLAlchemy asks every class for this by itself, so each subclass repeats it.
    cache_ok = True
    word = ""
    on_sqlite: TypeEngine[Any] = sa.TEXT()
    on_postgresql: TypeEngine[Any] = sa.TEXT()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return self.on_sqlite if dialect.name == "sqlite" else self.on_postgresql


class Text(Stored):
    """Unicode text without NUL, which PostgreSQL refuses and SQLite's length() stops at."""

    cache_ok = True
    word = "text"

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            raise UsageError(f"{value!r} is not text", code="E_TYPE")
        if "\0" in value:
            raise UsageError("text holds a NUL character", code="E_TYPE")
        return value


class Integer(Stored):
    """A whole number of 64 bits, signed."""

    impl = sa.BigInteger
    cache_ok = True
    word = "integer"
    on_sqlite = sa.INTEGER()
    on_postgresql = sa.BIGINT()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"{value!r} is not a whole number", code="E_TYPE")
        if not -INT64 <= value < INT64:
            raise UsageError(f"{value} does not fit into 64 bits", code="E_TYPE")
        return value


class Number(Stored):
    """A finite double."""

    impl = sa.Float
    cache_ok = True
    word = "number"
    on_sqlite = sa.REAL()
    on_postgresql = sa.DOUBLE_PRECISION()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UsageError(f"{value!r} is not a number", code="E_TYPE")
        number = float(value)
        if not math.isfinite(number):
            raise UsageError(f"{value!r} is not a finite number", code="E_TYPE")
        return number


class Boolean(Stored):
    """True or false."""

    impl = sa.Boolean
    cache_ok = True
    word = "boolean"
    on_sqlite = sa.INTEGER()
    on_postgresql = sa.BOOLEAN()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, bool):
            raise UsageError(f"{value!r} is neither true nor false", code="E_TYPE")
        return int(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else bool(value)


class Instant(Stored):
    """An aware UTC instant, to the microsecond."""

    impl = sa.DateTime
    cache_ok = True
    word = "instant"
    on_postgresql = sa.TIMESTAMP()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise UsageError(f"{value!r} is not an instant with a time zone", code="E_TYPE")
        if dialect.name == "sqlite":
            return instant_text(value)
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        return _from_text(value) if isinstance(value, str) else _from_naive(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        # SQLAlchemy would wrap process_result_value() twice, which costs as much as the parsing.
        return _from_text if dialect.name == "sqlite" else _from_naive


def _from_text(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        # Parsed with its zone: six times faster than giving it one afterwards.
        return datetime.fromisoformat(value + "+00:00")
    except ValueError:
        raise DatabaseDamaged("what it holds as an instant is none") from None


def _from_naive(value: datetime | None) -> datetime | None:
    return None if value is None else value.replace(tzinfo=UTC)


class Date(Stored):
    """A calendar day."""

    impl = sa.Date
    cache_ok = True
    word = "date"
    on_postgresql = sa.DATE()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if isinstance(value, datetime) or not isinstance(value, date):
            raise UsageError(f"{value!r} is not a date", code="E_TYPE")
        return value.isoformat() if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        try:
            return date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            raise DatabaseDamaged("what it holds as a date is none") from None


class JsonText(str):
    """Text that is a JSON document already and is stored as it stands."""

    __slots__ = ()


class Json(Stored):
    """A JSON document as text, with sorted keys so that equal documents are equal text."""

    cache_ok = True
    word = "json"

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or isinstance(value, JsonText) else json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        try:
            return None if value is None else json.loads(value)
        except ValueError:
            raise DatabaseDamaged("what it holds as a JSON document is none") from None


def json_text(value: Any) -> str:
    """The one text that this document has in the store.

    Raises:
        UsageError: if it holds NaN or Infinity, which are not JSON, or an object that is no JSON.
    """
    try:
        return json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"not a JSON document: {error}", code="E_TYPE") from error


def instant_text(value: datetime) -> str:
    """How SQLite holds an aware instant: ``2026-03-31 22:00:00.000000``.

    Six digits always, so that text sorts by time; other engines' ``%f`` may write nine.
    """
    utc = value.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(sep=" ", timespec="microseconds")


_OF_FIELD: dict[FieldType, type[Stored]] = {
    FieldType.TEXT: Text,
    FieldType.INTEGER: Integer,
    FieldType.NUMBER: Number,
    FieldType.BOOLEAN: Boolean,
    FieldType.DATE: Date,
    FieldType.INSTANT: Instant,
    FieldType.LIST: Json,
}


def column_type(kind: FieldType) -> Stored:
    """The stored type of a field's column; money has none of its own, its two columns do."""
    return _OF_FIELD[kind]()


def stored_type(word: str) -> Stored:
    """The type of a column by the word that declarations keep."""
    kinds: list[type[Stored]] = [*_OF_FIELD.values(), Json]
    return next(kind for kind in kinds if kind.word == word)()


def binders(types: list[TypeEngine[Any]], dialect: Dialect) -> list[Callable[[Any], Any] | None]:
    """For each type, what turns a Python value into the driver's; None where nothing is to do.

    For writers that hand tuples straight to the driver and so bypass SQLAlchemy's own binding.
    """
    return [kind.dialect_impl(dialect).bind_processor(dialect) for kind in types]
