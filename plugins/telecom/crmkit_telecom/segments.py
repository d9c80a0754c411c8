"""Groups of customers by usage, value, price and what they may still want."""

from __future__ import annotations

from crmkit.declarations import Segment


def _segment(name: str, where: str, title: str, title_zh: str, description: str) -> Segment:
    return Segment(
        name=f"telecom.{name}",
        where=where,
        title=title,
        title_zh=title_zh,
        description=description,
    )


SEGMENTS = (
    _segment(
        "heavy-data",
        "telecom_data_use_of_allowance >= 0.8 OR telecom_full_months_3m >= 2",
        "Uses up the data allowance",
        "流量大户",
        "Ready for a larger plan.",
    ),
    _segment(
        "overprovided",
        "telecom_data_use_of_allowance < 0.3 AND coalesce(telecom_voice_use_of_allowance, 0) < 0.3",
        "Pays for more than is used",
        "套餐过剩",
        "A smaller plan before they find it elsewhere.",
    ),
    _segment(
        "price-sensitive",
        "telecom_billing_complaints_90d >= 1 OR telecom_plan_downgrades_180d >= 1 "
        "OR telecom_bill_shock_3m >= 1.5",
        "Price-sensitive",
        "价格敏感",
        "Complained about price, moved to a smaller plan, or met a bill half again the usual.",
    ),
    _segment(
        "network-sufferers",
        "telecom_dropped_call_rate >= 0.02 OR telecom_outage_minutes_3m >= 240 "
        "OR telecom_network_complaints_90d >= 1",
        "Meets network trouble",
        "网络受扰",
        "Not to be sold anything until it is mended.",
    ),
    _segment(
        "silent",
        "telecom_days_since_usage >= 30 OR telecom_usage_trend_3m <= -0.3 "
        "OR (telecom_payment_model = 'prepaid' AND telecom_days_since_topup >= 30)",
        "Falling silent",
        "沉默客户",
        "No usage for a month, three tenths less of it, or a prepaid line without a top-up.",
    ),
    _segment(
        "addon-potential",
        "telecom_internet_service <> 'none' AND telecom_addon_count <= 1 "
        "AND telecom_tenure_months >= 6 AND telecom_complaints_90d = 0",
        "Broadband with few add-ons",
        "增值业务潜力",
        "Half a year of broadband without a complaint, and one add-on at most.",
    ),
    _segment(
        "free-to-leave",
        "telecom_contract_state IN ('free', 'expired', 'expiring')",
        "Can leave within three months",
        "合约自由",
        "Month to month, past the end of the contract, or within three months of it.",
    ),
    _segment(
        "key-accounts",
        "telecom_key_account_tier <> 'none'",
        "Key accounts",
        "大客户",
        "Of whatever tier the customer's file states.",
    ),
)
