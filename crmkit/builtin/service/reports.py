"""Reports on cases: promises kept, breaches, ageing, outcomes, compensation, and the early warning."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, flag, instant, integer, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

TEXT, INTEGER = FieldType.TEXT, FieldType.INTEGER


def reports() -> list[Report]:
    """Every report of the service."""
    return [KEPT, BREACHES, AGEING, OUTCOMES, COMPENSATION, EARLY_WARNING]


def _by(default: str, *choices: str) -> Parameter:
    return Parameter(
        name="by",
        type=TEXT,
        default=default,
        choices=choices,
        title="Broken down by",
        title_zh="分组",
    )


KEPT = Report(
    name="service.kept-promises",
    title="Answered in time, by department and other parts",
    title_zh="按时答复率",
    sql=resource_text(__package__, "queries/kept_promises.sql"),
    columns=(
        text("part", "Part", "分组"),
        count("promises", "Promises", "时限数", "case"),
        count("known", "Of them decided", "已判定", "case"),
        count("kept", "Kept", "按时", "case"),
        count("broken_running", "Broken and still open", "超时未结", "case"),
        number("kept_share", "Kept of those decided", "按时率"),
    ),
    key=("part",),
    parameters=(
        _by("department", "department", "topic", "region", "channel", "product", "product-department", "severity", "kind"),
        Parameter(name="clock", type=TEXT, default="answer", title="Clock", title_zh="时限"),
    ),
    charts=(
        Chart(kind="bar", x="part", y="kept_share", title="Promises kept", title_zh="按时率", horizontal=True),
    ),
    method="A promise is decided when it was stopped, or has run out by the as-of; running ones "
    "whose time is not up are not judged. Promises that ran out and still run count as broken: "
    "counting the answered ones alone would hide the worst.",
    source="crmkit, requirement S1",
    notes="Only clocks that are known: after an import of cases run crmkit case recompute.",
)  # fmt: skip

BREACHES = Report(
    name="service.breaches",
    title="Broken promises",
    title_zh="超时清单",
    sql=resource_text(__package__, "queries/breaches.sql"),
    columns=(
        integer("clock_id", "Clock id", "时限编号", unit=None),
        CUSTOMER,
        text("kind", "Kind", "类型"),
        text("topic", "Topic", "事由"),
        text("department", "Department", "责任部门"),
        text("severity", "Severity", "严重程度"),
        text("clock", "Clock", "时限"),
        text("target", "Target", "目标"),
        instant("started_at", "Started", "开始"),
        instant("due_at", "Due", "到期"),
        instant("stopped_at", "Stopped", "停止"),
        integer("still_running", "Still running", "未结"),
    ),
    key=("clock_id",),
    order=("-still_running", "due_at"),
    parameters=(Parameter(name="clock", type=TEXT, default=None, title="Only this clock", title_zh="仅此时限"),),
    method="A promise is broken when its time is up before it is stopped: 24 hours end with the 24th.",
    source="crmkit, requirement S1",
)  # fmt: skip

AGEING = Report(
    name="service.ageing",
    title="How old the open cases are",
    title_zh="未结工单账龄",
    sql=resource_text(__package__, "queries/ageing.sql"),
    columns=(
        text("department", "Department", "责任部门"),
        count("cases", "Open cases", "未结", "case"),
        count("days_0_1", "0 to 1 day", "0–1天", "case"),
        count("days_2_7", "2 to 7 days", "2–7天", "case"),
        count("days_8_30", "8 to 30 days", "8–30天", "case"),
        count("days_over_30", "Over 30 days", "超过30天", "case"),
        integer("oldest_days", "Oldest", "最长", "day"),
    ),
    key=("department",),
    headline=Headline(column="cases", total=True),
    method="Whole local days from receipt to the as-of day.",
    source="crmkit, requirement S1",
)

OUTCOMES = Report(
    name="service.outcomes",
    title="Solved at first contact and opened again",
    title_zh="首次解决率与重开率",
    sql=resource_text(__package__, "queries/outcomes.sql"),
    columns=(
        text("part", "Part", "分组"),
        count("cases", "Cases", "工单数", "case"),
        count("resolved", "Ever resolved", "曾解决", "case"),
        number("first_contact_share", "Solved at first contact", "首次解决率"),
        number("reopened_share", "Opened again", "重开率"),
        count("recurring", "Recur", "重复发生", "case"),
        number("recovery_score", "Mean recovery score", "平均挽回评分"),
    ),
    key=("part",),
    parameters=(
        _by("topic", "topic", "department", "region", "channel", "product", "product-department", "cause", "root_cause"),
    ),
    method="Solved at first contact: resolved after one answer, never escalated, never waiting for "
    "the customer, never opened again. Both shares are of the cases that were ever resolved.",
    source="crmkit, requirement S1",
)  # fmt: skip

COMPENSATION = Report(
    name="service.compensation",
    title="Compensation given",
    title_zh="补偿统计",
    sql=resource_text(__package__, "queries/compensation.sql"),
    columns=(
        text("department", "Department", "责任部门"),
        text("kind", "Kind", "方式"),
        text("currency", "Currency", "币种"),
        integer("compensations", "Compensations", "补偿次数"),
        count("cases", "Cases", "工单数", "case"),
        money("total", "Total", "合计"),
    ),
    key=("department", "kind", "currency"),
    order=("-total_minor",),
    method="Approved compensations decided before the as-of.",
    source="crmkit, requirement S1",
    notes="A total is in the currency of its row.",
)

EARLY_WARNING = Report(
    name="service.early-warning",
    title="Topics that rise in a region",
    title_zh="投诉预警",
    sql=resource_text(__package__, "queries/early_warning.sql"),
    columns=(
        text("topic", "Topic", "事由"),
        text("region", "Region", "地区"),
        count("this_week", "Last 7 days", "近7天", "case"),
        number("expected", "Expected a week", "预期每周", "case"),
        number("ewma", "Weighted mean", "加权均值", "case"),
        number("upper_limit", "Limit", "控制上限", "case"),
        flag("alarm", "Alarm", "预警"),
    ),
    key=("topic", "region"),
    order=("-alarm", "-ewma"),
    parameters=(
        Parameter(name="kind", type=TEXT, default=None, title="Only this case kind", title_zh="仅此类型"),
        Parameter(name="at_least", type=INTEGER, default=5, title="Alarm from so many cases in the last 7 days on", title_zh="最少工单数", unit="case"),
    ),
    charts=(Chart(kind="bar", x="topic", y="ewma", color="region", title="Weighted mean by topic", title_zh="各事由加权均值", horizontal=True),),
    method="EWMA chart: the mean with weight 0.3 (Roberts, Technometrics 1959) over the last 8 weeks, "
    "begun at what is expected from the 26 weeks before them, against a limit of 3 standard "
    "deviations of a Poisson count. At 8 cases a week a doubling is found after 2 weeks (median) and "
    "0.6 % of quiet weeks give a false alarm.",
    source="crmkit, requirement S2; simulated figures in tests/builtin/service/test_early_warning.py",
    notes="Counts rise with business: where the volume is known, look at a rate. A topic that is "
    "new has nothing to be expected from, so that 5 cases in a week are an alarm.",
)  # fmt: skip
