"""Whom to call within a budget, and what it earned (T4, T6)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.columns import CUSTOMER, count, detail, money, number, text
from crmkit.declarations import Chart, Headline, Parameter, Report
from crmkit.entities import FieldType

PACKAGE = __package__


def retention_reports() -> list[Report]:
    """The list, what offers earned, and how customers answer them."""
    return [_list(), _results(), _response()]


def _list() -> Report:
    return Report(
        name="telecom.retention-list",
        title="Whom to call this week, and why",
        title_zh="本周挽留名单",
        sql=resource_text(PACKAGE, "retention_list.sql"),
        columns=[
            count("place_in_list", "Place", "名次", "1"),
            CUSTOMER,
            number("probability", "Probability of leaving", "流失概率"),
            detail(count("band", "Risk tenth", "风险十分位", "1")),
            detail(money("expected_loss", "Expected loss", "预期损失")),
            text("offer", "Offer", "方案"),
            detail(number("accept_probability", "Acceptance", "接受概率")),
            detail(money("expected_cost", "Expected cost", "预期成本")),
            money("expected_gain", "Expected gain", "预期收益"),
            detail(money("budget_used", "Budget used", "累计预算")),
            text("call_when", "When", "时间"),
            text("channel", "Channel", "渠道"),
            text("reasons", "Why", "原因"),
        ],
        key=("place_in_list",),
        parameters=[
            _money("budget", "1000", "Budget of the week", "本周预算"),
            Parameter(name="accept_rate", type=FieldType.NUMBER, default=0.3, unit="1",
                      title="Share that accepts an offer", title_zh="接受率"),
            _money("contact_cost", "1", "Cost of one contact", "单次联系成本"),
            Parameter(name="margin", type=FieldType.NUMBER, default=0.5, unit="1",
                      title="Margin on the monthly fee", title_zh="毛利率"),
            Parameter(name="value_months", type=FieldType.INTEGER, default=24, unit="month",
                      title="Months that a kept customer stays", title_zh="留存月数"),
        ],
        scores=("telecom.churn",),
        charts=[
            Chart(kind="bar", x="place_in_list", y="expected_gain_minor", color="offer",
                  title="Expected gain by place", title_zh="按名次的预期收益"),
        ],
        headline=Headline(column="expected_gain_minor", total=True),
        method="Value is monthly fee x margin x months; expected loss is probability x value; the "
        "expected gain of an offer is probability x acceptance x value - contact cost - acceptance x "
        "cost of the offer. Every customer gets the offer with the highest gain; those with a gain "
        "above zero are taken in order of gain per cost until the budget is used.",
        source="Expected profit per customer after Verbeke et al. 2012 (EJOR 218) and Verbraken, "
        "Verbeke and Baesens 2013 (TKDE 25), whose defaults are acceptance Beta(6, 14) with mean 0.3 "
        "and contact cost 1.",
        notes="A high risk is not a high benefit (Ascarza 2018, JMR): hold out a random control group "
        "and read telecom.retention-results. Who pays late or gave no consent is not listed.",
    )  # fmt: skip


def _results() -> Report:
    return Report(
        name="telecom.retention-results", source="crmkit, requirement T4",
        title="What the offers earned",
        title_zh="挽留成效",
        sql=resource_text(PACKAGE, "retention_results.sql"),
        columns=[
            text("offer", "Offer", "方案"),
            count("customers", "Customers", "客户数"),
            count("accepted", "Accepted", "接受数"),
            count("kept", "Kept", "留存数"),
            number("kept_share", "Kept, share", "留存率"),
            number("uplift_share", "Against control", "较对照组"),
            number("uplift_share_margin", "Uncertainty (95 %)", "误差"),
            money("cost", "Cost", "成本"),
        ],
        key=("offer",),
        parameters=[
            _days("days", 400, "Offers within so many days", "统计天数"),
            _days("kept_days", 90, "Days after the offer", "观察天数"),
        ],
        charts=[Chart(kind="bar", x="offer", y="kept_share", title="Kept", title_zh="留存率")],
        method="First offer of each customer in the window; kept is no termination of their own will "
        "within the days after it; uplift is the difference to the control group, margin 1.96 "
        "standard errors of a difference of shares.",
        notes="Customers who refused or were not reached stay in their group: what is measured is "
        "making the offer, not taking it.",
    )  # fmt: skip


def _response() -> Report:
    return Report(
        name="telecom.offer-response",
        title="How customers answer offers",
        title_zh="方案价格敏感度",
        sql=resource_text(PACKAGE, "offer_response.sql"),
        columns=[
            text("offer", "Offer", "方案"),
            number("discount_share", "Discount", "折扣"),
            count("contacted", "Contacted", "联系数"),
            count("reached", "Reached", "接通数"),
            count("accepted", "Accepted", "接受数"),
            number("accept_share", "Accepted, share", "接受率"),
            number("accept_share_low", "Accepted, low", "接受率下限"),
            number("accept_share_high", "Accepted, high", "接受率上限"),
            money("mean_cost", "Mean cost", "平均成本"),
        ],
        key=("offer", "discount_share"),
        parameters=[_days("days", 730, "Offers within so many days", "统计天数")],
        charts=[
            Chart(kind="point", x="discount_share", y="accept_share", color="offer",
                  title="Acceptance by discount", title_zh="折扣与接受率"),
        ],
        method="Accepted over contacted, with Wilson's 95 % interval.",
        source="E. B. Wilson 1927, Journal of the American Statistical Association 22.",
    )  # fmt: skip


def _money(name: str, default: str, title: str, title_zh: str) -> Parameter:
    return Parameter(
        name=name, type=FieldType.MONEY, default=default, unit="money",
        title=title, title_zh=title_zh,
    )  # fmt: skip


def _days(name: str, default: int, title: str, title_zh: str) -> Parameter:
    return Parameter(
        name=name, type=FieldType.INTEGER, default=default, unit="day",
        title=title, title_zh=title_zh,
    )  # fmt: skip
