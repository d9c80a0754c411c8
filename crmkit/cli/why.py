"""``crmkit why``: what stands behind a stage, score, segment or rule of a customer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ..declarations import CUSTOMER
from .main import State
from .options import AS_OF, format_option, output_option
from .output import emit, emit_record, named, note

if TYPE_CHECKING:
    from ..analysis.why import Reason

FIELDS = (
    "customer_id", "record_id", "what", "kind", "value", "known_then", "since", "as_of",
    "recorded_at", "reasons", "evidence", "by", "version", "actor",
)  # fmt: skip


@click.command("why")
@click.argument("customer")
@click.argument("what")
@click.option(
    "--at",
    metavar="DATE",
    type=AS_OF,
    help="At the end of this day, or at this time. Default: now.",
)
@format_option
@output_option
@click.pass_obj
def command(
    state: State, customer: str, what: str, at: str | None, format: str, output: str | None
) -> None:
    """Say why a customer is in a stage or segment, has a score, or was fired on.

    WHAT is the name of a lifecycle, score, segment or rule. The row gives what was true at the date
    by all that is recorded today, since when, the reasons and evidence, and which rule, model or
    person decided. known_then is what was recorded by that date: it differs where a move was entered
    late or a run was made afterwards. Reads the store and runs/ and computes nothing anew.

    Example: crmkit why 7590-VHVEG telecom.subscriber --at 2026-03-31
    """
    with state.open() as crm:
        who = crm.store.customers.find(customer).id
        found = crm.why.explain(who, what, crm.as_of(at))
        rows = [_row(who, one) for one in found]
        grid = named(crm, rows, FIELDS)
    if not any(row["value"] is not None for row in rows):
        note(f"nothing is kept of {what} for this customer at that date.")
    if len(rows) == 1:
        record = dict(zip(grid.names, next(iter(grid.rows())), strict=True))
        emit_record(record, format=format, output=output)
    else:
        emit(grid, format=format, output=output)


def _row(customer_id: int, reason: Reason) -> dict[str, Any]:
    told = dict(reason.evidence)
    return {
        "customer_id": customer_id,
        "record_id": None if reason.subject_type == CUSTOMER else reason.subject_id,
        "what": reason.what,
        "kind": reason.kind,
        "value": reason.value,
        "known_then": reason.known_then,
        "since": reason.since,
        "as_of": reason.as_of,
        "recorded_at": reason.recorded_at,
        "reasons": "; ".join(reason.reasons) or None,
        "evidence": json.dumps(told, ensure_ascii=False) if told else None,
        "by": reason.by,
        "version": reason.version,
        "actor": reason.actor,
    }
