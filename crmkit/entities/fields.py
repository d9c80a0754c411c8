"""Domain fields: one JSON Schema declaration and the typed columns that follow from it.

A field set is a JSON Schema (draft 2020-12) of ``type: object``. Its properties carry, beside the
schema keywords, these annotations:

=============== ======================================================================
``title``       English label; ``title_zh`` is the Chinese one
``description`` what the field means, and its source
``unit``        unit of a number: ``month``, ``GB``, ``USD/month``, ``1`` for a pure number
``pii``         ``none`` (default), ``quasi`` (birth date, postcode), ``direct``, ``secret``
``index``       true: searched or joined on, so the store keeps an index
``currency``    ISO 4217 code that fixes the currency of a money field
``timeless``    true: holds for all time (birth date, opened_on); see design D3
``known``       ``outcome``: known only after the outcome; features never see it (D13)
``stricter``    of a boolean: the value that survives a merge whichever side has it; false for a
                consent, true for "do not contact"
``not_before``  of a date or instant: the field of the same set and type that it may not precede
``past``        true: a day or instant that has come when it is stored (birth date)
=============== ======================================================================

The type of a field is read from its schema: ``string`` (with ``format`` ``date``, ``date-time`` or
``money``), ``integer``, ``number``, ``boolean``, and ``array`` of strings. The bounds of a money field
(``minimum`` and the like) are in major units. A ``format`` that JSON Schema does not have names a shape
of text (:mod:`crmkit.entities.text_formats`) or a standard's number, as ``cn.ric`` or ``iban``: a text
that does not fit is refused, any other is kept in its standard form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from attrs import field, frozen

from .field_types import FieldType
from .standard_numbers import SCHEMA_FORMATS
from .text_formats import TEXT_FORMATS

NAME = re.compile(r"[a-z][a-z0-9_]*")
PII_CLASSES = ("none", "quasi", "direct", "secret")
HIDDEN_PII = ("direct", "secret")
ANNOTATIONS = frozenset(
    "title title_zh description unit pii index currency timeless known stricter not_before past default "
    "examples".split()
)
KEYWORDS = frozenset(
    "type format enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf "
    "minLength maxLength pattern items minItems maxItems uniqueItems".split()
)
# A declaration is whole in itself: what it means must not hang on another document, least of all on
# one that is fetched while values are checked. ``$schema`` is one too unless it names our dialect.
REFERENCES = frozenset("$ref $dynamicRef $recursiveRef".split())
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Keywords whose values are data and hold no schema, and those whose values are schemas by name.
_DATA = frozenset("enum const default examples".split())
_BY_NAME = frozenset("properties patternProperties $defs definitions dependentSchemas".split())
# Beyond this the check of the schema's size has its say.
_MOST_NODES = 20_000


@frozen
class Column:
    """One stored column of a field: a money field without fixed currency has two."""

    name: str
    type: FieldType
    field: str


@frozen
class Field:
    """One domain field of a customer, a record type or an interaction's payload."""

    name: str
    type: FieldType
    schema: Mapping[str, Any] = field(repr=False, hash=False)
    required: bool = False

    @property
    def title(self) -> str:
        """English label; the name with blanks where the declaration has none."""
        return str(self.schema.get("title", self.name.replace("_", " ")))

    @property
    def title_zh(self) -> str:
        """Chinese label, or the English one."""
        return str(self.schema.get("title_zh", self.title))

    @property
    def description(self) -> str:
        """What the field means, with its source; may be empty."""
        return str(self.schema.get("description", ""))

    @property
    def unit(self) -> str | None:
        """Unit of a number, ``1`` for a pure number, None for what has none."""
        unit = self.schema.get("unit")
        return None if unit is None else str(unit)

    @property
    def pii(self) -> str:
        """``none``, ``quasi``, ``direct`` or ``secret``."""
        return str(self.schema.get("pii", "none"))

    @property
    def indexed(self) -> bool:
        """Whether the store keeps an index on it."""
        return bool(self.schema.get("index", False))

    @property
    def timeless(self) -> bool:
        """Whether the value holds for all time (design D3)."""
        return bool(self.schema.get("timeless", False))

    @property
    def outcome_only(self) -> bool:
        """Whether the value is known only after the outcome, so that no feature may use it."""
        return self.schema.get("known") == "outcome"

    @property
    def stricter(self) -> bool | None:
        """The value that survives a merge whichever side has it, or None."""
        return self.schema.get("stricter")

    @property
    def currency(self) -> str | None:
        """The fixed currency of a money field, or None."""
        return self.schema.get("currency")

    @property
    def text_format(self) -> str | None:
        """The shape of a text field or the standard that its numbers follow, or None."""
        name = self.schema.get("format")
        own = isinstance(name, str) and name not in SCHEMA_FORMATS
        return name if own and self.type is FieldType.TEXT else None

    @property
    def standard_number(self) -> str | None:
        """The standard that a number in a text field follows, as ``cn.ric``, or None."""
        name = self.text_format
        return None if name in TEXT_FORMATS else name

    @property
    def not_before(self) -> str | None:
        """The field that this day or instant may not precede, or None."""
        return self.schema.get("not_before")

    @property
    def past(self) -> bool:
        """Whether the day or instant has come when it is stored."""
        return bool(self.schema.get("past", False))

    @property
    def choices(self) -> tuple[Any, ...] | None:
        """The allowed values of a choice, in declared order, or None."""
        found = self.schema.get("enum")
        return None if found is None else tuple(found)

    @property
    def in_warehouse(self) -> bool:
        """Direct identifiers and secrets never leave the store (design D17)."""
        return self.pii not in HIDDEN_PII

    @property
    def columns(self) -> tuple[Column, ...]:
        """The stored columns: money is ``<name>_minor`` and, unless fixed, ``<name>_currency``."""
        if self.type is not FieldType.MONEY:
            return (Column(self.name, self.type, self.name),)
        minor = Column(f"{self.name}_minor", FieldType.INTEGER, self.name)
        if self.currency:
            return (minor,)
        return (minor, Column(f"{self.name}_currency", FieldType.TEXT, self.name))


