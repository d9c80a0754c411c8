"""A grid: the one shape in which every result reaches the writers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from ..entities.field_types import FieldType
from ..entities.money import Money
from ..errors import NotFound

if TYPE_CHECKING:
    import pyarrow as pa

# Rows turned into Python objects at a time, so that a result of millions of rows streams.
BATCH = 10_000


@frozen(kw_only=True)
class Column:
    """One column of a result.

    Args:
        name: stable field name, the key in JSON.
        type: what the values are, or None where nobody declared it.
        unit: ``month``, ``GB``, ``1`` for a pure number or share.
        title: English heading; ``title_zh`` the Chinese one.
        currency: ISO 4217 code of a money column whose values are decimals.
        detail: left out first where a terminal is too narrow for all columns.
    """

    name: str
    type: FieldType | None = None
    unit: str | None = None
    title: str = ""
    title_zh: str = ""
    currency: str | None = None
    detail: bool = False

    def label(self, language: str = "en") -> str:
        """The heading for eyes; the name with blanks where there is no title."""
        title = (self.title_zh or self.title) if language == "zh" else self.title
        return title or self.name.replace("_", " ")


@frozen
class Grid:
    """Named columns and rows; the rows are a list of tuples or an Arrow table.

    Example:
        >>> grid = Grid.of([{"a": 1}, {"a": 2, "b": "x"}])
        >>> list(grid.rows())
        [(1, None), (2, 'x')]
    """

    columns: tuple[Column, ...]
    _data: Any = field(repr=False)

    @classmethod
    def of(
        cls,
        rows: Iterable[Mapping[str, Any]] | pa.Table,
        columns: Sequence[Column] | Sequence[str] | None = None,
    ) -> Grid:
        """A grid over dictionaries or an Arrow table.

        Args:
            rows: dictionaries, whose missing keys read None, or an Arrow table.
            columns: columns or their names, in order; None takes every key as it first appears.
                Give them where there may be no row, so that the heading is still known.
        """
        if not isinstance(rows, Iterable) or hasattr(rows, "column_names"):
            table: Any = rows
            found = _as_columns(columns or table.column_names)
            return cls(found, table.select([c.name for c in found]))
        listed = list(rows)
        if columns is None:
            columns = list(dict.fromkeys(key for row in listed for key in row))
        found = _as_columns(columns)
        keys = [c.name for c in found]
        return cls(found, [tuple(map(row.get, keys)) for row in listed])

    def __len__(self) -> int:
        return len(self._data)

    @property
    def names(self) -> list[str]:
        """Field names in order."""
        return [c.name for c in self.columns]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Every row, as plain Python values; None is missing."""
        if isinstance(self._data, list):
            yield from self._data
            return
        for batch in self._data.to_batches(max_chunksize=BATCH):
            if batch.num_columns:
                yield from zip(*(c.to_pylist() for c in batch.columns), strict=True)

    def select(self, names: Sequence[str]) -> Grid:
        """The named columns, in the order named.

        Raises:
            NotFound: for a column that is not there, with the near misses.
        """
        places = [self._place(name) for name in names]
        columns = tuple(self.columns[i] for i in places)
        if isinstance(self._data, list):
            return Grid(columns, [tuple(row[i] for i in places) for row in self._data])
        return Grid(columns, self._data.select(list(names)))

    def with_detail(self, names: Iterable[str]) -> Grid:
        """The same with the named columns marked as those a narrow terminal leaves out first."""
        wanted = frozenset(names)
        columns = [evolve(c, detail=True) if c.name in wanted else c for c in self.columns]
        return Grid(tuple(columns), self._data)

    def sort(self, names: Sequence[str]) -> Grid:
        """Ordered by columns, ``-name`` for descending; missing values come last either way.

        Raises:
            NotFound: for a column that is not there.
        """
        order = [(self._place(n.removeprefix("-")), n.startswith("-")) for n in names]
        if not isinstance(self._data, list):
            keys = [
                (self.columns[i].name, "descending" if down else "ascending") for i, down in order
            ]
            return Grid(self.columns, self._data.sort_by(keys))
        rows = list(self._data)
        for i, down in reversed(order):
            rows.sort(key=_sort_key(i, down))
        return Grid(self.columns, rows)

    def head(self, limit: int) -> Grid:
        """The first ``limit`` rows."""
        return Grid(self.columns, self._data[:limit])

    def to_arrow(self) -> pa.Table:
        """The same as an Arrow table; money becomes exact decimals, lists of mixed things text."""
        if not isinstance(self._data, list):
            return self._data
        import pyarrow as pa

        arrays = [_array([row[i] for row in self._data], c) for i, c in enumerate(self.columns)]
        return pa.table(arrays, names=self.names)

    def _place(self, name: str) -> int:
        for i, column in enumerate(self.columns):
            if column.name == name:
                return i
        raise NotFound("column", name, self.names)


def _as_columns(columns: Sequence[Any]) -> tuple[Column, ...]:
    return tuple(c if isinstance(c, Column) else Column(name=c) for c in columns)


def _sort_key(place: int, down: bool) -> Callable[[Any], Any]:
    def compare(left: Any, right: Any) -> int:
        a, b = left[place], right[place]
        if a is None or b is None:
            return (a is None) - (b is None)
        try:
            less, more = a < b, a > b
        except TypeError:  # one column with text and numbers: any steady order will do
            less, more = str(a) < str(b), str(a) > str(b)
        return int(less - more) if down else int(more - less)

    return cmp_to_key(compare)


_ARROW = {
    FieldType.TEXT: "string",
    FieldType.INTEGER: "int64",
    FieldType.NUMBER: "float64",
    FieldType.BOOLEAN: "bool",
    FieldType.DATE: "date32",
}


def _array(values: list[Any], column: Column) -> Any:
    import pyarrow as pa

    plain = [v.decimal if isinstance(v, Money) else v for v in values]
    if column.type in _ARROW:
        kind = pa.type_for_alias(_ARROW[column.type])
        return pa.array(plain, kind)
    if any(isinstance(v, Decimal) for v in plain):
        return pa.array(plain, pa.decimal128(38, max(_scale(v) for v in plain)))
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if v is None else str(v) for v in plain], pa.string())


def _scale(value: Any) -> int:
    return max(0, -int(value.as_tuple().exponent)) if isinstance(value, Decimal) else 0
