"""Whose rows have changed since a snapshot, or have become visible since a date.

A subject counts as changed when a transaction that the earlier snapshot did not have wrote any row
of it: its own, a record's, a fact's in any revision, or a stage's; when a row that was written
beforehand has become visible between the two dates; and when a customer was merged into it or taken
out of it again. Too many are harmless, one too few is a wrong answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from attrs import define, field, frozen

from ..declarations import CUSTOMER
from .engine import quoted, quoted_text
from .layout import INTERACTION, Shape, WarehouseTable
from .manifest import Manifest
from .portable import BASE
from .reading import LOOK_BACK
from .session import Session, SnapshotTables

SEEN, CHANGED = f"{BASE}seen_tx", f"{BASE}changed"
_RAW = "raw_"
_TIME = {Shape.FACT: "occurred_at", Shape.STAGE_CHANGE: "at"}


@frozen(kw_only=True)
class Seen:
    """What an earlier look had seen.

    Attributes:
        newest, listed: of the manifest of its snapshot.
        until: its as-of, UTC without zone.
    """

    newest: int
    listed: frozenset[int] = field(repr=False)
    until: datetime

    @classmethod
    def of(cls, manifest: Manifest, until: datetime) -> Seen:
        """What a look at a snapshot sees."""
        return cls(newest=manifest.newest, listed=manifest.listed, until=until)


@frozen(kw_only=True)
class Changed:
    """What has changed.

    Attributes:
        subjects: ids of the changed subjects, sorted. A record counts as changed with its customer.
        references: tables without owner that have changed: they may change anybody's answer.
    """

    subjects: pa.Array = field(repr=False)
    references: frozenset[str] = frozenset()


def find_changed(session: Session, subject: str, seen: Seen, until: datetime) -> Changed:
    """Which subjects have changed since ``seen``, as visible by ``until`` (UTC without zone).

    Args:
        session: over the snapshot as it is now.
        subject: ``customer`` or a record type that somebody owns.
    """
    tables = session.tables
    if not isinstance(tables, SnapshotTables):  # pragma: no cover - a fault in the caller
        raise TypeError("changes are looked for in a snapshot")
    return _Search(session, tables, seen, until).run(subject)


@define
class _Search:
    session: Session
    tables: SnapshotTables
    seen: Seen
    until: datetime
    found: dict[str, list[pa.ChunkedArray]] = field(factory=dict)

    def run(self, subject: str) -> Changed:
        listed = pa.table({"id": pa.array(sorted(self.seen.listed), pa.int64())})
        self.session.bind_rows(SEEN, listed)
        references = set()
        layout = self.tables.layout
        for table in (*layout.tables.values(), INTERACTION):
            if table.shape is Shape.OUTCOME or (
                table.shape is Shape.FACT and table is not INTERACTION
            ):
                continue  # the table of all kinds has every fact, those of absent plugins too
            self.tables.bind_files(self.session.engine, table, f"{_RAW}{table.name}")
            if table.shape is Shape.RECORD and table.owner is None:
                if self._ask(
                    f"SELECT id FROM {_RAW}{table.name} v WHERE {self._new(table)} LIMIT 1"
                ):
                    references.add(table.name)
                continue
            for whose, sql in self._queries(table):
                self._ask(sql, whose)
        records = {s: _ids(found) for s, found in self.found.items() if s != CUSTOMER}
        for entity, ids in records.items():
            self._owners(entity, ids)
        customers = self._with_merged(_ids(self.found.get(CUSTOMER, [])))
        if subject != CUSTOMER:
            self.found.setdefault(subject, []).append(self._records_of(subject, customers))
            customers = _ids(self.found[subject])
        return Changed(subjects=customers, references=frozenset(references))

    def _queries(self, table: WarehouseTable) -> Iterator[tuple[str, str]]:
        """Subject and SELECT of its ``id`` for every way in which a row of the table is somebody's."""
        raw, new = f"{_RAW}{table.name}", self._new(table)
        if table.shape in (Shape.CUSTOMER, Shape.CUSTOMER_FIELDS):
            yield CUSTOMER, f"SELECT DISTINCT v.id FROM {raw} v WHERE {new}"
        elif table.shape is Shape.RECORD:
            yield table.entity, f"SELECT DISTINCT v.id FROM {raw} v WHERE {new}"
        elif table.shape is Shape.STAGE_CHANGE:
            for subject in (CUSTOMER, *self._record_types()):
                yield (
                    subject,
                    (
                        f"SELECT DISTINCT v.record_id AS id FROM {raw} v "
                        f"WHERE {new} AND v.subject_type = {quoted_text(subject)}"
                    ),
                )
        else:
            # A correction may have given the fact to another: all its revisions count.
            facts = f"SELECT v.fact_id FROM {raw} v WHERE {new}"
            where = f"w.fact_id IN ({facts})"
            yield (
                CUSTOMER,
                (
                    f"SELECT DISTINCT w.customer_id AS id FROM {raw} w "
                    f"WHERE {where} AND w.customer_id IS NOT NULL"
                ),
            )
            for subject in self._record_types():
                yield (
                    subject,
                    (
                        f"SELECT DISTINCT w.record_id AS id FROM {raw} w "
                        f"WHERE {where} AND w.record_type = {quoted_text(subject)}"
                    ),
                )

    def _new(self, table: WarehouseTable) -> str:
        """Condition on ``v``: unseen, or visible only since."""
        at = f"v.{quoted(_TIME.get(table.shape, 'valid_from'))}"
        return (
            f"((v.tx >= {max(0, self.seen.newest - LOOK_BACK)} "
            f"AND v.tx NOT IN (SELECT id FROM {SEEN})) OR ({at} >= {_instant(self.seen.until)} "
            f"AND {at} < {_instant(self.until)}))"
        )

    def _record_types(self) -> Iterator[str]:
        for table in self.tables.layout.tables.values():
            if table.shape is Shape.RECORD:
                yield table.entity

    def _owners(self, entity: str, ids: pa.Array) -> None:
        """Adds the customers above records, through every version of every record on the way."""
        table = self.tables.layout.record(entity)
        while table.owner is not None and len(ids):
            self.session.bind_rows(CHANGED, pa.table({"id": ids}))
            owners = self.session.engine.query(
                f"SELECT DISTINCT v.owner_id AS id FROM {_RAW}{table.name} v "
                f"WHERE v.id IN (SELECT id FROM {CHANGED}) AND v.owner_id IS NOT NULL",
                {},
            )["id"]
            if table.owner == CUSTOMER:
                self.found.setdefault(CUSTOMER, []).append(owners)
                return
            self.found.setdefault(table.owner, []).append(owners)
            ids, table = _ids([owners]), self.tables.layout.record(table.owner)

    def _records_of(self, entity: str, customers: pa.Array) -> pa.ChunkedArray:
        """Records that are or were a customer's, through the records above them."""
        table = self.tables.layout.record(entity)
        owners = customers
        if table.owner is None:
            return pa.chunked_array([], pa.int64())
        if table.owner != CUSTOMER:
            owners = _ids([self._records_of(table.owner, customers)])
        self.session.bind_rows(CHANGED, pa.table({"id": owners}))
        return self.session.engine.query(
            f"SELECT DISTINCT v.id FROM {_RAW}{table.name} v "
            f"WHERE v.owner_id IN (SELECT id FROM {CHANGED})",
            {},
        )["id"]

    def _with_merged(self, ids: pa.Array) -> pa.Array:
        """With whom these customers were ever merged into, at any remove."""
        while len(ids):
            self.session.bind_rows(CHANGED, pa.table({"id": ids}))
            more = self.session.engine.query(
                f"SELECT DISTINCT v.merged_into AS id FROM {_RAW}{CUSTOMER} v "
                f"WHERE v.id IN (SELECT id FROM {CHANGED}) AND v.merged_into IS NOT NULL",
                {},
            )["id"]
            wider = _ids([pa.chunked_array([ids]), more])
            if len(wider) == len(ids):
                break
            ids = wider
        return ids

    def _ask(self, sql: str, subject: str = "") -> bool:
        ids = self.session.engine.query(sql, {})["id"]
        if len(ids) and subject:
            self.found.setdefault(subject, []).append(ids)
        return len(ids) > 0


def _ids(found: list[pa.ChunkedArray]) -> pa.Array:
    if not found:
        return pa.array([], pa.int64())
    chunks = [chunk for one in found for chunk in one.cast(pa.int64()).chunks]
    whole = pa.chunked_array(chunks, pa.int64()).unique().drop_null()
    ordered = whole.take(pc.sort_indices(whole))
    return ordered


def _instant(instant: datetime) -> str:
    return f"TIMESTAMP '{instant:%Y-%m-%d %H:%M:%S.%f}'"
