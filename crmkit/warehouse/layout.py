"""The tables of the warehouse and their typed columns, as they follow from the catalog.

Money is ``<field>_minor`` in whole minor units (with ``<field>_currency`` unless fixed), instants
are UTC without zone, lists are ``VARCHAR[]``. Fields of PII class direct or secret have no column
here at all, nor have names, contacts and references (design D17). A column ending in ``_on`` is a
date in the workspace's time zone, so that no query converts zones (D1).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from ..declarations import CUSTOMER, CostDriver, sql_name
from ..entities.field_types import FieldType
from ..entities.fields import FieldSet
from ..entities.money import MONEY_CONTEXT, exponent
from ..errors import DeclarationError
from .engine import quoted, quoted_text

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog

SQL_TYPES: Mapping[FieldType, str] = {
    FieldType.TEXT: "VARCHAR",
    FieldType.INTEGER: "BIGINT",
    FieldType.NUMBER: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.INSTANT: "TIMESTAMP",
    FieldType.MONEY: "BIGINT",
    FieldType.LIST: "VARCHAR[]",
}

# One row per interaction and cost driver; made of the tables of the interaction kinds.
ACTIVITY_COST = "activity_cost"
REVENUE = "revenue"
# Costs are added up in millionths of a minor unit, so that a hundredth of a cent a message counts.
MILLIONTHS = 1_000_000
# How the column of an amount's currency ends.
CURRENCY = "_currency"
# ISO 4217 for no currency.
NO_CURRENCY = "XXX"


class Shape(enum.Enum):
    """How the rows of a table relate to time."""

    CUSTOMER = "customer"  # versions of a customer's own columns
    CUSTOMER_FIELDS = "customer_fields"  # versions of a plugin's fields of a customer
    RECORD = "record"  # versions of a record
    FACT = "fact"  # append-only, with revisions
    STAGE_CHANGE = "stage_change"  # append-only
    OUTCOME = "outcome"  # results of runs, kept under runs/ and not in the snapshot

    @property
    def versioned(self) -> bool:
        """Whether rows are versions with ``valid_from``."""
        return self in (Shape.CUSTOMER, Shape.CUSTOMER_FIELDS, Shape.RECORD)


@frozen
class WarehouseColumn:
    """One column: ``type`` is DuckDB's name of it.

    ``timeless`` holds for all time (D3); ``outcome_only`` is hidden from feature SQL (D13);
    ``currency`` is that of an amount whose declaration fixes it.
    """

    name: str
    type: str
    timeless: bool = False
    outcome_only: bool = False
    currency: str | None = None


def _columns(text: str) -> tuple[WarehouseColumn, ...]:
    pairs = (part.split() for part in text.split(","))
    return tuple(WarehouseColumn(name, kind) for name, kind in pairs)


# What stands in the Parquet files beside the declared fields. `kind_` keeps the kind of a fact
# without taking the name `kind` from payloads.
VERSION_COLUMNS = _columns(
    "id BIGINT, version BIGINT, valid_from TIMESTAMP, valid_on DATE, tx BIGINT"
)
CUSTOMER_COLUMNS = _columns(
    "kind VARCHAR, locale VARCHAR, time_zone VARCHAR, region VARCHAR, owner VARCHAR, team VARCHAR, "
    "created_at TIMESTAMP, created_on DATE, merged_into BIGINT"
)
FACT_COLUMNS = _columns(
    "id BIGINT, fact_id BIGINT, revision BIGINT, kind_ VARCHAR, customer_id BIGINT, "
    "occurred_at TIMESTAMP, occurred_on DATE, channel VARCHAR, direction VARCHAR, actor VARCHAR, "
    "source VARCHAR, amount_minor BIGINT, currency VARCHAR, record_type VARCHAR, "
    "record_id BIGINT, tx BIGINT"
)
STAGE_COLUMNS = _columns(
    "id BIGINT, lifecycle VARCHAR, subject_type VARCHAR, record_id BIGINT, from_stage VARCHAR, "
    "to_stage VARCHAR, at TIMESTAMP, changed_on DATE, rule VARCHAR, tx BIGINT"
)
OUTCOME_COLUMNS = _columns(
    "name VARCHAR, subject_type VARCHAR, subject_id BIGINT, kind VARCHAR, as_of TIMESTAMP, "
    "as_of_on DATE, run VARCHAR, value DOUBLE, band BIGINT, reasons VARCHAR, model_version VARCHAR"
)
DOCUMENT_COLUMNS = _columns(
    "type VARCHAR, expires_on DATE, record_type VARCHAR, record_id BIGINT, removed BOOLEAN"
)
ASSIGNMENT_COLUMNS = _columns(
    "line VARCHAR, from_agent VARCHAR, to_agent VARCHAR, rule VARCHAR, orphaned BOOLEAN, "
    "assigned_on DATE"
)
OWNER = WarehouseColumn("owner_id", "BIGINT")
# Columns that every visible row has; a declared field may not take their names.
ROW_COLUMNS = ("subject_id", "as_of", "as_of_on", "days_before", "days_after", "customer_id")


@frozen(kw_only=True)
class WarehouseTable:
    """One table.

    Attributes:
        name: in analysis SQL and as a folder of the snapshot.
        entity: public name: ``customer``, ``telecom.customer``, ``telecom.bill``.
        shape: how its rows relate to time.
        store: the store's table; a history table ``<store>_history`` stands beside versioned ones.
        envelope: columns of every table of this shape.
        fields: columns of declared fields.
        owner: of a record type: ``customer``, a record type or None.
        about: of an interaction kind: the record type that it is declared about, or None.
        filled: envelope columns that the payload fills where the fact itself has no value.
        history: of versioned tables: whether earlier versions are kept; rows of others never change.
    """

    name: str
    entity: str
    shape: Shape
    store: str
    envelope: tuple[WarehouseColumn, ...] = field(repr=False)
    fields: tuple[WarehouseColumn, ...] = field(default=(), repr=False)
    owner: str | None = None
    about: str | None = None
    filled: frozenset[str] = frozenset()
    history: bool = True

    @property
    def columns(self) -> tuple[WarehouseColumn, ...]:
        """Envelope and fields, in the order of the files."""
        return self.envelope + self.fields

    @cached_property
    def types(self) -> dict[str, str]:
        """Column types by name."""
        return {column.name: column.type for column in self.columns}

    @cached_property
    def amounts(self) -> dict[str, str]:
        """Columns of amounts in minor units → the currency of each, as an expression over them."""
        fixed = {c.name: quoted_text(c.currency) for c in self.columns if c.currency is not None}
        beside = {
            f"{c.removesuffix(CURRENCY)}_minor": quoted(c)
            for c in self.types
            if c.endswith(CURRENCY)
        }
        if "currency" in self.types:
            beside["amount_minor"] = "currency"
        return {name: code for name, code in (fixed | beside).items() if name in self.types}

    @property
    def has_timeless(self) -> bool:
        """Whether a row says anything before its first version."""
        return any(column.timeless for column in self.fields)


@frozen
class ActivityCost:
    """A cost driver, as numbers.

    Attributes:
        scale: millionths of a minor unit in one unit of cost and quantity.
        rate: the declared cost times scale, or None.
    """

    driver: CostDriver
    scale: int
    rate: int | None

    @classmethod
    def of(cls, driver: CostDriver, currency: str) -> ActivityCost:
        """Of a share of an amount, which is in minor units already, the currency does not matter."""
        digits = 0 if driver.per == "amount" else exponent(currency)
        scale = MILLIONTHS * 10**digits
        rate = None
        if driver.cost is not None:
            exact = MONEY_CONTEXT.multiply(Decimal(driver.cost), Decimal(scale))
            rate = int(exact.to_integral_value(context=MONEY_CONTEXT))
        return cls(driver, scale, rate)


@frozen
class Revenue:
    """What brings revenue.

    Attributes:
        entity: interaction kind or record type.
        amounts: columns in minor units, added up.
        refund: whether they are taken from the revenue.
        on: the column with the day; None is the day on which an interaction occurred.
    """

    entity: str
    amounts: tuple[str, ...]
    refund: bool = False
    on: str | None = None


@frozen
class Layout:
    """Every table that the enabled plugins give rise to, by name in analysis SQL.

    Attributes:
        currency: of the workspace.
        revenues: what the table ``revenue`` has rows of.
    """

    tables: Mapping[str, WarehouseTable]
    costs: tuple[ActivityCost, ...] = ()
    currency: str = NO_CURRENCY
    revenues: tuple[Revenue, ...] = ()

    @classmethod
    def of(cls, catalog: Catalog, currency: str = NO_CURRENCY) -> Layout:
        """The layout of a catalog.

        Args:
            currency: of the workspace, in which costs are declared.

        Raises:
            DeclarationError: if a declared field takes the name of an envelope column.
        """
        tables = [
            CUSTOMER_TABLE, STAGE_CHANGE_TABLE, OUTCOME_TABLE, DOCUMENT_TABLE, ASSIGNMENT_TABLE,
        ]  # fmt: skip
        for plugin, declared in catalog.customer_fields.items():
            tables.append(
                _table(plugin, f"{plugin}.customer", Shape.CUSTOMER_FIELDS, declared.fields)
            )
        for name, record in catalog.record_types.items():
            tables.append(
                _table(catalog.owner(name), name, Shape.RECORD, record.fields, owner=record.owner)
            )
        for name, kind in catalog.interaction_kinds.items():
            tables.append(
                _table(catalog.owner(name), name, Shape.FACT, kind.fields, about=kind.subject)
            )
        drivers = (*catalog.cost_drivers.values(), *catalog.cost_drivers_of_kinds.values())
        costs = tuple(ActivityCost.of(driver, currency) for driver in drivers)
        return cls({table.name: table for table in tables}, costs, currency, _revenues(catalog))

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that analysis SQL may use; some have no files of their own."""
        return frozenset(self.tables) | {"population", INTERACTION.name, ACTIVITY_COST, REVENUE}

    @property
    def facts(self) -> dict[str, WarehouseTable]:
        """Fact tables by interaction kind."""
        return {t.entity: t for t in self.tables.values() if t.shape is Shape.FACT}

    def record(self, entity: str) -> WarehouseTable:
        """The table of a record type.

        Raises:
            KeyError: if there is none.
        """
        return self.tables[sql_name(entity)]


