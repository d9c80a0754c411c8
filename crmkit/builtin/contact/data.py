"""What the contact policy keeps: consents, places in the customer's calendar, blocks and purposes."""

from __future__ import annotations

from crmkit import resource_json
from crmkit.declarations import RecordType

from . import earlier

# Also the source under which the policy files its own records.
SOURCE = "crmkit"
CONSENT, SLOT, BLOCK, PURPOSE = (
    "contact.consent", "contact.slot", "contact.block", "contact.purpose",
)  # fmt: skip


def record_types() -> list[RecordType]:
    """The four record types of the plugin."""
    return [
        RecordType(
            name=CONSENT, schema=resource_json(__package__, "schemas/consent.json"),
            title="Consent", title_zh="联系同意", append_only=True, takes_over=earlier.consents,
        ),
        RecordType(
            name=SLOT, schema=resource_json(__package__, "schemas/slot.json"),
            title="Counted contact", title_zh="计次联系",
        ),
        RecordType(
            name=BLOCK, schema=resource_json(__package__, "schemas/block.json"),
            title="Contact block", title_zh="停止联系", takes_over=earlier.blocks,
        ),
        RecordType(
            name=PURPOSE, schema=resource_json(__package__, "schemas/purpose.json"), owner=None,
            title="Contact purpose", title_zh="联系目的",
        ),
    ]  # fmt: skip
