"""Records of a plugin's type by source and ref."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from attrs import evolve
from sqlalchemy import TEXT, bindparam, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from ...declarations import sql_name
from .block import CREATED, Block, Written
from .statements import Statements
from .upsert import ID, VALUES, Upsert, change_rows, filled, first_positions, pick, spread
from .versioned import Versioned

if TYPE_CHECKING:
    from ..store import Tx
    from .feed import Feed


class RecordUpsert(Upsert):
    """Records of one type by ``(source, ref)``."""

    def __init__(
        self, statements: Statements, entity: str, source: str, feed: Feed | None = None
    ) -> None:
        super().__init__(statements, entity, source, feed)
        self.table = Versioned(statements, sql_name(entity), "id")
        declared = statements.store.catalog.record_types.get(entity)
        self.only_new = declared is not None and declared.append_only

    def prepare(
        self, connection: Connection, block: Block, refs: Iterable[str], *, owned: bool
    ) -> list[tuple[int, Any]]:
        """Looks up the records of ``refs``; ``owned`` says that :meth:`write` is given owners."""
        names = (*block.columns, "owner_id") if owned else tuple(block.columns)
        s, c = self.statements, self.table.current.c
        wanted = list(dict.fromkeys(refs))
        self.found = {}
        if not wanted:
            return []

        def build() -> Select[Any]:
            return select(c.ref, c.id, c.valid_from, c.tx, *(c[n] for n in names)).where(
                c.source == bindparam("source", type_=TEXT()), s.among(c.ref, "refs", ids=False)
            )

        rows = s.fetch(
            connection, (self.entity, names), build,
            {"source": self.source, "refs": s.listed(wanted)},
        )  # fmt: skip
        self.found = {row[0]: row for row in rows}
        return self._stale(connection, self.table, block.refs, block)

    def filed(self, block: Block) -> list[int]:
        """Positions of rows that would change a record which is filed and never changed."""
        if not self.only_new or not self.found:
            return []
        names, get = tuple(block.columns), self.found.get
        new = list(zip(*block.columns.values(), strict=True)) if names else [()] * block.size
        out = []
        for i, ref in enumerate(block.refs):
            if (stored := get(ref)) is not None:
                values = stored[VALUES][: len(names)]
                if filled(new[i], values, names, block.clears) != values:
                    out.append(i)
        return out

    def write(self, tx: Tx, block: Block, owners: Sequence[int | None] | None) -> Written:
        """Creates the new records and changes those that differ."""
        at = self.statements.instant(tx.at)
        if owners is not None:
            block = evolve(block, columns={**block.columns, "owner_id": owners})
        first = first_positions(block.refs)
        fresh = [r for r in first if r not in self.found]
        rows = [first[r] for r in fresh]
        ids = {ref: stored[ID] for ref, stored in self.found.items()}
        new_ids = tx.take_ids(len(fresh))
        ids |= zip(fresh, new_ids, strict=True)
        since = repeat(at) if block.valid_from is None else pick(block.valid_from, rows)
        self.statements.insert(
            tx.connection,
            self.table.current,
            {
                "id": new_ids,
                "source": repeat(self.source),
                "ref": fresh,
                **{n: pick(v, rows) for n, v in block.columns.items()},
                "valid_from": since,
                "version": repeat(1),
                "tx": repeat(tx.id),
            },
            len(fresh),
        )
        outcomes = dict.fromkeys(fresh, CREATED)
        outcomes |= change_rows(self, self.table, tx, block, first, at)
        tx.count(self.entity, sum(map(bool, outcomes.values())))
        return spread(block.refs, first, ids, outcomes)
