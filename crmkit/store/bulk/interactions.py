"""Interactions by source, kind and ref; a changed one is a new revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from sqlalchemy import TEXT, bindparam, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from .block import CREATED, UPDATED, Block, Values, Written
from .statements import Statements
from .upsert import ID, SINCE, TX, VALUES, Stored, Upsert, first_positions, pick, spread

if TYPE_CHECKING:
    from ..store import Tx
    from .feed import Feed


class InteractionUpsert(Upsert):
    """Interactions of one kind by ``(source, ref)``; a changed one is a new revision."""

    def __init__(
        self, statements: Statements, entity: str, source: str, feed: Feed | None = None
    ) -> None:
        super().__init__(statements, entity, source, feed)
        self.table = statements.table("interaction")
        self.revisions: list[Stored] = []

    def prepare(self, connection: Connection, block: Block, refs: Iterable[str]) -> None:
        """Looks up the latest revision of each of ``refs``."""
        names, s, c = (*block.columns, "customer_id", "subject_id"), self.statements, self.table.c
        wanted = list(dict.fromkeys(refs))
        self.found, self.revisions = {}, []
        if not wanted:
            return

        def build() -> Select[Any]:
            return (
                select(c.ref, c.id, c.revision, c.tx, *(c[n] for n in names))
                .where(
                    c.kind == bindparam("kind", type_=TEXT()),
                    c.source == bindparam("source", type_=TEXT()),
                    s.among(c.ref, "refs", ids=False),
                )
                .order_by(c.revision)
            )

        rows = s.fetch(
            connection, (self.entity, names), build,
            {"kind": self.entity, "source": self.source, "refs": s.listed(wanted)},
        )  # fmt: skip
        self.revisions = rows
        # In order of revision, so that the latest stands.
        self.found = {row[0]: row for row in rows}

    def write(
        self,
        tx: Tx,
        block: Block,
        customers: Sequence[int | None],
        subjects: Sequence[int | None] | None,
        subject_type: str | None,
    ) -> Written:
        """Writes new interactions, and a revision of each that differs from its latest one."""
        at = self.statements.instant(tx.at)
        about: Sequence[int | None] = [None] * block.size if subjects is None else subjects
        columns: dict[str, Values] = {
            **block.columns, "customer_id": customers, "subject_id": about,
        }  # fmt: skip
        first = first_positions(block.refs)
        outcomes: dict[Any, int] = {}
        if self.found:
            new = list(zip(*columns.values(), strict=True))
            for ref, i in first.items():
                stored = self.found.get(ref)
                if stored is None:
                    outcomes[ref] = CREATED
                elif stored[VALUES] != new[i]:
                    outcomes[ref] = UPDATED
            self._keep_corrections(tx, outcomes, first, new)
        else:
            outcomes = dict.fromkeys(first, CREATED)
        refs = list(outcomes)
        rows = [first[r] for r in refs]
        new_ids = tx.take_ids(len(refs))
        ids = {r: stored[ID] for r, stored in self.found.items()}
        ids |= zip(refs, new_ids, strict=True)
        found = self.found
        types = [subject_type if s is not None else None for s in pick(about, rows)]
        self.statements.insert(
            tx.connection,
            self.table,
            {
                "id": new_ids,
                "kind": repeat(self.entity),
                "direction": repeat("none"),
                **{n: pick(v, rows) for n, v in columns.items()},
                "recorded_at": repeat(at),
                "source": repeat(self.source),
                "ref": refs,
                "revision": [found[r][SINCE] + 1 if r in found else 1 for r in refs],
                "subject_type": types,
                "tx": repeat(tx.id),
            },
            len(refs),
        )
        tx.count(self.entity, len(refs))
        return spread(block.refs, first, ids, outcomes)

    def _keep_corrections(
        self, tx: Tx, outcomes: dict[Any, int], first: Mapping[Any, int], new: list[Any]
    ) -> None:
        """Takes out what says what its source said last, where somebody else has revised it since."""
        changed = [self.found[ref] for ref, outcome in outcomes.items() if outcome == UPDATED]
        others = self._others(tx, changed)
        foreign = {row[0] for row in changed if row[TX] in others}
        if not foreign:
            return
        mine = [row for row in self.revisions if row[0] in foreign]
        others = self._others(tx, mine)
        said = {row[0]: row[VALUES] for row in mine if row[TX] not in others}
        for ref in foreign:
            if said.get(ref) == new[first[ref]]:
                del outcomes[ref]
                self.kept += 1
