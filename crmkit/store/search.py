"""How values are looked for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, and_

from ..entities.field_types import FieldType
from ..entities.fields import Field
from ..entities.money import Money


def has_value(table: Table, field: Field, value: Any) -> ColumnElement[bool]:
    """Whether the field has the value; None asks for rows in which it is missing.

    Money is asked for as :class:`Money`, or as whole minor units of any currency.
    """
    columns = [table.c[c.name] for c in field.columns]
    if value is None:
        return columns[0].is_(None)
    if field.type is FieldType.MONEY and isinstance(value, Money):
        stored = [value.minor, value.currency][: len(columns)]
        return and_(*(column == part for column, part in zip(columns, stored, strict=True)))
    return and_(columns[0] == value)
