"""Import profiles: what each row of a file feeds (design D10).

The format is described in ``docs/reference/profiles.md``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from ..entities.customer import CONTACT_KINDS
from .lookups import Lookup, LookupTable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
FORMATS = ("csv", "jsonl", "xlsx", "parquet", "sql")
MODES = ("upsert", "full")
# What a missing cell does to what is stored.
BLANKS = ("keep", "clear")
CONTACTS = CONTACT_KINDS
OPERATORS = ("equals", "not_equals", "in", "not_in", "filled", "empty")
SPEC_KEYS = frozenset(
    "column value join sep map date first_year currency split null decimal thousands time_zone default "
    "part factor other lookup take blank".split()
)


@frozen(kw_only=True)
class Spec:
    """Where one value comes from: columns (joined by ``sep``) or a constant, and how it is read.

    ``map`` is source text to value; ``null``, ``decimal``, ``thousands``, ``time_zone`` and
    ``currency`` are None where the source's hold. ``part`` is the number of the piece of a cell cut
    at ``split`` (blanks if None), from 1, or from -1 at its end; ``factor`` multiplies a number;
    ``lookup`` is the table in which the columns' texts are looked up; ``other`` is what texts become
    that ``map`` or ``lookup`` does not hold (None: they are faults). ``currency_column`` names the
    column that holds an amount's currency. ``blank`` is one of BLANKS, or None where the source's
    holds.
    """

    columns: tuple[str, ...] = ()
    sep: str = " "
    value: Any = None
    map: Mapping[str, Any] | None = field(default=None, hash=False)
    date: str | None = None
    first_year: int | None = None
    currency: str | None = None
    currency_column: str | None = None
    split: str | None = None
    part: int | None = None
    factor: Decimal | None = None
    lookup: Lookup | None = None
    other: Any = None
    null: frozenset[str] | None = None
    decimal: str | None = None
    thousands: str | None = None
    time_zone: str | None = None
    default: Any = None
    blank: str | None = None
    also: tuple[Spec, ...] = ()

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
    def specs(self) -> Iterator[Spec]:
        """Where each of its fields gets its values."""
        for spec in self.fields.values():
            yield from (spec, *spec.also)

    @property
    def used(self) -> tuple[str, ...]:
        """Columns that decide what this emit writes, each once, in a stable order."""
        found: list[str] = list(self.key.columns) if self.key else []
        found += [c.column for c in self.when]
        envelope = (self.effective, self.occurred_at, self.channel, self.direction, self.actor)
        for spec in (*envelope, self.amount, *self.specs):
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
    skip_lines: int = 0
    header_row: int | None = None
    url: str | None = None
    query: str | None = None
    multiline: bool = False
    guarded: bool = False
    mode: str = "upsert"
    blank: str = "keep"
    key: tuple[str, ...] = ()
    effective: Spec | None = None
    last_wins: bool = False
    null: frozenset[str] = frozenset({""})
    strip: bool = True
    decimal: str = "."
    thousands: str | None = None
    date: str | None = None
    first_year: int | None = None
    time_zone: str | None = None
    currency: str | None = None
    optional: frozenset[str] = frozenset()

    @property
    def skipped(self) -> int:
        """How many lines, or rows of a sheet, stand above the header."""
        return self.skip_lines if self.header_row is None else self.header_row - 1


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
    tables: Mapping[str, LookupTable] = field(factory=dict, hash=False)

    @property
    def hash(self) -> str:
        """SHA-256 of the text and its tables: an import is resumed only with the same profile."""
        digest = hashlib.sha256(self.text.encode())
        for name in sorted(self.tables):
            digest.update(f"\0{name}\0{self.tables[name].hash}".encode())
        return digest.hexdigest()

    @property
    def used(self) -> tuple[str, ...]:
        """Every column that the profile reads."""
        found = list(self.source.key)
        if self.source.effective:
            found += self.source.effective.used
        for emit in self.emits:
            found += emit.used
        return tuple(dict.fromkeys(found))
