"""Open cases of the customer on the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.declarations import Panel, ReportColumn
from crmkit.entities import FieldType

from .records import CASE

if TYPE_CHECKING:
    from crmkit.workspace import Crm

COLUMNS = ("ref", "topic", "headline", "state", "severity", "due_at")


def _column(name: str, kind: FieldType, title: str, title_zh: str) -> ReportColumn:
    return ReportColumn(name=name, type=kind, title=title, title_zh=title_zh)


def panels() -> list[Panel]:
    """The case that is due first comes first."""
    return [
        Panel(
            name="service.cases", title="Open cases", title_zh="未结工单", order=10, rows=_open,
            columns=(
                _column("ref", FieldType.TEXT, "Case", "工单"),
                _column("topic", FieldType.TEXT, "Topic", "事由"),
                _column("headline", FieldType.TEXT, "About", "摘要"),
                _column("state", FieldType.TEXT, "State", "状态"),
                _column("severity", FieldType.TEXT, "Severity", "严重程度"),
                _column("due_at", FieldType.INSTANT, "Due", "到期"),
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
