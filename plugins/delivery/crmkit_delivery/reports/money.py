"""What shipments cost and bring, claims, shippers and what is owed (W3, W4, W5)."""

from __future__ import annotations

from crmkit.columns import CUSTOMER, count, detail, flag, money, number, text
from crmkit.declarations import Chart, Headline, Report

from ..sql import statement
from .asking import DUE, INTERVAL, SLICE, WAYBILLS, WILSON, by, days, gross, rate

ONE_CURRENCY = "Amounts of different currencies stand in rows of their own."
BRIEF = "Delivery brief, section 8"


SLICED = (SLICE, text("currency", "Currency", "币种"))


def money_reports() -> list[Report]:
    """Profit, claims, volumes, receivables and complaints."""
    return [_profit(), _claims(), _volume(), _lanes(), _receivables(), _warning()]


def _profit() -> Report:
    return Report(
        name="delivery.profit",
        title="Revenue, cost and profit after claims",
        title_zh="收入、成本与利润（含理赔）",
        sql=statement("reports/profit"),
        columns=[
            *SLICED, WAYBILLS, money("revenue", "Revenue", "收入"),
            money("cost", "Cost", "成本"), money("claims", "Claims paid", "理赔支出"),
            money("profit", "Profit", "利润"), money("profit_each", "Profit a waybill", "单票利润", "money/waybill"),
            number("margin", "Margin", "利润率"),
        ],
        key=("slice", "currency"),
        parameters=[by("all", "shipper", "lane", "route", "product", "depot", "department", "region", "month"),
                    days(90, "Ordered within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="slice", y="margin", title="Margin", title_zh="利润率")],
        headline=Headline(column="profit_minor", total=True),
        method="Billed, else quoted, less the recorded cost of pickup, linehaul, sorting and last mile, "
        "less claims paid. A month is that of the promise, as in delivery.on-time.",
        source=f"{BRIEF}, fields 21 to 23.",
        notes=ONE_CURRENCY,
    )  # fmt: skip


def _claims() -> Report:
    return Report(
        name="delivery.claims",
        title="Claims: how many, what was paid, and how long it took",
        title_zh="理赔统计",
        sql=statement("reports/claims"),
        columns=[
            *SLICED, count("claims", "Claims", "理赔数", "claim"), count("approved", "Approved", "批准", "claim"),
            count("rejected", "Rejected", "拒绝", "claim"),
            *rate("per_10000", "per_10000", "In 10,000 shipments", "每万票", "In 10,000",
                  "waybill/10000 waybills"),
            money("claimed", "Claimed", "索赔金额"), money("paid", "Paid", "已付金额"),
            number("paid_share", "Paid of claimed", "赔付率"),
            number("days_to_decide", "Mean days to decide", "平均决定天数", "day"),
            number("days_to_pay", "Mean days to pay", "平均支付天数", "day"),
        ],
        key=("slice", "currency"),
        parameters=[by("kind", "responsible", "depot"), days(90, "Filed within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="slice", y="per_10000", title="In 10,000 shipments", title_zh="每万票理赔")],
        method="In 10,000 shipments ordered in the same days, so many have a claim; one with two claims "
        f"of a slice counts once. {INTERVAL}",
        source=f"{BRIEF}, rule D-R9. {WILSON}",
        notes=ONE_CURRENCY,
    )  # fmt: skip


def _volume() -> Report:
    return Report(
        name="delivery.shipper-volume",
        title="Volume of shippers and drop alarms",
        title_zh="寄件客户件量与下滑预警",
        sql=statement("reports/shipper_volume"),
        columns=[
            CUSTOMER, count("this_week", "This week", "本周", "waybill"),
            detail(count("four_weeks", "Four weeks", "四周", "waybill")),
            number("expected", "Expected", "应有", "waybill"),
            detail(number("lower_limit", "Lower limit", "下限", "waybill")),
            number("against_expected", "Against expected", "与应有之比"), flag("alarm", "Alarm", "预警"),
            text("verdict", "Verdict", "结论"),
        ],
        key=("customer_id",),
        order=("against_expected",),
        method="A third of the twelve weeks before the last four is expected; whole weeks, so every "
        "weekday counts as often. Alarm: below 60 % of it and three standard deviations of a Poisson "
        "count. Of nine expected and fewer that limit lies below nothing: the verdict is too few, and the "
        "segment of silent shippers names who sent nothing.",
        source=f"{BRIEF}, rule D-R10.",
    )  # fmt: skip


def _lanes() -> Report:
    return Report(
        name="delivery.shipper-lanes",
        title="Lanes of each shipper",
        title_zh="寄件客户线路分布",
        sql=statement("reports/shipper_lanes", "tracking", "excuse", "due"),
        columns=[
            CUSTOMER, text("lane", "Lane", "线路"), WAYBILLS,
            number("share", "Share of the shipper's", "占比"), DUE, *gross(),
        ],
        key=("customer_id", "lane"),
        order=("customer_id", "-waybills"),
        parameters=[days(90, "Ordered within so many days; 0 takes all", "统计天数，0为全部")],
        method=f"On time is of the promises that fell due by then. {INTERVAL}",
        source=f"{BRIEF}, field 39. {WILSON}",
    )  # fmt: skip


def _receivables() -> Report:
    return Report(
        name="delivery.receivables",
        title="Receivables by age, and cash on delivery not remitted",
        title_zh="应收账龄与代收货款",
        sql=statement("reports/receivables", "tracking"),
        columns=[
            text("kind", "Kind", "类别"), text("currency", "Currency", "币种"),
            text("age_band", "Age", "账龄"), count("items", "Items", "笔数", "item"),
            money("amount", "Amount", "金额"),
        ],
        key=("kind", "currency", "age_band"),
        charts=[Chart(kind="bar", x="age_band", y="items", color="kind", title="Items by age", title_zh="账龄分布")],
        method="Receivables by the days that the account is overdue; cash on delivery by the days since "
        "the delivery.",
        source=f"{BRIEF}, rule D-R11.",
        notes=ONE_CURRENCY,
    )  # fmt: skip


def _warning() -> Report:
    return Report(
        name="delivery.complaint-warning",
        title="Complaints by region and topic, with a warning",
        title_zh="分地区投诉预警",
        sql=statement("reports/complaint_warning"),
        columns=[
            text("region", "Region", "地区"), text("topic", "Topic", "主题"),
            count("recent", "In four weeks", "近四周", "complaint"),
            number("expected", "Expected", "应有", "complaint"),
            number("upper_limit", "Upper limit", "上限", "complaint"), flag("warning", "Warning", "预警"),
        ],
        key=("region", "topic"),
        order=("-recent",),
        charts=[Chart(kind="bar", x="topic", y="recent", color="region", title="Complaints in four weeks", title_zh="近四周投诉")],
        method="A third of the twelve weeks before is expected; the limit is three standard deviations "
        "of a Poisson count above it, and three complaints at least.",
        source=f"{BRIEF}, reports.",
    )  # fmt: skip
