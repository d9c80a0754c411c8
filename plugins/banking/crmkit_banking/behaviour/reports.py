"""Whether the behaviour score's probabilities come true, grade by grade."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, flag, number, text
from crmkit.declarations import Chart, Report

GRADES = Report(
    name="banking.behaviour-grades",
    title="Grades of the behaviour score: expected and observed defaults",
    title_zh="行为评分等级：预期与实际违约",
    sql=resource_text(__package__, "grades.sql"),
    columns=[
        text("grade", "Grade", "等级"),
        count("customers", "Customers", "客户数"),
        count("defaults", "Defaulted", "违约"),
        number("expected", "Expected", "预期违约率"),
        number("observed", "Observed", "实际违约率"),
        number("low", "At least", "下界"),
        number("high", "At most", "上界"),
        number("observed_expected", "Observed over expected", "实际预期比"),
        flag("holds", "Expected lies within the interval", "预期在区间内"),
    ],
    key=("grade",),
    charts=(
        Chart(kind="bar", x="grade", y="observed", title="Observed defaults", title_zh="实际违约率"),
    ),
    method="The latest run over everyone whose six months have passed: the mean probability of each "
    "grade against the share of its customers of whom a statement since showed 90 days past due or a "
    "write-off, with Wilson's interval at 95 %. Grades as in banking.migration.",
    source="Basel Committee 2005, Studies on the validation of internal rating systems; E. B. Wilson 1927, "
    "Journal of the American Statistical Association 22",
    notes="Empty until half a year after the first run of banking.behaviour.",
)  # fmt: skip
REPORTS = (GRADES,)
