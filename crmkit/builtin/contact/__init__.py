"""Contact policy: consent, caps over all departments, quiet hours, and who must not be contacted."""

from __future__ import annotations

from crmkit import hookimpl
from crmkit.declarations import Command, FeatureSet, Panel, RecordType, Service

from . import commands, data, features, panels
from .consent import Consents
from .policy import ContactPolicy


@hookimpl
def register_record_types() -> list[RecordType]:
    """Consents, counted contacts, blocks and purposes."""
    return data.record_types()


@hookimpl
def register_features() -> list[FeatureSet]:
    """What holds for calls with offers."""
    return features.feature_sets()


@hookimpl
def register_services() -> list[Service]:
    """The consent ledger, and the question that every list and send asks."""
    return [
        Service(name="contact.consents", make=Consents, title="Consent ledger"),
        Service(name="contact.policy", make=ContactPolicy, title="Contact policy"),
    ]


@hookimpl
def register_panels() -> list[Panel]:
    """What must not be offered now, and why."""
    return panels.panels()


@hookimpl
def register_commands() -> list[Command]:
    """The nouns ``consent`` and ``contact``."""
    return commands.commands()
