"""What is owed in each ledger, and how many customers stand in each tier."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, integer, number, text
from crmkit.declarations import Chart, Parameter, Report
from crmkit.entities import FieldType

INTEGER = FieldType.INTEGER
DAYS = Parameter(
    name="days", type=INTEGER, default=365, title="Period", title_zh="期间", unit="day"
)


def reports() -> list[Report]:
    """The reports of the ledger."""
    return [LIABILITY, TIERS]


LIABILITY = Report(
    name="ledger.liability",
    title="What customers hold in each ledger",
    title_zh="各账本未兑付余额",
    sql=resource_text(__package__, "queries/liability.sql"),
    parameters=(DAYS,),
    columns=(
        text("ledger", "Ledger", "账本"),
        count("customers", "Customers", "客户数"),
        integer("outstanding", "Outstanding", "未兑付"),
        integer("earned", "Earned in the period", "期间获得"),
        integer("spent", "Spent in the period", "期间消费"),
        integer("expired", "Expired in the period", "期间失效"),
        number("breakage", "Expired of all ever earned", "失效率"),
    ),
    key=("ledger",),
    method="Sums over entries, in the unit of each ledger; of money in minor units. Breakage is "
    "what has expired of everything that was ever earned.",
    source="crmkit, requirement V7",
)

TIERS = Report(
    name="ledger.tiers",
    title="Customers in each tier, and moves",
    title_zh="各等级客户与变动",
    sql=resource_text(__package__, "queries/tiers.sql"),
    parameters=(DAYS,),
    columns=(
        text("scheme", "Scheme", "等级方案"),
        integer("rank", "Rank", "级别"),
        text("tier", "Tier", "等级"),
        count("customers", "Customers", "客户数"),
        count("in_grace", "In grace", "宽限中"),
        count("entered", "New in the period", "期间新入"),
        count("upgraded", "Up into it", "期间升入"),
        count("downgraded", "Down into it", "期间降入"),
    ),
    key=("scheme", "rank"),
    charts=(
        Chart(kind="bar", x="tier", y="customers", color="scheme", title="Customers in each tier",
              title_zh="各等级客户数", horizontal=True),
    ),
    method="Standings as of the date; moves of the period count where they led to.",
    source="crmkit, requirements V3 and L6",
)  # fmt: skip
