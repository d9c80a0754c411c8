"""What to do about arrears, early signs of them, and old collateral (rules 6, 7 and 13)."""

from __future__ import annotations

from crmkit.declarations import Rule

BRIEF = "Banking brief, section 9, rule"
DUE = "banking_days_past_due"


def _arrears(
    name: str, title: str, title_zh: str, days: str, target: str, do: str, *, action: str = "list",
    cooldown_days: int = 14, source: str = "",
) -> Rule:  # fmt: skip
    """A rung of the ladder: ``days`` says how old the arrears are, ``do`` what is to be done."""
    return Rule(
        name=f"banking.{name}", title=title, title_zh=title_zh, when=f"{DUE} {days}", action=action,
        target=target,
        message=f"the oldest unpaid instalment is {{{DUE}}} days past due: {do}",
        evidence=("banking_outstanding_minor",), cooldown_days=cooldown_days,
        source=f"{BRIEF} 6{source}",
    )  # fmt: skip


RULES = (
    _arrears("reminder", "1 to 29 days past due", "逾期1-29天", "BETWEEN 1 AND 29", "repayment-reminder", "remind"),
    _arrears("stage-two", "30 to 59 days past due", "逾期30-59天", "BETWEEN 30 AND 59", "collections-call",
             "IFRS 9 stage 2, call", source="; IFRS 9 paragraph 5.5.11"),
    _arrears("pre-legal", "60 to 89 days past due", "逾期60-89天", "BETWEEN 60 AND 89", "pre-legal", "pre-legal letter"),
    _arrears("default", "90 days past due or more", "逾期90天以上", ">= 90", "default", "default, IFRS 9 stage 3",
             action="alert", cooldown_days=30, source="; Regulation (EU) 575/2013, article 178"),
    Rule(
        name="banking.early-delinquency",
        title="Early sign of delinquency",
        title_zh="早期逾期征兆",
        when=f"(banking_card_full_months_3m >= 3 OR banking_inquiries_6m >= 3) AND {DUE} = 0",
        action="list",
        target="behaviour-rescore",
        message="the card was above nine tenths of its limit for three months, or other lenders asked "
        "three times in six: score the behaviour anew",
        evidence=("banking_card_utilisation",),
        cooldown_days=60,
        source=f"{BRIEF} 7",
    ),
    Rule(
        name="banking.revalue-collateral",
        title="Collateral to be valued anew",
        title_zh="押品重估",
        when="banking_loans >= 1 AND (banking_collateral_valued_days > 1095 OR banking_collateral_ltv > 0.9)",
        action="list",
        target="revaluation",
        message="collateral valued {banking_collateral_valued_days} days ago, loan to value "
        "{banking_collateral_ltv:.0%}: value it anew",
        cooldown_days=180,
        source=f"{BRIEF} 13; Regulation (EU) 575/2013, article 208(3)",
    ),
)  # fmt: skip
