"""Cases and postings as the services of the built-ins take them, and the settlement ledger."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from attrs import frozen

LEDGER = "delivery.settlement"


@frozen(kw_only=True)
class ClaimCase:
    """A case to be opened, as the service ``service.cases`` takes it."""

    customer_id: int
    kind: str
    values: dict[str, Any]
    source: str
    ref: str
    opened_at: datetime | None = None
    by_customer: bool = False


@frozen(kw_only=True)
class Settlement:
    """A posting, as the service ``ledger.accounts`` takes it; ``amount`` in whole minor units."""

    customer_id: int
    amount: int
    kind: str
    reference: str
    reason: str
    at: datetime | None = None
    expires_on: date | None = None
