"""A report's answer as a grid: money as decimals, columns with their titles and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..declarations import Parameter, ReportColumn
from ..entities.field_types import FieldType
from ..entities.money import Money, exponent
from ..policy import Viewer
from .grid import Column, Grid
from .labels import unit_word
from .people import name_customers
from .values import shown

if TYPE_CHECKING:
    import pyarrow as pa

    from ..analysis.reports import ReportResult
    from ..store.store import Store


def result_grid(result: ReportResult) -> Grid:
    """The rows of a report as people read them.

    A column ``loss_minor`` marked ``currency_minor`` becomes ``loss``, an exact decimal in the
    workspace's currency.
    """
    # Lazy: the commands that only list reports have no table to show.
    import pyarrow as pa

    columns = [result_column(c, result.currency) for c in result.report.columns]
    arrays = [
        _decimals(result.table.column(c.name), result.currency)
        if c.currency_minor
        else result.table.column(c.name)
        for c in result.report.columns
    ]
    return Grid.of(pa.table(arrays, names=[c.name for c in columns]), columns)


def named_grid(result: ReportResult, store: Store, viewer: Viewer) -> Grid:
    """The rows of a report with customers by business key and, where allowed, name (D17)."""
    return name_customers(result_grid(result), store, viewer)


def headline(result: ReportResult) -> tuple[Column, Any] | None:
    """The column and value of a report's headline; None where it declares none or has no such row.

    A total of missing values is missing, and so is no headline.
    """
    asked = result.report.headline
    if asked is None:
        return None
    grid = result_grid(result)
    place = grid.names.index(shown_name(grid, asked.column))
    wanted = [(grid.names.index(shown_name(grid, k)), v) for k, v in asked.where.items()]
    values = [row[place] for row in grid.rows() if all(row[i] == v for i, v in wanted)]
    known = [v for v in (values if asked.total else values[:1]) if v is not None]
    if not known:
        return None
    return grid.columns[place], sum(known[1:], start=known[0])


def shown_name(grid: Grid, name: str) -> str:
    """A report names a money column as declared; the grid shows it without ``_minor``."""
    return name if name in grid.names else name.removesuffix("_minor")


def result_column(column: ReportColumn, currency: str) -> Column:
    """The presented column of a report's column."""
    if not column.currency_minor:
        return Column(
            name=column.name, type=column.type, unit=column.unit,
            title=column.title, title_zh=column.title_zh, detail=column.detail,
        )  # fmt: skip
    return Column(
        name=column.shown_name, type=FieldType.MONEY, unit=currency,
        title=column.title, title_zh=column.title_zh, currency=currency, detail=column.detail,
    )  # fmt: skip


def _decimals(minor: pa.ChunkedArray, currency: str) -> Any:
    """Whole minor units as decimals with the currency's digits, without going through floats."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = exponent(currency)
    whole = minor.cast(pa.decimal128(19, 0))
    # 10^-digits has that scale, so the product has exactly the currency's decimals.
    step = pa.scalar(1, pa.decimal128(1, 0)) if digits == 0 else _step(digits)
    return pc.multiply(whole, step)


def _step(digits: int) -> Any:
    from decimal import Decimal

    import pyarrow as pa

    return pa.scalar(Decimal(1).scaleb(-digits), pa.decimal128(digits + 1, digits))


def parameter_text(parameter: Parameter, value: Any, currency: str, language: str = "en") -> str:
    """A parameter's value for eyes; empty where it has none."""
    if value is None:
        return ""
    if parameter.type is FieldType.MONEY:
        return f"{Money(value, currency).decimal:,f} {currency}"
    column = Column(name=parameter.name, type=parameter.type, unit=parameter.unit)
    text = shown(value, column)
    if parameter.unit in (None, "1"):
        return text
    one = value == 1 and language == "en"
    return f"{text} {parameter.unit if one else unit_word(parameter.unit, language)}"
