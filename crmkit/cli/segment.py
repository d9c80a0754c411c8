"""``crmkit segment``: named groups of customers."""

from __future__ import annotations

import click

from ..declarations import CUSTOMER
from .main import State
from .options import (
    as_of_option,
    check_columns,
    engine_option,
    explain_option,
    format_option,
    list_options,
    listed,
    output_option,
)
from .output import emit, emit_record, emit_script, named, note

LIST_FIELDS = ("name", "title", "plugin", "subject", "where", "members", "as_of")


@click.group("segment")
def command() -> None:
    """List, show and run segments."""


@command.command("list")
@listed(LIST_FIELDS, detail=("where", "subject", "plugin"))
@click.pass_obj
def list_segments(
    state: State,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List the segments of the enabled plugins, with their last run.

    Example: crmkit segment list
    """
    with state.open() as crm:
        rows = []
        for row in crm.segments.list():
            segment = crm.catalog.segments[row["name"]]
            title = (segment.title_zh if state.lang == "zh" else "") or segment.title
            found = {**row, "title": title, "plugin": crm.catalog.owner(segment.name)}
            rows.append({key: found[key] for key in LIST_FIELDS})
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=LIST_FIELDS)  # fmt: skip


@command.command("show")
@click.argument("name")
@click.option("--history", is_flag=True, help="Show how many members each run had instead.")
@format_option
@output_option
@click.pass_obj
def show_segment(state: State, name: str, history: bool, format: str, output: str | None) -> None:
    """Show what a segment is and how large it was.

    Example: crmkit segment show telecom.heavy-data --history
    """
    with state.open() as crm:
        segment = crm.segments.get(name)
        if history:
            rows = crm.segments.history(name)
            emit(rows, format=format, output=output, fields=("as_of", "run", "members"))
            return
        last = next(row for row in crm.segments.list() if row["name"] == name)
        record = {
            "name": name,
            "title": (segment.title_zh if state.lang == "zh" else "") or segment.title,
            "plugin": crm.catalog.owner(name),
            "subject": segment.subject,
            "where": segment.where,
            "description": segment.description,
            "members": last["members"],
            "as_of": last["as_of"],
        }
    emit_record(record, format=format, output=output)


@command.command("run")
@click.argument("name")
@as_of_option
@engine_option
@explain_option
@list_options
@click.pass_obj
def run_segment(
    state: State,
    name: str,
    as_of: str | None,
    engine: str | None,
    explain: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Find who is in a segment, and keep the membership.

    Each row is a member with the columns that the segment's condition looks at. Writes a file under
    runs/ and the latest membership in the store; with --explain nothing is kept.

    Example: crmkit segment run telecom.heavy-data --as-of 2026-03-31
    """
    script: list[str] | None = [] if explain else None
    with state.open() as crm, crm.warehouse.using(engine, script):
        if script is not None:
            crm.segments.ask(crm.as_of(as_of), [name])
            emit_script(script, output=output)
            return
        key = "customer_id" if crm.segments.get(name).subject == CUSTOMER else "subject_id"
        fields = (key, *crm.segments.columns(name))
        check_columns(fields, columns, sort)
        run = crm.segments.run(name, crm.as_of(as_of))
        rows = [{key: row["subject_id"], **row["evidence"]} for row in run.rows()]
        grid = named(crm, rows, fields)
    for warning in run.warnings:
        note(warning)
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)
