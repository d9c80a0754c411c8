"""The hooks that there are, and whether a plugin implements and answers them as specified."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import pluggy

from .. import hookspecs
from ..declarations import MergeChoice, RowFault, Served, StageVeto
from ..entities.contact import ContactBlock
from ..errors import did_you_mean
from .declared import DECLARING
from .isolation import unusable

# Acting hooks and the class of the items that they return; None means nothing is returned.
ACTING: dict[str, type | None] = {
    "check_rows": RowFault,
    "settle_records": None,
    "choose_merged_values": MergeChoice,
    "before_stage_moves": StageVeto,
    "serve_firings": Served,
    "serve_scores": None,
    "block_contacts": ContactBlock,
    "after_commit": None,
}
HOOKS = (*DECLARING, *ACTING)


def make_manager() -> pluggy.PluginManager:
    """A plugin manager that knows crmkit's hooks and no plugin."""
    manager = pluggy.PluginManager("crmkit")
    manager.add_hookspecs(hookspecs)
    return manager


def hook_name_faults(manager: pluggy.PluginManager, name: str, plugin: Any) -> Iterator[str]:
    """What is wrong with the hooks that a registered plugin implements, one sentence each.

    A hook that nobody specified would never run, and nobody would be told.
    """
    callers = manager.get_hookcallers(plugin) or []
    for caller in callers:
        for implementation in caller.get_hookimpls():
            if implementation.plugin_name != name:
                continue
            if not caller.has_spec():
                near = did_you_mean(caller.name, HOOKS, sentence=False)
                hint = near if near else f"known: {', '.join(HOOKS)}"
                yield f"there is no hook {caller.name!r}; {hint}"
            elif implementation.hookwrapper or implementation.wrapper:
                yield f"{caller.name} is a wrapper; plugins answer by themselves only"
    marked = {caller.name for caller in callers}
    for hook in HOOKS:
        if hook not in marked and inspect.isroutine(getattr(plugin, hook, None)):
            yield f"the function {hook} is not marked with @hookimpl, so it never runs"


def wrong_answer(hook: str, result: object) -> str | None:
    """What is wrong with the type of an acting hook's answer, or None."""
    wanted = ACTING[hook]
    if result is None:
        return None
    broken = unusable(result)
    if broken:
        return broken
    if wanted is None:
        return None
    if not isinstance(result, Sequence) or isinstance(result, (str, bytes)):
        return f"returned a {type(result).__name__}; return a list of {wanted.__name__}"
    for position, item in enumerate(result):
        if not isinstance(item, wanted):
            return (
                f"item {position} of its list is a {type(item).__name__}, not a {wanted.__name__}"
            )
    return None
