"""Roll rates and vintages (reports 4 and 5)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, integer, money, number, text
from crmkit.declarations import Chart, Parameter, Report
from crmkit.entities import FieldType

PRODUCTS = ("mortgage", "consumer", "auto", "overdraft", "business", "guarantee")

ROLL_RATES = Report(
    name="banking.roll-rates",
    title="Delinquency roll rates",
    title_zh="逾期滚动率",
    sql=resource_text(__package__, "roll_rates.sql"),
    columns=[
        text("from_bucket", "Days past due", "逾期天数"),
        text("to_bucket", "A month later", "次月"),
        count("loans", "Loans", "贷款数", "loan"),
        number("share", "Share of loans", "笔数占比"),
        money("outstanding", "Owed", "余额"),
        number("outstanding_share", "Share of what is owed", "余额占比"),
    ],
    key=("from_bucket", "to_bucket"),
    parameters=(
        Parameter(name="months", type=FieldType.INTEGER, default=3, unit="month",
                  title="Pairs of months looked at", title_zh="统计月数"),
    ),
    charts=(
        Chart(kind="heat", x="to_bucket", y="from_bucket", color="share", title="Share of loans",
              title_zh="笔数占比"),
    ),
    method="The last statement of each loan in a month against that of the next month, over the last "
    "pairs of month ends; the as-of day's own month is the latter of the last pair. Rows sum to 1.",
    source="Banking brief, section 9, report 4; N. Siddiqi 2017, Intelligent Credit Scoring, 2nd ed., "
    "chapter 3",
    notes="A loan without a statement in the next month counts as repaid.",
)  # fmt: skip
VINTAGES = Report(
    name="banking.vintages",
    title="Vintage curves",
    title_zh="账龄曲线",
    sql=resource_text(__package__, "vintages.sql"),
    columns=[
        text("vintage", "Granted in", "放款季度"),
        integer("months_on_book", "Months on book", "账龄（月）", "month"),
        count("loans", "Loans", "贷款数", "loan"),
        count("bad", "Ever bad", "曾逾期数", "loan"),
        number("bad_rate", "Share ever bad", "累计不良率"),
        number("bad_principal_share", "Share of the amount lent", "累计不良金额占比"),
    ],
    key=("vintage", "months_on_book"),
    parameters=(
        Parameter(name="days", type=FieldType.INTEGER, default=90, unit="day",
                  title="Bad is so many days past due", title_zh="不良逾期天数"),
        Parameter(name="months", type=FieldType.INTEGER, default=36, unit="month",
                  title="Months on book at most", title_zh="最长账龄"),
        Parameter(name="product", type=FieldType.TEXT, default="all", choices=("all", *PRODUCTS),
                  title="Only this product", title_zh="仅此产品"),
    ),
    charts=(
        Chart(kind="line", x="months_on_book", y="bad_rate", color="vintage",
              title="Share ever bad", title_zh="累计不良率"),
    ),
    method="By the quarter of granting: the share of loans that a statement by the end of the month on "
    "book showed so many days past due, or written off. A month is shown once the youngest loan of the "
    "quarter has reached it, so a curve never falls.",
    source="Banking brief, section 9, report 5",
    notes="Loans granted earlier than the month before statements begin are left out.",
)  # fmt: skip
REPORTS = (ROLL_RATES, VINTAGES)
