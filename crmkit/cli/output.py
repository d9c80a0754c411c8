"""Where results and remarks go: results to stdout or a file, everything else to stderr."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from ..errors import StorageError, UsageError
from ..private import users_own
from .pager import DETAIL, has_colours, remark_text, show, terminal_width
from .working import end, hidden

if TYPE_CHECKING:
    import pyarrow as pa

    from ..declarations import Chart
    from ..present.csv_forms import CsvForm
    from ..present.fitting import Layout
    from ..present.grid import Column, Grid
    from ..workspace import Crm

# Whether the command has said anything on stderr, such as why there are no rows.
_NOTED = "crmkit.noted"
# Key of the click context under which ``--excel`` is noted.
EXCEL = "crmkit.excel"
# What a browser opens as a page, and what else it takes markup and scripts from.
PAGES = (".html", ".htm")
MARKUP = (*PAGES, ".xhtml", ".xht", ".shtml", ".mhtml", ".svg", ".xml")
BINARY = ("document", "parquet", "xlsx")
SUFFIXES = {
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv",
    ".parquet": "parquet", ".xlsx": "xlsx", ".html": "html", ".htm": "html",
}  # fmt: skip


def note(text: str) -> None:
    """A remark for the person: one line on stderr, wrapped at words on a terminal."""
    with hidden():
        click.echo(remark_text(text), err=True)
    ctx = click.get_current_context(silent=True)
    if ctx is not None:
        ctx.meta[_NOTED] = True


def named(
    crm: Crm,
    rows: Sequence[Mapping[str, Any]] | pa.Table,
    fields: Sequence[str] | Sequence[Column] | None = None,
) -> Grid:
    """Rows with ``customer_id`` shown as ``ref`` and, where the policy allows, ``name`` (D17).

    Args:
        crm: the open workspace; names come from its store.
        rows: dictionaries or an Arrow table; give the result to :func:`emit`.
        fields: every column in order; give them where there may be no row.
    """
    from ..policy import local_viewer
    from ..present.grid import Grid
    from ..present.people import name_customers

    return name_customers(Grid.of(rows, fields), crm.store, local_viewer(crm.actor))


def emit(
    rows: Sequence[Mapping[str, Any]] | pa.Table | Grid,
    *,
    format: str,
    output: str | None = None,
    columns: Sequence[str] | None = None,
    sort: Sequence[str] | None = None,
    limit: int | None = None,
    title: str | None = None,
    fields: Sequence[str] | Sequence[Column] | None = None,
    charts: tuple[Chart, ...] = (),
) -> None:
    """Writes rows in the form asked for.

    Args:
        rows: dictionaries with equal keys, an Arrow table, or what :func:`named` made of one. Money may be :class:`Money` or
            ``Decimal``; instants without zone are UTC; keys ``id`` and ``*_id`` become text in JSON.
        format: one of :data:`crmkit.cli.options.FORMATS`.
        output: file; None and ``-`` are stdout. A file appears whole or not at all.
        columns: the columns asked for, from ``--columns``; None is all.
        sort: from ``--sort``. limit: from ``--limit``; None is all.
        title: shown above a table and in HTML.
        fields: every column in order; give them where there may be no row, for the columns of a
            result never depend on its rows.
        charts: pictures of the rows, for HTML.

    Raises:
        NotFound: for a column that the result does not have.
        UsageError: for binary output to a terminal.
        StorageError: if the file cannot be written.
    """
    from ..present.grid import Grid

    grid = rows if isinstance(rows, Grid) else Grid.of(rows, fields)
    grid = shape(grid, columns=columns, sort=sort, limit=limit)

    def drawn() -> str:
        from ..present.html import grid_page

        return grid_page(grid, title=title or "", language=_language(), charts=charts)

    write_grid(grid, format=format, output=output, title=title, page=drawn if charts else None)


def shape(
    grid: Grid,
    *,
    columns: Sequence[str] | None = None,
    sort: Sequence[str] | None = None,
    limit: int | None = None,
) -> Grid:
    """The grid as ``--sort``, ``--limit`` and ``--columns`` ask for it, in this order.

    Raises:
        NotFound: for a column that the grid does not have.
    """
    if sort:
        grid = grid.sort(sort)
    if limit is not None:
        grid = grid.head(limit)
    return grid.select(columns) if columns else grid


def emit_record(
    record: Mapping[str, Any], *, format: str, output: str | None = None, title: str | None = None
) -> None:
    """Writes one result: an array of one object in JSON (D11), a line per field in a table."""
    if form(format, output) == "table":
        lines = [{"field": key, "value": value} for key, value in record.items()]
        emit(lines, format=format, output=output, title=title, fields=("field", "value"))
    else:
        emit([record], format=format, output=output, title=title)


def write_grid(
    grid: Grid,
    *,
    format: str,
    output: str | None = None,
    title: str | None = None,
    language: str | None = None,
    page: Callable[[], str] | None = None,
    about: Callable[[], Sequence[tuple[str, str]]] | None = None,
) -> None:
    """Writes a grid.

    Args:
        page: makes the HTML where the command has a better one than a table.
        about: makes the lines of a workbook's last sheet, which says what the rows are.
    """
    made = form(format, output)
    lang = language or _language()
    with result_stream(output, form=made) as out:
        if made == "xlsx":
            from ..present.sheets import write_xlsx

            told = about() if about else ()
            write_xlsx(grid, out, title=title or "", language=lang, about=told)
        else:
            _write(grid, made, out, title=title, language=lang, page=page)


def _write(
    grid: Grid,
    form: str,
    out: IO[bytes],
    *,
    title: str | None,
    language: str,
    page: Callable[[], str] | None,
) -> None:
    from ..present import files
    from ..present.csv_forms import TABS

    if form == "table":
        _write_table(grid, out, title, language)
    elif form == "json":
        files.write_json(grid, out)
    elif form == "jsonl":
        files.write_jsonl(grid, out)
    elif form in ("csv", "tsv"):
        ctx = click.get_current_context(silent=True)
        guard = ctx is None or ctx.meta.get("crmkit.formula_guard", True)
        files.write_csv(grid, out, form=csv_form() if form == "csv" else TABS, guard=guard)
    elif form == "parquet":
        files.write_parquet(grid, out)
    else:
        from ..present.html import grid_page

        text = page() if page else grid_page(grid, title=title or "crmkit", language=language)
        out.write(text.encode())


def emit_nested(value: Any, *, output: str | None = None) -> None:
    """Writes one nested JSON document (``customer show`` alone, D11)."""
    from ..present.files import write_nested

    with result_stream(output) as out:
        write_nested(value, out)


def emit_script(script: Sequence[str], *, output: str | None) -> None:
    """Writes the statements that ran, in order."""
    emit_text("\n\n".join(script), output=output)


def emit_text(text: str, *, output: str | None = None, title: str = "crmkit") -> None:
    """Writes text as it is, ending in one line feed; into a file of HTML as a page.

    Args:
        title: of the page.
    """
    if terminal_width(output) is not None:
        end()
        show(text.rstrip("\n").split("\n"))
        return
    if _suffix(output) in PAGES:
        emit_blocks([("", text.rstrip("\n"))], title=title, output=output)
        return
    with result_stream(output) as out:
        out.write(text.rstrip("\n").encode() + b"\n")


def emit_blocks(
    blocks: Sequence[tuple[str, str]], *, title: str, output: str | None = None
) -> None:
    """Writes a page of plain text: heading and text of each section."""
    from ..present.html import text_page

    with result_stream(output, form="html") as out:
        out.write(text_page(blocks, title=title, language=_language()).encode())


def _write_table(grid: Grid, out: IO[bytes], title: str | None, language: str) -> None:
    from ..present.labels import label
    from ..present.tables import plain_table, terminal_table

    width = terminal_width() if out is _stdout() else None
    if width is None:
        for line in plain_table(grid, title=title, language=language):
            out.write(line.encode() + b"\n")
    else:
        ctx = click.get_current_context(silent=True)
        grid = grid.with_detail(ctx.meta.get(DETAIL, ()) if ctx else ())
        lines, layout = terminal_table(
            grid, width, title=title, language=language,
            every_column=bool(ctx and ctx.params.get("columns")), colour=has_colours(),
        )  # fmt: skip
        show(lines)
        if len(grid):
            _note_left_out(layout)
    ctx = click.get_current_context(silent=True)
    if not len(grid) and grid.columns and not (ctx and ctx.meta.get(_NOTED)):
        note(label("no_rows", language))


def _note_left_out(layout: Layout) -> None:
    """Says which columns the terminal does not show; every other format has them all."""
    if layout.empty:
        note(f"Left out, empty here: {', '.join(layout.empty)}.")
    if layout.dropped:
        note(
            f"Left out for lack of room: {', '.join(layout.dropped)}. "
            "A wider terminal, --columns or another --format shows them."
        )


def _stdout() -> IO[bytes]:
    return sys.stdout.buffer


@contextmanager
def result_stream(output: str | None = None, *, form: str = "table") -> Iterator[IO[bytes]]:
    """Stdout, or a file that replaces ``output`` once everything has been written.

    Args:
        form: what will be written. Anything but ``html`` is refused in a file that a browser opens
            as a page: there, names and notes of customers would become markup and scripts.

    Raises:
        UsageError: for such a file, for binary output to a terminal, or a folder that is not there.
        StorageError: if the disk is full or the file cannot be written.
    """
    end()
    if output in (None, "-"):
        if form in BINARY and sys.stdout.isatty():
            raise UsageError("this format is binary.", hint="Give --output FILE.")
        sys.stdout.flush()
        yield _stdout()
        _stdout().flush()
        return
    _refuse_markup(form, output)
    path = Path(str(output))
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {str(path.parent)!r}.", hint="Make it first.")
    part = path.with_name(f".{path.name}.part")
    try:
        # The user's own file, by the user's own mask, and not one of the workspace.
        with users_own():
            out = part.open("wb")
        with out:
            yield out
        part.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {os.strerror(error.errno or errno.EIO)}."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _suffix(output: str | None) -> str:
    return Path(str(output or "-")).suffix.lower()


def _refuse_markup(form: str, output: str | None) -> None:
    if form != "html" and _suffix(output) in MARKUP:
        raise UsageError(
            f"a browser opens {Path(str(output)).name} as a page, and {form} is no page.",
            hint="Name the file after its form, or give --format html.",
        )


def check_form(format: str, output: str | None) -> None:
    """Refuses a form that the result cannot be written in, before the work is done.

    Raises:
        UsageError: for binary output to a terminal, or ``--excel`` with another form than CSV.
    """
    found = form(format, output)
    if found in BINARY and terminal_width(output) is not None:
        raise UsageError("this format is binary.", hint="Give --output FILE.")
    if output not in (None, "-"):
        _refuse_markup(found, output)


def form(format: str, output: str | None) -> str:
    """The form asked for; where none was, the one that the file's name says.

    Raises:
        UsageError: if ``--excel`` was given with another form than CSV.
    """
    ctx = click.get_current_context(silent=True)
    if ctx is None:
        return format
    source = ctx.get_parameter_source("format")
    asked = source is None or not source.name.startswith("DEFAULT")
    named = None if output in (None, "-") else SUFFIXES.get(Path(str(output)).suffix.lower())
    found = format if asked else named or format
    if not ctx.meta.get(EXCEL):
        return found
    if found != "csv" and (asked or named):
        raise UsageError(
            f"--excel is for CSV, not for {found}.",
            hint="Spreadsheet programs open --format xlsx as it is.",
        )
    return "csv"


def csv_form() -> CsvForm:
    """How CSV is written: plainly, or with ``--excel`` as spreadsheets of the locale open it."""
    from ..present.csv_forms import PLAIN, spreadsheet_form

    ctx = click.get_current_context(silent=True)
    if ctx is None or not ctx.meta.get(EXCEL):
        return PLAIN
    return spreadsheet_form(getattr(ctx.obj, "locale", None) or _language())


def _language() -> str:
    ctx = click.get_current_context(silent=True)
    return getattr(ctx.obj if ctx else None, "lang", None) or "en"
