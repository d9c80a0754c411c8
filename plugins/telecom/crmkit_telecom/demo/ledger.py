"""What happened in the demo's months, row by row, as the operator's systems would export it."""

from __future__ import annotations

from datetime import date
from typing import Any

from attrs import define, field

EVENT_COLUMNS = (
    "kind", "customer", "subscription", "occurred_on", "channel", "direction", "topic", "resolved",
    "wait_minutes", "severity", "operator", "offer", "discount_share", "cost", "result",
    "from_plan", "to_plan", "move", "contract_type", "ends_on", "amount", "method", "cell",
    "outage_minutes", "step", "days_overdue", "visit", "touchpoint", "score", "ended_as", "reason",
)  # fmt: skip

BILL_COLUMNS = (
    "bill", "customer", "subscription", "period_starts_on", "issued_on", "due_on", "amount",
    "recurring", "overage", "paid_on", "method",
)  # fmt: skip
USAGE_COLUMNS = (
    "customer", "subscription", "period_starts_on", "period_ends_on", "voice_out_min",
    "voice_in_min", "offnet_share", "sms", "data_gb", "roaming_days", "distinct_contacts",
    "data_allowance_gb", "voice_allowance_min", "dropped_call_rate", "outage_minutes",
    "downlink_mbps", "cell",
)  # fmt: skip


@define
class Departure:
    """One leaver: day, kind of churn, and the generator's cause."""

    customer: int
    on: date
    kind: str
    cause: str
    operator: str | None


@define
class Ledger:
    """Everything that the months produced."""

    bills: list[tuple[Any, ...]] = field(factory=list)
    usage: list[tuple[Any, ...]] = field(factory=list)
    events: list[dict[str, Any]] = field(factory=list)
    # (day, customer): the line changed on that day; the files show its state then.
    versions: list[tuple[date, int, dict[str, Any]]] = field(factory=list)
    departures: list[Departure] = field(factory=list)
    # By customer, as of the judged day: expected departures in the outcome window, and the cause
    # that stood highest.
    oracle: dict[int, tuple[float, str]] = field(factory=dict)

    def event(self, kind: str, customer: int, on: date, **values: Any) -> None:
        """Adds an event; unknown columns are refused by the writer."""
        self.events.append({"kind": kind, "customer": customer, "occurred_on": on, **values})


def customer_ref(index: int) -> str:
    """Key of a customer in the operator's files."""
    return f"C{index + 1:06d}"


def line_ref(index: int) -> str:
    """Key of a customer's line in the operator's files."""
    return f"L{index + 1:06d}"


def money(minor: int) -> str:
    """An amount as the files write it."""
    return f"{int(minor) // 100}.{int(minor) % 100:02d}"
