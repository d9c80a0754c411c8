"""Outcomes of runs: Parquet files under ``runs/``, which are at once the table ``outcome`` (D7).

A run of a score, a segment or the rules writes one file, whole or not at all. The file of a later
run for the same name and date replaces what the earlier one said, because runs are compared by
``run``, which rises in time.

Beside every file stands ``<file>.sha256`` as ``sha256sum`` writes and checks it, with a second line
for the end of the file, where Parquet says what the file holds: so the last run of a date is found
without reading all of each. A run cannot be made again as it was, so a damaged file is refused by
name. Files of versions that wrote no checksum are taken as they are.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from attrs import frozen

from ..declarations import sql_name
from ..entities.asof import AsOf
from ..errors import CrmkitError, StorageError
from .checksums import Checksum, Stamp, stamp_of
from .manifest import sync

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
        _write_checksums(draft, target)
        draft.replace(target)
    except OSError as error:
        raise StorageError(f"the run cannot be kept in {folder}: {error.strerror}.") from error
    return target


def told_by(path: Path) -> dict[str, str]:
    """What a file says of its run: AS_OF and KIND, even where the run has no row, and more.

    Raises:
        StorageError: if the part of the file that says it is damaged.
    """
    return {key.decode(): value.decode() for key, value in (_schema(path).metadata or {}).items()}


def columns_of(path: Path) -> list[str]:
    """Names of the columns of a run's file.

    Raises:
        StorageError: as :func:`told_by`.
    """
    names: list[str] = _schema(path).names
    return names


def read_run(path: Path, **options: Any) -> pa.Table:
    """The outcomes in a run's file.

    Args:
        options: ``columns`` and ``filters`` of :func:`pyarrow.parquet.read_table`.

    Raises:
        StorageError: if the file is damaged or cannot be read.
    """
    check_run(path)
    with _translated(path):
        return pq.read_table(path, partitioning=None, **options)


def check_run(path: Path) -> None:
    """Refuses a run's file that is not as it was written.

    Raises:
        StorageError: naming the file and what to do.
    """
    with _translated(path):
        kept = _Checksums.read(path)
        if kept is not None and not kept.whole.fits(path):
            raise _damaged(path)


def damaged_runs(runs: Path) -> list[Path]:
    """Files of runs that are not as they were written; all are read."""
    found = []
    for path in sorted(runs.glob("*/*.parquet")):
        try:
            check_run(path)
            told_by(path)
        except StorageError:
            found.append(path)
    return found


def missing_runs(runs: Path) -> list[Path]:
    """Files of which only the checksum is left: removed, or of a run that was cut off."""
    paths = (path.with_suffix("") for path in runs.glob("*/*.parquet.sha256"))
    return sorted(path for path in paths if not path.exists())


def seen_until(path: Path) -> datetime | None:
    """The as-of of a run (UTC without zone); None for one without rows of an older version.

    Raises:
        StorageError: as :func:`told_by`.
    """
    said = told_by(path).get(AS_OF)
    if said is not None:
        return datetime.fromisoformat(said)
    instants = read_run(path, columns=[AS_OF]).column(AS_OF)
    found: datetime | None = instants[0].as_py() if len(instants) else None
    return found


def current_files(runs: Path) -> list[Path]:
    """The file of the last run for each name, kind and as-of, also where it found nobody."""
    last: dict[tuple[object, ...], Path] = {}
    # By stem: with its ending, a second run of one instant would come before the first.
    for path in sorted(runs.glob("*/*.parquet"), key=lambda one: (one.parent, one.stem)):
        last[path.parent, told_by(path).get(KIND), seen_until(path)] = path
    return list(last.values())


@frozen
class _Checksums:
    """Of the whole file, and of its last ``end.size`` bytes."""

    whole: Checksum
    end: Checksum

    @classmethod
    def read(cls, path: Path) -> _Checksums | None:
        """Those kept of a run's file, or None if there are none.

        Raises:
            StorageError: if they are damaged themselves.
        """
        try:
            text = _beside(path).read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise _damaged(path) from None
        found = re.fullmatch(_KEPT.format(name=re.escape(path.name)), text)
        if found is None:
            raise _damaged(path)
        size, end_size = int(found["size"]), int(found["end_size"])
        return cls(Checksum(size, found["whole"]), Checksum(end_size, found["end"]))


# The first line is what `sha256sum -c` checks; to it the second is a comment.
_LINES = "{whole}  {name}\n# {size} bytes, the last {end_size} {end}\n"
_KEPT = (
    r"(?P<whole>[0-9a-f]{{64}})  {name}\n"
    r"# (?P<size>[0-9]+) bytes, the last (?P<end_size>[0-9]+) (?P<end>[0-9a-f]{{64}})\n"
)
# A Parquet file ends with its footer, the footer's length and a magic word.
_TAIL = 8
_ended: dict[Path, tuple[Stamp, Checksum]] = {}


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _write_checksums(draft: Path, target: Path) -> None:
    """Keeps the checksums of ``draft``, which is about to become ``target``."""
    whole = Checksum.of(draft)
    with draft.open("rb") as file:
        file.seek(-_TAIL, os.SEEK_END)
        end_size = int.from_bytes(file.read(4), "little") + _TAIL
    end = _end_of(draft, end_size)
    text = _LINES.format(
        whole=whole.sha256, name=target.name, size=whole.size, end_size=end.size, end=end.sha256
    )
    part = _beside(draft)
    part.write_text(text, encoding="ascii")
    sync([draft, part])
    # Before the file itself: a file without checksums is one of an older version.
    part.replace(_beside(target))


def _end_of(path: Path, size: int) -> Checksum:
    with path.open("rb") as file:
        file.seek(-size, os.SEEK_END)
        return Checksum(size, hashlib.sha256(file.read()).hexdigest())


def _schema(path: Path) -> pa.Schema:
    with _translated(path):
        kept = _Checksums.read(path)
        if kept is not None:
            stamp = stamp_of(path)
            if _ended.get(path) != (stamp, kept.end):
                if stamp[1] != kept.whole.size or _end_of(path, kept.end.size) != kept.end:
                    raise _damaged(path)
                _ended[path] = (stamp, kept.end)
        return pq.read_schema(path)


def _damaged(path: Path) -> StorageError:
    return StorageError(
        f"the run {path.parent.name}/{path.name} in runs/ is damaged: it or its checksum is not as "
        "it was written.",
        code="E_DAMAGED",
        hint="Restore both from a backup. Without one, move both out of the folder and run the "
        "score, segment or rule again for that date.",
    )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except CrmkitError:
        raise
    except FileNotFoundError:
        raise _damaged(path) from None
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            told = error.strerror or str(error)
            raise StorageError(f"the run {path} cannot be read: {told}.") from error
        # Of a version that wrote no checksum.
        raise _damaged(path) from error


def _array(values: Sequence[Any] | pa.Array | pa.ChunkedArray, kind: pa.DataType) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.cast(kind)
    return pa.array(values, kind)