# Kinds whose amount is revenue by their name alone, so that nobody has to declare the usual.
_PURCHASES = frozenset(("order", "sale", "purchase", "bill", "invoice"))


def _revenues(catalog: Catalog) -> tuple[Revenue, ...]:
    out = []
    for name, kind in catalog.interaction_kinds.items():
        last = name.rpartition(".")[2]
        refund = kind.revenue is None and last == "refund"
        amounts = kind.revenue
        if amounts is None:
            amounts = ("amount",) if refund or last in _PURCHASES else ()
        if amounts:
            out.append(Revenue(name, tuple(f"{a}_minor" for a in amounts), refund))
    for name, record in catalog.record_types.items():
        if record.revenue:
            amounts = tuple(f"{a}_minor" for a in record.revenue)
            out.append(Revenue(name, amounts, on=record.revenue_on))
    return tuple(out)


def fact_table(
    kind: str, fields: Iterable[WarehouseColumn] = (), about: str | None = None
) -> WarehouseTable:
    """The table of an interaction kind; without fields that of a kind nobody declares any more."""
    return WarehouseTable(
        name=sql_name(kind), entity=kind, shape=Shape.FACT, store="interaction",
        envelope=FACT_COLUMNS, fields=tuple(fields), about=about,
    )  # fmt: skip


