"""Who will leave: the churn score."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Profit, Score

# Two weeks to act, then two months in which a departure counts: with monthly bills a shorter
# outcome window would mostly see departures that were already under way (the brief, section 3).
GAP_DAYS = 14
HORIZON_DAYS = 75

# Everything here is known as of the instant. Left out on purpose: gender (protected, kept for
# fairness checks), retention offers (our own doing, whose effect is measured by its control group),
# late payments (they tell who will be cut off, which is another question), and the plan code, which
# the fee and the services say better.
INPUTS = (
    "senior", "partner", "dependants",
    "tenure_months", "contract_type", "contract_months_left", "contract_months_over",
    "payment_model", "payment_method", "paperless_billing", "internet_service", "phone_service", "multiple_lines",
    "tv_service", "addon_security", "addon_backup", "addon_device_protection",
    "addon_tech_support", "addon_streaming_tv", "addon_streaming_movies", "monthly_fee",
    "total_charges",
    "device_age_months",
    "bill_shock_3m", "overage_share_3m", "spend_trend_3m",
    "data_use_of_allowance", "usage_trend_3m", "dropped_call_rate", "outage_minutes_3m",
    "network_complaints_90d", "service_complaints_90d", "billing_complaints_90d",
    "unsolved_calls_90d", "repeat_contacts_30d", "port_out_requests_60d",
    "cancellation_requests_60d", "days_since_topup",
)  # fmt: skip


def scores() -> list[Score]:
    """The churn score with its SQL."""
    return [
        Score(
            name="telecom.churn",
            title="Probability of leaving",
            title_zh="流失概率",
            features=tuple(f"telecom.{name}" for name in INPUTS),
            population=resource_text(__package__, "churn/population.sql"),
            target=resource_text(__package__, "churn/target.sql"),
            cross_section=resource_text(__package__, "churn/cross_section.sql"),
            gap_days=GAP_DAYS,
            horizon_days=HORIZON_DAYS,
            # On churn data trees are no better (the brief, section 4), and this one can be read.
            estimator="logistic",
            profit=Profit(),
            limits=(
                "Not for customers without an active line, and not for decisions against a customer "
                "(credit, service, price): it says whom to look after."
            ),
            positive="leaves",
            description=(
                "Customers with an active subscription; positive when they end a line of their own "
                "will (not for non-payment, death, fraud or a move) between "
                f"{GAP_DAYS} and {HORIZON_DAYS} days after the as-of day. Learnt without class "
                "weights, because the probability is multiplied by money "
                "(van den Goorbergh et al. 2022, JAMIA, 10.1093/jamia/ocac093)."
            ),
        )
    ]
