"""Delivery: waybills, scans, promises, claims, shippers and subscription rounds.

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
        CaseKind,
        Command,
        CostDriver,
        CustomerFields,
        Demo,
        FeatureSet,
        Firing,
        ImportProfile,
        InteractionKind,
        Ledger,
        Lifecycle,
        MatchKey,
        Panel,
        RecordType,
        Report,
        RowFault,
        Rule,
        Score,
        Segment,
        Served,
    )
    from crmkit.store.store import Store, Tx


@hookimpl
def register_customer_fields() -> CustomerFields:
    """What delivery knows of every customer."""
    from .data import customer_fields

    return customer_fields()


@hookimpl
def register_record_types() -> list[RecordType]:
    """Waybills with what belongs to them, subscriptions, and the network."""
    from .data import record_types

    return record_types()


@hookimpl
def register_interaction_kinds() -> list[InteractionKind]:
    """What happens between the company and its customers."""
    from .data import interaction_kinds

    return interaction_kinds()


@hookimpl
def register_match_keys() -> list[MatchKey]:
    """The account key."""
    from .data import match_keys

    return match_keys()


@hookimpl
def register_lifecycles() -> list[Lifecycle]:
    """The status machine of shipments, and the states of claims."""
    from .claims import LIFECYCLE
    from .lifecycle import shipment

    return [shipment(), LIFECYCLE]


@hookimpl
def register_profiles() -> list[ImportProfile]:
    """Files of Olist, of the company itself, and EPCIS events."""
    from .profiles import profiles

    return profiles()


@hookimpl
def check_rows(batch: Batch) -> Sequence[RowFault]:
    """Postal numbers with a wrong check digit."""
    from .checks import misread_numbers

    return list(misread_numbers(batch))


@hookimpl
def register_features() -> list[FeatureSet]:
    """What is known of waybills, shippers and subscribers as of an instant."""
    from .features import feature_sets

    return feature_sets()


@hookimpl
def register_scores() -> list[Score]:
    """Which shipments will be late."""
    from .scores import scores

    return scores()


@hookimpl
def register_reports() -> list[Report]:
    """Ills, service, money, claims, shippers and rounds."""
    from .reports import reports

    return reports()


@hookimpl
def register_commands() -> list[Command]:
    """The verbs of waybill, claim and round."""
    from .commands import commands

    return commands()


@hookimpl
def register_rules() -> list[Rule]:
    """What to do when."""
    from .rules import RULES

    return list(RULES)


@hookimpl
def serve_firings(firings: Sequence[Firing], store: Store, tx: Tx) -> list[Served]:
    """Holds invoice lines whose price is unclear."""
    from .prices import hold

    return hold(firings, store, tx)


@hookimpl
def register_segments() -> list[Segment]:
    """Groups of shippers to look after."""
    from .segments import SEGMENTS

    return list(SEGMENTS)


@hookimpl
def register_cost_drivers() -> list[CostDriver]:
    """What serving shippers and subscribers costs."""
    from .costs import COST_DRIVERS

    return list(COST_DRIVERS)


@hookimpl
def register_panels() -> list[Panel]:
    """What a caller asks about: shipments on their way, claims, subscriptions and the account."""
    from .panels import panels

    return panels()


@hookimpl
def register_case_kinds() -> list[CaseKind]:
    """Claims."""
    from .claims import CASE_KIND

    return [CASE_KIND]


@hookimpl
def register_ledgers() -> list[Ledger]:
    """Settlements of claims and credits."""
    from .claims import SETTLEMENT

    return [SETTLEMENT]


@hookimpl
def register_demos() -> list[Demo]:
    """A courier firm with ills planted among its shipments."""
    from .demo import DEMO

    return [DEMO]
