"""``crmkit lifecycle``: stages, moves and measures."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ..declarations import CUSTOMER
from ..errors import NotFound
from .main import State
from .options import as_of_option, format_option, listed, output_option
from .output import emit, emit_record, named, note

if TYPE_CHECKING:
    from ..entities.lifecycle import Lifecycle, StageChange
    from ..workspace import Crm

CORE = "core.customer"
SHOW_FIELDS = ("lifecycle", "position", "stage", "title", "kind", "moves_to")
FUNNEL_FIELDS = (
    "lifecycle", "counts", "position", "stage", "kind", "customers", "reached", "conversion", "median_days",
)  # fmt: skip
HISTORY_FIELDS = (
    "customer_id", "record_type", "record", "lifecycle", "from_stage", "to_stage", "at", "reason",
    "rule", "actor",
)  # fmt: skip
PROPOSE_FIELDS = (
    "customer_id", "record_type", "record", "lifecycle", "from_stage", "to_stage", "reason", "rule",
    "verdict",
)  # fmt: skip

_lifecycle = click.option("--lifecycle", metavar="NAME", help="The lifecycle, as core.customer.")


@click.group("lifecycle")
def command() -> None:
    """Show, move and measure stages."""


@command.command("show")
@click.argument("name", required=False)
@listed(SHOW_FIELDS)
@click.pass_obj
def show_lifecycle(
    state: State,
    name: str | None,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Show the stages of one or all lifecycles, and where each stage may move to.

    Example: crmkit lifecycle show telecom.subscriber
    """
    with state.open() as crm:
        found = [crm.lifecycles.get(name)] if name else list(crm.lifecycles.list())
    rows = [row for lifecycle in found for row in _stages(lifecycle, state.lang)]
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=SHOW_FIELDS)  # fmt: skip


def _stages(lifecycle: Lifecycle, language: str | None) -> list[dict[str, Any]]:
    return [
        {
            "lifecycle": lifecycle.name,
            "position": position,
            "stage": stage.name,
            "title": (stage.title_zh if language == "zh" else "") or stage.title or stage.name,
            "kind": stage.kind,
            "moves_to": ", ".join(lifecycle.next_stages(stage.name)),
        }
        for position, stage in enumerate(lifecycle.stages, start=1)
    ]


@command.command("advance")
@click.argument("ref")
@click.argument("stage")
@click.option("--lifecycle", default=CORE, metavar="NAME", help=f"The lifecycle. Default: {CORE}.")
@click.option("--reason", default="", help="Why, in your own words.")
@format_option
@output_option
@click.pass_obj
def advance(
    state: State,
    ref: str,
    stage: str,
    lifecycle: str,
    reason: str,
    format: str,
    output: str | None,
) -> None:
    """Move a customer, or a record by its key, to a stage.

    A move that the lifecycle forbids is refused with the stages that are allowed. A customer's core
    stage follows from the stages of the plugins at once.

    Example: crmkit lifecycle advance 7590-VHVEG won-back --lifecycle telecom.subscriber --reason "took the offer"
    """
    with state.open() as crm:
        found = crm.lifecycles.get(lifecycle)
        subject = _subject(crm, found.subject, ref)
        change = crm.lifecycles.advance(lifecycle, subject, stage, reason)
        grid = named(crm, _changes(crm, [change]), HISTORY_FIELDS)
    record = dict(zip(grid.names, next(iter(grid.rows())), strict=True))
    emit_record(record, format=format, output=output)


def _subject(crm: Crm, subject: str, ref: str) -> int:
    """The id of a customer by its key, or of a record by its key or id."""
    if subject == CUSTOMER:
        return crm.store.customers.find(ref).id
    try:
        return crm.store.records.find(subject, ref).id
    except NotFound:
        if not ref.isdecimal() or not crm.store.records.read(
            subject, ("id",), where={"id": int(ref)}
        ):
            raise
        return int(ref)


def _subjects(crm: Crm, ref: str, lifecycle: str | None) -> dict[str, set[int]]:
    """Whom a key means: a record of the lifecycle, or a customer with all its records."""
    if lifecycle is not None and crm.lifecycles.get(lifecycle).subject != CUSTOMER:
        subject = crm.lifecycles.get(lifecycle).subject
        return {subject: {_subject(crm, subject, ref)}}
    try:
        customer = crm.store.customers.find(ref).id
    except NotFound:
        for subject in dict.fromkeys(one.subject for one in crm.lifecycles.list()):
            if subject != CUSTOMER:
                with suppress(NotFound):
                    return {subject: {_subject(crm, subject, ref)}}
        raise
    found = {CUSTOMER: {customer}}
    for record in crm.store.records.list_for(customer):
        found.setdefault(record.type, set()).add(record.id)
    return found


