"""Outreach: lists made through the contact policy, worked and measured."""

from __future__ import annotations

from crmkit import hookimpl
from crmkit.declarations import Command, InteractionKind, Panel, RecordType, Service

from . import commands, data, panels
from .lists import Lists


@hookimpl
def register_record_types() -> list[RecordType]:
    """Lists, their rows and the cost of channels."""
    return data.record_types()


@hookimpl
def register_interaction_kinds() -> list[InteractionKind]:
    """The contact made from a list, with its outcome."""
    return data.interaction_kinds()


@hookimpl
def register_services() -> list[Service]:
    """Making, working and measuring lists."""
    return [Service(name="outreach.lists", make=Lists, title="Outreach lists")]


@hookimpl
def register_panels() -> list[Panel]:
    """Lists on which the customer waits."""
    return panels.panels()


@hookimpl
def register_commands() -> list[Command]:
    """The noun ``list``."""
    return commands.commands()
