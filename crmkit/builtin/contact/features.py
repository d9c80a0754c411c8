"""What customers consent to, as of any date: for rules and reports that draw up calls."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Feature, FeatureSet
from crmkit.entities import FieldType


def feature_sets() -> list[FeatureSet]:
    """The state of the ledger for calls with offers."""
    return [
        FeatureSet(
            name="contact.consent", source="crmkit, requirement S5",
            sql=resource_text(__package__, "sql/consent.sql"),
            features=(
                Feature(
                    name="contact.marketing_by_phone", type=FieldType.TEXT, missing="unknown",
                    title="Calls with offers", title_zh="营销外呼同意",
                    description="given, withdrawn or unknown, by the consent ledger. Whether a call "
                    "is allowed is the policy's to say, which every list asks; of merged customers "
                    "it holds each side's withdrawals.",
                ),
            ),
        )
    ]  # fmt: skip