def _table(
    plugin: str, entity: str, shape: Shape, declared: FieldSet, *,
    owner: str | None = None, about: str | None = None,
) -> WarehouseTable:  # fmt: skip
    fields = _field_columns(declared)
    if shape is Shape.FACT:
        # A payload may well declare an `amount` of its own: it is then the amount of the fact.
        filled = frozenset(c.name for c in fields) & {"amount_minor", "currency"}
        fields = tuple(c for c in fields if c.name not in filled)
        made = evolve(fact_table(entity, fields, about), filled=filled)
    else:
        envelope = VERSION_COLUMNS + ((OWNER,) if owner is not None else ())
        made = WarehouseTable(
            name=sql_name(entity), entity=entity, shape=shape, store=sql_name(entity),
            envelope=envelope, fields=fields, owner=owner,
        )  # fmt: skip
    taken = {column.name for column in made.envelope} | set(ROW_COLUMNS)
    clash = sorted(taken & {column.name for column in fields})
    if clash:
        raise DeclarationError(
            plugin,
            [f"{entity}: the name {name!r} is taken by crmkit's own column" for name in clash],
        )
    return made


def _field_columns(declared: FieldSet) -> tuple[WarehouseColumn, ...]:
    return tuple(
        WarehouseColumn(
            column.name,
            SQL_TYPES[column.type],
            found.timeless,
            found.outcome_only,
            found.currency if column.type is FieldType.MONEY else None,
        )
        for found in declared.fields
        if found.in_warehouse
        for column in found.columns
    )


# Every kind together, without payload: no files of its own.
INTERACTION = fact_table("interaction")
CUSTOMER_TABLE = WarehouseTable(
    name=CUSTOMER, entity=CUSTOMER, shape=Shape.CUSTOMER, store="customer",
    envelope=VERSION_COLUMNS, fields=CUSTOMER_COLUMNS,
)  # fmt: skip
STAGE_CHANGE_TABLE = WarehouseTable(
    name="stage_change", entity="stage_change", shape=Shape.STAGE_CHANGE, store="stage_change",
    envelope=STAGE_COLUMNS,
)  # fmt: skip
OUTCOME_TABLE = WarehouseTable(
    name="outcome", entity="outcome", shape=Shape.OUTCOME, store="outcome",
    envelope=OUTCOME_COLUMNS,
)  # fmt: skip
# Names of files stay in the store, as all names do (D17).
DOCUMENT_TABLE = WarehouseTable(
    name="document", entity="document", shape=Shape.RECORD, store="document",
    envelope=(*VERSION_COLUMNS, OWNER), fields=DOCUMENT_COLUMNS, owner=CUSTOMER,
)  # fmt: skip
ASSIGNMENT_TABLE = WarehouseTable(
    name="assignment", entity="assignment", shape=Shape.RECORD, store="assignment",
    envelope=(*VERSION_COLUMNS, OWNER), fields=ASSIGNMENT_COLUMNS, owner=CUSTOMER, history=False,
)  # fmt: skip
