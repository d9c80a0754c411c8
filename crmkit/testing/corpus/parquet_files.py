"""Parquet files: the items of other formats that they can show too."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from .case import Case, profile

PARQUET = profile('format = "parquet"')
_TWO = {"1": "a", "2": "b"}


def _file(columns: dict[str, Any], **options: Any) -> Callable[[], bytes]:
    """Makes the bytes when they are needed; ``columns`` are lists or functions that make arrays."""

    def make() -> bytes:
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrays = [v(pa) if callable(v) else pa.array(v) for v in columns.values()]
        out = io.BytesIO()
        pq.write_table(
            pa.Table.from_arrays(arrays, names=[n.strip() for n in columns]), out, **options
        )
        return out.getvalue()

    return make


def _book(name: str, item: int, content: bytes | Callable[[], bytes], **more: Any) -> Case:
    return Case(
        name=name, items=(item,), content=content, file=more.pop("file", "rows.parquet"),
        profile=more.pop("profile", PARQUET), **more,
    )  # fmt: skip


def _cell(
    name: str,
    item: int,
    field: str,
    values: Any,
    stored: Any,
    code: str = "",
    source: str = "",
    column: str = "",
) -> Case:
    """One column of one row."""
    return _book(
        name, item, _file({"id": [1], "name": ["a"], field: values}),
        profile=profile(f'format = "parquet"\n{source}', fields=f'{field} = "{field}"'),
        column=column or field, stored={} if code else {"1": stored},
        rejects=((1, code),) if code else (),
    )  # fmt: skip


_ROWS = _file({"id": [1, 2], "name": ["a", "b"]})

CASES: tuple[Case, ...] = (
    _book("parquet", 14, _ROWS, stored=_TWO),
    _book("parquet with dictionaries", 14, _file({"id": [1, 2], "name": lambda pa: pa.array(["a", "b"]).dictionary_encode()}), stored=_TWO),
    Case(name="parquet read as csv", items=(14,), content=_ROWS, refused="E_SIGNATURE", profile=profile(), remark='format = "parquet"'),
    _book("csv for a profile of parquet", 14, b"id,name\n1,a\n2,b\n", file="rows.csv", stored=_TWO),
    _book("parquet cut off", 9, lambda: _ROWS()[:-6], refused="E_PARQUET"),
    _book("parquet head alone", 9, b"PAR1", refused="E_PARQUET"),
    _book("parquet with a broken footer", 9, b"PAR1" + b"\xff" * 64 + b"\x20\0\0\0PAR1", refused="E_PARQUET"),
    _book("parquet without rows", 2, _file({"id": lambda pa: pa.array([], pa.string()), "name": lambda pa: pa.array([], pa.string())}), stored={}),
    _book("parquet with two columns of one name", 21, _file({"id": [1], "name": ["a"], "name ": ["b"]}), refused="E_HEADER"),
    _book("parquet with a missing column", 24, _file({"id": [1], "nom": ["a"]}), refused="E_COLUMN_MISSING"),
    _book("parquet with bytes", 13, _file({"id": [1], "name": [b"a"]}), refused="E_PARQUET"),
    _book("parquet with bytes that are not read", 13, _file({"id": [1], "name": ["a"], "x": [b"\xff"]}), stored={"1": "a"}),
    _book("parquet with a nul", 11, _file({"id": [1, 2, 3], "name": ["a", "b", "x\0"]}), rejects=((3, "E_NUL"),), stored=_TWO),
    _book("parquet with a missing key", 67, _file({"id": [None, 1, 2], "name": ["x", "a", "b"]}), rejects=((1, "E_KEY"),), stored=_TWO),
    _book("parquet with a key twice", 68, _file({"id": [1, 2, 1], "name": ["a", "b", "c"]}), rejects=((3, "E_DUPLICATE"),), stored=_TWO),
    _cell("parquet date", 40, "born_on", [date(2025, 4, 3)], "2025-04-03"),
    _cell("parquet date by a profile with a layout", 40, "born_on", [date(2025, 4, 3)], "2025-04-03", source='date = "%d/%m/%Y"'),
    _cell("parquet midnight", 40, "born_on", [datetime(2025, 4, 3)], "2025-04-03"),  # noqa: DTZ001
    _cell("parquet time in a date", 61, "born_on", [datetime(2025, 4, 3, 10)], None, "E_TYPE"),  # noqa: DTZ001
    _cell("parquet instant", 61, "seen_at", [datetime(2025, 4, 3, 10, tzinfo=UTC)], "2025-04-03 10:00:00.000000"),
    _cell("parquet instant in no zone", 61, "seen_at", [datetime(2025, 4, 3, 10)], "2025-04-03 10:00:00.000000", source='time_zone = "UTC"'),  # noqa: DTZ001
    _cell("parquet not a number", 27, "ratio", [float("nan")], None, "E_TYPE"),
    _cell("parquet infinity", 27, "ratio", [float("inf")], None, "E_TYPE"),
    _cell("parquet tenths", 58, "ratio", [0.1 + 0.2], 0.1 + 0.2),
    _cell("parquet 19 digits", 42, "note", [1380013800012345678], "1380013800012345678"),
    _cell("parquet unsigned beyond 63 bits", 30, "count", lambda pa: pa.array([1 << 63], pa.uint64()), None, "E_TYPE"),
    _cell("parquet decimal", 57, "fee", [Decimal("19.99")], 1999, column="fee_minor"),
    _cell("parquet decimal with the profile's comma", 56, "fee", [Decimal("1234.50")], 123450, source='decimal = ","', column="fee_minor"),
    _cell("parquet boolean", 58, "member", [True], True),
    _cell("parquet null", 20, "count", lambda pa: pa.array([None], pa.int64()), None),
)  # fmt: skip
