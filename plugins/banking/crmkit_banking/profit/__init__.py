"""Profit: contribution with activity-based cost and expected loss, tiers, wealth bands, forecast."""

from __future__ import annotations

from crmkit.declarations import FeatureSet, Scope

from ..measures import flag, money, number, whole, word
from ..statements import composed
from .costs import COST_DRIVERS
from .reports import REPORTS
from .rules import RULES
from .tiers import TIER_SCHEMES

ASSUMED = ("crmkit_banking", "assumed")
OWN = (__package__, "own")

CONTRIBUTION = FeatureSet(
    name="banking.contribution",
    sql=composed(ASSUMED, OWN, (__package__, "contribution")),
    # A balance of a year ago stands since its last movement, of the quarter before at the latest.
    window_days=460,
    source="R. S. Kaplan and S. R. Anderson 2004, Time-Driven Activity-Based Costing, Harvard Business "
    "Review 82(11); matched-maturity funds transfer pricing",
    features=(
        money("net_interest", "Net interest of 365 days", "近365天净利息",
              description="Deposits at the funds transfer price less what they are paid, loans, cards "
              "and overdrafts at their rate less that price."),
        money("fees", "Fees of 365 days", "近365天手续费",
              description="Fees and penalty interest that were booked."),
        money("cost_to_serve", "Cost to serve of 365 days", "近365天服务成本",
              description="What was done for the customer, at the cost of each activity."),
        money("expected_loss", "Credit loss to be expected in a year", "一年预期损失",
              description="Of running loans, by days past due, collateral and the bank's assumptions."),
        money("deposit_contribution", "Contribution of deposits", "存款贡献",
              description="Interest on deposits plus fees, less the cost of all but lending."),
        money("loan_contribution", "Contribution of loans", "贷款贡献",
              description="Interest on loans, cards and overdrafts, less their cost and the loss to be "
              "expected."),
        money("contribution", "Contribution", "综合贡献",
              description="Net interest plus fees less cost to serve and expected loss."),
        money("term_deposits", "Term deposits", "定期存款",
              description="Term deposits that run on the day."),
        number("balance_trend", "1", "Change of the mean balance of half a year", "半年日均余额变化",
               "the mean balance of half a year changed by {value:+.0%}",
               description="Mean balance of the last 182 days over that of the 182 before, less one."),
    ),
)  # fmt: skip
RANK = FeatureSet(
    name="banking.contribution_rank",
    sql=composed(ASSUMED, OWN, (__package__, "rank")),
    window_days=460,
    source="Requirement B3; banking brief, section 9, rule 8",
    scope=Scope.POPULATION,
    features=(
        number("contribution_place", "1", "Place by contribution", "贡献排名",
               description="Rank over all customers with an account or a loan, the best first; above 0, "
               "at most 1."),
    ),
)  # fmt: skip
WEALTH = FeatureSet(
    name="banking.wealth",
    sql=composed(ASSUMED, (__package__, "wealth")),
    window_days=215,
    source="Banking brief, section 9, field 27 and rules 9 and 10; bounds by banking.assumption",
    features=(
        money("assets", "Assets with the bank", "在行资产",
              description="Balances of all accounts plus term deposits that run."),
        number("assets_to_affluent", "1", "Assets against the affluent band", "资产与富裕线之比",
               description="Assets over affluent_from; 1 and more is affluent."),
        number("assets_to_private", "1", "Assets against the private band", "资产与私行线之比",
               description="Assets over private_from; 1 and more is private."),
        number("income_to_affluent", "1", "Income against the affluent band", "收入与富裕线之比",
               description="Salary and pension a month, mean of 92 days, over affluent_income."),
        number("capacity_to_affluent", "1", "Capacity against the affluent band", "收入能力与富裕线之比",
               description="The income that comes in here or was verified within three years, whichever is "
               "more, over affluent_income: who earns well and banks elsewhere has capacity."),
        word("wealth_band", "Wealth band", "财富层级",
             description="Private by assets, affluent by assets or income, else mass."),
        flag("wealth_risen", "Rose into the next wealth band", "财富层级上升", missing=False,
             description="The band is above that of 90 days ago, of a customer who was seen then."),
        whole("days_to_maturity", "day", "Days to the next maturity", "距到期天数", missing=None,
              description="Days until the next term deposit matures; missing without one."),
        money("maturing_deposit", "Deposit that matures next", "即将到期存款",
              description="Amount of that term deposit."),
    ),
)  # fmt: skip
FEATURES = (CONTRIBUTION, RANK, WEALTH)

__all__ = ["COST_DRIVERS", "FEATURES", "REPORTS", "RULES", "TIER_SCHEMES"]
