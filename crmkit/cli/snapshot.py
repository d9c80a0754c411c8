"""``crmkit snapshot``: the read-only columnar copy of the store that analysis is asked of."""

from __future__ import annotations

import click

from ..entities.phrasing import counted
from ..errors import CrmkitError
from .main import State
from .options import format_option, output_option
from .output import emit, note

TABLES = ("table", "rows")
DIFFERENCES = ("table", "figure", "snapshot", "store")


@click.command("snapshot")
@click.option("--full", is_flag=True, help="Read everything anew, not only what is new.")
@click.option("--verify", is_flag=True, help="Compare counts and sums with the store afterwards.")
@output_option
@format_option
@click.pass_obj
def command(state: State, full: bool, verify: bool, format: str, output: str | None) -> None:
    """Refresh the warehouse from the store and list its tables.

    Reads the transactions that the snapshot does not have yet and writes new files beside the old
    ones; whoever reads meanwhile sees the old snapshot. Reports, features and scores refresh it by
    themselves when it is stale. Files of the warehouse that are missing or damaged are found by their
    checksums and read anew. Versions of customers and records count as rows; those of whom you
    may not learn are not counted.

    With --verify the rows are the figures that differ, and a difference exits 1.

    Example: crmkit snapshot --verify
    """
    with state.open() as crm:
        made = crm.warehouse.refresh(full=full, suspects=None)
        differences = crm.warehouse.verify() if verify else []
        counts = {} if verify else crm.warehouse.shown_counts(made.tables)
    note(
        f"{counted(made.transactions, 'transaction')} in the snapshot, {made.added} of them new, "
        f"{made.seconds:.1f} s{', all read anew' if made.full else ''}"
    )
    if not verify:
        rows = [{"table": name, "rows": count} for name, count in counts.items()]
        emit(rows, format=format, output=output, fields=TABLES)
        return
    found = [{name: getattr(d, name) for name in DIFFERENCES} for d in differences]
    emit(found, format=format, output=output, fields=DIFFERENCES)
    if differences:
        raise CrmkitError(
            f"the snapshot differs from the store in {counted(len(differences), 'figure')}.",
            code="E_SNAPSHOT",
            hint="Rebuild it with: crmkit snapshot --full",
        )
    note("the snapshot agrees with the store")
