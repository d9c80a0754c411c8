"""Daily work: tasks, notes, tags and visits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crmkit import hookimpl
from crmkit.declarations import Command, Firing, Panel, RecordType, Served

from . import commands, data, panels, tags

if TYPE_CHECKING:
    from crmkit.store.store import Store, Tx


@hookimpl
def register_record_types() -> list[RecordType]:
    """Tasks, tags and visits."""
    return data.record_types()


@hookimpl
def register_panels() -> list[Panel]:
    """Open tasks, and tags."""
    return panels.panels()


@hookimpl
def register_commands() -> list[Command]:
    """The nouns ``task``, ``note``, ``tag`` and ``visit``."""
    return commands.commands()


@hookimpl
def serve_firings(firings: Sequence[Firing], store: Store, tx: Tx) -> Sequence[Served]:
    """Tags the customers on whom a rule with the action ``tag`` fired."""
    return tags.serve_tags(firings, store, tx)
