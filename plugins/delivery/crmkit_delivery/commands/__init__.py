"""The verbs that delivery adds to the command line, by noun."""

from __future__ import annotations

from crmkit.declarations import Command

from . import claims, rounds, waybills


def commands() -> list[Command]:
    """Every command."""
    return [*waybills.commands(), *claims.commands(), *rounds.commands()]
