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
        money("net_interest", "Net interest of 365 days", "近365天净利息"),
        money("fees", "Fees of 365 days", "近365天手续费"),
        money("cost_to_serve", "Cost to serve of 365 days", "近365天服务成本"),
        money("expected_loss", "Credit loss to be expected in a year", "一年预期损失",
              description="Of running loans, by days past due, collateral and the bank's assumptions."),
        money("deposit_contribution", "Contribution of deposits", "存款贡献"),
        money("loan_contribution", "Contribution of loans", "贷款贡献"),
        money("contribution", "Contribution", "综合贡献",
              description="Net interest plus fees less cost to serve and expected loss."),
        money("term_deposits", "Term deposits", "定期存款"),
        number("balance_trend", "1", "Change of the mean balance of half a year", "半年日均余额变化",
               "the mean balance of half a year changed by {value:+.0%}"),
    ),
)  # fmt: skip
RANK = FeatureSet(
    name="banking.contribution_rank",
    sql=composed(ASSUMED, OWN, (__package__, "rank")),
    window_days=460,
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
    features=(
        money("assets", "Assets with the bank", "在行资产"),
        number("assets_to_affluent", "1", "Assets against the affluent band", "资产与富裕线之比"),
        number("assets_to_private", "1", "Assets against the private band", "资产与私行线之比"),
        number("income_to_affluent", "1", "Income against the affluent band", "收入与富裕线之比"),
        number("capacity_to_affluent", "1", "Capacity against the affluent band", "收入能力与富裕线之比",
               description="The income that comes in here or was verified within three years, whichever is "
               "more, over affluent_income: who earns well and banks elsewhere has capacity."),
        word("wealth_band", "Wealth band", "财富层级"),
        flag("wealth_risen", "Rose into the next wealth band", "财富层级上升", missing=False),
        whole("days_to_maturity", "day", "Days to the next maturity", "距到期天数", missing=None),
        money("maturing_deposit", "Deposit that matures next", "即将到期存款"),
    ),
)  # fmt: skip
FEATURES = (CONTRIBUTION, RANK, WEALTH)

__all__ = ["COST_DRIVERS", "FEATURES", "REPORTS", "RULES", "TIER_SCHEMES"]
