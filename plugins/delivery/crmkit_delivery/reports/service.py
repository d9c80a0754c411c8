"""How well promises are kept (W3)."""

from __future__ import annotations

from crmkit.columns import count, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

from ..sql import statement

WILSON = "E. B. Wilson 1927, Journal of the American Statistical Association 22."
SLICES = (
    "all", "month", "shipper", "product", "service", "scope", "lane", "route", "depot", "department",
    "region",
)  # fmt: skip


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


def service_reports() -> list[Report]:
    """On time."""
    return [_on_time()]


def _on_time() -> Report:
    return Report(
        name="delivery.on-time",
        title="On time, gross and net of what excuses",
        title_zh="准时率（毛与净）",
        sql=statement("reports/on_time", "tracking", "excuse", "due"),
        columns=[
            text("slice", "Slice", "分组"),
            count("due", "Fell due", "到期承诺", "waybill"),
            count("delivered", "Delivered", "已签收", "waybill"),
            count("on_time", "On time", "准时", "waybill"),
            count("excused", "Late, excused", "免责晚点", "waybill"),
            number("on_time_rate", "On time, gross", "毛准时率"),
            number("on_time_low", "Gross, low", "毛准时率下限"),
            number("on_time_high", "Gross, high", "毛准时率上限"),
            number("on_time_net_rate", "On time, net", "净准时率"),
            number("on_time_net_low", "Net, low", "净准时率下限"),
            number("on_time_net_high", "Net, high", "净准时率上限"),
        ],
        key=("slice",),
        parameters=[by(*SLICES), days(0, "Fell due within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="slice", y="on_time_rate", title="On time, gross", title_zh="毛准时率")],
        headline=Headline(column="on_time_rate"),
        method="Denominator: every shipment whose promise fell due, open and lost ones included, "
        "cancelled ones not. On time is the first delivery, or by contract the first attempt, not "
        "after the promise with its grace. Net gives back the time for which the clock stood: an "
        "incident stops it with a reason that excuses, a responsible party, evidence and an end. "
        "Wilson's 95 % interval.",
        source=WILSON,
    )  # fmt: skip
