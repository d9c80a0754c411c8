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
    # A year of payments, and one day for the bill that a payment on the first day belongs to.
    "billing": (behaviour.BILLING, 366, Scope.SUBJECT),
    # Silence is counted in months, so usage is looked for further back than the trend needs.
    "usage": (behaviour.USAGE, 366, Scope.SUBJECT),
    "contacts": (behaviour.CONTACTS, 366, Scope.SUBJECT),
    "topup": (behaviour.TOPUP, 366, Scope.SUBJECT),
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
        )
        for name, (features, window, scope) in SETS.items()
    ]
