"""What telecom keeps: customer fields, record types and interaction kinds.

The fields themselves stand in ``schemas/``, one JSON Schema each. A *record* has a state that
changes (a subscription, a plan); an *interaction* is something that happened once (a bill, a call).
"""

from __future__ import annotations

from typing import Any

from crmkit import resource_json
from crmkit.declarations import CustomerFields, InteractionKind, RecordType

SUBSCRIPTION = "telecom.subscription"

# (name, owner, title, title_zh); plans are reference data and belong to nobody.
RECORDS = (
    ("plan", None, "Plan", "套餐"),
    ("subscription", "customer", "Subscription", "用户号码"),
    ("contract", SUBSCRIPTION, "Contract", "合约"),
    ("device", SUBSCRIPTION, "Device", "终端"),
)

# (name, title, title_zh); every kind may be about a subscription.
KINDS = (
    ("bill", "Bill", "账单"),
    ("payment", "Payment", "缴费"),
    ("topup", "Top-up", "充值"),
    ("usage", "Monthly usage", "月使用量"),
    ("service_call", "Service call", "客服来电"),
    ("complaint", "Complaint", "投诉"),
    ("network_fault", "Network fault", "网络故障"),
    ("plan_change", "Plan change", "套餐变更"),
    ("contract_renewal", "Contract renewal", "合约续签"),
    ("device_upgrade", "Device upgrade", "换机"),
    ("port_out_request", "Port-out code request", "携出授权码申请"),
    ("cancellation_request", "Cancellation request", "销户申请"),
    (
        "request_withdrawal",
        "Withdrawal of a port-out or cancellation request",
        "撤回携出或销户申请",
    ),
    ("retention_offer", "Retention offer and its outcome", "挽留及结果"),
    ("termination", "Termination", "终止"),
    ("win_back_call", "Win-back call", "赢回外呼"),
    ("dunning_notice", "Dunning notice", "催缴通知"),
    ("store_visit", "Store visit", "到店"),
    ("field_visit", "Engineer's visit", "上门维修"),
    ("roaming_request", "Roaming request", "漫游申请"),
    ("account_review", "Key account review", "大客户走访"),
    ("survey", "Satisfaction survey", "满意度调查"),
)


# A bill, which is charged afterwards, and a top-up, which is paid before; a payment settles a bill.
EARNING = ("bill", "topup")


def customer_fields() -> CustomerFields:
    """Fields that telecom adds to every customer."""
    return CustomerFields(_schema("customer"))


def record_types() -> list[RecordType]:
    """Plan, subscription, contract and device, owners before what they own."""
    return [
        RecordType(
            name=f"telecom.{name}",
            schema=_schema(name),
            owner=owner,
            title=title,
            title_zh=title_zh,
        )
        for name, owner, title, title_zh in RECORDS
    ]


def interaction_kinds() -> list[InteractionKind]:
    """Every kind of telecom interaction."""
    return [
        InteractionKind(
            name=f"telecom.{name}",
            schema=_schema(name),
            subject=SUBSCRIPTION,
            revenue=("amount",) if name in EARNING else (),
            title=title,
            title_zh=title_zh,
        )
        for name, title, title_zh in KINDS
    ]


def _schema(name: str) -> Any:
    return resource_json(__package__, f"schemas/{name}.json")
