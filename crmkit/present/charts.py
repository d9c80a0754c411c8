"""Charts of a grid as Vega-Lite specifications, made with altair."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from ..declarations import Chart
from ..entities.field_types import FieldType
from ..errors import ConfigError
from .grid import Column, Grid
from .labels import heading_unit
from .values import is_name, is_percent

# A browser draws some thousand marks at once; a longer result is a table's business.
MOST_MARKS = 5_000
# Bars beyond this are thinner than their labels.
MOST_BARS = 40
# After Okabe and Ito (2008), colours that the colour-blind tell apart, each darkened to a contrast
# of 3 or more on white (WCAG 2.2, 1.4.11).
PALETTE = ("#0b5c8c", "#d55e00", "#009e73", "#b8860b", "#8a4f9e", "#2f8fc4", "#b85f92", "#595959")
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_CONFIG: dict[str, Any] = {
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500, "titleColor": "#4b5563",
        "labelColor": "#374151", "gridColor": "#e9edf2", "domainColor": "#9aa4b2",
        "tickColor": "#9aa4b2", "titlePadding": 8, "labelLimit": 220,
    },
    "legend": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500, "orient": "top",
        "titleColor": "#4b5563", "labelColor": "#374151", "labelLimit": 260, "columnPadding": 16,
    },
    "range": {"category": list(PALETTE), "ramp": {"scheme": "blues"}, "heatmap": {"scheme": "blues"}},
    "bar": {"color": PALETTE[0], "cornerRadiusEnd": 2},
    "line": {"color": PALETTE[0], "strokeWidth": 2.5},
    "area": {"color": PALETTE[0], "opacity": 0.75},
    "circle": {"color": PALETTE[0], "size": 50, "opacity": 0.7},
}  # fmt: skip


def chart_specs(
    grid: Grid, charts: tuple[Chart, ...], language: str
) -> list[tuple[Chart, dict[str, Any]]]:
    """Each chart that has a value to draw, with its Vega-Lite specification.

    Raises:
        ConfigError: if the extra ``charts`` is not installed.
    """
    drawn = [(chart, _marks(grid, chart)) for chart in charts]
    return [
        (chart, chart_spec(grid, chart, rows, language))
        for chart, rows in drawn
        if any(row[_bare(grid, _measured(chart))] is not None for row in rows)
    ]


def _measured(chart: Chart) -> str:
    """The column whose values are seen: an axis without any has no extent."""
    return (chart.color or chart.y) if chart.kind == "heat" else chart.y


def chart_spec(
    grid: Grid, chart: Chart, rows: list[dict[str, Any]], language: str
) -> dict[str, Any]:
    """The specification of one chart; it fills the width of its container."""
    alt = _altair()
    columns = {c.name: c for c in grid.columns}
    marks = alt.Chart(alt.InlineData(values=rows))
    made = _mark(marks, chart, len(rows))
    drawn = made.encode(**_encoding(alt, chart, columns, rows, language))
    height = _height(chart, rows, columns)
    spec: dict[str, Any] = drawn.properties(width="container", height=height).to_dict()
    spec["config"] = _CONFIG
    # What charts.js needs to fit legend and labels to the width that it finds.
    spec["usermeta"] = {"fit": _fit(chart, columns, rows, language)}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


@cache
def javascript() -> str:
    """Vega, Vega-Lite and vega-embed as one script that needs no network.

    Raises:
        ConfigError: if the extra ``charts`` is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise _missing() from error
    # A closing tag inside a string of the script would end the element that holds it.
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script")


def _altair() -> Any:
    try:
        import altair
    except ImportError as error:
        raise _missing() from error
    return altair


def _missing() -> ConfigError:
    return ConfigError(
        "charts need altair and vl-convert, which are not installed.",
        hint="Install them with: pip install 'crmkit[charts]'",
    )


