"""Tier and balances of the customer on the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import integer, text
from crmkit.declarations import Panel

from .tiers import STANDING

if TYPE_CHECKING:
    from crmkit.workspace import Crm

ACCOUNT = "ledger.account"


def panels() -> list[Panel]:
    """One row per scheme, then one per ledger."""
    return [
        Panel(
            name="ledger.standing", title="Tiers and balances", title_zh="等级与余额", order=50,
            rows=_held,
            columns=(
                text("name", "Scheme or ledger", "方案或账本"),
                text("tier", "Tier", "等级"),
                integer("balance", "Balance", "余额"),
                text("unit", "Unit", "单位"),
            ),
        )
    ]  # fmt: skip


def _held(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    read, whose = crm.store.records.read, {"owner_id": customers}
    for owner, scheme, tier in read(
        STANDING, ("owner_id", "scheme", "tier"), among=whose, sort=("scheme",)
    ):
        yield {"customer_id": owner, "name": scheme, "tier": tier}
    for owner, ledger, balance in read(
        ACCOUNT, ("owner_id", "ledger", "balance"), among=whose, sort=("ledger",)
    ):
        declared = crm.catalog.ledgers.get(ledger)
        yield {
            "customer_id": owner, "name": ledger, "balance": balance,
            "unit": declared.unit if declared else None,
        }  # fmt: skip
