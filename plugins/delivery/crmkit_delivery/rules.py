"""What to do when: conditions over features and scores (the brief, section 8, D-R1 to D-R18).

Some rules of the brief are engines: D-R6 makes promises (:mod:`.promise`), D-R7 is the clock of on-time
(``shared/due.sql``), D-R9 the amount of a claim (:mod:`.claims`), D-R13 the hand-over of a round
(:mod:`.handover`), D-R14 the report ``delivery.round-churn`` and D-R17 three scores. The rules of these
ids look at what the engines leave to people.
"""

from __future__ import annotations

from crmkit.declarations import Rule

from .data import SUBSCRIPTION, WAYBILL

BRIEF = "Delivery brief, section 8, rule"
ON_ITS_WAY = "delivery_status IN ('picked_up', 'at_hub', 'in_transit', 'returning')"
# Nothing is promised any more of what has ended.
OPEN = (
    "delivery_status NOT IN ('delivered', 'returned', 'lost', 'cancelled', 'expired', 'disposed')"
)
LOST_AFTER = "CASE WHEN delivery_scope = 'international' THEN 720 ELSE 168 END"


def _rule(
    number: int, name: str, when: str, action: str, target: str, message: str, title: str,
    title_zh: str, *, subject: str = WAYBILL, cooldown_days: int = 0, evidence: tuple[str, ...] = (),
) -> Rule:  # fmt: skip
    return Rule(
        name=f"delivery.{name}", subject=subject, when=when, action=action, target=target,
        message=message, title=title, title_zh=title_zh, cooldown_days=cooldown_days,
        evidence=evidence, source=f"{BRIEF} D-R{number}",
    )  # fmt: skip


