"""Tiers, profitability and its forecast (reports 8 and 9)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, day, integer, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

from ..statements import composed

TIERS = Report(
    name="banking.tiers",
    title="Tiers: what they hold, bring and how customers moved",
    title_zh="客户分层",
    sql=resource_text(__package__, "tiers.sql"),
    columns=[
        integer("rank", "Rank", "级别"),
        text("tier", "Tier", "层级"),
        count("customers", "Customers", "客户数"),
        number("customer_share", "Share of customers", "客户占比"),
        count("in_grace", "In grace", "宽限中"),
        money("deposits", "Deposits", "存款"),
        money("loans", "Loans", "贷款"),
        money("contribution", "Contribution", "贡献"),
        number("contribution_share", "Share of contribution", "贡献占比"),
        number("cumulated_share", "From the best tier down", "累计贡献占比"),
        count("risen", "Risen into it", "升入"),
        count("fallen", "Fallen into it", "降入"),
        count("entered", "New", "新增"),
    ],
    key=("rank",),
    order=("-rank",),
    parameters=(
        Parameter(name="scheme", type=FieldType.TEXT, default="banking.relation",
                  choices=("banking.relation", "banking.key", "banking.wealth"), title="Scheme", title_zh="方案"),
        Parameter(name="basis", type=FieldType.TEXT, default="composite",
                  choices=("composite", "deposit", "loan"), title="Contribution of", title_zh="贡献口径"),
        Parameter(name="days", type=FieldType.INTEGER, default=90, unit="day",
                  title="Moved within", title_zh="变动期间"),
    ),
    charts=(
        Chart(kind="bar", x="tier", y="contribution_minor", title="Contribution", title_zh="贡献",
              horizontal=True),
    ),
    method="Standings of the last review (crmkit tier review), contribution of 365 days as of the day. "
    "The cumulated share runs from the best tier down.",
    source="Requirement B3; banking brief, section 9, report 8",
    notes="Empty before the first tier review.",
)  # fmt: skip
PROFITABILITY = Report(
    name="banking.profitability",
    title="Profitability by customer, product, branch, department and region",
    title_zh="盈利能力",
    sql=resource_text(__package__, "profitability.sql"),
    columns=[
        integer("place", "Place", "名次"),
        text("part", "Part", "分组"),
        CUSTOMER,
        count("customers", "Customers", "客户数"),
        money("net_interest", "Net interest", "净利息"),
        money("fees", "Fees", "手续费"),
        money("cost", "Cost to serve", "服务成本"),
        money("expected_loss", "Expected loss", "预期损失"),
        money("contribution", "Contribution", "贡献"),
        count("at_a_loss", "At a loss", "亏损客户"),
    ],
    key=("place",),
    parameters=(
        Parameter(name="by", type=FieldType.TEXT, default="branch",
                  choices=("branch", "customer", "product", "region", "department", "life_situation", "wealth_band"),
                  title="Split by", title_zh="分组"),
        Parameter(name="most", type=FieldType.INTEGER, default=100, unit="part", title="At most",
                  title_zh="最多"),
    ),
    headline=Headline(column="contribution_minor", total=True),
    method="Net interest against the funds transfer price, plus fees, less activity-based cost and the "
    "credit loss to be expected in a year; 365 days up to the as-of day.",
    source="R. S. Kaplan and S. R. Anderson 2004, Harvard Business Review 82(11); requirement B6",
    notes="Rates, losses and costs are assumptions that the bank sets; by product the parts of interest "
    "and cost are within the contribution.",
)  # fmt: skip
FORECAST = Report(
    name="banking.income-forecast",
    title="Income by branch and month, expected and actual",
    title_zh="收入预测与回测",
    sql=composed(("crmkit_banking", "assumed"), (__package__, "forecast")),
    columns=[
        text("branch", "Branch", "网点"),
        day("month_on", "Month", "月份"),
        text("period", "Period", "时段"),
        money("expected", "Expected", "预期", "money/month"),
        money("actual", "Actual", "实际", "money/month"),
        number("error", "Error", "误差"),
    ],
    key=("branch", "month_on"),
    parameters=(
        Parameter(name="months", type=FieldType.INTEGER, default=12, unit="month",
                  title="Months of the back-test", title_zh="回测月数"),
    ),
    charts=(
        Chart(kind="line", x="month_on", y="expected_minor", color="branch", title="Expected",
              title_zh="预期"),
    ),
    method="Net interest of loans and cards by their month-end statements, fees, and results that other "
    "systems computed. A month is expected to be the mean of the three before it, carried on by the mean "
    "step of six; past months are told from what was known the month before, three months ahead from now.",
    source="Requirement B6; banking brief, section 9, report 9",
    notes="Months of which six known ones do not precede are left out.",
)  # fmt: skip
REPORTS = (TIERS, PROFITABILITY, FORECAST)
