"""The watch list with its evidence and outcome (report 10)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, day, detail, integer, money, text
from crmkit.declarations import Headline, Parameter, Report
from crmkit.entities import FieldType

WATCH_LIST = Report(
    name="banking.watch-list",
    title="Watch list with evidence and outcome",
    title_zh="关注名单及依据",
    sql=resource_text(__package__, "watch_list.sql"),
    columns=[
        day("raised_on", "Raised on", "触发日"),
        CUSTOMER,
        text("flag", "Flag", "标志"),
        detail(integer("position", "Line", "行")),
        detail(text("evidence", "Evidence", "依据")),
        detail(day("moved_on", "Moved on", "交易日")),
        detail(text("type", "Type", "类型")),
        detail(text("via", "Via", "渠道")),
        detail(text("country", "Country", "国家")),
        money("amount", "Amount", "金额"),
        detail(count("transaction_id", "Transaction", "交易号", "id")),
        text("resolution", "Outcome", "结果"),
    ],
    key=("raised_on", "customer_id", "flag", "position"),
    order=("-raised_on",),
    parameters=(
        Parameter(name="days", type=FieldType.INTEGER, default=30, unit="day",
                  title="Raised in so many days", title_zh="近若干天触发"),
        Parameter(name="lines", type=FieldType.INTEGER, default=10, unit="line",
                  title="Transactions of each at most", title_zh="每条最多交易数"),
    ),
    headline=Headline(column="position"),
    method="Firings of the watch rules, each with the transactions that it rests on: of a withdrawal or "
    "of card use those of the day, largest first; of an account about to close those to the own name "
    "elsewhere in 30 days; of an income drop the last salaries; of a balance drop what went out in 30 days, "
    "largest first. What has no transaction has one line.",
    source="Banking brief, section 9, rules 3 to 5 and report 10",
    notes="The outcome is the state of the case that the rule opened, or that of a watch item filed since.",
)  # fmt: skip
REPORTS = (WATCH_LIST,)
