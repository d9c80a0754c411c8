"""An index of fragments: who has ``李雷``, ``wei`` or ``0042`` in a name, key or contact point.

Each place of a folded text gives the gram of three characters that begins there, and the last two
places the shorter rest. So a fragment of three or more characters is a set of grams, and one of one
or two, as two-character Chinese names are made of, is the beginning of grams. SQLite's own trigram
tokenizer finds nothing for those, silently.

The index is derived (design D2): it lists the transactions that it has taken in and looks back a
day for those that committed late, as the snapshot does. It is filled in steps, after imports and not
inside them, and every step commits by itself, so that a killed filling goes on where it was. Its
tables are made when it is first filled, and can be dropped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import Select, func, inspect, select
from sqlalchemy import text as sql_text
from sqlalchemy.engine import Connection

from ..entities.transaction import COUNTER_BITS, REVERT, WRITER_BITS
from ..errors import Busy, NotPermitted, StorageError
from .family import members_of
from .prepared import rows_where
from .rows import is_in

if TYPE_CHECKING:
    from .store import Store

LOOK_BACK = (24 * 3_600_000) << (WRITER_BITS + COUNTER_BITS)
# Customers or transactions in a step: a few megabytes, and about a second.
STEP, STEP_TRANSACTIONS = 20_000, 200
# Searching takes in so many customers or transactions by itself: about a second's work.
AT_ONCE = 10_000
# What is frequent is found among the first; what is not has short lists in the index.
FIRST = 10_000
# Between names and keys, and between those and contact points.
PIECE, PART = "\n", "\x1e"
EXACT = "\ue100"
# SQLite's tokenizer splits at ASCII that is no letter or digit, which is part of a gram here.
_WHOLE = {c: 0xE000 + c for c in range(128) if not chr(c).isalnum()}

SQLITE = (
    "CREATE TABLE search_seen (tx INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE search_text (customer_id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
    "CREATE VIRTUAL TABLE search_gram USING fts5(grams, content='', detail=none, columnsize=0, "
    "tokenize='ascii')",
)
POSTGRESQL = (
    "CREATE TABLE search_seen (tx BIGINT PRIMARY KEY)",
    "CREATE TABLE search_text (customer_id BIGINT PRIMARY KEY, text TEXT NOT NULL, "
    "grams TSVECTOR NOT NULL)",
    "CREATE INDEX ix_search_text_grams ON search_text USING gin (grams)",
)


def folded(text: str) -> str:
    """The text as it is compared: letters in one case, full-width and composed forms as plain ones.

    Example:
        >>> folded("Ｗeiß")
        'weiss'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return text.lower().replace(PIECE, " ").replace(PART, " ")


def text_of(name: str | None, refs: Iterable[str], points: Iterable[str]) -> str:
    """What is searched of one customer: folded name and keys, and contact points."""
    exact = PIECE.join(folded(piece) for piece in (name or "", *refs))
    return PART.join((exact, PIECE.join(folded(piece) for piece in points)))


def grams_of(text: str) -> str:
    """The grams of :func:`text_of`, with one of each whole name and key, between spaces."""
    exact, _, points = text.translate(_WHOLE_PIECES).partition(PART)
    pieces = exact.split(PIECE)
    grams = {EXACT + piece for piece in pieces}
    for piece in (*pieces, *points.split(PIECE)):
        grams.update(piece[i : i + 3] for i in range(len(piece)))
    return " ".join(grams)


_WHOLE_PIECES = {c: to for c, to in _WHOLE.items() if chr(c) not in (PIECE, PART)}


@frozen
class Wanting:
    """A transaction that the index has not taken in: the ids that it drew, and its customers."""

    id: int
    first_id: int | None
    last_id: int | None
    customers: int


@frozen(kw_only=True)
class Pending:
    """What the index has not taken in.

    ``whole`` means that it has to be filled anew, as after an import was reverted.
    """

    transactions: tuple[Wanting, ...]
    whole: bool

    @property
    def customers(self) -> int:
        """How many customers these transactions wrote and were the last to write."""
        return sum(t.customers for t in self.transactions)


