"""Tiers by contribution with trend and relation, and wealth bands (the brief, section 9, rule 8)."""

from __future__ import annotations

from crmkit.declarations import Tier, TierScheme

# Two months of grace before a step down, and one review a month.
GRACE_DAYS = 60

RELATION = TierScheme(
    name="banking.relation",
    title="Tier by contribution",
    title_zh="综合贡献分层",
    population="banking_open_accounts >= 1 OR banking_loans >= 1",
    # Restricted is the lowest, in which all are who bring nothing: loss or cost above revenue.
    tiers=(
        Tier(name="restricted", title="Restricted", title_zh="限制", benefits=("no new credit",)),
        Tier(
            name="ordinary", title="Ordinary", title_zh="一般",
            enter="banking_contribution_minor > 0",
            keep="banking_contribution_minor > 0",
        ),
        Tier(
            name="potential", title="Potential", title_zh="潜力",
            enter="banking_contribution_minor > 0 AND banking_share_of_wallet < 0.3 "
            "AND banking_capacity_to_affluent >= 0.5 AND banking_days_past_due = 0",
            keep="banking_contribution_minor > 0 AND banking_share_of_wallet < 0.4 "
            "AND banking_capacity_to_affluent >= 0.4 AND banking_days_past_due = 0",
        ),
        Tier(
            name="main", title="Main", title_zh="主要",
            enter="banking_contribution_minor > 0 AND banking_contribution_place <= 0.2",
            keep="banking_contribution_minor > 0 AND banking_contribution_place <= 0.25",
            benefits=("named adviser",),
        ),
        # Premium is stable and close as well: no falling balance, and no arrears.
        Tier(
            name="premium", title="Premium", title_zh="优质",
            enter="banking_contribution_minor > 0 AND banking_contribution_place <= 0.05 "
            "AND banking_days_past_due = 0 AND coalesce(banking_balance_trend, 0) > -0.3",
            keep="banking_contribution_minor > 0 AND banking_contribution_place <= 0.07 "
            "AND banking_days_past_due < 30",
            benefits=("named adviser", "better rates"),
        ),
    ),
    grace_days=GRACE_DAYS,
    soft_landing=True,
    rest_days=30,
    source="Banking brief, section 9, rule 8; requirement B3. The margins of keep are crmkit's own.",
)  # fmt: skip
WEALTH = TierScheme(
    name="banking.wealth",
    title="Wealth band",
    title_zh="财富层级",
    population="banking_open_accounts >= 1",
    tiers=(
        Tier(name="mass", title="Mass", title_zh="大众"),
        Tier(
            name="affluent", title="Affluent", title_zh="富裕",
            enter="banking_assets_to_affluent >= 1 OR banking_income_to_affluent >= 1",
            keep="banking_assets_to_affluent >= 0.8 OR banking_income_to_affluent >= 0.8",
            benefits=("adviser",),
        ),
        Tier(
            name="private", title="Private", title_zh="私人银行",
            enter="banking_assets_to_private >= 1", keep="banking_assets_to_private >= 0.8",
            benefits=("private banker", "annual review"),
        ),
    ),
    grace_days=GRACE_DAYS,
    source="Banking brief, section 9, field 27; bounds by banking.assumption",
)  # fmt: skip
# The other set of names that banks use, for the same figures: who is to be let go stands lowest.
KEY = TierScheme(
    name="banking.key",
    title="Gold, key, general, restricted, to be let go",
    title_zh="金牌、重点、一般、限制、劝退",
    population="banking_open_accounts >= 1 OR banking_loans >= 1",
    tiers=(
        Tier(name="let-go", title="To be let go", title_zh="劝退"),
        Tier(
            name="restricted", title="Restricted", title_zh="限制",
            enter="banking_contribution_minor > 0",
        ),
        Tier(
            name="general", title="General", title_zh="一般",
            enter="banking_contribution_minor > 0 AND banking_days_past_due = 0 "
            "AND coalesce(banking_balance_trend, 0) > -0.3",
            keep="banking_contribution_minor > 0 AND banking_days_past_due < 30 "
            "AND coalesce(banking_balance_trend, 0) > -0.5",
        ),
        Tier(
            name="key", title="Key", title_zh="重点",
            enter="banking_contribution_minor > 0 AND banking_contribution_place <= 0.2 "
            "AND banking_days_past_due = 0",
            keep="banking_contribution_minor > 0 AND banking_contribution_place <= 0.25 "
            "AND banking_days_past_due < 30",
        ),
        Tier(
            name="gold", title="Gold", title_zh="金牌",
            enter="banking_contribution_minor > 0 AND banking_contribution_place <= 0.05 "
            "AND banking_days_past_due = 0",
            keep="banking_contribution_minor > 0 AND banking_contribution_place <= 0.07 "
            "AND banking_days_past_due < 30",
        ),
    ),
    grace_days=GRACE_DAYS,
    source="Requirement B3; the shares are those of banking.relation",
)  # fmt: skip
TIER_SCHEMES = (RELATION, KEY, WEALTH)
