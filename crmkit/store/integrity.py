"""Whether the database is sound and its account may write, as the database itself tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen
from sqlalchemy import text
from sqlalchemy.engine import Connection

from ..errors import Busy

if TYPE_CHECKING:
    from .store import Store

# A damaged file has thousands of faults; the first ones say where to begin.
MOST_FAULTS = 20


@frozen
class Integrity:
    """What a check of the pages found.

    Attributes:
        how: which check was made.
        faults: what it found, in the words of the database, at most MOST_FAULTS.
        hint: how to have more looked at, or an empty string.
    """

    how: str
    faults: tuple[str, ...] = ()
    hint: str = ""


def check_pages(store: Store, *, deep: bool) -> Integrity:
    """Has the database check its pages; changes nothing.

    SQLite keeps no checksum of a cell, so a value that was changed in place and is still a value of
    its type is found by no check.

    Args:
        deep: True also compares every index with its table, which takes several times as long.

    Raises:
        DatabaseDamaged: if the database cannot even be opened.
        NotPermitted: if the account may not run the check.
    """
    with store.read() as connection:
        if store.dialect == "sqlite":
            return _check_sqlite(connection, deep=deep)
        return _check_postgresql(connection, sorted(store.tables), deep=deep)


def _check_sqlite(connection: Connection, *, deep: bool) -> Integrity:
    pragma = "integrity_check" if deep else "quick_check"
    found = connection.exec_driver_sql(f"PRAGMA {pragma}({MOST_FAULTS})").scalars().all()
    faults = [line for said in found for line in said.splitlines() if line != "ok"]
    if deep and not faults:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(MOST_FAULTS)
        faults = [
            f"a row of {row[0]} points to a row of {row[2]} that is not there" for row in broken
        ]
    hint = "" if deep else "crmkit doctor --deep also compares the indexes with the tables."
    return Integrity(pragma, tuple(faults[:MOST_FAULTS]), hint)


_AMCHECK = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'amcheck')"
# Only what is stored in this database's own pages; partitioned tables and views have none.
_HEAP = """
SELECT c.relname, h.blkno, h.msg FROM pg_class c,
LATERAL verify_heapam(c.oid, on_error_stop => true) h
WHERE c.relkind = 'r' AND c.oid IN (SELECT to_regclass(n) FROM unnest(CAST(:names AS text[])) n)
LIMIT :most
"""
_INDEXES = """
SELECT bt_index_check(i.indexrelid, :deep) FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'
WHERE i.indisvalid AND i.indrelid IN
(SELECT to_regclass(n) FROM unnest(CAST(:names AS text[])) n)
"""


def _check_postgresql(connection: Connection, names: list[str], *, deep: bool) -> Integrity:
    if not connection.execute(text(_AMCHECK)).scalar_one():
        return Integrity(
            "not checked: the extension amcheck is not installed",
            hint="An administrator adds it with: CREATE EXTENSION amcheck",
        )
    values = {"names": names}
    heap = connection.execute(text(_HEAP), {**values, "most": MOST_FAULTS}).all()
    faults = tuple(f"{row.relname}, block {row.blkno}: {row.msg}" for row in heap)
    if not faults:
        # Raises at the first damaged index, which translated() makes DatabaseDamaged.
        connection.execute(text(_INDEXES), {**values, "deep": deep})
    return Integrity("amcheck, with all indexed rows" if deep else "amcheck", faults)


def write_faults(store: Store) -> list[str]:
    """Why this account cannot write the database, one sentence part each; empty if it can.

    Raises:
        StorageError: if the database file or its folder is read-only.
    """
    if store.dialect == "sqlite":
        try:
            with store.derived():
                pass  # takes the write lock and gives it back
        except Busy:
            pass  # somebody writes, so the file can be written
        return []
    with store.read() as connection:
        return _postgresql_write_faults(connection, sorted(store.tables))


_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_LACKING = """
SELECT r AS privilege, n AS name FROM unnest(CAST(:names AS text[])) n, unnest(CAST(:rights AS text[])) r
WHERE to_regclass(n) IS NOT NULL AND NOT has_table_privilege(to_regclass(n), r) ORDER BY n, r
"""


def _postgresql_write_faults(connection: Connection, names: list[str]) -> list[str]:
    faults = []
    if connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one():
        faults.append("the server is a standby, which is read-only")
    asked = "SELECT current_setting('default_transaction_read_only')"
    if connection.execute(text(asked)).scalar_one() == "on":
        faults.append("default_transaction_read_only is on for this account or database")
    lacking = connection.execute(text(_LACKING), {"names": names, "rights": list(_RIGHTS)}).all()
    for privilege in _RIGHTS:
        tables = [row.name for row in lacking if row.privilege == privilege]
        if tables:
            shown = ", ".join(tables[:3]) + (f" and {len(tables) - 3} more" if tables[3:] else "")
            faults.append(f"the account may not {privilege} in {shown}")
    return faults
