"""Pages: everything inside, nothing that the data could break."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import attrs
import pyarrow as pa
import pytest

from crmkit.analysis.reports import ReportResult
from crmkit.analysis.scores.metrics import calibration_table, gain_table
from crmkit.declarations import Chart, Parameter, Report, ReportColumn
from crmkit.entities.asof import AsOf
from crmkit.entities.fields import FieldType
from crmkit.present import charts, html, quality
from crmkit.present.grid import Column, Grid
from crmkit.present.html import grid_page, report_page
from crmkit.present.results import result_grid
from crmkit.resources import resource_text

from .html_parts import Page

COLUMNS = (
    ReportColumn(name="plan", type=FieldType.TEXT, title="Plan", title_zh="套餐"),
    ReportColumn(
        name="tenure", type=FieldType.INTEGER, unit="month", title="Tenure", title_zh="在网时长"
    ),
    ReportColumn(name="churn_rate", type=FieldType.NUMBER, unit="1", title="Churn"),
    ReportColumn(name="loss_minor", type=FieldType.INTEGER, currency_minor=True, title="Loss"),
)
CHARTS = (
    Chart(kind="bar", x="plan", y="loss_minor", title="Loss by plan", title_zh="各套餐损失"),
    Chart(kind="step", x="tenure", y="churn_rate", color="plan", title="Churn by tenure"),
)
ROWS = [("Basic", 1, 0.25, 123456), ("Plus <b>", 2, 0.5, None)]


def result(rows: list[tuple[Any, ...]], **options: Any) -> ReportResult:
    report = Report(
        name="x.report", title="Who & why", title_zh="谁与为何", sql="SELECT 1", columns=COLUMNS,
        key=("plan",), charts=options.pop("charts", CHARTS), method="Counted <by hand>.",
        source="Smith (2005)", notes="Small numbers.",
        parameters=(
            Parameter(name="budget", type=FieldType.MONEY, title="Budget", title_zh="预算"),
            Parameter(name="region", type=FieldType.TEXT),
        ),
    )  # fmt: skip
    types = (pa.string(), pa.int64(), pa.float64(), pa.int64())
    arrays = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(types)]
    return ReportResult(
        report=report,
        as_of=AsOf.end_of(date(2026, 3, 31), "UTC"),
        parameters={"budget": 500000, "region": None},
        table=pa.table(arrays, names=[c.name for c in COLUMNS]),
        currency="USD",
        **options,
    )


def page(rows: list[tuple[Any, ...]], language: str = "en", **options: Any) -> str:
    found = result(rows, **options)
    return report_page(found, result_grid(found), language=language)


def embedded(text: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.S)
    assert found is not None
    return json.loads(found[1])


def without_charts(text: str) -> str:
    """The page without Vega's own script, whose text holds addresses that it never calls."""
    return re.sub(r"<script>(?!\s*//).{10000,}?</script>", "", text, flags=re.S)


def test_a_page_holds_title_as_of_parameters_method_source_and_notes() -> None:
    text = page(ROWS)
    for wanted in (
        "<h1>Who &amp; why</h1>", "As of <b>2026-03-31</b>", "Budget <b>5,000.00 USD</b>",
        "2 rows", "Counted &lt;by hand&gt;.", "Smith (2005)", "Small numbers.",
    ):  # fmt: skip
        assert wanted in text
    assert "region" not in text.partition("<table>")[0].partition("</header>")[0]


def test_a_page_opens_without_a_network() -> None:
    text = without_charts(page(ROWS))
    assert len(text) < 40_000
    assert not re.findall(r'(?:src|href)\s*=\s*"(?!data:)', text)
    assert not re.findall(r"@import|url\(|https?://(?!vega\.github\.io/schema)", text)


def test_charts_are_vega_lite_specifications_of_the_rows() -> None:
    specs = embedded(page(ROWS), "charts")["specs"]
    assert [spec["mark"]["type"] for spec in specs] == ["bar", "line"]
    assert specs[1]["mark"]["interpolate"] == "step-after"
    # Money is drawn in major units, under the name without _minor.
    assert drawn(specs[0]) == [
        {"plan": "Basic", "loss": 1234.56},
        {"plan": "Plus <b>", "loss": None},
    ]
    assert specs[1]["encoding"]["y"]["axis"]["format"] == ".0%"


