"""``crmkit batch``: past imports, their rejects, and taking one back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ..errors import UsageError
from .confirm import confirm
from .main import State
from .options import check_columns, format_option, list_options, listed, output_option
from .output import emit, emit_record, note

COLUMNS = (
    "id", "file_name", "profile", "source", "status", "read", "created", "updated", "unchanged",
    "rejected", "started_at", "seconds", "rejects_file",
)  # fmt: skip
REJECT_COLUMNS = ("line", "code", "field", "value", "allowed", "message")


@click.group("batch")
def command() -> None:
    """List, show and revert past imports."""


@command.command("list")
@listed(COLUMNS, detail=("rejects_file", "seconds", "source", "unchanged", "created", "updated"))
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
    with state.open() as crm:
        run = crm.store.imports.get(_import_id(id))
        if not rejects:
            emit_record(_row(run), format=format, output=output)
            return
        found = crm.store.imports.rejects(run.id)
    rows = [{name: getattr(r, name) for name in REJECT_COLUMNS} for r in found]
    emit(rows, format=format, output=output, fields=REJECT_COLUMNS)


@command.command("quality")
@click.option("--source", metavar="NAME", help="Only this source. Default: all.")
@click.option("--stored", is_flag=True, help="Show what is stored instead, by source: customers, contact points by kind, fields and records of plugins.")  # fmt: skip
@list_options
@click.pass_obj
def quality(
    state: State,
    source: str | None,
    stored: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Show how good the data of each source are, by import or, with --stored, as they stand.

    By import: shares of the rows read that were rejected, or that what is stored since has the same
    fault; stored data are looked at after the last two imports of a source. Change is against the
    import before it of that profile: above 0 the data have become worse.

    Missing is a row without its key or a required value, and a customer of whom nothing else is
    known; malformed a value that its field does not take, contact points by their kind; stale an
    older state, and a customer untouched for a year of a source not imported since; contradictory
    what does not go together; duplicate a repeated key, customer or number.

    Example: crmkit batch quality --source ibm
    """
    from ..intake.quality import COLUMNS as QUALITY
    from ..intake.quality import quality_rows
    from ..intake.stored_quality import STORED_COLUMNS, stored_rows

    shown = STORED_COLUMNS if stored else QUALITY
    with state.open() as crm:
        check_columns(shown, columns, sort)
        rows = (stored_rows if stored else quality_rows)(crm.store, source)
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=shown)


@command.command("absent")
@click.argument("id", metavar="ID")
@list_options
@click.pass_obj
def absent(
    state: State,
    id: str,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List the customers that a full extract (mode = "full") left out, as they were flagged.

    Nothing was deleted: whether they have gone is for somebody to say.

    Example: crmkit batch absent 250166919359889409
    """
    from ..intake.absent import absent_file, read_absent

    number = _import_id(id)
    with state.open() as crm:
        crm.store.imports.get(number)
        rows = read_absent(absent_file(crm.settings.rejects, number))
    emit(
        rows, format=format, output=output, columns=columns, sort=sort, limit=limit,
        fields=("source", "ref"),
    )  # fmt: skip


@command.command("revert")
@click.argument("id", metavar="ID")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option
@output_option
@click.pass_obj
def revert(
    state: State, id: str, dry_run: bool, yes: bool, format: str, output: str | None
) -> None:
    """Take an import back: what it created goes, what it changed is again as it was.

    It is refused, and nothing changed, where later work would be lost: rows that were edited since,
    or things that were added to what would go. Within revert_days of crmkit.toml (30) only. Scores
    and computed stages of what goes, go with it; rejects and the import's own record stay.

    Example: crmkit batch revert 250166919359889409 --dry-run
    """
    from ..store.revert import revert as take_back

    number = _import_id(id)
    with state.open() as crm:
        days = crm.settings.revert_days
        plan = take_back(crm.store, number, window_days=days, dry_run=True)
        if not (dry_run or plan.already):
            confirm(
                f"{_counted(plan.removed)} would go, {_counted(plan.restored)} be put back", yes
            )
            plan = take_back(crm.store, number, window_days=days)
    if plan.already:
        note("it had been reverted before; nothing was done.")
    if dry_run:
        note("dry run: nothing was changed.")
    emit_record(plan.as_dict(), format=format, output=output)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{rows} {name}" for name, rows in counts.items()) or "nothing"


def _import_id(id: str) -> int:
    if not id.isascii() or not id.isdigit():
        raise UsageError(f"{id!r} is no import id.", hint="See: crmkit batch list")
    return int(id)


def _row(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in COLUMNS}