SHIPMENTS = (
    _rule(
        1, "not-handed-over",
        "delivery_status = 'out_for_delivery' AND (delivery_status_hours > 10 "
        "OR delivery_past_promise OR delivery_overnight)",
        "list", "not-handed-over",
        "out for delivery for {delivery_status_hours:.0f} hours and not handed over: ask the courier, "
        "tell the consignee",
        "Out for delivery, not handed over", "派送未妥投",
    ),
    _rule(
        2, "trace",
        f"{ON_ITS_WAY} AND delivery_silent_hours > delivery_trace_after_hours "
        f"AND delivery_silent_hours <= {LOST_AFTER}",
        "list", "trace",
        "no scan for {delivery_silent_hours:.0f} hours, {delivery_trace_after_hours:.0f} are usual at "
        "most: trace it",
        "Collected, not arrived", "揽收未到达", evidence=("delivery_lane_p95_hours",),
    ),
    _rule(
        2, "propose-lost",
        "delivery_status IN ('picked_up', 'at_hub', 'in_transit', 'returning', 'out_for_delivery') "
        f"AND delivery_silent_hours > {LOST_AFTER}",
        "alert", "proposed-lost",
        "no scan for {delivery_silent_hours:.0f} hours: propose to declare it lost",
        "Proposed lost", "拟定遗失", cooldown_days=7,
    ),
    _rule(
        3, "open-claim",
        "delivery_damage_hours > 24 AND delivery_claims = 0",
        "open_case", "delivery.claim:damage",
        "damaged {delivery_damage_hours:.0f} hours ago and no claim: open it for the customer",
        "Damaged, no claim", "破损未理赔",
    ),
    _rule(
        3, "pay-claim", "delivery_claim_unpaid_days > 7", "alert", "pay-claim",
        "the claim was approved {delivery_claim_unpaid_days:.0f} days ago and is not paid",
        "Claim approved, not paid", "理赔未付", cooldown_days=1,
    ),
    _rule(
        4, "answer-missing", "delivery_unanswered_hours > 24", "open_case", "missing-parcel",
        "lost or not received, and nobody has answered for {delivery_unanswered_hours:.0f} hours",
        "Lost, nobody answers", "遗失无人答复",
    ),
    _rule(
        4, "escalate-missing", "delivery_unanswered_hours > 48", "alert", "escalate-missing",
        "nobody has answered for {delivery_unanswered_hours:.0f} hours: one level up for every 24",
        "Lost, nobody answers: escalate", "遗失无人答复升级", cooldown_days=1,
    ),
    _rule(
        4, "call-before-late",
        "NOT delivery_past_promise AND NOT delivery_told_late AND ("
        "coalesce(score_delivery_late_in_transit, score_delivery_late) >= 0.5 "
        f"OR ({ON_ITS_WAY} AND delivery_slack_days < 0.125))",
        "list", "call-before-late",
        "{delivery_slack_days:.1f} days are left to the promise: call before it is late",
        "Call before it is late", "晚点前通知", cooldown_days=1,
    ),
    _rule(
        5, "price-unclear",
        "delivery_overbilled_share > 0.01 OR delivery_unexplained_surcharge",
        "alert", "hold-invoice",
        "billed {delivery_overbilled_share:.0%} off the quote or with a surcharge without a reason: "
        "hold the line, explain weight, zone, surcharge and discount",
        "Price unclear", "价格不清", cooldown_days=7,
    ),
    _rule(
        6, "promise-missing",
        f"{OPEN} AND (delivery_promise_lacking OR delivery_promise_rule IS NULL)",
        "list", "promise-missing",
        "no promise with its rule and version: crmkit waybill promise makes it; if no rule holds, add one",
        "Promise missing", "缺少承诺",
    ),
    _rule(
        6, "promise-on-holiday",
        f"{OPEN} AND delivery_promise_on_holiday AND NOT delivery_past_promise",
        "list", "promise-on-holiday",
        "promised by {delivery_promise_rule} for a day on which the destination does not work: the "
        "promise stands, so deliver before it or agree on another day",
        "Promised for a holiday", "承诺日为假日", cooldown_days=7,
    ),
    _rule(
        7, "stop-incomplete", "delivery_stops_incomplete >= 1", "list", "clock-stops",
        "{delivery_stops_incomplete} stops of the clock lack reason, party, evidence or end and excuse "
        "nothing: complete them",
        "Stop of the clock incomplete", "停表缺证", cooldown_days=7,
    ),
    _rule(
        8, "suspicious-delivery",
        "delivery_status = 'delivered' AND (delivery_pod_missing OR delivery_pod_metres > 500 "
        "OR delivery_pod_burst > 40)",
        "list", "suspicious-delivery",
        "delivered without proof, {delivery_pod_metres:.0f} m from the address, or among "
        "{delivery_pod_burst} deliveries in ten minutes: signed but not received?",
        "Suspicious delivery", "可疑签收", cooldown_days=30,
    ),
    _rule(
        9, "claim-second-person", "delivery_claims_to_second >= 1", "list", "claims-to-approve",
        "{delivery_claims_to_second} claims above the clerk's limit wait for a second person: crmkit "
        "claim approve",
        "Claim waits for a second person", "理赔待复核",
    ),
    _rule(
        9, "claim-bearer", "delivery_claims_unborne >= 1", "alert", "claim-bearer",
        "{delivery_claims_unborne} claims are borne by nobody or by another than who answers for the "
        "incident: settle who pays",
        "Claim borne by another", "理赔责任方不符", cooldown_days=7,
    ),
    _rule(
        9, "claim-above-owed", "delivery_claims_above_owed >= 1", "alert", "claim-audit",
        "{delivery_claims_above_owed} claims are approved above the proven loss, the insured or "
        "declared value and the freight: look at them again",
        "Claim above what is owed", "理赔超额", cooldown_days=30,
    ),
    _rule(
        9, "claim-found", "delivery_claims_found >= 1", "alert", "claim-audit",
        "{delivery_claims_found} claims of loss are approved or paid and the shipment was seen since: "
        "stop the payment or take the goods back",
        "Claimed as lost and found", "遗失理赔后找回", cooldown_days=7,
    ),
    _rule(
        17, "likely-late",
        f"{ON_ITS_WAY} AND NOT delivery_past_promise "
        "AND coalesce(score_delivery_late_in_transit, score_delivery_late) >= 0.5",
        "list", "expedite",
        "will probably be late with {delivery_slack_days:.1f} days left to the promise; on its lane "
        "{delivery_lane_late_7d:.0%} were late this week, {delivery_lane_weather} incidents of weather are "
        "open, {delivery_hub_waiting} others are at its hub: put it on the next departure",
        "Likely late", "可能晚点", cooldown_days=1,
        evidence=("delivery_days_past_ship_by", "delivery_lane_p95_hours"),
    ),
    _rule(
        17, "likely-late-at-order",
        "delivery_status IN ('ordered', 'pickup_booked') AND NOT delivery_past_promise "
        "AND score_delivery_late_at_order >= 0.5",
        "list", "expedite",
        "will probably be late although not collected yet, promised within "
        "{delivery_promised_days:.1f} days of the order: collect it earlier or promise another day",
        "Likely late at the order", "下单即可能晚点", cooldown_days=3,
    ),
    _rule(
        18, "no-owner", "delivery_incidents_unowned >= 1", "list", "disorder",
        "{delivery_incidents_unowned} exceptions that nobody owns: name somebody",
        "Exception without an owner", "异常无人负责",
    ),
    _rule(
        18, "misrouted", "delivery_misrouted", "list", "disorder",
        "at a place off its lane: send it back", "Misrouted", "错发",
    ),
    _rule(
        18, "steps-skipped", "delivery_steps_skipped >= 1", "list", "disorder",
        "{delivery_steps_skipped} scans with steps missing before them: find them",
        "Steps skipped", "环节缺失",
    ),
    _rule(
        18, "silent",
        "delivery_overdue_silence_hours > 0 "
        "AND (delivery_status NOT IN ('lost', 'disputed') OR delivery_claims = 0)",
        "list", "disorder",
        "{delivery_status} and nothing scanned for {delivery_overdue_silence_hours:.0f} hours: move it on",
        "No progress", "长时间无进展",
    ),
    _rule(
        18, "impossible-scan", "delivery_scans_out_of_order >= 1", "list", "disorder",
        "{delivery_scans_out_of_order} scans that could not follow: correct them",
        "Scan that could not follow", "无效扫描",
    ),
)  # fmt: skip

