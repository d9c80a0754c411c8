"""Key accounts and contracts (T5)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, detail, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

PACKAGE = __package__


def accounts_reports() -> list[Report]:
    """Alerts for account managers and the calendar of contract ends."""
    return [_key_accounts(), _expiry()]


def _key_accounts() -> Report:
    return Report(
        name="telecom.key-accounts",
        title="Key accounts that need their manager",
        title_zh="大客户预警",
        sql=resource_text(PACKAGE, "key_accounts.sql"),
        columns=[
            CUSTOMER,
            text("tier", "Tier", "等级"),
            text("manager", "Manager", "客户经理"),
            detail(count("lines", "Lines", "号码数", "line")),
            money("bill", "Last bill", "最近账单"),
            detail(number("bill_change_rate", "Change", "环比")),
            number("months_to_end", "Months to the end", "距到期月数", "month"),
            detail(count("review_days", "Days since the review", "距走访天数", "day")),
            count("alerts", "Alerts", "预警数", "1"),
            text("why", "Why", "原因"),
        ],
        key=("customer_id",),
        order=("-alerts", "-bill_minor"),
        parameters=[
            Parameter(name="fall", type=FieldType.NUMBER, default=0.2, unit="1",
                      title="Fall of consumption that alerts", title_zh="消费降幅"),
            Parameter(name="months_to_end", type=FieldType.NUMBER, default=3.0, unit="month",
                      title="Contract ends within", title_zh="合约到期月数"),
            Parameter(name="visit_days", type=FieldType.INTEGER, default=60, unit="day",
                      title="No review for", title_zh="未走访天数"),
            Parameter(name="only_alerts", type=FieldType.BOOLEAN, default=True,
                      title="Only accounts with an alert", title_zh="仅预警客户"),
        ],
        headline=Headline(column="alerts", total=True),
        method="Bill of the last month against the one before; contract and review as of the day.",
        source="Thresholds: telecom brief, section 8, rule 9.",
    )  # fmt: skip


def _expiry() -> Report:
    return Report(
        name="telecom.contract-expiry", source="crmkit, requirement T5",
        title="Contracts by month of their end",
        title_zh="合约到期日历",
        sql=resource_text(PACKAGE, "contract_expiry.sql"),
        columns=[
            text("ends_in", "Ends in", "到期月"),
            text("contract_type", "Contract", "合约类型"),
            count("lines", "Lines", "用户数", "line"),
            count("key_accounts", "Key accounts", "大客户数", "line"),
            money("monthly_fee", "Monthly fee", "月费", "money/month"),
            number("mean_probability", "Mean probability of leaving", "平均流失概率"),
            money("fee_at_risk", "Monthly fee at risk", "风险月费", "money/month"),
        ],
        key=("ends_in", "contract_type"),
        parameters=[
            Parameter(name="days", type=FieldType.INTEGER, default=366, unit="day",
                      title="Ends within", title_zh="到期天数"),
        ],
        scores=("telecom.churn",),
        charts=[
            Chart(kind="bar", x="ends_in", y="lines", color="contract_type",
                  title="Contracts that end", title_zh="到期合约"),
        ],
        headline=Headline(column="fee_at_risk_minor", total=True),
        method="Running lines by the month in which their contract ends; run out are those past it. "
        "At risk is the sum of probability x monthly fee.",
    )  # fmt: skip
