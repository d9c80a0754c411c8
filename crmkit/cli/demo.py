"""``crmkit demo``: a generated world of one vertical, taken through the whole flow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..entities.phrasing import counted
from ..errors import ConfigError, NotFound, UsageError
from ..progress import within
from .main import State
from .options import WHOLE
from .output import emit, emit_record, emit_text, note
from .working import begin

if TYPE_CHECKING:
    from ..declarations import Demo, DemoData
    from ..entities.asof import AsOf
    from ..hosting.manifest import Manifest
    from ..workspace import Crm

# Rows of each report shown in the terminal; the HTML page and `report run` have them all.
TOP = 10


@click.command("demo")
@click.argument("vertical")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False))
@click.option("--customers", type=click.IntRange(50, 10_000_000), default=3000, show_default=True, metavar="N", help="How many customers to generate.")  # fmt: skip
@click.option("--seed", type=WHOLE, default=1, show_default=True, metavar="S", help="The same number gives the same world.")  # fmt: skip
@click.option("--database", metavar="URL", help="SQLAlchemy URL of an empty database. Default: a SQLite file in DIR.")  # fmt: skip
@click.option("--verify", is_flag=True, help="Compare the result with the generator's known truth; exit 1 if a check fails.")  # fmt: skip
@click.option("--format", type=click.Choice(["table", "json"]), default="table", help="json gives one summary object, with --verify one object per check. Default: table.")  # fmt: skip
@click.pass_obj
def command(
    state: State,
    vertical: str,
    folder: str | None,
    customers: int,
    seed: int,
    database: str | None,
    verify: bool,
    format: str,
) -> None:
    """Generate a vertical's world and run the whole flow on it.

    Makes a workspace in DIR (default: ./VERTICAL-demo), generates files, imports them, moves
    customers through their stages, trains scores on the past and tests them on later months, runs
    the rules, and shows stages and lists. Writes an HTML report and prints its path last.

    Example: crmkit demo telecom --customers 3000 --seed 1
    """
    started = time.monotonic()
    begin()
    target = Path(folder or f"{vertical}-demo")
    plugins = plugins_of(vertical)
    from ..workspace import init_workspace

    with init_workspace(target, plugins=plugins, database=database, language=state.lang) as crm:
        demo = crm.catalog.demos[vertical]
        if verify and demo.verify is None:
            raise UsageError(f"the demo {vertical} has no truth to verify against.")
        state.lang = crm.settings.language
        data = load(crm, demo, customers, seed)
        as_of = crm.as_of(data.as_of.isoformat())
        summary = analyse(crm, demo, data, as_of)
        if format == "table":
            _show(crm, demo, as_of)
        page = _write_page(crm, demo, as_of, target)
        note(f"done in {time.monotonic() - started:.0f} s; the workspace is {target}.")
        passed = _verify(crm, demo, data, format) if verify else True
        if format == "json" and not verify:
            summary = {
                "vertical": vertical,
                "workspace": str(target),
                "as_of": data.as_of,
                **summary,
            }
            emit_record({**summary, "html": page}, format="json")
        elif format == "table" and page:
            emit_text(page)
    if not passed:
        click.get_current_context().exit(1)


def plugins_of(vertical: str) -> tuple[str, ...]:
    """The plugins that a workspace of this vertical needs.

    Raises:
        NotFound: if no installed plugin has such a demo.
    """
    from ..hosting.host import PluginHost
    from ..hosting.manifest import find_manifests
    from ..settings import Settings

    manifests = find_manifests()
    industry = [name for name, manifest in manifests.items() if not manifest.builtin]
    if vertical in industry:
        return _with_required(vertical, manifests)
    # A demo may be named otherwise than its plugin, so all have to be asked.
    host = PluginHost.load(Settings(folder=Path(), plugins=industry))
    demos = host.catalog.demos
    if vertical not in demos:
        hint = (
            "" if demos or industry else "No plugin is installed; install one, as crmkit-telecom."
        )
        raise NotFound("demo", vertical, [*demos, *industry], hint=hint)
    return _with_required(host.catalog.owner(vertical), manifests)


def _with_required(plugin: str, manifests: dict[str, Manifest]) -> tuple[str, ...]:
    found, todo = set[str](), [plugin]
    while todo:
        name = todo.pop()
        if name not in found and name in manifests and not manifests[name].builtin:
            found.add(name)
            todo += manifests[name].requires
    return tuple(sorted(found))


@contextmanager
def _step(text: str) -> Iterator[None]:
    """Says what is being done and how long it took, on stderr."""
    started = time.monotonic()
    note(f"{text} ...")
    with within(text):
        yield
    seconds = time.monotonic() - started
    if seconds >= 1:
        note(f"  {seconds:.1f} s")


def _run(crm: Crm, demo: Demo, function: Callable[..., Any], *given: Any) -> Any:
    return crm.host.run(crm.catalog.owner(demo.name), f"demo {demo.name}", function, *given)


def load(crm: Crm, demo: Demo, customers: int, seed: int) -> DemoData:
    """Generates the files of a demo and imports them.

    Raises:
        NotFound, InputRefused: if a file or profile of the plugin is not sound.
    """
    folder = crm.settings.folder / "data"
    folder.mkdir()
    with _step(f"generating {counted(customers, 'customer')} with seed {seed}"):
        data: DemoData = _run(crm, demo, demo.generate, folder, customers, seed)
    for file in data.files:
        with _step(f"importing {file.path.name} through profile {file.profile}"):
            result = crm.import_file(file.path, profile=file.profile)
            note(
                f"  {result.read:,} rows: {result.created:,} created, {result.rejected:,} rejected"
            )
    if demo.history is not None:
        with _step("going through the time before"):
            _run(crm, demo, demo.history, crm, data)
    day = data.as_of.isoformat()
    for name in demo.commands:
        with _step(name):
            crm.run(name, **({"as_of": day} if crm.catalog.commands[name].as_of else {}))
    with _step("refreshing the warehouse"):
        crm.warehouse.refresh()
    return data


def analyse(crm: Crm, demo: Demo, data: DemoData, as_of: AsOf) -> dict[str, Any]:
    """Stages, scores and rules of the demo's day; returns figures for the summary."""
    with _step(f"moving customers through their stages as of {as_of.on}"):
        proposed = crm.lifecycles.propose(as_of, apply=True)
    for fault in proposed.faults:
        note(f"  {fault}")
    figures: dict[str, Any] = {"moves": proposed.moves.num_rows}
    for name in demo.scores:
        try:
            with _step(f"training {name} on what was known by {data.train_until}"):
                crm.scores.train(name, until=data.train_until)
            with _step(f"evaluating {name} on later months"):
                found = crm.scores.evaluate(name, train_until=data.train_until)
        except ConfigError as error:
            # A very small world has too few outcomes, or an input that tells them by chance.
            note(f"  without {name}: {error.message}")
            continue
        note("  " + ", ".join(_figures(found)))
        figures |= {f"{name}.{key}": found[key] for key in ("n", "auc", "brier", "lift_top_decile")}
        with _step(f"scoring everyone with {name}, then and now"):
            # A run in the past, whose customers' later months are known, shows what the score is worth.
            if data.train_until is not None:
                crm.scores.run(name, crm.as_of(data.train_until.isoformat()))
            crm.scores.run(name, as_of)
    with _step("running the rules"):
        fired = crm.rules.run(as_of)
    for said in (*fired.faults.values(), *fired.remarks):
        note(f"  {said}")
    return {**figures, "rules_fired": fired.firings.num_rows}


