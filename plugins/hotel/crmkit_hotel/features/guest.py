"""Features of a guest, and of how far a booking is prepared."""

from __future__ import annotations

from typing import Any

from crmkit.declarations import Feature
from crmkit.entities import FieldType


def _number(
    name: str, title: str, title_zh: str, unit: str, description: str, **more: Any
) -> Feature:
    kind = more.pop("type", FieldType.INTEGER)
    return Feature(
        name=f"hotel.{name}", type=kind, unit=unit, title=title, title_zh=title_zh,
        description=description, **more,
    )  # fmt: skip


def _flag(name: str, title: str, title_zh: str, description: str) -> Feature:
    return Feature(
        name=f"hotel.{name}", type=FieldType.BOOLEAN, title=title, title_zh=title_zh,
        description=description,
    )  # fmt: skip


def _choice(name: str, title: str, title_zh: str, description: str) -> Feature:
    return Feature(
        name=f"hotel.{name}", type=FieldType.TEXT, title=title, title_zh=title_zh,
        description=description,
    )  # fmt: skip


SHARE = FieldType.NUMBER
GUEST = (
    _number("stays", "Completed stays", "完成入住", "stay", "Stays checked out by then, those that overlap as one, and those that an earlier system states."),
    _number("nights", "Nights", "间夜", "night", "Of completed stays on file."),
    _number("stays_365d", "Stays in 365 days", "近365天入住", "stay", "Checked out less than 365 days before; stays that overlap, as two rooms of one night, are one."),
    _number("nights_365d", "Nights in 365 days", "近365天间夜", "night", "Of stays checked out less than 365 days before."),
    _number("days_since_stay", "Days since the last stay", "距上次离店天数", "day", "Since the last check-out; missing without a stay on file."),
    _number("usual_gap_days", "Usual gap between stays", "通常入住间隔", "day", "Median of the days from a check-out to the next check-in, the lower of two in the middle; missing before the second stay."),
    _number("gap_ratio", "Gap now against the usual", "间隔比", "1", "Days since the last stay by the usual gap; above 2 a regular cools off (H-R7).", type=SHARE),
    _number("last_fulfilment", "Fulfilled at the last stay", "上次兑现率", "1", "Share of the lines of the last prepared stay that were met; partly counts half.", type=SHARE),
    _number("poor_stays", "Of the last two stays fulfilled below 70 %", "近两次低兑现", "stay", "Among the last two stays that were prepared."),
    _flag("benefits_missed", "Tier benefits not given at the last stay", "上次会员权益未兑现", "As noted at the last check-out."),
    _number("complaints_365d", "Complaints in 365 days", "近365天投诉", "complaint", "Logged less than 365 days before, solved or not."),
    _number("days_since_complaint", "Days since the last complaint", "距上次投诉天数", "day", "Missing without one."),
    _number("unsolved_complaints", "Unsolved complaints", "未解决投诉", "complaint", "Not marked solved and less than 60 days old; older ones are the service desk's."),
    _number("in_house_complaints", "Unsolved complaints in the house", "在店未解决投诉", "complaint", "Made in the house at most 14 days before and not solved (H-R9)."),
    _flag("no_first_action", "No first action since the complaint", "投诉后尚无行动", "No gesture that is marked as the first action was made since the last complaint."),
    _number("refusals_7d", "Asked for in vain in 7 days", "近7天被询问次数", "question", "Visitors, callers and searches that were told nothing of a guest who keeps secret that they are here (H-R1)."),
    _number("points_balance", "Points", "积分余额", "point", "Sum of the entries of the guest's account."),
    _number("days_since_points", "Days since points moved", "距积分变动天数", "day", "Since points were earned or burnt; what expires does not count as activity."),
    _flag("points_missing", "The last stay has no points yet", "上次入住未积分", "A day or more has passed since the last check-out and no points were earned since (H-R11)."),
    _choice("tier", "Tier", "会员等级", "Of the club hotel.club; none without a standing."),
    _number("tier_rank", "Rank of the tier", "等级序", "1", "0 member, 1 silver, 2 gold, 3 platinum."),
    _flag("tier_in_grace", "Tier is kept in grace", "等级宽限中", "Its condition no longer holds and its grace has not ended (H-R12)."),
    _number("learnt_preferences", "Learnt preferences", "已学偏好", "preference", "Seen on two of the last three stays, and not declared."),
    _number("newly_learnt_7d", "Learnt in 7 days", "近7天新学偏好", "preference", "Learnt ones whose record is less than 7 days old (H-R3)."),
    _number("preferences_to_ask", "Preferences to ask again", "待确认偏好", "preference", "Declared two years ago or more, or contradicted twice since (H-R4)."),
    _number("fresh_preferences", "Fresh preferences", "有效偏好", "preference", "Declared or learnt, and confirmed within two years or of a kind that does not fade."),
    _number("seen_after_refusal", "Noted although refused", "拒绝后仍被记录", "1", "Notes of a code after the guest said that nothing of it be kept (H-R4)."),
    _number("of_companions_30d", "Noted of companions in 30 days", "近30天同行人记录", "1", "Notes of what a companion likes, which is theirs (H-R14)."),
    _number("open_referrals", "Open referrals", "待付推荐", "referral", "By which the guest came and for which the referrer was not paid yet (H-R13)."),
    _choice("vip", "VIP level", "贵宾级别", "1 is the highest; none for all others."),
    _flag("consented", "Has given a consent that holds", "有有效同意", "Some consent of the ledger is covered by no later withdrawal, whatever it is for (H-R16)."),
    _flag("previous_complaint", "Flagged for an earlier complaint", "有投诉标记", "The profile has the flag previous_complaint (H-R8)."),
    _flag("anonymised", "Anonymised", "已匿名化", "The profile was made anonymous (H-R16)."),
)  # fmt: skip
PREPARING = (
    _flag("to_come", "Still to come", "尚未到店", "The day of arrival is later than the day asked about, and the guest has neither checked in nor cancelled."),
    _number("lines", "Preparation lines", "备房项", "line", "That were filed for the booking, whatever became of them."),
    _number("open_lines", "Open lines", "未完成备房项", "line", "Not marked yet."),
    _number("unavailable_lines", "Lines that cannot be met", "无法满足项", "line", "Sold out when the lines were built, or marked so (H-R2)."),
    _number("required_open", "Required lines not met", "必须项未完成", "line", "Allergies and needs for access that are not marked met, without those of bookings that were cancelled (H-R5)."),
    _flag("identity_unsure", "Said to be a repeat guest whom nothing on file confirms", "身份待确认", "The booking says repeat guest and counts no earlier stay (H-R6)."),
    _number("days_from_birthday", "Days between arrival and birthday", "距生日天数", "day", "To the nearest birthday, that of 29 February on the 28th; missing without the guest's consent to mark occasions (H-R15)."),
)  # fmt: skip
