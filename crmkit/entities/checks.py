"""Checks of single values against their declared schema: the same at every door of the store.

An import, a command and a call from Python all ask here. Fields are flat
(:class:`crmkit.entities.FieldSet` allows no nesting but arrays of strings), so a row fits its schema
when each value does, and its values go together (:mod:`crmkit.entities.contradictions`). :func:`compile_check` makes one fast yes-or-no function per
field; :class:`Reference` is the ``jsonschema`` library with the same patterns and exact multiples,
which gives the words for the few values that fail. A property test holds that both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from .money import Money
from .standard_numbers import SCHEMA_FORMATS
from .text_formats import format_words

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Check = Callable[[Any], bool]
Day = TypeVar("Day", bound=date)

CODES = {
    "enum": "E_ENUM", "const": "E_ENUM",
    "minimum": "E_RANGE", "maximum": "E_RANGE", "exclusiveMinimum": "E_RANGE",
    "exclusiveMaximum": "E_RANGE", "multipleOf": "E_RANGE",
    "minLength": "E_LENGTH", "maxLength": "E_LENGTH", "minItems": "E_LENGTH",
    "maxItems": "E_LENGTH", "pattern": "E_PATTERN", "type": "E_TYPE",
}  # fmt: skip
# Formats whose text is made by our own conversion and so holds already, as standard numbers do.
CONVERTED = frozenset(("date", "date-time", "money"))
# Outside these years a date is a mistake of the source or a placeholder such as 9999-12-31.
FIRST_YEAR, LAST_YEAR = 1900, 2200
# A message is bounded whatever the size of the data.
LONGEST_VALUE = 120


@frozen
class Fault:
    """Why a value cannot be taken: a stable code, the value as text, what is allowed, and words."""

    code: str
    value: str
    allowed: str
    message: str


def check_year(day: Day) -> Day:
    """The day or instant, if it lies in a year that a business can mean.

    Raises:
        ValueError: if it does not.
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def exact(value: Any) -> Decimal:
    """A number by its shortest decimal text: 19.99 is 19.99 and a multiple of 0.01."""
    return Decimal(str(value))


def is_multiple(value: Any, step: Any) -> bool:
    """Whether ``value`` is a whole multiple of ``step``, in decimal arithmetic."""
    quotient = exact(value) / exact(step)
    return quotient == quotient.to_integral_value()


def compile_check(schema: Mapping[str, Any]) -> Check | None:
    """A function that says whether a converted value fits the property's schema.

    Args:
        schema: one property of a field set; its ``type`` is settled by the conversion.

    Returns:
        None where any value of the type fits.

    Raises:
        ValueError: if ``pattern`` is none that RE2 takes.
    """
    makers = {**_MAKERS, **_AMOUNTS} if schema.get("format") == "money" else _MAKERS
    checks = [make(schema[word]) for word, make in makers.items() if word in schema]
    if schema.get("type") == "array":
        inner = compile_check(schema.get("items", {}))
        if inner:
            checks.append(lambda value: all(map(inner, value)))
        if schema.get("uniqueItems"):
            checks.append(lambda value: len(set(value)) == len(value))
    if schema.get("type") == "string" and schema.get("format") in SCHEMA_FORMATS - CONVERTED:
        checks.append(_format_check(schema["format"]))
    if not checks:
        return None
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def _enum(values: list[Any]) -> Check:
    # True == 1 in Python but not in JSON.
    allowed = {(isinstance(v, bool), v) for v in values if not isinstance(v, list | dict)}
    return lambda value: (isinstance(value, bool), value) in allowed


def _pattern(pattern: str) -> Check:
    search = compiled(pattern).search
    return lambda value: search(value) is not None


@cache
def compiled(pattern: str) -> Any:
    """The pattern on RE2, which is linear in time whatever a plugin wrote.

    Raises:
        ValueError: if RE2 refuses it (backreferences, look-around).
    """
    # Lazy: most commands match no pattern.
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"pattern {pattern!r}: {error}") from error


def _format_check(name: str) -> Check:
    checker = _format_checker()
    return lambda value: bool(checker.conforms(value, name))


@cache
def _format_checker() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator.FORMAT_CHECKER


