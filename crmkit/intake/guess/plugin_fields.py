"""Columns to the fields that plugins declare, by the fields' own names and titles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ...declarations import CUSTOMER
from ...entities.fields import Field, FieldSet, FieldType
from .columns import Column, amount_of, spec_of
from .core_fields import Fed
from .headers import likeness, words_of

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog

# Fewer fields in common are chance: every second file has a "status" and a "type".
LEAST_IN_COMMON = 3
# ISO 4217 codes that headers end with, as in ``sales_usd``.
CURRENCIES = ("usd", "eur", "gbp", "cny", "jpy", "chf", "aud", "cad", "hkd", "inr", "brl", "twd")


def currency_of(header: str) -> str | None:
    """The currency that a header names, or None."""
    found = [w for w in words_of(header) if w in CURRENCIES]
    return found[-1].upper() if found else None


def fed_fields(columns: Iterable[Column], fields: FieldSet, without: Collection[str]) -> list[Fed]:
    """Which columns feed which fields, each at most once, the surest pairs first."""
    pairs = []
    for at, column in enumerate(columns):
        for field in fields.fields:
            sure = likeness(column.name, field) if field.name not in without else 0.0
            if sure:
                pairs.append((-sure, at, field, column))
    found: dict[str, Fed] = {}
    used: set[str] = set()
    for sure, _, field, column in sorted(pairs, key=lambda p: p[:2]):
        if field.name in found or column.name in used:
            continue
        spec = _spec(column, field)
        if spec is not None:
            found[field.name] = Fed(field.name, spec, (column.name,), -sure)
            used.add(column.name)
    return list(found.values())


def _spec(column: Column, field: Field) -> object:
    spec = spec_of(column, field)
    if spec is None or field.type is not FieldType.MONEY:
        return spec
    currency = None if field.currency else currency_of(column.name)
    found = dict(amount_of(column, currency))
    return column.name if len(found) == 1 else found


def best_record(
    catalog: Catalog, plugins: Collection[str], columns: Sequence[Column], without: Collection[str]
) -> tuple[str, list[Fed]] | None:
    """The customer's record type with most fields in the file, if it has enough; and those fields."""
    best: tuple[str, list[Fed]] | None = None
    for name, declared in catalog.record_types.items():
        if catalog.owner(name) not in plugins or declared.owner != CUSTOMER:
            continue
        fed = fed_fields(columns, declared.fields, without)
        if _lacking(declared.fields, fed) or len(fed) < LEAST_IN_COMMON:
            continue
        if best is None or len(fed) > len(best[1]):
            best = name, fed
    return best


def best_kind(
    catalog: Catalog, plugins: Collection[str], columns: Sequence[Column], without: Collection[str]
) -> tuple[str, list[Fed]] | None:
    """The plugins' interaction kind with most fields in the file, if it has enough."""
    best: tuple[str, list[Fed]] | None = None
    for name, declared in catalog.interaction_kinds.items():
        if name.startswith("core.") or catalog.owner(name) not in plugins:
            continue
        fed = fed_fields(columns, declared.fields, without)
        if _lacking(declared.fields, fed) or len(fed) < LEAST_IN_COMMON:
            continue
        if best is None or len(fed) > len(best[1]):
            best = name, fed
    return best


def _lacking(fields: FieldSet, fed: Sequence[Fed]) -> set[str]:
    return {f.name for f in fields.fields if f.required} - {f.target for f in fed}
