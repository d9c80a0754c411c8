"""Cash: expected in- and outflow by branch and day, its back-test, and when to order (B7)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, day, flag, money, number, text
from crmkit.declarations import Chart, FeatureSet, Headline, Parameter, Report, Rule
from crmkit.entities import FieldType

from ..measures import money as amount
from ..measures import whole

BRANCH = "banking.branch"
FORECAST = FeatureSet(
    name="banking.cash_forecast",
    subject=BRANCH,
    sql=resource_text(__package__, "forecast.sql"),
    window_days=112,
    source="Requirement B7; banking brief, section 9, rule 14",
    features=(
        amount("cash_out_expected", "Most cash out expected in five days", "五日内最大预期现金支出",
               description="The highest expected cash out of the five days ahead: the mean of the "
               "weekday in 112 days, times what its part of the month makes of it."),
        amount("cash_out_bound", "Cash out not exceeded in 19 of 20 such days", "现金支出上界",
               description="That expectation plus 1.64 standard errors, from how far the same days were off."),
        amount("cash_in_expected", "Mean cash in expected in five days", "五日平均预期现金收入",
               description="Mean expected cash in of the five days ahead."),
        amount("cash_limit", "Cash limit", "现金限额",
               description="What the branch may hold, or is supplied with, a day."),
        whole("days_above_cash_limit", "day", "Days expected above the limit", "超限天数",
              description="Days of the five ahead whose expected cash out is above the limit."),
    ),
)  # fmt: skip
FEATURES = (FORECAST,)
RULES = (
    Rule(
        name="banking.order-cash",
        subject=BRANCH,
        title="Order cash",
        title_zh="调拨现金",
        when="banking_days_above_cash_limit >= 1",
        action="alert",
        target="cash-desk",
        message="expects to pay out {banking_cash_out_expected_minor} on one of the next five days, "
        "above the limit of {banking_cash_limit_minor}: order cash",
        evidence=("banking_cash_out_bound_minor", "banking_cash_in_expected_minor"),
        cooldown_days=3,
        source="Banking brief, section 9, rule 14",
    ),
)
DAYS = Parameter(
    name="days", type=FieldType.INTEGER, default=28, unit="day", title="Days of the back-test",
    title_zh="回测天数",
)  # fmt: skip
AHEAD = Parameter(
    name="ahead",
    type=FieldType.INTEGER,
    default=5,
    unit="day",
    title="Days ahead",
    title_zh="预测天数",
)
METHOD = (
    "A day is expected to be like the mean of its weekday in the 112 days that were known the day before "
    "it, times what its part of the month (1 to 4, 5 to 24, 25 on) made of those days. The interval of 80 "
    "in 100 is 1.28 standard errors on each side, from how far the same days were off by the root of what "
    "was expected of them. Days without a movement count as 0."
)
SOURCE = "Requirement B7; banking brief, section 9, report 13"


def _sql(name: str) -> str:
    return (
        resource_text(__package__, "position.sql").rstrip()
        + "\n"
        + resource_text(__package__, f"{name}.sql")
    )


POSITION = Report(
    name="banking.cash-position",
    title="Cash by branch and day, expected and actual",
    title_zh="现金头寸预测与实际",
    sql=_sql("days"),
    columns=[
        text("branch", "Branch", "网点"),
        day("day_on", "Day", "日期"),
        text("period", "Period", "时段"),
        money("out_expected", "Out, expected", "预期支出", "money/day"),
        money("out_low", "Out, at least", "支出下界", "money/day"),
        money("out_high", "Out, at most", "支出上界", "money/day"),
        money("out_actual", "Out, actual", "实际支出", "money/day"),
        money("in_expected", "In, expected", "预期收入", "money/day"),
        money("in_low", "In, at least", "收入下界", "money/day"),
        money("in_high", "In, at most", "收入上界", "money/day"),
        money("in_actual", "In, actual", "实际收入", "money/day"),
        flag("order_cash", "Order cash", "需调拨"),
    ],
    key=("branch", "day_on"),
    parameters=(DAYS, AHEAD),
    charts=(
        Chart(kind="line", x="day_on", y="out_expected_minor", color="branch",
              title="Cash out expected", title_zh="预期现金支出"),
    ),
    headline=Headline(column="out_expected_minor", total=True, where={"period": "ahead"}),
    method=METHOD,
    source=SOURCE,
    notes="Branches that report their cash (banking.cash_day) are taken from it; where none does, "
    "customers' cash transactions are added up by the branch of the movement or of the account.",
)  # fmt: skip
ACCURACY = Report(
    name="banking.cash-accuracy",
    title="How good the cash forecast was",
    title_zh="现金预测回测",
    sql=_sql("accuracy"),
    columns=[
        text("branch", "Branch", "网点"),
        count("days", "Days judged", "回测天数", "day"),
        money("mean_out", "Mean cash out", "日均支出", "money/day"),
        number("error", "Error", "误差率"),
        number("error_of_last_week", "Error of last week's day", "上周同日误差率"),
        number("bias", "Bias", "偏差率"),
        number("within_interval", "Days within the interval", "区间覆盖率"),
    ],
    key=("branch",),
    parameters=(DAYS, AHEAD),
    method=METHOD + " The error is the sum of absolute errors over the sum of cash out; beside it that "
    "of taking the same day of the week before.",
    source=SOURCE,
)  # fmt: skip
USE = Report(
    name="banking.branch-use",
    title="How branches and machines are used",
    title_zh="网点与机具使用",
    sql=resource_text(__package__, "use.sql"),
    columns=[
        text("branch", "Branch", "网点"),
        text("via", "By", "渠道"),
        count("movements", "Movements", "笔数", "transaction"),
        count("customers", "Customers", "客户数"),
        money("amount", "Amount", "金额"),
        number("movements_a_day", "Movements a day", "日均笔数", "transaction/day"),
        number("movements_change", "Change of movements", "笔数变化"),
        number("customers_change", "Change of customers", "客户数变化"),
        number("mean_amount_change", "Change of the mean amount", "笔均变化"),
    ],
    key=("branch", "via"),
    parameters=(
        Parameter(name="days", type=FieldType.INTEGER, default=91, unit="day", title="Period",
                  title_zh="期间"),
    ),
    method="Cash movements of the period, and of the period of the same length before it. The change is "
    "told apart: more customers, or more or larger movements of each.",
    source=SOURCE,
)  # fmt: skip
REPORTS = (POSITION, ACCURACY, USE)
