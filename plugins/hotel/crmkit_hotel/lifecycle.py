"""The way of a guest, mapped onto the five kinds of stage, and who ought to be where."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Lifecycle
from crmkit.entities import Stage

from .visits import with_visits

STAGES = (
    Stage("prospect", "prospect", "Prospect", "潜在客人"),
    Stage("first-time", "development", "First-time guest", "首次入住"),
    Stage("returning", "growth", "Returning guest", "再次入住"),
    Stage("regular", "maturity", "Regular", "常客"),
    Stage("vip", "maturity", "VIP", "贵宾"),
    Stage("lapsed", "termination", "Lapsed", "流失"),
)
HERE = ("first-time", "returning", "regular", "vip")

GUEST = Lifecycle(
    name="hotel.guest",
    title="Guest",
    title_zh="客人生命周期",
    stages=STAGES,
    moves=frozenset(
        {
            *(("prospect", stage) for stage in (*HERE, "lapsed")),
            *((here, there) for here in HERE for there in (*HERE, "lapsed") if here != there),
            # Who comes back after years is greeted as who they are and not as a new guest.
            *(("lapsed", stage) for stage in HERE),
        }
    ),
    propose=with_visits(resource_text(__package__, "lifecycle.sql")),
)
