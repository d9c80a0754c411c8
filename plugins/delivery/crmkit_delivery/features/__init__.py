"""Features of delivery: what is known of a waybill, a shipper and a subscription as of an instant."""

from __future__ import annotations

from crmkit.declarations import FeatureSet, Scope

from ..data import SUBSCRIPTION, WAYBILL
from ..sql import statement
from . import rounds, shippers, waybills


def feature_sets() -> list[FeatureSet]:
    """Every feature set."""
    return [
        FeatureSet(
            name="delivery.journey", subject=WAYBILL, sql=statement("features/journey", "tracking", "patience"),
            features=waybills.JOURNEY, source="Delivery brief, sections 2 and 8.",
        ),
        FeatureSet(
            name="delivery.care", subject=WAYBILL,
            sql=statement("features/care", "tracking", "excuse"), features=waybills.CARE,
            source="Delivery brief, section 8, rules D-R3 to D-R5, D-R7, D-R9 and D-R18.",
        ),
        FeatureSet(
            name="delivery.promise", subject=WAYBILL, sql=statement("features/promise"),
            features=waybills.PROMISE, source="Delivery brief, section 8, rule D-R6.",
        ),
        FeatureSet(
            name="delivery.silence", subject=WAYBILL, sql=statement("features/silence", "tracking", "legs"),
            features=waybills.SILENCE, scope=Scope.POPULATION,
            source="Delivery brief, section 8, rule D-R2.",
        ),
        FeatureSet(
            name="delivery.congestion", subject=WAYBILL,
            sql=statement("features/congestion", "tracking", "excuse", "due"),
            features=waybills.CONGESTION, scope=Scope.POPULATION,
            source="Delivery brief, section 8, rule D-R17.",
        ),
        FeatureSet(
            name="delivery.handover", subject=WAYBILL, sql=statement("features/suspicion", "tracking", "pod"),
            features=waybills.SUSPICION, scope=Scope.POPULATION,
            source="Delivery brief, section 8, rule D-R8.",
        ),
        FeatureSet(
            name="delivery.shipper", sql=statement("features/shipper"), features=shippers.SHIPPER,
            source="Delivery brief, section 8, rules D-R10 and D-R11.",
        ),
        FeatureSet(
            name="delivery.service", sql=statement("features/service_level", "tracking", "excuse", "due"),
            features=shippers.SERVICE, source="Delivery brief, section 8, rule D-R12.",
        ),
        FeatureSet(
            name="delivery.subscription", subject=SUBSCRIPTION, sql=statement("features/subscription"),
            features=rounds.SUBSCRIBER,
            source="Delivery brief, section 8, rules D-R13, D-R15 and D-R16.",
        ),
        FeatureSet(
            name="delivery.losses", subject=SUBSCRIPTION, sql=statement("features/losses", "cancellations", "served"),
            features=rounds.LOSSES, scope=Scope.POPULATION,
            source="Delivery brief, section 8, rule D-R14; E. B. Wilson 1927, JASA 22.",
        ),
    ]  # fmt: skip