SHIPPERS = (
    _rule(
        10, "shipper-drop",
        "(delivery_volume_4w < 0.6 * delivery_volume_expected_4w "
        "AND delivery_volume_4w < delivery_volume_limit_4w) OR delivery_lanes_gone >= 1 "
        "OR (delivery_complaints_30d >= 2 AND delivery_volume_4w + delivery_volume_expected_4w > 0)",
        "list", "account-visit",
        "{delivery_volume_4w} waybills in four weeks, {delivery_volume_expected_4w:.0f} expected; "
        "{delivery_lanes_gone} lanes gone; {delivery_complaints_30d} complaints: visit with the facts",
        "Shipper drops", "寄件客户下滑", subject="customer", cooldown_days=14,
        evidence=("delivery_lane_gone",),
    ),
    _rule(
        11, "credit",
        "delivery_receivable > delivery_credit_limit OR delivery_days_overdue > 30",
        "tag", "prepaid-only",
        "receivable {delivery_receivable}, overdue {delivery_days_overdue} days: prepaid only; tell "
        "sales first",
        "Over the credit limit or overdue", "超信用或逾期", subject="customer",
        evidence=("delivery_credit_limit",),
    ),
    _rule(
        12, "below-contract", "delivery_months_below_sla >= 2", "list", "recovery-plan",
        "on time {delivery_on_time_last_month:.1%} last month and "
        "{delivery_on_time_month_before:.1%} the month before, promised {delivery_sla_target:.1%}: "
        "agree on a plan",
        "Below contract two months running", "连续两月未达标", subject="customer", cooldown_days=30,
    ),
)  # fmt: skip

