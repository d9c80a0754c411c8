"""What is owed in each ledger, and how many customers stand in each tier."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Chart, Parameter, Report, ReportColumn
from crmkit.entities import FieldType

TEXT, INTEGER, NUMBER = FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER
DAYS = Parameter(
    name="days", type=INTEGER, default=365, title="Period", title_zh="期间", unit="day"
)


def _column(
    name: str, kind: FieldType, title: str, title_zh: str, unit: str | None = None
) -> ReportColumn:
    return ReportColumn(name=name, type=kind, unit=unit, title=title, title_zh=title_zh)


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
        _column("ledger", TEXT, "Ledger", "账本"),
        _column("customers", INTEGER, "Customers", "客户数", "customer"),
        _column("outstanding", INTEGER, "Outstanding", "未兑付", "1"),
        _column("earned", INTEGER, "Earned in the period", "期间获得", "1"),
        _column("spent", INTEGER, "Spent in the period", "期间消费", "1"),
        _column("expired", INTEGER, "Expired in the period", "期间失效", "1"),
        _column("breakage", NUMBER, "Expired of all ever earned", "失效率", "1"),
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
        _column("scheme", TEXT, "Scheme", "等级方案"),
        _column("rank", INTEGER, "Rank", "级别", "1"),
        _column("tier", TEXT, "Tier", "等级"),
        _column("customers", INTEGER, "Customers", "客户数", "customer"),
        _column("in_grace", INTEGER, "In grace", "宽限中", "customer"),
        _column("entered", INTEGER, "New in the period", "期间新入", "customer"),
        _column("upgraded", INTEGER, "Up into it", "期间升入", "customer"),
        _column("downgraded", INTEGER, "Down into it", "期间降入", "customer"),
    ),
    key=("scheme", "rank"),
    charts=(
        Chart(kind="bar", x="tier", y="customers", color="scheme", title="Customers in each tier",
              title_zh="各等级客户数", horizontal=True),
    ),
    method="Standings as of the date; moves of the period count where they led to.",
    source="crmkit, requirements V3 and L6",
)  # fmt: skip
