"""Who left, when, why and where to (T3)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, day, detail, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType
from crmkit.survival import product_limit

PACKAGE = __package__


def _days(default: int, title: str, title_zh: str) -> Parameter:
    return Parameter(
        name="days", type=FieldType.INTEGER, default=default, unit="day",
        title=title, title_zh=title_zh,
    )  # fmt: skip


def _by(*choices: str) -> Parameter:
    return Parameter(
        name="by", type=FieldType.TEXT, default=choices[0], choices=choices,
        title="Curve or row for each", title_zh="分组",
    )  # fmt: skip


def churn_reports() -> list[Report]:
    """Composition, survival, cohorts, reasons, rate and porting balance."""
    return [_composition(), _survival(), _cohorts(), _reasons(), _rate(), _porting()]


def _composition() -> Report:
    return Report(
        name="telecom.churn-composition",
        title="Who left: churn by segment",
        title_zh="流失客户构成",
        sql=resource_text(PACKAGE, "churn_composition.sql"),
        columns=[
            text("dimension", "Dimension", "维度"),
            text("value", "Value", "取值"),
            count("customers", "Customers", "客户数"),
            count("leavers", "Left", "流失数"),
            number("churn_rate", "Churn", "流失率"),
            number("churn_rate_low", "Churn, low", "流失率下限"),
            number("churn_rate_high", "Churn, high", "流失率上限"),
            number("share_of_leavers", "Share of leavers", "占流失比"),
            number("lift", "Against the average", "与平均之比"),
        ],
        key=("dimension", "value"),
        charts=[
            Chart(kind="bar", x="value", y="churn_rate", where={"dimension": "contract"},
                  title="Churn by contract", title_zh="按合约的流失率",
                  x_title="Contract", x_title_zh="合约"),
            Chart(kind="bar", x="value", y="churn_rate", where={"dimension": "tenure"},
                  title="Churn by tenure", title_zh="按在网时长的流失率",
                  x_title="Tenure (months)", x_title_zh="在网时长（月）"),
        ],
        headline=Headline(column="churn_rate", where={"dimension": "all"}),
        method="A customer has left when no line of theirs is running; shares of all customers ever "
        "held, with Wilson's 95 % interval.",
        source="E. B. Wilson 1927, Journal of the American Statistical Association 22.",
        notes="A difference between groups shows where leavers come from, not why they left.",
    )  # fmt: skip


def _survival() -> Report:
    return Report(
        name="telecom.churn-survival",
        title="When they left: survival by tenure",
        title_zh="在网生存曲线",
        sql=product_limit(
            resource_text(PACKAGE, "churn_survival.sql"), part="line_group", duration="months"
        ),
        columns=[
            text("line_group", "Group", "分组"),
            count("months", "Tenure", "在网月数", "month"),
            count("at_risk", "At risk", "风险集", "line"),
            count("ended", "Ended", "终止数", "line"),
            number("survival", "Still there", "留存率"),
            number("survival_low", "Still there, low", "留存率下限"),
            number("survival_high", "Still there, high", "留存率上限"),
        ],
        key=("line_group", "months"),
        parameters=[_by("contract", "payment_model", "internet", "all")],
        charts=[
            Chart(kind="step", x="months", y="survival", color="line_group",
                  title="Share of lines still running", title_zh="仍在网比例"),
        ],
        method="Kaplan-Meier estimate with Greenwood's variance on the log-log scale, 95 %. A line "
        "that runs is censored at its tenure; every kind of ending counts.",
        source="E. L. Kaplan and P. Meier 1958, Journal of the American Statistical Association 53.",
        notes="The contract is the last one. Where customers change to longer contracts as they stay, "
        "long contracts look better than they are.",
    )  # fmt: skip


def _cohorts() -> Report:
    return Report(
        name="telecom.cohort-retention", source="crmkit, requirements T3 and L4",
        title="How long lines of one month last",
        title_zh="入网月份群组留存",
        sql=resource_text(PACKAGE, "cohort_retention.sql"),
        columns=[
            day("cohort_on", "Activated in the month of", "入网月份"),
            count("months_after", "Months after", "之后月数", "month"),
            count("size", "Lines of the cohort", "群组用户数", "line"),
            count("kept", "Lasted so long", "留存数", "line"),
            number("retention", "Retention", "留存率"),
        ],
        key=("cohort_on", "months_after"),
        parameters=[
            _days(730, "Activated within so many days", "入网天数"),
            Parameter(name="months", type=FieldType.INTEGER, default=24, unit="month",
                      title="Months followed, at most 99", title_zh="跟踪月数，最多99"),
        ],
        charts=[
            Chart(kind="heat", x="months_after", y="cohort_on", color="retention",
                  title="Share of each cohort that lasted so long", title_zh="各群组逐月留存率"),
        ],
        method="Lines by the month of their activation; kept is who lasted so many months or "
        "longer. A month is shown once every line of the cohort could have reached it.",
        notes="Every kind of ending counts. Lines without an activation day are not counted.",
    )  # fmt: skip


def _reasons() -> Report:
    return Report(
        name="telecom.churn-reasons", source="crmkit, requirement T3",
        title="Why they left and where to",
        title_zh="流失原因与去向",
        sql=resource_text(PACKAGE, "churn_reasons.sql"),
        columns=[
            text("reason", "Reason", "原因"),
            text("destination", "Left for", "去向"),
            count("lines", "Lines", "用户数", "line"),
            number("share", "Share", "占比"),
            count("involuntary", "Not paying", "欠费销户", "line"),
            number("mean_tenure_months", "Mean tenure", "平均在网", "month"),
            money("monthly_fee", "Monthly fee lost", "损失月费", "money/month"),
        ],
        key=("reason", "destination"),
        order=("-lines",),
        parameters=[_days(0, "Ended within so many days; 0 takes all", "最近天数，0为全部")],
        charts=[
            Chart(kind="heat", x="destination", y="reason", color="lines",
                  title="Reason and destination", title_zh="原因与去向"),
            Chart(kind="bar", x="reason", y="lines", color="destination", horizontal=True,
                  title="Lines lost by reason", title_zh="按原因的流失"),
        ],
        headline=Headline(column="lines", total=True),
        method="Counts of ended lines by the reason and destination that the operator recorded.",
        notes="A stated reason is what a leaver says: often the last straw, seldom the first.",
    )  # fmt: skip


def _rate() -> Report:
    return Report(
        name="telecom.churn-rate", source="crmkit, requirements T3 and L6",
        title="Lines won and lost by month",
        title_zh="月度流失率",
        sql=resource_text(PACKAGE, "churn_rate.sql"),
        columns=[
            text("line_group", "Group", "分组"),
            day("month_on", "Month", "月份"),
            count("opening", "At the start", "月初在网", "line"),
            count("won", "Won", "新增", "line"),
            detail(count("voluntary", "Left", "主动离网", "line")),
            detail(count("involuntary", "Not paying", "欠费离网", "line")),
            detail(count("other", "Other endings", "其他离网", "line")),
            number("churn_rate", "Gross churn", "总流失率"),
            detail(number("voluntary_rate", "Voluntary churn", "主动流失率")),
            detail(number("involuntary_rate", "Involuntary churn", "欠费流失率")),
            number("net_churn_rate", "Net churn", "净流失率"),
        ],
        key=("line_group", "month_on"),
        parameters=[
            _by("all", "contract", "payment_model", "plan", "region", "tenure"),
            _days(400, "Months that began within so many days", "统计天数"),
        ],
        charts=[
            Chart(kind="line", x="month_on", y="churn_rate", color="line_group",
                  title="Gross churn by month", title_zh="月度总流失率"),
        ],
        method="Lines ended in the month over lines running at its start; net churn subtracts lines "
        "won. The month of the as-of day counts as far as it has gone. By tenure, a line stands in the "
        "band that it had reached at the start of the month.",
        notes="Lines without dates, as in the IBM sample, are not counted. By plan, a line counts under the plan that "
        "it had in the month; contract, payment model and region are those of the as-of day.",
    )  # fmt: skip


def _porting() -> Report:
    return Report(
        name="telecom.porting-balance", source="crmkit, requirement T3",
        title="Numbers won from and lost to competitors",
        title_zh="携号转网收支",
        sql=resource_text(PACKAGE, "porting_balance.sql"),
        columns=[
            text("competitor", "Competitor", "竞争对手"),
            count("won", "Won", "携入", "line"),
            count("lost", "Lost", "携出", "line"),
            count("balance", "Balance", "净额", "line"),
            number("lost_per_won", "Lost for each won", "携出携入比"),
            money("lost_monthly_fee", "Monthly fee lost", "损失月费", "money/month"),
        ],
        key=("competitor",),
        order=("balance",),
        parameters=[_days(365, "Within so many days; 0 takes all", "最近天数，0为全部")],
        headline=Headline(column="balance", total=True),
        charts=[Chart(kind="bar", x="competitor", y="balance", title="Balance", title_zh="净额")],
        method="Lines activated with a number ported in, and lines ended with a known destination.",
    )  # fmt: skip
