"""``crmkit rule``: what to do when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..declarations import CUSTOMER
from .main import State
from .options import as_of_option, list_options
from .output import emit, named, note

if TYPE_CHECKING:
    from ..declarations import Rule
    from ..workspace import Crm

LIST_FIELDS = (
    "name", "title", "plugin", "subject", "when", "action", "target", "message", "cooldown_days",
    "source",
)  # fmt: skip
COUNT_FIELDS = ("rule", "action", "target", "fired", "cooling", "served")


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
@click.option("--counts", is_flag=True, help="Show how often each rule fired instead.")
@list_options
@click.pass_obj
def run_rules(
    state: State,
    names: tuple[str, ...],
    as_of: str | None,
    counts: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Run the rules over everyone in one pass, and keep what they fired on.

    All rules run unless some are named. Each row says on whom, what to do, and why, with the
    evidence as JSON. A rule that fails is named on stderr and the others run. Writes files under
    runs/ and the latest firings in the store.

    Example: crmkit rule run telecom.bill-shock --limit 20
    """
    with state.open() as crm:
        found = crm.rules.run(crm.as_of(as_of), names or None)
        rows = [_fired(row) for row in found.rows()]
        fields = ("rule", *_keys(rows), "action", "target", "message", "evidence")
        grid = named(crm, rows, fields)
    for remark in (*found.remarks, *(f"rule {n} did not run: {why}" for n, why in found.faults.items())):  # fmt: skip
        note(remark)
    unserved = [c for c in found.counts if c["fired"] and not c["served"]]
    for count in unserved:
        note(
            f"{count['rule']} fired {count['fired']} times; nobody serves {count['action']} "
            f"{count['target']} yet, so the firings are only kept."
        )
    if counts:
        emit(found.counts, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=COUNT_FIELDS)  # fmt: skip
    else:
        emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)


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
    }


def _keys(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Columns that say on whom: the customer alone where all firings are on customers."""
    if all(row["subject_type"] == CUSTOMER for row in rows):
        for row in rows:
            del row["subject_type"], row["subject_id"]
        return ("customer_id",)
    return ("customer_id", "subject_type", "subject_id")