def _figures(found: dict[str, Any]) -> list[str]:
    keys = ("n", "auc", "brier", "lift_top_decile", "calibration_slope", "protocol")
    return [
        f"{key} {found[key]:.3g}" if isinstance(found[key], float) else f"{key} {found[key]}"
        for key in keys
        if found.get(key) is not None
    ]


def _show(crm: Crm, demo: Demo, as_of: AsOf) -> None:
    """The stages of each lifecycle and the top of each report."""
    from .report import report_grid, write_report

    for name in demo.lifecycles:
        emit(crm.lifecycles.funnel(name, as_of), format="table", title=f"{name}, {as_of.on}")
        emit_text("")
    for name in demo.reports:
        result = crm.reports.run(name, {}, as_of)
        grid = report_grid(crm, result)
        language = crm.settings.language
        write_report(result, grid.head(TOP), format="table", output=None, language=language)
        emit_text("")
        if len(grid) > TOP:
            note(
                f"{counted(len(grid), 'row')} in all: crmkit -w {crm.settings.folder} report run {name}"
            )


def _write_page(crm: Crm, demo: Demo, as_of: AsOf, target: Path) -> str | None:
    from .report import report_grid, write_report

    if demo.html is None:
        return None
    path = target / f"{demo.html}.html"
    with _step(f"writing {demo.html} as a page"):
        result = crm.reports.run(demo.html, {}, as_of)
        grid = report_grid(crm, result)
        language = crm.settings.language
        write_report(result, grid, format="html", output=str(path), language=language)
    return str(path)


def _verify(crm: Crm, demo: Demo, data: DemoData, format: str) -> bool:
    if demo.verify is None:
        return True
    with _step("verifying against the generator's truth"):
        checks = _run(crm, demo, demo.verify, crm, data)
    rows = [
        {"check": c.name, "passed": c.passed, "found": c.found, "expected": c.expected}
        for c in checks
    ]
    emit(rows, format=format, fields=("check", "passed", "found", "expected"), title="Checks")
    if format == "table":
        emit_text("")
    failed = [c.name for c in checks if not c.passed]
    note(f"checks: {len(checks)}, failed: {', '.join(failed) or 'none'}")
    return not failed
