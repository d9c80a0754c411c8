"""Interaction kinds that every business has."""

from __future__ import annotations

from typing import Any

from crmkit.declarations import InteractionKind


def _text(title: str, title_zh: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "title": title, "title_zh": title_zh, "pii": "none", **more}


# What was said or written may name anybody: it stays in the store and never enters the warehouse.
WORDS = _text("Text", "内容", pii="direct", description="What was said or written.")
HEADLINE = _text("Headline", "主题", pii="direct", description="Subject line.")
TOPIC = _text(
    "Topic", "事由", description="What it was about, in the business's own list of words."
)
MINUTES = {
    "type": "number", "pii": "none", "minimum": 0, "unit": "minute", "title": "Duration", "title_zh": "时长",
}  # fmt: skip
RESULT = _text("Result", "结果", description="How it ended, in the business's own list of words.")
SEVERITY = {
    "type": "integer", "pii": "none", "minimum": 1, "maximum": 5, "unit": "1", "title": "Severity",
    "title_zh": "严重程度", "description": "1 a remark, 5 the customer is leaving over it.",
}  # fmt: skip
SOLVED = {"type": "boolean", "pii": "none", "title": "Solved", "title_zh": "是否解决"}
CAUSE = _text(
    "Cause", "原因类别", enum=["product", "communication"],
    description="Whether the product or the communication was at fault, once that is known.",
)  # fmt: skip
PRODUCT = _text("Product", "产品", description="What was bought, by the business's own code.")
QUANTITY = {
    "type": "number", "pii": "none", "exclusiveMinimum": 0, "unit": "1", "title": "Quantity", "title_zh": "数量",
}  # fmt: skip


def _kind(name: str, title: str, title_zh: str, **properties: Any) -> InteractionKind:
    schema = {"type": "object", "properties": properties}
    return InteractionKind(name=f"core.{name}", schema=schema, title=title, title_zh=title_zh)


def interaction_kinds() -> list[InteractionKind]:
    """Every kind of core; the amount of an order or refund is the interaction's own amount."""
    return [
        _kind("note", "Note", "备注", text=WORDS, topic=TOPIC),
        _kind("call", "Call", "电话", text=WORDS, topic=TOPIC, minutes=MINUTES, result=RESULT),
        _kind("email", "E-mail", "电子邮件", headline=HEADLINE, text=WORDS, topic=TOPIC),
        _kind("message", "Message", "消息", text=WORDS, topic=TOPIC),
        _kind("visit", "Visit", "拜访", text=WORDS, topic=TOPIC, minutes=MINUTES, result=RESULT),
        _kind(
            "complaint", "Complaint", "投诉",
            text=WORDS, topic=TOPIC, severity=SEVERITY, solved=SOLVED, cause=CAUSE,
        ),
        _kind("enquiry", "Enquiry", "咨询", text=WORDS, topic=TOPIC, solved=SOLVED),
        _kind("order", "Order", "订单", product=PRODUCT, quantity=QUANTITY),
        _kind("refund", "Refund", "退款", product=PRODUCT, topic=TOPIC),
    ]  # fmt: skip
