"""``crmkit customer assign`` and what belongs to it: who works which customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ..entities.phrasing import counted
from ..errors import NotConfirmed, UsageError
from .confirm import confirm
from .main import State
from .options import DAYS, WHOLE, format_option, limit_option, listed, output_option
from .output import emit, emit_record, named, note

if TYPE_CHECKING:
    from ..store.ownership import Assignment, Passing
    from ..workspace import Crm

RULES = ("round-robin", "region", "load")
PASSED = (
    "customer_id", "line", "from_agent", "to_agent", "rule", "orphaned", "reason",
)  # fmt: skip
LOGGED = ("batch", *PASSED, "assigned_on", "actor")
CLAIMS = (
    "customer_id", "line", "agent", "claimed_on", "evidence", "status", "rule", "decision",
    "decided_by", "decided_at",
)  # fmt: skip
AGENTS = ("agent", "customers", "left_on")
SHEET = (
    "customer_id", "region", "lines", "stage", "last_contact_on", "open_items", "open",
    "renewal_on", "renewal",
)  # fmt: skip

_day = click.DateTime(formats=["%Y-%m-%d"])
_on = click.option("--on", type=_day, metavar="DATE", help="Day, as 2027-01-31. Default: today.")
_reason = click.option("--reason", metavar="TEXT", help="Why; kept with it.")
_line = click.option(
    "--line",
    default="all",
    show_default=True,
    metavar="NAME",
    help="Line of business: a plugin's name, or all.",
)


def _rows(found: Iterable[Any], columns: Sequence[str]) -> list[dict[str, Any]]:
    out = [{name: getattr(row, name) for name in columns} for row in found]
    for row in out:
        # Ids are text in every form (D11).
        if "batch" in row:
            row["batch"] = str(row["batch"])
    return out


def _date(value: datetime | None) -> Any:
    return None if value is None else value.date()


# --- assigning ------------------------------------------------------------------------------------


@click.command("assign")
@click.argument("customer", metavar="[REF]", required=False)
@click.option("--from", "from_agent", metavar="AGENT", help="Everything that this agent has.")
@click.option("--orphans", is_flag=True, help="Every customer whose owner left, or who has none.")
@click.option("--reverse", "batch", type=WHOLE, metavar="BATCH", help="Give the customers of an earlier step back to whom they came from.")  # fmt: skip
@click.option("--to", "targets", multiple=True, metavar="AGENT", help="New owner; several share by the rule.")  # fmt: skip
@click.option("--rule", type=click.Choice(RULES), default=RULES[0], show_default=True, help="How several share: in turn; by who has most customers of the region; by who has fewest customers.")  # fmt: skip
@click.option("--line", metavar="NAME", help="Line of business: a plugin's name, or all. Default: everything with --from and --orphans, all with REF.")  # fmt: skip
@_reason
@click.option("--dry-run", is_flag=True, help="Show who would get whom and change nothing.")
@click.option("--yes", is_flag=True, help="Confirm a step over many customers, or over a protected one.")  # fmt: skip
@format_option
@output_option
@click.pass_obj
def assign_customers(
    state: State, /, customer: str | None, from_agent: str | None, orphans: bool,
    batch: int | None, targets: tuple[str, ...], rule: str, line: str | None,
    reason: str | None, dry_run: bool, yes: bool, format: str, output: str | None,
) -> None:  # fmt: skip
    """Give customers to other agents, all in one step.

    Each passing is logged with its day, reason and line of business, and the customer keeps its
    earlier owners in its history. Customers of an agent who left, and nobody's, are orphans. Nobody
    who left can get any. While renewals are protected a customer passes only with --yes, or if its
    owner gives it away.

    Example: crmkit customer assign --from ann --to ben --to cem --rule load --dry-run
    """
    asked = [customer is not None, from_agent is not None, orphans, batch is not None]
    if sum(asked) != 1:
        raise UsageError("say what to assign: REF, --from AGENT, --orphans or --reverse BATCH.")
    if batch is None and not targets:
        raise UsageError("nobody to assign to.", hint="Give --to AGENT.")
    if batch is not None and targets:
        raise UsageError("--reverse gives customers back to whom they came from, without --to.")
    with state.open() as crm:
        if customer is not None:
            found = _assign_one(crm, customer, targets, line or "all", reason, dry_run, yes)
        elif batch is not None:
            found = _reverse(crm, batch, dry_run, yes)
        else:
            found = _assign_many(crm, from_agent, targets, rule, line, reason, dry_run, yes)
        grid = named(crm, _rows(found, PASSED), PASSED)
        _tell(found, dry_run)
    emit(grid, format=format, output=output)


def _assign_one(
    crm: Crm, customer: str, targets: Sequence[str], line: str, reason: str | None,
    dry_run: bool, yes: bool,
) -> Sequence[Passing | Assignment]:  # fmt: skip
    if len(targets) > 1:
        raise UsageError("one customer goes to one agent.")
    person = crm.store.customers.find(customer).id
    planned = crm.ownership.plan_one(person, targets[0], line=line, reason=reason)
    if dry_run:
        return [planned]
    return [crm.ownership.assign(person, targets[0], line=line, reason=reason, over_protection=yes)]


def _assign_many(
    crm: Crm, from_agent: str | None, targets: Sequence[str], rule: str, line: str | None,
    reason: str | None, dry_run: bool, yes: bool,
) -> Sequence[Passing | Assignment]:  # fmt: skip
    planned = crm.ownership.plan(
        targets, from_agent=from_agent, rule=rule, line=line, reason=reason
    )
    if dry_run:
        return planned
    if not yes:
        crm.ownership.check_passings(planned)
        raise NotConfirmed(
            f"{len({p.customer_id for p in planned})} customers would pass to "
            f"{', '.join(targets)}.",
            hint="See them with --dry-run, and do it with --yes.",
        )
    return crm.ownership.hand_over(
        targets, from_agent=from_agent, rule=rule, line=line, reason=reason, over_protection=True
    )


def _reverse(crm: Crm, batch: int, dry_run: bool, yes: bool) -> Sequence[Passing]:
    planned = crm.ownership.reverse(batch, dry_run=True)
    if dry_run:
        return planned
    if not yes:
        raise NotConfirmed(
            f"{counted(len(planned), 'assignment')} would be reversed.",
            hint="See them with --dry-run, and do it with --yes.",
        )
    return crm.ownership.reverse(batch)


def _tell(found: Sequence[Passing | Assignment], dry_run: bool) -> None:
    if dry_run:
        note(f"{len(found)} would pass; nothing was changed.")
        return
    batch = next((getattr(a, "batch", None) for a in found), None)
    undo = f" Undo with: crmkit customer assign --reverse {batch} --yes" if batch else ""
    note(f"{len(found)} passed.{undo}")


@click.command("assignments")
@click.argument("customer", metavar="[REF]", required=False)
@listed(LOGGED, detail=("batch", "line", "orphaned", "rule", "actor"))
@click.pass_obj
def list_assignments(
    state: State, customer: str | None, limit: int | None, columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None, format: str, output: str | None,
) -> None:  # fmt: skip
    """Show who was given whom, when, by whom and why; of one customer or of all, the last first.

    Example: crmkit customer assignments 1042
    """
    with state.open() as crm:
        person = None if customer is None else crm.store.customers.find(customer).id
        found = crm.ownership.rows.assignments(customer_id=person, limit=None if sort else limit)
        grid = named(crm, _rows(found, LOGGED), LOGGED)
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)


@click.command("orphans")
@limit_option
@format_option
@output_option
@click.pass_obj
def list_orphans(state: State, limit: int | None, format: str, output: str | None) -> None:
    """List customers whose owner left, or who have none.

    How many of them stay after they got a new owner: crmkit report run core.reassigned-retention

    Example: crmkit customer orphans --limit 20
    """
    columns = ("customer_id", "region", "team", "owner", "left_on")
    with state.open() as crm:
        away = crm.ownership.away()
        found = crm.ownership.rows.orphans(away, limit=limit)
        rows = [
            {
                "customer_id": o.customer_id, "region": o.region, "team": o.team,
                "owner": o.owner, "left_on": away.get(o.owner or ""),
            }
            for o in found
        ]  # fmt: skip
        grid = named(crm, rows, columns)
    emit(grid, format=format, output=output)


@click.command("handover")
@click.argument("agent")
@click.option("--days", type=DAYS, default=90, show_default=True, metavar="N", help="Show renewals due within N days, or overdue by as much.")  # fmt: skip
@listed(SHEET, detail=("lines", "region"))
@click.pass_obj
def show_handover(
    state: State, agent: str, days: int, limit: int | None, columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None, format: str, output: str | None,
) -> None:  # fmt: skip
    """Write the handover sheet of an agent: customers, open items, last contact, renewals due.

    Renewals are date fields of records whose names end in ends_on, expires_on, renews_on or
    renewal_on. The next renewal comes first.

    Example: crmkit customer handover ann --format csv
    """
    from ..access.handover import handover_sheet

    with state.open() as crm:
        found = handover_sheet(crm.store, crm.ownership, agent, days=days)
        grid = named(crm, _rows(found, SHEET), SHEET)
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)


# --- protection and claims ------------------------------------------------------------------------


@click.command("protection")
@click.argument("customer", metavar="REF")
@click.option(
    "--agent", metavar="NAME", help="Exit with 4 if this agent may not work the renewals."
)
@_line
@_on
@format_option
@output_option
@click.pass_obj
def show_protection(
    state: State, /, customer: str, agent: str | None, line: str, on: datetime | None,
    format: str, output: str | None,
) -> None:  # fmt: skip
    """Say whether a customer's renewals are its owner's alone on a day.

    The protection begins with the assignment and lasts protection_months of crmkit.toml.

    Example: crmkit customer protection 1042 --line telecom --on 2027-01-31
    """
    with state.open() as crm:
        person, day = crm.store.customers.find(customer).id, _date(on)
        if agent is not None:
            crm.ownership.check_renewal(person, agent, line=line, on=day)
        held = crm.ownership.protection(person, line=line, on=day)
    record: Mapping[str, Any] = {
        "ref": customer, "line": held.line, "owner": held.owner, "since_on": held.since_on,
        "free_on": held.free_on, "protected": held.stands, "why": held.why,
    }  # fmt: skip
    emit_record(record, format=format, output=output)


@click.command("claim")
@click.argument("customer", metavar="REF")
@click.option(
    "--agent", required=True, metavar="NAME", help="Who says that the customer is theirs."
)
@click.option("--evidence", metavar="TEXT", help="What proves it, as a contract number.")
@_line
@_on
@format_option
@output_option
@click.pass_obj
def add_claim(
    state: State, /, customer: str, agent: str, evidence: str | None, line: str,
    on: datetime | None, format: str, output: str | None,
) -> None:  # fmt: skip
    """File that an agent says that a customer is theirs since a day.

    Refused while the customer is protected for another, and for agents who left. `settle` decides.

    Example: crmkit customer claim 1042 --agent ben --evidence "contract 77-12" --on 2026-03-01
    """
    with state.open() as crm:
        person = crm.store.customers.find(customer).id
        made = crm.ownership.claim(person, agent, line=line, on=_date(on), evidence=evidence)
        grid = named(crm, _rows([made], CLAIMS), CLAIMS)
    emit(grid, format=format, output=output)


@click.command("claims")
@click.argument("customer", metavar="[REF]", required=False)
@click.option("--status", type=click.Choice(("open", "won", "lost")), help="Only these claims.")
@listed(CLAIMS, detail=("line", "rule", "decided_by", "decided_at"))
@click.pass_obj
def list_claims(
    state: State, customer: str | None, status: str | None, limit: int | None,
    columns: tuple[str, ...] | None, sort: tuple[str, ...] | None, format: str,
    output: str | None,
) -> None:  # fmt: skip
    """List claims and how they were settled; on one customer or on all.

    Example: crmkit customer claims --status open
    """
    with state.open() as crm:
        person = None if customer is None else crm.store.customers.find(customer).id
        found = crm.ownership.rows.claims(customer_id=person, status=status)
        grid = named(crm, _rows(found, CLAIMS), CLAIMS)
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)


@click.command("settle")
@click.argument("customer", metavar="REF")
@click.option("--to", metavar="AGENT", help="A manager's decision; needs --reason.")
@_reason
@_line
@click.option("--dry-run", is_flag=True, help="Show the decision and change nothing.")
@format_option
@output_option
@click.pass_obj
def settle_claims(
    state: State, /, customer: str, to: str | None, reason: str | None, line: str,
    dry_run: bool, format: str, output: str | None,
) -> None:  # fmt: skip
    """Settle the open claims on a customer; the winner becomes its owner.

    The earliest claim with evidence wins. Else who served the customer last wins. Else a manager
    decides with --to and --reason. Every claim keeps the decision and why.

    Example: crmkit customer settle 1042
    """
    with state.open() as crm:
        person = crm.store.customers.find(customer).id
        made = crm.ownership.settle(person, line=line, to=to, reason=reason, dry_run=dry_run)
    record = {"ref": customer, "agent": made.agent, "rule": made.rule, "why": made.why}
    emit_record(record, format=format, output=output)


# --- agents ---------------------------------------------------------------------------------------


@click.group("agent")
def agent_group() -> None:
    """Say which agents left or came back."""


@agent_group.command("leave")
@click.argument("agent", metavar="NAME")
@_on
@_reason
@click.option("--yes", is_flag=True, help="Confirm for a name of which nothing is known here.")
@click.pass_obj
def agent_leaves(
    state: State, agent: str, on: datetime | None, reason: str | None, yes: bool
) -> None:
    """File that an agent leaves; from that day they get no customers and claim none.

    Their customers become orphans until they are handed over. A name that has no customers, and
    never had or wrote anything, may be mistyped, so it asks.

    Example: crmkit customer agent leave ann --on 2026-12-31
    """
    with state.open() as crm:
        near = crm.ownership.rows.known_as(agent)
        if agent not in near:
            meant = f" (known: {', '.join(near)})" if near else ""
            confirm(f"nothing is known here of an agent {agent}{meant}", yes)
        made = crm.ownership.leave(agent, on=_date(on), reason=reason)
        count = len(crm.ownership.rows.owned_by([agent]))
    note(f"{agent} leaves on {made.changed_on} with {counted(count, 'customer')} to hand over.")
    if count:
        note(f"See them with: crmkit customer handover {agent}")


@agent_group.command("return")
@click.argument("agent", metavar="NAME")
@_on
@_reason
@click.pass_obj
def agent_returns(state: State, agent: str, on: datetime | None, reason: str | None) -> None:
    """File that an agent who left works here again.

    Example: crmkit customer agent return ann
    """
    with state.open() as crm:
        made = crm.ownership.come_back(agent, on=_date(on), reason=reason)
    note(f"{agent} is back from {made.changed_on}.")


@agent_group.command("list")
@listed(AGENTS)
@click.pass_obj
def list_agents(
    state: State, limit: int | None, columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None, format: str, output: str | None,
) -> None:  # fmt: skip
    """List everybody who has customers or left, with how many customers they have.

    Example: crmkit customer agent list --sort -customers
    """
    with state.open() as crm:
        away = crm.ownership.away()
        counts = dict.fromkeys(sorted(away), 0)
        for (owner, _region), number in crm.ownership.rows.loads().items():
            counts[owner] = counts.get(owner, 0) + number
    rows = [{"agent": a, "customers": n, "left_on": away.get(a)} for a, n in sorted(counts.items())]
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=AGENTS)


COMMANDS: tuple[click.Command, ...] = (
    assign_customers, list_assignments, list_orphans, show_handover, show_protection, add_claim,
    list_claims, settle_claims, agent_group,
)  # fmt: skip
