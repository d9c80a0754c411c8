"""What whoever has a shipper or a subscriber on the line sees: where it is, and what is owed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import amount, day, flag, instant, text
from crmkit.declarations import Panel

from .data import CLAIM, SHIPPER, SUBSCRIPTION, TRACKING, WAYBILL
from .handover import local_today

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# Callers ask about what was sent lately; of a firm that ships thousands the last so many are looked at.
LATELY, MOST = 200, 6
ENDED = ("delivered", "returned", "cancelled", "expired", "disposed")
SETTLED = ("closed", "withdrawn", "paid")


def panels() -> list[Panel]:
    """Shipments on their way, claims that run, subscriptions, and the shipper's account."""
    return [
        Panel(
            name="delivery.shipments", title="On their way", title_zh="在途运单", order=20,
            rows=_shipments,
            columns=(
                text("waybill_no", "Waybill", "运单号"), text("status", "Status", "状态"),
                instant("status_since", "Since", "起始时间"),
                instant("promise_at", "Promised", "承诺时间"), flag("late", "Late", "已晚点"),
            ),
        ),
        Panel(
            name="delivery.claims", title="Claims", title_zh="理赔", order=25, rows=_claims,
            columns=(
                text("claim", "Claim", "理赔单"), text("kind", "Kind", "类别"),
                text("state", "State", "状态"), instant("filed_at", "Filed", "提出时间"),
                amount("claimed", "Claimed", "索赔金额"),
            ),
        ),
        Panel(
            name="delivery.subscriptions", title="Subscriptions", title_zh="订阅", order=30,
            rows=_subscriptions,
            columns=(
                text("subscription", "Subscription", "订户编号"), text("round", "Round", "路线"),
                text("product", "Product", "产品"), text("courier", "Courier", "快递员"),
                day("paused_from", "Paused from", "暂停起"), day("paused_to", "Paused until", "暂停止"),
            ),
        ),
        Panel(
            name="delivery.account", title="Shipper account", title_zh="寄件账户", order=35,
            rows=_account,
            columns=(
                text("price_tier", "Price tier", "价格等级"), amount("receivable", "Receivable", "应收账款"),
                amount("credit_limit", "Credit limit", "信用额度"),
                day("contract_until", "Contract until", "合同到期"),
            ),
        ),
    ]  # fmt: skip


def _shipments(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """What has not ended, the latest first; with what is late before the rest."""
    read = crm.store.records.read
    rows = read(
        WAYBILL, ("id", "owner_id", "waybill_no", "promise_at", "late_after_at"),
        among={"owner_id": customers}, sort=("-id",), limit=LATELY,
    )  # fmt: skip
    stands = {
        waybill: (status, since)
        for waybill, status, since in read(
            TRACKING, ("owner_id", "status", "status_since"),
            among={"owner_id": [row[0] for row in rows]},
        )
    }  # fmt: skip
    now = crm.clock()
    found = []
    for waybill, customer, number, promised, late_after in rows:
        status, since = stands.get(waybill, ("ordered", None))
        if status not in ENDED:
            found.append({
                "customer_id": customer, "waybill_no": number, "status": status,
                "status_since": since, "promise_at": promised,
                "late": late_after is not None and late_after < now,
            })  # fmt: skip
    found.sort(key=lambda row: not row["late"])
    yield from found[:MOST]


def _claims(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    read = crm.store.records.read
    waybills = dict(
        read(
            WAYBILL, ("id", "owner_id"), among={"owner_id": customers}, sort=("-id",),
            limit=LATELY,
        )
    )  # fmt: skip
    rows = read(
        CLAIM, ("owner_id", "ref", "kind", "state", "filed_at", "claimed"),
        among={"owner_id": list(waybills)}, sort=("-filed_at",),
    )  # fmt: skip
    for waybill, ref, kind, state, filed, claimed in [r for r in rows if r[3] not in SETTLED][
        :MOST
    ]:
        yield {
            "customer_id": waybills[waybill], "claim": ref, "kind": kind, "state": state,
            "filed_at": filed, "claimed": claimed,
        }  # fmt: skip


def _subscriptions(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    names = ("owner_id", "ref", "round", "product", "courier", "paused_from", "paused_to")
    shown = ("customer_id", "subscription", *names[2:])
    rows = crm.store.records.read(
        SUBSCRIPTION, (*names, "ended_on"), among={"owner_id": customers}, sort=("-started_on",)
    )
    today = local_today(crm)
    for row in [r for r in rows if r[-1] is None or r[-1] >= today][:MOST]:
        yield dict(zip(shown, row[:-1], strict=True))


def _account(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    names = ("owner_id", "price_tier", "receivable", "credit_limit", "contract_until")
    for row in crm.store.records.read(SHIPPER, names, among={"owner_id": customers}):
        yield dict(zip(("customer_id", *names[1:]), row, strict=True))
