"""Whom a hotel leaves in peace: no offers while a complaint is open, nor for seven days after (H-R8)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crmkit.entities import ContactBlock

if TYPE_CHECKING:
    from crmkit.entities import ContactBatch
    from crmkit.workspace import Crm

COMPLAINT = "hotel.complaint"
REST = timedelta(days=7)
# A complaint that nobody has touched for so long is a matter of the service desk, not of a block.
LONGEST = timedelta(days=60)


def complained(crm: Crm, batch: ContactBatch) -> list[ContactBlock]:
    """Blocks guests from a complaint on until seven days after it, or sixty while it is unsolved."""
    found = crm.store.interactions.read(
        ["customer_id", "occurred_at", "payload"], customers=batch.customers, kinds=[COMPLAINT],
        tx=batch.tx,
    )  # fmt: skip
    return [
        ContactBlock(
            customer_id=customer, code="open_complaint", since=at,
            until=at + (REST if said.get("solved") else LONGEST),
            words="the guest complained, and it is not resolved for seven days yet",
            words_zh="客户投诉尚未解决满七天",
        )
        for customer, at, said in found
    ]  # fmt: skip
