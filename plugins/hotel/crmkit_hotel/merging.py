"""Which of two values stays when two profiles turn out to be one guest (H5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crmkit.declarations import MergeChoice, MergeConflict

from .privacy import LEVELS

VIP = ("none", "5", "4", "3", "2", "1")


def merged_values(conflicts: Sequence[MergeConflict]) -> list[MergeChoice]:
    """The stricter privacy level and the higher VIP level stay, whichever profile had them."""
    orders: dict[str, Sequence[Any]] = {"privacy_level": LEVELS, "vip_level": VIP}
    return [
        MergeChoice(conflict=place, survivor="merged")
        for place, c in enumerate(conflicts)
        if c.entity == "hotel.customer"
        and c.field in orders
        and orders[c.field].index(c.merged) > orders[c.field].index(c.kept)
    ]
