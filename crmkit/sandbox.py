"""The child process of ``crmkit plugin check``: ``python -m crmkit.sandbox NAME FILE MEGABYTES``.

It loads one plugin and calls each of its hooks once, with what the hooks get in life: an open workspace
of the plugin and what it requires, with all tables and no row in them, made beside FILE. What it is
doing, and at last what it found, goes to FILE as JSON lines. The other half is
:mod:`crmkit.hosting.probe`, which sets the limits and reads FILE.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from .declarations import CUSTOMER, Batch, Committed, Scored
from .errors import CrmkitError, NotFound, PluginError
from .hosting.faults import PluginFault
from .hosting.host import PluginHost
from .hosting.manifest import find_manifests
from .hosting.soundness import ADDED
from .hosting.standing import requirements_of

if TYPE_CHECKING:
    from .workspace import Crm

Write = Callable[[Mapping[str, Any]], None]

# Those that get the open store or workspace. The others get values alone, and are tried without the
# 0.3 s that making all tables takes.
OPEN_HOOKS = frozenset(("serve_firings", "serve_scores", "settle_records", "block_contacts"))
# What :class:`crmkit.analysis.scores.model.Models` calls a model that was never trained.
MODEL = "model of"


def main(arguments: list[str]) -> None:
    """Checks one plugin and writes the report."""
    name, report, megabytes = arguments
    _limit_memory(int(megabytes))
    with Path(report).open("a", encoding="utf-8", buffering=1) as out:

        def write(line: Mapping[str, Any]) -> None:
            out.write(json.dumps(line, ensure_ascii=True) + "\n")

        write(check(name, Path(report).with_name("workspace"), write))
    # Threads or exit functions that the plugin left behind are not waited for.
    os._exit(0)


def check(name: str, folder: Path, write: Write) -> dict[str, Any]:
    """What is wrong with an installed plugin, which hooks it has and which shared names it claims.

    Args:
        folder: where the workspace is made, if a hook needs one.
        write: gets ``{"at": step}`` before each step, which is a phase or the name of a hook.

    Returns:
        ``faults`` as lists of plugin, phase and message; ``hooks`` and ``claims`` as in a verdict.
    """
    manifests = find_manifests()
    if not manifests[name].stated:
        # The author is to hear of every other fault too, and not only that the file is missing.
        manifests[name] = evolve(manifests[name], faults=())
    host = PluginHost(manifests, progress=lambda at: write({"at": at}))
    names = {name, *requirements_of(name, manifests)}
    names |= {m.name for m in manifests.values() if m.builtin}
    host.take(sorted(names), deep=[name])
    faults = list(host.faults)
    one = host.loaded.get(name)
    if one is not None:
        faults += _tried(host, name, folder, write)
    return {
        "faults": [[f.plugin, f.phase, f.message] for f in dict.fromkeys(faults)],
        "hooks": one.hooks if one else [],
        "claims": one.declared.claims() if one else {},
    }


def _tried(host: PluginHost, name: str, folder: Path, write: Write) -> Iterator[PluginFault]:
    """Calls each acting hook of the plugin once and gives what went wrong."""
    hooks = host.entry(name).hooks
    for hook, arguments in _trials(host, name):
        write({"at": hook})
        yield from _fault(host, name, hook, arguments)
    needed = sorted(OPEN_HOOKS.intersection(hooks))
    if not needed:
        return
    write({"at": "tables"})
    try:
        crm = _workspace(host, folder)
    except CrmkitError as error:
        # Its declarations are sound each, but no database takes them.
        yield PluginFault(name, "tables", str(error).rstrip("."))
        return
    with closing(crm):
        for hook in needed:
            write({"at": hook})
            for arguments in _open_trials(hook, crm, name):
                # As in life: within a write, and what it wrote is checked by the database.
                with (
                    crm.store.begin("plugin check")
                    if hook != "block_contacts"
                    else nullcontext() as tx
                ):
                    given = arguments if tx is None else {**arguments, "tx": tx}
                    yield from _fault(host, name, hook, given)


def _fault(
    host: PluginHost, name: str, hook: str, arguments: Mapping[str, Any]
) -> Iterator[PluginFault]:
    before = len(host.faults)
    try:
        host.call_alone(name, hook, **arguments)
    except PluginError as error:
        # What it changed of the process stands in the host's faults.
        yield from host.faults[before:]
        cause = error.__cause__
        if isinstance(cause, NotFound) and cause.what == MODEL:
            return  # in life a score is served with the model that has just run; here none is trained
        yield PluginFault(name, hook, error.reason.rstrip("."))
    else:
        yield from host.faults[before:]


def _trials(host: PluginHost, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each hook that gets values alone, with values that hold no row."""
    hooks = host.entry(name).hooks
    if "check_rows" in hooks:
        for entity, columns in _entities(name, host.catalog):
            # Any envelope column may be asked for, and has no rows either.
            empty: defaultdict[str, Sequence[Any]] = defaultdict(tuple, dict.fromkeys(columns, ()))
            yield "check_rows", {"batch": Batch(entity=entity, columns=empty, size=0)}
    if "choose_merged_values" in hooks:
        yield "choose_merged_values", {"conflicts": ()}
    if "before_stage_moves" in hooks:
        yield "before_stage_moves", {"moves": ()}
    if "after_commit" in hooks:
        yield "after_commit", {"committed": Committed(tx=0, command="plugin check")}


