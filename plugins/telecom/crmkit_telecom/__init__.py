"""Telecom: subscriptions, bills, usage, churn and retention.

This module holds the hook implementations only; each delegates to the module of its subject, which
is imported when the hook is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.declarations import (
        CostDriver,
        CustomerFields,
        Demo,
        FeatureSet,
        ImportProfile,
        InteractionKind,
        Lifecycle,
        RecordType,
        Report,
        Rule,
        Score,
        Segment,
    )
    from crmkit.entities import ContactBatch, ContactBlock
    from crmkit.workspace import Crm


@hookimpl
def register_customer_fields() -> CustomerFields:
    """What telecom knows of every customer."""
    from .data import customer_fields

    return customer_fields()


@hookimpl
def register_record_types() -> list[RecordType]:
    """Subscriptions, plans, contracts and devices."""
    from .data import record_types

    return record_types()


@hookimpl
def register_interaction_kinds() -> list[InteractionKind]:
    """Bills, payments, usage, service, network and contract events."""
    from .data import interaction_kinds

    return interaction_kinds()


@hookimpl
def register_profiles() -> list[ImportProfile]:
    """The IBM sample files and the generator's files."""
    from .profiles import profiles

    return profiles()


@hookimpl
def register_lifecycles() -> list[Lifecycle]:
    """The way of a subscriber."""
    from .lifecycle import SUBSCRIBER

    return [SUBSCRIBER]


@hookimpl
def register_features() -> list[FeatureSet]:
    """What is known of a customer as of an instant."""
    from .features import feature_sets

    return feature_sets()


@hookimpl
def register_scores() -> list[Score]:
    """Who will leave."""
    from .scores import scores

    return scores()


@hookimpl
def register_rules() -> list[Rule]:
    """What to do when."""
    from .rules import RULES

    return list(RULES)


@hookimpl
def register_segments() -> list[Segment]:
    """Usage, value and price groups."""
    from .segments import SEGMENTS

    return list(SEGMENTS)


@hookimpl
def register_cost_drivers() -> list[CostDriver]:
    """What serving subscribers costs."""
    from .costs import COST_DRIVERS

    return list(COST_DRIVERS)


@hookimpl
def register_reports() -> list[Report]:
    """Churn, retention, key accounts, usage, network."""
    from .reports import reports

    return reports()


@hookimpl
def block_contacts(crm: Crm, batch: ContactBatch) -> Sequence[ContactBlock]:
    """No selling for 14 days after trouble with the network."""
    from .blocks import network_trouble

    return network_trouble(crm, batch)


@hookimpl
def register_demos() -> list[Demo]:
    """An operator with a known cause behind every leaver."""
    from .demo import DEMO

    return [DEMO]
