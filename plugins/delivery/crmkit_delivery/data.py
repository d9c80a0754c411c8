"""What delivery keeps: customer fields, record types and interaction kinds.

The fields stand in ``schemas/``, one JSON Schema each. A waybill is owned by the customer who ordered
and pays; scans, incidents, items, invoice lines and claims belong to the waybill. Couriers, rounds,
depots, zones, lanes, calendars and promise rules belong to nobody.
"""

from __future__ import annotations

from typing import Any

from crmkit import resource_json
from crmkit.declarations import CustomerFields, InteractionKind, MatchKey, RecordType

WAYBILL, SUBSCRIPTION = "delivery.waybill", "delivery.subscription"
SCAN, ANOMALY, TRACKING = "delivery.scan", "delivery.anomaly", "delivery.tracking"
CLAIM, INVOICE_LINE, SHIPPER = "delivery.claim", "delivery.invoice_line", "delivery.shipper_account"
COURIER, ROUND, ASSIGNMENT = "delivery.courier", "delivery.round", "delivery.courier_assignment"
PROMISE_RULE, ZONE, DEPOT = "delivery.promise_rule", "delivery.zone", "delivery.depot"
RECOMPUTATION, COMPENSATION_RULE = "delivery.recomputation", "delivery.compensation_rule"
REFUSAL, SUBSCRIPTION_LETTER = "delivery.refusal", "delivery.round_handover_notice"
CALENDAR, CALENDAR_DAY = "delivery.calendar", "delivery.calendar_day"

# (name, owner, title, title_zh), owners before what they own.
RECORDS = (
    ("zone", None, "Zone", "区域"),
    ("depot", None, "Depot", "网点"),
    ("lane", None, "Lane", "线路"),
    ("calendar", None, "Calendar of working days", "工作日历"),
    ("calendar_day", None, "Day of a calendar", "日历例外日"),
    ("promise_rule", None, "Rule of a promise", "承诺规则"),
    ("compensation_rule", None, "Rule of compensation", "赔偿规则"),
    ("refusal", None, "Refused access", "拒绝访问记录"),
    ("sender", None, "Sender of goods", "发货方"),
    ("goods", None, "Goods", "商品"),
    ("courier", None, "Courier", "快递员"),
    ("round", None, "Round", "配送路线"),
    ("courier_assignment", None, "Assignment of a courier", "快递员排班"),
    ("courier_day", None, "Day of a courier", "快递员日结"),
    ("recomputation", None, "Recomputation of statuses", "状态重算"),
    ("waybill", "customer", "Waybill", "运单"),
    ("shipper_account", "customer", "Shipper account", "寄件客户账户"),
    ("subscription", "customer", "Subscription of a round", "订户"),
    ("scan", WAYBILL, "Scan", "扫描"),
    ("anomaly", WAYBILL, "Anomaly of a scan", "扫描异常"),
    ("tracking", WAYBILL, "Status of a waybill", "运单状态"),
    ("incident", WAYBILL, "Incident", "异常事件"),
    ("item", WAYBILL, "Item", "货品"),
    ("invoice_line", WAYBILL, "Invoice line", "账单行"),
    ("claim", WAYBILL, "Claim", "理赔"),
)
# What happened is never changed, whatever is thought of it later.
APPEND_ONLY = frozenset({"scan"})
LIFECYCLES = {"waybill": "delivery.shipment", "tracking": None}

# (name, schema, subject, title, title_zh).
KINDS = (
    ("quote_request", "contact", WAYBILL, "Quote asked for", "询价"),
    ("pickup_order", "contact", WAYBILL, "Pickup ordered", "下单取件"),
    ("pickup_done", "contact", WAYBILL, "Picked up", "取件完成"),
    ("pickup_missed", "contact", WAYBILL, "Pickup missed", "取件失约"),
    ("track_query", "contact", WAYBILL, "Asked where it is", "查件"),
    ("address_change", "contact", WAYBILL, "Address changed", "改址"),
    ("delivery_attempt", "delivery_attempt", WAYBILL, "Delivery attempt", "派送尝试"),
    ("delivery_notice", "contact", WAYBILL, "Delivery notice", "派送通知"),
    ("delivered", "delivered", WAYBILL, "Delivered", "签收"),
    ("non_receipt_report", "report", WAYBILL, "Reports that nothing was received", "未收到申报"),
    ("damage_report", "report", WAYBILL, "Reports damage", "破损申报"),
    ("complaint", "report", WAYBILL, "Complaint", "投诉"),
    ("claim_filed", "claim_event", WAYBILL, "Claim filed", "提出理赔"),
    ("claim_decision", "claim_event", WAYBILL, "Claim decided or paid", "理赔决定"),
    ("invoice", "invoice", WAYBILL, "Invoiced", "出账"),
    ("price_dispute", "contact", WAYBILL, "Price disputed", "价格争议"),
    ("cod_query", "contact", WAYBILL, "Asked about cash on delivery", "代收货款查询"),
    ("late_pre_notice", "late_pre_notice", WAYBILL, "We call before it is late", "晚点预告"),
    ("service_recovery", "contact", WAYBILL, "Service recovery", "服务补救"),
    ("account_visit", "contact", None, "Account visit", "客户走访"),
    ("contract_renewal", "contact", None, "Contract renewed", "合同续签"),
    ("subscription_start", "round_event", SUBSCRIPTION, "Subscription begins", "开始订阅"),
    ("pause", "round_event", SUBSCRIPTION, "Paused", "暂停"),
    ("resume", "round_event", SUBSCRIPTION, "Resumed", "恢复"),
    ("missed_drop_report", "round_event", SUBSCRIPTION, "Reports a missed drop", "漏送申报"),
    ("round_handover_notice", "round_event", SUBSCRIPTION, "Letter on a new courier", "交接通知"),
    ("round_call", "round_event", SUBSCRIPTION, "Called after the hand-over", "交接回访"),
    ("cancellation", "round_event", SUBSCRIPTION, "Subscription ends", "退订"),
    ("exit_interview", "round_event", SUBSCRIPTION, "Asked why", "退订访谈"),
    ("drop", "drop", SUBSCRIPTION, "Drop at the door", "上门投递"),
    ("bill", "bill", SUBSCRIPTION, "Subscription billed", "订阅账单"),
    ("survey", "survey", WAYBILL, "Survey or review", "满意度评价"),
)


def customer_fields() -> CustomerFields:
    """Fields that delivery adds to every customer."""
    return CustomerFields(_schema("customer"))


def match_keys() -> list[MatchKey]:
    """By which two orders are found to be of one customer."""
    return [
        MatchKey(
            name="delivery.account_key", field="delivery.account_key", kind="identifier",
            title="account key", title_zh="账户标识",
        )
    ]  # fmt: skip


def record_types() -> list[RecordType]:
    """Every record type, owners before what they own."""
    return [
        RecordType(
            name=f"delivery.{name}", schema=_schema(name), owner=owner, title=title,
            title_zh=title_zh, append_only=name in APPEND_ONLY, lifecycle=LIFECYCLES.get(name),
        )
        for name, owner, title, title_zh in RECORDS
    ]  # fmt: skip


def interaction_kinds() -> list[InteractionKind]:
    """Every kind of delivery interaction."""
    return [
        InteractionKind(
            name=f"delivery.{name}", schema=_schema(schema), subject=subject, title=title,
            title_zh=title_zh,
        )
        for name, schema, subject, title, title_zh in KINDS
    ]  # fmt: skip


def _schema(name: str) -> Any:
    return resource_json(__package__, f"schemas/{name}.json")
