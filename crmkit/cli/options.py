"""Options that several commands share, each made once."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ..errors import NotFound, StorageError, UsageError
from .output import EXCEL
from .pager import DETAIL, NO_PAGER

FORMATS = ("table", "json", "jsonl", "csv", "tsv", "parquet", "xlsx", "html")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

# Whole numbers are stored in 64 bits.
_MOST = 2**63 - 1
WHOLE = click.IntRange(-_MOST, _MOST)
COUNT = click.IntRange(0, _MOST)
POSITIVE = click.IntRange(1, _MOST)
# Days are added to dates, which end in the year 9999.
DAYS = click.IntRange(0, 36_500)
SOME_DAYS = click.IntRange(1, 36_500)


class When(click.ParamType[str]):
    """A day, a local time in the workspace's time zone, or an instant.

    The text is checked here, so that a misspelt day is refused before anything is opened. The
    workspace, once open, gives it its time zone and says which instant that is.

    Args:
        day_ends: a day alone means its end, as for an as-of or a deadline, and not its beginning.
    """

    name = "when"

    def __init__(self, *, day_ends: bool = False) -> None:
        self.day_ends = day_ends

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, if it can be read."""
        from ..entities.moments import parse_moment

        try:
            parse_moment(value, "UTC", day_ends=self.day_ends)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        return str(value)

    def told(self, value: str, time_zone: str) -> str:
        """The instant that the text means in a time zone, with how it was read.

        Raises:
            UsageError: for a local time that a change of the clocks left out or repeated.
        """
        from ..entities.moments import parse_moment

        try:
            return str(parse_moment(value, time_zone, day_ends=self.day_ends))
        except ValueError as error:
            raise UsageError(f"{error}.") from None


AS_OF, AT = When(day_ends=True), When()


class Zone(click.ParamType[str]):
    """An IANA time zone."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a zone."""
        from ..entities.zones import parse_zone

        try:
            parse_zone(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Number(click.ParamType[float]):
    """A finite number; ``nan`` and ``inf`` would pass any range."""

    name = "number"

    def __init__(self, least: float | None = None, most: float | None = None) -> None:
        self.least, self.most = least, most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number, if it is one within the range."""
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number.", param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        if (self.least is not None and number < self.least) or (self.most is not None and number > self.most):  # fmt: skip
            self.fail(f"{value} is not from {self.least} to {self.most}.", param, ctx)
        return number


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names:
        raise click.BadParameter("give at least one column name.")
    return names


def _destination(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Checked here so that minutes of work are not thrown away for a folder that is not there."""
    if value not in (None, "-"):
        check_destination(str(value))
    return value


def check_destination(file: str) -> None:
    """Refuses a file that cannot be written, before the work is done.

    Raises:
        BadParameter: for an empty name, a folder, or a folder that is not there.
        StorageError: if the folder cannot be written to.
    """
    if not file.strip():
        raise click.BadParameter("give the name of a file, or - for stdout.")
    path = Path(file)
    try:
        if path.is_dir():
            raise click.BadParameter(f"{file!r} is a folder; give the name of a file.")
        if not path.parent.is_dir():
            raise click.BadParameter(f"there is no folder {str(path.parent)!r}. Make it first.")
    except OSError as error:  # such as a name that is too long
        raise click.BadParameter(f"cannot write {file[:80]!r}: {os.strerror(error.errno or 0)}.") from None  # fmt: skip
    if not os.access(path.parent, os.W_OK):
        raise StorageError(f"cannot write {path}: the folder {str(path.parent)!r} is read-only.")


def _no_pager(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[NO_PAGER] = True


def _excel(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.meta[EXCEL] = value


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


excel_option: Decorator = click.option(
    "--excel",
    is_flag=True,
    expose_value=False,
    callback=_excel,
    help="Write CSV as spreadsheet programs open it: with a byte order mark, and with the delimiter "
    "and the decimal sign of the locale that crmkit.toml sets.",
)


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--format`` as the argument ``format``, one of FORMATS, and how CSV is written."""
    return _format(excel_option(no_guard_option(function)))


_output = click.option(
    "-o",
    "--output",
    metavar="FILE",
    callback=_destination,
    help="Write the result here; - or nothing is stdout.",
)
_no_pager_option = click.option(
    "--no-pager",
    is_flag=True,
    expose_value=False,
    callback=_no_pager,
    help="Print a long result on the terminal without a pager.",
)


def output_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--output`` as the argument ``output``, checked before the work, and ``--no-pager``."""
    return _output(_no_pager_option(function))


as_of_option: Decorator = click.option(
    "--as-of",
    metavar="DATE",
    type=AS_OF,
    help="See only what had happened by the end of this day, or before this time. Default: now.",
)
limit_option: Decorator = click.option(
    "--limit", type=COUNT, metavar="N", help="At most N rows. Default: all."
)


def _selection(fields: Sequence[str] | None = None) -> tuple[Decorator, Decorator]:
    """``--columns`` and ``--sort``; where the fields are known, a wrong one is refused at once."""

    def names(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
        found = _names(ctx, param, value)
        if fields is not None:
            check_columns(fields, found)
        return found

    return (
        click.option("--columns", metavar="A,B", callback=names, help="Only these columns, in this order. Default: all; a terminal leaves out empty ones and those for which it is too narrow."),
        click.option("--sort", metavar="A,-B", callback=names, help="Order by these columns, -B for descending. Default: the command's own order."),
    )  # fmt: skip


def check_columns(fields: Iterable[str], *asked: Sequence[str] | None) -> None:
    """Refuses a column of ``--columns`` or ``--sort`` that the result will not have.

    Args:
        fields: the columns before customers are named: ``customer_id`` stands for ``ref`` and ``name``.

    Raises:
        NotFound: with near misses.
    """
    known = [
        name
        for field in fields
        for name in (("ref", "name") if field == "customer_id" else (field,))
    ]
    for name in (name for names in asked for name in names or ()):
        if name.removeprefix("-") not in known:
            raise NotFound("column", name.removeprefix("-"), known)


columns_option, sort_option = _selection()


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


def listed(fields: Sequence[str], *, detail: Sequence[str] = ()) -> Decorator:
    """As :func:`list_options`, for a command whose columns are known before it runs.

    Args:
        fields: the columns, with ``customer_id`` for ``ref`` and ``name``.
        detail: those that a terminal too narrow for all leaves out first.
    """
    columns, sort = _selection(fields)

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*given: Any, **named: Any) -> Any:
            click.get_current_context().meta[DETAIL] = tuple(detail)
            return function(*given, **named)

        made: Callable[..., Any] = run
        for option in (output_option, format_option, sort, columns, limit_option):
            made = option(made)
        return made

    return decorated
