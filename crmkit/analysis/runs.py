"""Runs: where the outcomes of scores, segments and rules are kept (design D7).

Each run is one Parquet file under ``runs/``, kept for good: it is the history, and the warehouse
table ``outcome`` reads it. The store keeps the latest outcome of each subject, replaced in one
transaction. Only ids enter a run, never a name or a reference (D17).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ..declarations import sql_name
from ..entities.asof import AsOf
from ..warehouse.runs import KIND, SCHEMA, read_run, seen_until, told_by, write_run

if TYPE_CHECKING:
    from ..store.store import Store

_DAY = len("2026-03-31")
_STAMP = "%Y%m%dT%H%M%S%fZ"
_STAMPED = len("20260331T120000000000Z")
# What a file says if it is of some subjects alone: their ids as a JSON list.
ONLY = "only"
# The same in every row of a file, so that a row of another run brings none of it along.
_OF_RUN = ("name", "subject_type", "kind", "as_of", "as_of_on", "run")


@frozen(kw_only=True)
class Run:
    """One run of a score, a segment or a rule.

    Attributes:
        name: what was run; ``kind`` is ``score``, ``segment`` or ``rule``.
        run: the run's id, the instant in which it was made; later runs sort later.
        table: its outcomes, columns of :data:`crmkit.warehouse.runs.SCHEMA`, in order of subject.
        warnings: what the reader should know, one sentence each.
    """

    name: str
    kind: str
    as_of: AsOf
    run: str
    table: pa.Table = field(repr=False, hash=False)
    warnings: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """The outcomes as dictionaries, reasons and evidence read from their JSON."""
        return outcome_rows(self.table)


@frozen(kw_only=True)
class Told:
    """What one kept run says of one subject.

    Attributes:
        as_of: UTC; ``on`` is its local day. made_at: when the run was made, UTC.
        found: whether the subject is among its outcomes; if not, the rest is empty.
        version: of the model or of the rule's text.
    """

    as_of: datetime
    on: date
    made_at: datetime
    found: bool
    value: float | None = None
    reasons: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(factory=dict, hash=False)
    version: str | None = None


def outcome_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of a run's table as dictionaries, reasons and evidence read from their JSON."""
    found: list[dict[str, Any]] = table.to_pylist()
    for row in found:
        for key in ("reasons", "evidence"):
            row[key] = None if row[key] is None else json.loads(row[key])
    return found