CANARY = "<script>alert(1)</script><img src=x>"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_that_a_plugin_or_the_data_say_becomes_markup(language: str) -> None:
    """Names, titles, units, labels, parameters and remarks are text, whoever wrote them."""
    column = ReportColumn(name="plan", type=FieldType.TEXT, title=CANARY, title_zh=CANARY)
    number = ReportColumn(name="n", type=FieldType.INTEGER, unit=CANARY, title="N")
    chart = Chart(
        kind="bar",
        x="plan",
        y="n",
        title=CANARY,
        title_zh=CANARY,
        x_title=CANARY,
        x_title_zh=CANARY,
    )
    parameter = Parameter(name="p", type=FieldType.TEXT, title=CANARY, title_zh=CANARY)
    report = Report(
        name="x.canary", title=CANARY, title_zh=CANARY, sql="SELECT 1", columns=(column, number),
        key=("plan",), charts=(chart,), parameters=(parameter,), method=CANARY, source=CANARY,
        notes=CANARY,
    )  # fmt: skip
    found = ReportResult(
        report=report, as_of=AsOf.end_of(date(2026, 3, 31), "UTC"), parameters={"p": CANARY},
        table=pa.table({"plan": [CANARY], "n": [1]}), currency="USD", remarks=(CANARY,),
    )  # fmt: skip
    read = Page.parse(report_page(found, result_grid(found), language=language, index=CANARY))
    plain = Page.parse(page(ROWS))
    assert read.faults == plain.faults == []
    assert len(read.scripts) == len(plain.scripts)
    assert "img" not in read.tags
    assert "alert(1)" in read.text


