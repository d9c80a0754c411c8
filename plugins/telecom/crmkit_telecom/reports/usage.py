"""How customers use the service, what they may still want, and where the network fails (T6)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, detail, flag, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

PACKAGE = __package__


def usage_reports() -> list[Report]:
    """Usage and value segments, add-on candidates, complaints beside the network."""
    return [_segments(), _addons(), _complaints()]


def _segments() -> Report:
    return Report(
        name="telecom.usage-segments", source="crmkit, requirement T6",
        title="Customers by usage and value",
        title_zh="使用与价值分群",
        sql=resource_text(PACKAGE, "usage_segments.sql"),
        columns=[
            text("usage_level", "Usage", "使用量"),
            text("value_level", "Value", "价值"),
            count("customers", "Customers", "客户数"),
            money("mean_bill", "Mean bill", "平均账单", "money/month"),
            number("mean_data_gb", "Mean data", "平均流量", "GB/month"),
            number("mean_voice_min", "Mean voice", "平均通话", "min/month"),
            number("mean_share_of_allowance", "Use of the allowance", "额度使用率"),
            number("mean_overage_share", "Overage", "超额占比"),
            number("complaints_per_customer", "Complaints in 90 days", "人均投诉", "complaint"),
            number("mean_probability", "Mean probability of leaving", "平均流失概率"),
        ],
        key=("usage_level", "value_level"),
        scores=("telecom.churn",),
        charts=[
            Chart(kind="heat", x="usage_level", y="value_level", color="customers",
                  title="Customers", title_zh="客户数"),
        ],
        headline=Headline(column="customers", total=True),
        method="Thirds of data (GB) plus voice (100 minutes) and thirds of the last bill, or of the "
        "monthly fee where there is no bill.",
        notes="Thirds are of today's customers: the bounds move with the base.",
    )  # fmt: skip


def _addons() -> Report:
    return Report(
        name="telecom.addon-candidates", source="crmkit, requirement T6",
        title="Who may want an add-on",
        title_zh="增值业务潜在客户",
        sql=resource_text(PACKAGE, "addon_candidates.sql"),
        columns=[
            count("place_in_list", "Place", "名次", "1"),
            CUSTOMER,
            text("addon", "Add-on", "增值业务"),
            count("peers", "Customers alike", "同类客户"),
            count("holders", "Of them hold it", "同类持有"),
            number("peer_share", "Share that holds it", "同类持有率"),
            number("lift", "Against all", "提升度"),
        ],
        key=("place_in_list",),
        parameters=[
            Parameter(name="most", type=FieldType.INTEGER, default=100, unit="customer",
                      title="At most", title_zh="最多"),
        ],
        method="Share of holders among customers with the same internet service, payment model and "
        "tenure band, drawn towards the base's share with the weight of twenty customers. Nobody "
        "with a complaint, network trouble, an unpaid bill or without consent is listed.",
        notes="A share among peers is no probability of buying; the first wave will give that.",
    )  # fmt: skip


def _complaints() -> Report:
    return Report(
        name="telecom.complaints-network", source="crmkit, requirement T1; telecom brief, section 8",
        title="Complaints and network by place",
        title_zh="投诉与网络",
        sql=resource_text(PACKAGE, "complaints_network.sql"),
        columns=[
            text("area", "Place", "地点"),
            text("topic", "Topic", "主题"),
            count("customers", "Customers", "客户数"),
            count("recent", "Complaints", "投诉数", "complaint"),
            count("earlier", "In the period before", "上期投诉", "complaint"),
            number("per_1000", "For 1000 customers", "千人投诉", "complaint"),
            number("ratio", "Against before", "环比"),
            flag("unusual", "Unusual", "异常"),
            detail(number("mean_dropped_call_rate", "Dropped calls", "掉话率")),
            detail(number("mean_outage_minutes", "Outage in three months", "近三月中断", "min")),
        ],
        key=("area", "topic"),
        order=("-recent",),
        headline=Headline(column="recent", total=True),
        parameters=[
            Parameter(name="by", type=FieldType.TEXT, default="city",
                      choices=("city", "region", "cell"), title="Place is", title_zh="地点粒度"),
            Parameter(name="days", type=FieldType.INTEGER, default=90, unit="day",
                      title="Length of the period", title_zh="统计天数"),
        ],
        charts=[
            Chart(kind="heat", x="topic", y="area", color="recent", title="Complaints",
                  title_zh="投诉"),
        ],
        method="Counts of complaints in two periods; unusual is a rise of more than two standard "
        "errors of the difference of two Poisson counts.",
    )  # fmt: skip
