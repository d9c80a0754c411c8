"""Whether the churn score told the truth (the brief, section 8, report 4 and rule 13)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, day, detail, flag, number
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

PACKAGE = __package__


def quality_reports() -> list[Report]:
    """The score against the months that followed."""
    return [_quality()]


def _quality() -> Report:
    return Report(
        name="telecom.score-quality",
        title="Did the churn score tell the truth",
        title_zh="流失评分质量",
        sql=resource_text(PACKAGE, "score_quality.sql"),
        columns=[
            day("run_on", "Scored on", "评分日期"),
            count("tenth", "Risk tenth", "风险十分位", "1"),
            count("customers", "Customers", "客户数"),
            number("mean_probability", "Mean probability", "平均预测概率"),
            count("leavers", "Left", "流失数"),
            number("churn_rate", "Left, share", "实际流失率"),
            number("lift", "Lift", "提升度"),
            detail(number("captured_share", "Leavers found so far", "累计捕获率")),
            number("auc", "AUC", "AUC"),
            detail(number("observed_expected", "Left against expected", "实际与预期之比")),
            detail(number("psi", "Stability index", "稳定性指数")),
            flag("alarm", "Alarm", "预警"),
        ],
        key=("run_on", "tenth"),
        order=("-run_on",),
        parameters=[
            Parameter(name="days", type=FieldType.INTEGER, default=400, unit="day",
                      title="Runs within so many days", title_zh="统计天数"),
        ],
        headline=Headline(column="psi"),
        charts=[
            # A line for each run: bars of several runs would be piled up.
            Chart(kind="line", x="tenth", y="lift", color="run_on", title="Lift by risk tenth",
                  title_zh="各十分位提升度"),
            Chart(kind="point", x="mean_probability", y="churn_rate", color="run_on",
                  title="What was said and what came", title_zh="预测与实际"),
        ],
        method="Each run against the terminations of the customers' own will 15 to 75 days after it; "
        "a run that is younger has none yet. AUC is the share of pairs of a leaver and a stayer in "
        "which the leaver was rated higher. The stability index compares the ratings with those of "
        "the oldest run, in its tenths. Alarm: index over 0.25, or leavers under 0.8 or over 1.25 of "
        "those expected.",
        source="Area under the curve: J. A. Hanley and B. J. McNeil 1982, Radiology 143. Thresholds: "
        "telecom brief, section 8, rule 13.",
        notes="Whoever was called because of the score and stayed counts as a stayer: good retention "
        "makes a score look worse. An alarm asks for a look at the inputs, then for a new training.",
    )  # fmt: skip
