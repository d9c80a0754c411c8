"""Features of a subscription of a round."""

from __future__ import annotations

from crmkit.entities import FieldType

from .waybills import feature

T = FieldType

SUBSCRIBER = (
    feature("subscribed", T.BOOLEAN, "Still subscribed", "在订", missing=False),
    feature("round", T.TEXT, "Round", "路线"),
    feature("subscribed_days", T.INTEGER, "Days since the start", "订阅天数", "day"),
    feature("missed_drops_30d", T.INTEGER, "Missed drops in 30 days", "三十天漏送", "drop", missing=0),
    feature("paused_days", T.INTEGER, "Days of the pause", "已暂停天数", "day"),
    feature("days_to_resume", T.INTEGER, "Days until it resumes", "距恢复天数", "day"),
    feature("pause_extensions", T.INTEGER, "Extensions of the pause", "暂停延期次数", "1", missing=0),
    feature("uncalled_days", T.INTEGER, "Days since the hand-over without a call", "交接未回访天数", "day"),
)  # fmt: skip
