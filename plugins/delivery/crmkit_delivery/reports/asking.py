"""Parameters that several reports take, and columns that several give."""

from __future__ import annotations

from crmkit.columns import count, detail, integer, number, text
from crmkit.declarations import Parameter, ReportColumn
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


WILSON = "E. B. Wilson 1927, Journal of the American Statistical Association 22."
INTERVAL = "Limits are of Wilson's 95 % interval."


def rate(
    name: str, low_high: str, title: str, title_zh: str, short: str, unit: str = "1"
) -> tuple[ReportColumn, ...]:  # fmt: skip
    """A rate with the limits of its interval.

    Args:
        name: of the rate's column. low_high: what the limits' names begin with, before ``_low`` and
            ``_high``. short: what their titles begin with.
    """
    return (
        number(name, title, title_zh, unit),
        number(f"{low_high}_low", f"{short}, low", f"{title_zh}下限", unit),
        number(f"{low_high}_high", f"{short}, high", f"{title_zh}上限", unit),
    )


def gross() -> tuple[ReportColumn, ...]:
    """The share of promises kept, with its interval."""
    return rate("on_time_rate", "on_time", "On time, gross", "毛准时率", "Gross")


def net() -> tuple[ReportColumn, ...]:
    """The same, with what excuses given back."""
    return rate("on_time_net_rate", "on_time_net", "On time, net", "净准时率", "Net")


SLICE = text("slice", "Slice", "分组")
SHIPMENT = (
    detail(integer("shipment_id", "Shipment", "运单编号", None)),
    text("waybill_no", "Waybill", "运单号"),
)
DEPOT = text("depot", "Depot", "网点")
DUE = count("due", "Fell due", "到期承诺", "waybill")
DELIVERED = count("delivered", "Delivered", "已签收", "waybill")
WAYBILLS = count("waybills", "Waybills", "运单", "waybill")
SUBSCRIBERS = count("subscribers", "Subscribers", "订户", "subscriber")