def _fit(
    chart: Chart, columns: Mapping[str, Column], rows: list[dict[str, Any]], language: str
) -> dict[str, int]:
    """Pixels of an entry of the legend, and of one and all labels that stand side by side."""
    fit = {}
    if chart.color and chart.kind != "heat":
        entries = _order(columns[_key(columns, chart.color)], rows)
        fit["legend"] = 36 + max((_pixels(str(v)) for v in entries), default=0)
    if chart.kind in ("bar", "heat") and not chart.horizontal:
        labels = _order(columns[_key(columns, chart.x)], rows)
        fit["label"] = max((_pixels(str(v)) for v in labels), default=0)
        fit["labels"] = len(labels) * (8 + fit["label"])
    return fit


def _pixels(text: str) -> int:
    """About how wide a label of 12 pixels is: a Chinese sign is square, a Latin letter narrower."""
    return sum(13 if ord(sign) > 0x2E80 else 7 for sign in text)


def _marks(grid: Grid, chart: Chart) -> list[dict[str, Any]]:
    """The rows of a chart: those that its ``where`` keeps, with the columns that it shows."""
    wanted = {_bare(grid, n) for n in (chart.x, chart.y, chart.color) if n}
    x, bars = _bare(grid, chart.x), set[Any]()
    out: list[dict[str, Any]] = []
    for row in grid.rows():
        values = dict(zip(grid.names, row, strict=True))
        if not all(_equal(values.get(_bare(grid, k)), v) for k, v in chart.where.items()):
            continue
        if chart.kind == "bar":
            bars.add(values[x])
        if len(out) == MOST_MARKS or len(bars) > MOST_BARS:
            break
        out.append({c.name: _plain(values[c.name], c) for c in grid.columns if c.name in wanted})
    return out


def _bare(grid: Grid, name: str) -> str:
    """A chart names a money column as declared; the grid shows it without ``_minor``."""
    return name if name in grid.names else name.removesuffix("_minor")


def _equal(found: Any, wanted: Any) -> bool:
    return found in wanted if isinstance(wanted, (list, tuple)) else bool(found == wanted)


def _plain(value: Any, column: Column) -> Any:
    if value is None and column.type is FieldType.TEXT:
        # A group of its own, as customers without a stage, and not a bar that is left out.
        return "–"
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def _mark(chart: Any, asked: Chart, rows: int) -> Any:
    if asked.kind == "bar":
        return chart.mark_bar()
    if asked.kind == "line":
        # Points show where the values are, until there are so many that they hide the line.
        return chart.mark_line(point={"size": 36} if rows <= 60 else False)
    if asked.kind == "step":
        # What is known at one x holds until the next.
        return chart.mark_line(interpolate="step-after")
    if asked.kind == "area":
        return chart.mark_area(line=True)
    if asked.kind == "point":
        return chart.mark_circle()
    return chart.mark_rect()


def _encoding(
    alt: Any, chart: Chart, columns: Mapping[str, Column], rows: list[dict[str, Any]], language: str
) -> dict[str, Any]:
    found = {name: columns[_key(columns, name)] for name in (chart.x, chart.y, chart.color) if name}
    x, y = found[chart.x], found[chart.y]
    categories = chart.kind in ("bar", "heat")
    x_axis = _axis(alt, x, language, rows, categories)
    x_axis["title"] = _x_title(chart, x, language)
    across = alt.X(x.name, type=_kind(x, category=categories), **x_axis)
    up = alt.Y(
        y.name,
        type=_kind(y, category=chart.kind == "heat"),
        **_axis(alt, y, language, rows, chart.kind == "heat"),
    )
    if chart.horizontal:
        across, up = (
            alt.X(y.name, type=_kind(y), **_axis(alt, y, language, rows, False)),
            alt.Y(x.name, type="ordinal", sort=_order(x, rows), title=_x_title(chart, x, language)),
        )
    out: dict[str, Any] = {"x": across, "y": up}
    if chart.color:
        out["color"] = _color(alt, chart, found[chart.color], rows, language)
    groups = {x.name} if categories else set()
    if chart.kind == "heat":
        groups.add(y.name)
    elif chart.color:
        groups.add(found[chart.color].name)
    out["tooltip"] = [
        _tooltip(alt, c, language, category=c.name in groups) for c in dict.fromkeys(found.values())
    ]
    return out


