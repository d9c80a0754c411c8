"""Hands what a score's run has kept to the plugins that act on it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from ..declarations import Scored
from ..entities.asof import AsOf
from ..errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..workspace import Crm
    from .runs import Runs

HOOK = "serve_scores"
# One transaction each.
BATCH = 10_000


class _NothingDone(Exception):
    """Ends a transaction in which nothing was written."""


def serve_scores(
    crm: Crm, runs: Runs, name: str, as_of: AsOf, only: Collection[int] | None = None
) -> tuple[str, ...]:
    """Hands the values kept for exactly ``as_of`` to every plugin that serves scores.

    Args:
        crm: the open workspace, which the plugins get.
        runs: where the values are.
        name: of the score.
        only: the subjects to hand in; None is everyone in the run.

    Returns:
        One sentence for each plugin that failed; what it wrote for that batch is undone.
    """
    plugins = [plugin for plugin, one in crm.host.loaded.items() if HOOK in one.hooks]
    table = runs.at("score", name, as_of)
    if only is not None:
        wanted = set(only)
        table = table.filter([i in wanted for i in table.column("subject_id").to_pylist()])
    faults: dict[str, None] = {}
    for plugin in plugins if table.num_rows else ():
        # Versions are apart where some subjects were run again with a later model.
        for version in pc.unique(table.column("model_version")).to_pylist():
            rows = table.filter(pc.equal(table.column("model_version"), version))
            for first in range(0, rows.num_rows, BATCH):
                part = rows.slice(first, BATCH)
                scored = Scored(
                    score=name,
                    version=int(version),
                    subject_type=crm.scores.get(name).subject,
                    as_of=as_of,
                    subjects=tuple(part.column("subject_id").to_pylist()),
                    values=tuple(part.column("value").to_pylist()),
                    inputs_hashes=tuple(part.column("inputs_hash").to_pylist()),
                )
                try:
                    _hand(crm, plugin, scored)
                except PluginError as error:
                    faults[str(error)] = None
    return tuple(faults)


def _hand(crm: Crm, plugin: str, scored: Scored) -> None:
    with suppress(_NothingDone), crm.store.begin("score serve") as tx:
        crm.host.call_alone(plugin, HOOK, crm=crm, scored=scored, tx=tx)
        if not tx.written:
            raise _NothingDone  # an empty transaction would make the snapshot stale