_MAKERS: dict[str, Callable[[Any], Check]] = {
    "enum": _enum,
    "const": lambda constant: _enum([constant]),
    "minimum": lambda bound: lambda value: value >= bound,
    "maximum": lambda bound: lambda value: value <= bound,
    "exclusiveMinimum": lambda bound: lambda value: value > bound,
    "exclusiveMaximum": lambda bound: lambda value: value < bound,
    "multipleOf": lambda step: lambda value: is_multiple(value, step),
    "minLength": lambda least: lambda value: len(value) >= least,
    "maxLength": lambda most: lambda value: len(value) <= most,
    "pattern": _pattern,
    "minItems": lambda least: lambda value: len(value) >= least,
    "maxItems": lambda most: lambda value: len(value) <= most,
}


# An amount is a text to JSON Schema, whose bounds say nothing of texts; ours are of its number.
_AMOUNTS: dict[str, Callable[[Any], Check]] = {
    "minimum": lambda bound: lambda value: Decimal(value) >= exact(bound),
    "maximum": lambda bound: lambda value: Decimal(value) <= exact(bound),
    "exclusiveMinimum": lambda bound: lambda value: Decimal(value) > exact(bound),
    "exclusiveMaximum": lambda bound: lambda value: Decimal(value) < exact(bound),
}


def as_json(value: Any) -> Any:
    """A value as JSON Schema sees it: amounts, days and instants are texts there."""
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, date):
        return value.isoformat().replace("+00:00", "Z")
    return value


class Reference:
    """The ``jsonschema`` library over one property: the judge that the fast checks must equal."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self._validator = schema_validator(schema)

    def valid(self, value: Any) -> bool:
        """Whether the value fits."""
        return bool(self._validator.is_valid(value))

    def fault(self, value: Any, given: str) -> Fault:
        """What is wrong with a value that does not fit.

        Args:
            value: the converted value.
            given: the text that stood in the file.
        """
        error = next(self._validator.iter_errors(value))
        words = error.message if len(error.message) <= 300 else error.message[:297] + "..."
        code = CODES.get(error.validator, "E_SCHEMA")
        return Fault(code, given, allowed_words(self.schema), words)


def schema_validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """The ``jsonschema`` library over a schema, with the patterns, steps and amounts of this module."""
    return _validator_class()(
        dict(schema), format_checker=_format_checker(), registry=_empty_registry()
    )


@cache
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, ValidationError, validators

    def pattern(_: Any, wanted: str, value: Any, __: Any) -> Any:
        if isinstance(value, str) and not compiled(wanted).search(value):
            yield ValidationError(f"{value!r} does not match {wanted!r}")

    def multiple_of(_: Any, step: Any, value: Any, __: Any) -> Any:
        # bool is an int in Python; JSON Schema says true is no number.
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not is_multiple(value, step):
                yield ValidationError(f"{value!r} is not a multiple of {step}")

    def bounded(word: str) -> Any:
        plain = Draft202012Validator.VALIDATORS[word]

        def check(validator: Any, bound: Any, value: Any, schema: Mapping[str, Any]) -> Any:
            if schema.get("format") != "money" or not isinstance(value, str):
                yield from plain(validator, bound, value, schema) or ()
            elif not _AMOUNTS[word](bound)(value):
                yield ValidationError(f"{value} is not {_WORDS[word].format(bound)}")

        return check

    words = {"pattern": pattern, "multipleOf": multiple_of}
    words |= {word: bounded(word) for word in _AMOUNTS}
    return validators.extend(Draft202012Validator, words)


@cache
def _empty_registry() -> Any:
    # Without one the library would fetch a remote $ref over the network.
    from referencing import Registry

    return Registry()


def allowed_words(schema: Mapping[str, Any]) -> str:
    """What a property allows, in words made from its schema: ``integer, 0 or more, 72 or less``."""
    if "enum" in schema:
        return ", ".join(_scalar(v) for v in schema["enum"])
    if "const" in schema:
        return _scalar(schema["const"])
    kind = {"array": "list"}.get(str(schema.get("type", "")), str(schema.get("type", "text")))
    form = schema.get("format")
    if form is not None and form not in SCHEMA_FORMATS:
        form = format_words(form)
    words = [{"string": form or "text"}.get(kind, kind)]
    for word, template in _WORDS.items():
        if word in schema:
            words.append(template.format(schema[word]))
    if "items" in schema:
        words.append(f"each of: {allowed_words(schema['items'])}")
    return ", ".join(words)


def _scalar(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


_WORDS = {
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "in steps of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matching {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def shown(text: str) -> str:
    """A value for a message, cut to a bounded length."""
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."
