"""Features of a subscription of a round."""

from __future__ import annotations

from crmkit.entities import FieldType

from .waybills import feature

T = FieldType

SUBSCRIBER = (
    feature("subscribed", T.BOOLEAN, "Still subscribed", "在订", missing=False,
            description="No cancellation was filed."),
    feature("round", T.TEXT, "Round", "路线",
            description="On which it is brought."),
    feature("subscribed_days", T.INTEGER, "Days since the start", "订阅天数", "day",
            description="Local days."),
    feature("missed_drops_30d", T.INTEGER, "Missed drops in 30 days", "三十天漏送", "drop", missing=0,
            description="By the drop book, without days of the pause, or by reports of the subscriber, "
            "whichever are more."),
    feature("paused_days", T.INTEGER, "Days of the pause", "已暂停天数", "day",
            description="Since the first day of the pause; negative before it."),
    feature("days_to_resume", T.INTEGER, "Days until it resumes", "距恢复天数", "day",
            description="Missing where no end is agreed; negative once it has passed."),
    feature("pause_extensions", T.INTEGER, "Extensions of the pause", "暂停延期次数", "1", missing=0,
            description="Of the pause that runs."),
    feature("uncalled_days", T.INTEGER, "Days since the hand-over without a call", "交接未回访天数", "day",
            description="Missing where it was called since, or never changed hands."),
    feature("bills_overlapping", T.INTEGER, "Bills for days that another bill covers", "重叠账单", "bill",
            missing=0, description="Pairs of bills whose periods overlap."),
    feature("unserved", T.BOOLEAN, "Without a round or courier on file", "路线或快递员无档", missing=False,
            description="The round or the courier is not on file, or the courier has left."),
)  # fmt: skip

LOSSES = (
    feature("lost_with_courier_days", T.INTEGER, "Days since it was lost with a courier", "随快递员流失天数",
            "day", description="Ended within 60 days of a hand-over; missing where it was not."),
    feature("served_by", T.TEXT, "Served by", "服务快递员",
            description="The courier with whom a loss counts: within 60 days of a hand-over the leaver."),
    feature("courier_lost_90d", T.INTEGER, "Lost by the courier in 90 days", "快递员九十天流失", "subscriber",
            missing=0,
            description="With losses after a hand-over counted with the leaver."),
    feature("courier_served_90d", T.INTEGER, "Served by the courier in 90 days", "快递员九十天订户",
            "subscriber", missing=0,
            description="Served at any time in the last 90 days."),
    feature("courier_loss_low", T.NUMBER, "Share lost by the courier, low", "快递员流失下限", "1",
            description="Wilson's 95 % interval."),
    feature("depot_loss_high", T.NUMBER, "Share lost by the depot's others, high", "网点其他流失上限", "1",
            description="Wilson's 95 % interval; of all others where the depot has none."),
)  # fmt: skip
