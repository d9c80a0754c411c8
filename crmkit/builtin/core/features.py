"""Recency, frequency, value and complaints, over the interactions of all plugins.

Which interactions are purchases is read from the last part of their kind, so that a plugin's own
``order``, ``sale``, ``purchase``, ``bill`` or ``invoice`` counts without core knowing the industry; a
``refund`` lowers the revenue. Payments are left out, for they settle what was charged already.
"""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Feature, FeatureSet
from crmkit.entities import FieldType

INTEGER = FieldType.INTEGER


def feature_sets() -> list[FeatureSet]:
    """Contacts within a year, purchases over all time, and documents."""
    return [
        FeatureSet(
            name="core.contacts",
            source="crmkit, requirements L3 and L4",
            sql=resource_text(__package__, "sql/contacts.sql"),
            window_days=1095,
            features=CONTACTS,
        ),
        FeatureSet(
            name="core.purchases",
            source="crmkit, requirements L3 and V1",
            sql=resource_text(__package__, "sql/purchases.sql"),
            features=PURCHASES,
        ),
        FeatureSet(
            name="core.documents",
            source="crmkit, requirement C10",
            sql=resource_text(__package__, "sql/documents.sql"),
            features=DOCUMENTS,
        ),
    ]


CONTACTS = (
    Feature(
        name="core.days_since_last_interaction", type=INTEGER, unit="day",
        title="Days since last interaction", title_zh="距上次互动天数",
        description="Of any kind and direction; missing where there was none in three years.",
        phrase="no interaction for {value} days",
    ),
    Feature(
        name="core.interactions_90d", type=INTEGER, unit="1", missing=0,
        title="Interactions in 90 days", title_zh="近90天互动次数",
        description="Of any kind and direction.",
    ),
    Feature(
        name="core.contacts_90d", type=INTEGER, unit="1", missing=0,
        title="Times the customer got in touch in 90 days", title_zh="近90天客户主动联系次数",
        description="Interactions with direction in.",
        phrase="got in touch {value} times in 90 days",
    ),
    Feature(
        name="core.complaints_90d", type=INTEGER, unit="1", missing=0,
        title="Complaints in 90 days", title_zh="近90天投诉次数",
        description="Kinds whose name ends in complaint, of any plugin.",
        phrase="complained {value} times in 90 days",
    ),
    Feature(
        name="core.interaction_trend", type=FieldType.NUMBER, unit="1",
        title="Interactions of 90 days against the 90 before", title_zh="互动频次变化",
        description="An early sign of termination (L4); missing where there was none before.",
        phrase="interactions are {value} times those of the 90 days before",
    ),
)  # fmt: skip

PURCHASES = (
    Feature(
        name="core.purchases_365d", type=INTEGER, unit="1", missing=0,
        title="Purchases in 365 days", title_zh="近365天购买次数",
        description="Frequency: purchases of any plugin, refunds not counted.",
    ),
    Feature(
        name="core.days_since_last_purchase", type=INTEGER, unit="day",
        title="Days since last purchase", title_zh="距上次购买天数",
        phrase="no purchase for {value} days",
        description="Recency: since the latest purchase of any plugin, refunds left out.",
    ),
    Feature(
        name="core.days_since_first_purchase", type=INTEGER, unit="day",
        title="Days since first purchase", title_zh="首次购买至今天数",
        description="Since the earliest purchase of all time, of any plugin.",
    ),
    Feature(
        name="core.revenue_365d_minor", type=FieldType.MONEY, unit="money", missing=0,
        title="Revenue in 365 days", title_zh="近365天收入",
        description="Purchases less refunds; missing where they are in more than one currency.",
    ),
)  # fmt: skip

DOCUMENTS = (
    Feature(
        name="core.days_to_document_expiry", type=INTEGER, unit="day",
        title="Days to the next expiry of a document", title_zh="距下次文件到期天数",
        description="Of documents that still hold, 0 on their last day; missing where none ends.",
        phrase="a document expires in {value} days",
    ),
    Feature(
        name="core.expired_documents", type=INTEGER, unit="1", missing=0,
        title="Documents that have expired", title_zh="已过期文件数",
        description="Those not removed, past their last day.",
        phrase="{value} documents have expired",
    ),
)  # fmt: skip
