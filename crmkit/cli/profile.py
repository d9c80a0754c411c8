"""``crmkit profile``: list, show and check import profiles."""

from __future__ import annotations

import click

from ..errors import ProfileError
from .main import State
from .options import format_option, list_options, output_option
from .output import emit, emit_text, note


@click.group("profile")
def command() -> None:
    """List, show and check import profiles."""


@command.command("list")
@list_options
@click.pass_obj
def list_profiles(
    state: State,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List the profiles of this workspace and of its plugins.

    A profile in the workspace's profiles folder hides a plugin's of the same name.

    Example: crmkit profile list
    """
    with state.open() as crm:
        rows = [{"name": p.name, "owner": p.owner, "title": p.title} for p in crm.intake.profiles()]
    emit(
        rows, format=format, output=output, columns=columns, sort=sort, limit=limit,
        fields=("name", "owner", "title"),
    )  # fmt: skip


@command.command("show")
@click.argument("name", metavar="NAME|FILE.toml")
@output_option
@click.pass_obj
def show(state: State, name: str, output: str | None) -> None:
    """Show a profile as TOML, to be copied into the workspace's profiles folder and changed.

    Example: crmkit profile show ibm-telco --output profiles/mine.toml
    """
    with state.open() as crm:
        text, _ = crm.intake.profile_text(name)
    emit_text(text, output=output)


@command.command("lint")
@click.argument("name", metavar="NAME|FILE.toml")
@format_option
@output_option
@click.pass_obj
def lint(state: State, name: str, format: str, output: str | None) -> int:
    """Check a profile against the enabled plugins; every fault is one row, and the exit code 5.

    Example: crmkit profile lint profiles/mine.toml
    """
    with state.open() as crm:
        faults = crm.intake.lint(name)
    if faults or format != "table":
        emit([{"fault": f} for f in faults], format=format, output=output, fields=("fault",))
    if faults:
        return ProfileError.exit_code
    note(f"profile {name} is sound.")
    return 0
