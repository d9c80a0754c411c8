"""What serving customers costs."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import in_

COST_PER = ("interaction", "quantity", "amount")


@frozen(kw_only=True)
class CostDriver:
    """What an interaction of a kind costs us: one line of activity-based costing.

    Every driver is a part of the table ``activity_cost`` of analysis SQL; several may stand on one
    kind and add up. Operators may set another cost in their workspace, see ``crmkit value set-cost``.

    Args:
        name: ``telecom.hotline``.
        kind: interaction kind that causes the cost, as ``core.call``.
        channel: only interactions by this channel; None is any.
        per: ``interaction`` (each costs the same), ``quantity`` (by the number in the payload's
            ``field``, as minutes) or ``amount`` (a share of the interaction's amount, as a fee).
        field: the payload's number, with per ``quantity``.
        cost: decimal text: for one interaction or one unit of the field in the workspace's currency,
            or the share of the amount (``0.02``). None is not known until an operator sets it.
        source: where the figure comes from.
    """

    name: str
    kind: str
    channel: str | None = None
    per: str = field(default="interaction", validator=in_(COST_PER))
    field: str = ""
    cost: str | None = None
    title: str = ""
    title_zh: str = ""
    source: str = ""
