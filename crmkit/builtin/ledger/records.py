"""What the ledger keeps: accounts, their entries, and where customers stand in tier schemes."""

from __future__ import annotations

from typing import Any

from crmkit.declarations import InteractionKind, Ledger, RecordType, Tier, TierScheme

KINDS = ("earn", "burn", "expire", "adjust", "transfer")
MOVES = ("enter", "up", "grace", "saved", "down")


def _text(title: str, title_zh: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "title": title, "title_zh": title_zh, "pii": "none", **more}


def _whole(title: str, title_zh: str, description: str = "") -> dict[str, Any]:
    return {
        "type": "integer", "unit": "1", "title": title, "title_zh": title_zh, "pii": "none",
        "description": description,
    }  # fmt: skip


def _day(title: str, title_zh: str) -> dict[str, Any]:
    return _text(title, title_zh, format="date")


LEDGER = _text("Ledger", "账本", index=True, description="Name of the declared ledger.")
SIGNED = "In the ledger's unit; of money in whole minor units. Negative takes away."

ACCOUNT = {
    "type": "object",
    "properties": {
        # Entries may be dated before the account was filed, and belong to it all the same.
        "ledger": {**LEDGER, "timeless": True},
        "balance": _whole("Balance", "余额", "Sum of all entries, in the ledger's unit."),
        "entries": _whole("Entries", "分录数", "How many entries it has; numbers the next one."),
        "active_on": _day("Last earned or spent", "最近变动日"),
    },
    "required": ["ledger", "balance", "entries"],
}
ENTRY = {
    "type": "object",
    "properties": {
        "ledger": LEDGER,
        "kind": _text("Kind", "类型", enum=list(KINDS)),
        "amount": _whole("Amount", "数额", SIGNED),
        "posted": _whole(
            "Posted", "过账数额", "Of the whole posting, which two accounts may share."
        ),
        "balance": _whole("Balance after", "变动后余额"),
        "number": _whole("Number", "序号", "1 for the first entry of the account."),
        "reason": _text("Reason", "原因", description="In the business's own list of words."),
        "expires_on": _day("Can be spent until", "失效日"),
    },
    "required": ["ledger", "kind", "amount", "posted", "balance", "number"],
}
STANDING = {
    "type": "object",
    "properties": {
        "scheme": _text("Scheme", "等级方案", index=True),
        "tier": _text("Tier", "等级", index=True),
        "rank": _whole("Rank", "级别", "0 for the lowest tier."),
        "since_on": _day("In this tier since", "当前等级起始日"),
        "grace_until": _day("Kept in grace until", "宽限期至"),
        "lowered_on": _day("Last step down", "最近降级日"),
    },
    "required": ["scheme", "tier", "rank", "since_on"],
}
TIER_CHANGE = {
    "type": "object",
    "properties": {
        "scheme": _text("Scheme", "等级方案"),
        "move": _text("Move", "变动", enum=list(MOVES)),
        "from_tier": _text("From", "原等级"),
        "to_tier": _text("To", "现等级"),
        "grace_until": _day("Kept in grace until", "宽限期至"),
    },
    "required": ["scheme", "move", "to_tier"],
}


def record_types() -> list[RecordType]:
    """Accounts and standings of customers, and the entries of accounts."""
    return [
        RecordType(name="ledger.account", schema=ACCOUNT, title="Ledger account", title_zh="账户"),
        RecordType(
            name="ledger.entry", schema=ENTRY, owner="ledger.account", append_only=True,
            filed_by="ledger post",
            title="Ledger entry", title_zh="账户分录",
        ),
        RecordType(
            name="ledger.standing", schema=STANDING, title="Tier standing", title_zh="会员等级"
        ),
    ]  # fmt: skip


def interaction_kinds() -> list[InteractionKind]:
    """A change of tier stands on the customer's timeline."""
    return [
        InteractionKind(
            name="ledger.tier_change", schema=TIER_CHANGE, title="Tier change", title_zh="等级变动"
        )
    ]


def ledgers() -> list[Ledger]:
    """What any business can use without declaring a ledger of its own."""
    return [
        Ledger(
            name="ledger.points", unit="point", idle_months=24, title="Points", title_zh="积分",
            source="crmkit, requirement V7; 24 months without activity as in hotel practice",
        ),
    ]  # fmt: skip


def tier_schemes() -> list[TierScheme]:
    """Membership by points: a start for who declares no scheme of their own."""
    return [
        TierScheme(
            name="ledger.membership", title="Membership by points", title_zh="积分会员等级",
            tiers=(
                Tier(name="member", title="Member", title_zh="普通会员"),
                Tier(
                    name="silver", title="Silver", title_zh="银卡",
                    enter="ledger_points_earned_365d >= 1000",
                    keep="ledger_points_earned_365d >= 800",
                ),
                Tier(
                    name="gold", title="Gold", title_zh="金卡",
                    enter="ledger_points_earned_365d >= 5000",
                    keep="ledger_points_earned_365d >= 4000",
                ),
            ),
            grace_days=90, rest_days=365,
            source="crmkit, requirement V7; the thresholds are examples, to be replaced by a "
            "scheme of the business",
        ),
    ]  # fmt: skip
