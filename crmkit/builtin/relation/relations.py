"""Relations with what is known beside them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from .data import ABOUT

if TYPE_CHECKING:
    from crmkit.workspace import Crm

KNOWN = ("position", "say", "likes", "dislikes")


def related(crm: Crm, customer_id: int) -> list[dict[str, Any]]:
    """A customer's relations on either side, oldest first.

    Returns:
        Rows relation (its id as text), customer_id (who is something), role, related_id (to whom),
        valid_from, valid_to, position, say, likes, dislikes.
    """
    found = [
        r for r in crm.store.relations.list_for(customer_id) if r.customer_id != r.related_id
    ]  # fmt: skip
    ids = [str(r.id) for r in found]
    rows = crm.store.records.read(ABOUT, ("relation", *KNOWN), among={"relation": ids})
    known = {row[0]: dict(zip(KNOWN, row[1:], strict=True)) for row in rows}
    return [
        {
            "relation": str(r.id), "customer_id": r.customer_id, "role": r.role,
            "related_id": r.related_id, "valid_from": r.valid_from, "valid_to": r.valid_to,
            **known.get(str(r.id), dict.fromkeys(KNOWN)),
        }
        for r in found
    ]  # fmt: skip


def holds(row: dict[str, Any], on: date) -> bool:
    """Whether a relation holds on a day: from its first day to the day before its end."""
    first, end = row["valid_from"], row["valid_to"]
    return (first is None or first <= on) and (end is None or on < end)
