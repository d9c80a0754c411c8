"""Open cases of the customer on the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import instant, text
from crmkit.declarations import Panel

from .records import CASE

if TYPE_CHECKING:
    from crmkit.workspace import Crm

COLUMNS = ("ref", "topic", "headline", "state", "severity", "due_at")


def panels() -> list[Panel]:
    """The case that is due first comes first."""
    return [
        Panel(
            name="service.cases", title="Open cases", title_zh="未结工单", order=10, rows=_open,
            columns=(
                text("ref", "Case", "工单"),
                text("topic", "Topic", "事由"),
                text("headline", "About", "摘要"),
                text("state", "State", "状态"),
                text("severity", "Severity", "严重程度"),
                instant("due_at", "Due", "到期"),
            ),
            pii={"headline": "direct"},
        )
    ]  # fmt: skip


def _open(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    found = crm.store.records.read(
        CASE, ("owner_id", *COLUMNS), where={"is_open": True}, among={"owner_id": customers},
        sort=("due_at",),
    )  # fmt: skip
    return (dict(zip(("customer_id", *COLUMNS), row, strict=True)) for row in found)
