"""Reports on all customers: the funnel, how long stages last, cohorts, and the list."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Chart, Headline, Parameter, Report, ReportColumn
from crmkit.entities import FieldType

TEXT, INTEGER, NUMBER, DATE = (
    FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER, FieldType.DATE,
)  # fmt: skip
LIFECYCLE = Parameter(
    name="lifecycle", type=TEXT, default="core.customer", title="Lifecycle", title_zh="生命周期"
)


def reports() -> list[Report]:
    """The reports of core."""
    return [FUNNEL, DURATIONS, SURVIVAL, RETENTION, REASSIGNED, CUSTOMERS]


def _column(name: str, kind: FieldType, title: str, title_zh: str, unit: str | None = None,
            money: bool = False) -> ReportColumn:  # fmt: skip
    return ReportColumn(
        name=name, type=kind, unit=unit, title=title, title_zh=title_zh, currency_minor=money
    )


FUNNEL = Report(
    name="core.funnel",
    title="Funnel of the five stages",
    title_zh="五阶段漏斗",
    sql=resource_text(__package__, "queries/funnel.sql"),
    columns=(
        _column("position", INTEGER, "Order", "顺序", "1"),
        _column("stage", TEXT, "Stage", "阶段"),
        _column("customers", INTEGER, "Customers now", "当前客户数", "customer"),
        _column("reached", INTEGER, "Ever reached", "曾达到", "customer"),
        _column("conversion", NUMBER, "Of those before", "转化率", "1"),
        _column("median_days", INTEGER, "Median stay", "停留中位数", "day"),
    ),
    key=("position",),
    headline=Headline(column="customers", total=True),
    charts=(
        Chart(kind="bar", x="stage", y="reached", title="Customers who ever reached a stage",
              title_zh="曾达到各阶段的客户", horizontal=True),
    ),
    method="A stage is reached when a customer was ever in it or in a later stage other than "
    "termination; termination when ever in it. Conversion is against the stage before (termination: "
    "against development). The median is over ended stays, by rank.",
    source="crmkit, requirement L4",
    notes="Stages are known from the day on which they were first proposed or entered.",
)  # fmt: skip

DURATIONS = Report(
    name="core.stage-durations",
    title="How long stages last",
    title_zh="阶段停留时长",
    sql=resource_text(__package__, "queries/stage_durations.sql"),
    columns=(
        _column("stage", TEXT, "Stage", "阶段"),
        _column("ended", INTEGER, "Ended stays", "已结束", "1"),
        _column("p25_days", INTEGER, "A quarter ended within", "下四分位", "day"),
        _column("median_days", INTEGER, "Half ended within", "中位数", "day"),
        _column("p75_days", INTEGER, "Three quarters ended within", "上四分位", "day"),
        _column("ongoing", INTEGER, "Ongoing stays", "进行中", "1"),
        _column("ongoing_median_days", INTEGER, "Median age of ongoing stays", "进行中中位数", "day"),
    ),
    key=("stage",),
    parameters=(LIFECYCLE,),
    charts=(
        Chart(kind="bar", x="stage", y="median_days", title="Median stay by stage",
              title_zh="各阶段停留中位数", horizontal=True),
    ),
    method="Quantiles by rank over ended stays (the smallest value at or above the share).",
    source="crmkit, requirement L4",
    notes="Ended stays alone are shorter than all stays: read them with the age of the ongoing ones.",
)  # fmt: skip

SURVIVAL = Report(
    name="core.stage-survival",
    title="How many stay how long in a stage",
    title_zh="阶段留存曲线",
    sql=resource_text(__package__, "queries/stage_survival.sql"),
    columns=(
        _column("stage", TEXT, "Stage", "阶段"),
        _column("days", INTEGER, "Days in the stage", "停留天数", "day"),
        _column("at_risk", INTEGER, "At risk", "风险集", "customer"),
        _column("ended", INTEGER, "Left", "离开数", "customer"),
        _column("survival", NUMBER, "Still there", "留存率", "1"),
        _column("survival_low", NUMBER, "Still there, low", "留存率下限", "1"),
        _column("survival_high", NUMBER, "Still there, high", "留存率上限", "1"),
    ),
    key=("stage", "days"),
    parameters=(
        LIFECYCLE,
        Parameter(name="stage", type=TEXT, default=None, title="Only this stage", title_zh="仅此阶段"),
    ),
    charts=(
        Chart(kind="step", x="days", y="survival", color="stage",
              title="Share of stays that go on", title_zh="仍在阶段的比例"),
    ),
    method="Kaplan-Meier estimate with Greenwood's variance on the log-log scale, 95 %. A stay lasts "
    "from a move into the stage to the next move; one that goes on is censored at its age. Whoever "
    "comes back begins a new stay.",
    source="E. L. Kaplan and P. Meier 1958, Journal of the American Statistical Association 53; "
    "J. D. Kalbfleisch and R. L. Prentice 2002, The Statistical Analysis of Failure Time Data, "
    "section 1.4.",
    notes="Days are whole local days. Leaving for the next stage and leaving for an end count alike.",
)  # fmt: skip

RETENTION = Report(
    name="core.cohort-retention",
    title="Retention by month of first purchase",
    title_zh="首购月份群组留存",
    sql=resource_text(__package__, "queries/cohort_retention.sql"),
    columns=(
        _column("cohort_on", DATE, "First purchase in the month of", "首购月份"),
        _column("months_after", INTEGER, "Months after", "之后月数", "month"),
        _column("size", INTEGER, "Customers in the cohort", "群组人数", "customer"),
        _column("active", INTEGER, "Bought in that month", "当月购买人数", "customer"),
        _column("retention", NUMBER, "Retention", "留存率", "1"),
    ),
    key=("cohort_on", "months_after"),
    parameters=(
        Parameter(name="months", type=INTEGER, default=24, title="Months followed", title_zh="跟踪月数",
                  unit="month"),
    ),
    charts=(
        Chart(kind="heat", x="months_after", y="cohort_on", color="retention",
              title="Share of each cohort that bought in a later month", title_zh="各群组逐月留存率"),
    ),
    method="A cohort is everyone whose first purchase fell in a month; retained in a later month is "
    "who purchased in it. Only months that were over at the as-of are shown. What counts as a "
    "purchase: see the feature set core.purchases.",
    source="crmkit, requirement L4",
    notes="Where the history begins in the middle of a customer's life, its first month holds all "
    "customers of before.",
)  # fmt: skip

REASSIGNED = Report(
    name="core.reassigned-retention",
    title="Customers who stayed after they got a new owner",
    title_zh="更换负责人后的客户留存",
    sql=resource_text(__package__, "queries/reassigned_retention.sql"),
    columns=(
        _column("month_on", DATE, "Reassigned in the month of", "移交月份"),
        _column("why", TEXT, "Orphan or transfer", "孤儿或转移"),
        _column("to_agent", TEXT, "New owner", "新负责人"),
        _column("reassigned", INTEGER, "Customers reassigned", "移交客户数", "customer"),
        _column("followed", INTEGER, "Followed to the end", "已满观察期", "customer"),
        _column("stayed", INTEGER, "Of them, stayed", "留存客户数", "customer"),
        _column("retention", NUMBER, "Retention", "留存率", "1"),
    ),
    key=("month_on", "why", "to_agent"),
    parameters=(
        Parameter(name="days", type=INTEGER, default=180, title="Days followed",
                  title_zh="观察天数", unit="day"),
    ),
    charts=(
        Chart(kind="bar", x="to_agent", y="retention", color="why",
              title="Share of reassigned customers who stayed", title_zh="移交客户留存率",
              horizontal=True),
    ),
    method="A customer is reassigned when somebody becomes its owner in all lines of business, and "
    "an orphan when the owner before had left or there was none; customers in termination on that "
    "day are left out. It stayed if it did not move into termination within the days followed, the "
    "last of them included. Retention is over those who were reassigned at least so many days "
    "before the as-of; the others are not judged yet.",
    source="crmkit, requirement C7",
    notes="A customer reassigned twice counts for each of its new owners. Changes made by customer "
    "edit or an import are no assignments.",
)  # fmt: skip

CUSTOMERS = Report(
    name="core.customers",
    title="Customers with recency, frequency, value and complaints",
    title_zh="客户清单",
    sql=resource_text(__package__, "queries/customers.sql"),
    columns=(
        _column("customer_id", INTEGER, "Customer", "客户"),
        _column("kind", TEXT, "Kind", "类型"),
        _column("region", TEXT, "Region", "地区"),
        _column("owner", TEXT, "Owner", "负责人"),
        _column("stage", TEXT, "Stage", "阶段"),
        _column("silent_days", INTEGER, "Days since last interaction", "距上次互动", "day"),
        _column("interactions_90d", INTEGER, "Interactions in 90 days", "近90天互动", "1"),
        _column("purchases_365d", INTEGER, "Purchases in 365 days", "近365天购买", "1"),
        _column("revenue_365d_minor", INTEGER, "Revenue in 365 days", "近365天收入", money=True),
        _column("complaints_90d", INTEGER, "Complaints in 90 days", "近90天投诉", "1"),
    ),
    key=("customer_id",),
    order=("-revenue_365d_minor",),
    headline=Headline(column="revenue_365d_minor", total=True),
    parameters=(
        Parameter(name="stage", type=TEXT, default=None, title="Only this stage", title_zh="仅此阶段"),
    ),
    method="Features core.contacts and core.purchases, and the stage in core.customer, as of the date.",
    source="crmkit, requirements C1 and L3",
)  # fmt: skip
