"""Rounds: who is lost, by whom, and whether goods and money agree (W6)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import count, day, detail, flag, integer, money, number, text
from crmkit.declarations import Chart, Headline, Report
from crmkit.survival import product_limit

from ..sql import statement
from .asking import INTERVAL, SUBSCRIBERS, WILSON, by, days, months, only, rate

BRIEF = "Delivery brief, section 8"
PART = text("part", "Round or courier", "路线或快递员")
ROUND = text("round", "Round", "路线")


def round_reports() -> list[Report]:
    """Churn, survival, the round book and the settlement with couriers."""
    return [_churn(), _survival(), _book(), _settlement()]


def _churn() -> Report:
    return Report(
        name="delivery.round-churn",
        title="Subscribers lost by round and courier",
        title_zh="订户流失（按路线与快递员）",
        sql=statement("reports/round_churn", "subscribers", "served"),
        columns=[
            PART, SUBSCRIBERS,
            count("lost", "Lost", "流失", "subscriber"),
            detail(count("courier_left", "Lost with a courier", "随快递员流失", "subscriber")),
            detail(number("subscriber_months", "Exposure", "暴露量", "subscriber-month")),
            *rate("lost_per_month", "lost_per_month", "Lost a month", "月流失率", "A month", "1/month"),
            *rate("loss_rate", "loss", "Share lost", "流失比例", "Lost"),
            number("others_high", "Upper limit of the others", "其他上限"), flag("flagged", "Flagged", "预警"),
        ],
        key=("part",),
        order=("-loss_rate",),
        parameters=[by("round", "courier", "all"), days(90, "Days looked back on", "回溯天数")],
        charts=[Chart(kind="bar", x="part", y="loss_rate", title="Share lost", title_zh="流失比例")],
        headline=Headline(column="lost", total=True),
        method="Of those served in the days asked for, how many ended, and the exposure in "
        "subscriber-months of 30.4375 days. A pause is no loss. A loss within 60 days of a hand-over is "
        "counted with the courier who left. Flagged where the interval lies above that of the others "
        f"together: of a courier those of the same depot, where there are any. {INTERVAL} "
        "Those of the rate a month are Byar's of a Poisson count.",
        source=f"{BRIEF}, rule D-R14. {WILSON} N. E. Breslow and N. E. Day 1987, Statistical Methods in "
        "Cancer Research II, page 69.",
        notes="One short local survey once found 67 % lost at one dairy; that is no limit and no "
        "standard.",
    )  # fmt: skip


def _survival() -> Report:
    return Report(
        name="delivery.round-survival",
        title="How long subscribers stay",
        title_zh="订户留存曲线",
        sql=product_limit(
            resource_text(__package__, "round_survival.sql"), part="part", duration="months"
        ),
        columns=[
            PART, integer("months", "Tenure", "订阅时长", "30 days"),
            count("at_risk", "At risk", "风险集", "subscriber"), count("ended", "Ended", "终止", "subscriber"),
            number("survival", "Still there", "留存率"), number("survival_low", "Still there, low", "留存率下限"),
            number("survival_high", "Still there, high", "留存率上限"),
        ],
        key=("part", "months"),
        parameters=[by("all", "round", "courier")],
        charts=[Chart(kind="step", x="months", y="survival", color="part", title="Still there", title_zh="留存率")],
        method="Kaplan-Meier by months of 30 days; who is there is censored at the tenure reached.",
        source="E. L. Kaplan and P. Meier 1958, Journal of the American Statistical Association 53.",
    )  # fmt: skip


def _book() -> Report:
    return Report(
        name="delivery.round-book",
        title="Starts, endings and pauses of rounds by month",
        title_zh="路线月报",
        sql=statement("reports/round_book"),
        columns=[
            ROUND, day("month_on", "Month", "月份"),
            count("started", "Started", "新增", "subscriber"), count("ended", "Ended", "终止", "subscriber"),
            count("pauses", "Pauses", "暂停", "pause"),
        ],
        key=("round", "month_on"),
        parameters=[months(6, "Months shown", "月数")],
        charts=[Chart(kind="line", x="month_on", y="ended", color="round", title="Ended", title_zh="终止")],
        method="By the month of the start, of the end and of the pause; a pause is no end.",
        source=f"{BRIEF}, reports.",
    )  # fmt: skip


def _settlement() -> Report:
    return Report(
        name="delivery.courier-settlement",
        title="Goods, money and data of couriers, with their commission",
        title_zh="快递员日结与提成",
        sql=statement("reports/courier_settlement"),
        columns=[
            text("courier", "Courier", "快递员"), day("day_on", "Day", "日期"), ROUND,
            detail(count("loaded", "Loaded", "装载", "piece")), count("delivered", "Delivered", "送达", "piece"),
            detail(count("returned", "Returned", "退回", "piece")), count("missing", "Goods missing", "缺货", "piece"),
            money("cash_due", "Money due", "应收款"), money("cash_remitted", "Money handed in", "上缴款"),
            money("short", "Money short", "短款"), detail(count("drops_unrecorded", "Drops not recorded", "未记录户数", "drop")),
            detail(money("commission", "Commission", "提成")), flag("balanced", "Balanced", "平账"),
        ],
        key=("courier", "day_on", "round"),
        parameters=[days(31, "Days shown", "天数"), only("courier", "Only this courier; empty is all", "快递员，空为全部")],
        method="Goods: loaded = delivered + returned. Money: due = handed in. Data: every planned drop is "
        "recorded. A blank is a nought: nothing handed in is short of all that is due. The commission is the day's "
        "share of the money handed in, else the share of the assignment on that day, rounded down; without either "
        "it is missing.",
        source=f"{BRIEF}; the requirement W6.",
    )  # fmt: skip
