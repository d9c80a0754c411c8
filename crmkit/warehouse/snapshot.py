"""Refreshes the snapshot by whole transactions (design D2).

What a refresh takes is every committed transaction that the manifest does not list, looking back a
day: with two writers a transaction with a lower id may commit after one with a higher, so a mark
"all up to here" would lose rows for ever. Rows are never changed in place. Facts and versions of
customers and records only ever gain rows, so an increment is new files and a new manifest. A table
with a file that is missing or damaged is read anew.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve, field, frozen

from ..declarations import CUSTOMER
from ..errors import CrmkitError, StorageError
from ..progress import steps
from . import existence
from .layout import CUSTOMER_TABLE, FACT_COLUMNS, Layout, Shape, WarehouseTable, fact_table
from .manifest import (
    FILE,
    Manifest,
    Part,
    TableState,
    is_damaged,
    read_manifest,
    sync,
    write_manifest,
)
from .parts import PartWriter, joined
from .reading import LOOK_BACK, StoreReader, raw_types, select

if TYPE_CHECKING:
    from sqlalchemy import URL

LOCK = ".lock"
# A reader names its files when it opens and may still be at them after a rebuild.
GRACE_SECONDS = 3600
# More small files than this in one table are made into one.
SMALL_ROWS, MOST_SMALL = 100_000, 24


@frozen(kw_only=True)
class Snapshot:
    """What a refresh left.

    Attributes:
        transactions: in the snapshot. added: of them, taken by this refresh.
        tables: rows by table; versions count as rows.
        seconds: how long it took.
        full: whether everything was read anew.
        replaced: files that were missing or damaged and whose rows were read anew.
    """

    transactions: int
    added: int
    tables: Mapping[str, int] = field(hash=False)
    seconds: float
    full: bool
    replaced: tuple[str, ...] = ()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the warehouse for writing; waits while another process does.

    Raises:
        StorageError: if the folder, or what is written into it, cannot be written.
    """
    handle = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    except CrmkitError:
        raise
    except OSError as error:
        told = error.strerror or str(error)
        raise StorageError(f"the warehouse {folder} cannot be written: {told}.") from error
    finally:
        # Closing gives the lock back, as does the death of the process.
        if handle is not None:
            os.close(handle)


def refresh(
    folder: Path, layout: Layout, url: URL, time_zone: str, *, full: bool = False,
    suspects: Collection[str] | None = (),
) -> Snapshot:  # fmt: skip
    """Brings the snapshot in ``folder`` up to the store's committed transactions.

    Args:
        layout: the tables to keep.
        url: of the store.
        time_zone: in which days begin and end.
        full: True reads everything anew.
        suspects: tables whose files are compared with their checksums; None is all. That a file of
            any table is there and has its size is always looked at.

    Raises:
        Busy, StorageError: if store or folder cannot be used; the old snapshot stands.
    """
    started = time.monotonic()
    with locked(folder):
        found = read_manifest(folder)
        lost = found is None and is_damaged(folder)
        before = found or _without_manifest(folder, keep=lost)
        _remove_leftovers(folder, before)
        damaged = {} if found is None else damaged_files(folder, found, suspects)
        whole = full or found is None
        if damaged.keys() - {table.name for table in _kept(layout)}:
            # Of a plugin that is disabled: its rows are facts among all others.
            whole = True
        with StoreReader(url, after=None if whole or damaged else before.newest) as reader:
            base = None if whole else _still_fitting(before, reader, time_zone)
            made, added = _build(folder, layout, reader, base, before, time_zone, set(damaged))
        if made is not base:
            _publish(folder, made)
    return Snapshot(
        transactions=made.count,
        added=added,
        tables={
            name: state.rows
            for name, state in sorted(made.tables.items())
            if name != existence.TABLE
        },
        seconds=time.monotonic() - started,
        full=base is None,
        replaced=(FILE,)
        if lost
        else tuple(sorted(file for files in damaged.values() for file in files)),
    )


