"""What somebody who has the customer on the line must not offer, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import instant, text
from crmkit.declarations import Panel
from crmkit.entities import ContactRequest

from .purposes import read_purposes

if TYPE_CHECKING:
    from crmkit.workspace import Crm

CHANNEL = "phone"


def panels() -> list[Panel]:
    """One row per purpose for which the customer may not be called now."""
    return [
        Panel(
            name="contact.restraints", title="What not to say", title_zh="不可提及", order=20,
            rows=_restraints,
            columns=(
                text("purpose", "Not for", "禁止目的"),
                text("why", "Because", "原因"),
                instant("free_at", "Free at", "最早可联系"),
            ),
            pii={"why": "quasi"},
        )
    ]  # fmt: skip


def _restraints(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    requests = [
        ContactRequest(customer_id=customer, channel=CHANNEL, purpose=purpose, at=crm.clock())
        for purpose in read_purposes(crm)
        for customer in sorted(set(crm.store.customers.survivors(customers).values()))
    ]
    for decision in crm.service("contact.policy").ask(requests):
        if not decision.allowed:
            zh = crm.settings.language == "zh"
            yield {
                "customer_id": decision.customer_id, "purpose": decision.request.purpose,
                "why": decision.words_zh if zh else decision.words, "free_at": decision.free_at,
            }  # fmt: skip