class Runs:
    """Writes and reads runs.

    Args:
        folder: the workspace's ``runs/``.
        store: keeps the latest outcomes.
        clock: returns the aware UTC now.
    """

    def __init__(self, folder: Path, store: Store, clock: Callable[[], datetime]) -> None:
        self._folder, self._store, self._clock = folder, store, clock

    def write(
        self,
        kind: str,
        name: str,
        subject: str,
        as_of: AsOf,
        outcomes: Mapping[str, Sequence[Any] | pa.Array | pa.ChunkedArray],
        *,
        standing: pa.Table | None = None,
        only: Collection[int] | None = None,
        told: Mapping[str, str] | None = None,
    ) -> Run:
        """Keeps a run, and makes it the latest unless a run of a later day is.

        Args:
            kind: ``score``, ``segment`` or ``rule``.
            name: what was run.
            subject: ``customer`` or a record type.
            as_of: what the run could see.
            outcomes: ``subject_id`` and any of value, band, reasons, evidence, model_version,
                inputs_hash; reasons are lists of words and evidence dictionaries, or their JSON.
            standing: outcomes of earlier runs that still hold and stay in the store beside these.
            only: the subjects that were looked at; what was kept of others for this as-of, and
                their latest outcomes, stay. None means that everyone was.
            told: what else the file says of the run.

        Raises:
            StorageError: if the disk or the store fails.
        """
        run = self._stamp(name)
        columns = {key: _as_text(key, values) for key, values in outcomes.items()}
        if only is not None:
            columns = self._beside_others(kind, name, as_of, columns, only)
            told = {**(told or {}), **self._of_some(name, as_of, only)}
        path = write_run(
            self._folder, name=name, kind=kind, subject=subject, as_of=as_of, run=run,
            columns=columns, told=told,
        )  # fmt: skip
        table = _ordered(read_run(path))
        if only is not None:
            table = table.filter(_among(table, only))
        if self._is_latest(kind, name, as_of):
            latest = [table] if standing is None else [table, standing]
            self._store.outcomes.replace(name, _stored(latest), subjects=only)
        return Run(name=name, kind=kind, as_of=as_of, run=run, table=table)

    def _beside_others(
        self, kind: str, name: str, as_of: AsOf, columns: Mapping[str, Any], only: Collection[int]
    ) -> dict[str, Any]:
        """The columns with what was kept of other subjects: the last file of a date is whole."""
        kept = self.at(kind, name, as_of)
        others = kept.filter(pc.invert(_among(kept, only)))
        size = len(columns["subject_id"])
        return {
            part.name: pa.chunked_array(
                [
                    *others.column(part.name).chunks,
                    *_chunks(columns.get(part.name, [None] * size), part.type),
                ],
                part.type,
            )
            for part in SCHEMA
            if part.name not in _OF_RUN
        }

    def _of_some(self, name: str, as_of: AsOf, only: Collection[int]) -> dict[str, str]:
        """What the file says of whom it is; nothing where a run for everyone is in it."""
        ids = set(only)
        for day, path in reversed(self._files(name)):
            if day == as_of.on and seen_until(path) == _naive(as_of):
                before = told_by(path).get(ONLY)
                if before is None:
                    return {}
                ids |= set(json.loads(before))
                break
        return {ONLY: json.dumps(sorted(ids))}

    def latest(self, kind: str, name: str, at: AsOf | None = None) -> pa.Table | None:
        """The outcomes of the last run made for exactly ``at``; for None those of the latest day.

        A run that has no outcome is not found, for it says nothing of anybody.
        """
        for day, path in reversed(self._files(name)):
            if at is not None and day != at.on:
                continue
            table = _read(path, kind)
            if len(table) and (at is None or table.column("as_of")[0].as_py() == _naive(at)):
                return table
        return None

    def before(self, kind: str, name: str, first: date, end: datetime) -> pa.Table:
        """Outcomes from the day ``first`` on with an as-of before ``end`` (UTC).

        Of several runs for one as-of the last counts, even if nobody is in it.
        """
        last: dict[datetime, Path] = {}
        for day, path in self._files(name):
            as_of = seen_until(path) if day >= first else None
            if as_of is not None and as_of < end.astimezone(UTC).replace(tzinfo=None):
                last[as_of] = path
        tables = [_read(path, kind) for path in last.values()]
        return pa.concat_tables(tables) if tables else SCHEMA.empty_table()

    def at(self, kind: str, name: str, as_of: AsOf) -> pa.Table:
        """The outcomes of the last run made for exactly ``as_of``; no row if none or nobody."""
        for day, path in reversed(self._files(name)):
            if day == as_of.on and seen_until(path) == _naive(as_of):
                return _read(path, kind)
        return SCHEMA.empty_table()

    def newest(self, name: str, as_of: AsOf) -> str:
        """Day and id of the last kept run by a date, empty where there is none."""
        files = [path.stem for day, path in self._files(name) if day <= as_of.on]
        return files[-1] if files else ""

    def told(self, name: str) -> Iterator[tuple[date, dict[str, str]]]:
        """What every kept run says of itself, with its as-of day, oldest first."""
        for day, path in self._files(name):
            yield day, told_by(path)

    def told_of(self, kind: str, name: str, subject_id: int, end: datetime) -> list[Told]:
        """What every kept run up to an as-of says of a subject, oldest first.

        Runs of other subjects alone say nothing and are left out.

        Args:
            end: UTC; runs for exactly this instant count.
        """
        found = []
        until = end.astimezone(UTC).replace(tzinfo=None)
        for day, path in self._files(name):
            as_of, said = seen_until(path), told_by(path)
            if as_of is None or as_of > until or said.get(KIND, kind) != kind:
                continue
            if ONLY in said and subject_id not in json.loads(said[ONLY]):
                continue
            mine = [("subject_id", "=", subject_id), ("kind", "=", kind)]
            rows = outcome_rows(read_run(path, filters=mine).cast(SCHEMA))
            row = rows[0] if rows else {}
            stamp = datetime.strptime(path.stem[_DAY + 1 :][:_STAMPED], _STAMP).replace(tzinfo=UTC)
            found.append(
                Told(
                    as_of=as_of.replace(tzinfo=UTC), on=day, made_at=stamp,
                    found=bool(rows), value=row.get("value"),
                    reasons=tuple(row.get("reasons") or ()), evidence=row.get("evidence") or {},
                    version=row.get("model_version"),
                )
            )  # fmt: skip
        return found

    def stored_of(
        self, kind: str, name: str, subject_id: int, end: datetime | None = None
    ) -> Iterator[dict[str, Any]]:
        """The outcome that runs have stored of a subject, as a row of a run, the last as-of first.

        Of several runs for one as-of the last counts; where it has no outcome of the subject, none is
        given.

        Args:
            end: UTC; only runs for this instant or an earlier one. None is every run.
        """
        until = None if end is None else end.astimezone(UTC).replace(tzinfo=None)
        mine = [("subject_id", "=", subject_id), ("kind", "=", kind)]
        for _, of_day in groupby(reversed(self._files(name)), key=lambda one: one[0]):
            last: dict[datetime, Path] = {}
            for _, path in of_day:
                as_of = seen_until(path)
                if as_of is not None and (until is None or as_of <= until):
                    last.setdefault(as_of, path)
            for as_of in sorted(last, reverse=True):
                yield from read_run(last[as_of], filters=mine).cast(SCHEMA).to_pylist()

    def sizes(self, kind: str, name: str) -> Iterator[dict[str, Any]]:
        """as_of (UTC without zone), run and members of every kept run that has any, oldest first."""
        for _, path in self._files(name):
            table = _read(path, kind)
            if table.num_rows:
                first = table.slice(0, 1).to_pylist()[0]
                yield {"as_of": first["as_of"], "run": first["run"], "members": table.num_rows}

    def _files(self, name: str) -> list[tuple[date, Path]]:
        """Every kept run of a name as (as-of day, file), by day and then by run."""
        # By stem: with its ending, a second run of one instant would come before the first.
        return sorted(self._dated(name), key=lambda one: (one[0], one[1].stem))

    def _dated(self, name: str) -> Iterator[tuple[date, Path]]:
        for path in (self._folder / sql_name(name)).glob("*.parquet"):
            yield date.fromisoformat(path.name[:_DAY]), path

    def _stamp(self, name: str) -> str:
        base = run = self._clock().strftime(_STAMP)
        taken = {path.stem[_DAY + 1 :] for _, path in self._dated(name)}
        again = 1
        # Two runs within one microsecond happen only under a fixed clock, but must not overwrite.
        while run in taken:
            again += 1
            run = f"{base}-{again:04}"
        return run

    def _is_latest(self, kind: str, name: str, as_of: AsOf) -> bool:
        return all(day <= as_of.on or not len(_read(path, kind)) for day, path in self._files(name))


