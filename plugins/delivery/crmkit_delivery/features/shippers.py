"""Features of a customer who ships."""

from __future__ import annotations

from crmkit.entities import FieldType

from .waybills import feature

T = FieldType

SHIPPER = (
    feature("volume_week", T.INTEGER, "Waybills in a week", "周件量", "waybill", missing=0,
            description="Ordered in the last seven days."),
    feature("volume_4w", T.INTEGER, "Waybills in four weeks", "四周件量", "waybill", missing=0,
            description="Ordered in the last 28 days."),
    feature("volume_expected_4w", T.NUMBER, "Waybills expected in four weeks", "四周应有件量", "waybill",
            description="A third of the twelve weeks before.", missing=0),
    feature("volume_limit_4w", T.NUMBER, "Lower limit of four weeks", "四周件量下限", "waybill",
            description="Three standard deviations of a Poisson count below what is expected; negative "
            "where nine or fewer are expected, which is too few for an alarm.",
            missing=0),
    feature("lanes_gone", T.INTEGER, "Lanes no longer used", "停用线路", "lane", missing=0,
            description="Used every week on average in the twelve weeks before, and not once in four."),
    feature("lane_gone", T.TEXT, "Lane no longer used", "停用线路名",
            description="The first of them by its code."),
    feature("complaints_30d", T.INTEGER, "Complaints in 30 days", "三十天投诉", "complaint", missing=0,
            description="Of any topic."),
    feature("days_overdue", T.INTEGER, "Days overdue", "逾期天数", "day",
            description="Of the account furthest overdue."),
    feature("receivable", T.MONEY, "Receivable", "应收账款", "money",
            description="Over the shipper's accounts."),
    feature("credit_limit", T.MONEY, "Credit limit", "信用额度", "money",
            description="Over the shipper's accounts."),
)  # fmt: skip

SERVICE = (
    feature("sla_target", T.NUMBER, "On-time target", "准时率目标", "1",
            description="The highest of the shipper's accounts."),
    feature("on_time_last_month", T.NUMBER, "On time last month", "上月准时率", "1",
            description="Net, of the promises that fell due in the last whole month."),
    feature("on_time_month_before", T.NUMBER, "On time the month before", "上上月准时率", "1",
            description="Net, of the promises that fell due in the whole month before it."),
    feature("months_below_sla", T.INTEGER, "Months running below the target", "连续未达标月数", "month",
            missing=0,
            description="Of the last two whole months: 1 or 2 in a row up to the last."),
)  # fmt: skip
