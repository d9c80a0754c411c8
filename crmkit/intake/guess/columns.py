"""Columns with what their header and their cells say, and how one of them feeds a field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define

from ...entities.fields import Field, FieldType
from .headers import role_of, squeezed, synonyms
from .sample import Sample
from .shapes import Shape, shape_of

_NUMBERS = ("integer", "number")
_YES = {"true", "yes", "y", "t", "1"}
_NO = {"false", "no", "n", "f", "0"}
_AMBIGUOUS_DATE = 0.5
SHORTEST_PHONE, LONGEST_PHONE = 7, 15


@define
class Column:
    """A column of the file: its role in core with the confidence, and the shape of its cells."""

    name: str
    shape: Shape
    role: str | None = None
    confidence: float = 0.0


def look_at(sample: Sample) -> list[Column]:
    """Every column of a sample, in the file's order."""
    found = []
    for name in sample.header:
        column = Column(name, shape_of(sample.cells(name)))
        said = role_of(name)
        if said is not None and _bears_out(said[0], column.shape):
            column.role, column.confidence = said
        elif column.shape.kind == "email":
            column.role, column.confidence = "email", 0.75
        if column.shape.also and column.role == "date":
            column.confidence = _AMBIGUOUS_DATE
        found.append(column)
    return found


def _bears_out(role: str, shape: Shape) -> bool:
    """Whether the cells are what the header says; a header alone is often wrong."""
    if not shape.values:
        return False
    if role == "email":
        return shape.kind == "email"
    if role.startswith("phone"):
        return shape.kind == "phone" or (
            shape.kind == "integer"
            and all(SHORTEST_PHONE <= len(v.lstrip("+")) <= LONGEST_PHONE for v in shape.values)
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
        return ({"date": shape.date} if shape.date else {}) if fits else None
    if kind is FieldType.INTEGER:
        return {} if shape.kind == "integer" else None
    if kind in (FieldType.NUMBER, FieldType.MONEY):
        if shape.kind not in _NUMBERS:
            return None
        signs = {"decimal": shape.decimal, "thousands": shape.thousands}
        return {k: v for k, v in signs.items() if v}
    if kind is FieldType.LIST:
        return None
    return {}


def _truths(shape: Shape) -> dict[str, Any] | None:
    """A map to true and false, where the texts say it: "No phone service" is a no."""
    if all(v.casefold() in _YES | _NO for v in shape.values):
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
        choice = by_word.get(squeezed(value))
        if choice is None:
            return None
        found[value] = choice
    return {} if all(k == v for k, v in found.items()) else {"map": found}


def amount_of(column: Column, currency: str | None) -> Mapping[str, Any]:
    """A column read as an amount of money."""
    signs = {"decimal": column.shape.decimal, "thousands": column.shape.thousands}
    found = {"column": column.name, "currency": currency, **signs}
    if column.shape.null:
        found["null"] = ["", *column.shape.null]  # type: ignore[assignment]
    return {k: v for k, v in found.items() if v}
