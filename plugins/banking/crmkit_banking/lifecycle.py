"""The way of a bank's customer, mapped onto the five kinds of stage, and who ought to be where."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Lifecycle
from crmkit.entities import Stage

STAGES = (
    Stage("prospect", "prospect", "Prospect", "潜在客户"),
    Stage("new", "development", "New", "新开户"),
    Stage("growing", "growth", "Growing", "成长"),
    Stage("main-bank", "maturity", "Main bank", "主办行客户"),
    Stage("established", "maturity", "Established", "成熟"),
    # Still customers, so of the kind maturity: the alarm is the stage itself.
    Stage("about-to-close", "maturity", "About to close", "临近销户"),
    Stage("dormant", "maturity", "Dormant", "睡眠户"),
    Stage("left", "termination", "Left", "流失"),
)

SERVED = ("new", "growing", "main-bank", "established", "about-to-close", "dormant")

MOVES = frozenset(
    {
        # An account that another system has kept for long arrives with its history.
        *(("prospect", stage) for stage in (*SERVED, "left")),
        *((a, b) for a in SERVED for b in SERVED if a != b and b != "new"),
        *((stage, "left") for stage in SERVED),
        *(("left", stage) for stage in ("new", "growing", "main-bank", "established")),
    }
)

RELATION = Lifecycle(
    name="banking.relation",
    title="Bank customer",
    title_zh="银行客户生命周期",
    stages=STAGES,
    moves=MOVES,
    propose=resource_text(__package__, "lifecycle.sql"),
)
