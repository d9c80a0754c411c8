"""Ledgers and tiers: balances that change by entries only, and who stands in which tier (V7)."""

from __future__ import annotations

from crmkit import hookimpl
from crmkit.declarations import (
    Command,
    FeatureSet,
    InteractionKind,
    Ledger,
    Panel,
    RecordType,
    Report,
    Service,
    TierScheme,
)

from . import accounts, commands, features, panels, records, reports, tiers


@hookimpl
def register_record_types() -> list[RecordType]:
    """Accounts, their entries, and standings in tier schemes."""
    return records.record_types()


@hookimpl
def register_interaction_kinds() -> list[InteractionKind]:
    """Changes of tier."""
    return records.interaction_kinds()


@hookimpl
def register_ledgers() -> list[Ledger]:
    """Points, for who declares no ledger of their own."""
    return records.ledgers()


@hookimpl
def register_tier_schemes() -> list[TierScheme]:
    """Membership by points."""
    return records.tier_schemes()


@hookimpl
def register_services() -> list[Service]:
    """``ledger.accounts`` and ``ledger.tiers``."""
    return [
        Service(name="ledger.accounts", make=accounts.Accounts, title="Post to ledgers"),
        Service(name="ledger.tiers", make=tiers.Tiers, title="Review tier schemes"),
    ]


@hookimpl
def register_features() -> list[FeatureSet]:
    """Points that are earned, spent and left."""
    return features.feature_sets()


@hookimpl
def register_reports() -> list[Report]:
    """What is owed in each ledger, and how tiers move."""
    return reports.reports()


@hookimpl
def register_panels() -> list[Panel]:
    """Tiers and balances."""
    return panels.panels()


@hookimpl
def register_commands() -> list[Command]:
    """The verbs of ``ledger`` and ``tier``."""
    return commands.commands()