_MOMENTS = (FieldType.DATE, FieldType.INSTANT)
_BY_FORMAT = {"date": FieldType.DATE, "date-time": FieldType.INSTANT, "money": FieldType.MONEY}
_BY_TYPE = {
    "integer": FieldType.INTEGER,
    "number": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
    "array": FieldType.LIST,
}


def field_type(schema: Mapping[str, Any]) -> FieldType | None:
    """The field type that a property's schema says, or None if crmkit has no column for it."""
    kind = schema.get("type")
    if kind is None and "enum" in schema:
        kind = "string" if all(isinstance(v, str) for v in schema["enum"]) else None
    if kind == "string":
        return _BY_FORMAT.get(schema.get("format", ""), FieldType.TEXT)
    if kind == "array" and schema.get("items", {}).get("type") != "string":
        return None
    return _BY_TYPE.get(kind) if isinstance(kind, str) else None


@frozen
class FieldSet:
    """The fields of one declaration, in declared order, with the schema they came from."""

    schema: Mapping[str, Any] = field(repr=False, hash=False, eq=True)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Every field with a column type; :meth:`faults` names the others."""
        required = set(self.schema.get("required", ()))
        found = []
        for name, schema in self.schema.get("properties", {}).items():
            kind = field_type(schema)
            if kind is not None:
                found.append(Field(name, kind, schema, name in required))
        return tuple(found)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Fields by name."""
        return {f.name: f for f in self.fields}

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All stored columns in declared order."""
        return tuple(column for f in self.fields for column in f.columns)

    def faults(self) -> list[str]:
        """Every reason why this is no sound field set, one sentence each; empty when sound."""
        out: list[str] = []
        if self.schema.get("type") != "object":
            out.append("a field set is a JSON Schema of type 'object'")
        out += _reference_faults(self.schema)
        taken: dict[str, str] = {}
        for name, schema in self.schema.get("properties", {}).items():
            out += _property_faults(name, schema)
            kind = field_type(schema) if isinstance(schema, Mapping) else None
            for column in Field(name, kind, schema).columns if kind else ():
                if column.name in taken:
                    out.append(f"fields {taken[column.name]!r} and {name!r} share {column.name!r}")
                taken[column.name] = name
        out += _order_faults(self.schema.get("properties", {}))
        unknown = set(self.schema.get("required", ())) - set(self.schema.get("properties", {}))
        out += [f"required names {name!r}, which is no property" for name in sorted(unknown)]
        return out


def nested_schemas(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every JSON object in a schema that may be a schema, at any depth, with its place in words.

    The first 20,000 at most, which no sound schema has, so that one that holds itself ends too.
    """
    todo: list[tuple[str, str, Any]] = [("the schema", "", schema)]
    for _ in range(_MOST_NODES):
        if not todo:
            return
        where, last, node = todo.pop()
        if not isinstance(node, Mapping):
            todo += [(where, "", child) for child in node if _is_nested(child)]
            continue
        yield where, node
        todo += [
            (_place(where, str(word)), "" if last in _BY_NAME else str(word), child)
            for word, child in node.items()
            if _is_nested(child) and (last in _BY_NAME or word not in _DATA)
        ]


