"""What the conformance suite holds against a plugin's declarations, as lists of sentences.

Each function takes a catalog and the plugin's name, looks only at what that plugin declares, and
returns its faults, one sentence each; an empty list means that the plugin conforms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..declarations import CUSTOMER, sql_name
from ..entities.field_types import FieldType
from ..entities.fields import PII_CLASSES, FieldSet
from ..errors import SqlRefused
from ..hosting.catalog import Catalog

NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
# Tables of analysis SQL that are there whatever the plugins declare.
CORE_TABLES = (
    "customer", "interaction", "stage_change", "outcome", "population", "document", "assignment",
    "activity_cost", "revenue",
)  # fmt: skip


def owned(catalog: Catalog, kind: str, plugin: str) -> list[Any]:
    """The plugin's own declarations of one kind, as ``record_types``, by name."""
    return [
        record for name, record in getattr(catalog, kind).items() if catalog.owner(name) == plugin
    ]


def field_sets(catalog: Catalog, plugin: str) -> Iterator[tuple[str, FieldSet]]:
    """Every field set that the plugin declares, with the name of what it belongs to."""
    if plugin in catalog.customer_fields:
        yield f"{plugin}.customer", catalog.customer_fields[plugin].fields
    for kind in ("record_types", "interaction_kinds"):
        for record in owned(catalog, kind, plugin):
            yield record.name, record.fields


def unit_faults(catalog: Catalog, plugin: str) -> list[str]:
    """Numeric fields without a unit: a number whose unit must be guessed will be guessed wrong."""
    return [
        f"{name}: field {field.name!r} is a number without a unit; "
        "say 'unit', with '1' for a pure number"
        for name, fields in field_sets(catalog, plugin)
        for field in fields.fields
        if field.type in NUMERIC and not field.unit
    ]


def pii_faults(catalog: Catalog, plugin: str) -> list[str]:
    """Fields whose PII class was never decided: a default is how a name ends up in a report."""
    return [
        f"{name}: field {field.name!r} does not say its 'pii' class ({', '.join(PII_CLASSES)})"
        for name, fields in field_sets(catalog, plugin)
        for field in fields.fields
        if field.schema.get("pii") not in PII_CLASSES
    ]


def feature_unit_faults(catalog: Catalog, plugin: str) -> list[str]:
    """Number features without a unit: reasons in words are made from them."""
    return [
        f"feature {feature.name} is a number without a unit; say unit='1' for a pure number"
        for features in owned(catalog, "feature_sets", plugin)
        for feature in features.features
        if feature.type in NUMERIC and not feature.unit
    ]


def lifecycle_faults(catalog: Catalog, plugin: str) -> list[str]:
    """Lifecycles that are not sound, among them stages from which no end is reached."""
    return [
        f"lifecycle {lifecycle.name}: {fault}"
        for lifecycle in owned(catalog, "lifecycles", plugin)
        for fault in lifecycle.faults()
    ]


def sql_faults(catalog: Catalog, plugin: str) -> list[str]:
    """SQL and conditions outside the portable subset, over tables that nobody declares, or mixing currencies."""
    # Lazy: the parser is not needed to load the pytest plugin.
    from ..warehouse.mixing import mixing_faults
    from ..warehouse.portable import check_condition, check_sql

    out = []
    for label, text, tables, parameters in _statements(catalog, plugin):
        try:
            check_sql(text, tables=tables, parameters=parameters)
        except SqlRefused as error:
            out.append(f"{label}: {error.message}")
        else:
            out += [f"{label}: {fault}" for fault in mixing_faults(text)]
    for label, text in _conditions(catalog, plugin):
        try:
            check_condition(text)
        except SqlRefused as error:
            out.append(f"{label}: {error.message}")
    return out


def _statements(
    catalog: Catalog, plugin: str
) -> Iterator[tuple[str, str, frozenset[str], tuple[str, ...]]]:
    """Every SELECT as ``(label, SQL, tables it may read, parameters it may name)``."""
    facts = table_names(catalog)
    for features in owned(catalog, "feature_sets", plugin):
        yield f"feature set {features.name}", features.sql, facts, ()
    for score in owned(catalog, "scores", plugin):
        yield f"score {score.name}, population", score.population, facts, ()
        yield f"score {score.name}, target", score.target, facts, ()
        if score.moments is not None:
            yield f"score {score.name}, moments", score.moments, facts, ()
        if score.cross_section is not None:
            yield f"score {score.name}, cross_section", score.cross_section, facts, ()
    for lifecycle in owned(catalog, "lifecycles", plugin):
        if lifecycle.propose is not None:
            yield f"lifecycle {lifecycle.name}, propose", lifecycle.propose, facts | {"feature"}, ()
    for report in owned(catalog, "reports", plugin):
        parameters = tuple(p.name for p in report.parameters)
        yield f"report {report.name}", report.sql, facts | {"feature"}, parameters


def _conditions(catalog: Catalog, plugin: str) -> Iterator[tuple[str, str]]:
    """Every condition as ``(label, text)``."""
    for rule in owned(catalog, "rules", plugin):
        yield f"rule {rule.name}", rule.when
    for segment in owned(catalog, "segments", plugin):
        yield f"segment {segment.name}", segment.where


def table_names(catalog: Catalog) -> frozenset[str]:
    """The tables of analysis SQL in a workspace with these plugins."""
    domain = {f"{plugin}_{CUSTOMER}" for plugin in catalog.customer_fields}
    domain |= {sql_name(name) for name in (*catalog.record_types, *catalog.interaction_kinds)}
    return frozenset(CORE_TABLES) | domain
