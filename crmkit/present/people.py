"""Customers get their names last: ids become business keys here (design D17)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..entities.customer import CustomerRef
from ..entities.fields import FieldType
from ..policy import Viewer, masked
from .grid import Column, Grid
from .labels import LABELS

ID = "customer_id"


class Customers(Protocol):
    """What is asked of the store's customers."""

    def refs(self, ids: Iterable[int]) -> Mapping[int, Sequence[CustomerRef]]:
        """The business keys of customers by id."""

    def names(self, ids: Iterable[int]) -> Mapping[int, str | None]:
        """The names of customers by id."""


def shown_ref(customer_id: int, refs: Sequence[CustomerRef], *, sources: int = 1) -> str:
    """How a customer is named: its ``ref``, or ``source:ref`` where several sources give keys.

    A customer without any business key is named by its id.
    """
    if not refs:
        return str(customer_id)
    return refs[0].ref if sources <= 1 else str(refs[0])


def name_customers(grid: Grid, customers: Customers, viewer: Viewer, *, names: bool = True) -> Grid:
    """The grid with ``customer_id`` replaced by ``ref`` and, where it tells something, ``name``.

    Args:
        grid: a result; returned as it is if it has no column ``customer_id``.
        customers: the store's customers.
        viewer: whose rights decide on names.
        names: false leaves the names out.
    """
    if ID not in grid.names:
        return grid
    place = grid.names.index(ID)
    rows = [list(row) for row in grid.rows()]
    ids = sorted({int(row[place]) for row in rows if row[place] is not None})
    refs = customers.refs(ids)
    found = customers.names(ids) if names else {}
    sources = len({ref.source for keys in refs.values() for ref in keys[:1]})
    with_names = any(value is not None for value in found.values())
    out = []
    for row in rows:
        customer = None if row[place] is None else int(row[place])
        ref = (
            None
            if customer is None
            else shown_ref(customer, refs.get(customer, ()), sources=sources)
        )
        cells = [ref]
        if with_names:
            cells.append(masked(found.get(customer) if customer else None, "direct", viewer))
        out.append(tuple([*row[:place], *cells, *row[place + 1 :]]))
    added = [_column("ref")] + ([_column("name")] if with_names else [])
    columns = (*grid.columns[:place], *added, *grid.columns[place + 1 :])
    return Grid(columns, out)


def _column(key: str) -> Column:
    return Column(
        name=key, type=FieldType.TEXT, title=LABELS["en"][key], title_zh=LABELS["zh"][key]
    )


def named_row(row: Mapping[str, Any], ref: str) -> dict[str, Any]:
    """One row as a dictionary with ``ref`` in the place of ``customer_id``."""
    return {("ref" if key == ID else key): (ref if key == ID else v) for key, v in row.items()}
