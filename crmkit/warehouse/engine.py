"""Engines: what runs analysis SQL over the files of a snapshot.

The interface is small on purpose. All SQL that passes through it is DuckDB's dialect in the
portable subset, the generated views included, so that another engine needs to bind files and rows
under a name and to translate text. The engines themselves are in :mod:`crmkit.warehouse.engines`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from attrs import frozen

from ..errors import SqlRefused


class NoSuchColumn(SqlRefused):
    """The SQL names a column that none of its tables has.

    Attributes:
        column: the name.
    """

    def __init__(self, column: str, known: Iterable[str] = ()) -> None:
        self.column = column
        listed = sorted(set(known))
        near = difflib.get_close_matches(column.lower(), listed, n=3)
        told = f" (did you mean {' or '.join(near)}?)" if near else ""
        if listed and not near:
            told = f" (its tables have: {', '.join(listed)})"
        super().__init__(
            f"there is no column {column!r} here{told}.", hint="See docs/reference/analysis-sql.md."
        )


@frozen
class Limits:
    """What a question that somebody hands in may cost; 0 is no limit.

    Attributes:
        seconds: by the clock.
        megabytes: of memory, of 1,000,000 bytes.
    """

    seconds: int = 60
    megabytes: int = 2000


class Engine(Protocol):
    """Runs SQL over named tables. One session uses one engine, from one thread at a time.

    An engine is made with a *script*, or None: a list to which it adds each statement that it runs,
    in its own dialect and in order.
    """

    def bind_files(
        self, name: str, files: Sequence[Path], types: Mapping[str, str], have: frozenset[str]
    ) -> None:
        """Makes Parquet files a table.

        Args:
            name: of the table.
            files: they may lack columns; where there is none, the table is empty.
            types: its columns with DuckDB's types; a column that files lack is missing there.
            have: columns that at least one file has.
        """

    def bind_rows(self, name: str, rows: pa.Table) -> None:
        """Makes rows in memory a table."""

    def bind_view(self, name: str, sql: str) -> None:
        """Makes a SELECT over bound tables a table that is computed when read."""

    def keep(self, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
        """Makes the rows of a SELECT a table, computed once: now, or when first read."""

    def types(self, name: str) -> dict[str, str]:
        """Columns of a bound table, with DuckDB's type names."""

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of a SELECT. ``parameters`` holds every ``$name`` in it and no other.

        Raises:
            SqlRefused: if the SQL does not fit the tables.
        """

    def close(self) -> None:
        """Gives everything back."""


def whole_numbers(table: pa.Table) -> pa.Table:
    """Sums of whole numbers as 64-bit integers.

    DuckDB adds up BIGINT in 128 bits, which Arrow knows only as decimals without fraction (D18).
    """
    for position, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type) and column.type.scale == 0:
            values = table.column(position).cast(pa.int64())
            table = table.set_column(position, column.name, values)
    return table


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def with_values(sql: str, parameters: Mapping[str, Any]) -> str:
    """A statement for a script: the values of its parameters as comments above it."""
    head = "".join(f"-- ${name} = {value!r}\n" for name, value in parameters.items())
    return f"{head}{sql};"
