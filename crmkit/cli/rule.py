"""``crmkit rule``: what to do when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..declarations import CUSTOMER
from ..errors import PluginError
from .main import State
from .options import as_of_option, engine_option, explain_option, list_options
from .output import emit, emit_script, named, note

if TYPE_CHECKING:
    from ..analysis.firings import Serving
    from ..declarations import Rule
    from ..workspace import Crm

LIST_FIELDS = (
    "name", "title", "plugin", "subject", "when", "action", "target", "message", "cooldown_days",
    "source",
)  # fmt: skip
COUNT_FIELDS = (
    "rule", "version", "action", "target", "looked_at", "why", "fired", "cooling", "served",
)  # fmt: skip
VERSION_FIELDS = (
    "version", "first_on", "last_on", "runs", "when", "action", "target", "message", "cooldown_days",
)  # fmt: skip


@click.group("rule")
def command() -> None:
    """List and run rules."""


@command.command("list")
@list_options
@click.pass_obj
def list_rules(
    state: State,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List the rules of the enabled plugins.

    Example: crmkit rule list --columns name,when,action,target
    """
    with state.open() as crm:
        rows = [_listed(crm, rule, state.lang) for rule in crm.catalog.rules.values()]
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=LIST_FIELDS)  # fmt: skip


def _listed(crm: Crm, rule: Rule, language: str | None) -> dict[str, Any]:
    return {
        "name": rule.name,
        "title": (rule.title_zh if language == "zh" else "") or rule.title,
        "plugin": crm.catalog.owner(rule.name),
        "subject": rule.subject,
        "when": rule.when,
        "action": rule.action,
        "target": rule.target,
        "message": rule.message,
        "cooldown_days": rule.cooldown_days,
        "source": rule.source,
    }


@command.command("run")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_of_option
@click.option(
    "--customer",
    metavar="REF",
    help="Only this customer, from the rows as they are in the store now.",
)
@click.option(
    "--changed", is_flag=True, help="Look only at whose answer may have changed since the last run."
)
@click.option("--dry-run", is_flag=True, help="Show what would fire; keep and hand out nothing.")
@click.option("--counts", is_flag=True, help="Show how often each rule fired instead.")
@engine_option
@explain_option
@list_options
@click.pass_obj
def run_rules(
    state: State,
    names: tuple[str, ...],
    as_of: str | None,
    customer: str | None,
    changed: bool,
    dry_run: bool,
    counts: bool,
    engine: str | None,
    explain: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Run the rules over everyone in one pass, and keep what they fired on.

    All rules run unless some are named. Each row says on whom, what to do, and why, with the
    evidence as JSON and the version of the rule's text. A rule that fails is named on stderr and the
    others run. Writes files under runs/ and the latest firings in the store, and hands the firings
    to the plugins that carry them out.

    --changed gives the same firings in less time: a rule whose answer cannot change by itself is
    asked for customers with new data alone; --counts says who was looked at and why. With --explain
    the conditions are asked for everyone, and nothing fires.

    Example: crmkit rule run telecom.bill-shock --limit 20
    """
    if customer is not None and changed:
        raise click.UsageError("--customer and --changed exclude each other.")
    script: list[str] | None = [] if explain else None
    with state.open() as crm, crm.warehouse.using(engine, script):
        at = crm.as_of(as_of)
        if script is not None:
            crm.rules.ask(at, names or None)
            emit_script(script, output=output)
            return
        if customer is not None:
            who = crm.store.customers.find(customer).id
            found = crm.rules.run_for(who, at, names or None, keep=not dry_run)
        else:
            found = crm.rules.run(at, names or None, changed=changed, keep=not dry_run)
        served = None if dry_run else crm.firings.serve(at, names or None)
        table = [_counted(row, served) for row in found.counts]
        rows = [_fired(row) for row in found.rows()]
        fields = ("rule", *_keys(rows), "action", "target", "message", "evidence", "version")
        grid = named(crm, rows, fields)
    for remark in (*found.remarks, *(f"rule {n} did not run: {why}" for n, why in found.faults.items())):  # fmt: skip
        note(remark)
    for fault in served.faults if served else ():
        note(f"{fault} What it did for that batch was undone.")
    unserved = [c for c in table if c["fired"] and not c["served"]]
    for count in unserved:
        note(
            f"{count['rule']} fired {count['fired']} times; nobody serves {count['action']} "
            f"{count['target']} yet, so the firings are only kept."
        )
    if counts:
        emit(table, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=COUNT_FIELDS)  # fmt: skip
    else:
        emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)
    if served and served.faults:
        click.get_current_context().exit(PluginError.exit_code)


def _counted(count: dict[str, Any], served: Serving | None) -> dict[str, Any]:
    """A rule's counts with how many of its firings plugins have carried out."""
    done = served.served.get(count["rule"], 0) if served else 0
    return {**count, "served": max(count["served"], min(done, count["fired"]))}


@command.command("versions")
@click.argument("name")
@list_options
@click.pass_obj
def list_versions(
    state: State,
    name: str,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List the texts under which a rule has run, with the first and last as-of day of each.

    Every firing keeps the version of the text that fired.

    Example: crmkit rule versions telecom.bill-shock
    """
    with state.open() as crm:
        rows = crm.rules.versions(name)
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=VERSION_FIELDS)  # fmt: skip


def _fired(row: dict[str, Any]) -> dict[str, Any]:
    """A firing under ``customer_id``, or under subject_type and subject_id for a record."""
    named = row["subject_type"] == CUSTOMER
    return {
        "rule": row["rule"],
        "customer_id": row["subject_id"] if named else None,
        "subject_type": row["subject_type"],
        "subject_id": None if named else row["subject_id"],
        "action": row["action"],
        "target": row["target"],
        "message": row["message"],
        "evidence": row["evidence"],
        "version": row["version"],
    }


def _keys(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Columns that say on whom: the customer alone where all firings are on customers."""
    if all(row["subject_type"] == CUSTOMER for row in rows):
        for row in rows:
            del row["subject_type"], row["subject_id"]
        return ("customer_id",)
    return ("customer_id", "subject_type", "subject_id")
