"""Contribution of a year, as of any date."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Feature, FeatureSet
from crmkit.entities import FieldType


def _money(name: str, title: str, title_zh: str, description: str) -> Feature:
    return Feature(
        name=f"value.{name}", type=FieldType.MONEY, unit="money", title=title, title_zh=title_zh,
        description=description,
    )  # fmt: skip


def feature_sets() -> list[FeatureSet]:
    """Everybody has a value, 0 without purchases and costs."""
    return [
        FeatureSet(
            name="value.contribution",
            sql=resource_text(__package__, "sql/contribution.sql"),
            window_days=365,
            source="R. S. Kaplan and S. R. Anderson 2004, Time-Driven Activity-Based Costing, Harvard "
            "Business Review 82(11)",
            features=(
                _money(
                    "revenue_365d_minor", "Revenue in 365 days", "近365天收入",
                    "Purchases less refunds; missing where they are in more than one currency.",
                ),
                _money(
                    "own_cost_365d_minor", "Own cost in 365 days", "近365天服务成本",
                    "Of the customer's interactions, by the cost drivers.",
                ),
                _money(
                    "contribution_365d_minor", "Contribution in 365 days", "近365天贡献",
                    "Revenue less own cost.",
                ),
            ),
        )
    ]  # fmt: skip
