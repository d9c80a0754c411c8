"""``crmkit plugin``: list, show, check, enable and disable plugins.

Tables are printed plainly here, without the shared output module: `plugin list` is what one calls
when something is broken, so it starts fast and leans on nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ..errors import NotFound, PluginError, UsageError
from ..hosting.plugins import Change, Plugins, Standing
from ..hosting.verdict import FAULTS
from ..progress import steps
from ..settings import Settings, SettingsFile, find_workspace, load_settings

if TYPE_CHECKING:
    from .main import State
from .output import emit
from .working import begin, end

LIST_COLUMNS = ("name", "version", "distribution", "enabled", "verdict", "hooks", "faults")

_format = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Form of the result; json is one array of flat objects.",
)
_dry_run = click.option(
    "--dry-run", is_flag=True, help="Say what would be done, with its SQL, and change nothing."
)


@click.group(name="plugin")
def command() -> None:
    """List, check, enable and disable plugins.

    No command of this group imports a plugin into its own process.
    """


@command.command(name="list")
@_format
@click.pass_obj
def list_(state: State, form: str) -> None:
    """List the installed plugins with their verdicts and faults.

    Reads manifests and kept verdicts; needs no workspace and imports no plugin.

    Example: crmkit plugin list --format json
    """
    rows = [_row(standing) for standing in _plugins(state, needed=False).standings()]
    if form == "json":
        _print_json(rows)
        return
    short = [{**row, "hooks": len(row["hooks"].split())} for row in rows]
    faults = [f"{row['name']}: {row['faults']}" for row in rows if row["faults"]]
    _print_table([{k: v for k, v in row.items() if k != "faults"} for row in short])
    for line in ["", *faults] if faults else []:
        click.echo(line)
    if any(row["verdict"] == FAULTS for row in rows):
        click.echo("When a fault is mended: crmkit plugin check NAME", err=True)


@command.command()
@click.argument("name")
@_format
@click.pass_obj
def show(state: State, name: str, form: str) -> None:
    """Show one plugin: what its manifest says, its verdict, hooks and faults.

    Example: crmkit plugin show telecom
    """
    standing = _plugins(state, needed=False).get(name)
    manifest = standing.manifest
    zh = state.lang == "zh" and manifest.title_zh
    row = {
        "name": manifest.name,
        "title": manifest.title_zh if zh else manifest.title,
        "description": manifest.description,
        "version": manifest.version,
        "distribution": manifest.distribution,
        "module": manifest.module,
        "api": "-".join(str(end) for end in dict.fromkeys(manifest.api)),
        "builtin": manifest.builtin,
        "enabled": standing.enabled,
        "requires": " ".join(manifest.requires),
        "conflicts": " ".join(manifest.conflicts),
        "commands": " ".join(manifest.commands),
        "tables": " ".join(manifest.tables),
        **{key: _row(standing)[key] for key in ("verdict", "hooks", "faults")},
    }
    if form == "json":
        _print_json([row])
        return
    for key, value in row.items():
        click.echo(f"{key:<14}{_cell(value)}".rstrip())


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_format
@click.pass_context
def check(ctx: click.Context, names: tuple[str, ...], form: str) -> None:
    """Load plugins in a child process, call each hook once, and keep the verdict.

    Without NAME every installed plugin is checked. Hooks get an empty workspace of the plugin and
    what it requires. The child has 20 s (CRMKIT_CHECK_SECONDS) and 2048 MB
    (CRMKIT_CHECK_MEGABYTES). Exits 7 when a plugin has faults; each is named.

    Example: crmkit plugin check telecom
    """
    plugins = _plugins(ctx.obj, needed=False)
    begin()
    chosen = list(names or plugins.manifests)
    standings = [plugins.check(name) for name in steps(chosen, lambda name: f"checking {name}")]
    end()
    rows = [_row(standing) for standing in standings]
    if form == "json":
        _print_json(rows)
    else:
        for standing in standings:
            manifest, count = standing.manifest, len(standing.hooks)
            said = f"{manifest.name} {manifest.version}".rstrip()
            click.echo(f"{said}: {standing.verdict}, {count} hook{'' if count == 1 else 's'}")
            for fault in standing.faults:
                click.echo(f"  {fault.phase}: {fault.message}")
    faulty = [standing.manifest.name for standing in standings if standing.faults]
    if faulty:
        click.echo(f"crmkit: {PluginError.code} faults in: {', '.join(faulty)}", err=True)
        ctx.exit(PluginError.exit_code)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_obj
def forget(state: State, names: tuple[str, ...]) -> None:
    """Delete the kept verdicts on plugins, so that they are unchecked again.

    Deletes them from the workspace and from the user's cache folder. Use it when the reason for a
    fault lay outside the plugin and is gone; `plugin check` makes a new verdict.

    Example: crmkit plugin forget telecom
    """
    plugins = _plugins(state, needed=False)
    for name in names:
        files = plugins.forget(name)
        said = ", ".join(map(str, files))
        click.echo(
            f"{name}: deleted from {said}" if files else f"{name}: no verdict is kept", err=True
        )


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@_dry_run
@click.option(
    "--allow-loss", is_flag=True, help="Run migrations that lose data. Make a backup first."
)
@_format
@click.pass_obj
def enable(
    state: State, names: tuple[str, ...], dry_run: bool, allow_loss: bool, form: str
) -> None:
    """Enable plugins in this workspace: check them, bring their tables, write crmkit.toml.

    Plugins that require each other are enabled in one command. --dry-run prints the SQL.
    --allow-loss is as for crmkit db upgrade.

    Example: crmkit plugin enable telecom --dry-run
    """
    if state.safe_mode:
        raise UsageError("--safe-mode loads no plugin, so none can be enabled.")
    upgrade = partial(_upgrade, allow_loss=allow_loss)
    change = _plugins(state, needed=True).enable(names, upgrade=upgrade, dry_run=dry_run)
    if form == "table" and dry_run:
        for statement in change.statements:
            click.echo(f"{statement.rstrip().removesuffix(';')};")
    _print_change(change, "enabled", form)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@_dry_run
@_format
@click.pass_obj
def disable(state: State, names: tuple[str, ...], dry_run: bool, form: str) -> None:
    """Disable plugins in this workspace; their tables and rows stay.

    Plugins that require one of them are named and go with it. Works without importing any plugin,
    also for one that is no longer installed.

    Example: crmkit plugin disable telecom
    """
    change = _plugins(state, needed=True).disable(names, dry_run=dry_run)
    for name in change.along:
        click.echo(f"{name} goes too, because it requires what is disabled.", err=True)
    _print_change(change, "disabled", form)


def _plugins(state: State, *, needed: bool) -> Plugins:
    """The plugins of the workspace; of the installation where there is none and none is needed."""
    settings: Settings | None = None
    try:
        settings = load_settings(find_workspace(state.workspace))
    except NotFound:
        if needed or state.workspace:
            raise
    return Plugins(settings)


def _upgrade(settings: Settings, dry_run: bool, *, allow_loss: bool) -> Sequence[str]:
    # Lazy: the store is needed only once something is enabled.
    from ..workspace import Crm
    from .db import kept_and_lost

    with Crm(settings, file=SettingsFile(settings.folder)) as crm:
        plan = crm.unchecked_store.upgrade(dry_run=dry_run, allow_loss=allow_loss)
    for line in kept_and_lost(plan, done=not dry_run):
        click.echo(line, err=True)
    plan.check(allow_loss=allow_loss)
    return list(plan.statements)


def _row(standing: Standing) -> dict[str, Any]:
    manifest = standing.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "distribution": manifest.distribution,
        "enabled": standing.enabled,
        "verdict": standing.verdict,
        "hooks": " ".join(standing.hooks),
        "faults": "; ".join(f"{fault.phase}: {fault.message}" for fault in standing.faults),
    }


def _print_change(change: Change, word: str, form: str) -> None:
    names = [*change.names, *change.along]
    if form == "json":
        _print_json(
            [
                {
                    "name": name,
                    "enabled": (word == "enabled") != change.dry_run,
                    "dry_run": change.dry_run,
                    "statements": ";\n".join(change.statements),
                }
                for name in names
            ]
        )
        return
    prefix = "would be " if change.dry_run else ""
    tables = f", {len(change.statements)} SQL statements" if change.statements else ""
    click.echo(f"{prefix}{word}: {', '.join(names)}{tables}", err=change.dry_run)


def _print_json(rows: Sequence[Mapping[str, Any]]) -> None:
    import json

    click.echo(json.dumps(rows, ensure_ascii=False, indent=2))


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        emit(rows, format="table")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
