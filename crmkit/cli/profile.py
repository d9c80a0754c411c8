"""``crmkit profile``: list, show, check and draft import profiles."""

from __future__ import annotations

import click

from ..errors import NotFound, ProfileError
from .main import State
from .options import format_option, listed, output_option
from .output import emit, emit_text, note

LIST_FIELDS = ("name", "owner", "title")


@click.group("profile")
def command() -> None:
    """List, show, check and draft import profiles."""


@command.command("list")
@listed(LIST_FIELDS)
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
        fields=LIST_FIELDS,
    )  # fmt: skip


@command.command("show")
@click.argument("name", metavar="NAME|FILE.toml")
@click.option("--table", metavar="FILE", help="Show this lookup table of the profile instead.")
@output_option
@click.pass_obj
def show(state: State, name: str, table: str | None, output: str | None) -> None:
    """Show a profile as TOML, to be copied into the workspace's profiles folder and changed.

    A copy wants the profile's lookup tables beside it: --table writes them.

    Example: crmkit profile show ibm-telco --output profiles/mine.toml
    """
    with state.open() as crm:
        text = crm.intake.table_text(name, table) if table else crm.intake.profile_text(name)
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


GUESS = ("column", "target", "confidence", "values", "remark")


@command.command("guess")
@click.argument("file", metavar="FILE")
@click.option("--plugin", "plugins", multiple=True, metavar="NAME", help="Feed only this plugin's fields beside core's; may be given again. Default: every enabled plugin.")  # fmt: skip
@click.option("--encoding", default="utf-8", metavar="NAME", help="Encoding of FILE; never guessed. Default: utf-8.")  # fmt: skip
@click.option("-o", "--output", metavar="PROFILE.toml", help="Write the profile here, and what was made of each column to stdout.")  # fmt: skip
@format_option
@click.pass_obj
def guess(
    state: State,
    file: str,
    plugins: tuple[str, ...],
    encoding: str,
    output: str | None,
    format: str,
) -> None:
    """Draft a profile from the headers and values of FILE: CSV, JSON lines, XLSX or Parquet.

    Nothing is imported. The draft is tried on the file's first 200,000 rows, and a field that would
    reject many of them is left out. Columns that fit no declared field stay unmapped and are named.

    Example: crmkit profile guess customers.csv --output profiles/customers.toml
    """
    from ..intake.guess import guess_profile

    with state.open() as crm:
        for name in plugins:
            if name not in crm.catalog.plugins:
                raise NotFound("enabled plugin", name, crm.catalog.plugins)
        drafted = guess_profile(
            file, crm.catalog, crm.settings, plugins={"core", *plugins} if plugins else None,
            encoding=encoding, form=crm.store.dialect,
        )  # fmt: skip
    emit_text(drafted.text, output=output)
    note(f"of {drafted.rows} rows looked at the draft takes {drafted.fitting}.")
    if output and output != "-":
        emit([g.as_dict() for g in drafted.columns], format=format, output=None, fields=GUESS)
