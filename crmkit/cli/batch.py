"""``crmkit batch``: past imports and their rejects."""

from __future__ import annotations

from typing import Any

import click

from ..errors import UsageError
from .main import State
from .options import format_option, list_options, output_option
from .output import emit, emit_record

COLUMNS = (
    "id", "file_name", "profile", "source", "status", "read", "created", "updated", "unchanged",
    "rejected", "started_at", "seconds", "rejects_file",
)  # fmt: skip
REJECT_COLUMNS = ("line", "code", "field", "value", "allowed", "message")


@click.group("batch")
def command() -> None:
    """List and show past imports."""


@command.command("list")
@list_options
@click.pass_obj
def list_batches(
    state: State,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List imports, the latest first.

    Status running means interrupted or under way: the same import command goes on with it.

    Example: crmkit batch list --limit 5
    """
    with state.open() as crm:
        rows = [_row(run) for run in crm.store.imports.runs(limit=None if sort else limit)]
    emit(
        rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=COLUMNS
    )


@command.command("show")
@click.argument("id", metavar="ID")
@click.option("--rejects", is_flag=True, help="Show its rejected rows with their reasons.")
@format_option
@output_option
@click.pass_obj
def show(state: State, id: str, rejects: bool, format: str, output: str | None) -> None:
    """Show one import, or with --rejects why each rejected row was not taken.

    Example: crmkit batch show 250166919359889409 --rejects
    """
    if not id.isascii() or not id.isdigit():
        raise UsageError(f"{id!r} is no import id.", hint="See: crmkit batch list")
    with state.open() as crm:
        run = crm.store.imports.get(int(id))
        if not rejects:
            emit_record(_row(run), format=format, output=output)
            return
        found = crm.store.imports.rejects(run.id)
    rows = [{name: getattr(r, name) for name in REJECT_COLUMNS} for r in found]
    emit(rows, format=format, output=output, fields=REJECT_COLUMNS)


def _row(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in COLUMNS}
