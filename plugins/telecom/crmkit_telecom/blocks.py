"""Whom an operator leaves in peace: nobody is sold anything while the network has let them down."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crmkit.entities import ContactBlock

if TYPE_CHECKING:
    from crmkit.entities import ContactBatch
    from crmkit.workspace import Crm

# Kept where the built-in `work` is enabled: it carries out rules that tag.
TAG = "work.tag"
# The rule telecom.network-no-sales puts it on and says for how long.
NO_SALES, NO_SALES_DAYS = "no-sales", 14


def network_trouble(crm: Crm, batch: ContactBatch) -> list[ContactBlock]:
    """Blocks customers for 14 days after the rule about poor network fired on them last."""
    if TAG not in crm.catalog.record_types:
        return []
    found = crm.store.records.read(
        TAG, ("owner_id", "since", "renewed_at"), where={"tag": NO_SALES, "removed_at": None},
        among={"owner_id": batch.customers}, tx=batch.tx,
    )  # fmt: skip
    return [
        ContactBlock(
            customer_id=customer, code="network_trouble", since=since,
            until=(renewed or since) + timedelta(days=NO_SALES_DAYS),
            words=f"the network failed the customer in the last {NO_SALES_DAYS} days",
            words_zh=f"客户近{NO_SALES_DAYS}天内遭遇网络故障",
        )
        for customer, since, renewed in found
    ]  # fmt: skip
