"""Stored customers and records by ref, for what a file refers to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import TEXT, bindparam, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from ...declarations import CUSTOMER, sql_name
from .statements import Statements


class Lookup:
    """Ids of stored customers and records by ref, for references to what a file does not hold."""

    def __init__(self, statements: Statements) -> None:
        self.statements = statements

    def ids(
        self, connection: Connection, entity: str, source: str, refs: Iterable[str]
    ) -> dict[str, int]:
        """The id of each ref that is stored; refs of nothing are left out."""
        s = self.statements
        if entity == CUSTOMER:
            c = s.table("customer_ref").c
            columns = (c.ref, c.customer_id)
        else:
            c = s.table(sql_name(entity)).c
            columns = (c.ref, c.id)

        def build() -> Select[Any]:
            return select(*columns).where(
                c.source == bindparam("source", type_=TEXT()), s.among(c.ref, "refs", ids=False)
            )

        wanted = list(dict.fromkeys(refs))
        if not wanted:
            return {}
        rows = s.fetch(
            connection, ("lookup", entity), build, {"source": source, "refs": s.listed(wanted)}
        )
        return {row[0]: row[1] for row in rows}

    def owners(
        self, connection: Connection, path: Sequence[str], source: str, refs: Iterable[str]
    ) -> dict[str, int]:
        """The id of the owner above each ref that is stored; refs of nothing are left out.

        Args:
            path: record types, that of the refs first, each owned by a row of the next; the owner of
                the last is meant.
        """
        s = self.statements
        tables = [s.table(sql_name(name)) for name in path]

        def build() -> Select[Any]:
            joined: Any = tables[0]
            for below, above in pairwise(tables):
                joined = joined.join(above, above.c.id == below.c.owner_id)
            first = tables[0].c
            return (
                select(first.ref, tables[-1].c.owner_id)
                .select_from(joined)
                .where(
                    first.source == bindparam("source", type_=TEXT()),
                    s.among(first.ref, "refs", ids=False),
                )
            )

        wanted = list(dict.fromkeys(refs))
        if not wanted:
            return {}
        rows = s.fetch(
            connection, ("owners", *path), build, {"source": source, "refs": s.listed(wanted)}
        )
        return {row[0]: row[1] for row in rows if row[1] is not None}

    def any_of(self, connection: Connection, entity: str, source: str) -> bool:
        """Whether anything of this source is stored; if not, a first load need not compare."""
        s = self.statements
        if entity == CUSTOMER:
            table = s.table("customer_ref")
        elif entity in s.store.catalog.interaction_kinds:
            table = s.table("interaction")
        else:
            table = s.table(sql_name(entity))
        query = select(table.c.source).where(table.c.source == source)
        if table.name == "interaction":
            query = query.where(table.c.kind == entity)
        return connection.execute(query.limit(1)).first() is not None
