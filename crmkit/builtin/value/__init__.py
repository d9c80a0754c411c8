"""Value: what customers bring, what serving them costs, and how much is left (V1, V2, V3)."""

from __future__ import annotations

from crmkit import hookimpl
from crmkit.declarations import Command, CostDriver, FeatureSet, Panel, RecordType, Report

from . import commands, data, features, panels, reports


@hookimpl
def register_record_types() -> list[RecordType]:
    """Costs and pyramid tiers of the operator's own."""
    return data.record_types()


@hookimpl
def register_cost_drivers() -> list[CostDriver]:
    """Calls, visits, e-mails, messages and complaints, at the cost that the operator sets."""
    return data.cost_drivers()


@hookimpl
def register_features() -> list[FeatureSet]:
    """Revenue, own cost and contribution of a year."""
    return features.feature_sets()


@hookimpl
def register_reports() -> list[Report]:
    """Contribution, RFM, the pyramid and the concentration curve."""
    return reports.reports()


@hookimpl
def register_panels() -> list[Panel]:
    """What the customer on the line has brought within a year."""
    return panels.panels()


@hookimpl
def register_commands() -> list[Command]:
    """The verbs of ``value``."""
    return commands.commands()
