"""What serving shippers and subscribers costs, for contribution: an activity each (V2).

Contribution (the built-in ``value``) sets these against what was invoiced, by customer. It takes a
standard cost for carrying a shipment; what pickup, linehaul, sorting and the last mile of each really
cost stands in the waybill, and the report ``delivery.profit`` goes by that.
"""

from __future__ import annotations

from crmkit.declarations import CostDriver

EXAMPLE = (
    "crmkit, an example in units of the workspace's currency; set your own: crmkit value set-cost"
)

# (driver, kind, channel, cost, title, title_zh)
_DRIVERS = (
    ("carried", "delivered", None, "7.00", "Shipment carried, standard cost", "单票标准运输成本"),
    ("quote", "quote_request", None, "1.50", "Quote", "报价"),
    ("pickup_order", "pickup_order", None, "0.60", "Pickup order taken", "取件受理"),
    ("pickup_missed", "pickup_missed", None, "4.00", "Pickup that was missed", "取件失约"),
    ("track_query_phone", "track_query", "phone", "2.50", "Asked by telephone where it is", "电话查件"),
    ("track_query_web", "track_query", "web", "0.02", "Asked on the web where it is", "网上查件"),
    ("address_change", "address_change", None, "2.00", "Address changed", "改址"),
    ("failed_attempt", "delivery_attempt", None, "3.00", "Further delivery attempt", "再次派送"),
    ("delivery_notice", "delivery_notice", None, "0.05", "Delivery notice", "派送通知"),
    ("late_pre_notice", "late_pre_notice", None, "1.80", "Call before it is late", "晚点预告"),
    ("non_receipt_report", "non_receipt_report", None, "9.00", "Search for what was not received", "未收到查找"),
    ("damage_report", "damage_report", None, "6.00", "Report of damage", "破损受理"),
    ("complaint", "complaint", None, "12.00", "Complaint", "投诉处理"),
    ("claim_filed", "claim_filed", None, "15.00", "Claim worked on", "理赔处理"),
    ("price_dispute", "price_dispute", None, "8.00", "Price disputed", "价格争议处理"),
    ("service_recovery", "service_recovery", None, "5.00", "Service recovery", "服务补救"),
    ("account_visit", "account_visit", None, "60.00", "Account visit", "客户走访"),
    ("contract_renewal", "contract_renewal", None, "80.00", "Contract renewed", "合同续签"),
    ("subscription_start", "subscription_start", None, "3.00", "Subscription set up", "订阅开户"),
    ("drop", "drop", None, "0.35", "Drop at the door", "上门投递"),
    ("missed_drop_report", "missed_drop_report", None, "2.50", "Report of a missed drop", "漏送受理"),
    ("round_call", "round_call", None, "2.50", "Call after a hand-over", "交接回访"),
    ("handover_letter", "round_handover_notice", None, "0.90", "Letter on a new courier", "交接通知"),
)  # fmt: skip

COST_DRIVERS = tuple(
    CostDriver(
        name=f"delivery.{name}", kind=f"delivery.{kind}", channel=channel, cost=cost, title=title,
        title_zh=title_zh, source=EXAMPLE,
    )
    for name, kind, channel, cost, title, title_zh in _DRIVERS
)  # fmt: skip
