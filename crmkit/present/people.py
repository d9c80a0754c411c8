"""Customers get their names last: ids become business keys here (design D17)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..entities.customer import Customer, CustomerRef
from ..entities.field_types import FieldType
from ..policy import Viewer, masked
from .grid import Column, Grid
from .labels import LABELS

if TYPE_CHECKING:
    from ..store.store import Store

ID = "customer_id"


def shown_refs(store: Store, ids: Iterable[int]) -> dict[int, str]:
    """How each customer is named: its first ``ref``, or ``source:ref`` where others have that ref.

    A customer without any business key is named by its id.
    """
    wanted = list(ids)
    first = {i: keys[0] for i, keys in store.customers.refs(wanted).items() if keys}
    shared = _shared(store, {ref.ref for ref in first.values()})
    return {i: _shown(first.get(i), i, shared) for i in wanted}


def shown_ref(store: Store, customer: Customer) -> str:
    """How one customer is named, as :func:`shown_refs` names many."""
    first = customer.refs[0] if customer.refs else None
    shared = set() if first is None else _shared(store, {first.ref})
    return _shown(first, customer.id, shared)


def _shown(ref: CustomerRef | None, customer_id: int, shared: set[str]) -> str:
    if ref is None:
        return str(customer_id)
    return str(ref) if ref.ref in shared else ref.ref


def _shared(store: Store, refs: set[str]) -> set[str]:
    """Those refs that several customers have, each in another source."""
    # Lazy: this module is imported by commands that may have no customer to name.
    from ..store.prepared import rows_where

    holders: dict[str, set[int]] = {}
    with store.read() as connection:
        names = ("ref", "customer_id")
        for row in rows_where(connection, store.tables["customer_ref"], "ref", refs, names=names):
            holders.setdefault(row["ref"], set()).add(row["customer_id"])
    return {ref for ref, customers in holders.items() if len(customers) > 1}


def name_customers(grid: Grid, store: Store, viewer: Viewer) -> Grid:
    """The grid with ``customer_id`` replaced by ``ref`` and ``name``.

    Both columns are always there, so that the columns of a result never depend on its rows.

    Args:
        grid: a result; returned as it is if it has no column ``customer_id``.
        store: where keys and names are.
        viewer: whose rights decide on names.

    Rows of customers whom the store's viewer may not learn of are left out.
    """
    if ID not in grid.names:
        return grid
    place = grid.names.index(ID)
    hidden = store.privacy.hidden_customers()
    rows = [
        row
        for row in grid.rows()
        if not hidden or row[place] is None or int(row[place]) not in hidden
    ]
    ids = sorted({int(row[place]) for row in rows if row[place] is not None})
    refs, names = shown_refs(store, ids), store.customers.names(ids)
    with_names = "name" not in grid.names

    def cells(value: object) -> list[str | None]:
        customer = None if value is None else int(str(value))
        out = [None if customer is None else refs[customer]]
        if with_names:
            out.append(masked(names.get(customer) if customer else None, "direct", viewer))
        return out

    named = [(*row[:place], *cells(row[place]), *row[place + 1 :]) for row in rows]
    added = [person_column(key) for key in (("ref", "name") if with_names else ("ref",))]
    return Grid((*grid.columns[:place], *added, *grid.columns[place + 1 :]), named)


def person_column(key: str) -> Column:
    """The column ``ref`` or ``name`` that stands in the place of a customer's id."""
    return Column(
        name=key, type=FieldType.TEXT, title=LABELS["en"][key], title_zh=LABELS["zh"][key]
    )
