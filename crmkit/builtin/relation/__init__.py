"""Relations: who is what to whom, and what is known of an organisation and its people (C11)."""

from __future__ import annotations

from crmkit import hookimpl
from crmkit.declarations import Command, Panel, RecordType

from . import commands, data, panels


@hookimpl
def register_record_types() -> list[RecordType]:
    """What is known beside a relation; registered codes; competitors."""
    return data.record_types()


@hookimpl
def register_panels() -> list[Panel]:
    """The people behind a customer, with their likes and dislikes."""
    return panels.panels()


@hookimpl
def register_commands() -> list[Command]:
    """The verbs of ``relation``."""
    return commands.commands()
