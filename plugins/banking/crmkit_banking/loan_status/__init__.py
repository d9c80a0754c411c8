"""Loan status: which loans end unpaid, by what is known when they are granted (the Berka file)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import FeatureSet, Score

from ..measures import money, number, whole, word

LOAN = "banking.loan"
TERMS = FeatureSet(
    name="banking.loan_terms",
    subject=LOAN,
    sql=resource_text(__package__, "terms.sql"),
    source="P. Berka 1999, PKDD'99 Discovery Challenge guide",
    features=(
        money("loan_principal", "Amount lent", "贷款金额", "the amount lent is {value}",
              description="Amount lent."),
        whole("loan_term_months", "month", "Length", "期限", "the loan runs for {value} months",
              missing=None,
              description="Agreed length of the loan."),
        money("loan_instalment", "Instalment", "月供", "the instalment is {value}",
              description="Agreed payment of a month."),
        word("loan_statement_frequency", "Statements are sent", "对账单频率",
             {"monthly": "statements are sent monthly", "weekly": "statements are sent weekly",
              "after_transaction": "statements are sent after each transaction"},
             description="How often statements are sent of the account that the loan is repaid from."),
        word("loan_region", "Region", "地区", "the account is kept in {value}",
             description="Region of the branch that keeps the account."),
        number("loan_instalment_to_salary", "1", "Instalment over the district's salary", "月供与当地工资比",
               "the instalment is {value:.0%} of what is earned in the district",
               description="Instalment over the mean salary of the account's district."),
        number("loan_unemployment", "1", "Unemployment of the district", "当地失业率",
               "unemployment in the district is {value:.1%}",
               description="Rate of unemployment of the account's district; 0.03 is 3 %."),
        whole("loan_inhabitants", "person", "Inhabitants of the district", "当地人口",
              "the district has {value} inhabitants", missing=None,
              description="Inhabitants of the account's district."),
    ),
)  # fmt: skip
FEATURES = (TERMS,)
# District figures of the Berka file describe 1995 and 1996, years after the first loans: no input.
INPUTS = (
    "loan_principal_minor",
    "loan_term_months",
    "loan_instalment_minor",
    "loan_statement_frequency",
)
LOAN_STATUS = Score(
    name="banking.loan-status",
    title="Probability that a loan is not repaid",
    title_zh="贷款不还概率",
    subject=LOAN,
    features=tuple(f"banking.{name}" for name in INPUTS),
    population=resource_text(__package__, "population.sql"),
    target=resource_text(__package__, "target.sql"),
    cross_section=resource_text(__package__, "cross_section.sql"),
    horizon_days=365,
    positive="is not repaid",
    limits="For the comparison with the public file; a bank that sees its customers' behaviour uses "
    "banking.behaviour.",
    description="Loans by what is known when they are granted. In data that state how each loan went and "
    "no more, the loans granted last are the test.",
)
SCORES = (LOAN_STATUS,)

__all__ = ["FEATURES", "SCORES"]
