"""How well promises are kept (W3)."""

from __future__ import annotations

from crmkit.columns import CUSTOMER, count, day, detail, flag, instant, money, number, text
from crmkit.declarations import Chart, Headline, Report

from ..sql import statement
from .asking import (
    DELIVERED,
    DEPOT,
    DUE,
    INTERVAL,
    SHIPMENT,
    SLICE,
    WILSON,
    by,
    days,
    gross,
    months,
    net,
    rate,
    setting,
)

BRIEF = "Delivery brief, section 2."
SLICES = (
    "all", "month", "shipper", "product", "service", "scope", "lane", "route", "depot", "department",
    "region",
)  # fmt: skip


def service_reports() -> list[Report]:
    """On time, first attempts, transit times, completeness, service cards, suspicious deliveries."""
    return [
        _on_time(), _pickups(), _transit(), _legs(), _first_attempt(), _completeness(), _card(), _calls(), _suspicious(),
    ]  # fmt: skip


def _on_time() -> Report:
    return Report(
        name="delivery.on-time",
        title="On time, gross and net of what excuses",
        title_zh="准时率（毛与净）",
        sql=statement("reports/on_time", "tracking", "excuse", "due"),
        columns=[
            SLICE, DUE, DELIVERED,
            count("on_time", "On time", "准时", "waybill"),
            count("excused", "Late, excused", "免责晚点", "waybill"),
            *gross(), *net(),
            *rate("in_full_rate", "in_full", "On time, in full", "准时完好率", "In full"),
        ],
        key=("slice",),
        parameters=[by(*SLICES), days(0, "Fell due within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="slice", y="on_time_rate", title="On time, gross", title_zh="毛准时率")],
        headline=Headline(column="on_time_rate"),
        method="Denominator: every shipment whose promise fell due, open and lost ones included, "
        "cancelled ones not. On time is the first delivery, or by contract the first attempt, not "
        "after the promise with its grace. Net gives back the time for which the clock stood: an "
        f"incident stops it with a reason that excuses, a responsible party, evidence and an end. In full is on time, "
        f"gross, and no scan tells of damage or of a piece that lacks. {INTERVAL}",
        source=f"{BRIEF} {WILSON}",
    )  # fmt: skip


def _pickups() -> Report:
    return Report(
        name="delivery.pickup-on-time",
        title="Collected by the planned time",
        title_zh="准时取件率",
        sql=statement("reports/pickups", "tracking"),
        columns=[
            SLICE, DUE, count("collected", "Collected", "已取件", "waybill"),
            count("on_time", "On time", "准时", "waybill"),
            *rate("on_time_rate", "on_time", "Collected on time", "准时取件率", "On time"),
        ],
        key=("slice",),
        parameters=[by("all", "shipper", "zone", "depot"),
                    days(90, "Planned within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="slice", y="on_time_rate", title="Collected on time", title_zh="准时取件率")],
        method="Denominator: every shipment whose planned collection has passed, those never collected "
        f"included, cancelled ones not. {INTERVAL}",
        source=f"{BRIEF} {WILSON}",
    )  # fmt: skip


def _transit() -> Report:
    return Report(
        name="delivery.transit-times",
        title="Days from collection to delivery",
        title_zh="运输时长",
        sql=statement("reports/transit_times", "tracking"),
        columns=[
            SLICE,
            count("collected", "Collected", "已取件", "waybill"),
            DELIVERED,
            count("underway", "Not delivered", "未签收", "waybill"),
            number("p50_days", "Half within", "中位天数", "day"),
            number("p95_days", "95 % within", "P95天数", "day"),
        ],
        key=("slice",),
        parameters=[by("all", "lane", "product", "depot", "region"),
                    days(90, "Collected within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="slice", y="p95_days", title="95 % within", title_zh="P95天数")],
        method="Quantiles by nearest rank of the shipments delivered; those that are not stand beside.",
        source=BRIEF,
    )  # fmt: skip


def _legs() -> Report:
    return Report(
        name="delivery.leg-times",
        title="Hours from scan to scan",
        title_zh="分段时长",
        sql=statement("reports/leg_times", "tracking"),
        columns=[
            SLICE, text("leg", "Leg", "分段"), count("legs", "Legs", "段数", "leg"),
            number("p50_hours", "Half within", "中位时长", "h"), number("p95_hours", "95 % within", "P95时长", "h"),
        ],
        key=("slice", "leg"),
        order=("slice", "-p95_hours"),
        parameters=[by("lane", "all"), days(90, "Ended within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="slice", y="p95_hours", color="leg", title="95 % within", title_zh="P95时长")],
        method="From a scan to the next that could follow, both on the way; quantiles by nearest rank. "
        "What is held or in customs in between is no leg.",
        source=f"{BRIEF} Section 8, reports.",
    )  # fmt: skip


def _first_attempt() -> Report:
    return Report(
        name="delivery.first-attempt",
        title="Delivered at the first attempt, and why not",
        title_zh="首次派送成功率",
        sql=statement("reports/first_attempt", "tracking", "excuse"),
        columns=[
            SLICE,
            count("tried", "Attempted", "首次派送", "waybill"),
            count("delivered", "Delivered by it", "首次成功", "waybill"),
            count("consignee", "Failed by the consignee", "收件人原因", "waybill"),
            count("carrier", "Failed by us", "我方原因", "waybill"),
            count("others", "Failed otherwise", "其他原因", "waybill"),
            *rate("success_rate", "success", "First-attempt success", "首次成功率", "Success"),
        ],
        key=("slice",),
        parameters=[by("all", "depot", "courier", "product", "region"),
                    days(90, "First attempt within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="slice", y="success_rate", title="First-attempt success", title_zh="首次成功率")],
        method="Denominator: shipments with a first attempt. Who answers for a failure is the scan's "
        f"responsible party, else that of its reason code. {INTERVAL}",
        source=f"{BRIEF} {WILSON}",
    )  # fmt: skip


def _completeness() -> Report:
    return Report(
        name="delivery.scan-completeness",
        title="Delivered with every scan that belongs to it",
        title_zh="扫描完整率",
        sql=statement("reports/scan_completeness", "tracking"),
        columns=[
            DEPOT,
            DELIVERED,
            count("complete", "Complete", "扫描完整", "waybill"),
            count("tardy", "Recorded an hour late", "延迟上传", "waybill"),
            count("anomalies", "Scans that could not follow", "异常扫描", "scan"),
            *rate("complete_rate", "complete", "Complete", "完整率", "Complete"),
        ],
        key=("depot",),
        parameters=[days(30, "Delivered within so many days; 0 takes all", "统计天数，0为全部")],
        charts=[Chart(kind="bar", x="depot", y="complete_rate", title="Complete", title_zh="完整率")],
        method="Denominator: shipments with a delivery scan. Complete is a collection, a departure for "
        f"delivery and the delivery, and beyond a city a hub. {INTERVAL}",
        source=f"{BRIEF} {WILSON}",
    )  # fmt: skip


def _card() -> Report:
    return Report(
        name="delivery.service-card",
        title="Service of each shipper against the contract",
        title_zh="客户服务卡",
        sql=statement("reports/service_card", "tracking", "excuse", "due"),
        columns=[
            CUSTOMER, day("month_on", "Month", "月份"), text("tier", "Price tier", "价格等级"),
            DUE, *gross(), *net(), number("target", "Contract", "合同目标"), flag("below", "Below contract", "未达标"),
            money("penalty", "Penalty", "违约金估算"),
        ],
        key=("customer_id", "month_on"),
        parameters=[months(3, "Months shown", "月数")],
        method="Net on-time rate of the promises that fell due in the month, below where it is under the "
        "contract, as contracts read. The penalty is an estimate: the contract's share of the month's "
        f"freight for each percentage point below it. {INTERVAL}",
        source=f"Delivery brief, section 8, rule D-R12. {WILSON}",
        notes="Where the contract lies within the limits, few shipments may have decided.",
    )  # fmt: skip


def _calls() -> Report:
    return Report(
        name="delivery.calls-in-time",
        title="Late shipments that we told of in time",
        title_zh="晚点预告及时率",
        sql=statement("reports/calls_in_time", "tracking", "excuse", "due"),
        columns=[
            SLICE, count("late", "Late", "晚点", "waybill"),
            count("told_in_time", "Told before the promise", "提前告知", "waybill"),
            count("told_too_late", "Told after it", "事后告知", "waybill"),
            *rate("told_share", "told", "Told in time", "及时率", "Told"),
        ],
        key=("slice",),
        parameters=[by("all", "region", "product"), days(30, "Fell due within so many days; 0 takes all", "统计天数，0为全部")],
        method="Shipments that broke their promise, and the first interaction late_pre_notice on each. "
        f"How well the scores are calibrated: crmkit score evaluate and crmkit score stability. {INTERVAL}",
        source=f"Delivery brief, section 8, rules D-R4 and D-R17. {WILSON}",
    )  # fmt: skip


def _suspicious() -> Report:
    return Report(
        name="delivery.suspicious-deliveries",
        title="Signed but not received? Suspicious deliveries",
        title_zh="可疑签收",
        sql=statement("reports/suspicious", "tracking", "pod"),
        columns=[
            *SHIPMENT,
            CUSTOMER, text("courier", "Courier", "快递员"), instant("delivered_at", "Delivered", "签收时间"),
            detail(flag("without_proof", "Without proof", "无凭证")), detail(number("metres", "From the address", "距地址", "m")),
            count("burst", "Within ten minutes", "十分钟签收数", "delivery"), text("reason", "Why", "原因"),
        ],
        key=("shipment_id",),
        order=("-metres",),
        parameters=[days(30, "Delivered within so many days", "统计天数"),
                    setting("metres", 500.0, "m", "Further from the address than", "距地址阈值"),
                    setting("burst", 40.0, "delivery", "More deliveries in ten minutes than", "十分钟签收阈值")],
        method="Distance from the address's coordinates on a sphere; the ten minutes end with the "
        "minute of the delivery.",
        source="Delivery brief, section 8, rule D-R8.",
    )  # fmt: skip
