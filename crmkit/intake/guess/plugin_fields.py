"""Columns to the fields that plugins declare, by the fields' own names and titles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ...declarations import CUSTOMER
from ...entities.field_types import FieldType
from ...entities.fields import Field, FieldSet
from ...entities.money import exponent
from .columns import AMBIGUOUS, Column, amount_of, readings_of, spec_of
from .core_fields import Fed
from .headers import SAME, likeness, squeezed, words_of

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog

# Fewer fields in common are chance: every second file has a "status" and a "type".
LEAST_IN_COMMON = 3
# But two that have the very names of the fields are not, nor is one whose name no other type has and
# whose values only such a field has.
LEAST_SAME = 2
_TELLING = (FieldType.BOOLEAN, FieldType.DATE, FieldType.INSTANT, FieldType.MONEY)


@frozen
class Fields:
    """What is looked for: a plugin's fields, which of them are left out, and the workspace's currency.

    ``prefixes`` are what may stand before a field's name in a header, as ``banking.application``.
    """

    fields: FieldSet
    without: Collection[str]
    currency: str
    prefixes: tuple[str, ...] = ()


def fed_fields(columns: Iterable[Column], wanted: Fields) -> list[Fed]:
    """Which columns feed which fields, each at most once, the surest pairs first."""
    pairs = []
    for at, column in enumerate(columns):
        for field in wanted.fields.fields:
            sure = 0.0 if field.name in wanted.without else _likeness(column.name, field, wanted)
            if sure:
                pairs.append((-sure, at, field, column))
    found: dict[str, Fed] = {}
    used: set[str] = set()
    for sure, _, field, column in sorted(pairs, key=lambda p: p[:2]):
        if field.name in found or column.name in used:
            continue
        spec, decimals = _spec(column, field, wanted.currency)
        if spec is not None:
            # Of two readings that fit a person has to say which.
            doubt = _typed(field) and readings_of(column, decimals)[1]
            found[field.name] = Fed(
                field.name, spec, (column.name,), AMBIGUOUS if doubt else -sure, decimals
            )
            used.add(column.name)
    return list(found.values())


def _likeness(header: str, field: Field, wanted: Fields) -> float:
    name = squeezed(header)
    if any(name == squeezed(f"{prefix} {field.name}") for prefix in wanted.prefixes):
        return SAME
    return likeness(header, field)


def _typed(field: Field) -> bool:
    return field.type not in (FieldType.TEXT, FieldType.LIST, FieldType.BOOLEAN)


def _spec(column: Column, field: Field, currency: str) -> tuple[Any, int | None]:
    """How the column feeds the field, and the most decimals that the field's values have."""
    spec = spec_of(column, field)
    if spec is None or field.type is not FieldType.MONEY:
        return spec, 0 if field.type is FieldType.INTEGER else None
    said = column.currency
    if field.currency and said not in (None, field.currency):
        return None, None
    found = amount_of(column, None if field.currency else said, field.currency or currency)
    decimals = exponent(field.currency or said or currency)
    return column.name if len(found) == 1 else found, decimals


def best_record(
    catalog: Catalog, plugins: Collection[str], columns: Sequence[Column],
    without: Collection[str], currency: str,
) -> tuple[str, list[Fed]] | None:  # fmt: skip
    """The customer's record type with most fields in the file, if it has enough; and those fields."""
    types = {
        name: declared.fields
        for name, declared in catalog.record_types.items()
        if catalog.owner(name) in plugins and declared.owner == CUSTOMER
    }
    return _best(types, columns, without, currency)


def best_kind(
    catalog: Catalog, plugins: Collection[str], columns: Sequence[Column],
    without: Collection[str], currency: str,
) -> tuple[str, list[Fed]] | None:  # fmt: skip
    """The plugins' interaction kind with most fields in the file, if it has enough."""
    kinds = {
        name: declared.fields
        for name, declared in catalog.interaction_kinds.items()
        if not name.startswith("core.") and catalog.owner(name) in plugins
    }
    return _best(kinds, columns, without, currency, telling=False)


def _best(
    types: dict[str, FieldSet], columns: Sequence[Column], without: Collection[str],
    currency: str, *, telling: bool = True,
) -> tuple[str, list[Fed]] | None:  # fmt: skip
    """The type with most fields; none where fewer than LEAST_IN_COMMON fit several types alike."""
    owners = Counter(f.name for fields in types.values() for f in fields.fields)
    ranked: list[tuple[int, int, str, list[Fed]]] = []
    for name, fields in types.items():
        prefixes = (name, name.rpartition(".")[2])
        fed = fed_fields(columns, Fields(fields, without, currency, prefixes))
        if _lacking(fields, fed):
            continue
        same = [f for f in fed if _has_name(f, prefixes)]
        enough = len(fed) >= LEAST_IN_COMMON or (
            telling
            and (len(same) >= LEAST_SAME or any(_tells(f, fields, owners, prefixes) for f in same))
        )
        if enough:
            ranked.append((len(fed), len(same), name, fed))
    if not ranked:
        return None
    best = max(ranked, key=lambda r: r[:2])
    alike = [r for r in ranked if r[:2] == best[:2]]
    if len(alike) > 1 and best[0] < LEAST_IN_COMMON:
        return None
    return best[2], best[3]


def _has_name(fed: Fed, prefixes: tuple[str, ...]) -> bool:
    header = squeezed(fed.columns[0])
    return header in {squeezed(fed.target), *(squeezed(f"{p} {fed.target}") for p in prefixes)}


def _tells(fed: Fed, fields: FieldSet, owners: Counter[str], prefixes: tuple[str, ...]) -> bool:
    """Whether this one field says of which type the rows are."""
    field = fields.by_name[fed.target]
    if squeezed(fed.columns[0]) != squeezed(fed.target):
        # The header has the type's own name before the field's.
        return True
    telling = field.type in _TELLING or field.choices is not None
    return owners[field.name] == 1 and (telling or len(words_of(field.name)) > 1)


def _lacking(fields: FieldSet, fed: Sequence[Fed]) -> set[str]:
    return {f.name for f in fields.fields if f.required} - {f.target for f in fed}
