"""Points of the built-in ledger, as of any date: a plugin's own ledger has features of its own."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Feature, FeatureSet
from crmkit.entities import FieldType

INTEGER = FieldType.INTEGER


def feature_sets() -> list[FeatureSet]:
    """Sums over the entries of ``ledger.points``."""
    return [
        FeatureSet(
            name="ledger.points", source="crmkit, requirement V7",
            sql=resource_text(__package__, "sql/points.sql"),
            features=(
                Feature(
                    name="ledger.points_balance", type=INTEGER, unit="point", missing=0,
                    title="Points", title_zh="积分余额", phrase="has {value} points",
                    description="The sum of all entries, whatever their kind.",
                ),
                Feature(
                    name="ledger.points_earned_365d", type=INTEGER, unit="point", missing=0,
                    title="Points earned in 365 days", title_zh="近365天获得积分",
                    description="Entries of kind earn, adjustments left out.",
                ),
                Feature(
                    name="ledger.points_spent_365d", type=INTEGER, unit="point", missing=0,
                    title="Points spent in 365 days", title_zh="近365天消费积分",
                    description="Entries of kind burn, as a positive number.",
                ),
            ),
        )
    ]  # fmt: skip
