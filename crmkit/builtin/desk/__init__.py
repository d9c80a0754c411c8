"""Desk: a customer found by a piece of a number or name, and what to know with them on the line (S6)."""

from __future__ import annotations

from crmkit import hookimpl
from crmkit.declarations import Command, Panel

from . import commands, panels


@hookimpl
def register_panels() -> list[Panel]:
    """Contact points, what to do next, documents that end, and the last contacts."""
    return panels.panels()


@hookimpl
def register_commands() -> list[Command]:
    """``desk``."""
    return commands.commands()
