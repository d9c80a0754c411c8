"""Costs and tiers as data, and the cost drivers of core's interaction kinds."""

from __future__ import annotations

from typing import Any

from crmkit.declarations import CostDriver, RecordType

COST, TIER = "value.cost", "value.tier"


def _text(title: str, title_zh: str) -> dict[str, Any]:
    return {"type": "string", "title": title, "title_zh": title_zh, "pii": "none"}


_COST = {
    "type": "object",
    "properties": {
        "driver": _text("Cost driver", "成本动因"),
        "cost": {
            "type": "number", "unit": "1", "minimum": 0, "title": "Cost", "title_zh": "成本", "pii": "none",
            "description": "Of one interaction or one unit, in the workspace's currency; or the share "
            "of the amount.",
        },
    },
    "required": ["driver", "cost"],
}  # fmt: skip
_TIER = {
    "type": "object",
    "properties": {
        "scheme": _text("Scheme", "分层方案"),
        "tier": _text("Tier", "层级"),
        "rank": {
            "type": "integer", "unit": "1", "minimum": 1, "title": "Rank", "title_zh": "序号", "pii": "none",
            "description": "1 is the best tier.",
        },
        "up_to": {
            "type": "number", "unit": "1", "exclusiveMinimum": 0, "maximum": 1, "title": "Up to",
            "title_zh": "累计占比", "pii": "none",
            "description": "Share of the customers in this tier and all better ones.",
        },
    },
    "required": ["scheme", "tier", "rank", "up_to"],
}  # fmt: skip


def record_types() -> list[RecordType]:
    """``value.cost``, keyed by the driver, and ``value.tier``; both belong to nobody."""
    return [
        RecordType(name=COST, schema=_COST, owner=None, title="Cost", title_zh="成本"),
        RecordType(
            name=TIER, schema=_TIER, owner=None, title="Pyramid tier", title_zh="金字塔层级"
        ),
    ]


def cost_drivers() -> list[CostDriver]:
    """No two businesses pay the same for a call, so these cost nothing until the operator says."""

    def by_minutes(name: str, title: str, title_zh: str) -> CostDriver:
        return CostDriver(
            name=f"value.{name}_minute", kind=f"core.{name}", per="quantity", field="minutes",
            title=title, title_zh=title_zh,
        )  # fmt: skip

    def each(name: str, title: str, title_zh: str) -> CostDriver:
        return CostDriver(name=f"value.{name}", kind=f"core.{name}", title=title, title_zh=title_zh)

    return [
        by_minutes("call", "Minute of a call", "通话每分钟"),
        by_minutes("visit", "Minute of a visit", "拜访每分钟"),
        each("email", "E-mail", "电子邮件"),
        each("message", "Message", "消息"),
        each("complaint", "Complaint", "投诉处理"),
        each("enquiry", "Enquiry", "咨询处理"),
        each("order", "Order handled", "订单处理"),
        each("refund", "Refund handled", "退款处理"),
    ]
