"""Outcomes of runs: Parquet files under ``runs/``, which are at once the table ``outcome`` (D7).

A run of a score, a segment or the rules writes one file, whole or not at all. The file of a later
run for the same name and date replaces what the earlier one said, because runs are compared by
``run``, which rises in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..declarations import sql_name
from ..entities.asof import AsOf
from ..errors import StorageError

SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("subject_type", pa.string()),
        ("subject_id", pa.int64()),
        ("kind", pa.string()),
        ("as_of", pa.timestamp("us")),
        ("as_of_on", pa.date32()),
        ("run", pa.string()),
        ("value", pa.float64()),
        ("band", pa.int64()),
        ("reasons", pa.string()),
        ("evidence", pa.string()),
        ("model_version", pa.string()),
        ("inputs_hash", pa.string()),
    ]
)
# Keys of what a file says of its run.
AS_OF, KIND = "as_of", "kind"


def write_run(
    runs: Path, *, name: str, kind: str, subject: str, as_of: AsOf, run: str,
    columns: Mapping[str, Sequence[Any] | pa.Array | pa.ChunkedArray],
    told: Mapping[str, str] | None = None,
) -> Path:  # fmt: skip
    """Keeps the outcomes of one run and returns the file.

    Args:
        runs: the workspace's folder of runs.
        name: of the score, segment or rule. kind: ``score``, ``segment`` or ``rule``.
        subject: ``customer`` or a record type.
        run: its id; ids of later runs sort after earlier ones.
        columns: equally long; ``subject_id`` and any of ``value``, ``band``, ``reasons``,
            ``evidence`` (JSON text), ``model_version``, ``inputs_hash``.
        told: what else the file says of the run, beside its as-of (:func:`told_by`).

    Raises:
        StorageError: if the file cannot be written.
    """
    size = len(columns["subject_id"])
    constant = {
        "name": name, "subject_type": subject, "kind": kind, "run": run,
        "as_of": as_of.instant.replace(tzinfo=None), "as_of_on": as_of.on,
    }  # fmt: skip
    arrays = []
    for part in SCHEMA:
        if part.name in constant:
            arrays.append(pa.repeat(pa.scalar(constant[part.name], part.type), size))
        elif part.name in columns:
            arrays.append(_array(columns[part.name], part.type))
        else:
            arrays.append(pa.nulls(size, part.type))
    folder = runs / sql_name(name)
    target = folder / f"{as_of.on.isoformat()}-{run}.parquet"
    draft = target.with_suffix(".draft")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        instant = as_of.instant.replace(tzinfo=None)
        said = {AS_OF: instant.isoformat(), KIND: kind, **(told or {})}
        pq.write_table(
            pa.table(arrays, schema=SCHEMA.with_metadata(said)), draft, compression="zstd"
        )
        draft.replace(target)
    except OSError as error:
        raise StorageError(f"the run cannot be kept in {folder}: {error.strerror}.") from error
    return target


def told_by(path: Path) -> dict[str, str]:
    """What a file says of its run: AS_OF and KIND, even where the run has no row, and more."""
    return {
        key.decode(): value.decode() for key, value in (pq.read_schema(path).metadata or {}).items()
    }


def seen_until(path: Path) -> datetime | None:
    """The as-of of a run (UTC without zone); None for one without rows of an older version."""
    said = told_by(path).get(AS_OF)
    if said is not None:
        return datetime.fromisoformat(said)
    instants = pq.read_table(path, columns=[AS_OF], partitioning=None).column(AS_OF)
    found: datetime | None = instants[0].as_py() if len(instants) else None
    return found


def current_files(runs: Path) -> list[Path]:
    """The file of the last run for each name, kind and as-of, also where it found nobody."""
    last: dict[tuple[object, ...], Path] = {}
    # By stem: with its ending, a second run of one instant would come before the first.
    for path in sorted(runs.glob("*/*.parquet"), key=lambda one: (one.parent, one.stem)):
        last[path.parent, told_by(path).get(KIND), seen_until(path)] = path
    return list(last.values())


def _array(values: Sequence[Any] | pa.Array | pa.ChunkedArray, kind: pa.DataType) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.cast(kind)
    return pa.array(values, kind)