def _tooltip(alt: Any, column: Column, language: str, *, category: bool) -> Any:
    title = _title(column, language)
    if category and _kind(column) == "temporal":
        # Called temporal here, a day would be read as milliseconds on the axis too.
        return alt.Tooltip(column.name, type="nominal", title=title)
    return alt.Tooltip(column.name, type=_kind(column), title=title, **_format(column))


def _key(columns: Mapping[str, Column], name: str) -> str:
    return name if name in columns else name.removesuffix("_minor")


def _color(
    alt: Any, chart: Chart, column: Column, rows: list[dict[str, Any]], language: str
) -> Any:
    title = _title(column, language)
    if chart.kind == "heat":
        legend = alt.Legend(title=title, **_format(column))
        return alt.Color(column.name, type="quantitative", legend=legend)
    order = _order(column, rows)
    across = 4 if max((len(str(v)) for v in order), default=0) <= 14 else 2
    legend = alt.Legend(title=title, columns=across, symbolLimit=24)
    return alt.Color(column.name, type="nominal", sort=order, legend=legend)


def _kind(column: Column, *, category: bool = False) -> str:
    if category:
        return "ordinal"
    if column.type in (FieldType.DATE, FieldType.INSTANT):
        return "temporal"
    if column.type in (FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY):
        return "quantitative"
    return "ordinal"


def _axis(
    alt: Any, column: Column, language: str, rows: list[dict[str, Any]], category: bool,
) -> dict[str, Any]:  # fmt: skip
    """Title and format of an axis; categories stand in the order of the report."""
    kind = _kind(column, category=category)
    title = _title(column, language)
    if kind == "ordinal":
        order = _order(column, rows)
        # Few categories are all named, even if charts.js lets them lean; of many some are left out.
        axis = alt.Axis(labelAngle=0, labelOverlap=len(order) > 25)
        return {"title": title, "sort": order, "axis": axis}
    if kind == "temporal":
        return {"title": title, "axis": alt.Axis(labelOverlap="greedy", labelSeparation=12)}
    return {
        "title": title,
        "axis": alt.Axis(tickCount=6, **_format(column)),
        "scale": alt.Scale(nice=column.type is not FieldType.INTEGER),
    }


def _order(column: Column, rows: list[dict[str, Any]]) -> list[Any]:
    """The values of a category in the order in which the report gives them."""
    values = dict.fromkeys(row[column.name] for row in rows)
    return [value for value in values if value is not None]


def _x_title(chart: Chart, column: Column, language: str) -> str:
    own = (chart.x_title_zh if language == "zh" else "") or chart.x_title
    return own or _title(column, language)


def _title(column: Column, language: str) -> str:
    """The title with its unit; a share, kept as a fraction, is drawn in percent."""
    unit = "%" if is_percent(column) else heading_unit(column, language)
    return f"{column.label(language)} ({unit})" if unit else column.label(language)


def _format(column: Column) -> dict[str, str]:
    if is_percent(column):
        return {"format": ".0%"}
    if column.type is FieldType.MONEY:
        return {"format": ",.0f"}
    if column.type is FieldType.INTEGER:
        return {"format": "d" if is_name(column) else ",d"}
    if column.type in (FieldType.DATE, FieldType.INSTANT):
        return {"format": "%Y-%m-%d"}
    return {"format": ",.4~g"} if column.type is FieldType.NUMBER else {}


def _height(chart: Chart, rows: list[dict[str, Any]], columns: Mapping[str, Column]) -> int:
    """Tall enough to name every category that stands upright, else a calm 280 pixels."""
    if not chart.horizontal and chart.kind != "heat":
        return 280
    upright = columns[_key(columns, chart.x if chart.horizontal else chart.y)]
    step = 30 if chart.horizontal else 22
    return max(140, min(step * len(_order(upright, rows)) + 60, 1_000))
