"""Since when a customer exists: from the first that is known of them (design D3).

A customer who was imported without an effective date has a first version that begins at the import,
while the calls and purchases imported with them are older. Such a customer gets a row of version 0
that begins at the oldest of these: at a date between the two, they are there, and nothing but their
kind is known of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..declarations import CUSTOMER
from .engine import quoted, quoted_text
from .layout import CUSTOMER_TABLE, Layout, Shape, WarehouseTable
from .shaping import local_date

# Where these rows are kept: files beside those of the customers, whose table they are read with.
TABLE = "customer_before"
BEFORE = 0
# The version's own columns, as expressions over `f` (the first version) and `k` (what is known).
_ROW = {
    "id": "f.id",
    "version": str(BEFORE),
    "valid_from": "k.at",
    "kind": "f.kind",
}


# Each merged customer and the one that remains at the end of its chain.
_MERGED = (
    "v AS (SELECT id, merged_into, row_number() OVER (PARTITION BY id ORDER BY version DESC) AS place "
    "FROM {customers}), "
    "gone AS (SELECT id, merged_into FROM v WHERE place = 1 AND merged_into IS NOT NULL), "
    "chain AS (SELECT id, merged_into AS survivor FROM gone UNION "
    "SELECT c.id, g.merged_into FROM chain c JOIN gone g ON g.id = c.survivor), "
    "m AS (SELECT id, survivor FROM chain WHERE survivor NOT IN (SELECT id FROM gone))"
)
_NONE_MERGED = (
    "m AS (SELECT CAST(NULL AS BIGINT) AS id, CAST(NULL AS BIGINT) AS survivor WHERE false)"
)


def owned_by_customers(layout: Layout) -> list[WarehouseTable]:
    """The record types whose owner is a customer, which therefore exists while a record does."""
    tables = layout.tables.values()
    return [t for t in tables if t.shape is Shape.RECORD and t.owner == CUSTOMER and t.history]


def version_zero_sql(
    customers: Sequence[Path], facts: Sequence[Path], records: Sequence[Path], time_zone: str, *,
    merged: bool,
) -> str:  # fmt: skip
    """A SELECT of the rows of version 0, with the columns of the customer's files.

    Customers that have such a row already get another only where something older has come.

    Args:
        customers: all files of the customers.
        merged: whether some customer was merged into another: what is known of it is then known of
            the one that remains.
        facts, records: the files in which something older than them may stand.
        time_zone: IANA zone in which days begin and end.
    """
    known = [
        f"SELECT {owner} AS id, min({at}) AS at FROM {_files(paths)} WHERE {owner} IS NOT NULL "
        f"GROUP BY {owner}"
        for paths, owner, at in (
            (facts, "customer_id", "occurred_at"), (records, "owner_id", "valid_from"),
        )
        if paths
    ]  # fmt: skip
    if merged:
        known.append(f"SELECT id, min(valid_from) AS at FROM {_files(customers)} GROUP BY id")
    derived = {**_ROW, "valid_on": local_date("k.at", time_zone)}
    listed = ", ".join(
        f"CAST({derived.get(c.name, 'NULL')} AS {c.type}) AS {quoted(c.name)}"
        for c in CUSTOMER_TABLE.columns
    )
    into = _MERGED.format(customers=_files(customers)) if merged else _NONE_MERGED
    return (
        f"WITH RECURSIVE {into}, "
        f"s AS ({' UNION ALL '.join(known)}), "
        "k AS (SELECT coalesce(m.survivor, s.id) AS id, min(s.at) AS at FROM s "
        "LEFT JOIN m ON m.id = s.id GROUP BY 1), "
        "f AS (SELECT id, min(valid_from) AS valid_from, arg_min(kind, version) AS kind "
        f"FROM {_files(customers)} WHERE id IN (SELECT id FROM k) GROUP BY id) "
        f"SELECT {listed} FROM f JOIN k ON k.id = f.id WHERE k.at < f.valid_from"
    )


def stored_version_zero(
    layout: Layout, customer_id: int, family: Iterable[int], types: Iterable[str]
) -> str:
    """The same of one customer, as a query of the store.

    Args:
        family: customers that were merged into it.
        types: the raw columns of a customer, in their order.
    """
    mine = "(" + ", ".join(str(i) for i in (customer_id, *family)) + ")"
    known = [
        f"SELECT min(occurred_at) AS at FROM interaction WHERE customer_id IN {mine}",
        *(
            f'SELECT min(valid_from) FROM "{source}" WHERE owner_id IN {mine}'
            for table in owned_by_customers(layout)
            for source in (table.store, f"{table.store}_history")
        ),
        *(
            f"SELECT min(valid_from) FROM {source} WHERE id IN {mine}"
            for source in ("customer", "customer_history")
        ),
    ]
    own = " UNION ALL ".join(
        f"SELECT valid_from FROM {source} WHERE id = {customer_id}"
        for source in ("customer", "customer_history")
    )
    listed = ", ".join(f"{_ROW.get(name, 'NULL')} AS {quoted(name)}" for name in types)
    return (
        f"SELECT {listed} FROM customer f "
        f"JOIN (SELECT min(at) AS at FROM ({' UNION ALL '.join(known)}) q) k ON true "
        f"WHERE f.id = {customer_id} AND k.at < (SELECT min(valid_from) FROM ({own}) o)"
    )


def _files(paths: Sequence[Path]) -> str:
    listed = ", ".join(quoted_text(str(path)) for path in paths)
    return f"read_parquet([{listed}], union_by_name = true)"
