"""What a list has for the customer on the line: the offer, and why it was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import amount, instant, text
from crmkit.declarations import Panel

from .data import ROW, TODO
from .review import NEEDED, Review

if TYPE_CHECKING:
    from crmkit.workspace import Crm

COLUMNS = ("list", "offer", "price", "why", "at")
# What is no reason to be silent to a customer who called: how often, and when, we call.
WAITING = ("cap_", "quiet_hours")


def panels() -> list[Panel]:
    """One row per list on which the customer waits."""
    return [
        Panel(
            name="outreach.offers", title="What to offer", title_zh="可提供", order=30,
            rows=_waiting,
            columns=(
                text("list", "List", "名单"),
                text("offer", "Offer", "优惠"),
                amount("price", "Price", "价格"),
                text("why", "Why", "原因"),
                instant("at", "At", "时间"),
            ),
            pii={"why": "quasi"},
        )
    ]  # fmt: skip


def _waiting(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    names = list(dict.fromkeys((*NEEDED, *COLUMNS)))
    found = crm.store.records.read(
        ROW, names, where={"state": TODO}, among={"owner_id": customers}, sort=("at",)
    )
    rows = [dict(zip(names, row, strict=True)) for row in found]
    for row, decision in zip(rows, Review(crm).decide(rows, agent=crm.actor), strict=True):
        if decision.allowed or decision.code.startswith(WAITING):
            yield {"customer_id": row["owner_id"], **{name: row[name] for name in COLUMNS}}
