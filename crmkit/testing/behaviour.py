"""What the conformance suite holds against what a plugin's declarations do, as lists of sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..entities.asof import AsOf
from ..errors import CrmkitError
from .declared import owned
from .worlds import World, append_later

if TYPE_CHECKING:
    from ..workspace import Crm


def built_features(crm: Crm, plugin: str, as_of: AsOf) -> dict[tuple[str, int], Mapping[str, Any]]:
    """The plugin's features of every subject: ``(subject, subject_id)`` to values by column."""
    from ..warehouse.population import Population

    crm.warehouse.refresh_if_stale()
    names: dict[str, list[str]] = {}
    for features in owned(crm.catalog, "feature_sets", plugin):
        names.setdefault(features.subject, []).extend(f.name for f in features.features)
    out: dict[tuple[str, int], Mapping[str, Any]] = {}
    for subject, wanted in names.items():
        table = crm.features.build(subject, wanted, Population.at(as_of))
        for row in table.to_pylist():
            values = {k: v for k, v in row.items() if k not in ("subject_id", "as_of")}
            out[subject, row["subject_id"]] = values
    return out


def leak_faults(world: World, plugin: str) -> list[str]:
    """Features that change when data from after the as-of instant are appended."""
    before = built_features(world.crm, plugin, world.as_of)
    written = append_later(world)
    if not written:
        return ["the demo makes no data, so nothing can be said about leaks"]
    after = built_features(world.crm, plugin, world.as_of)
    out = []
    if before.keys() != after.keys():
        out.append(
            f"the population was {len(before)} subjects, and {len(after)} after later data were added"
        )
    changed: dict[str, str] = {}
    for key in before.keys() & after.keys():
        for name, value in before[key].items():
            if not _same(value, after[key][name]):
                told = f"of {key[0]} {key[1]} was {value!r} and became {after[key][name]!r}"
                changed.setdefault(name, told)
    out += [f"feature {name} {told} after later data were added" for name, told in changed.items()]
    return out


def report_faults(crm: Crm, plugin: str, as_of: AsOf) -> list[str]:
    """Reports that do not run with their default parameters on what the workspace holds.

    Or that show other columns than they declare: the columns of a result never depend on its rows.
    """
    from ..policy import local_viewer
    from ..present.results import named_grid

    out = []
    for report in owned(crm.catalog, "reports", plugin):
        try:
            result = crm.reports.run(report.name, {}, as_of)
        except CrmkitError as error:
            out.append(f"report {report.name}: {error}")
            continue
        declared = [c.shown_name for c in report.columns]
        named = ["ref"] if "name" in declared else ["ref", "name"]
        wanted = [n for c in declared for n in (named if c == "customer_id" else [c])]
        shown = named_grid(result, crm.store, local_viewer(crm.actor)).names
        if shown != wanted:
            out.append(f"report {report.name} shows {', '.join(shown)}, not {', '.join(wanted)}")
    return out


def reimport_faults(world: World) -> list[str]:
    """Files of the demo that are not ``unchanged`` when they are imported a second time."""
    out = []
    for file in world.data.files:
        result = world.crm.import_file(file.path, profile=file.profile)
        if result.unchanged != result.read:
            out.append(
                f"{file.path.name} by {file.profile}, imported again: of {result.read} rows "
                f"{result.created} created, {result.updated} updated, {result.rejected} rejected"
            )
    return out


def reject_faults(world: World) -> list[str]:
    """Files of the demo that its own profiles reject rows of."""
    return [
        f"{run.file_name} by {run.profile}: {run.rejected} of {run.read} rows rejected"
        for run in world.crm.store.imports.runs()
        if run.rejected
    ]


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        # Sums of floats may be taken in another order; design D18 allows 1e-9 relative.
        return before == after or abs(before - after) <= 1e-9 * max(abs(before), abs(after))
    return bool(before == after)
