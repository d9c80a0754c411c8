"""Features of a waybill, by the file that computes them."""

from __future__ import annotations

from crmkit.declarations import Feature
from crmkit.entities import FieldType

T = FieldType


def feature(
    name: str, kind: FieldType, title: str, title_zh: str, unit: str | None = None,
    phrase: str | dict[str, str] = "", missing: object = None, description: str = "",
) -> Feature:  # fmt: skip
    """A feature of delivery; ``phrase`` are its words as a reason."""
    return Feature(
        name=f"delivery.{name}", type=kind, unit=unit, title=title, title_zh=title_zh,
        phrase=phrase, missing=missing, description=description,
    )  # fmt: skip


JOURNEY = (
    feature("status", T.TEXT, "Status", "状态", missing="ordered",
            description="Of the last scan, by event time, that could follow."),
    feature("status_hours", T.NUMBER, "Time in the status", "状态时长", "h",
            description="Since the first scan of the status it is in; repeats do not begin it anew."),
    feature("silent_hours", T.NUMBER, "Time since the last scan", "无扫描时长", "h",
             "no scan for {value:.0f} hours",
            description="By event time, of scans that could follow."),
    feature("overdue_silence_hours", T.NUMBER, "Silence that its status does not allow", "超时无进展时长", "h",
            description="Time since the last scan, else since the planned collection or the order, where "
            "it is longer than tables/statuses.csv allows; missing where it is not."),
    feature("overnight", T.BOOLEAN, "Out overnight", "隔夜未妥投", missing=False,
            description="Out for delivery since an earlier local day."),
    feature("attempts", T.INTEGER, "Attempts", "派送次数", "attempt",
             "delivery was attempted {value} times", 0,
            description="Scans of a delivery or of a failed attempt."),
    feature("hubs_passed", T.INTEGER, "Hubs passed", "已过站点", "hub", missing=0,
            description="Scans at a hub, that of the hub at which it is among them."),
    feature("slack_days", T.NUMBER, "Time to the promise", "距承诺天数", "day",
             "{value:.1f} days are left to the promise",
            description="To the promise with its grace; negative once that has passed."),
    feature("past_promise", T.BOOLEAN, "Past its promise", "已超承诺",
             phrase={"true": "the promise has passed"}, missing=False,
            description="The promise with its grace has passed and nothing was delivered."),
    feature("days_since_order", T.NUMBER, "Time since the order", "下单天数", "day",
             "ordered {value:.1f} days before",
            description="In days of 24 hours."),
    feature("days_past_ship_by", T.NUMBER, "Handed over after the last day", "交运延误", "day",
             "handed over {value:.1f} days after the planned hand-over",
             description="Negative where the shipper was early."),
    feature("promised_days", T.NUMBER, "Time promised", "承诺时长", "day",
             "promised within {value:.1f} days of the order",
            description="From the order to the promise with its grace."),
    feature("product", T.TEXT, "Product", "产品", phrase="goes as {value}",
            description="What was ordered, as next_day."),
    feature("scope", T.TEXT, "Scope", "范围",
            description="By the zones of origin and destination, as same_city."),
    feature("from_zone", T.TEXT, "From zone", "始发区", phrase="comes from {value}",
            description="Of the waybill, else of the sender of its items."),
    feature("to_zone", T.TEXT, "To zone", "目的区", phrase="goes to {value}",
            description="Of the waybill, else the customer's region."),
    feature("same_zone", T.BOOLEAN, "Within one zone", "同区",
             phrase={"false": "crosses zones", "true": "stays within its zone"},
            description="Missing where either zone is."),
    feature("weight_kg", T.NUMBER, "Weight", "重量", "kg", "weighs {value:.1f} kg",
            description="As charged, else the actual weight."),
    feature("freight", T.MONEY, "Freight", "运费", "money", "costs {value} to send",
            description="As quoted, else the sum over its items."),
    feature("items", T.INTEGER, "Items", "件数", "item", "holds {value} items",
            description="Lines of the order."),
)  # fmt: skip

