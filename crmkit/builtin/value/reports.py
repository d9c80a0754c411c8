"""Contribution per customer, RFM, the pyramid and the concentration curve."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, detail, integer, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

TEXT, INTEGER, NUMBER = FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER

_NOW = "SELECT 0 AS period, 0 AS first_day"
_BEFORE = f"{_NOW} UNION ALL SELECT 1, $back"


def _sql(name: str, periods: str = _NOW) -> str:
    """A report's text behind the one that all begin with."""
    own = resource_text(__package__, "queries/own.sql")
    return f"WITH period AS ({periods}),\n{own}{resource_text(__package__, f'queries/{name}.sql')}"


DAYS = Parameter(
    name="days", type=INTEGER, default=365, title="Period", title_zh="期间", unit="day"
)
MEASURE = Parameter(
    name="measure", type=TEXT, default="contribution", choices=("contribution", "revenue"),
    title="Measure", title_zh="指标",
)  # fmt: skip
PURCHASES = integer("purchases", "Purchases", "购买次数")
REVENUE = money("revenue", "Revenue", "收入")
COST = money("cost", "Own cost", "服务成本")
CONTRIBUTION = money("contribution", "Contribution", "贡献")
CURRENCIES = (
    "Amounts are taken to be in the workspace's currency; a customer with purchases in two currencies "
    "has no revenue here. "
)
METHOD = (
    "Revenue is purchases less refunds (see core.purchases); own cost is what the customer's "
    "interactions cost by the cost drivers, at the costs that hold at the as-of date; contribution is "
    "revenue less own cost. "
)
COSTING = (
    "crmkit, requirement V2; R. S. Kaplan and S. R. Anderson 2004, Time-Driven Activity-Based Costing, "
    "Harvard Business Review 82(11)"
)


def reports() -> list[Report]:
    """The reports of value."""
    return [BY_CUSTOMER, RFM, PYRAMID, CONCENTRATION]


BY_CUSTOMER = Report(
    name="value.contribution",
    title="Contribution by customer",
    title_zh="客户贡献",
    sql=_sql("contribution"),
    parameters=(DAYS,),
    columns=(
        CUSTOMER, PURCHASES,
        integer("activities", "Costed activities", "计成本活动数"),
        REVENUE, COST, CONTRIBUTION,
    ),
    key=("customer_id",),
    order=("-contribution_minor",),
    headline=Headline(column="contribution_minor", total=True),
    method=METHOD + "Customers with neither in the period are left out.",
    source=COSTING,
    notes=CURRENCIES + "Drivers without a cost count as nothing: see crmkit value costs.",
)  # fmt: skip

RFM = Report(
    name="value.rfm",
    title="Recency, frequency and monetary value",
    title_zh="RFM 客户分析",
    sql=_sql("rfm"),
    parameters=(DAYS,),
    columns=(
        CUSTOMER,
        integer("recency_days", "Days since last purchase", "距上次购买天数", "day"),
        PURCHASES, REVENUE,
        detail(integer("recency", "Recency", "近度")),
        detail(integer("frequency", "Frequency", "频度")),
        detail(integer("monetary", "Monetary", "额度")),
        text("cell", "Cell", "单元"),
    ),
    key=("customer_id",),
    order=("-cell",),
    method="Fifths by rank among those who bought in the period, each for itself; 5 is the best. Equal "
    "values are parted by the customer's id.",
    source="A. M. Hughes 1994, Strategic Database Marketing, chapter 3",
    notes=CURRENCIES,
)  # fmt: skip

PYRAMID = Report(
    name="value.pyramid",
    title="Customer pyramid",
    title_zh="客户金字塔",
    sql=_sql("pyramid", _BEFORE),
    parameters=(
        DAYS,
        Parameter(name="back", type=INTEGER, default=365, title="Compared with so many days before",
                  title_zh="对比天数", unit="day"),
        Parameter(name="scheme", type=TEXT, default="curry", title="Scheme: curry, pareto or one of your own",
                  title_zh="分层方案"),
        MEASURE,
    ),
    columns=(
        integer("rank", "Rank", "序号"),
        text("tier", "Tier", "层级"),
        count("customers", "Customers", "客户数"),
        REVENUE, COST, CONTRIBUTION,
        count("risen", "Risen into it", "升入"),
        count("fallen", "Fallen into it", "降入"),
        count("new", "New", "新增"),
        count("gone", "Gone from it", "流失"),
    ),
    key=("rank",),
    charts=(
        Chart(kind="bar", x="tier", y="contribution_minor", title="Contribution of each tier",
              title_zh="各层级贡献", horizontal=True),
    ),
    method=METHOD + "Customers with revenue or cost in the period, best first by the measure, are cut "
    "by shares of their number: curry into the first 1, next 4, next 15 and last 80 percent; pareto "
    "into 20 and 80; other schemes are the records value.tier. The same is done for the period that "
    "ended the given days before.",
    source="J. Curry and A. Curry 2000, The Customer Marketing Method, Free Press; requirement V3",
    notes=CURRENCIES + "Both dates are costed alike, with the costs of the as-of date.",
)  # fmt: skip

CONCENTRATION = Report(
    name="value.concentration",
    title="How many customers bring most of the value",
    title_zh="价值集中度",
    sql=_sql("concentration"),
    parameters=(
        DAYS,
        MEASURE,
        Parameter(name="share", type=NUMBER, default=0.8, title="Share of the measure", title_zh="价值占比",
                  unit="1"),
        Parameter(name="base", type=TEXT, default="active", choices=("active", "all"),
                  title="Customers with revenue or cost in the period, or all", title_zh="客户范围"),
    ),
    columns=(
        text("what", "Point of the curve, or the answer", "曲线点或结果"),
        integer("position", "Position", "位置"),
        count("customers", "Customers", "客户数"),
        number("customer_share", "Share of customers", "客户占比"),
        money("together", "Brought together", "累计价值"),
        number("measure_share", "Share of the measure", "价值占比"),
    ),
    key=("what", "position"),
    headline=Headline(column="customer_share", where={"what": "answer"}),
    charts=(
        Chart(kind="line", x="customer_share", y="measure_share", where={"what": "curve"},
              title="Cumulative share, best customers first", title_zh="累计价值曲线"),
    ),
    method=METHOD + "Customers from the best down, up to a hundred points; the answer is the smallest "
    "number of them that brings the share. The whole is the net sum: who costs more than they bring "
    "comes last and lowers it, so the curve may rise above 1 and fall back to it. Where the whole is "
    "not above 0 there is no answer.",
    source="R. S. Kaplan and V. G. Narayanan 2001, Measuring and managing customer profitability, "
    "Journal of Cost Management 15(5); requirement V3",
    notes=CURRENCIES,
)  # fmt: skip
