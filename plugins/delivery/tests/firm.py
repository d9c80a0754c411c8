"""A courier firm of one waybill in a small world, and whether a rule fires on it.

The as-of instant is 2026-04-01 00:00 UTC, the end of 31 March; hours count back from it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crmkit.declarations import sql_name
from crmkit.testing.small import AS_OF, AS_OF_ON
from crmkit_delivery import register_features
from crmkit_delivery.rules import RULES

SETS = register_features()
BY_NAME = {rule.name.removeprefix("delivery."): rule for rule in RULES}
SCORES = (
    "score_delivery_late", "score_delivery_late_in_transit", "score_delivery_late_at_order",
)  # fmt: skip
ENVELOPE = ("channel", "direction")


def ago(hours: float) -> datetime:
    """So many hours before the as-of instant."""
    return AS_OF - timedelta(minutes=round(hours * 60))


class Firm:
    """One waybill, number 1, of customer 1, in a small world."""

    def __init__(self, world: Any) -> None:
        self.world, self.scans = world, 0

    def waybill(self, **values: Any) -> Firm:
        self.world.add(
            "delivery_waybill", id=1, ordered_at=ago(100), lane="A-B", scope="inter_city", **values
        )
        return self

    def scan(self, hours: float, status: str, **values: Any) -> Firm:
        self.scans += 1
        at = ago(hours)
        self.world.add(
            "delivery_scan", id=100 + self.scans, owner_id=1, event_at=at, sequence=self.scans,
            status=status, days_before=(AS_OF_ON - at.date()).days, **values,
        )  # fmt: skip
        return self

    def told(self, kind: str, hours: float, **values: Any) -> Firm:
        at = ago(hours)
        for table in (f"delivery_{kind}", "interaction"):
            more = {k: v for k, v in values.items() if table != "interaction" or k in ENVELOPE}
            self.world.add(
                table, occurred_on=at.date(), occurred_at=at, record_id=1,
                record_type="delivery.waybill", **more,
            )  # fmt: skip
        return self

    def fires(self, name: str, **scores: float) -> bool:
        """Whether the rule holds for subject 1."""
        rule = BY_NAME[name]
        values: dict[str, Any] = dict.fromkeys(SCORES)
        for found in SETS:
            # Only what the rule reads: the others tell it nothing.
            names = {sql_name(f.name) for f in found.features}
            if found.subject != rule.subject or not any(name in rule.when for name in names):
                continue
            values.update({sql_name(f.name): f.missing for f in found.features})
            rows = {r.pop("subject_id"): r for r in self.world.query(found.sql)}
            values.update(rows.get(1, {}))
        values.update(scores)
        values.pop("as_of", None)
        listed = ", ".join(f"${name} AS {name}" for name in values)
        (row,) = self.world.query(
            f"SELECT coalesce({rule.when}, false) AS held FROM (SELECT {listed})", values
        )
        return bool(row["held"])
