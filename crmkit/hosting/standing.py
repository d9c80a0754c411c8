"""Which of the enabled plugins may be loaded, judged by manifests alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import did_you_mean
from ..settings import Settings
from .claims import shared_claims
from .faults import SURROUNDING, PluginFault
from .manifest import Manifest


def enabled_names(settings: Settings, manifests: Mapping[str, Manifest]) -> list[str]:
    """The plugins that a workspace enables: its own, and built-ins that it does not leave out."""
    builtins = {m.name for m in manifests.values() if m.builtin} - set(settings.without)
    return sorted(builtins | set(settings.plugins))


def manifest_faults(names: Iterable[str], manifests: Mapping[str, Manifest]) -> list[PluginFault]:
    """What the manifests of these plugins say against them, before any is loaded.

    Not installed, manifest missing or broken, requirement not enabled, or in conflict with another
    of them. A plugin that says it cannot live beside another is itself the one left out, so that
    no plugin can put another out of work.
    """
    names = list(names)
    out: list[PluginFault] = []
    for name in names:
        if name not in manifests:
            out.append(PluginFault(name, "installed", _absent(name, manifests)))
            continue
        manifest = manifests[name]
        out += [PluginFault(name, "manifest", fault) for fault in manifest.faults]
        out += [
            PluginFault(name, "requires", f"it requires {needed!r}, which is not enabled")
            for needed in manifest.requires
            if needed not in names
        ]
        out += [
            PluginFault(name, "conflict", f"the plugins {name} and {other} cannot both be enabled")
            for other in manifest.conflicts
            if other in names
        ]
    faulty = {fault.plugin for fault in out}
    commands = {n: {"commands": tuple(manifests[n].commands)} for n in names if n not in faulty}
    return out + shared_claims(commands)


def dependents_faults(
    names: Iterable[str], faults: Iterable[PluginFault], manifests: Mapping[str, Manifest]
) -> list[PluginFault]:
    """One fault for each plugin that requires, at any distance, one that is left out.

    Each names the first fault of the plugin that has some of its own, and what to do about it:
    that is the one to be mended.
    """
    out: dict[str, PluginFault] = {}
    gone: dict[str, PluginFault] = {}
    for fault in faults:
        gone.setdefault(fault.plugin, fault)
    todo = [name for name in names if name not in gone and name in manifests]
    moved = True
    while moved:
        moved = False
        for name in todo:
            missing = [n for n in manifests[name].requires if n in gone]
            if missing and name not in out:
                cause = gone[missing[0]]
                out[name] = PluginFault(name, "requires", _left_out(missing[0], cause))
                gone[name] = cause
                moved = True
    return list(out.values())


def _left_out(needed: str, cause: PluginFault) -> str:
    said = f"it requires {needed!r}, which is left out"
    said += "" if cause.plugin == needed else f" because of {cause.plugin!r}"
    said += f": {cause.phase}: {cause.message}"
    if cause.phase in SURROUNDING:
        return said
    return f"{said}. When that is mended: crmkit plugin check {cause.plugin}"


def requirements_of(name: str, manifests: Mapping[str, Manifest]) -> set[str]:
    """Everything that a plugin requires, at any distance, without itself."""
    found: set[str] = set()
    todo = [name]
    while todo:
        manifest = manifests.get(todo.pop())
        for needed in manifest.requires if manifest else ():
            if needed not in found and needed != name:
                found.add(needed)
                todo.append(needed)
    return found


def dependents_of(
    name: str, enabled: Iterable[str], manifests: Mapping[str, Manifest]
) -> list[str]:
    """The enabled plugins that require this one, at any distance, sorted."""
    return sorted(n for n in enabled if n != name and name in requirements_of(n, manifests))


def _absent(name: str, manifests: Mapping[str, Manifest]) -> str:
    near = did_you_mean(name, manifests, sentence=False)
    hint = near if near else f"install it, or: crmkit plugin disable {name}"
    return f"no installed distribution offers it; {hint}"
