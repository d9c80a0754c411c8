"""``crmkit db``: the schema of the database, and bringing it up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ..errors import ConfigError
from .main import State
from .options import listed
from .output import emit, emit_text, note

if TYPE_CHECKING:
    from ..store.migration import Plan
    from ..workspace import Crm

# As many changes of one kind as a line of the summary names.
LISTED = 10
COLUMNS = (
    "plugin", "enabled", "database_version", "installed_version", "pending_statements",
    "pending_migrations", "retired_fields",
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
    stay. Retired fields are those that a plugin declares no longer; their values stay too. Exits with
    5 if the database cannot be upgraded, and says why.

    Example: crmkit db status --format json
    """
    with state.open() as crm:
        crm.unchecked_store.check_identity()
        found = crm.unchecked_store.status()
    rows = [{name: getattr(row, name) for name in COLUMNS} for row in found.plugins]
    emit(
        rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=COLUMNS
    )
    for line in summary(found.plan, done=False):
        note(line)
    found.plan.check(allow_loss=True)
    if not found.plan.empty:
        note("see what is due with: crmkit db upgrade --dry-run")


@command.command("upgrade")
@click.option(
    "--dry-run", is_flag=True, help="Make the upgrade, roll it back, and say what it would do."
)
@click.option("--sql", is_flag=True, help="Print the SQL statements too.")
@click.option(
    "--allow-loss",
    "--yes",
    is_flag=True,
    help="Run migrations that lose data. Make a backup first.",
)
@click.pass_obj
def upgrade(state: State, dry_run: bool, sql: bool, allow_loss: bool) -> None:
    """Bring the tables to what the enabled plugins declare.

    All of it happens in one transaction. What a plugin adds (tables, columns, indexes) is made. What
    it declares no longer is retired: the values stay and are in crmkit customer export. What fields
    that go said of contacts is filed as consents and blocks. Columns change their type only by a
    migration of their plugin, and one that loses data runs only with --allow-loss. Tables of disabled
    plugins are left alone.

    Example: crmkit db upgrade --dry-run
    """
    with state.open() as crm:
        _check_complete(crm)
        plan = crm.unchecked_store.upgrade(dry_run=dry_run, allow_loss=allow_loss)
    if sql and plan.statements:
        emit_text("\n".join(f"{statement};" for statement in plan.statements))
    for line in summary(plan, done=not dry_run):
        note(line)
    plan.check(allow_loss=allow_loss)
    if plan.empty:
        note("the tables are as the enabled plugins declare.")


def _check_complete(crm: Crm) -> None:
    """Refuses to upgrade a workspace of which a plugin is left out: its tables would stay behind."""
    left_out = sorted(set(crm.plugins.enabled) - set(crm.catalog.plugins))
    if not left_out:
        return
    why, way = "because of their faults", "Mend them"
    if crm.safe_mode:
        why, way = "--safe-mode loads the built-in plugins alone", "Run it without --safe-mode"
    raise ConfigError(
        f"these plugins are left out, and their tables would stay behind: {', '.join(left_out)} ({why}).",
        hint=f"{way}, or first run: crmkit plugin disable {' '.join(left_out)}",
    )


def summary(plan: Plan, *, done: bool) -> Iterator[str]:
    """What an upgrade did or would do, one line for each kind of change.

    Args:
        plan: of the upgrade. done: whether it was made; else it would be.
    """
    if plan.faults:
        return
    kinds = Counter(_kind(statement) for statement in plan.statements)
    if kinds:
        told = ", ".join(f"{kind}: {count}" for kind, count in kinds.most_common())
        yield f"{len(plan.steps)} statements {'run' if done else 'are due'} ({told})."
    yield from kept_and_lost(plan, done=done)


def kept_and_lost(plan: Plan, *, done: bool) -> Iterator[str]:
    """What an upgrade does to values that are stored, and what becomes stricter."""
    from ..store.migration import loss_words

    for loss in plan.losses:
        yield f"{'lost' if done else 'would be lost'}: {loss_words(loss)}."
    if plan.retired:
        kept = [f"{name}: {rows}" for name, rows in plan.retired.items()]
        yield f"no longer declared, with the rows whose values are kept: {_listed(kept)}."
    names = ", ".join(
        f"{one.document.plugin}.{name}" for one in plan.leaving for name in one.fields
    )
    if plan.filed is not None:
        filed = ", ".join(f"{type}: {count}" for type, count in plan.filed.rows.items())
        yield f"{names}: what they said of {plan.filed.customers} customers is filed as {filed}."
    elif names and not done:
        yield f"{names}: what they say about contacts is filed by the upgrade."
    if plan.notes:
        yield f"stricter from now on: {_listed(plan.notes)}."


def _listed(parts: Sequence[str]) -> str:
    """The first of them in one line, and how many more there are."""
    said = "; ".join(parts[:LISTED])
    return said if len(parts) <= LISTED else f"{said}; and {len(parts) - LISTED} more"


def _kind(statement: str) -> str:
    """What a statement does, as ``create table``."""
    words = statement.lower().split()
    if words[:2] == ["alter", "table"]:
        return " ".join(words[3:5])
    if words[:1] in (["create"], ["drop"]):
        return " ".join(words[:2]) if words[1] != "unique" else "create index"
    return words[0]
