"""Hands firings to the plugins that carry their actions out, each once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING

import pyarrow as pa
from attrs import field, frozen

from ..declarations import Firing, Rule
from ..entities.asof import AsOf
from ..errors import PluginError
from .runs import Runs

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..hosting.host import PluginHost
    from ..store.store import Store

HOOK = "serve_firings"
# One transaction each: plugins are called seldom, and a write holds the database not for long.
BATCH = 10_000


class _NothingDone(Exception):
    """Ends a transaction in which nothing was written."""


@frozen(kw_only=True)
class Serving:
    """What came of handing out the firings of one as-of.

    Attributes:
        offered: firings that were handed to at least one plugin now.
        served: by rule, on how many subjects its firings stand as served, now or earlier.
        faults: one sentence for each plugin that failed, naming it.
    """

    offered: int = 0
    served: dict[str, int] = field(factory=dict, hash=False)
    faults: tuple[str, ...] = ()


class FiringService:
    """Serves the firings that runs have kept.

    Args:
        store: the plugins write through it.
        host: knows who implements the hook.
        catalog: knows the rules. runs: where the firings are.
    """

    def __init__(self, store: Store, host: PluginHost, catalog: Catalog, runs: Runs) -> None:
        self._store, self._host, self._catalog, self._runs = store, host, catalog, runs

    def serve(self, as_of: AsOf, names: Iterable[str] | None = None) -> Serving:
        """Hands the firings kept for exactly ``as_of`` to every plugin that serves firings.

        Args:
            names: of the rules; None is all.

        Returns:
            The counts. A plugin that fails is in ``faults``; what it wrote for that batch is undone.
        """
        rules = [self._catalog.rules[n] for n in (self._catalog.rules if names is None else names)]
        plugins = [name for name, one in self._host.loaded.items() if HOOK in one.hooks]
        faults: dict[str, None] = {}
        offered = 0
        for batch in self._batches(rules, as_of) if plugins else ():
            handed = set()
            for plugin in plugins:
                try:
                    handed |= self._hand(plugin, batch)
                except PluginError as error:
                    faults[str(error)] = None
            offered += len(handed)
        return Serving(
            offered=offered, served=self._store.firings.counts(as_of.instant), faults=tuple(faults)
        )

    def _hand(self, plugin: str, batch: Sequence[Firing]) -> set[int]:
        """Positions of the firings that were handed to a plugin."""
        done = self._store.firings.served(batch[0].as_of, plugin)
        mine = [i for i, f in enumerate(batch) if (f.rule, f.subject_id) not in done]
        given = [batch[i] for i in mine]
        if not given:
            return set()
        with suppress(_NothingDone), self._store.begin("rule serve") as tx:
            answers = self._host.call_alone(plugin, HOOK, firings=given, store=self._store, tx=tx)
            served: dict[int, str] = {}
            for answer in answers:
                if not 0 <= answer.firing < len(given):
                    raise PluginError(
                        plugin, HOOK, f"it served firing {answer.firing} of {len(given)}."
                    )
                served[answer.firing] = answer.result
            self._store.firings.add(plugin, [(given[i], r) for i, r in served.items()], tx=tx)
            if not tx.written:
                raise _NothingDone  # an empty transaction would make the snapshot stale
        return set(mine)

    def _batches(self, rules: Sequence[Rule], as_of: AsOf) -> Iterator[list[Firing]]:
        waiting: list[Firing] = []
        for rule in rules:
            table = self._runs.at("rule", rule.name, as_of)
            for part in table.to_batches(max_chunksize=BATCH):
                waiting += _firings(rule, part)
                while len(waiting) >= BATCH:
                    yield waiting[:BATCH]
                    waiting = waiting[BATCH:]
        if waiting:
            yield waiting


def _firings(rule: Rule, rows: pa.RecordBatch) -> Iterator[Firing]:
    for row in rows.to_pylist():
        reasons = json.loads(row["reasons"]) if row["reasons"] else [""]
        yield Firing(
            rule=rule.name, version=row["model_version"] or "", subject_type=row["subject_type"],
            subject_id=row["subject_id"], as_of=row["as_of"].replace(tzinfo=UTC),
            action=rule.action, target=rule.target, message=reasons[0],
            evidence=json.loads(row["evidence"]) if row["evidence"] else {},
        )  # fmt: skip