def test_every_colour_of_text_stands_out_from_what_is_behind_it() -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 or more, luminance as defined there."""
    style = resource_text("crmkit.present", "page.css")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style))

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for text in ("ink", "soft", "mark", "faint"):
        for ground in (colours["paper"], colours["ground"], "#fff7e6"):
            light, dark = luminance(ground), luminance(colours[text])
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


def test_axis_titles_name_the_unit() -> None:
    specs = embedded(page(ROWS), "charts")["specs"]
    titles = [(encoded(spec)["x"]["title"], encoded(spec)["y"]["title"]) for spec in specs]
    assert titles == [("Plan", "Loss (USD)"), ("Tenure (months)", "Churn (%)")]


@pytest.mark.parametrize(("table", "wanted"), [("lift", 2), ("calibration", 1)])
def test_the_tables_of_an_evaluation_have_pictures_with_measured_axes(
    table: str, wanted: int
) -> None:
    """Issue 4: the calibration plot and the gain table; tenths of 200 rows with 40 outcomes."""
    label = [0, 0, 0, 0, 1] * 40
    value = [(n % 50 + 1) / 60 for n in range(200)]
    rows = gain_table(label, value) if table == "lift" else calibration_table(label, value)
    grid = Grid.of([attrs.asdict(row) for row in rows], quality.COLUMNS[table])
    text = grid_page(grid, title="x", charts=quality.CHARTS[table])
    specs = embedded(text, "charts")["specs"]
    assert len(specs) == wanted
    for spec in specs:
        assert spec["encoding"]["y"]["type"] == "quantitative"
        assert len(drawn(spec)) == 10


def test_a_chart_may_title_its_axis_itself() -> None:
    chart = Chart(kind="bar", x="plan", y="tenure", x_title="Tariff", x_title_zh="资费")
    grid = result_grid(result(ROWS))
    for language, title in (("en", "Tariff"), ("zh", "资费")):
        ((_, spec),) = charts.chart_specs(grid, (chart,), language)
        assert encoded(spec)["x"]["title"] == title


def test_a_day_that_is_a_category_is_not_read_as_a_time() -> None:
    """Read as a time it would be labelled with its milliseconds."""
    columns = [Column(name="on", type=FieldType.DATE), Column(name="n", type=FieldType.INTEGER)]
    grid = Grid.of([{"on": date(2026, 3, 1), "n": 1}], columns)
    ((_, spec),) = charts.chart_specs(grid, (Chart(kind="bar", x="on", y="n"),), "en")
    kinds = [encoded(spec)["x"]["type"], *(t["type"] for t in encoded(spec)["tooltip"])]
    assert "temporal" not in kinds
    assert encoded(spec)["x"]["sort"] == ["2026-03-01"]


def test_rows_that_were_left_out_are_counted() -> None:
    found = result(ROWS)
    text = report_page(found, result_grid(found).head(1))
    assert "<b>1 of 2 rows</b>" in text


def test_data_cannot_end_the_script_that_holds_them() -> None:
    text = page([("</script><script>alert(1)</script>", 1, 0.1, 1)])
    assert "<script>alert(1)" not in text
    assert embedded(text, "rows")["rows"][0][0][0] == "</script><script>alert(1)</script>"


def test_many_rows_are_plain_html_and_all_rows_are_data(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"p{i}", i, 0.1, i) for i in range(120)]
    text = page(rows, charts=())
    assert text.count("<tr>") == 1 + 120
    assert "<noscript>" not in text
    monkeypatch.setattr(html, "PLAIN_ROWS", 60)
    text = page(rows, charts=())
    assert text.count("<tr>") == 1 + 60
    assert "Without scripts the page shows the first 60 of 120 rows." in text
    assert len(embedded(text, "rows")["rows"]) == 120
    assert 'id="next"' in text


def test_a_short_table_has_no_pager() -> None:
    assert 'id="next"' not in page(ROWS)


def test_a_page_that_cannot_hold_all_rows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_ROWS", 60)
    text = page([(f"p{i}", i, 0.1, i) for i in range(70)], charts=())
    assert "first 60 of 70 rows" in text


def test_no_rows_make_a_page_without_charts() -> None:
    text = page([])
    assert "No rows." in text
    assert "vegaEmbed" not in text


def test_chinese_labels() -> None:
    text = page(ROWS, "zh")
    assert '<html lang="zh">' in text
    for wanted in ("谁与为何", "截至", "预算", "在网时长", "月", "方法", "各套餐损失"):
        assert wanted in text


def test_remarks_stand_above_the_charts() -> None:
    text = page(ROWS, remarks=("score x.y has no model yet",))
    assert text.index("score x.y has no model yet") < text.index('class="charts"')


def test_without_the_charts_extra_the_table_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "altair", None)
    text = page(ROWS)
    assert "pip install &#x27;crmkit[charts]&#x27;" in text
    assert "<td" in text


def test_a_list_of_rows_makes_a_page() -> None:
    text = grid_page(Grid.of([{"a": 1, "b": "x"}]), title="A list")
    assert "<h1>A list</h1>" in text
    assert embedded(text, "rows")["rows"] == [[["1", 1], ["x", "x"]]]


@pytest.mark.parametrize(
    ("chart", "mark"),
    [
        (Chart(kind="bar", x="plan", y="loss_minor", horizontal=True), "bar"),
        (Chart(kind="line", x="tenure", y="loss_minor"), "line"),
        (Chart(kind="area", x="tenure", y="loss_minor"), "area"),
        (Chart(kind="point", x="tenure", y="churn_rate"), "circle"),
        (Chart(kind="heat", x="plan", y="tenure", color="churn_rate"), "rect"),
    ],
)
def test_every_kind_of_chart_has_its_mark(chart: Chart, mark: str) -> None:
    found = result(ROWS)
    ((_, spec),) = charts.chart_specs(result_grid(found), (chart,), "en")
    assert spec["mark"]["type"] == mark


def test_a_chart_shows_the_rows_that_its_where_keeps() -> None:
    chart = Chart(kind="bar", x="plan", y="loss_minor", where={"tenure": [1, 3]})
    ((_, spec),) = charts.chart_specs(result_grid(result(ROWS)), (chart,), "en")
    assert [row["plan"] for row in drawn(spec)] == ["Basic"]


def test_bars_stop_at_forty_categories() -> None:
    rows = [(f"p{i}", i, 0.1, i) for i in range(60)]
    ((_, spec),) = charts.chart_specs(result_grid(result(rows)), (CHARTS[0],), "en")
    assert len(drawn(spec)) == charts.MOST_BARS == 40


def test_categories_keep_the_order_of_the_report() -> None:
    rows = [("z", 1, 0.1, 1), ("a", 2, 0.1, 1)]
    ((_, spec),) = charts.chart_specs(result_grid(result(rows)), (CHARTS[0],), "en")
    assert encoded(spec)["x"]["sort"] == ["z", "a"]


def test_long_text_of_a_wide_table_stands_below_its_row() -> None:
    wide = {f"c{i}": i for i in range(8)}
    text = grid_page(Grid.of([{**wide, "why": "because " * 10}]), title="Wide")
    assert embedded(text, "rows")["below"] == [8]
    assert '<tr class="below"><td colspan="8"><p><b>why</b> because because' in text
    narrow = grid_page(Grid.of([{"a": 1, "why": "because " * 10}]), title="Narrow")
    assert embedded(narrow, "rows")["below"] == []


def test_codes_are_words_on_a_page_unless_the_column_holds_other_text_too() -> None:
    codes = page([("month_to_month", 1, 0.1, 1), (None, 2, 0.1, 1)])
    assert ">month to month<" in codes
    assert [row["plan"] for row in drawn(embedded(codes, "charts")["specs"][0])] == [
        "month to month",
        "–",
    ]
    assert ">a_b<" in page([("a_b", 1, 0.1, 1), ("Plan C", 2, 0.1, 1)])


def test_a_group_without_a_name_is_drawn_as_a_group() -> None:
    rows = [(None, 1, 0.1, 100), ("a", 2, 0.1, 200)]
    ((_, spec),) = charts.chart_specs(result_grid(result(rows)), (CHARTS[0],), "en")
    assert [row["plan"] for row in drawn(spec)] == ["–", "a"]
    assert encoded(spec)["x"]["sort"] == ["–", "a"]


def test_a_chart_without_a_value_is_left_out() -> None:
    """Vega warns of an axis without extent and draws an empty frame."""
    found = result([("a", 1, 0.1, None), ("b", 2, 0.2, None)])
    drawn_charts = charts.chart_specs(result_grid(found), CHARTS, "en")
    assert [chart.title for chart, _ in drawn_charts] == ["Churn by tenure"]


def test_numbers_that_are_missing_leave_no_category() -> None:
    chart = Chart(kind="bar", x="tenure", y="loss_minor")
    ((_, spec),) = charts.chart_specs(result_grid(result([("a", None, 0.1, 1)])), (chart,), "en")
    assert encoded(spec)["x"]["sort"] == []


def encoded(spec: Mapping[str, Any]) -> Any:
    return spec["encoding"]


def drawn(spec: Mapping[str, Any]) -> Any:
    """The rows inside a specification."""
    (rows,) = spec["datasets"].values()
    return rows
