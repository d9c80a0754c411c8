"""Results as one HTML file: charts, a table that sorts and pages, and how it was computed.

The file holds everything that it needs, so it opens with no network and can be sent by mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..declarations import Chart
from ..entities.field_types import FieldType
from ..errors import ConfigError
from ..resources import resource_text
from .frame import Fact, Part, page, safe, script_json
from .grid import Column, Grid
from .labels import heading_unit, label
from .tables import column_heading, right_aligned
from .values import shown

if TYPE_CHECKING:
    from ..analysis.reports import ReportResult

PAGE_ROWS = 50
PLAIN_ROWS = 500
# More rows are some thirty sheets of paper: then the page of the table that is seen is printed.
PRINT_ROWS = 1_000
# A page with more rows than this is slow to open; the other formats have no bound.
MOST_ROWS = 20_000
# A table of more columns than this gives its long text rows of their own.
MOST_COLUMNS = 8
# Longer text gets a wide column that wraps; shorter stays on one line.
LONG_TEXT = 36


def grid_page(
    grid: Grid, *, title: str, language: str = "en", charts: tuple[Chart, ...] = ()
) -> str:
    """A page with a table of any rows, below the charts that their command has for them."""
    drawn, missing = _charts(grid, charts, language)
    return page(title, language, [_remarks(missing), drawn, _table(grid, language)])


def report_page(
    result: ReportResult, grid: Grid, *, language: str = "en", index: str | None = None
) -> str:
    """The page of a report.

    Args:
        result: what was run; its method, source and notes stand below the table.
        grid: its rows as they are to be shown, customers by name where allowed.
        language: ``en`` or ``zh``.
        index: relative address of the page that lists this one among others.
    """
    report = result.report
    title = (report.title_zh if language == "zh" else "") or report.title
    facts = asked_facts(result, language)
    facts.append(("", _rows(len(grid), result.table.num_rows, language)))
    grid = readable(grid)
    charts, missing = _charts(grid, report.charts, language)
    remarks = [*result.remarks, *missing]
    parts = [_remarks(remarks), charts, _table(grid, language)]
    about = about_facts(result, language)
    return page(title, language, parts, facts, about=about, index=index)


def asked_facts(result: ReportResult, language: str) -> list[Fact]:
    """As-of and parameters of a run, for eyes."""
    return [(label("as_of", language), str(result.as_of.on)), *_parameters(result, language)]


def about_facts(result: ReportResult, language: str) -> list[Fact]:
    """Method, source and notes of a report, those that it has."""
    report = result.report
    facts = [
        (label("method", language), report.method),
        (label("source", language), report.source),
        (label("notes", language), report.notes),
    ]
    return [fact for fact in facts if fact[1]]


def _rows(kept: int, total: int, language: str) -> str:
    """How many rows there are, and of how many where some were left out."""
    if kept < total:
        return label("kept", language).format(shown=f"{kept:,}", total=f"{total:,}")
    return f"{kept:,} {label('row' if kept == 1 else 'rows', language)}"


# What programs write for a choice: ``month_to_month``.
_CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


def readable(grid: Grid) -> Grid:
    """The grid with codes such as ``month_to_month`` as words, in columns that hold only codes."""
    rows = list(grid.rows())
    columns = [
        i for i, column in enumerate(grid.columns)
        if column.type is FieldType.TEXT
        and all(row[i] is None or _CODE.fullmatch(row[i]) for row in rows)
    ]  # fmt: skip
    for i in columns:
        rows = [
            (*row[:i], row[i] if row[i] is None else row[i].replace("_", " "), *row[i + 1 :])
            for row in rows
        ]
    return Grid(grid.columns, rows)


def _parameters(result: ReportResult, language: str) -> list[Fact]:
    from .results import parameter_text

    out = []
    for parameter in result.report.parameters:
        name = (parameter.title_zh if language == "zh" else "") or parameter.title or parameter.name
        text = parameter_text(
            parameter, result.parameters.get(parameter.name), result.currency, language
        )
        if text:
            out.append((name, text))
    return out


def text_page(blocks: Iterable[tuple[str, str]], *, title: str, language: str = "en") -> str:
    """A page of plain text, as a statement or a model card.

    Args:
        blocks: heading, which may be empty, and text of each section.
    """
    parts = []
    for heading, text in blocks:
        head = f"<h2>{safe(heading)}</h2>" if heading else ""
        lines = "\n".join(map(safe, text.split("\n")))
        parts.append(Part(f'<section class="card">{head}<pre>{lines}</pre></section>'))
    return page(title, language, parts)


def _charts(grid: Grid, charts: tuple[Chart, ...], language: str) -> tuple[Part, list[str]]:
    """The charts, and a remark where they cannot be drawn."""
    # Lazy: altair takes a third of a second and only this page needs it.
    from .charts import chart_specs, javascript

    if not charts:
        return Part(""), []
    try:
        drawn = chart_specs(grid, charts, language)
        script = javascript() if drawn else ""
    except ConfigError:
        return Part(""), [label("no_charts", language)]
    if not drawn:
        return Part(""), []
    cards, specs = [], []
    for number, (chart, spec) in enumerate(drawn):
        heading = (chart.title_zh if language == "zh" else "") or chart.title
        head = f"<h2>{safe(heading)}</h2>" if heading else ""
        cards.append(
            f'<section class="card">{head}'
            f'<div class="chart" id="chart{number}" role="img" aria-label="{safe(heading)}"></div>'
            "</section>"
        )
        specs.append(spec)
    data = {"specs": specs, "failed": label("chart_failed", language)}
    html = (
        f'<div class="charts">{"".join(cards)}</div>\n'
        f'<script type="application/json" id="charts">{script_json(data)}</script>'
    )
    return Part(html, (script, resource_text("crmkit.present", "charts.js"))), []


def _table(grid: Grid, language: str) -> Part:
    if not grid.columns:
        words = label("no_rows", language)
        return Part(f'<section class="card"><p class="empty">{words}</p></section>')
    kept = grid.head(MOST_ROWS)
    right = right_aligned(kept)
    rows = [
        [[shown(v, c), _sort_value(v)] for v, c in zip(row, kept.columns, strict=True)]
        for row in kept.rows()
    ]
    classes = [_cell_class(i, right[i], rows) for i in range(len(kept.columns))]
    wide = len(kept.columns) > MOST_COLUMNS
    data: dict[str, Any] = {
        "rows": rows,
        "size": PAGE_ROWS,
        "print": PRINT_ROWS,
        "classes": classes,
        "labels": [column_heading(c, language) for c in kept.columns],
        # Long text would push the other columns off the page: it stands below its row.
        "below": [i for i, name in enumerate(classes) if wide and name == "long"],
    }
    heads = "".join(
        f'<th scope="col" class="{classes[i]}" data-column="{i}">'
        f'<button type="button">{_heading(column, language)}</button></th>'
        for i, column in enumerate(kept.columns)
        if i not in data["below"]
    )
    # Without scripts there are no pages: as many rows as a reader may want stand in the file itself.
    body = "".join(_record(row, data) for row in rows[:PLAIN_ROWS])
    none = "" if rows else f'<p class="empty">{label("no_rows", language)}</p>'
    html = (
        f'<section class="card"><div class="scroll" tabindex="0"><table{" class=dense" if wide else ""}>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>{none}"
        f"{_pager(len(rows), len(grid), language)}</section>\n"
        f'<script type="application/json" id="rows">{script_json(data)}</script>'
    )
    return Part(html, (resource_text("crmkit.present", "page.js"),))


def _record(row: Sequence[Any], data: Mapping[str, Any]) -> str:
    """One row of the table, with its long text in a row of its own; page.js makes the same."""
    below, classes, labels = data["below"], data["classes"], data["labels"]
    cells = "".join(
        f'<td class="{classes[i]}" data-label="{safe(labels[i])}">{safe(cell[0])}</td>'
        for i, cell in enumerate(row)
        if i not in below
    )
    details = "".join(
        f"<p><b>{safe(labels[i])}</b> {safe(row[i][0])}</p>" for i in below if row[i][0]
    )
    if not details:
        return f"<tr>{cells}</tr>"
    width = len(row) - len(below)
    return (
        f'<tr class="above">{cells}</tr><tr class="below"><td colspan="{width}">{details}</td></tr>'
    )


def _pager(kept: int, total: int, language: str) -> str:
    """The buttons, which page.js shows, and what of the table is not in the file."""
    if kept <= PAGE_ROWS:
        return ""
    said = label("sort", language)
    if kept < total:
        said = f"{label('cut', language).format(shown=f'{kept:,}', total=f'{total:,}')} {said}"
    plain = ""
    if kept > PLAIN_ROWS:
        words = label("plain", language).format(shown=f"{PLAIN_ROWS:,}", total=f"{total:,}")
        plain = f"<noscript><p>{safe(words)}</p></noscript>"
    return (
        f'<div class="pager" hidden><button type="button" id="previous">{label("previous", language)}</button>'
        '<span id="place" aria-live="polite"></span>'
        f'<button type="button" id="next">{label("next", language)}</button>'
        f'<span class="count">{safe(said)}</span></div>{plain}'
    )


def _heading(column: Column, language: str) -> str:
    unit = heading_unit(column, language)
    small = f'<span class="unit">{safe(unit)}</span>' if unit else ""
    return f'<span class="word">{safe(column.label(language))}</span>{small}'


def _cell_class(place: int, right: bool, rows: Sequence[Sequence[Any]]) -> str:
    if right:
        return "number"
    longest = max((len(row[place][0]) for row in rows), default=0)
    return "long" if longest > LONG_TEXT else "short"


def _sort_value(value: Any) -> Any:
    """What the page compares: numbers as numbers, all else as text in a sortable form."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, float) and value != value:
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _remarks(remarks: Iterable[str]) -> Part:
    lines = "".join(f"<p>{safe(text)}</p>" for text in remarks)
    return Part(f'<section class="remarks">{lines}</section>' if lines else "")