def damaged_files(
    folder: Path, manifest: Manifest, suspects: Collection[str] | None = None
) -> dict[str, list[str]]:
    """Files of a snapshot that are missing or not as they were written, by table.

    Args:
        suspects: tables whose files are read and compared with their checksums; None is all. Of
            others only presence and size are looked at.

    Raises:
        StorageError: if a file is there and cannot be read.
    """
    found: dict[str, list[str]] = {}
    for name, state in manifest.tables.items():
        hashed = suspects is None or name in suspects
        for part in state.parts:
            if not is_sound(folder, part, hashed=hashed):
                found.setdefault(name, []).append(part.file)
    return found


def is_sound(folder: Path, part: Part, *, hashed: bool = True) -> bool:
    """Whether a file is there and as it was written, or, without ``hashed``, of that size.

    Raises:
        StorageError: if it is there and cannot be read.
    """
    path = folder / part.file
    try:
        return part.checksum.fits(path) if hashed else part.checksum.fits_size(path)
    except OSError as error:
        told = error.strerror or str(error)
        raise StorageError(f"the warehouse file {path} cannot be read: {told}.") from error


def is_stale(manifest: Manifest | None, layout: Layout, time_zone: str, recent: set[int]) -> bool:
    """Whether a refresh would change the snapshot.

    Args:
        recent: the store's transactions with ``id >= since(manifest)``.
    """
    if manifest is None or manifest.time_zone != time_zone:
        return True
    if any(_outdated(manifest.tables.get(t.name), t) for t in _kept(layout)):
        return True
    return bool(recent - manifest.listed) or (manifest.newest > 0 and manifest.newest not in recent)


def since(manifest: Manifest | None) -> int:
    """The lowest transaction id that may be new."""
    return max(0, manifest.newest - LOOK_BACK) if manifest else 0


def unlisted(manifest: Manifest, reader: StoreReader) -> dict[int, int]:
    """Committed transactions that the manifest does not list: id → lowest id drawn."""
    found = reader.transactions(since(manifest))
    return {tx: low for tx, low in found.items() if tx not in manifest.listed}


def _still_fitting(manifest: Manifest, reader: StoreReader, time_zone: str) -> Manifest | None:
    """The manifest, unless it is of another zone or another database."""
    if manifest.time_zone != time_zone:
        return None
    if manifest.newest and manifest.newest not in reader.transactions(manifest.newest):
        # The store was replaced, by a restore or a new one: nothing here can be trusted.
        return None
    if any(tx not in manifest.listed for tx in reader.reverts(since(manifest))):
        # An import was taken back: rows that the files hold are no longer in the store.
        return None
    return manifest


def _kept(layout: Layout) -> list[WarehouseTable]:
    return [t for t in layout.tables.values() if t.shape is not Shape.OUTCOME]


def _outdated(state: TableState | None, table: WarehouseTable) -> bool:
    """Whether a table's files must be written anew or its columns noted."""
    return state is None or dict(state.types) != table.types


def _must_reread(state: TableState | None, table: WarehouseTable) -> bool:
    """Whether the old files of a table cannot stay.

    A new column is no reason: older rows do not have it. A column that is gone may be one that
    became personal, and must go from the files. A kind that nobody declared had no payload read.
    """
    if state is None:
        return True
    if any(table.types.get(name) != kind for name, kind in state.types.items()):
        return True
    undeclared = table.shape is Shape.FACT and len(state.types) == len(FACT_COLUMNS)
    return undeclared and len(table.types) > len(FACT_COLUMNS)


