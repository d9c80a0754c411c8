"""The way of a subscriber, mapped onto the five kinds of stage, and who ought to be where."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Lifecycle
from crmkit.entities import Stage

STAGES = (
    Stage("prospect", "prospect", "Prospect", "潜在客户"),
    Stage("activated", "development", "Activated", "新入网"),
    Stage("growing", "growth", "Growing", "成长"),
    Stage("established", "maturity", "Established", "成熟"),
    # Still customers, so of the kind maturity: the alarm is the stage itself.
    Stage("at-risk", "maturity", "At risk", "预警"),
    Stage("dormant", "maturity", "Dormant", "沉默"),
    Stage("left", "termination", "Left", "离网"),
    Stage("won-back", "development", "Won back", "赢回"),
)

SERVED = ("activated", "growing", "established", "at-risk", "dormant")

MOVES = frozenset(
    {
        ("prospect", "activated"),
        # A line that another system has served for long arrives with its tenure.
        ("prospect", "growing"),
        ("prospect", "established"),
        ("prospect", "left"),
        ("activated", "growing"),
        ("activated", "established"),
        ("growing", "established"),
        ("at-risk", "activated"),
        ("at-risk", "growing"),
        ("at-risk", "established"),
        ("at-risk", "dormant"),
        ("dormant", "at-risk"),
        ("dormant", "activated"),
        ("dormant", "growing"),
        ("dormant", "established"),
        *((stage, "at-risk") for stage in ("activated", "growing", "established")),
        *((stage, "dormant") for stage in ("activated", "growing", "established")),
        *((stage, "left") for stage in SERVED),
        ("left", "won-back"),
        *(
            ("won-back", stage)
            for stage in ("growing", "established", "at-risk", "dormant", "left")
        ),
    }
)

SUBSCRIBER = Lifecycle(
    name="telecom.subscriber",
    title="Subscriber",
    title_zh="用户生命周期",
    stages=STAGES,
    moves=MOVES,
    propose=resource_text(__package__, "lifecycle.sql"),
)
