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

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import Row, Select, func, inspect, select
from sqlalchemy import text as sql_text
from sqlalchemy.engine import Connection

from ..entities.address import LAST_DIGITS, plain_phone
from ..entities.spelling import plain_spelling, spelt_out
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
# Before the digits of a phone number, so that they are told from other pieces.
DIGITS = "\ue101"
PHONE = "phone"
# What is written as a phone number: digits and what people put between and around them.
NUMBER = re.compile(r"(?i)(?:tel:|\+)?[\d\s()./\-‐‑–\u00a0+]*\d(?:\s*(?:ext\.?|x|;|#|,)\s*\d+)?")
# How texts are made; an index of another form is filled anew.
FORM = 2
# SQLite's tokenizer splits at ASCII that is no letter or digit, which is part of a gram here.
_WHOLE = {c: 0xE000 + c for c in range(128) if not chr(c).isalnum()}

SQLITE = (
    "CREATE TABLE search_form (version INTEGER NOT NULL) STRICT",
    "CREATE TABLE search_seen (tx INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE search_text (customer_id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
    "CREATE VIRTUAL TABLE search_gram USING fts5(grams, content='', detail=none, columnsize=0, "
    "tokenize='ascii')",
)
POSTGRESQL = (
    "CREATE TABLE search_form (version INTEGER NOT NULL)",
    "CREATE TABLE search_seen (tx BIGINT PRIMARY KEY)",
    "CREATE TABLE search_text (customer_id BIGINT PRIMARY KEY, text TEXT NOT NULL, "
    "grams TSVECTOR NOT NULL)",
    "CREATE INDEX ix_search_text_grams ON search_text USING gin (grams)",
)


def text_of(name: str | None, refs: Iterable[str], points: Iterable[tuple[str, str]]) -> str:
    """What is searched of one customer: name and keys; then other spellings and contact points.

    Args:
        points: kind and value of each contact point; of a phone number its digits are searched, too.
    """
    own = [name or "", *refs]
    other = [spelling for piece in own if (spelling := spelt_out(piece))]
    for kind, value in points:
        other.append(plain_spelling(value))
        if kind == PHONE and (digits := plain_phone(value)):
            other.append(DIGITS + digits)
    return PART.join((PIECE.join(map(plain_spelling, own)), PIECE.join(other)))


@frozen
class Asked:
    """What a search asks for, in one or several ways; who fits an earlier one comes first.

    Attributes:
        whole: the words as they were given.
        ways: fragments that have to be in the text of a customer, all of one way.
        number: the digits of what is written as a phone number, or None.
    """

    whole: str
    ways: tuple[tuple[str, ...], ...]
    number: str | None

    @classmethod
    def of(cls, text: str) -> Asked:
        """Reads what somebody typed: a fragment, words in any order, or a number in any spelling."""
        whole = plain_spelling(text)
        ways: list[tuple[str, ...]] = [(whole,)]
        words = tuple(dict.fromkeys(whole.split(" ")))
        if len(words) > 1:
            ways.append(words)
        number = plain_phone(text) if NUMBER.fullmatch(text.strip()) else None
        if number is not None:
            ways.append((number[-LAST_DIGITS:],))
        return cls(whole, tuple(ways), number)

    def ranked(self, way: int, texts: Mapping[int, str]) -> list[int]:
        """The customers of a way in their order; of numbers that end alike, those that may be one."""
        held = sorted(texts)
        if self.number is None or way < len(self.ways) - 1:
            return held
        alike = [i for i in held if any(map(self._is_number, _numbers(texts[i])))]
        return alike or held

    def _is_number(self, digits: str) -> bool:
        assert self.number is not None  # noqa: S101 - asked of numbers alone
        short, long = sorted((digits, self.number), key=len)
        return long.endswith(short) or self.number in digits


