"""``crmkit rule``: what to do when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from ..declarations import CUSTOMER
from ..errors import PluginError
from .main import State
from .options import DAYS, SOME_DAYS, as_of_option, engine_option, explain_option, listed
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
GROUP_FIELDS = (
    "group", "firings", "subjects", "judged", "hits", "precision", "base_rate", "lift", "recall",
)  # fmt: skip
DATE_FIELDS = (
    "as_of_on", "version", "held", "fired", "cooling", "judged", "hits", "eligible", "positives",
)  # fmt: skip
RUN_FIELDS = (
    "rule", "customer_id", "subject_type", "subject_id", "action", "target", "message", "evidence",
    "version", *COUNT_FIELDS,
)  # fmt: skip
BACKTEST_FIELDS = (
    *GROUP_FIELDS, *DATE_FIELDS, "customer_id", "subject_id", "outcome", "evidence",
)  # fmt: skip
VERSION_FIELDS = (
    "version", "first_on", "last_on", "runs", "when", "action", "target", "message", "cooldown_days",
)  # fmt: skip


@click.group("rule")
def command() -> None:
    """List and run rules."""


@command.command("list")
@listed(LIST_FIELDS, detail=("source", "message", "when", "subject", "plugin", "cooldown_days"))
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
@listed(RUN_FIELDS, detail=("version", "evidence", "subject_type", "target"))
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
        fields = ("rule", *_keys(crm, names), "action", "target", "message", "evidence", "version")
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
@listed(VERSION_FIELDS, detail=("message", "cooldown_days", "target", "runs"))
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


def _keys(crm: Crm, names: Sequence[str]) -> tuple[str, ...]:
    """Columns that say on whom: the customer alone where all rules asked are on customers."""
    rules = [crm.rules.get(name) for name in names] or crm.rules.list()
    if all(rule.subject == CUSTOMER for rule in rules):
        return ("customer_id",)
    return ("customer_id", "subject_type", "subject_id")


@command.command("backtest")
@click.argument("name")
@click.option(
    "--from",
    "first",
    required=True,
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First as-of day.",
)
@click.option(
    "--to",
    "last",
    required=True,
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last as-of day.",
)
@click.option(
    "--every",
    default=1,
    type=SOME_DAYS,
    metavar="DAYS",
    help="Days from one run to the next. Default: 1.",
)
@click.option(
    "--outcome",
    metavar="WHAT",
    help="What judges a firing: a score, LIFECYCLE:STAGE, or target SQL.",
)
@click.option(
    "--within",
    default=60,
    type=SOME_DAYS,
    metavar="DAYS",
    help="Days in which the outcome counts; a score has its own. Default: 60.",
)
@click.option("--when", metavar="SQL", help="Compare with this condition.")
@click.option(
    "--against",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Compare with the condition in this file.",
)
@click.option(
    "--cooldown-days",
    type=DAYS,
    metavar="DAYS",
    help="Compare with this cool-down.",
)
@click.option("--by-date", is_flag=True, help="Show one row a date instead.")
@click.option("--firings", is_flag=True, help="Show every firing instead.")
@listed(BACKTEST_FIELDS)
@click.pass_obj
def backtest(
    state: State,
    name: str,
    first: datetime,
    last: datetime,
    every: int,
    outcome: str | None,
    within: int,
    when: str | None,
    against: str | None,
    cooldown_days: int | None,
    by_date: bool,
    firings: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Show what a rule would have fired on in the past, and how right it would have been.

    The rule is asked at each date on what could be seen at it, and cools down as time passes.
    Precision is the share of firings that the outcome followed, lift that against everyone who could
    have it, recall the share of those who had it that were fired on before. With another condition
    or cool-down both are compared, firing by firing. Keeps nothing.

    Example: crmkit rule backtest telecom.bill-shock --from 2025-06-30 --to 2026-01-31 --every 7 --outcome telecom.churn
    """
    if when is not None and against is not None:
        raise click.UsageError("--when and --against exclude each other.")
    if by_date and firings:
        raise click.UsageError("--by-date and --firings exclude each other.")
    text = Path(against).read_text(encoding="utf-8").strip() if against else when
    with state.open() as crm:
        rule = crm.rules.get(name)
        other = None
        if text is not None or cooldown_days is not None:
            days = rule.cooldown_days if cooldown_days is None else cooldown_days
            other = attrs.evolve(rule, when=text or rule.when, cooldown_days=days)
        found = crm.backtests.run(
            rule, first.date(), last.date(), every=every, outcome=outcome, within_days=within,
            other=other,
        )  # fmt: skip
        key = "customer_id" if rule.subject == CUSTOMER else "subject_id"
        rows = [{key: row.pop("subject_id"), **row} for row in found.firings.to_pylist()] if firings else []  # fmt: skip
        fields = ("as_of_on", key, "version", "outcome", "evidence")
        grid = named(crm, [{f: row[f] for f in fields} for row in rows], fields)
    for remark in found.remarks:
        note(remark)
    if firings:
        emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)
    else:
        table, names = (found.dates, DATE_FIELDS) if by_date else (found.summary, GROUP_FIELDS)
        emit(table, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=names)  # fmt: skip
