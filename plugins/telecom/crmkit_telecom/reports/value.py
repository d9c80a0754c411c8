"""What customers are worth, and who moves up or down (the brief, section 8, report 6)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

PACKAGE = __package__


def value_reports() -> list[Report]:
    """Revenue, margin and lifetime value by segment, and migration between levels of revenue."""
    return [_segments(), _migration()]


def _segments() -> Report:
    return Report(
        name="telecom.value-segments",
        title="Revenue, margin and lifetime value by segment",
        title_zh="各客群收入、毛利与终身价值",
        sql=resource_text(PACKAGE, "value_segments.sql"),
        columns=[
            text("segment", "Segment", "客群"),
            count("customers", "Customers", "客户数"),
            money("arpu", "Monthly revenue per customer", "月均每户收入", "money/month"),
            money("margin", "Monthly margin per customer", "月均每户毛利", "money/month"),
            number("revenue_share", "Share of revenue", "收入占比"),
            number("mean_probability", "Mean probability of leaving", "平均流失概率"),
            money("clv", "Lifetime value per customer", "每户终身价值"),
            money("total_clv", "Lifetime value of all", "终身价值合计"),
        ],
        key=("segment",),
        parameters=[
            Parameter(name="by", type=FieldType.TEXT, default="value",
                      choices=("value", "plan", "contract", "payment_model", "region", "tenure"),
                      title="Segment by", title_zh="分组"),
            Parameter(name="margin", type=FieldType.NUMBER, default=0.5, unit="1",
                      title="Margin on revenue", title_zh="毛利率"),
            Parameter(name="value_months", type=FieldType.INTEGER, default=36, unit="month",
                      title="Months looked ahead", title_zh="预测月数"),
            Parameter(name="discount_rate", type=FieldType.NUMBER, default=0.1, unit="1",
                      title="Discount rate a year", title_zh="年折现率"),
        ],
        scores=("telecom.churn",),
        headline=Headline(column="total_clv_minor", total=True),
        charts=[
            Chart(kind="bar", x="segment", y="arpu_minor", title="Revenue per customer and month",
                  title_zh="月均每户收入"),
            Chart(kind="bar", x="segment", y="clv_minor", title="Lifetime value per customer",
                  title_zh="每户终身价值"),
        ],
        method="Revenue is bills and top-ups of 91 days over three months, or over the months since "
        "the customer came. Lifetime value is margin x revenue x the sum over the months of r^t / "
        "(1 + i)^t, where r is the probability of staying a month, taken from the churn score's 61 "
        "days, and i the monthly discount rate. Value thirds are of revenue.",
        source="S. Gupta and D. R. Lehmann 2003, Journal of Interactive Marketing 17.",
        notes="The probability of leaving is taken to stay as it is now; without the churn score there "
        "is no lifetime value.",
    )  # fmt: skip


def _migration() -> Report:
    return Report(
        name="telecom.value-migration", source="crmkit, requirements T6 and V3",
        title="Who moved up or down in revenue",
        title_zh="客户价值迁移",
        sql=resource_text(PACKAGE, "value_migration.sql"),
        columns=[
            text("from_level", "In the quarter before", "上期等级"),
            text("to_level", "In the last quarter", "本期等级"),
            count("customers", "Customers", "客户数"),
            number("share", "Share of the level before", "占上期比"),
            money("earlier_revenue", "Revenue of the quarter before", "上期收入"),
            money("latest_revenue", "Revenue of the last quarter", "本期收入"),
            money("change", "Change", "变化"),
        ],
        key=("from_level", "to_level"),
        headline=Headline(column="change_minor", total=True),
        charts=[
            Chart(kind="heat", x="to_level", y="from_level", color="customers",
                  title="Customers by level before and now", title_zh="上期与本期等级"),
        ],
        method="Bills and top-ups of the last 91 days and of the 91 days before. The bounds of low, "
        "middle and high are the thirds of the earlier period and hold for both. New paid nothing in "
        "the earlier one; left has no running line.",
        notes="Customers who paid nothing in either period are not here.",
    )  # fmt: skip
