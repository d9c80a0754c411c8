"""Short ways to write the columns of reports, commands and panels, one per kind of value.

Each factory takes the name of a column of the rows, its English title and its Chinese one, and
returns a :class:`~crmkit.declarations.ReportColumn`::

    columns=[text("branch", "Branch", "分馆"), count("loans", "Loans", "借阅量", "loan"), CUSTOMER]
"""

from __future__ import annotations

from attrs import evolve

from .declarations import ReportColumn
from .entities import FieldType

__all__ = [
    "CUSTOMER",
    "amount",
    "count",
    "day",
    "detail",
    "flag",
    "instant",
    "integer",
    "items",
    "money",
    "number",
    "text",
]


def text(name: str, title: str, title_zh: str) -> ReportColumn:
    """A column of words or codes."""
    return ReportColumn(name=name, type=FieldType.TEXT, title=title, title_zh=title_zh)


def count(name: str, title: str, title_zh: str, unit: str = "customer") -> ReportColumn:
    """A column of how many there are of something; ``unit`` names it in the singular."""
    return integer(name, title, title_zh, unit)


def integer(name: str, title: str, title_zh: str, unit: str | None = "1") -> ReportColumn:
    """A column of whole numbers that count nothing, as a rank, or measure, as days.

    None as the unit is for a number that is only a name, as that of a case.
    """
    return ReportColumn(
        name=name, type=FieldType.INTEGER, unit=unit, title=title, title_zh=title_zh
    )


def number(name: str, title: str, title_zh: str, unit: str = "1") -> ReportColumn:
    """A column of numbers; without a unit a share from 0 to 1 or a ratio."""
    return ReportColumn(name=name, type=FieldType.NUMBER, unit=unit, title=title, title_zh=title_zh)


def money(name: str, title: str, title_zh: str, unit: str = "money") -> ReportColumn:
    """A column of amounts in the workspace's currency, shown as ``name`` in decimals.

    The rows give it as ``<name>_minor``, in whole minor units. ``unit`` may say per what, as
    ``money/month``.
    """
    return ReportColumn(
        name=f"{name}_minor", type=FieldType.INTEGER, unit=unit, title=title, title_zh=title_zh,
        currency_minor=True,
    )  # fmt: skip


def amount(name: str, title: str, title_zh: str) -> ReportColumn:
    """A column of amounts that the rows give as decimal text, in the currency that the row names."""
    return ReportColumn(name=name, type=FieldType.MONEY, title=title, title_zh=title_zh)


def day(name: str, title: str, title_zh: str) -> ReportColumn:
    """A column of dates."""
    return ReportColumn(name=name, type=FieldType.DATE, title=title, title_zh=title_zh)


def instant(name: str, title: str, title_zh: str) -> ReportColumn:
    """A column of instants, in UTC."""
    return ReportColumn(name=name, type=FieldType.INSTANT, title=title, title_zh=title_zh)


def flag(name: str, title: str, title_zh: str) -> ReportColumn:
    """A column of yes and no."""
    return ReportColumn(name=name, type=FieldType.BOOLEAN, title=title, title_zh=title_zh)


def items(name: str, title: str, title_zh: str) -> ReportColumn:
    """A column with several values in a cell, given as a list."""
    return ReportColumn(name=name, type=FieldType.LIST, title=title, title_zh=title_zh)


def detail(column: ReportColumn) -> ReportColumn:
    """The same column as one that a terminal too narrow for all columns leaves out first."""
    return evolve(column, detail=True)


CUSTOMER = ReportColumn(
    name="customer_id", type=FieldType.INTEGER, title="Customer", title_zh="客户"
)
"""Whom the row is about: shown as ``ref`` and, where the policy allows, ``name``."""
