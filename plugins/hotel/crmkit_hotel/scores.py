"""Which bookings will not be kept, and which are those of guests who come again (H6)."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Score

from .data import RESERVATION

# Known when a booking is made. Left out on purpose: country, room assigned, changes, parking and
# requests, which are filled or changed up to check-in and so know who came (the brief, section 6),
# and days on the waiting list, which end after the booking.
BOOKING = (
    "booking_property", "lead_days", "arrival_month", "arrival_week", "arrival_day",
    "weekend_nights", "week_nights", "adults", "children", "infants", "meal", "market_segment",
    "distribution", "repeat_guest", "previous_cancellations", "previous_stays", "room_type_booked",
    "deposit_kind", "agent", "booking_company", "customer_type", "adr",
)  # fmt: skip
# The history of a guest is the answer to whether they are a repeat guest, and no input of it.
# The agent's code alone tells it nearly (AUC 0.836): guests without one book directly, and that is
# said by the channel already.
HISTORY = ("repeat_guest", "previous_cancellations", "previous_stays", "agent")
# The hotel asks or sets these when it takes the booking, and keeps them in the booking as they were
# taken. The rate (adr) is not among them: a system may write it again up to check-in.
SET_AT_BOOKING = {
    f"hotel.{name}": "the hotel knows it when the booking is made."
    for name in BOOKING
    if name != "adr"
}
LEAKING = ("stated_country", "room_type_assigned", "changes", "parking_spaces", "request_count")
SOURCE = (
    "Inputs and measures: hotel brief, section 6, after Antonio, Almeida & Nunes (2019), Data in "
    "Brief 22, 10.1016/j.dib.2018.11.126."
)


def scores() -> list[Score]:
    """Cancellation and no-show risk, and repeat guests."""
    return [
        Score(
            name="hotel.cancellation",
            title="Probability of a cancellation or no-show",
            title_zh="取消或未到概率",
            subject=RESERVATION,
            features=tuple(f"hotel.{name}" for name in BOOKING),
            population=_sql("population"),
            target=_sql("cancelled"),
            moments=_sql("moments"),
            horizon_days=1,
            # The brief, section 6: trees 0.813 and 0.935, logistic 0.768 and 0.915.
            estimator="boosting",
            vouched=SET_AT_BOOKING,
            limits="Not a ground to overbook by itself, nor to treat a guest worse (H-R10).",
            positive="is cancelled or not kept",
            description="Every booking as of its day of arrival, by what was known when it was "
            f"made; later arrivals test. {SOURCE}",
        ),
        Score(
            name="hotel.repeat_guest",
            title="Probability of a repeat guest",
            title_zh="回头客概率",
            subject=RESERVATION,
            features=tuple(f"hotel.{name}" for name in BOOKING if name not in HISTORY),
            population=_sql("population"),
            target=_sql("repeated"),
            moments=_sql("moments"),
            horizon_days=1,
            # The brief, section 6: trees 0.813 and 0.935, logistic 0.768 and 0.915.
            estimator="boosting",
            vouched={
                name: why
                for name, why in SET_AT_BOOKING.items()
                if name.removeprefix("hotel.") not in HISTORY
            },
            limits="Never a ground to greet somebody as a returning guest: ask (H-R6).",
            positive="has stayed before",
            description="Whether a booking is that of a guest who has stayed before, without their "
            f"history. {SOURCE}",
        ),
    ]


def _sql(name: str) -> str:
    return resource_text(__package__, f"booking/{name}.sql")
