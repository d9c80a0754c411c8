"""What somebody who has the customer on the line must not offer, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.declarations import Panel, ReportColumn
from crmkit.entities import ContactRequest, FieldType

from .purposes import read_purposes

if TYPE_CHECKING:
    from crmkit.workspace import Crm

CHANNEL = "phone"


def _column(name: str, kind: FieldType, title: str, title_zh: str) -> ReportColumn:
    return ReportColumn(name=name, type=kind, title=title, title_zh=title_zh)


def panels() -> list[Panel]:
    """One row per purpose for which the customer may not be called now."""
    return [
        Panel(
            name="contact.restraints", title="What not to say", title_zh="不可提及", order=20,
            rows=_restraints,
            columns=(
                _column("purpose", FieldType.TEXT, "Not for", "禁止目的"),
                _column("why", FieldType.TEXT, "Because", "原因"),
                _column("free_at", FieldType.INSTANT, "Free at", "最早可联系"),
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
