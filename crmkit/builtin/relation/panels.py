"""The people behind the customer on the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import text
from crmkit.declarations import Panel

from .relations import holds, related

if TYPE_CHECKING:
    from crmkit.workspace import Crm


def panels() -> list[Panel]:
    """One row per relation that holds today."""
    return [
        Panel(
            name="relation.people", title="Related to", title_zh="相关人员", order=55, rows=_people,
            columns=(
                text("who", "Who", "对象"),
                text("role", "Role", "角色"),
                text("say", "Say in the purchase", "采购角色"),
                text("likes", "Likes", "喜好"),
                text("dislikes", "Do not mention", "忌讳"),
            ),
            pii={"who": "direct", "likes": "direct", "dislikes": "direct"},
        )
    ]  # fmt: skip


def _people(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    today = crm.as_of().on
    for customer in sorted(set(crm.store.customers.survivors(customers).values())):
        found = [row for row in related(crm, customer) if holds(row, today)]
        names = crm.store.customers.names(
            {row[side] for row in found for side in ("customer_id", "related_id")}
        )
        for row in found:
            other = row["related_id"] if row["customer_id"] == customer else row["customer_id"]
            yield {**row, "customer_id": customer, "who": names.get(other)}
