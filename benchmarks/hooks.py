"""Hooks: what calling twenty plugins costs in an import of a million rows.

The plugins do nothing, so all that is measured is the calling: one ``check_rows`` for each batch and
entity, one ``after_commit`` for each batch and plugin.
"""

from __future__ import annotations

import argparse
import sys
import types
from typing import Any

from crmkit import hookimpl
from crmkit.declarations import Batch, Committed
from crmkit.hosting.host import PluginHost
from crmkit.hosting.manifest import Manifest

from .measure import Result, machine, middle, seconds, show

BATCH = 10_000
MODULE = "benchmarks._plugins"
GOAL = 0.01


class Idle:
    """A plugin that implements both acting hooks of an import and does nothing in them."""

    @hookimpl
    def check_rows(self, batch: Batch) -> list[Any]:
        """Takes every row."""
        return []

    @hookimpl
    def after_commit(self, committed: Committed) -> None:
        """Lets it pass."""


def host_of(count: int) -> PluginHost:
    """A host with ``count`` idle plugins, ``bench0`` first."""
    module = types.ModuleType(MODULE)
    names = [f"bench{number}" for number in range(count)]
    for name in names:
        setattr(module, name, Idle())
    sys.modules[MODULE] = module
    manifests = {name: Manifest(name=name, module=f"{MODULE}:{name}") for name in names}
    host = PluginHost(manifests)
    host.take(names)
    assert not host.faults, host.faults
    return host


def call_all(host: PluginHost, rows: int) -> None:
    """Calls the hooks as an import of ``rows`` rows with customers and domain fields does."""
    columns = {"customer_id": range(BATCH)}
    committed = Committed(tx=1, command="import", written={"customer": BATCH})
    batch = Batch(entity="bench0.customer", columns=columns, size=BATCH)
    for _ in range(rows // BATCH):
        host.call_veto("check_rows", batch=batch, catalog=host.catalog)
        host.call_observe("after_commit", committed=committed)


def run(import_seconds: float, rows: int = 1_000_000, plugins: int = 20) -> list[Result]:
    """Hook time against the time that importing the same rows takes.

    Args:
        import_seconds: what the import of ``rows`` rows took in this run.
        rows: how many rows the hooks are called for.
        plugins: how many plugins are asked.
    """
    host = host_of(plugins)
    taken = middle(seconds(lambda: call_all(host, rows)) for _ in range(5))
    return [
        Result(
            name=f"hooks of {plugins} plugins in an import of {rows:,} rows",
            ours=taken * 1000, bare=import_seconds * 1000, unit="ms",
            goal=GOAL, at_most=True,
        )
    ]  # fmt: skip


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--plugins", type=int, default=20)
    parser.add_argument(
        "--import-seconds", type=float, required=True, help="what importing those rows took"
    )
    options = parser.parse_args()
    print(machine())
    show(run(options.import_seconds, options.rows, options.plugins))


if __name__ == "__main__":
    main()
