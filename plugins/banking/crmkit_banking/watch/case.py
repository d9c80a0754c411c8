"""The case that a watch rule opens: call back within the hour, then say what it was."""

from __future__ import annotations

from crmkit.declarations import CaseClock, CaseKind
from crmkit.entities import Lifecycle, Stage

STATES = Lifecycle(
    name="banking.watch",
    subject="service.case",
    title="Watch case",
    title_zh="关注事项",
    stages=(
        Stage("new", "open", "New", "新建"),
        Stage("called", "open", "Called", "已联系"),
        Stage("explained", "done", "Explained", "已解释"),
        Stage("false_alarm", "done", "False alarm", "误报"),
        Stage("confirmed", "done", "Confirmed", "已确认"),
        Stage("lost", "failed", "Lost", "已损失"),
    ),
    moves=[
        (here, there)
        for here in ("new", "called")
        for there in ("called", "explained", "false_alarm", "confirmed", "lost")
        if here != there
    ],
)
ENDS = ("explained", "false_alarm", "confirmed", "lost")
WATCH_CASE = CaseKind(
    name="banking.watch",
    title="Watch case",
    title_zh="关注事项",
    lifecycle="banking.watch",
    # Wall-clock time: a card that was stolen is used at night.
    clocks=(
        CaseClock(
            name="callback", title="Call back", title_zh="回电时限", targets={"": "1 h"},
            starts=("new",), stops=("called", *ENDS),
        ),
    ),
    severities=("S1", "S2"),
    severity="S2",
    severe=("S1", "S2"),
    verbs={"resolve": ("explained",)},
)  # fmt: skip
