"""Acceptance: who of the bank's own customers takes an offer (requirement B5)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Score

from ..sales import CONSENTED
from ..statements import composed

HORIZON_DAYS = 31
INPUTS = (
    "life_situation", "relationship_months", "open_accounts",
    "income_3m_minor", "income_months_6m", "balance_minor", "average_balance_30d_minor",
    "average_balance_change", "balance_change_30d", "overdraft_days_90d", "assets_minor",
    "card_utilisation", "outstanding_minor", "days_past_due",
)  # fmt: skip
ACCEPTANCE = Score(
    name="banking.acceptance",
    title="Probability of accepting an offer",
    title_zh="邀约接受概率",
    features=tuple(f"banking.{name}" for name in INPUTS),
    population=composed(CONSENTED, (__package__, "population")),
    target=resource_text(__package__, "target.sql"),
    horizon_days=HORIZON_DAYS,
    # Whoever makes the call is to see why.
    estimator="scorecard",
    positive="accepts",
    limits=(
        "For whom to call, never for credit. It was learnt from customers who were asked, and says who "
        "accepts, not who accepts because of the call; only a control group shows that."
    ),
    description=(
        "Customers who may be contacted with offers; positive where one of the next 31 days is accepted. "
        "Of who is not asked in that time nothing is learnt."
    ),
)
SCORES = (ACCEPTANCE,)
