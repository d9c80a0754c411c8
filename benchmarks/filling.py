"""A store filled with customers, bills and payments by its own database, in seconds for millions.

The rows are those that an import of :mod:`benchmarks.features` would have stored, made by a few
``INSERT ... SELECT`` over a series of numbers and not by an import, whose speed is measured elsewhere.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Any

from crmkit.entities.transaction import COUNTER_BITS, EPOCH_MS, WRITER_BITS
from crmkit.workspace import Crm

# Rows a transaction, as an import has them.
BATCH = 10_000
MONTHS = 20
FIRST_DAY = "2024-08-01"
# The first load is two days old, so that snapshots need not look back at it (design D2).
AGE_MS = 2 * 86_400_000
NAMES = (
    "Ann Archer", "Ben Bishop", "Carla Cook", "Dan Doyle", "Eva Engel", "Finn Frost", "李雷", "王伟",
    "张敏", "欧阳娜娜", "陈静", "刘洋", "Zoë Zimmer", "Dana García", "Jo O'Neill", "赵敏",
)  # fmt: skip


def ids_from(ms: int, row: str) -> tuple[str, str]:
    """Ids of transaction and row for a numbered row, as SQL: each batch draws its own first."""
    base = (ms - EPOCH_MS) << (WRITER_BITS + COUNTER_BITS)
    return (
        f"({base} + ({row}) / {BATCH} * {BATCH + 1})",
        f"({base} + ({row}) / {BATCH} * {BATCH + 1} + 1 + ({row}) % {BATCH})",
    )


class Filler:
    """Fills the store of a workspace that has the telecom plugin.

    Args:
        crm: the open workspace; nothing else may be writing.
    """

    def __init__(self, crm: Crm) -> None:
        self._sqlite = crm.store.dialect == "sqlite"
        self._url = crm.store.engine.url
        self._began = _now_ms() - AGE_MS

    def fill(self, customers: int, interactions: int) -> None:
        """The first load: customers, and bills and payments in turn, spread over all months."""
        # By the size: however few a customer has, each window of days holds its share of rows.
        month = f"n * {MONTHS} / {interactions}"
        facts = self._facts(customers, 0, interactions, self._began + 3_600_000, month)
        self._run(self._customers(customers) + facts)

    def add(self, customers: int, first: int, interactions: int) -> None:
        """Transactions of this moment with further facts of the newest month.

        Args:
            customers: how many there are. first: facts that were written before.
        """
        newest = str(MONTHS - 1)
        self._run(self._facts(customers, first, interactions, _now_ms(), newest))

    def _customers(self, count: int) -> list[str]:
        tx, key = ids_from(self._began, "i")
        at, since = self._instant("2025-11-24 12:00:00"), self._instant("2020-01-01 00:00:00")
        names = self._pick(NAMES, "i * 7919 % 16")
        rows = f"SELECT {tx} AS tx, {key} AS id, i, {names} AS name FROM {self._series(count)}"
        region = self._pick(("north", "south", "east", "west"), "i % 4")
        yes = "i % 7 = 0" if not self._sqlite else "(i % 7 = 0)"
        return [
            self._transactions(count, self._began),
            "INSERT INTO customer (id, kind, name, region, owner, created_at, updated_at, version, "
            f"valid_from, tx) SELECT id, 'person', name || {self._numbered('i')}, {region}, "
            f"'agent-' || (i % 40), {at}, {at}, 1, {since}, tx FROM ({rows}) r",
            "INSERT INTO customer_ref (source, ref, customer_id, tx) "
            f"SELECT 'bench', 'C' || i, id, tx FROM ({rows}) r",
            "INSERT INTO contact_point (id, customer_id, kind, value, label, position, address_key, tx) "
            f"SELECT id, id, 'phone', '+8613' || (100000000 + i), '', 0, "
            f"substr('13' || (100000000 + i), 4), tx FROM ({rows}) r",
            "INSERT INTO telecom_customer (customer_id, gender, senior, partner, city, household, "
            f"valid_from, version, tx) SELECT id, {self._pick(('female', 'male'), 'i % 2')}, {yes}, "
            f"{yes}, {self._pick(('Porto', '成都', 'Lyon'), 'i % 3')}, 'H' || (i / 3), {since}, 1, tx "
            f"FROM ({rows}) r",
        ]

    def _facts(self, customers: int, first: int, count: int, ms: int, month: str) -> list[str]:
        tx, key = ids_from(ms, "i")
        _, customer = ids_from(self._began, f"n / 2 % {customers}")
        issued = f"30 * ({month})"
        late = f"{issued} + CASE WHEN n % 2 = 0 THEN 0 ELSE 10 + n * 7919 % 8 END"
        day, due = self._day(late), self._day(f"{issued} + 14")
        overage = "((n / 2) % 5 * 300)"
        payment = f"""'{{"due_on":"' || {due} || '"}}'"""
        bill = (
            f"""'{{"due_on":"' || {due} || '","overage_currency":"USD","overage_minor":' """
            f"""|| {overage} || '}}'"""
        )
        at = self._instant("2025-11-25 12:00:00")
        rows = f"SELECT i, i + {first} AS n FROM {self._series(count)}"
        return [
            self._transactions(count, ms),
            "INSERT INTO interaction (id, kind, customer_id, direction, occurred_at, occurred_on, "
            "recorded_at, source, ref, revision, amount_minor, currency, payload, tx) SELECT "
            f"{key}, CASE WHEN n % 2 = 0 THEN 'telecom.bill' ELSE 'telecom.payment' END, {customer}, "
            f"'none', {self._midnight(late)}, {day}, {at}, 'bench', 'B' || {self._numbered('n / 2')}, "
            f"1, 2000 + n / 2 % {customers} % 60 * 100 + {overage}, 'USD', CASE WHEN n % 2 = 0 THEN "
            f"{bill} ELSE {payment} END, {tx} FROM ({rows}) r",
        ]

    def _transactions(self, rows: int, ms: int) -> str:
        tx, first = ids_from(ms, f"i * {BATCH}")
        last = f"{first} + {BATCH - 1}"
        return (
            "INSERT INTO tx (id, at, actor, command, source, first_id, last_id) SELECT "
            f"{tx}, {self._instant('2025-11-25 12:00:00')}, 'bench', 'import', 'bench', {first}, "
            f"{last} FROM {self._series(-(-rows // BATCH))}"
        )

    # --- what the two databases write differently ---------------------------------------------

    def _series(self, count: int) -> str:
        if not self._sqlite:
            return f"(SELECT i FROM generate_series(0::bigint, {count - 1}) AS s(i)) s"
        return (
            f"(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < {count - 1}) "
            "SELECT i FROM s) s"
        )

    def _instant(self, text: str) -> str:
        return f"'{text}.000000'" if self._sqlite else f"TIMESTAMP '{text}'"

    def _day(self, days: str) -> str:
        if self._sqlite:
            return f"date('{FIRST_DAY}', ({days}) || ' days')"
        return f"(DATE '{FIRST_DAY}' + CAST({days} AS integer))"

    def _midnight(self, days: str) -> str:
        day = self._day(days)
        return f"{day} || ' 00:00:00.000000'" if self._sqlite else f"CAST({day} AS timestamp)"

    def _numbered(self, number: str) -> str:
        if self._sqlite:
            return f"printf('%09d', {number})"
        return f"lpad(CAST({number} AS text), 9, '0')"

    def _pick(self, values: tuple[str, ...], which: str) -> str:
        cases = " ".join(
            f"WHEN {n} THEN '{value.replace(chr(39), chr(39) * 2)}'"
            for n, value in enumerate(values)
        )
        return f"CASE {which} {cases} END"

    def _run(self, statements: list[str]) -> None:
        if self._sqlite:
            with closing(sqlite3.connect(str(self._url.database))) as connection:
                connection.execute("PRAGMA synchronous = OFF")
                with connection:
                    for statement in statements:
                        connection.execute(statement)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        import psycopg

        with psycopg.connect(plain(self._url)) as server:
            for statement in statements:
                server.execute(statement)
            server.commit()
            server.autocommit = True
            server.execute("VACUUM ANALYZE")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def plain(url: Any) -> str:
    """A SQLAlchemy URL as the drivers take it."""
    text: str = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return text
