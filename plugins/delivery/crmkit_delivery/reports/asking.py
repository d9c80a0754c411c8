"""Parameters that several reports take."""

from __future__ import annotations

from crmkit.declarations import Parameter
from crmkit.entities import FieldType


def by(*choices: str) -> Parameter:
    """What each row is of."""
    return Parameter(
        name="by", type=FieldType.TEXT, default=choices[0], choices=choices, title="Row for each",
        title_zh="分组",
    )  # fmt: skip


def days(default: int, title: str, title_zh: str) -> Parameter:
    """How far back is looked."""
    return Parameter(
        name="days", type=FieldType.INTEGER, default=default, unit="day", title=title,
        title_zh=title_zh,
    )  # fmt: skip


def months(default: int, title: str, title_zh: str) -> Parameter:
    """How many months are shown."""
    return Parameter(
        name="months", type=FieldType.INTEGER, default=default, unit="month", title=title,
        title_zh=title_zh,
    )  # fmt: skip


def setting(name: str, default: float, unit: str, title: str, title_zh: str) -> Parameter:
    """A limit that an operator may set otherwise."""
    return Parameter(
        name=name, type=FieldType.NUMBER, default=default, unit=unit, title=title, title_zh=title_zh
    )


def only(name: str, title: str, title_zh: str) -> Parameter:
    """A filter; empty is all."""
    return Parameter(name=name, type=FieldType.TEXT, default="", title=title, title_zh=title_zh)