def _naive(as_of: AsOf) -> datetime:
    return as_of.instant.replace(tzinfo=None)


def _read(path: Path, kind: str) -> pa.Table:
    table = read_run(path).cast(SCHEMA)
    # A score that became a rule of the same name has left its runs in the folder.
    return _ordered(table.filter(pc.equal(table.column("kind"), kind)))


def _among(table: pa.Table, subjects: Collection[int]) -> pa.ChunkedArray:
    return pc.is_in(table.column("subject_id"), value_set=pa.array(sorted(subjects), pa.int64()))


def _chunks(values: Any, kind: pa.DataType) -> list[pa.Array]:
    if isinstance(values, pa.ChunkedArray):
        return [chunk.cast(kind) for chunk in values.chunks]
    return [values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)]


def _ordered(table: pa.Table) -> pa.Table:
    return table.take(pc.sort_indices(table.column("subject_id")))


def _stored(tables: Sequence[pa.Table]) -> Iterator[dict[str, Any]]:
    """Rows as the store keeps them, batch by batch, so that a million of them fit in memory."""
    for table in tables:
        for batch in table.drop_columns(["as_of_on"]).to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                row["reasons"], row["evidence"] = row["reasons"] or "[]", row["evidence"] or "{}"
                yield row


def _as_text(key: str, values: Any) -> Any:
    if key not in ("reasons", "evidence") or isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    return [v if v is None or isinstance(v, str) else as_json(v) for v in values]


# Made once: json.dumps() with options makes one for every call.
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


def as_json(value: Any) -> str:
    """JSON of an outcome's reasons or evidence; dates become text, keys keep their order."""
    return _encode(value)
