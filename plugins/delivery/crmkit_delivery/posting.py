"""Cases and postings as the services of the built-ins take them, and the settlement ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from crmkit.workspace import Crm

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


def settle(
    crm: Crm, tx: Any, customer_id: int, due: Mapping[str, int], reason: str
) -> int:  # fmt: skip
    """Posts to the settlement ledger what is missing to the amounts that references stand for.

    A reference whose amount was posted before gets the difference, as ``reference+2``, so that a
    decision or a price may be corrected, and the same amounts again post nothing.

    Args:
        tx: the open write.
        due: reference to whole minor units, 0 or more.
        reason: in the words of the ledger.

    Returns:
        Minor units posted: positive for the customer.

    Raises:
        UsageError: if the balance does not cover what is to be taken off again (``E_BALANCE``).
    """
    accounts = crm.service("ledger.accounts")
    entries = accounts.statement(LEDGER, customer_id)
    postings = []
    for reference, amount in due.items():
        name = f"{LEDGER}:{reference}"
        known = [
            e["amount"]
            for e in entries
            if e["reference"].partition("+")[0].partition("/")[0] == name
        ]
        missing = amount - sum(known)
        if missing:
            postings.append(
                Settlement(
                    customer_id=customer_id, amount=missing,
                    kind="adjust" if missing < 0 else "earn", reason=reason,
                    reference=f"{reference}+{1 + len(known)}" if known else reference,
                )
            )  # fmt: skip
    if postings:
        accounts.post(LEDGER, postings, tx=tx)
    return sum(posting.amount for posting in postings)
