"""What to do about arrears, early signs of them, and old collateral (rules 6, 7 and 13)."""

from __future__ import annotations

from crmkit.declarations import Rule

BRIEF = "Banking brief, section 9, rule"
DUE = "banking_days_past_due"
WORDS = "the oldest unpaid instalment is {banking_days_past_due} days past due"

RULES = (
    Rule(
        name="banking.reminder",
        title="1 to 29 days past due",
        title_zh="逾期1-29天",
        when=f"{DUE} BETWEEN 1 AND 29",
        action="list",
        target="repayment-reminder",
        message=f"{WORDS}: remind",
        evidence=("banking_outstanding_minor",),
        cooldown_days=14,
        source=f"{BRIEF} 6",
    ),
    Rule(
        name="banking.stage-two",
        title="30 to 59 days past due",
        title_zh="逾期30-59天",
        when=f"{DUE} BETWEEN 30 AND 59",
        action="list",
        target="collections-call",
        message=f"{WORDS}: IFRS 9 stage 2, call",
        evidence=("banking_outstanding_minor",),
        cooldown_days=14,
        source=f"{BRIEF} 6; IFRS 9 paragraph 5.5.11",
    ),
    Rule(
        name="banking.pre-legal",
        title="60 to 89 days past due",
        title_zh="逾期60-89天",
        when=f"{DUE} BETWEEN 60 AND 89",
        action="list",
        target="pre-legal",
        message=f"{WORDS}: pre-legal letter",
        evidence=("banking_outstanding_minor",),
        cooldown_days=14,
        source=f"{BRIEF} 6",
    ),
    Rule(
        name="banking.default",
        title="90 days past due or more",
        title_zh="逾期90天以上",
        when=f"{DUE} >= 90",
        action="alert",
        target="default",
        message=f"{WORDS}: default, IFRS 9 stage 3",
        evidence=("banking_outstanding_minor",),
        cooldown_days=30,
        source=f"{BRIEF} 6; Regulation (EU) 575/2013, article 178",
    ),
    Rule(
        name="banking.early-delinquency",
        title="Early sign of delinquency",
        title_zh="早期逾期征兆",
        when=f"(banking_card_full_months_3m >= 3 OR banking_inquiries_6m >= 3) AND {DUE} = 0",
        action="list",
        target="behaviour-rescore",
        message="the card was above nine tenths of its limit for three months, or other lenders asked "
        "three times in six: score the behaviour anew",
        evidence=(
            "banking_card_full_months_3m",
            "banking_card_utilisation",
            "banking_inquiries_6m",
        ),
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
)