def _is_nested(node: Any) -> bool:
    return isinstance(node, (Mapping, list, tuple))


def _place(where: str, word: str) -> str:
    if where == "the schema":
        return word
    return f"field {word!r}" if where == "properties" else f"{where}.{word}"


def _reference_faults(schema: Mapping[str, Any]) -> Iterator[str]:
    for where, node in _open_parts(schema):
        words = [word for word in node if word in REFERENCES]
        words += ["$id"] if "$id" in node and where != "the schema" else []
        if str(node.get("$schema", DIALECT)).rstrip("#") != DIALECT:
            words.append(f"$schema {node['$schema']!r:.80}")
        # They would judge declared fields by their names, and no other field can be given.
        words += ["patternProperties"] if "patternProperties" in node else []
        yield from (f"{where} uses {word}, which declarations may not" for word in words)


def _open_parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The nested schemas that may hold any keyword.

    A field's own keywords are all known, so of hundreds of fields at each start few are walked.
    """
    yield from nested_schemas({word: v for word, v in schema.items() if word != "properties"})
    for name, field_schema in schema.get("properties", {}).items():
        if not isinstance(field_schema, Mapping):
            continue
        if not REFERENCES.isdisjoint(field_schema) or "items" in field_schema:
            for where, node in nested_schemas(field_schema):
                place = where.removeprefix("the schema")
                yield f"field {name!r}{'.' if place else ''}{place}", node


def _order_faults(properties: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in properties.items():
        earlier = schema.get("not_before") if isinstance(schema, Mapping) else None
        if earlier is None:
            continue
        other = properties.get(earlier) if earlier != name and isinstance(earlier, str) else None
        kind = field_type(schema)
        if kind not in _MOMENTS or not isinstance(other, Mapping) or field_type(other) is not kind:
            yield (
                f"field {name!r}: not_before {earlier!r} is not another field of its type, which is "
                "date or date-time"
            )


def _property_faults(name: str, schema: Any) -> list[str]:
    if not NAME.fullmatch(name):
        return [f"field name {name!r} does not match {NAME.pattern}"]
    if not isinstance(schema, Mapping):
        return [f"field {name!r} is not a JSON object"]
    out = []
    if field_type(schema) is None:
        out.append(
            f"field {name!r} has no column type: use string (format date, date-time, money), "
            "integer, number, boolean or an array of strings"
        )
    unknown = sorted(set(schema) - ANNOTATIONS - KEYWORDS - REFERENCES - {"$comment"})
    out += [f"field {name!r} has the unknown keyword {word!r}" for word in unknown]
    if schema.get("pii", "none") not in PII_CLASSES:
        out.append(f"field {name!r}: pii {schema['pii']!r} is not one of {', '.join(PII_CLASSES)}")
    if "stricter" in schema and not (
        isinstance(schema["stricter"], bool) and schema.get("type") == "boolean"
    ):
        out.append(f"field {name!r}: stricter is true or false, and for a boolean only")
    if "past" in schema and not (
        isinstance(schema["past"], bool) and field_type(schema) in _MOMENTS
    ):
        out.append(f"field {name!r}: past is true or false, and for a date or date-time only")
    if schema.get("known", "outcome") != "outcome":
        out.append(f"field {name!r}: known {schema['known']!r} is not 'outcome'")
    return out
