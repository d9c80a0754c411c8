"""``crmkit sql``: one SELECT over the analysis tables, read-only."""

from __future__ import annotations

import sys

import click

from ..declarations import CUSTOMER
from .main import State
from .options import as_of_option, engine_option, explain_option, list_options
from .output import emit, emit_script, named


@click.command("sql")
@click.argument("query", metavar="SELECT")
@as_of_option
@click.option(
    "--subject",
    default=CUSTOMER,
    metavar="TYPE",
    help="Whose rows subject_id names: customer, or a record type. Default: customer.",
)
@click.option(
    "--time-limit",
    type=click.IntRange(0, 86_400),
    metavar="SECONDS",
    help="Stop after so long; 0 is never. Default: sql_seconds of crmkit.toml, else 60.",
)
@click.option(
    "--memory-limit",
    type=click.IntRange(0, 1_000_000),
    metavar="MB",
    help="Take at most so much memory; 0 leaves it to the engine. "
    "Default: sql_megabytes of crmkit.toml, else 2000.",
)
@engine_option
@explain_option
@list_options
@click.pass_obj
def command(
    state: State,
    query: str,
    as_of: str | None,
    subject: str,
    time_limit: int | None,
    memory_limit: int | None,
    engine: str | None,
    explain: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:  # fmt: skip
    """Ask the analysis tables one SELECT; - reads it from stdin.

    Tables show what had happened by the as-of date. The SQL is the portable subset that
    docs/reference/analysis-sql.md lists. A column customer_id is shown as the customer's ref and,
    where the policy allows, name; nothing else in the warehouse identifies anybody.

    Ctrl-C stops it (exit 130), and so do its limits of time and memory (exit 1).

    Example: crmkit sql "SELECT kind, count(*) AS n FROM interaction GROUP BY kind"
    """
    text = sys.stdin.read() if query == "-" else query
    script: list[str] | None = [] if explain else None
    with state.open(shows="sql") as crm:
        with crm.warehouse.using(engine, script):
            table = crm.query(
                text, crm.as_of(as_of), subject, seconds=time_limit, megabytes=memory_limit
            )
        if script is not None:
            emit_script(script, output=output)
            return
        grid = named(crm, table)
    emit(grid, format=format, output=output, columns=columns, sort=sort, limit=limit)
