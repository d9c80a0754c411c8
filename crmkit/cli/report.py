"""``crmkit report``: questions with an answer in rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..entities.phrasing import counted
from ..errors import NotFound, PluginError
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
from .output import emit, emit_record, emit_script, form, note, shape, write_grid

if TYPE_CHECKING:
    from ..analysis.reports import ReportResult
    from ..declarations import Parameter, Report
    from ..present.grid import Grid
    from ..workspace import Crm

PAGE_FIELDS = ("name", "plugin", "title", "file", "rows", "figure", "value")
LIST_FIELDS = ("name", "title", "plugin", "parameters", "charts")


@click.group("report")
def command() -> None:
    """List, show and run reports."""


@command.command("list")
@listed(LIST_FIELDS, detail=("charts",))
@click.pass_obj
def list_reports(
    state: State,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """List the reports of the enabled plugins.

    Example: crmkit report list
    """
    with state.open() as crm:
        rows = [_listed(crm, report, state.lang) for report in crm.catalog.reports.values()]
    emit(rows, format=format, output=output, columns=columns, sort=sort, limit=limit, fields=LIST_FIELDS)  # fmt: skip


def _listed(crm: Crm, report: Report, language: str | None) -> dict[str, Any]:
    return {
        "name": report.name,
        "title": _title(report, language),
        "plugin": crm.catalog.owner(report.name),
        "parameters": [p.name for p in report.parameters],
        "charts": len(report.charts),
    }


def _title(report: Report, language: str | None) -> str:
    return (report.title_zh if language == "zh" else "") or report.title


@command.command("show")
@click.argument("name")
@format_option
@output_option
@click.pass_obj
def show_report(state: State, name: str, format: str, output: str | None) -> None:
    """Show what a report returns, what it can be asked, and how it is computed.

    Example: crmkit report show telecom.churn-survival
    """
    with state.open() as crm:
        report = find_report(crm, name)
        record = {
            "name": report.name,
            "title": _title(report, state.lang),
            "plugin": crm.catalog.owner(report.name),
            **_columns(report, crm.settings.currency),
            "parameters": [_parameter(p) for p in report.parameters],
            "key": list(report.key),
            "scores": list(report.scores),
            "charts": [chart.title or chart.kind for chart in report.charts],
            "method": report.method,
            "source": report.source,
            "notes": report.notes,
        }
    emit_record(record, format=format, output=output)


def _columns(report: Report, currency: str) -> dict[str, Any]:
    from ..present.people import ID, person_column
    from ..present.results import result_column

    shown = [
        person_column("ref") if c.name == ID else result_column(c, currency) for c in report.columns
    ]
    return {
        "columns": [c.name for c in shown],
        "types": [c.type.value if c.type else None for c in shown],
        "units": [c.unit for c in shown],
        "titles": [c.title or None for c in shown],
    }


def _parameter(parameter: Parameter) -> str:
    text = f"{parameter.name}: {parameter.type.value}"
    if parameter.choices is not None:
        text += f", one of {' '.join(map(str, parameter.choices))}"
    if parameter.unit not in (None, "1"):
        text += f", in {parameter.unit}"
    return text + ("" if parameter.default is None else f", default {parameter.default}")


def find_report(crm: Crm, name: str) -> Report:
    """The report of that name, found without opening the warehouse.

    Raises:
        NotFound: with near misses.
    """
    if name not in crm.catalog.reports:
        raise NotFound("report", name, crm.catalog.reports)
    return crm.catalog.reports[name]


def _pairs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in value:
        name, equals, given = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{text!r} is not of the form name=value.")
        if name.strip() in found:
            raise click.BadParameter(f"{name.strip()!r} is given twice.")
        found[name.strip()] = given.strip()
    return found


@command.command("run")
@click.argument("name")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="A parameter of the report; may be given several times.")  # fmt: skip
@as_of_option
@engine_option
@explain_option
@list_options
@click.pass_obj
def run_report(
    state: State,
    name: str,
    parameters: dict[str, str],
    as_of: str | None,
    engine: str | None,
    explain: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    sort: tuple[str, ...] | None,
    format: str,
    output: str | None,
) -> None:
    """Run a report over the warehouse.

    Customers are named by their business key, with names where the policy allows. With
    --format html the answer is one page with charts that opens without a network.

    Example: crmkit report run telecom.churn-composition --format html --output churn.html
    """
    script: list[str] | None = [] if explain else None
    with state.open() as crm:
        report = find_report(crm, name)
        check_columns([c.shown_name for c in report.columns], columns, sort)
        with crm.warehouse.using(engine, script):
            result = crm.reports.run(
                name, parameters, crm.as_of(as_of),
                # A page says of how many rows it shows the first, and draws all of them.
                limit=None if sort or form(format, output) == "html" else limit,
            )  # fmt: skip
        if script is not None:
            emit_script(script, output=output)
            return
        grid = shape(report_grid(crm, result), columns=columns, sort=sort, limit=limit)
    for remark in result.remarks:
        note(remark)
    write_report(result, grid, format=format, output=output, language=state.lang or "en")


@command.command("publish")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_of_option
@click.option("--output", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Folder for the pages; made if it is not there. Other files in it stay.")  # fmt: skip
@format_option
@click.pass_obj
def publish_reports(
    state: State, names: tuple[str, ...], as_of: str | None, folder: Path, format: str
) -> None:
    """Write a page per report and an index page into a folder.

    Without a NAME every report is published, each with its default parameters. The pages open
    without a network and are replaced whole; pages of the last publication that are not in this one
    go. Prints what was published; a report that cannot be run is named and ends with exit code 7,
    after the others have been published.

    Example: crmkit report publish --as-of 2026-06-30 --output pages
    """
    with state.open() as crm:
        made = crm.publish_reports(folder, names or None, crm.as_of(as_of), language=state.lang)
        rows = [entry.document(state.lang or crm.settings.language) for entry in made.entries]
    emit(rows, format=format, fields=PAGE_FIELDS)
    for name, fault in made.faults.items():
        note(f"not published: {name}: {fault}")
    note(f"{counted(len(made.entries), 'report')}: {made.index}")
    if made.faults:
        click.get_current_context().exit(PluginError.exit_code)


def report_grid(crm: Crm, result: ReportResult) -> Grid:
    """A report's rows as people read them: money as decimals, customers by name (D17)."""
    from ..policy import local_viewer
    from ..present.results import named_grid

    return named_grid(result, crm.store, local_viewer(crm.actor))


def write_report(
    result: ReportResult, grid: Grid, *, format: str, output: str | None, language: str
) -> None:
    """Writes a report in any form; as HTML with its charts, parameters and method."""

    def page() -> str:
        from ..present.html import report_page

        return report_page(result, grid, language=language)

    def about() -> list[tuple[str, str]]:
        from ..present.html import about_facts, asked_facts

        named = (_title(result.report, language), result.report.name)
        return [named, *asked_facts(result, language), *about_facts(result, language)]

    title = f"{_title(result.report, language)}, {result.as_of.on}"
    write_grid(
        grid, format=format, output=output, title=title, language=language, page=page, about=about
    )
