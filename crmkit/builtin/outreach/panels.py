"""What a list has for the customer on the line: the offer, and why it was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.declarations import Panel, ReportColumn
from crmkit.entities import FieldType

from .data import ROW, TODO

if TYPE_CHECKING:
    from crmkit.workspace import Crm

COLUMNS = ("list", "offer", "price", "why", "at")


def _column(name: str, kind: FieldType, title: str, title_zh: str) -> ReportColumn:
    return ReportColumn(name=name, type=kind, title=title, title_zh=title_zh)


def panels() -> list[Panel]:
    """One row per list on which the customer waits."""
    return [
        Panel(
            name="outreach.offers", title="What to offer", title_zh="可提供", order=30,
            rows=_waiting,
            columns=(
                _column("list", FieldType.TEXT, "List", "名单"),
                _column("offer", FieldType.TEXT, "Offer", "优惠"),
                _column("price", FieldType.MONEY, "Price", "价格"),
                _column("why", FieldType.TEXT, "Why", "原因"),
                _column("at", FieldType.INSTANT, "At", "时间"),
            ),
            pii={"why": "quasi"},
        )
    ]  # fmt: skip


def _waiting(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    found = crm.store.records.read(
        ROW, ("owner_id", *COLUMNS), where={"state": TODO}, among={"owner_id": customers},
        sort=("at",),
    )  # fmt: skip
    return (dict(zip(("customer_id", *COLUMNS), row, strict=True)) for row in found)
