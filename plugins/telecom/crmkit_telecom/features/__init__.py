"""Features: what is known of a customer as of an instant, one SQL statement a set."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Feature, FeatureSet, Scope

from . import behaviour, holdings

# name: (features, oldest day that the statement needs, None for all, scope)
SETS: dict[str, tuple[tuple[Feature, ...], int | None, Scope]] = {
    "customer": (holdings.CUSTOMER, None, Scope.SUBJECT),
    "subscription": (holdings.SUBSCRIPTION, None, Scope.SUBJECT),
    "device": (holdings.DEVICE, None, Scope.SUBJECT),
    "departure": (holdings.DEPARTURE, None, Scope.SUBJECT),
    # The score trains on dates from which the longest of its windows is full, so these are no longer
    # than their statements need: six bills of up to 31 days and some days for late ones.
    "billing": (behaviour.BILLING, 200, Scope.SUBJECT),
    "payments": (behaviour.PAYMENTS, 365, Scope.SUBJECT),
    # The trend needs four months; silence is told up to six.
    "usage": (behaviour.USAGE, 190, Scope.SUBJECT),
    "contacts": (behaviour.CONTACTS, 190, Scope.SUBJECT),
    "topup": (behaviour.TOPUP, 190, Scope.SUBJECT),
    "neighbourhood": (behaviour.NEIGHBOURHOOD, 120, Scope.POPULATION),
}


def feature_sets() -> list[FeatureSet]:
    """Every feature set with its SQL."""
    return [
        FeatureSet(
            name=f"telecom.{name}",
            sql=resource_text(__package__, f"{name}.sql"),
            features=features,
            window_days=window,
            scope=scope,
            source="Telecom brief, section 8",
        )
        for name, (features, window, scope) in SETS.items()
    ]