class Fragments:
    """The index of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- filling ------------------------------------------------------------------------------

    def pending(self, connection: Connection) -> Pending:
        """What a search through the index would miss now."""
        t = self._store.tables["tx"].c
        query = select(t.id, t.first_id, t.last_id, t.command).order_by(t.id)
        whole = not inspect(connection).has_table("search_seen")
        if not whole:
            seen = {r[0] for r in connection.exec_driver_sql("SELECT tx FROM search_seen")}
            # The oldest that is kept stands for all before it; at first that is 0.
            found = connection.execute(query.where(t.id > min(seen, default=0))).all()
            found = [row for row in found if row.id not in seen]
            newest = max(seen, default=0)
            # Of a transaction that is not there, the index was filled from other data.
            strange = newest and connection.scalar(select(t.id).where(t.id == newest)) is None
            whole = bool(strange) or any(row.command == REVERT for row in found)
        if whole:
            found = connection.execute(query).all()
        c = self._store.tables["customer"].c
        written = select(c.tx, func.count()).group_by(c.tx)
        if not whole:
            written = written.where(is_in(connection, c.tx, [row.id for row in found]))
        customers: dict[int, int] = {tx: count for tx, count in connection.execute(written)}
        return Pending(
            transactions=tuple(
                Wanting(row.id, row.first_id, row.last_id, customers.get(row.id, 0))
                for row in found
            ),
            whole=whole,
        )

    def behind(self) -> int:
        """How many transactions the index has not taken in."""
        with self._store.read() as connection:
            return len(self.pending(connection).transactions)

    def catch_up(self) -> bool:
        """Takes in what is pending if that is little; whether a search can go through the index."""
        with self._store.read() as connection:
            pending = self.pending(connection)
        if not pending.transactions and not pending.whole:
            return True
        much = pending.customers > AT_ONCE or len(pending.transactions) > AT_ONCE
        if much or self._store.is_writing:
            return False
        try:
            self.fill()
        except (Busy, NotPermitted, StorageError):
            # Whoever may only read, or waits for another's long write, searches all the same.
            return False
        return True

    def fill(self) -> int:
        """Takes in what is pending, step by step; returns how many transactions that were."""
        with self._store.read() as connection:
            pending = self.pending(connection)
        if pending.whole:
            with self._store.derived() as connection:
                self._begin(connection)
        todo, done = list(pending.transactions), 0
        while done < len(todo):
            step, customers = done, 0
            while step < len(todo) and step - done < STEP_TRANSACTIONS and customers < STEP:
                customers += todo[step].customers
                step += 1
            with self._store.derived() as connection:
                self._take_in(connection, todo[done:step])
            done = step
        if pending.whole and self._store.dialect == "sqlite":
            with self._store.derived() as connection:
                connection.exec_driver_sql(
                    "INSERT INTO search_gram (search_gram) VALUES ('optimize')"
                )
        return done

    def _begin(self, connection: Connection) -> None:
        for name in ("search_gram", "search_text", "search_seen"):
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
        for statement in SQLITE if self._store.dialect == "sqlite" else POSTGRESQL:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("INSERT INTO search_seen (tx) VALUES (0)")

    def _take_in(self, connection: Connection, step: Sequence[Wanting]) -> None:
        changed = self._changed(connection, step)
        # An edit may have taken a contact point from somebody who was merged into the edited one.
        self._replace(
            connection, sorted(members_of(connection, self._store.tables["customer"], changed))
        )
        taken = ", ".join(f"({t.id})" for t in step)
        connection.exec_driver_sql(
            f"INSERT INTO search_seen (tx) VALUES {taken} ON CONFLICT DO NOTHING"  # noqa: S608 - numbers
        )
        last = max(t.id for t in step)
        # All that is older than a day is taken in, or this one would not be next: one stands for it.
        connection.execute(
            sql_text(
                "DELETE FROM search_seen WHERE tx < "
                "(SELECT max(tx) FROM search_seen WHERE tx < :bound)"
            ),
            {"bound": last - LOOK_BACK},
        )

    def _changed(self, connection: Connection, step: Sequence[Wanting]) -> set[int]:
        tables, ids = self._store.tables, [t.id for t in step]
        customer, past = tables["customer"].c, tables["customer_history"].c
        point, gone = tables["contact_point"].c, tables["contact_point_history"].c
        queries: list[Select[Any]] = [
            select(customer.id).where(is_in(connection, customer.tx, ids)),
            select(past.id).where(is_in(connection, past.closed_tx, ids)),
            select(gone.customer_id).where(is_in(connection, gone.closed_tx, ids)),
        ]
        queries += [
            select(point.customer_id).where(point.id.between(t.first_id, t.last_id))
            for t in step
            if t.first_id is not None
        ]
        return {i for query in queries for i in connection.scalars(query)}

    def _replace(self, connection: Connection, ids: Sequence[int]) -> None:
        tables = self._store.tables
        names = {
            row["id"]: row["name"]
            for row in rows_where(connection, tables["customer"], "id", ids, names=("id", "name"))
        }
        refs: dict[int, list[str]] = {}
        points: dict[int, list[str]] = {}
        for into, table, column in ((refs, "customer_ref", "ref"), (points, "contact_point", "value")):  # fmt: skip
            read = ("customer_id", column)
            for row in rows_where(connection, tables[table], "customer_id", ids, names=read):
                into.setdefault(row["customer_id"], []).append(row[column])
        texts = [(i, text_of(n, refs.get(i, ()), points.get(i, ()))) for i, n in names.items()]
        if self._store.dialect == "sqlite":
            self._write_sqlite(connection, ids, texts)
        else:
            self._write_postgresql(connection, ids, texts)

    def _write_sqlite(
        self, connection: Connection, ids: Sequence[int], texts: list[tuple[int, str]]
    ) -> None:
        driver: Any = connection.connection.driver_connection
        listed = f"[{','.join(map(str, ids))}]"
        old = driver.execute(
            "SELECT customer_id, text FROM search_text WHERE customer_id IN "
            "(SELECT value FROM json_each(?))",
            [listed],
        ).fetchall()
        # A contentless index forgets only what it is told again.
        driver.executemany(
            "INSERT INTO search_gram (search_gram, rowid, grams) VALUES ('delete', ?, ?)",
            ((i, grams_of(text)) for i, text in old),
        )
        driver.executemany("DELETE FROM search_text WHERE customer_id = ?", ((i,) for i, _ in old))
        driver.executemany(
            "INSERT INTO search_gram (rowid, grams) VALUES (?, ?)",
            ((i, grams_of(text)) for i, text in texts),
        )
        driver.executemany("INSERT INTO search_text VALUES (?, ?)", texts)

    def _write_postgresql(
        self, connection: Connection, ids: Sequence[int], texts: list[tuple[int, str]]
    ) -> None:
        driver: Any = connection.connection.driver_connection
        driver.execute("DELETE FROM search_text WHERE customer_id = ANY(%s::bigint[])", [list(ids)])
        with driver.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO search_text VALUES (%s, %s, array_to_tsvector(string_to_array(%s, ' ')))",
                [(i, text, grams_of(text)) for i, text in texts],
            )

    # --- asking -------------------------------------------------------------------------------

    def find(self, connection: Connection, fragment: str, limit: int) -> list[int]:
        """Ids of customers that hold the fragment, those whose name or key it is first, then by id.

        The caller sees to it that nothing is pending.

        Args:
            fragment: any text of at least one character.
            limit: at most so many.
        """
        wanted = folded(fragment)
        gram = wanted.translate(_WHOLE)
        found = self._ids(connection, [(EXACT + gram, False)], wanted, limit)
        parts = [(gram, True)]
        if len(gram) >= 3:
            # Side by side: those between name the same characters again, and each has a list to read.
            starts = {*range(0, len(gram) - 2, 3), len(gram) - 3}
            parts = [(part, False) for part in sorted({gram[i : i + 3] for i in starts})]
        among: list[int] = []
        # SQLite reads lists of whole grams side by side and stops when it has enough.
        if len(gram) < 3 or self._store.dialect == "postgresql":
            among = self._first(connection, wanted, limit)
        if len(among) < limit:
            among = self._ids(connection, parts, wanted, limit)
        return list(dict.fromkeys([*found, *among]))[:limit]

    def _first(self, connection: Connection, wanted: str, limit: int) -> list[int]:
        """Those among the customers of the lowest ids, which is cheap and often enough."""
        place, mark = ("instr", "?") if self._store.dialect == "sqlite" else ("strpos", "%s")
        rows = connection.exec_driver_sql(
            f"SELECT customer_id FROM search_text WHERE {place}(text, {mark}) > 0 "  # noqa: S608 - no value is in it
            f"AND customer_id < coalesce((SELECT customer_id FROM search_text ORDER BY customer_id "
            f"LIMIT 1 OFFSET {FIRST}), {(1 << 63) - 1}) ORDER BY customer_id LIMIT {limit}",
            (wanted,),
        )
        return [row[0] for row in rows]

    def _ids(
        self, connection: Connection, parts: Iterable[tuple[str, bool]], wanted: str, limit: int
    ) -> list[int]:
        if self._store.dialect == "sqlite":
            asked = " AND ".join(f'"{part}"{" *" if begins else ""}' for part, begins in parts)
            query = (
                "SELECT g.rowid FROM search_gram g CROSS JOIN search_text t ON t.customer_id = g.rowid "
                "WHERE search_gram MATCH ? AND instr(text, ?) > 0 ORDER BY g.rowid LIMIT ?"
            )
        else:
            asked = " & ".join(f"'{part}'{':*' if begins else ''}" for part, begins in parts)
            query = (
                "SELECT customer_id FROM search_text WHERE grams @@ %s::tsquery "
                "AND strpos(text, %s) > 0 ORDER BY customer_id LIMIT %s"
            )
        return [row[0] for row in connection.exec_driver_sql(query, (asked, wanted, limit))]

    def scan(self, connection: Connection, fragment: str, limit: int) -> list[int]:
        """What :meth:`find` gives, read from every name, key and contact point."""
        wanted, tables = folded(fragment), self._store.tables
        exact, held = set[int](), set[int]()
        for table, key, column in (
            ("customer", "id", "name"),
            ("customer_ref", "customer_id", "ref"),
            ("contact_point", "customer_id", "value"),
        ):
            c = tables[table].c
            for i, text in connection.execute(select(c[key], c[column])):
                if text is None:
                    continue
                plain = folded(text)
                if wanted in plain:
                    held.add(i)
                    if wanted == plain and table != "contact_point":
                        exact.add(i)
        return [*sorted(exact), *sorted(held - exact)][:limit]