def _who(crm: Crm, subjects: Iterable[tuple[str, int]]) -> dict[tuple[str, int], dict[str, Any]]:
    """How each subject is shown: the customer, and the record by its type and key."""
    by_type: dict[str, set[int]] = {}
    for subject, number in subjects:
        by_type.setdefault(subject, set()).add(number)
    shown: dict[tuple[str, int], dict[str, Any]] = {}
    for subject, ids in by_type.items():
        if subject == CUSTOMER:
            shown |= {
                (subject, i): {"customer_id": i, "record_type": None, "record": None} for i in ids
            }
            continue
        of_customer = crm.store.records.entity(subject).owner == CUSTOMER
        for i, ref, owner in crm.store.records.read(
            subject, ("id", "ref", "owner_id"), among={"id": ids}
        ):
            shown[subject, i] = {
                "customer_id": owner if of_customer else None, "record_type": subject, "record": ref,
            }  # fmt: skip
    return shown


def _changes(crm: Crm, changes: Iterable[StageChange]) -> list[dict[str, Any]]:
    listed = list(changes)
    who = _who(crm, ((c.subject_type, c.subject_id) for c in listed))
    return [
        {
            **who.get((change.subject_type, change.subject_id), {}),
            "lifecycle": change.lifecycle,
            "from_stage": change.from_stage,
            "to_stage": change.to_stage,
            "at": change.at,
            "reason": change.reason,
            "rule": change.rule,
            "actor": change.actor,
        }
        for change in listed
    ]


@command.command("history")
@click.argument("ref")
@_lifecycle
@listed(HISTORY_FIELDS, detail=("rule", "actor"))
@click.pass_obj
def history(
    state: State,
    ref: str,
    lifecycle: str | None,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Show every stage that a customer has been in, when and why.

    With the --lifecycle of a record type REF is the key of a record.

    Example: crmkit lifecycle history 7590-VHVEG
    """
    with state.open() as crm:
        subject = CUSTOMER if lifecycle is None else crm.lifecycles.get(lifecycle).subject
        changes = crm.lifecycles.history(_subject(crm, subject, ref), lifecycle)
        grid = named(crm, _changes(crm, changes), HISTORY_FIELDS)
    if not changes:
        note("it has no stage yet: crmkit lifecycle propose --apply")
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)


@command.command("funnel")
@click.argument("name", default=CORE)
@as_of_option
@listed(FUNNEL_FIELDS)
@click.pass_obj
def funnel(
    state: State,
    name: str,
    as_of: str | None,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Count who is in each stage, who ever reached it, and how long stays lasted.

    Counts customers, or the records that the lifecycle is about: `counts` names which.
    Conversion is against the stage before, that of an end against all who ever had a stage; the
    median is over stays that have ended, in days.

    Example: crmkit lifecycle funnel telecom.subscriber --as-of 2026-03-31
    """
    with state.open() as crm:
        table = crm.lifecycles.funnel(name, crm.as_of(as_of))
        subject = crm.lifecycles.get(name).subject
    what = "customers" if subject == CUSTOMER else f"records of {subject}"
    rows = [{"lifecycle": name, "counts": subject, **row} for row in table.to_pylist()]
    note(f"{name} counts {what}, in the column customers for every lifecycle.")
    if not any(row["customers"] for row in rows):
        note(f"nobody has a stage in {name} yet: crmkit lifecycle propose --apply")
    fields = [{key: row[key] for key in FUNNEL_FIELDS} for row in rows]
    emit(fields, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=FUNNEL_FIELDS)  # fmt: skip


@command.command("propose")
@click.argument("ref", required=False)
@as_of_option
@_lifecycle
@click.option("--apply", is_flag=True, help="Make the moves. Default: only show them.")
@listed(PROPOSE_FIELDS, detail=("rule",))
@click.pass_obj
def propose(
    state: State,
    ref: str | None,
    as_of: str | None,
    lifecycle: str | None,
    apply: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Find where everyone ought to stand, and with --apply move them there.

    With REF only one customer, with its records, or one record by its key.
    Proposals come from the lifecycle's own SQL and from rules with the action propose_stage; the
    core stage follows from the stages of the plugins. Proposals that the lifecycle forbids, and
    moves that a plugin vetoes, are shown with their verdict and not made.

    Example: crmkit lifecycle propose --as-of 2026-03-31 --apply
    """
    with state.open() as crm:
        only = None if ref is None else _subjects(crm, ref, lifecycle)
        found = crm.lifecycles.propose(crm.as_of(as_of), apply, lifecycle=lifecycle, only=only)
        verdict = "moved" if found.applied else "proposed"
        moves = [
            *((row, verdict) for row in found.moves.to_pylist()),
            *((row, "impossible") for row in found.impossible.to_pylist()),
            *((row, f"vetoed by {row['plugin']}: {row['veto']}") for row in found.vetoed.to_pylist()),
        ]  # fmt: skip
        who = _who(crm, ((row["subject_type"], row["subject_id"]) for row, _ in moves))
        rows = [
            {**row, **who.get((row["subject_type"], row["subject_id"]), {}), "verdict": verdict}
            for row, verdict in moves
        ]
        grid = named(crm, rows, PROPOSE_FIELDS)
    for fault in found.faults:
        note(f"{fault} It was left out.")
    for count in found.counts:
        parts = (f"{count[key]} {key}" for key in ("moves", "unchanged", "impossible", "vetoed", "later") if count[key])  # fmt: skip
        note(f"{count['lifecycle']}: {', '.join(parts) or 'nobody'}")
    if not found.applied and found.moves.num_rows:
        note("nothing was moved; with --apply the moves are made.")
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)