def _numbers(text: str) -> list[str]:
    pieces = text.partition(PART)[2].split(PIECE)
    return [piece.removeprefix(DIGITS) for piece in pieces if piece.startswith(DIGITS)]


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
        whole = not self._is_of_this_form(connection)
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

    def _is_of_this_form(self, connection: Connection) -> bool:
        there = inspect(connection).has_table
        if not (there("search_form") and there("search_seen")):
            return False
        return bool(connection.exec_driver_sql("SELECT version FROM search_form").scalar() == FORM)

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
        for name in ("search_gram", "search_text", "search_seen", "search_form"):
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
        for statement in SQLITE if self._store.dialect == "sqlite" else POSTGRESQL:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("INSERT INTO search_seen (tx) VALUES (0)")
        connection.exec_driver_sql(f"INSERT INTO search_form (version) VALUES ({FORM})")  # noqa: S608 - a constant

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
        points: dict[int, list[tuple[str, str]]] = {}
        for row in rows_where(
            connection, tables["customer_ref"], "customer_id", ids, names=("customer_id", "ref")
        ):
            refs.setdefault(row["customer_id"], []).append(row["ref"])
        for row in rows_where(
            connection, tables["contact_point"], "customer_id", ids,
            names=("customer_id", "kind", "value"),
        ):  # fmt: skip
            points.setdefault(row["customer_id"], []).append((row["kind"], row["value"]))
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
        """Ids of customers whom the text fits, those whose name or key it is first, then by id.

        The caller sees to it that nothing is pending.

        Args:
            fragment: a part of a name, key or contact point, words of them in any order, or a phone
                number in any spelling.
            limit: at most so many.
        """
        asked = Asked.of(fragment)
        exact = (EXACT + asked.whole.translate(_WHOLE), False)
        found = dict.fromkeys(self._ids(connection, [exact], (asked.whole,), limit))
        for way, wanted in enumerate(asked.ways):
            if len(found) >= limit:
                break
            texts = self._held(connection, wanted, limit)
            found |= dict.fromkeys(asked.ranked(way, texts))
        return list(found)[:limit]

    def _held(self, connection: Connection, wanted: Sequence[str], limit: int) -> dict[int, str]:
        """Customers whose text holds every fragment, with it: those of the lowest ids."""
        grams = [fragment.translate(_WHOLE) for fragment in wanted]
        short = all(len(gram) < 3 for gram in grams)
        # SQLite reads lists of whole grams side by side and stops when it has enough.
        if short or self._store.dialect == "postgresql":
            among = self._first(connection, wanted, limit)
            if len(among) >= limit:
                return among
        parts: dict[str, bool] = {}
        for gram in grams:
            if len(gram) < 3:
                # A short word beside a long one is looked for in the texts alone: its list is long.
                parts |= {gram: True} if short else {}
                continue
            # Side by side: those between name the same characters again, and each has a list to read.
            starts = {*range(0, len(gram) - 2, 3), len(gram) - 3}
            parts |= {gram[i : i + 3]: False for i in starts}
        return self._texts(connection, sorted(parts.items()), wanted, limit)

    def _first(self, connection: Connection, wanted: Sequence[str], limit: int) -> dict[int, str]:
        """Those among the customers of the lowest ids, which is cheap and often enough."""
        rows = connection.exec_driver_sql(
            f"SELECT customer_id, text FROM search_text WHERE {self._holds(wanted)} "  # noqa: S608 - no value is in it
            f"AND customer_id < coalesce((SELECT customer_id FROM search_text ORDER BY customer_id "
            f"LIMIT 1 OFFSET {FIRST}), {(1 << 63) - 1}) ORDER BY customer_id LIMIT {limit}",
            tuple(wanted),
        )
        return {i: text for i, text in rows}

    def _holds(self, wanted: Sequence[str]) -> str:
        place, mark = ("instr", "?") if self._store.dialect == "sqlite" else ("strpos", "%s")
        return " AND ".join([f"{place}(text, {mark}) > 0"] * len(wanted))

    def _ids(
        self, connection: Connection, parts: Sequence[tuple[str, bool]], wanted: Sequence[str],
        limit: int,
    ) -> list[int]:  # fmt: skip
        return list(self._texts(connection, parts, wanted, limit))

    def _texts(
        self, connection: Connection, parts: Sequence[tuple[str, bool]], wanted: Sequence[str],
        limit: int,
    ) -> dict[int, str]:  # fmt: skip
        if self._store.dialect == "sqlite":
            asked = " AND ".join(f'"{part}"{" *" if begins else ""}' for part, begins in parts)
            query = (
                "SELECT g.rowid, t.text FROM search_gram g "  # noqa: S608 - no value is in it
                "CROSS JOIN search_text t ON t.customer_id = g.rowid "
                f"WHERE search_gram MATCH ? AND {self._holds(wanted)} ORDER BY g.rowid LIMIT ?"
            )
        else:
            asked = " & ".join(f"'{part}'{':*' if begins else ''}" for part, begins in parts)
            query = (
                "SELECT customer_id, text FROM search_text WHERE grams @@ %s::tsquery "  # noqa: S608 - no value is in it
                f"AND {self._holds(wanted)} ORDER BY customer_id LIMIT %s"
            )
        return {i: text for i, text in connection.exec_driver_sql(query, (asked, *wanted, limit))}

    def scan(self, connection: Connection, fragment: str, limit: int) -> list[int]:
        """What :meth:`find` gives, read from every name, key and contact point."""
        asked = Asked.of(fragment)
        exact = set[int]()
        held: list[dict[int, str]] = [{} for _ in asked.ways]
        for i, text in self._every_text(connection):
            if asked.whole in text.partition(PART)[0].split(PIECE):
                exact.add(i)
            for way, wanted in enumerate(asked.ways):
                if all(fragment in text for fragment in wanted):
                    held[way][i] = text
        found = dict.fromkeys(sorted(exact)[:limit])
        for way, texts in enumerate(held):
            if len(found) >= limit:
                break
            lowest = sorted(texts)[:limit]
            found |= dict.fromkeys(asked.ranked(way, {i: texts[i] for i in lowest}))
        return list(found)[:limit]

    def _every_text(self, connection: Connection) -> Iterator[tuple[int, str]]:
        """The text of each customer, read side by side from the tables it is made of."""
        customer, ref, point = (
            self._store.tables[name].c for name in ("customer", "customer_ref", "contact_point")
        )
        refs = _grouped(
            connection.execute(select(ref.customer_id, ref.ref).order_by(ref.customer_id))
        )
        points = _grouped(
            connection.execute(
                select(point.customer_id, point.kind, point.value).order_by(point.customer_id)
            )
        )
        for i, name in connection.execute(select(customer.id, customer.name).order_by(customer.id)):
            yield i, text_of(name, (r for (r,) in refs(i)), points(i))


def _grouped(rows: Iterable[Row[Any]]) -> Callable[[int], list[Any]]:
    """Rows that are ordered by their first column, to be asked for group by group in that order."""
    groups = itertools.groupby(rows, key=lambda row: row[0])
    ahead: list[tuple[int, list[Any]]] = []

    def of(key: int) -> list[Any]:
        while not ahead or ahead[0][0] < key:
            ahead.clear()
            following = next(groups, None)
            if following is None:
                return []
            ahead.append((following[0], [tuple(row[1:]) for row in following[1]]))
        return ahead[0][1] if ahead[0][0] == key else []

    return of
