"""What the customer on the line has brought within a year, straight from the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crmkit.columns import amount, count, instant
from crmkit.declarations import Panel
from crmkit.entities import Money

if TYPE_CHECKING:
    from crmkit.workspace import Crm

YEAR = timedelta(days=365)
# As in core.purchases: by the last part of a kind, so that any plugin's own order or bill counts.
PURCHASES = frozenset({"order", "sale", "purchase", "bill", "invoice"})
REFUND = "refund"


def panels() -> list[Panel]:
    """A line for each currency, so that nothing is summed across two."""
    return [
        Panel(
            name="value.trade", title="Trade within a year", title_zh="近一年交易", order=30, rows=_trade,
            columns=(
                count("purchases", "Purchases", "购买次数", "purchase"),
                amount("revenue", "Purchases less refunds", "收入"),
                instant("last_at", "Last purchase", "上次购买"),
            ),
        )
    ]  # fmt: skip


def _trade(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    names = ("customer_id", "kind", "occurred_at", "amount_minor", "currency")
    kinds = [k for k in crm.catalog.interaction_kinds if _part(k) in {*PURCHASES, REFUND}]
    now, remains = crm.clock(), crm.store.customers.survivors(customers)
    found = crm.store.interactions.read(
        names, customers=customers, kinds=kinds, since=now - YEAR, until=now
    )
    lines: dict[tuple[int, str | None], list[tuple[str, Any, int]]] = defaultdict(list)
    for customer, kind, at, minor, currency in found:
        lines[remains[customer], currency].append((_part(kind), at, minor or 0))
    for (customer, currency), facts in sorted(lines.items(), key=lambda line: line[0][1] or ""):
        bought = [at for part, at, _ in facts if part != REFUND]
        minor = sum(-minor if part == REFUND else minor for part, _, minor in facts)
        yield {
            "customer_id": customer, "purchases": len(bought), "last_at": max(bought, default=None),
            "revenue": None if currency is None else Money(minor, currency),
        }  # fmt: skip


def _part(kind: str) -> str:
    return kind.rpartition(".")[2]
