"""Hotel: guests, stays, preferences, arrivals, privacy, recognition and loyalty.

This module holds the hook implementations only; each delegates to the module of its subject, which
is imported when the hook is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.declarations import (
        Batch,
        Command,
        CostDriver,
        CustomerFields,
        Demo,
        FeatureSet,
        ImportProfile,
        InteractionKind,
        Ledger,
        Lifecycle,
        MatchKey,
        MergeChoice,
        MergeConflict,
        Migration,
        Panel,
        PrivacyGuard,
        RecordType,
        Report,
        RowFault,
        Rule,
        Score,
        TierScheme,
    )
    from crmkit.entities import ContactBatch, ContactBlock
    from crmkit.workspace import Crm


@hookimpl
def register_customer_fields() -> CustomerFields:
    """The guest profile."""
    from .data import customer_fields

    return customer_fields()


@hookimpl
def register_migrations() -> list[Migration]:
    """What changed in the tables."""
    from .data import CONSENT_LEAVES

    return [CONSENT_LEAVES]


@hookimpl
def register_record_types() -> list[RecordType]:
    """Properties, rooms, reservations, stays, preferences and what is prepared."""
    from .data import record_types

    return record_types()


@hookimpl
def register_interaction_kinds() -> list[InteractionKind]:
    """What happens at the touchpoints of a house."""
    from .data import interaction_kinds

    return interaction_kinds()


@hookimpl
def register_match_keys() -> list[MatchKey]:
    """Loyalty number, passport and birth date."""
    from .data import match_keys

    return match_keys()


@hookimpl
def register_lifecycles() -> list[Lifecycle]:
    """The way of a guest."""
    from .lifecycle import GUEST

    return [GUEST]


@hookimpl
def register_profiles() -> list[ImportProfile]:
    """The public bookings file, OPERA-like exports and the generator's files."""
    from .profiles import profiles

    return profiles()


@hookimpl
def check_rows(batch: Batch) -> Sequence[RowFault]:
    """Codes and values of preferences that the catalogue does not know."""
    from .checks import preference_faults

    return list(preference_faults(batch))


@hookimpl
def register_features() -> list[FeatureSet]:
    """What is known of a guest or a booking as of an instant."""
    from .features import feature_sets

    return feature_sets()


@hookimpl
def register_scores() -> list[Score]:
    """Which bookings will not be kept, and who comes again."""
    from .scores import scores

    return scores()


@hookimpl
def register_privacy_guards() -> list[PrivacyGuard]:
    """Guests whose room or presence is kept secret, and what is known of their health."""
    from .privacy import CARE, PRESENCE

    return [PRESENCE, CARE]


@hookimpl
def register_commands() -> list[Command]:
    """The verbs of ``guest``, ``loyalty``, ``preference`` and ``preparation``."""
    from . import guest, loyalty, preparation, retention
    from .preference import commands

    return [
        *guest.commands(),
        *retention.commands(),
        *commands.commands(),
        *preparation.commands(),
        *loyalty.commands(),
    ]


@hookimpl
def register_cost_drivers() -> list[CostDriver]:
    """What serving guests costs."""
    from .costs import COST_DRIVERS

    return list(COST_DRIVERS)


@hookimpl
def register_reports() -> list[Report]:
    """Arrivals, fulfilment, repeat guests, value, channels, recovery, loyalty."""
    from .reports import reports

    return reports()


@hookimpl
def register_rules() -> list[Rule]:
    """What to do when: H-R1 to H-R16."""
    from .rules import RULES

    return list(RULES)


@hookimpl
def register_ledgers() -> list[Ledger]:
    """Points of the club."""
    from .loyalty import LEDGER

    return [LEDGER]


@hookimpl
def register_tier_schemes() -> list[TierScheme]:
    """Tiers of the club."""
    from .loyalty import SCHEME

    return [SCHEME]


@hookimpl
def register_demos() -> list[Demo]:
    """A chain whose guests have true preferences."""
    from .demo import DEMO

    return [DEMO]


@hookimpl
def register_panels() -> list[Panel]:
    """Bookings and likes."""
    from .panels import panels

    return panels()


@hookimpl
def choose_merged_values(conflicts: Sequence[MergeConflict]) -> Sequence[MergeChoice]:
    """The stricter privacy level and the higher VIP level."""
    from .merging import merged_values

    return merged_values(conflicts)


@hookimpl
def block_contacts(crm: Crm, batch: ContactBatch) -> Sequence[ContactBlock]:
    """No offers while a complaint is open."""
    from .blocks import complained

    return complained(crm, batch)
