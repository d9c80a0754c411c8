"""What to do when: the sixteen rules of the hotel brief, section 7.

Some of them are kept by the program itself (the policy hides guests, refusals delete, points are
posted once); for those the rule here raises what a person has to see to.
"""

from __future__ import annotations

from typing import Any

from crmkit.declarations import Rule

from .data import RESERVATION

BRIEF = "Hotel brief, section 7, rule"


def _rule(
    number: int, name: str, title: str, title_zh: str, when: str, action: str, target: str,
    message: str, **more: Any,
) -> Rule:  # fmt: skip
    return Rule(
        name=f"hotel.{name}", title=title, title_zh=title_zh, when=when, action=action,
        target=target, message=message, source=f"{BRIEF} H-R{number}", **more,
    )  # fmt: skip


RULES = (
    _rule(
        1, "asked-for-in-vain", "A visitor or caller was refused", "访客询问被拒",
        "hotel_refusals_7d >= 1", "alert", "duty-manager",
        "was asked for {hotel_refusals_7d} times in 7 days and nobody was told: tell the guest if "
        "they wish it",
        cooldown_days=7,
    ),
    _rule(
        2, "arrival-not-prepared", "Arrives within 48 hours, not prepared", "48小时内到店未备妥",
        "hotel_to_come AND hotel_days_to_arrival <= 2 "
        "AND (hotel_lines = 0 OR hotel_open_lines > 0 OR hotel_unavailable_lines > 0)",
        "list", "prepare-arrivals",
        "arrives in {hotel_days_to_arrival} days: {hotel_open_lines} of {hotel_lines} lines open, "
        "{hotel_unavailable_lines} cannot be met",
        subject=RESERVATION, cooldown_days=1,
    ),
    _rule(
        3, "preference-learnt", "A preference was learnt", "新学到偏好",
        "hotel_newly_learnt_7d >= 1", "list", "confirm-preference",
        "{hotel_newly_learnt_7d} preferences learnt from two of the last three stays: confirm at the "
        "next contact",
        evidence=("hotel_learnt_preferences",), cooldown_days=30,
    ),
    _rule(
        4, "noted-although-refused", "Noted although the guest refused", "拒绝后仍被记录",
        "hotel_seen_after_refusal >= 1", "alert", "data-protection",
        "a preference that the guest does not want kept was noted {hotel_seen_after_refusal} times: "
        "it is not learnt; tell the touchpoint",
        cooldown_days=30,
    ),
    _rule(
        5, "allergy-or-access-open", "Allergy or access is open", "过敏或无障碍未落实",
        "hotel_to_come AND hotel_required_open >= 1 AND hotel_days_to_arrival <= 2", "alert",
        "duty-manager",
        "{hotel_required_open} required lines are not met, arrival in {hotel_days_to_arrival} days",
        subject=RESERVATION, cooldown_days=1,
    ),
    _rule(
        6, "ask-who-it-is", "Ask by a neutral question", "到店中性询问",
        "hotel_to_come AND hotel_days_to_arrival <= 2 AND hotel_identity_unsure", "list",
        "neutral-question",
        "is said to have stayed before and nothing on file confirms it: ask, do not greet by a guess",
        subject=RESERVATION, evidence=("hotel_days_to_arrival",), cooldown_days=2,
    ),
    _rule(
        7, "cold-welcome", "A regular cools off", "常客遇冷",
        "hotel_tier_rank >= 2 AND (hotel_gap_ratio > 2 OR hotel_poor_stays >= 2 "
        "OR hotel_benefits_missed)",
        "list", "call-regular",
        "{hotel_tier}: gap {hotel_gap_ratio:.1f} times the usual, {hotel_poor_stays} of the last two "
        "stays fulfilled below 70 %, benefits missed: {hotel_benefits_missed}",
        evidence=("hotel_days_since_stay", "hotel_usual_gap_days"), cooldown_days=60,
    ),
    _rule(
        8, "no-marketing-after-complaint", "No offers while a complaint is open", "投诉期间停止营销",
        "hotel_unsolved_complaints >= 1 OR (hotel_complaints_365d >= 1 "
        "AND hotel_days_since_complaint < 7)",
        "tag", "no-marketing",
        "complaint {hotel_days_since_complaint} days ago, {hotel_unsolved_complaints} unsolved: the "
        "duty manager greets, no offers until it is resolved and seven days have passed",
        cooldown_days=7,
    ),
    _rule(
        9, "complaint-in-house", "A complaint in the house", "在店投诉",
        "hotel_in_house_complaints >= 1 AND hotel_no_first_action", "open_case", "in-house-complaint",
        "{hotel_in_house_complaints} complaints by a guest in the house without a first action: act "
        "within 30 minutes, solve before check-out, no survey until then",
        cooldown_days=1,
    ),
    _rule(
        10, "reconfirm", "Call to reconfirm", "致电确认",
        "hotel_to_come AND hotel_days_to_arrival <= 14 AND score_hotel_cancellation > 0.5 "
        "AND NOT coalesce(hotel_guaranteed, false)",
        "list", "reconfirm",
        "probability of a cancellation {score_hotel_cancellation:.0%}, not guaranteed, arrival in "
        "{hotel_days_to_arrival} days: call; never overbook on this alone",
        subject=RESERVATION, cooldown_days=14,
    ),
    _rule(
        11, "points-missing", "Stay without points after a day", "离店一天未积分",
        "hotel_points_missing AND hotel_tier <> 'none' AND hotel_days_since_stay <= 60", "list",
        "post-points",
        "left {hotel_days_since_stay} days ago and has no points for it",
        cooldown_days=7,
    ),
    _rule(
        12, "tier-in-grace", "Tier is about to be lost", "等级将失",
        "hotel_tier_in_grace AND hotel_tier_rank >= 1", "list", "keep-tier",
        "{hotel_tier} is kept in grace: {hotel_nights_365d} nights in 365 days; one level down at "
        "most",
        cooldown_days=30,
    ),
    _rule(
        13, "pay-referrer", "A friend has completed a first stay", "推荐人可得积分",
        "hotel_open_referrals >= 1 AND hotel_stays >= 1", "list", "settle-referrals",
        "was told of the house by a guest and has completed {hotel_stays} stays: the referrer's points "
        "are due",
        cooldown_days=7,
    ),
    _rule(
        14, "companions-preference", "A companion's preference was noted", "同行人偏好记录",
        "hotel_of_companions_30d >= 1", "list", "companion-profile",
        "{hotel_of_companions_30d} notes are of companions: they are theirs and are kept in a profile "
        "of their own, with their consent",
        cooldown_days=30,
    ),
    _rule(
        15, "occasion", "Birthday within three days of the stay", "生日临近入住",
        "hotel_to_come AND hotel_days_to_arrival <= 7 AND hotel_days_from_birthday <= 3", "list",
        "amenity",
        "birthday within {hotel_days_from_birthday} days of the arrival, with consent: an amenity "
        "within the limit of the tier",
        subject=RESERVATION, cooldown_days=30,
    ),
    _rule(
        16, "anonymise", "Three years without a stay and without consent", "三年未住且无同意",
        "hotel_days_since_stay >= 1096 AND NOT hotel_consented AND NOT hotel_anonymised",
        "list", "anonymise",
        "no stay for {hotel_days_since_stay} days and no consent: crmkit guest anonymise "
        "makes the profile anonymous and keeps the totals",
        cooldown_days=90,
    ),
)  # fmt: skip
