"""Arrears: days past due, early delinquency, roll rates, vintages and collateral."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import FeatureSet

from ..measures import money, number, whole
from .reports import REPORTS
from .rules import RULES

ARREARS = FeatureSet(
    name="banking.arrears",
    sql=resource_text(__package__, "arrears.sql"),
    window_days=215,
    source="EBA/GL/2016/07, counting of days past due",
    features=(
        whole("loans", "loan", "Running loans", "存续贷款数",
              description="Loans of which a statement of the last 45 days shows something owed and no "
              "write-off."),
        money("outstanding", "Owed", "贷款余额", missing=0,
              description="Owed on running loans by their last statements."),
        whole("days_past_due", "day", "Days past due", "逾期天数", "is {value} days past due",
              description="Days since the oldest unpaid instalment was due, the highest of the running "
              "loans."),
        whole("worst_days_past_due_6m", "day", "Most days past due in six months", "近6月最长逾期",
              "was up to {value} days past due within six months",
              description="The highest that a month-end statement of 185 days shows."),
        whole("months_late_6m", "month", "Months late in six", "近6月逾期月数",
              "was late in {value} of six months",
              description="Month ends of 185 days at which something was past due."),
    ),
)  # fmt: skip
CREDIT_USE = FeatureSet(
    name="banking.credit_use",
    sql=resource_text(__package__, "credit_use.sql"),
    window_days=200,
    source="Banking brief, section 9, fields 18 and 21 and rule 7",
    features=(
        number("card_utilisation", "1", "Use of the card limit", "额度使用率",
               "uses {value:.0%} of the card limit",
               description="Balance over limit by the last card statement, the highest of all cards."),
        number("card_utilisation_change_3m", "1", "Change of the use in three months", "额度使用率变化",
               "the use of the card limit changed by {value:+.0%} in three months",
               description="Use by the last statement less that of three statements before."),
        whole("card_full_months_3m", "month", "Months above nine tenths of the limit", "满额月数",
              "used nine tenths of the limit in {value} of three months", missing=None,
              description="Of the last three statements, those above nine tenths of the limit."),
        whole("inquiries_6m", "inquiry", "Credit inquiries in six months", "近6月征信查询",
              "other lenders asked the bureau {value} times in six months", missing=None,
              description="Inquiries of any lender by the last bureau report; missing where it gives a "
              "code instead."),
    ),
)  # fmt: skip
COLLATERAL = FeatureSet(
    name="banking.collateral",
    sql=resource_text(__package__, "collateral.sql"),
    source="Banking brief, section 9, rule 13; Regulation (EU) 575/2013, article 208(3)",
    features=(
        whole("collateral_valued_days", "day", "Age of the oldest valuation", "估值天数", missing=None,
              description="Days since the oldest valuation among what secures the loans."),
        number("collateral_ltv", "1", "Highest loan to value", "最高贷款价值比",
               description="Highest loan to value among what secures the loans; 0.9 is 90 %."),
    ),
)  # fmt: skip
FEATURES = (ARREARS, CREDIT_USE, COLLATERAL)

__all__ = ["FEATURES", "REPORTS", "RULES"]
