"""What is kept beside the relations themselves, which are crmkit's own."""

from __future__ import annotations

from typing import Any

from crmkit.declarations import RecordType

SOURCE = "crmkit"
ABOUT, REGISTRATION, COMPETITOR = (
    "relation.about", "relation.registration", "relation.competitor",
)  # fmt: skip
# The buying centre: F. E. Webster and Y. Wind 1972, A General Model for Understanding Organizational
# Buying Behavior, Journal of Marketing 36(2).
SAYS = ("decides", "influences", "uses", "buys", "keeps_the_gate", "opposes")
CONTACT_PERSON = "contact_person"


def _text(title: str, title_zh: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "title": title, "title_zh": title_zh, "pii": "none", **more}


# What people like is theirs: free text stays in the store and never enters the warehouse.
_ABOUT = {
    "type": "object",
    "properties": {
        "relation": _text("Relation", "关系", index=True, description="Id of the relation."),
        "position": _text("Position", "职务", pii="direct", maxLength=120),
        "say": _text("Say in the purchase", "采购角色", enum=list(SAYS)),
        "likes": _text("Likes", "喜好", pii="direct", maxLength=500),
        "dislikes": _text("Dislikes", "忌讳", pii="direct", maxLength=500),
    },
    "required": ["relation"],
}
_REGISTRATION = {
    "type": "object",
    "properties": {
        "scheme": _text("Register", "登记类型", description="As cn.uscc, lei or eu.vat."),
        "code": _text("Registered code", "登记代码", pii="quasi", index=True, maxLength=60),
        "standard_name": _text("Standard name", "标准名称", pii="direct", maxLength=300),
    },
    "required": ["scheme", "code", "standard_name"],
}
_COMPETITOR = {
    "type": "object",
    "properties": {
        "competitor": _text("Competitor", "竞争对手", index=True, maxLength=120),
        "product": _text("For", "用于", maxLength=120),
        "seen_on": _text("Seen on", "发现日期", format="date"),
        "ended_on": _text("No longer since", "终止日期", format="date", not_before="seen_on"),
    },
    "required": ["competitor", "seen_on"],
}


def record_types() -> list[RecordType]:
    """The three record types of the plugin."""
    return [
        RecordType(name=ABOUT, schema=_ABOUT, title="About a relation", title_zh="关系说明"),
        RecordType(
            name=REGISTRATION, schema=_REGISTRATION, title="Registration", title_zh="登记信息"
        ),
        RecordType(
            name=COMPETITOR, schema=_COMPETITOR, title="Competitor in use", title_zh="竞品使用"
        ),
    ]
