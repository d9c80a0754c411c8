"""Short ways to write report columns, one per kind of value."""

from __future__ import annotations

from crmkit.declarations import ReportColumn
from crmkit.entities import FieldType


def text(name: str, title: str, title_zh: str) -> ReportColumn:
    """A column of words or codes."""
    return ReportColumn(name=name, type=FieldType.TEXT, title=title, title_zh=title_zh)


def count(name: str, title: str, title_zh: str, unit: str = "customer") -> ReportColumn:
    """A column of whole numbers."""
    return ReportColumn(
        name=name, type=FieldType.INTEGER, unit=unit, title=title, title_zh=title_zh
    )


def number(name: str, title: str, title_zh: str, unit: str = "1") -> ReportColumn:
    """A column of numbers; without a unit a share or a ratio."""
    return ReportColumn(name=name, type=FieldType.NUMBER, unit=unit, title=title, title_zh=title_zh)


def money(name: str, title: str, title_zh: str, unit: str = "money") -> ReportColumn:
    """A column of amounts in minor units of the workspace's currency."""
    return ReportColumn(
        name=f"{name}_minor", type=FieldType.INTEGER, unit=unit, title=title, title_zh=title_zh,
        currency_minor=True,
    )  # fmt: skip


def day(name: str, title: str, title_zh: str) -> ReportColumn:
    """A column of dates."""
    return ReportColumn(name=name, type=FieldType.DATE, title=title, title_zh=title_zh)


CUSTOMER = ReportColumn(
    name="customer_id", type=FieldType.INTEGER, unit="id", title="Customer", title_zh="客户"
)
