"""``crmkit db``: the schema of the database, and bringing it up to date."""

from __future__ import annotations

import click

from ..errors import ConfigError
from .main import State
from .options import listed
from .output import emit, emit_text, note

COLUMNS = (
    "plugin", "enabled", "database_version", "installed_version", "pending_statements",
    "pending_migrations",
)  # fmt: skip


@click.group("db")
def command() -> None:
    """Show and upgrade the database schema."""


@command.command("status")
@listed(COLUMNS)
@click.pass_obj
def status(
    state: State,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Show, by plugin, what the database has and what an upgrade would do.

    crmkit's own tables are the plugin crmkit. Disabled plugins are listed with their tables, which
    stay. Exits with 5 if the database cannot be upgraded, and says why.

    Example: crmkit db status --format json
    """
    with state.open() as crm:
        crm.unchecked_store.check_identity()
        found = crm.unchecked_store.status()
    rows = [{name: getattr(row, name) for name in COLUMNS} for row in found.plugins]
    emit(
        rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=COLUMNS
    )
    if found.plan.faults:
        raise ConfigError("; ".join(found.plan.faults) + ".", code="E_SCHEMA")
    if found.pending:
        note(f"{found.pending} statements are due; see them with: crmkit db upgrade --dry-run")


@command.command("upgrade")
@click.option("--dry-run", is_flag=True, help="Print the SQL that would run, and change nothing.")
@click.option("--yes", is_flag=True, help="Confirm migrations that lose data. Make a backup first.")
@click.pass_obj
def upgrade(state: State, dry_run: bool, yes: bool) -> None:
    """Bring the tables to what the enabled plugins declare.

    What a plugin adds (tables, columns, indexes) is made, in one transaction. What it removes or
    gives another type is refused unless the plugin ships a migration for it; one that loses data
    runs only with --yes. Tables of disabled plugins are left alone.

    Example: crmkit db upgrade --dry-run
    """
    with state.open() as crm:
        plan = crm.unchecked_store.upgrade(dry_run=dry_run, allow_loss=yes)
    if dry_run and plan.statements:
        emit_text("\n".join(f"{statement};" for statement in plan.statements))
    for line in plan.notes:
        note(f"stricter from now on: {line}.")
    if plan.faults:
        raise ConfigError("; ".join(plan.faults) + ".", code="E_SCHEMA")
    if not plan.statements:
        note("the tables are as the enabled plugins declare.")
    elif not dry_run:
        note(f"{len(plan.statements)} statements run.")
