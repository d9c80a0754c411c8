"""Columns with what their header and their cells say, and how one of them feeds a field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import define, evolve

from ...entities.field_types import FieldType
from ...entities.fields import Field
from ...entities.money import exponent
from ..signs import currencies_of
from ..values import whole_or_none
from .headers import currency_of, role_of, squeezed, synonyms
from .sample import Sample
from .shapes import FIRST_YEAR, Shape, Style, shape_of

_NUMBERS = ("integer", "number")
_YES = {"true", "yes", "y", "t", "1"}
_NO = {"false", "no", "n", "f", "0"}
# Of a column that can be read in two ways.
AMBIGUOUS = 0.5
_INTEGER = re.compile(r"[+-]?[0-9]+")
_EXPONENT = re.compile("[eE]")
SHORTEST_PHONE, LONGEST_PHONE = 7, 15


@define
class Column:
    """A column of the file: its role in core with the confidence, and the shape of its cells.

    ``currency`` is that of its amounts, where the header or a sign beside them says it.
    """

    name: str
    shape: Shape
    role: str | None = None
    confidence: float = 0.0
    currency: str | None = None


def look_at(sample: Sample, currency: str = "USD") -> list[Column]:
    """Every column of a sample, in the file's order.

    Args:
        currency: the workspace's, which a sign of several currencies such as ``$`` means if it can.
    """
    shapes = _settled([shape_of(sample.cells(name)) for name in sample.header])
    found = []
    for name, shape in zip(sample.header, shapes, strict=True):
        signs = currencies_of(shape.sign) if shape.sign else ()
        sign = currency if currency in signs else next(iter(signs), None)
        column = Column(name, shape, currency=currency_of(name) or sign)
        said = role_of(name)
        if said is not None and _bears_out(said[0], column.shape):
            column.role, column.confidence = said
        elif column.shape.kind == "email":
            column.role, column.confidence = "email", 0.75
        if column.shape.also and column.role == "date":
            column.confidence = AMBIGUOUS
        found.append(column)
    return found


def _settled(shapes: Sequence[Shape]) -> list[Shape]:
    """Dates that may be two are read as the file's other dates, where these are of one order."""
    orders = {s.date[:2] for s in shapes if s.date and not s.also and s.date[:2] in ("%d", "%m")}
    if len(orders) != 1:
        return list(shapes)
    (order,) = orders
    return [
        evolve(s, date=next(d for d in (s.date, s.also) if d and d[:2] == order), also=None)
        if s.date and s.also and {s.date[:2], s.also[:2]} == {"%d", "%m"}
        else s
        for s in shapes
    ]


def _is_phone(value: str) -> bool:
    digits = whole_or_none(value) or value
    return (
        digits.lstrip("+").isdigit() and SHORTEST_PHONE <= len(digits.lstrip("+")) <= LONGEST_PHONE
    )


def _bears_out(role: str, shape: Shape) -> bool:
    """Whether the cells are what the header says; a header alone is often wrong."""
    if not shape.values:
        return False
    if role == "email":
        return shape.kind == "email"
    if role.startswith("phone"):
        return shape.kind == "phone" or (
            shape.kind in _NUMBERS
            and all(_is_phone(v) for v in shape.values if not _EXPONENT.search(v))
        )
    if role in ("name", "organisation", "given_name", "middle_name", "family_name"):
        return shape.lettered >= 0.9
    if role in ("city", "country", "owner", "team"):
        return shape.lettered >= 0.5
    if role == "state":
        return shape.kind == "text"
    if role == "date":
        return shape.kind in ("date", "instant")
    if role == "amount":
        return shape.kind in _NUMBERS
    return role != "quantity" or shape.kind in _NUMBERS


def spec_of(column: Column, field: Field) -> str | dict[str, Any] | None:
    """How a column feeds a field, or None if its values do not fit the field."""
    shape = column.shape
    more: dict[str, Any] = {}
    if shape.null:
        more["null"] = ["", *shape.null]
    found = _reading(shape, field)
    if found is None:
        return None
    more |= found
    return {"column": column.name, **more} if more else column.name


def _reading(shape: Shape, field: Field) -> dict[str, Any] | None:
    if not shape.values:
        return {}
    kind = field.type
    if kind is FieldType.BOOLEAN:
        return _truths(shape)
    if field.choices is not None:
        return _choices(shape, field)
    if kind in (FieldType.DATE, FieldType.INSTANT):
        fits = shape.kind == "date" or (kind is FieldType.INSTANT and shape.kind == "instant")
        return dated(shape) if fits else None
    if kind is FieldType.INTEGER:
        return _whole(shape)
    if kind is FieldType.NUMBER:
        return _signs(shape, None) if shape.kind in _NUMBERS and not shape.sign else None
    if kind is FieldType.MONEY:
        # The currency is the caller's, who knows whether the field has one of its own.
        return {} if shape.kind in _NUMBERS else None
    if kind is FieldType.LIST:
        return None
    return {}


