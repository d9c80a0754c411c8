"""In which currencies the amounts of tables are."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..declarations import sql_name
from .layout import INTERACTION, REVENUE, Layout

if TYPE_CHECKING:
    from .session import Frame

_SUFFIX = "_currency"


def currencies_in(frame: Frame, layout: Layout, names: Collection[str]) -> list[str]:
    """The currencies of all amounts that a population sees in some tables, in order of code.

    Args:
        names: of tables in analysis SQL; others are left out.
    """
    named = {*names}
    if REVENUE in named:
        named |= {sql_name(revenue.entity) for revenue in layout.revenues}
    parts = [
        f"SELECT DISTINCT {column} AS code FROM {name}"
        for name in sorted(named)
        for column in _columns(layout, name)
    ]
    if not parts:
        return []
    union = " UNION ".join(parts)
    found = frame.query(f"SELECT code FROM ({union}) AS codes WHERE code IS NOT NULL ORDER BY code")
    return [str(code) for code in found.column("code").to_pylist()]


def _columns(layout: Layout, name: str) -> list[str]:
    """The columns of a table that hold the currency of an amount beside them."""
    table = INTERACTION if name == INTERACTION.name else layout.tables.get(name)
    types = table.types if table else {}
    found = [
        c for c in types if c.endswith(_SUFFIX) and c.removesuffix(_SUFFIX) + "_minor" in types
    ]
    return [*found, *(c for c in ("currency",) if c in types and "amount_minor" in types)]
