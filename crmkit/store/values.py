"""Domain values on their way into columns and out of them, checked by their JSON Schema.

In: money as :class:`Money` or decimal text, dates and instants as such or as ISO text. Out: Money,
``date``, aware UTC ``datetime``. Columns are those of :attr:`FieldSet.columns`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from ..entities.checks import as_json, check_year, compile_check, schema_validator, shown
from ..entities.field_types import FieldType
from ..entities.fields import HIDDEN_PII, Field, FieldSet
from ..entities.money import Money
from ..entities.text_formats import text_reader
from ..errors import NotFound, UsageError
from .history import Row
from .types import INT64, instant_text

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

T = TypeVar("T")
# Keywords of a whole schema that say nothing about several values at once.
_PLAIN = frozenset(
    (
        "$schema",
        "$id",
        "title",
        "description",
        "type",
        "properties",
        "required",
        "additionalProperties",
    )
)


class Codec:
    """Turns the values of one field set into columns and back.

    Args:
        name: the entity, for messages: ``telecom.plan``.
        fields: its fields.
        currency: of amounts that name none and whose field fixes none.
    """

    def __init__(self, name: str, fields: FieldSet, currency: str) -> None:
        self.name, self.fields, self.currency = name, fields, currency

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return schema_validator(self.fields.schema)

    def typed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as their Python types, without the missing ones.

        Raises:
            NotFound: for a field that the entity does not have.
            UsageError: naming every value that its field does not take.
        """
        out: dict[str, Any] = {}
        faults: list[str] = []
        for name, value in values.items():
            if name not in self.fields.by_name:
                raise NotFound(f"field of {self.name}", name, self.fields.by_name)
            if value is None:
                continue
            try:
                out[name] = _typed(self.fields.by_name[name], value, self.currency)
            except ValueError as error:
                faults.append(_fault(self.fields.by_name[name], value, error))
        self._refuse(faults)
        return out

    def check(self, typed: Mapping[str, Any], given: Iterable[str] | None = None) -> None:
        """Refuses values that the schema does not allow; ``typed`` is from :meth:`typed`.

        Args:
            given: the fields that are set now, and not known from before; None is all. What is
                stored already bars nobody from changing something else.

        Raises:
            UsageError: naming every field at fault and what is allowed.
        """
        instance = {name: as_json(value) for name, value in typed.items()}
        if self._is_plain and self._complete(instance) and self._fit(instance):
            return
        judged = set(instance) if given is None else set(given)
        faults = self._validator.iter_errors(instance)
        self._refuse([self._words(e) for e in faults if not e.path or e.path[0] in judged])

    def check_each(self, typed: Mapping[str, Any]) -> None:
        """Refuses values that their own field does not allow, whatever else is missing.

        Raises:
            UsageError: as :meth:`check`.
        """
        instance = {name: as_json(value) for name, value in typed.items()}
        if self._is_plain and self._fit(instance):
            return
        found = self._validator.iter_errors(instance)
        self._refuse([self._words(e) for e in found if e.path])

    @cached_property
    def _is_plain(self) -> bool:
        """Whether no rule of the schema looks at several fields at once."""
        return set(self.fields.schema) <= _PLAIN

    def _complete(self, instance: Mapping[str, Any]) -> bool:
        return all(name in instance for name in self.fields.schema.get("required", ()))

    def _fit(self, instance: Mapping[str, Any]) -> bool:
        """Whether each value is allowed by its own field.

        The library gives the words for what is not; it takes 0.1 ms for each value that it judges.
        """
        checks = self._checks
        return all(
            (check := checks[name]) is None or check(value) for name, value in instance.items()
        )

    @cached_property
    def _checks(self) -> dict[str, Any]:
        return {f.name: compile_check(f.schema) for f in self.fields.fields}

    def columns(self, typed: Mapping[str, Any]) -> dict[str, Any]:
        """One entry per stored column; missing values are None."""
        out: dict[str, Any] = {}
        for f in self.fields.fields:
            value = typed.get(f.name)
            if f.type is not FieldType.MONEY:
                out[f.name] = value
                continue
            names = [c.name for c in f.columns]
            parts = (None, None) if value is None else (value.minor, value.currency)
            out.update(zip(names, parts, strict=False))
        return out

    def values(self, row: Row) -> dict[str, Any]:
        """The values of a row read from the columns; every field is there, missing ones as None."""
        out: dict[str, Any] = {}
        for name, first, last, currency in self._places:
            value = row[first]
            if last and value is not None:
                value = Money(value, currency or row[last])
            out[name] = value
        return out

    @cached_property
    def _places(self) -> list[tuple[str, str, str, str | None]]:
        """Field, its column, the last one of money, and money's own currency: worked out once."""
        return [
            (
                f.name,
                f.columns[0].name,
                f.columns[-1].name if f.type is FieldType.MONEY else "",
                f.currency,
            )
            for f in self.fields.fields
        ]

    def payload(self, typed: Mapping[str, Any]) -> dict[str, Any]:
        """The columns as a JSON object in the form that interactions are stored in."""
        return {
            name: _stored(value) for name, value in self.columns(typed).items() if value is not None
        }

    def from_payload(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a stored payload, without the missing ones."""
        row = {c.name: _read(c.type, payload.get(c.name)) for c in self.fields.columns}
        return {name: value for name, value in self.values(row).items() if value is not None}

    def parse(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Values typed by a person, as the command line gets them; empty text is None.

        Raises:
            NotFound, UsageError: as :meth:`typed`.
        """
        out: dict[str, Any] = {}
        faults: list[str] = []
        for name, text in texts.items():
            if name not in self.fields.by_name:
                raise NotFound(f"field of {self.name}", name, self.fields.by_name)
            try:
                out[name] = _parsed(self.fields.by_name[name], text)
            except ValueError as error:
                faults.append(_fault(self.fields.by_name[name], text, error))
        self._refuse(faults)
        return {**dict.fromkeys(out), **self.typed(out)}

    def _refuse(self, faults: list[str]) -> None:
        refuse(self.name, faults)

    def _words(self, error: ValidationError) -> str:
        if not error.path:
            return str(error.message)
        name = str(error.path[0])
        f = self.fields.by_name[name]
        if error.validator == "enum":
            return f"field {name!r}: {_shown(f, error.instance)} is not one of {', '.join(map(str, error.validator_value))}"
        if f.pii in HIDDEN_PII:
            return f"field {name!r}: the value does not fit {error.validator} {error.validator_value!r}"
        return f"field {name!r}: {shown(error.message)}"


def refuse(entity: str, faults: Sequence[str]) -> None:
    """Raises UsageError with the faults of an entity's values, if there are any."""
    if faults:
        words = "; ".join(faults)
        end = "" if words.endswith((".", "?")) else "."
        raise UsageError(f"{entity}, {words}{end}", code="E_VALUE")


def _shown(f: Field, value: Any) -> str:
    # Messages end up in logs and terminals: no phone or document number in them.
    return "the value" if f.pii in HIDDEN_PII else shown(repr(value))


def _fault(f: Field, value: Any, error: ValueError) -> str:
    """What is wrong with a value, which the error may name itself."""
    words = str(error)
    named = words.startswith("'") and f.pii not in HIDDEN_PII
    return f"field {f.name!r}: " + (words if named else f"{_shown(f, value)} {words}")


def _typed(f: Field, value: Any, currency: str) -> Any:
    """The value as its field's Python type; ValueError says what it is not."""
    match f.type:
        case FieldType.TEXT if isinstance(value, str):
            return text_reader(f.text_format)(value) if f.text_format else value
        case FieldType.INTEGER if isinstance(value, int) and not isinstance(value, bool):
            return _in_64_bits(value, value)
        case FieldType.NUMBER if isinstance(value, _NUMBERS) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise ValueError("is not a finite number")
            return float(value)
        case FieldType.BOOLEAN if isinstance(value, bool):
            return value
        case FieldType.DATE:
            return _typed_date(value)
        case FieldType.INSTANT:
            return _typed_instant(value)
        case FieldType.MONEY:
            return _typed_money(value, f, currency)
        case FieldType.LIST if isinstance(value, (list, tuple)):
            if all(isinstance(item, str) for item in value):
                return list(value)
    raise ValueError(f"is not {_WORDS[f.type]}")


_WORDS = {
    FieldType.TEXT: "text",
    FieldType.INTEGER: "a whole number",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATE: "a date such as 2026-03-31",
    FieldType.INSTANT: "an instant such as 2026-03-31T12:00:00Z",
    FieldType.MONEY: "an amount",
    FieldType.LIST: "a list of texts",
}


_NUMBERS = (int, float, Decimal)


def _in_64_bits(number: int, value: T) -> T:
    # A payload is JSON text, which would take the number that the warehouse's column cannot hold.
    if not -INT64 <= number < INT64:
        raise ValueError("does not fit into 64 bits")
    return value


def _typed_date(value: Any) -> date:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        return check_year(value)
    raise ValueError(f"is not {_WORDS[FieldType.DATE]}")


def _typed_instant(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return check_year(value).astimezone(UTC)
    raise ValueError(f"is not {_WORDS[FieldType.INSTANT]}")


def _typed_money(value: Any, f: Field, currency: str) -> Money:
    if isinstance(value, Money):
        if f.currency and value.currency != f.currency:
            raise ValueError(f"is not in {f.currency}")
        return _in_64_bits(value.minor, value)
    if isinstance(value, (str, Decimal)):
        try:
            money = Money.parse(str(value), f.currency or currency)
            return _in_64_bits(money.minor, money)
        except ValueError as error:
            # The text says what was given already.
            raise ValueError(str(error).removeprefix(repr(str(value))).strip()) from None
    raise ValueError("is not an amount: give Money or decimal text")


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _read(kind: FieldType, value: Any) -> Any:
    if value is None:
        return None
    if kind is FieldType.DATE:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if kind is FieldType.INSTANT else value


_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def _parsed(f: Field, text: str) -> Any:
    """Text typed by a person as what :func:`_typed` takes."""
    if text == "":
        return None
    match f.type:
        case FieldType.INTEGER:
            return _number(text, int, f.type)
        case FieldType.NUMBER:
            return _number(text, float, f.type)
        case FieldType.BOOLEAN:
            if text.lower() in _TRUE + _FALSE:
                return text.lower() in _TRUE
            raise ValueError("is not true or false")
        case FieldType.LIST:
            return [part.strip() for part in text.split(",") if part.strip()]
        case FieldType.MONEY:
            amount, _, currency = text.partition(" ")
            return Money.parse(amount, currency) if currency else text
    return text


def _number(text: str, kind: type[int] | type[float], of: FieldType) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"is not {_WORDS[of]}") from None


def changed(old: Row, new: Mapping[str, Any]) -> Iterator[str]:
    """Names whose value differs, in the order of ``new``."""
    return (name for name, value in new.items() if old.get(name) != value)
