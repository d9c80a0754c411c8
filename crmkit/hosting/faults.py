"""What is wrong with a plugin, said in one sentence with its name."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

# Faults that depend on what else is installed or enabled, not on the plugin's own files. They are
# worked out afresh each time and never kept in a verdict, which holds as long as the files do.
SURROUNDING = frozenset({"installed", "requires", "conflict"})


@frozen
class PluginFault:
    """One reason why a plugin was left out, or failed later.

    Attributes:
        plugin: its name.
        phase: where it went wrong: ``manifest``, ``installed``, ``requires``, ``conflict``,
            ``verdict``, ``import``, ``register``, ``declaration``, ``limit`` or the name of a hook.
        message: one sentence: what was given and what is allowed.
    """

    plugin: str
    phase: str
    message: str

    def __str__(self) -> str:
        return f"{self.plugin}: {self.phase}: {self.message}"


def faults_of(plugin: str, faults: Iterable[PluginFault]) -> list[PluginFault]:
    """The faults of one plugin, in the order found."""
    return [fault for fault in faults if fault.plugin == plugin]
