"""Parquet files to batches: columns as the texts that the profile reads, named by row from 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..entities.checks import shown
from ..errors import InputRefused
from .batch import BATCH_ROWS, LARGEST_CELL, Batch, Broken, bounded
from .columns import check_columns, check_header, unknown_columns
from .lines import composed
from .profile import Profile
from .writing import Writing

# One column of one row group is held at a time, unpacked.
LARGEST_CHUNK = 512 << 20
_MIDNIGHT = "[ T]00:00:00([.]0+)?$"


class ParquetReader:
    """Reads a Parquet file in batches.

    Attributes:
        header: the columns of the file.
        unknown: columns that the profile does not map.
    """

    delimiter = ""
    remarks: tuple[str, ...] = ()

    def __init__(self, stream: BinaryIO, profile: Profile, name: str, *, strict: bool) -> None:
        self._name = name
        try:
            self._file = pq.ParquetFile(stream)
            self._schema = self._file.schema_arrow
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._broken(error) from None
        self._check_sizes()
        self._writing = Writing(profile)
        self.header = check_header([composed(n) for n in self._schema.names], name)
        self.unknown = unknown_columns(self.header, profile)
        check_columns(self.header, profile, name, strict=strict)
        self._check_types(set(profile.used))

    def _check_sizes(self) -> None:
        found = self._file.metadata
        for group in range(found.num_row_groups):
            row_group = found.row_group(group)
            for column in range(found.num_columns):
                size = row_group.column(column).total_uncompressed_size
                if not 0 <= size <= LARGEST_CHUNK:
                    raise InputRefused(
                        f"{self._name}: row group {group}, column {column} says that it unpacks to "
                        f"{size} bytes; at most {LARGEST_CHUNK >> 20} MiB are taken.",
                        code="E_BOMB", hint="Write it in smaller row groups.",
                    )  # fmt: skip

    def _check_types(self, used: set[str]) -> None:
        for name, kind in zip(self.header, self._schema.types, strict=True):
            if name in used and _is_binary(kind):
                raise InputRefused(
                    f"{self._name}: column {name!r} holds bytes, not text.", code="E_PARQUET",
                    hint="Write it as text.",
                )  # fmt: skip

    def _broken(self, error: BaseException) -> InputRefused:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        return InputRefused(
            f"{self._name} is no sound Parquet file: {words}.", code="E_PARQUET",
            hint="Write it again.",
        )  # fmt: skip

    def batches(self) -> Iterator[Batch]:
        """The rows of the file, BATCH_ROWS at a time; a file without rows gives none."""
        line = 1
        batches = self._file.iter_batches(batch_size=BATCH_ROWS)
        while True:
            try:
                found = next(batches, None)
                if found is None:
                    return
                columns = [self._texts(n, c) for n, c in zip(self.header, found, strict=True)]
            except (pa.ArrowException, OSError, ValueError) as error:
                raise self._broken(error) from None
            if found.num_rows:
                yield self._batch(columns, range(line, line + found.num_rows))
                line += found.num_rows

    def _batch(self, columns: list[list[str | None]], lines: range) -> Batch:
        rows = [list(row) for row in zip(*columns, strict=True)]
        faults = dict(self._faults(columns))
        kept = [i for i in range(len(rows)) if i not in faults] if faults else range(len(rows))
        if faults:
            columns = [[column[i] for i in kept] for column in columns]
        return Batch(
            lines=[lines[i] for i in kept] if faults else lines,
            columns=dict(zip(self.header, columns, strict=True)),
            originals=[rows[i] for i in kept] if faults else rows,
            broken=[
                Broken(
                    lines[i],
                    code,
                    words,
                    bounded(rows[i]),
                    allowed,
                    name,
                    shown(bounded(rows[i])[at] or ""),
                )
                for i, (at, name, code, words, allowed) in sorted(faults.items())
            ],
            next_line=lines.stop,
            unknown=self.unknown,
        )

    def _faults(
        self, columns: list[list[str | None]]
    ) -> Iterator[tuple[int, tuple[int, str, str, str, str]]]:
        for at, (name, cells) in enumerate(zip(self.header, columns, strict=True)):
            for i, cell in enumerate(cells):
                if cell is None:
                    continue
                if "\0" in cell:
                    words = "the cell holds a NUL character"
                    yield i, (at, name, "E_NUL", words, "text without NUL")
                elif len(cell) > LARGEST_CELL:
                    words = "a cell is larger than 1 MiB"
                    yield i, (at, name, "E_CELL", words, f"at most {LARGEST_CELL} characters")

    # --- columns ------------------------------------------------------------------------------

    def _texts(self, name: str, column: pa.Array) -> list[str | None]:
        kind = column.type
        if pa.types.is_dictionary(kind):
            column, kind = column.dictionary_decode(), kind.value_type
        if pa.types.is_null(kind):
            return [None] * len(column)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_string_view(kind):
            return _composed(column.to_pylist())
        if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
            return list(column.cast(pa.string()).to_pylist())
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            return self._moments(name, column)
        if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
            return [self._writing.text(name, value) for value in column.to_pylist()]
        if _is_binary(kind):
            # Only of a column that is not read.
            return [None if value is None else value.hex() for value in column.to_pylist()]
        return [self._writing.text(name, value) for value in column.to_pylist()]

    def _moments(self, name: str, column: pa.Array) -> list[str | None]:
        layout, kind = self._writing.layout(name), column.type
        if layout is not None:
            if pa.types.is_timestamp(kind):
                # Python's instants have microseconds; finer ones would come as another type.
                column = column.cast(pa.timestamp("us", kind.tz), safe=False)
            return [None if v is None else v.strftime(layout) for v in column.to_pylist()]
        if pa.types.is_date(kind):
            return list(column.cast(pa.date32()).cast(pa.string()).to_pylist())
        if kind.tz is not None:
            in_utc = column.cast(pa.timestamp("us", "UTC"), safe=False)
            texts = pc.strftime(in_utc.cast(pa.timestamp("us")), format="%Y-%m-%dT%H:%M:%SZ")
            return list(texts.to_pylist())
        plain = column.cast(pa.timestamp("us"), safe=False).cast(pa.string())
        return list(pc.replace_substring_regex(plain, _MIDNIGHT, "").to_pylist())


def _is_string_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind))


def _is_binary(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _composed(values: list[Any]) -> list[str | None]:
    return [v if v is None or v.isascii() else composed(v) for v in values]
