"""New versions of many rows of a table with kept history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from .statements import Statements


class Versioned:
    """A table with kept history: what customers, customer fields and records have in common."""

    def __init__(self, statements: Statements, name: str, key: str) -> None:
        self.statements = statements
        self.current = statements.table(name)
        self.history = statements.table(f"{name}_history")
        self.key = key

    @cached_property
    def _kept(self) -> list[str]:
        """Columns that go to history as they are."""
        return [c.name for c in self.current.columns if c.name in self.history.columns]

    def versions(
        self, connection: Connection, names: tuple[str, ...], ids: set[int]
    ) -> dict[int, list[tuple[Any, ...]]]:
        """Earlier versions by id, each as ``(valid_from, valid_to, *names)`` in storage form."""
        s, h = self.statements, self.history.c

        def build() -> Select[Any]:
            key = h[self.key]
            return select(key, h.valid_from, h.valid_to, *(h[n] for n in names)).where(
                s.among(key, "ids", ids=True)
            )

        rows = s.fetch(
            connection, ("history", self.history.name, names), build, {"ids": s.listed(ids)}
        )
        found: dict[int, list[tuple[Any, ...]]] = {}
        for row in rows:
            found.setdefault(row[0], []).append(tuple(row[1:]))
        return found

    def writers(self, connection: Connection, ids: Collection[int]) -> list[tuple[int, int]]:
        """Id and transaction of every earlier version of some rows."""
        if not ids:
            return []
        s, h = self.statements, self.history.c

        def build() -> Select[Any]:
            key = h[self.key]
            return select(key, h.tx).where(s.among(key, "ids", ids=True))

        return s.fetch(
            connection, ("writers", self.history.name), build, {"ids": s.listed(list(ids))}
        )

    def change(
        self,
        connection: Connection,
        tx: int,
        names: Sequence[str],
        ids: Sequence[int],
        since: Sequence[Any],
        values: Sequence[tuple[Any, ...]],
    ) -> None:
        """Moves the current versions to history and writes new ones.

        Args:
            names: columns to set, beside ``valid_from``, ``version`` and ``tx``.
            ids, since, values: per row its id, since when it is true, and a value per name.
        """
        if not ids:
            return
        if self.statements.sqlite:
            self._change_singly(connection, tx, names, ids, since, values)
        else:
            self._change_together(connection, tx, names, ids, since, values)

    def _change_singly(
        self, connection: Connection, tx: int, names: Sequence[str], ids: Sequence[int],
        since: Sequence[Any], values: Sequence[tuple[Any, ...]],
    ) -> None:  # fmt: skip
        s, key = self.statements, self.statements.quoted(self.key)
        current, history = s.quoted(self.current.name), s.quoted(self.history.name)
        kept = ", ".join(map(s.quoted, self._kept))
        # Names of declared tables and columns, quoted; values are bound.
        archive = (
            f"INSERT INTO {history} ({kept}, valid_to, closed_tx) "  # noqa: S608
            f"SELECT {kept}, ?, ? FROM {current} WHERE {key} = ?"
        )
        s.run_many(connection, archive, zip(since, repeat(tx), ids, strict=False))
        sets = "".join(f"{s.quoted(n)} = ?, " for n in names)
        update = (
            f"UPDATE {current} SET {sets}valid_from = ?, tx = ?, version = version + 1 "  # noqa: S608
            f"WHERE {key} = ?"
        )
        rows = ((*row, at, tx, one) for row, at, one in zip(values, since, ids, strict=True))
        s.run_many(connection, update, rows)

    def _change_together(
        self, connection: Connection, tx: int, names: Sequence[str], ids: Sequence[int],
        since: Sequence[Any], values: Sequence[tuple[Any, ...]],
    ) -> None:  # fmt: skip
        """One statement for all rows, which come by COPY into a table of the transaction's own."""
        s, key = self.statements, self.statements.quoted(self.key)
        current, history = s.quoted(self.current.name), s.quoted(self.history.name)
        kept = ", ".join(f"t.{s.quoted(n)}" for n in self._kept)
        into = ", ".join(map(s.quoted, self._kept))
        new = {n: f"_new_{n}" for n in names}
        taken = "".join(f", {s.quoted(n)} AS {s.quoted(as_)}" for n, as_ in new.items())
        sets = "".join(f"{s.quoted(n)} = s.{s.quoted(as_)}, " for n, as_ in new.items())
        # Names of declared tables and columns, quoted; values are bound.
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE _changed ON COMMIT DROP AS "  # noqa: S608
            f"SELECT {key} AS _id, valid_from AS _since{taken} FROM {current} WITH NO DATA"
        )
        columns = [ids, since, *zip(*values, strict=True)]
        s.copy(connection, "_changed", ("_id", "_since", *new.values()), columns)
        connection.exec_driver_sql(
            f"INSERT INTO {history} ({into}, valid_to, closed_tx) "  # noqa: S608
            f"SELECT {kept}, s._since, %(tx)s FROM {current} t JOIN _changed s ON t.{key} = s._id",
            {"tx": tx},
        )
        connection.exec_driver_sql(
            f"UPDATE {current} t SET {sets}valid_from = s._since, tx = %(tx)s, "  # noqa: S608
            f"version = t.version + 1 FROM _changed s WHERE t.{key} = s._id",
            {"tx": tx},
        )
        connection.exec_driver_sql("DROP TABLE _changed")