def _build(
    folder: Path, layout: Layout, reader: StoreReader, base: Manifest | None,
    before: Manifest, time_zone: str, damaged: set[str],
) -> tuple[Manifest, int]:  # fmt: skip
    """The manifest after this refresh (``base`` itself if nothing changed), and how many tx it adds.

    Args:
        base: whose files stay, but for those of the tables in ``damaged``; None reads all anew.
        before: what the folder held until now.
    """
    old = base or Manifest(time_zone=time_zone)
    new = unlisted(old, reader)
    tables = _kept(layout)
    anew = {t.name for t in tables if _must_reread(old.tables.get(t.name), t)}
    anew |= damaged & {t.name for t in tables}
    if not (new or anew or any(_outdated(old.tables.get(t.name), t) for t in tables)) and base:
        return base, 0
    serial = before.serial + 1
    with PartWriter(folder, serial, time_zone) as writer:
        for table in tables:
            writer.open(table)
        _read_versioned(reader, writer, tables, anew, new)
        _read_facts(reader, writer, layout, old, anew, new)
        written = writer.finish()
        states = {
            name: joined(None if name in anew else old.tables.get(name), state, state.types)
            for name, state in written.items()
        }
        states |= _first_known(folder, writer, layout, states, written, old, time_zone)
        states = {
            name: _compacted(folder, writer, layout, name, state) for name, state in states.items()
        }
    made = old.with_tables(states)
    newest = max([old.newest, *new])
    made = evolve(
        made, newest=newest, count=old.count + len(new), serial=serial,
        listed=frozenset(tx for tx in {*old.listed, *new} if tx >= newest - LOOK_BACK),
    )  # fmt: skip
    return evolve(made, retired=_retired(before, made)), len(new)


def _first_known(
    folder: Path, writer: PartWriter, layout: Layout, states: Mapping[str, TableState],
    written: Mapping[str, TableState], old: Manifest, time_zone: str,
) -> dict[str, TableState]:  # fmt: skip
    """The states of the customers and of their rows of version 0, with those that are new.

    Only what is new is searched, unless the customers were read anew or some were merged: then all.
    """
    customers = states[CUSTOMER]
    before = old.tables.get(existence.TABLE) or TableState(CUSTOMER_TABLE.types)
    anew = len(written[CUSTOMER].parts) == len(customers.parts)
    if anew:
        before = evolve(before, parts=())
    # A table that nobody declares any more has no new parts, and its old ones are searched as well.
    now = {**old.tables, **states} if anew or written[CUSTOMER].merged else written
    records = {table.name for table in existence.owned_by_customers(layout)}

    def files(of: Callable[[str, TableState], bool]) -> list[Path]:
        return [
            folder / part.file
            for name, state in now.items()
            if of(name, state)
            for part in state.parts
            if part in written.get(name, state).parts or is_sound(folder, part)
        ]

    facts = files(lambda name, state: "kind_" in state.types)
    owned = files(lambda name, state: name in records)
    if customers.parts and (facts or owned):
        known = [folder / part.file for part in (*customers.parts, *before.parts)]
        sql = existence.version_zero_sql(known, facts, owned, time_zone, merged=customers.merged)
        part = writer.derive(evolve(CUSTOMER_TABLE, name=existence.TABLE), sql)
        if part.rows:
            before = evolve(before, parts=(*before.parts, part))
        else:
            (folder / part.file).unlink()
    several = customers.several or bool(before.parts)
    return {CUSTOMER: evolve(customers, several=several), existence.TABLE: before}


def _read_versioned(
    reader: StoreReader, writer: PartWriter, tables: Iterable[WarehouseTable], anew: set[str],
    new: Mapping[int, int],
) -> None:  # fmt: skip
    versioned = [table for table in tables if table.shape.versioned]
    for table in steps(versioned, lambda table: f"snapshot of {table.name}"):
        if table.name in anew:
            for batch in reader.batches(select(table), raw_types(table)):
                writer.add(table, batch)
    if not new:
        return
    low = min(new)
    keep = pa.array(sorted(new), pa.int64())
    # A version that a new transaction closed again was made by one that is not older.
    closed = f"i.closed_tx >= {low} AND i.tx >= {low}"
    grown = {t.name: select(t, f"i.tx >= {low}", closed) for t in versioned if t.name not in anew}
    # Most tables gained nothing, and asking each would cost more than reading those that did.
    filled = reader.filled(grown)
    for table in steps(versioned, lambda table: f"snapshot of {table.name}"):
        if table.name in filled:
            for batch in reader.batches(grown[table.name], raw_types(table)):
                writer.add(table, _only(batch, keep))


