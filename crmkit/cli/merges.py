"""``crmkit customer merge`` and ``unmerge``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..entities.phrasing import counted
from ..errors import NotConfirmed, NotFound, UsageError
from .main import State
from .options import Number, format_option, output_option
from .output import emit, note

if TYPE_CHECKING:
    from ..store.merge import Merge
    from ..workspace import Crm

COLUMNS = ("kept_ref", "merged_ref", "changed", "run")


@click.command("merge")
@click.argument("a", metavar="[A_REF", required=False)
@click.argument("b", metavar="B_REF]", required=False)
@click.option("--at-least", type=Number(0.5, 1), metavar="P", help="Merge all pairs of at least this probability that nobody decided against.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would be merged and change nothing.")
@click.option("--yes", is_flag=True, help="Do merge all pairs of --at-least.")
@format_option
@output_option
@click.pass_obj
def merge(
    state: State,
    a: str | None,
    b: str | None,
    at_least: float | None,
    dry_run: bool,
    yes: bool,
    format: str,
    output: str | None,
) -> None:
    """Merge customer B into A, or all likely pairs at once.

    A stays; B's keys, contact points, records and interactions are shown with A from then on, and
    none of them is rewritten. A's own values stay too; where A has none, B's is taken, and of a
    consent the stricter one. crmkit customer unmerge takes it back.

    Example: crmkit customer merge billing:1042 hotel:77 --dry-run
    """
    if (at_least is None) == (a is None or b is None):
        raise UsageError("give two customers, or --at-least P for all likely pairs.")
    with state.open() as crm:
        if at_least is None:
            pairs = [_named_pair(crm, str(a), str(b))]
        else:
            pairs = crm.duplicates.likely(at_least)
            if not (yes or dry_run):
                raise NotConfirmed(
                    f"{counted(len(pairs), 'customer')} would be merged.",
                    hint="Look at them with --dry-run, merge them with --yes.",
                )
        refs = _refs(crm, [i for pair in pairs for i in pair])
        made = crm.duplicates.merge(pairs, dry_run=dry_run)
        rows = _rows(made, refs)
    emit(rows, format=format, output=output, fields=COLUMNS)
    if dry_run:
        note(f"{counted(len(rows), 'merge')}, none of them made.")
    elif rows:
        note(
            f"{counted(len(rows), 'merge')}; take them back with: crmkit customer unmerge --run {made[0].tx}"
        )


def _named_pair(crm: Crm, a: str, b: str) -> tuple[int, int]:
    kept, merged = crm.store.customers.find(a), crm.store.customers.find(b)
    if kept.id == merged.id:
        raise UsageError(f"{a!r} and {b!r} are one customer already.")
    return kept.id, merged.id


@click.command("unmerge")
@click.argument("customer", metavar="[REF]", required=False)
@click.option("--run", metavar="ID", help="Take back every merge of this run, as merge showed it.")
@click.option("--all", "every", is_flag=True, help="Take back every merge into this customer.")
@format_option
@output_option
@click.pass_obj
def unmerge(
    state: State, customer: str | None, run: str | None, every: bool, format: str,
    output: str | None,
) -> None:  # fmt: skip
    """Take a merge back, so that both customers are as they were.

    REF is a key of the customer that was merged into another. A key of the one that stayed does if
    only one was merged into it; else name that one, or give --all. What somebody edited since the
    merge stays as edited.

    Example: crmkit customer unmerge hotel:77
    """
    if (customer is None) == (run is None) or (every and customer is None):
        raise UsageError("give the key of a customer, or --run ID.")
    with state.open() as crm:
        found = _of_run(crm, run) if run is not None else _of_customer(crm, str(customer), every)
        crm.duplicates.unmerge(found)
        refs = _refs(crm, [i for m in found for i in (m.kept_id, m.merged_id)])
        rows = _rows(found, refs)
    emit(rows, format=format, output=output, fields=COLUMNS)
    note(f"{counted(len(rows), 'merge')} taken back.")


def _of_run(crm: Crm, run: str) -> list[Merge]:
    found = crm.store.merges.of_run(int(run)) if run.isascii() and run.isdigit() else []
    if not found:
        raise NotFound("run with merges that stand", run)
    return found


def _of_customer(crm: Crm, text: str, every: bool) -> list[Merge]:
    found = crm.store.merges.of_customer(crm.store.customers.find_own(text))
    if not found:
        raise UsageError(f"no other customer is merged with {text!r}.")
    if len(found) > 1 and not every:
        refs = _refs(crm, [m.merged_id for m in found])
        named = ", ".join(sorted(refs[m.merged_id] for m in found))
        raise UsageError(
            f"{counted(len(found), 'customer')} merged into {text!r}: {named}.",
            hint="Name one of them, or give --all.",
        )
    return found


def _refs(crm: Crm, ids: Sequence[int]) -> dict[int, str]:
    from ..present.people import shown_refs

    return shown_refs(crm.store, ids)


def _rows(merges: Sequence[Merge], refs: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "kept_ref": refs[m.kept_id], "merged_ref": refs[m.merged_id],
            "changed": ", ".join(m.changed), "run": str(m.tx) if m.tx else None,
        }
        for m in merges
    ]  # fmt: skip
