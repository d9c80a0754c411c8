"""Whether balances agree with the movements: data quality of what a core banking system exports."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, day, integer, money, number, text
from crmkit.declarations import Headline, Parameter, Report
from crmkit.entities import FieldType

ROUNDING = Parameter(
    name="rounding_minor", type=FieldType.INTEGER, default=10, unit="minor unit",
    title="Rounding allowed for one transaction, in minor units", title_zh="每笔容许舍入（最小单位）",
)  # fmt: skip
METHOD = (
    "The balance before an account's first transaction plus all transactions up to the end of a day, "
    "against the nearest balance among those that the day's rows state, whose order within a day is "
    "not known. A step is what the difference changes by on a day: up to the rounding allowed for each "
    "transaction of the day it is rounding, else a gap, as a missing or a doubled row leaves."
)


def _sql(name: str) -> str:
    return (
        resource_text(__package__, "recomputed.sql").rstrip()
        + "\n"
        + resource_text(__package__, f"{name}.sql")
    )


AGREEMENT = Report(
    name="banking.balance-agreement",
    title="Balances recomputed from transactions",
    title_zh="余额勾稽",
    sql=_sql("agreement"),
    columns=[
        text("finding", "Finding", "结论"),
        count("account_days", "Account days", "账户日数", "account day"),
        count("accounts", "Accounts", "账户数", "account"),
        count("transactions", "Transactions", "交易数", "transaction"),
        number("share", "Share of account days", "占比"),
        money("largest_step", "Largest step", "最大单日差异"),
        money("largest_difference", "Largest difference", "最大累计差异"),
    ],
    key=("finding",),
    parameters=(ROUNDING,),
    headline=Headline(column="share", where={"finding": "agrees"}),
    method=METHOD,
    source="crmkit, requirement B1; double-entry reconciliation",
)
FINDINGS = Report(
    name="banking.balance-findings",
    title="Days on which balance and transactions part",
    title_zh="余额差异清单",
    sql=_sql("findings"),
    columns=[
        CUSTOMER,
        integer("account_id", "Account", "账户", None),
        day("day_on", "Day", "日期"),
        text("finding", "Finding", "结论"),
        money("stated", "Balance as stated", "账面余额"),
        money("recomputed", "Balance recomputed", "重算余额"),
        money("step", "Step", "当日差异"),
        money("difference", "Difference", "累计差异"),
    ],
    key=("account_id", "day_on"),
    parameters=(
        ROUNDING,
        Parameter(name="finding", type=FieldType.TEXT, default="all", choices=("all", "rounding", "gap"),
                  title="Only this finding", title_zh="仅此类"),
    ),
    method=METHOD,
    source="crmkit, requirement B1; double-entry reconciliation",
)  # fmt: skip

REPORTS = (AGREEMENT, FINDINGS)