def _read_facts(
    reader: StoreReader, writer: PartWriter, layout: Layout, old: Manifest, anew: set[str],
    new: Mapping[int, int],
) -> None:  # fmt: skip
    """Facts and stage changes. All kinds come in one pass over the store's table."""
    keep = pa.array(sorted(new), pa.int64())
    recent = f"i.id >= {min(new.values())} AND i.tx >= {min(new)}" if new else ""
    change = layout.tables["stage_change"]
    passes: list[tuple[WarehouseTable, str, pa.Array | None]] = []
    if change.name in anew:
        passes.append((change, "", None))
    elif new:
        passes.append((change, recent, keep))
    any_kind = fact_table("any")
    facts = layout.facts
    read_anew = {kind for kind, table in facts.items() if table.name in anew}
    if not old.tables:
        passes.append((any_kind, "", None))
    else:
        listed = ", ".join("'" + kind.replace("'", "''") + "'" for kind in sorted(read_anew))
        if read_anew:
            passes.append((any_kind, f"i.kind IN ({listed})", None))
        if new:
            others = f" AND i.kind NOT IN ({listed})" if read_anew else ""
            passes.append((any_kind, recent + others, keep))
    for table, where, only in steps([*passes], lambda one: f"snapshot of {one[0].name}"):
        for batch in reader.batches(select(table, where), raw_types(table)):
            rows = _only(batch, only)
            if table.shape is Shape.FACT:
                for kind, of_kind in _by_kind(rows):
                    writer.add(facts.get(kind) or fact_table(kind), of_kind)
            else:
                writer.add(table, rows)


def _only(batch: pa.RecordBatch, transactions: pa.Array | None) -> pa.RecordBatch:
    if transactions is None:
        return batch
    mask = pc.is_in(batch["tx"], value_set=transactions)
    return batch if pc.all(mask).as_py() else batch.filter(mask)


def _by_kind(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    kinds = batch["kind_"]
    found = pc.unique(kinds).to_pylist()
    for kind in found:
        yield kind, batch if len(found) == 1 else batch.filter(pc.equal(kinds, kind))


def _compacted(
    folder: Path, writer: PartWriter, layout: Layout, name: str, state: TableState
) -> TableState:
    small = [part for part in state.parts if part.rows < SMALL_ROWS]
    table = layout.tables.get(name)
    if len(small) <= MOST_SMALL or table is None:
        return state
    if not all(is_sound(folder, part) for part in small):
        # The checksum of the file to be written would vouch for what is damaged; the next
        # reader of the old files finds the damage and has the table read anew.
        return state
    whole = writer.compact(table, small)
    large = tuple(part for part in state.parts if part.rows >= SMALL_ROWS)
    return evolve(state, parts=(*large, whole))


def _without_manifest(folder: Path, *, keep: bool) -> Manifest:
    """An empty snapshot in place of one whose manifest cannot be read, with a serial of its own.

    Args:
        keep: whether readers may still be at the files that are there.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.parquet"))
    serials = [int(found[1]) for file in files if (found := re.search(r"/(\d+)-\d+\.", file))]
    retired = dict.fromkeys(files, time.time()) if keep else {}
    return Manifest(serial=max(serials, default=0), retired=retired)


def _retired(before: Manifest, made: Manifest) -> dict[str, float]:
    """Files that stay for readers who are still at them, with the time since when they may go."""
    now = time.time()
    kept = {file: at for file, at in before.retired.items() if now - at < GRACE_SECONDS}
    return {**kept, **dict.fromkeys(sorted(before.files - made.files), now)}


def _remove_leftovers(folder: Path, manifest: Manifest) -> None:
    """Removes what a killed refresh left and what no reader can still be at."""
    now = time.time()
    named = manifest.files
    named |= {file for file, at in manifest.retired.items() if now - at < GRACE_SECONDS}
    for path in folder.glob("*/*.parquet"):
        if path.relative_to(folder).as_posix() not in named:
            path.unlink(missing_ok=True)


def _publish(folder: Path, made: Manifest) -> None:
    fresh = [part for state in made.tables.values() for part in state.parts if _is_of(part, made)]
    paths = [folder / part.file for part in fresh]
    sync([*paths, *{path.parent for path in paths}])
    write_manifest(folder, made)


def _is_of(part: Part, made: Manifest) -> bool:
    return part.file.split("/")[1].startswith(f"{made.serial:06d}-")
