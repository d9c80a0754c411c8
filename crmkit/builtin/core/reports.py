"""Reports on all customers: the funnel, how long stages last, cohorts, and the list."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, day, integer, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType
from crmkit.survival import product_limit

TEXT, INTEGER = FieldType.TEXT, FieldType.INTEGER
LIFECYCLE = Parameter(
    name="lifecycle", type=TEXT, default="core.customer", title="Lifecycle", title_zh="生命周期"
)


def reports() -> list[Report]:
    """The reports of core."""
    return [FUNNEL, DURATIONS, SURVIVAL, RETENTION, REASSIGNED, CUSTOMERS]


FUNNEL = Report(
    name="core.funnel",
    title="Funnel of the five stages",
    title_zh="五阶段漏斗",
    sql=resource_text(__package__, "queries/funnel.sql"),
    columns=(
        integer("position", "Order", "顺序"),
        text("stage", "Stage", "阶段"),
        count("customers", "Customers now", "当前客户数"),
        count("reached", "Ever reached", "曾达到"),
        number("conversion", "Of those before", "转化率"),
        integer("median_days", "Median stay", "停留中位数", "day"),
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
        text("stage", "Stage", "阶段"),
        integer("ended", "Ended stays", "已结束"),
        integer("p25_days", "A quarter ended within", "下四分位", "day"),
        integer("median_days", "Half ended within", "中位数", "day"),
        integer("p75_days", "Three quarters ended within", "上四分位", "day"),
        integer("ongoing", "Ongoing stays", "进行中"),
        integer("ongoing_median_days", "Median age of ongoing stays", "进行中中位数", "day"),
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
    sql=product_limit(
        resource_text(__package__, "queries/stage_survival.sql"), part="stage", duration="days"
    ),
    columns=(
        text("stage", "Stage", "阶段"),
        integer("days", "Days in the stage", "停留天数", "day"),
        count("at_risk", "At risk", "风险集"),
        count("ended", "Left", "离开数"),
        number("survival", "Still there", "留存率"),
        number("survival_low", "Still there, low", "留存率下限"),
        number("survival_high", "Still there, high", "留存率上限"),
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
        day("cohort_on", "First purchase in the month of", "首购月份"),
        integer("months_after", "Months after", "之后月数", "month"),
        count("size", "Customers in the cohort", "群组人数"),
        count("active", "Bought in that month", "当月购买人数"),
        number("retention", "Retention", "留存率"),
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
        day("month_on", "Reassigned in the month of", "移交月份"),
        text("why", "Orphan or transfer", "孤儿或转移"),
        text("to_agent", "New owner", "新负责人"),
        count("reassigned", "Customers reassigned", "移交客户数"),
        count("followed", "Followed to the end", "已满观察期"),
        count("stayed", "Of them, stayed", "留存客户数"),
        number("retention", "Retention", "留存率"),
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
        CUSTOMER,
        text("kind", "Kind", "类型"),
        text("region", "Region", "地区"),
        text("owner", "Owner", "负责人"),
        text("stage", "Stage", "阶段"),
        integer("silent_days", "Days since last interaction", "距上次互动", "day"),
        integer("interactions_90d", "Interactions in 90 days", "近90天互动"),
        integer("purchases_365d", "Purchases in 365 days", "近365天购买"),
        money("revenue_365d", "Revenue in 365 days", "近365天收入"),
        integer("complaints_90d", "Complaints in 90 days", "近90天投诉"),
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
