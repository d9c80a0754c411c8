"""Features of a guest, and of how far a booking is prepared."""

from __future__ import annotations

from typing import Any

from crmkit.declarations import Feature
from crmkit.entities import FieldType


def _number(
    name: str, title: str, title_zh: str, unit: str = "1", phrase: str = "", **more: Any
) -> Feature:
    kind = more.pop("type", FieldType.INTEGER)
    return Feature(
        name=f"hotel.{name}", type=kind, unit=unit, title=title, title_zh=title_zh, phrase=phrase,
        **more,
    )  # fmt: skip


def _flag(name: str, title: str, title_zh: str) -> Feature:
    return Feature(name=f"hotel.{name}", type=FieldType.BOOLEAN, title=title, title_zh=title_zh)


def _choice(name: str, title: str, title_zh: str) -> Feature:
    return Feature(name=f"hotel.{name}", type=FieldType.TEXT, title=title, title_zh=title_zh)


SHARE = FieldType.NUMBER
GUEST = (
    _number("stays", "Completed stays", "完成入住", "stay"),
    _number("nights", "Nights", "间夜", "night"),
    _number("stays_365d", "Stays in 365 days", "近365天入住", "stay"),
    _number("nights_365d", "Nights in 365 days", "近365天间夜", "night"),
    _number("days_since_stay", "Days since the last stay", "距上次离店天数", "day"),
    _number("usual_gap_days", "Usual gap between stays", "通常入住间隔", "day"),
    _number("gap_ratio", "Gap now against the usual", "间隔比", type=SHARE),
    _number("last_fulfilment", "Fulfilled at the last stay", "上次兑现率", type=SHARE),
    _number("poor_stays", "Of the last two stays fulfilled below 70 %", "近两次低兑现", "stay"),
    _flag("benefits_missed", "Tier benefits not given at the last stay", "上次会员权益未兑现"),
    _number("complaints_365d", "Complaints in 365 days", "近365天投诉", "complaint"),
    _number("days_since_complaint", "Days since the last complaint", "距上次投诉天数", "day"),
    _number("unsolved_complaints", "Unsolved complaints", "未解决投诉", "complaint"),
    _number(
        "in_house_complaints", "Unsolved complaints in the house", "在店未解决投诉", "complaint"
    ),
    _flag("no_first_action", "No first action since the complaint", "投诉后尚无行动"),
    _number("refusals_7d", "Asked for in vain in 7 days", "近7天被询问次数", "question"),
    _number("points_balance", "Points", "积分余额", "point"),
    _number("days_since_points", "Days since points moved", "距积分变动天数", "day"),
    _flag("points_missing", "The last stay has no points yet", "上次入住未积分"),
    _choice("tier", "Tier", "会员等级"),
    _number("tier_rank", "Rank of the tier", "等级序"),
    _flag("tier_in_grace", "Tier is kept in grace", "等级宽限中"),
    _number("learnt_preferences", "Learnt preferences", "已学偏好", "preference"),
    _number("newly_learnt_7d", "Learnt in 7 days", "近7天新学偏好", "preference"),
    _number("preferences_to_ask", "Preferences to ask again", "待确认偏好", "preference"),
    _number("fresh_preferences", "Fresh preferences", "有效偏好", "preference"),
    _number("seen_after_refusal", "Noted although refused", "拒绝后仍被记录", "1"),
    _number("of_companions_30d", "Noted of companions in 30 days", "近30天同行人记录", "1"),
    _number("open_referrals", "Open referrals", "待付推荐", "referral"),
    _choice("vip", "VIP level", "贵宾级别"),
    _flag("consented", "Has given a consent that holds", "有有效同意"),
    _flag("previous_complaint", "Flagged for an earlier complaint", "有投诉标记"),
    _flag("anonymised", "Anonymised", "已匿名化"),
)
PREPARING = (
    _flag("to_come", "Still to come", "尚未到店"),
    _number("lines", "Preparation lines", "备房项", "line"),
    _number("open_lines", "Open lines", "未完成备房项", "line"),
    _number("unavailable_lines", "Lines that cannot be met", "无法满足项", "line"),
    _number("required_open", "Required lines not met", "必须项未完成", "line"),
    _flag(
        "identity_unsure", "Said to be a repeat guest whom nothing on file confirms", "身份待确认"
    ),
    _number("days_from_birthday", "Days between arrival and birthday", "距生日天数", "day"),
)