def dated(shape: Shape) -> dict[str, Any]:
    """How the dates of a column are written; nothing for ISO 8601."""
    if not shape.date:
        return {}
    return {"date": shape.date} | ({"first_year": FIRST_YEAR} if "%y" in shape.date else {})


def _whole(shape: Shape) -> dict[str, Any] | None:
    """Whole numbers, also written 2.0 or with groups."""
    if shape.kind == "integer":
        return {}
    if shape.kind != "number" or shape.sign:
        return None
    if all(_INTEGER.fullmatch(whole_or_none(v) or v) for v in shape.values):
        return {}
    return _signs(shape, 0) if any(not s.decimals for s in shape.styles) else None


def _signs(shape: Shape, decimals: int | None) -> dict[str, Any]:
    """The decimal and the grouping sign of a column, of the ways to read it that have so few decimals."""
    fitting = [s for s in shape.styles if decimals is None or s.decimals <= decimals]
    style = next(iter(fitting), Style(decimal=shape.decimal, thousands=shape.thousands))
    found = {"decimal": style.decimal, "thousands": style.thousands}
    return {k: v for k, v in found.items() if v}


def money_of(column: Column, currency: str) -> dict[str, Any]:
    """How amounts are written, to be read in a currency: 1.234 is a thousand dollars, not one."""
    return _signs(column.shape, exponent(currency))


def readings_of(column: Column, decimals: int | None = None) -> tuple[str, str | None]:
    """In words how the column's dates or numbers are read, and how else they could be.

    Args:
        decimals: the most that the field's values have; None is any number.

    Returns:
        Empty where nothing has to be said of it, and None where there is one way only.
    """
    shape = column.shape
    if shape.kind in ("date", "instant") and shape.date:
        year = f", two-digit years from {FIRST_YEAR}" if "%y" in shape.date else ""
        return f"dates as {shape.date}{year}", shape.also
    if shape.kind == "number":
        fitting = [s for s in shape.styles if decimals is None or s.decimals <= decimals]
        words = [_style_words(s) for s in fitting[:2]]
        if words and (len(words) > 1 or words[0] != _style_words(Style())):
            return f"numbers with {words[0]}", words[1] if len(words) > 1 else None
    return "", None


def _style_words(style: Style) -> str:
    decimal = f"decimal sign {style.decimal or '.'!r}"
    return decimal + (f" and thousands {style.thousands!r}" if style.thousands else "")


def _truths(shape: Shape) -> dict[str, Any] | None:
    """A map to true and false, where the texts say it: "No phone service" is a no."""
    if all((whole_or_none(v) or v).casefold() in _YES | _NO for v in shape.values):
        return {}
    if len(shape.values) > 6:
        return None
    words = synonyms()["values"]
    found: dict[str, str] = {}
    for value in shape.values:
        folded = value.casefold()
        if folded in _YES or folded in words["true"]:
            found[value] = "true"
        elif folded in _NO or folded in words["false"] or folded.startswith("no "):
            found[value] = "false"
        else:
            return None
    return {"map": found}


def _choices(shape: Shape, field: Field) -> dict[str, Any] | None:
    """A map to the field's choices, or None if any value is none of them."""
    by_word: dict[str, Any] = {}
    for choice in field.choices or ():
        by_word[squeezed(str(choice))] = choice
        for word in synonyms()["values"].get(str(choice), ()):
            by_word.setdefault(squeezed(word), choice)
    found: dict[str, Any] = {}
    for value in shape.values:
        choice = by_word.get(squeezed(whole_or_none(value) or value))
        if choice is None:
            return None
        found[value] = choice
    same = all((whole_or_none(k) or k) == str(v) for k, v in found.items())
    return {} if same else {"map": found}


def amount_of(column: Column, currency: str | None, default: str) -> dict[str, Any]:
    """A column read as an amount of money.

    Args:
        currency: to be written into the profile; None where the amounts name none.
        default: in which they then are.
    """
    found: dict[str, Any] = {"column": column.name}
    if currency:
        found["currency"] = currency
    found |= money_of(column, currency or default)
    if column.shape.null:
        found["null"] = ["", *column.shape.null]
    return found