def _open_trials(hook: str, crm: Crm, name: str) -> Iterator[dict[str, Any]]:
    """The other arguments of a hook that gets the open store or workspace."""
    if hook == "serve_firings":
        yield {"firings": (), "store": crm.store}
    elif hook == "settle_records":
        for entity in (e for e in crm.catalog.record_types if crm.catalog.owner(e) == name):
            yield {"entity": entity, "ids": (), "store": crm.store}
    elif hook == "block_contacts":
        from .entities.contact import ContactBatch

        now = crm.clock()
        yield {"crm": crm, "batch": ContactBatch(customers=(), since=now, until=now)}
    else:
        for score in crm.catalog.scores.values():
            yield {
                "crm": crm,
                "scored": Scored(
                    score=score.name, version=1, subject_type=score.subject, as_of=crm.as_of(),
                    subjects=(), values=(), inputs_hashes=(),
                ),
            }  # fmt: skip


def _workspace(host: PluginHost, folder: Path) -> Crm:
    """An open workspace of the plugins that the host has loaded, with their tables and no row."""
    # Lazy: a plugin without such a hook needs no store.
    from .errors import ConfigError
    from .settings import Settings
    from .workspace import Crm

    folder.mkdir()
    industries = tuple(n for n, one in host.loaded.items() if not one.manifest.builtin)
    crm = Crm(Settings(folder=folder, plugins=industries), actor="plugin check")
    crm.host = host
    plan = crm.unchecked_store.upgrade()
    if plan.faults:
        raise ConfigError("; ".join(plan.faults))
    return crm


def _entities(name: str, catalog: Any) -> Iterator[tuple[str, list[str]]]:
    """Each entity that the plugin owns, with its columns; one without columns where it owns none.

    A plugin that declares nothing may still answer, and its answer has to be tried.
    """
    fields = catalog.customer_fields.get(name)
    declared = [(f"{name}.{CUSTOMER}", "customer_fields", fields)] if fields else []
    for kind in ("record_types", "interaction_kinds"):
        declared += [
            (entity, kind, record)
            for entity, record in getattr(catalog, kind).items()
            if catalog.owner(entity) == name
        ]
    if not declared:
        yield f"{name}.{CUSTOMER}", []
    for entity, kind, record in declared:
        yield entity, [*(c.name for c in record.fields.columns), *sorted(ADDED[kind])]


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on this system: the time limit alone holds
        return
    size = megabytes * 1024 * 1024
    _, hardest = resource.getrlimit(resource.RLIMIT_AS)
    if hardest != resource.RLIM_INFINITY:
        size = min(size, hardest)
    resource.setrlimit(resource.RLIMIT_AS, (size, hardest))
    # A plugin that crashes on purpose should not fill the disk with core files.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1:])
