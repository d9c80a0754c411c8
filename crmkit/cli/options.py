"""Options that several commands share, each made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

FORMATS = ("table", "json", "jsonl", "csv", "tsv", "parquet", "xlsx", "html")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names:
        raise click.BadParameter("give at least one column name.")
    return names


def _as_of(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Checked here so that a misspelt day is refused before anything is opened."""
    if value is not None:
        from ..entities.asof import AsOf

        try:
            AsOf.parse(value, "UTC")
        except ValueError as error:
            raise click.BadParameter(f"{error}.") from None
    return value


def _guard(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.meta["crmkit.formula_guard"] = not value


_format = click.option(
    "--format",
    "format",
    type=click.Choice(FORMATS),
    default="table",
    help="Form of the result. Default: that of the --output file's name, else table.",
)
no_guard_option: Decorator = click.option(
    "--no-formula-guard",
    is_flag=True,
    expose_value=False,
    callback=_guard,
    help="Write CSV and TSV cells that begin with = + - @ as they are; spreadsheets may run them.",
)


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--format`` as the argument ``format``, one of FORMATS, and ``--no-formula-guard``."""
    return _format(no_guard_option(function))


output_option: Decorator = click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the result here; - or nothing is stdout.",
)
as_of_option: Decorator = click.option(
    "--as-of",
    metavar="DATE",
    callback=_as_of,
    help="See only what had happened by the end of this day, or before this instant. Default: now.",
)
limit_option: Decorator = click.option(
    "--limit", type=click.IntRange(min=0), metavar="N", help="At most N rows. Default: all."
)
columns_option: Decorator = click.option(
    "--columns",
    metavar="A,B",
    callback=_names,
    help="Only these columns, in this order. Default: all.",
)
sort_option: Decorator = click.option(
    "--sort",
    metavar="A,-B",
    callback=_names,
    help="Order by these columns, -B for descending. Default: the command's own order.",
)


engine_option: Decorator = click.option(
    "--engine",
    metavar="NAME",
    help="What runs the SQL: duckdb, spark (in this process) or spark://HOST:PORT (a cluster). "
    "Default: duckdb.",
)
explain_option: Decorator = click.option(
    "--explain",
    is_flag=True,
    help="Print the SQL that ran, in the words of its engine, instead of the rows.",
)


def list_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Everything that a command with rows takes: limit, columns, sort, format and output."""
    for option in (output_option, format_option, sort_option, columns_option, limit_option):
        function = option(function)
    return function
