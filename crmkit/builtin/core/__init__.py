"""Core: what no industry owns. Contacts, complaints and orders, the five stages, and their reports."""

from __future__ import annotations

from collections.abc import Sequence

from crmkit import hookimpl
from crmkit.declarations import (
    CustomerFields,
    FeatureSet,
    InteractionKind,
    MatchKey,
    MergeChoice,
    MergeConflict,
    Migration,
    Report,
)
from crmkit.entities import Lifecycle

from . import features, kinds, lifecycle, person, reports


@hookimpl
def register_customer_fields() -> CustomerFields:
    """Name in parts, birth date, identity number, postal address."""
    return person.customer_fields()


@hookimpl
def register_match_keys() -> list[MatchKey]:
    """Names, birth date, identity number, contact points and address."""
    return person.match_keys()


@hookimpl
def register_migrations() -> list[Migration]:
    """Consent has left the customer's fields for the ledger of the plugin ``contact``."""
    return [person.CONSENT_LEAVES]


@hookimpl
def choose_merged_values(conflicts: Sequence[MergeConflict]) -> list[MergeChoice]:
    """A name written out over its initial."""
    return person.merged_names(conflicts)


@hookimpl
def register_interaction_kinds() -> list[InteractionKind]:
    """Notes, calls, e-mails, messages, visits, complaints, enquiries, orders and refunds."""
    return kinds.interaction_kinds()


@hookimpl
def register_lifecycles() -> list[Lifecycle]:
    """``core.customer`` with the five stages."""
    return [lifecycle.CUSTOMER]


@hookimpl
def register_features() -> list[FeatureSet]:
    """Recency, frequency, value and complaints, whichever plugin logged them."""
    return features.feature_sets()


@hookimpl
def register_reports() -> list[Report]:
    """Funnel, stage durations, cohort retention and the list of customers."""
    return reports.reports()
