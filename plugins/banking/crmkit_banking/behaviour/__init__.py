"""Behaviour: what the movements on the accounts say, and who of the borrowers will not repay."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import FeatureSet, Score

from ..measures import flag, money, number, whole
from .reports import REPORTS

BALANCE = FeatureSet(
    name="banking.balance",
    sql=resource_text(__package__, "balance.sql"),
    window_days=215,
    source="Banking brief, section 9, fields 8 and 9 and rules 4 and 5",
    features=(
        money("balance", "Balance of all accounts", "账户余额合计", missing=0,
              description="End-of-day balances of all accounts together, overdrafts counting below zero."),
        money("average_balance_30d", "Mean balance of 30 days", "近30天日均余额", missing=0,
              description="Balance at the end of each day, all accounts together."),
        money("average_balance_before", "Mean balance of the 90 days before those", "此前90天日均余额",
              description="Missing where the accounts were not seen for 120 days."),
        number("balance_change_30d", "1", "Change of the balance in 30 days", "30天余额变化",
               "the balance changed by {value:+.0%} in 30 days",
               description="The balance over that of 30 days before, less one; missing where that was "
               "not above zero."),
        number("average_balance_change", "1", "Change of the mean balance", "日均余额变化",
               "the mean balance changed by {value:+.0%}",
               "30 days against the 90 before them, less one."),
        whole("overdraft_days_90d", "day", "Days overdrawn in 90 days", "90天透支天数",
              "was overdrawn on {value} of 90 days",
              description="Days of the last 90 on which an account ended below zero; two accounts count "
              "once at most."),
    ),
)  # fmt: skip
INCOME = FeatureSet(
    name="banking.income_flow",
    sql=resource_text(__package__, "income.sql"),
    window_days=220,
    source="Banking brief, section 9, field 10 and rules 4 and 5",
    features=(
        money("income_3m", "Income a month", "月均收入", missing=0,
              description="Salary and pension of the last three full months, by three."),
        number("income_change_3m", "1", "Change of the income", "收入变化",
               "the income changed by {value:+.0%} against the three months before",
               "Last three full months against the three before, less one; missing where one of the "
               "earlier months has none."),
        number("income_last_month_ratio", "1", "Last month's income against the usual", "上月收入比",
               "last month's income was {value:.0%} of the usual",
               description="Salary and pension of the last full month over the monthly mean of months "
               "four to six."),
        whole("days_since_salary", "day", "Days since the last salary", "距上次工资天数",
              "no salary for {value} days", missing=None,
              description="Days since the last salary or pension came in; missing where none was seen."),
        flag("salary_in", "Salary comes in", "工资入账", missing=False,
             description="A salary or pension came in within 45 days: a pay day and a half."),
        flag("salary_stopped", "Salary stopped", "工资停发", "the salary stopped", missing=False,
             description="None for 45 days, after two or more in the quarter before: one pay day may be "
             "late, two are not."),
        whole("income_months_6m", "month", "Months with income in six", "近6月有收入月数",
              description="How many of the last six full months had a salary or pension."),
    ),
)  # fmt: skip
DEPARTURE = FeatureSet(
    name="banking.departure",
    sql=resource_text(__package__, "departure.sql"),
    window_days=60,
    source="Banking brief, section 9, rule 4",
    features=(
        whole("open_accounts", "account", "Open accounts", "未销账户数",
              description="Accounts opened by the day and not closed."),
        money("moved_away_30d", "Moved to the own name elsewhere", "转往他行本人账户", missing=0,
              description="Sum of transfers in 30 days to the customer's own name at another bank."),
        whole("orders_cancelled_30d", "order", "Standing orders cancelled", "取消定期转账数",
              "cancelled {value} standing orders in 30 days",
              description="Standing orders cancelled within 30 days."),
        whole("closing_requests_60d", "request", "Asked to close", "销户申请", "asked to close",
              description="Requests within 60 days to close an account."),
    ),
)  # fmt: skip
FEATURES = (BALANCE, INCOME, DEPARTURE)

HORIZON_DAYS = 184
# Age, sex, nationality and marital status are not among them: they are protected.
INPUTS = (
    "days_past_due", "worst_days_past_due_6m", "months_late_6m",
    "card_utilisation", "card_utilisation_change_3m", "card_full_months_3m", "inquiries_6m",
    "income_last_month_ratio", "income_change_3m", "days_since_salary", "income_months_6m",
    "average_balance_change", "balance_change_30d", "overdraft_days_90d",
)  # fmt: skip
# A default is arrears of 90 days, and arrears grow by a day a day.
GROWS = "it counts what was unpaid before the date, and a default is what that may grow into."
FILLS = "the statement before the date shows it, and a card fills before an instalment is missed."
PROTECTED = ("gender", "marital", "age_years", "born_on", "nationality", "foreign_worker")
BEHAVIOUR = Score(
    name="banking.behaviour",
    title="Probability of default by behaviour",
    title_zh="行为评分违约概率",
    features=tuple(f"banking.{name}" for name in INPUTS),
    population=resource_text(__package__, "population.sql"),
    target=resource_text(__package__, "target.sql"),
    horizon_days=HORIZON_DAYS,
    # A credit officer has to be able to read it; boosting ranks a hundredth better and cannot be.
    estimator="scorecard",
    protected=tuple(f"banking.customer.{name}" for name in PROTECTED),
    vouched={
        f"banking.{name}": GROWS
        for name in ("days_past_due", "worst_days_past_due_6m", "months_late_6m")
    }
    | {"banking.card_utilisation": FILLS},
    positive="defaults",
    limits=(
        "Not for applicants, whose behaviour the bank has not seen, and not without a person for a "
        "decision with legal effect (GDPR article 22; CJEU C-634/21)."
    ),
    description=(
        "Customers with a running loan that is not in default; positive when a statement of the six "
        "month ends that follow shows 90 days past due or a write-off (the Basel definition of "
        "default, over half of its year)."
    ),
)
SCORES = (BEHAVIOUR,)

__all__ = ["FEATURES", "REPORTS", "SCORES"]
