"""``crmkit customer duplicates``: pairs that may be one person, and what somebody says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..entities.phrasing import counted
from ..errors import UsageError
from .main import State
from .options import Number, format_option, listed, output_option
from .output import emit, emit_record, note

if TYPE_CHECKING:
    from ..workspace import Crm

COLUMNS = ("a_ref", "b_ref", "probability", "evidence", "decision")
# The words of crmkit.store.decisions, which is imported when a command runs.
DECISIONS = ("same", "different", "unsure")


# A morning's work, at half a minute each.
MANY_PAIRS = 500


@click.group("duplicates", invoke_without_command=True)
@click.option("--at-least", type=Number(0, 1), default=0.9, show_default=True, metavar="P", help="Lowest probability.")  # fmt: skip
@click.option("--undecided", is_flag=True, help="Only pairs that nobody has decided.")
@click.option("--engine", type=click.Choice(["splink", "fixed"]), help="splink learns weights from the customers, fixed takes general ones. Default: splink where it is installed, has enough to learn from and does better.")  # fmt: skip
@listed(COLUMNS)
@click.pass_context
def command(
    ctx: click.Context,
    at_least: float,
    undecided: bool,
    engine: str | None,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List pairs of customers that may be one person.

    Each pair has a probability, the evidence in words and what somebody decided. Nothing is
    changed: crmkit customer merge does that, pair by pair or for all above a probability.

    Example: crmkit customer duplicates --at-least 0.9 --undecided
    """
    if ctx.invoked_subcommand is not None:
        return
    state: State = ctx.obj
    from ..present.people import shown_refs

    with state.open() as crm:
        found = crm.duplicates.find(at_least, engine=engine)
        hidden = crm.store.privacy.hidden_customers()
        found = [p for p in found if not hidden.intersection((p.a_id, p.b_id))]
        if undecided:
            found = [pair for pair in found if pair.decision is None]
        refs = shown_refs(crm.store, {i for pair in found for i in (pair.a_id, pair.b_id)})
    rows = [
        {
            "a_ref": refs[pair.a_id], "b_ref": refs[pair.b_id], "probability": pair.probability,
            "evidence": pair.evidence, "decision": pair.decision,
        }
        for pair in found
    ]  # fmt: skip
    emit(
        rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=COLUMNS
    )
    if len(rows) > MANY_PAIRS:
        note(
            f"{counted(len(rows), 'pair')} is more than a person reads. List the surest first with "
            "--at-least 0.99, merge those with: crmkit customer merge --at-least 0.99 --dry-run"
        )
    note(f"{counted(len(rows), 'pair')}. Merge one with: crmkit customer merge A_REF B_REF")


@command.command("decide")
@click.argument("a", metavar="A_REF")
@click.argument("b", metavar="B_REF")
@click.argument("decision", type=click.Choice(DECISIONS))
@click.option("--reason", metavar="TEXT", help="Why; kept with the decision.")
@format_option
@output_option
@click.pass_obj
def decide(
    state: State, a: str, b: str, decision: str, reason: str | None, format: str, output: str | None
) -> None:
    """Say whether two customers are one; nothing is merged by it.

    A pair decided different is never taken when many are merged at once.

    Example: crmkit customer duplicates decide billing:1042 hotel:77 different
    """
    from ..present.people import shown_refs

    with state.open() as crm:
        one, other = crm.store.customers.find(a), crm.store.customers.find(b)
        if one.id == other.id:
            raise UsageError(f"{a!r} and {b!r} are one customer already.")
        crm.duplicates.decide([(one.id, other.id)], decision, reason)
        refs = shown_refs(crm.store, (one.id, other.id))
    row: dict[str, Any] = {"a_ref": refs[one.id], "b_ref": refs[other.id], "decision": decision}
    emit_record({**row, "reason": reason}, format=format, output=output)


@command.command("review")
@click.argument("a", metavar="A_REF")
@click.argument("b", metavar="B_REF")
@format_option
@output_option
@click.pass_obj
def review(state: State, a: str, b: str, format: str, output: str | None) -> None:
    """Show two customers side by side, to decide whether they are one.

    One row per field in which at least one of them has a value; secrets are masked, but whether they
    are the same is told.

    Example: crmkit customer duplicates review billing:1042 hotel:77
    """
    from ..policy import local_viewer, masked

    with state.open() as crm:
        sides = [_values(crm, ref) for ref in (a, b)]
        viewer = local_viewer(crm.actor)
        pii = _pii(crm)
    rows = []
    for field in dict.fromkeys([*sides[0], *sides[1]]):
        one, other = (side.get(field) for side in sides)
        same = None if one is None or other is None else one == other
        shown = [masked(value, pii.get(field, "direct"), viewer) for value in (one, other)]
        rows.append({"field": field, "a": shown[0], "b": shown[1], "same": same})
    emit(rows, format=format, output=output, fields=("field", "a", "b", "same"))


def _values(crm: Crm, ref: str) -> dict[str, str]:
    """What is known of a customer, by field and as text."""
    customer = crm.store.customers.find(ref)
    out = {name: getattr(customer, name) for name in ("kind", "name", "region", "owner", "team")}
    points: dict[str, list[str]] = {}
    for point in customer.contact_points:
        points.setdefault(point.kind, []).append(point.value)
    out |= {kind: ", ".join(sorted(values)) for kind, values in points.items()}
    for plugin, values in crm.store.customers.fields(customer.id).items():
        out |= {f"{plugin}.{name}": value for name, value in values.items()}
    return {name: str(value) for name, value in out.items() if value is not None}


def _pii(crm: Crm) -> dict[str, str]:
    """The class of each field; names and contact points are direct."""
    return {
        f"{plugin}.{f.name}": f.pii
        for plugin, declared in crm.catalog.customer_fields.items()
        for f in declared.fields.fields
    }
