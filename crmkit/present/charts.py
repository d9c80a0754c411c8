"""Charts of a grid as Vega-Lite specifications, made with altair."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from ..declarations import Chart
from ..entities.fields import FieldType
from ..errors import ConfigError
from .grid import Column, Grid
from .labels import heading_unit
from .values import is_share

# A browser draws some thousand marks at once; a longer result is a table's business.
MOST_MARKS = 5_000
# Bars beyond this are thinner than their labels.
MOST_BARS = 40
# Okabe and Ito (2008), colours that the colour-blind tell apart, dark enough on white.
PALETTE = ("#0b5c8c", "#d55e00", "#009e73", "#b8860b", "#8a4f9e", "#56b4e9", "#cc79a7", "#595959")
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_CONFIG: dict[str, Any] = {
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500, "titleColor": "#4b5563",
        "labelColor": "#374151", "gridColor": "#e9edf2", "domainColor": "#9aa4b2",
        "tickColor": "#9aa4b2", "titlePadding": 8, "labelLimit": 220,
    },
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500, "orient": "top"},
    "range": {"category": list(PALETTE), "ramp": {"scheme": "blues"}, "heatmap": {"scheme": "blues"}},
    "bar": {"color": PALETTE[0], "cornerRadiusEnd": 2},
    "line": {"color": PALETTE[0], "strokeWidth": 2.5},
    "area": {"color": PALETTE[0], "opacity": 0.75},
    "circle": {"color": PALETTE[0], "size": 50, "opacity": 0.7},
}  # fmt: skip


def chart_specs(
    grid: Grid, charts: tuple[Chart, ...], language: str
) -> list[tuple[Chart, dict[str, Any]]]:
    """Each chart that has a row to draw, with its Vega-Lite specification.

    Raises:
        ConfigError: if the extra ``charts`` is not installed.
    """
    drawn = [(chart, _marks(grid, chart)) for chart in charts]
    return [(chart, chart_spec(grid, chart, rows, language)) for chart, rows in drawn if rows]


def chart_spec(
    grid: Grid, chart: Chart, rows: list[dict[str, Any]], language: str
) -> dict[str, Any]:
    """The specification of one chart; it fills the width of its container."""
    alt = _altair()
    columns = {c.name: c for c in grid.columns}
    marks = alt.Chart(alt.InlineData(values=rows))
    made = _mark(marks, chart, len(rows))
    drawn = made.encode(**_encoding(alt, chart, columns, rows, language))
    height = _height(chart, len({row[_key(columns, chart.x)] for row in rows}))
    spec: dict[str, Any] = drawn.properties(width="container", height=height).to_dict()
    spec["config"] = _CONFIG
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
    across = alt.X(
        x.name, type=_kind(x, category=categories), **_axis(alt, x, language, rows, categories)
    )
    up = alt.Y(
        y.name,
        type=_kind(y, category=chart.kind == "heat"),
        **_axis(alt, y, language, rows, chart.kind == "heat", upright=True),
    )
    if chart.horizontal:
        across, up = (
            alt.X(y.name, type=_kind(y), **_axis(alt, y, language, rows, False)),
            alt.Y(x.name, type="ordinal", sort=_order(x, rows), title=_title(x, language)),
        )
    out: dict[str, Any] = {"x": across, "y": up}
    if chart.color:
        out["color"] = _color(alt, chart, found[chart.color], rows, language)
    out["tooltip"] = [
        alt.Tooltip(c.name, type=_kind(c), title=_title(c, language), **_format(c))
        for c in dict.fromkeys(found.values())
    ]
    return out


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
    upright: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Title and format of an axis; categories stand in the order of the report."""
    kind = _kind(column, category=category)
    title = _title(column, language)
    if kind == "ordinal":
        order = _order(column, rows)
        # Few categories are all named, even if the names lean; of many some are left out.
        labels = alt.Axis(labelAngle=0 if upright else _angle(order), labelOverlap=len(order) > 25)
        return {"title": title, "sort": order, "axis": labels}
    if kind == "temporal":
        return {"title": title, "axis": alt.Axis(labelOverlap="greedy", labelSeparation=12)}
    axis = alt.Axis(tickCount=6, **_format(column))
    return {
        "title": title,
        "axis": axis,
        "scale": alt.Scale(nice=column.type is not FieldType.INTEGER),
    }


def _order(column: Column, rows: list[dict[str, Any]]) -> list[Any]:
    """The values of a category in the order in which the report gives them."""
    values = dict.fromkeys(row[column.name] for row in rows)
    return [value for value in values if value is not None]


def _angle(order: list[Any]) -> int:
    """Long category names lean; short ones stand, which reads better."""
    longest = max((len(str(v)) for v in order), default=0)
    return 0 if longest * len(order) <= 60 else -35


def _title(column: Column, language: str) -> str:
    unit = heading_unit(column, language)
    return f"{column.label(language)} ({unit})" if unit else column.label(language)


def _format(column: Column) -> dict[str, str]:
    if column.type is FieldType.NUMBER and is_share(column.name):
        return {"format": ".0%"}
    if column.type is FieldType.MONEY:
        return {"format": ",.0f"}
    if column.type is FieldType.INTEGER:
        return {"format": ",d"}
    if column.type in (FieldType.DATE, FieldType.INSTANT):
        return {"format": "%Y-%m-%d"}
    return {"format": ",.4~g"} if column.type is FieldType.NUMBER else {}


def _height(chart: Chart, categories: int) -> int:
    """Tall enough for every bar of a horizontal chart, else a calm 280 pixels."""
    return max(140, min(30 * categories + 60, 1_000)) if chart.horizontal else 280