ROUNDS = (
    _rule(
        13, "call-after-handover",
        "delivery_subscribed AND delivery_uncalled_days BETWEEN 0 AND 14",
        "list", "round-calls",
        "the round changed hands {delivery_uncalled_days} days ago: call within 14 days",
        "Call after the hand-over", "交接回访", subject=SUBSCRIPTION, cooldown_days=3,
    ),
    _rule(
        13, "handover-not-called", "delivery_subscribed AND delivery_uncalled_days > 14", "alert",
        "round-calls-late",
        "not called in the {delivery_uncalled_days} days since the hand-over",
        "Not called after the hand-over", "交接未回访", subject=SUBSCRIPTION, cooldown_days=7,
    ),
    _rule(
        13, "unserved", "delivery_subscribed AND delivery_unserved", "list", "round-unserved",
        "on round {delivery_round}, and the round or its courier is not on file or has left: name who "
        "brings it (crmkit round handover)",
        "Nobody brings it", "无人配送", subject=SUBSCRIPTION,
    ),
    _rule(
        5, "billed-twice", "delivery_bills_overlapping >= 1", "alert", "hold-invoice",
        "{delivery_bills_overlapping} pairs of bills cover the same days: withdraw one of each",
        "Billed twice", "重复计费", subject=SUBSCRIPTION, cooldown_days=7,
    ),
    _rule(
        14, "lost-with-courier", "delivery_lost_with_courier_days BETWEEN 0 AND 90", "tag",
        "courier-left",
        "ended within 60 days of the hand-over by {delivery_served_by}: win it back, and count it with "
        "the courier who left",
        "Lost with a courier", "随快递员流失", subject=SUBSCRIPTION, cooldown_days=90,
    ),
    _rule(
        14, "courier-loses",
        "delivery_subscribed AND delivery_courier_loss_low > delivery_depot_loss_high",
        "list", "courier-loses",
        "{delivery_served_by} lost {delivery_courier_lost_90d} of {delivery_courier_served_90d} in 90 "
        "days, more than the depot's others can explain: ask how they are served",
        "Courier loses subscribers", "快递员流失异常", subject=SUBSCRIPTION, cooldown_days=30,
    ),
    _rule(
        15, "resume-reminder",
        "delivery_subscribed AND delivery_paused_days >= 0 AND delivery_days_to_resume BETWEEN 0 AND 3",
        "list", "resume-reminder",
        "the pause ends in {delivery_days_to_resume} days: say that we come again",
        "Pause ends", "暂停将结束", subject=SUBSCRIPTION, cooldown_days=5,
    ),
    _rule(
        15, "pause-extended",
        "delivery_subscribed AND delivery_paused_days >= 0 AND delivery_pause_extensions >= 2 "
        "AND coalesce(delivery_days_to_resume, 1) > 0",
        "list", "pause-ask", "paused again and again: ask what is wrong",
        "Pause extended twice", "多次延长暂停", subject=SUBSCRIPTION, cooldown_days=30,
    ),
    _rule(
        15, "pause-at-risk",
        "delivery_subscribed AND delivery_paused_days > 60 AND coalesce(delivery_days_to_resume, 1) > 0",
        "tag", "at-risk", "paused for {delivery_paused_days} days",
        "Paused for long", "长期暂停", subject=SUBSCRIPTION, cooldown_days=30,
    ),
    _rule(
        16, "third-missed-drop", "delivery_subscribed AND delivery_missed_drops_30d >= 3", "open_case",
        "missed-drops",
        "{delivery_missed_drops_30d} missed drops in 30 days: the supervisor rides along, and the "
        "credit is given without being asked (crmkit round credit)",
        "Third missed drop", "三次漏送", subject=SUBSCRIPTION, cooldown_days=30,
    ),
)  # fmt: skip

RULES = (*SHIPMENTS, *SHIPPERS, *ROUNDS)
