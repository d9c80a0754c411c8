"""A report's answer as a grid: money as decimals, columns with their titles and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..declarations import Parameter, ReportColumn
from ..entities.fields import FieldType
from ..entities.money import Money, exponent
from .grid import Column, Grid
from .values import shown

if TYPE_CHECKING:
    import pyarrow as pa

    from ..analysis.reports import ReportResult


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


def result_column(column: ReportColumn, currency: str) -> Column:
    """The presented column of a report's column."""
    if not column.currency_minor:
        return Column(
            name=column.name, type=column.type, unit=column.unit,
            title=column.title, title_zh=column.title_zh,
        )  # fmt: skip
    return Column(
        name=column.name.removesuffix("_minor"), type=FieldType.MONEY, unit=currency,
        title=column.title, title_zh=column.title_zh, currency=currency,
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


def parameter_text(parameter: Parameter, value: Any, currency: str) -> str:
    """A parameter's value for eyes; empty where it has none."""
    if value is None:
        return ""
    if parameter.type is FieldType.MONEY:
        return f"{Money(value, currency).decimal:,f} {currency}"
    column = Column(name=parameter.name, type=parameter.type, unit=parameter.unit)
    text = shown(value, column)
    return f"{text} {parameter.unit}" if parameter.unit not in (None, "1") else text
