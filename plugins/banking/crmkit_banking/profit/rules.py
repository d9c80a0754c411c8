"""Deposits that mature, and customers who rise into the next wealth band (rules 8, 9 and 10)."""

from __future__ import annotations

from crmkit.declarations import Rule

BRIEF = "Banking brief, section 9, rule"

RULES = (
    Rule(
        name="banking.restrict",
        title="Brings less than it costs",
        title_zh="入不敷出",
        # Who makes a loss of more than it brings; the tier scheme banking.relation keeps the tier.
        when="banking_contribution_minor < 0 AND banking_open_accounts >= 1 AND banking_loans >= 1",
        action="list",
        target="restricted",
        message="contribution of {banking_contribution_minor} a year: expected loss "
        "{banking_expected_loss_minor} and cost {banking_cost_to_serve_minor} exceed the revenue",
        cooldown_days=90,
        source=f"{BRIEF} 8",
    ),
    Rule(
        name="banking.maturity",
        title="Term deposit matures",
        title_zh="定期存款将到期",
        when="banking_days_to_maturity <= 30",
        action="list",
        target="maturity-call",
        message="a deposit of {banking_maturing_deposit_minor} matures in "
        "{banking_days_to_maturity} days: call",
        cooldown_days=30,
        source=f"{BRIEF} 9",
    ),
    Rule(
        name="banking.wealth-invitation",
        title="Rose into the next wealth band",
        title_zh="财富层级上升",
        when="banking_wealth_risen AND banking_consent_marketing",
        action="list",
        target="adviser-invitation",
        message="now {banking_wealth_band}, with assets of {banking_assets_minor}: "
        "invite to the adviser",
        cooldown_days=180,
        source=f"{BRIEF} 10",
    ),
)
