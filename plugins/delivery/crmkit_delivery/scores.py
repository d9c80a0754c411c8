"""Which shipments will be late: at the order, at the hand-over, and on the way (W7, D-R17)."""

from __future__ import annotations

from crmkit.declarations import Score

from .data import WAYBILL
from .sql import statement

# Most promises end within a month of the hand-over; what is not delivered by then is late or not told.
HORIZON_DAYS = 30
AT_ORDER = (
    "promised_days", "product", "scope", "from_zone", "to_zone", "same_zone", "weight_kg", "freight",
    "items",
)  # fmt: skip
# The promise as it is left at the hand-over says more than as it was made.
AT_HANDOVER = (
    "slack_days", "days_since_order", "days_past_ship_by", "product", "scope", "from_zone", "to_zone",
    "same_zone", "weight_kg", "freight",
)  # fmt: skip
ON_THE_WAY = (*AT_HANDOVER, "hubs_passed", "attempts")
LIMITS = (
    "Says which shipments to look after and whom to call before it is late. Not a measure of a courier, "
    "and not a ground to refuse a customer or a region."
)
ABOUT = (
    "Positive when the first delivery comes after the promise with its grace, or has not come although "
    "the promise passed within 30 days. Learnt at {moment}, without class weights, so that it is a "
    "probability."
)


def scores() -> list[Score]:
    """The three scores of lateness."""
    return [
        _score("delivery.late", "Probability of being late", "晚点概率", AT_HANDOVER,
               "moments", "population", "the hand-over"),
        _score("delivery.late-at-order", "Probability of being late, at the order", "下单时晚点概率",
               AT_ORDER, "order_moments", "order_population", "the order"),
        _score("delivery.late-in-transit", "Probability of being late, on the way", "在途晚点概率",
               ON_THE_WAY, "transit_moments", "population", "the first scan after the hand-over"),
    ]  # fmt: skip


def _score(
    name: str, title: str, title_zh: str, inputs: tuple[str, ...], moments: str, population: str,
    words: str,
) -> Score:  # fmt: skip
    return Score(
        name=name, title=title, title_zh=title_zh, subject=WAYBILL,
        features=tuple(f"delivery.{one}" for one in inputs),
        moments=statement(f"score/{moments}"),
        population=statement(f"score/{population}", "tracking"),
        target=statement("score/target"), horizon_days=HORIZON_DAYS, estimator="logistic",
        limits=LIMITS, positive="is late", description=ABOUT.format(moment=words),
    )  # fmt: skip