CARE = (
    feature("damage_hours", T.NUMBER, "Time since damage was known", "破损已知时长", "h",
            description="Since a scan with a damaged condition, a report or a complaint of damage, "
            "the earliest."),
    feature("claims", T.INTEGER, "Claims", "理赔数", "claim", missing=0,
            description="All but those withdrawn."),
    feature("claims_to_second", T.INTEGER, "Claims that wait for a second person", "待复核理赔", "claim",
            missing=0, description="Above the clerk's limit, with an amount proposed."),
    feature("claims_unborne", T.INTEGER, "Claims borne by another than who answers", "责任方不符理赔",
            "claim", missing=0,
            description="Approved or paid, with no bearer or another than the latest incident names."),
    feature("claims_above_owed", T.INTEGER, "Claims approved above what is owed", "超额理赔", "claim",
            missing=0, description="Above min(proven loss, insured or declared value) times the share "
            "damaged, and the freight given back; caps of contracts are not looked at."),
    feature("stops_incomplete", T.INTEGER, "Stops of the clock that excuse nothing", "无效停表", "incident",
            missing=0, description="They lack a reason, a party, evidence, or an end although the "
            "shipment has ended."),
    feature("claims_found", T.INTEGER, "Claims of loss on a shipment that was found", "遗失已找回理赔", "claim",
            missing=0, description="Approved or paid as lost, and scanned since the claim was filed, with "
            "a status other than lost, disputed or disposed."),
    feature("claim_unpaid_days", T.NUMBER, "Approved and not paid for", "批准未付天数", "day",
            description="Of the claim approved longest ago that is not paid."),
    feature("unanswered_hours", T.NUMBER, "Lost or missing without an answer", "遗失未答复时长", "h",
            description="Since the last report of non-receipt, or since it was lost or disputed; "
            "missing once a person has answered."),
    feature("told_late", T.BOOLEAN, "Told that it will be late", "已预告晚点", missing=False,
            description="By a call or message before it was late, at any time."),
    feature("overbilled_share", T.NUMBER, "Billed against quoted", "账单偏差", "1",
             description="Largest difference of an unexplained invoice line to the quote, as a share."),
    feature("unexplained_surcharge", T.BOOLEAN, "Surcharge without a reason", "无故附加费",
             missing=False,
            description="Of an invoice line that was not explained."),
    feature("incidents_unowned", T.INTEGER, "Exceptions without an owner", "无人负责异常", "incident",
             missing=0,
            description="Open ones without an assignee."),
    feature("misrouted", T.BOOLEAN, "At a place off its lane", "错发", missing=False,
            description="Its last scan is at a hub that the lane does not pass."),
    feature("steps_skipped", T.INTEGER, "Scans with steps missing before them", "漏扫", "scan",
             missing=0, description="That became known on the as-of day."),
    feature("scans_out_of_order", T.INTEGER, "Scans that could not follow", "乱序扫描", "scan",
             missing=0, description="That became known on the as-of day."),
)  # fmt: skip

PROMISE = (
    feature("promise_lacking", T.BOOLEAN, "Without a promise", "无承诺", missing=False,
            description="No product, no instant or no rule that holds."),
    feature("promise_rule", T.TEXT, "Rule of the promise", "承诺规则",
            description="With its version; import where the source stated the promise."),
    feature("promise_on_holiday", T.BOOLEAN, "Promised for a day that is not worked", "承诺日休息",
            missing=False, description="At the destination, by its calendar as it is now."),
)  # fmt: skip

SILENCE = (
    feature("lane_p95_hours", T.NUMBER, "95 % of the lane's legs take at most", "线路分段P95", "h",
             description="Between two scans, of legs that ended within 90 days, by rank."),
    feature("trace_after_hours", T.NUMBER, "To be traced after", "追查阈值", "h",
             description="1.5 times that of the lane; at least 24 hours, within a city 4."),
)  # fmt: skip

CONGESTION = (
    feature("lane_late_7d", T.NUMBER, "Late on the lane this week", "线路本周晚点率", "1",
            description="Share of the lane's promises of the last seven days that were not kept."),
    feature("hub_waiting", T.INTEGER, "Others at the same hub", "同站滞留", "waybill",
            description="Whose last scan is at the hub at which this one is; missing elsewhere."),
    feature("lane_weather", T.INTEGER, "Open incidents of weather on the lane", "线路天气事件", "incident",
            missing=0),
)  # fmt: skip

SUSPICION = (
    feature("pod_missing", T.BOOLEAN, "Delivered without proof", "无签收凭证", missing=False,
            description="Of deliveries in the last 30 days."),
    feature("pod_metres", T.NUMBER, "Delivered so far from the address", "签收距离", "m",
            description="The furthest of the last 30 days."),
    feature("pod_burst", T.INTEGER, "Deliveries of the courier within 10 minutes", "十分钟签收数",
             "delivery", missing=0,
            description="The ten minutes end with the minute of the delivery."),
)  # fmt: skip
