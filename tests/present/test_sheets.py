"""Workbooks, read back from the XML that ECMA-376 lays down and not by the library that wrote them."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from crmkit.entities.fields import FieldType
from crmkit.entities.money import Money
from crmkit.errors import ConfigError, UsageError
from crmkit.present import sheets
from crmkit.present.grid import Column, Grid
from crmkit.present.sheets import write_xlsx

COLUMNS = (
    Column(name="customer_id", type=FieldType.INTEGER, title="Customer", title_zh="客户"),
    Column(name="text", type=FieldType.TEXT, title="Text", title_zh="文本"),
    Column(
        name="tenure", type=FieldType.INTEGER, unit="month", title="Tenure", title_zh="在网时长"
    ),
    Column(name="churn_rate", type=FieldType.NUMBER, unit="1", title="Churn", title_zh="流失率"),
    Column(name="paid", type=FieldType.MONEY, title="Paid", title_zh="已付", currency="USD"),
    Column(name="on", type=FieldType.DATE, title="Day", title_zh="日期"),
    Column(name="at", type=FieldType.INSTANT, title="At", title_zh="时间"),
)
ROW = {
    "customer_id": 900719925474099312, "text": "=1+1", "tenure": 1234, "churn_rate": 0.25,
    "paid": Money(1050, "USD"), "on": date(2026, 3, 31), "at": datetime(2026, 3, 31, 12, tzinfo=UTC),
}  # fmt: skip


def written(rows: list[dict[str, Any]], columns: Any = COLUMNS, **options: Any) -> bytes:
    out = io.BytesIO()
    write_xlsx(Grid.of(rows, columns), out, **options)
    return out.getvalue()


def part(data: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        return parts.read(name).decode()


NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def root_of(data: bytes, name: str) -> ElementTree.Element:
    # The workbook was made a moment ago by the code under test.
    return ElementTree.fromstring(part(data, name))  # noqa: S314


def lines(data: bytes, sheet: int = 1) -> list[list[Any]]:
    """The cells of a sheet: numbers as floats, text as str, with dates as the day numbers they are."""
    root = root_of(data, f"xl/worksheets/sheet{sheet}.xml")
    return [[_cell(c) for c in row] for row in root.iter(f"{NAMESPACE}row")]


def _cell(cell: ElementTree.Element) -> Any:
    if cell.get("t") == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{NAMESPACE}t"))
    value = cell.find(f"{NAMESPACE}v")
    return None if value is None or value.text is None else float(value.text)


def forms(data: bytes) -> list[str | None]:
    """The number format of each cell of the second line; None is the general one."""
    styles = root_of(data, "xl/styles.xml")
    codes = {f.get("numFmtId"): f.get("formatCode") for f in styles.iter(f"{NAMESPACE}numFmt")}
    used = styles.find(f"{NAMESPACE}cellXfs")
    root = root_of(data, "xl/worksheets/sheet1.xml")
    cells = list(list(root.iter(f"{NAMESPACE}row"))[1])
    assert used is not None
    ids = [list(used)[int(c.get("s", "0"))].get("numFmtId") for c in cells]
    return [codes.get(i, {"3": "#,##0"}.get(str(i))) for i in ids]


def sheet_names(data: bytes) -> list[str]:
    root = root_of(data, "xl/workbook.xml")
    return [str(sheet.get("name")) for sheet in root.iter(f"{NAMESPACE}sheet")]


def test_cells_have_the_types_of_their_values() -> None:
    (_, row) = lines(written([ROW]))
    # Day 1 is 1900-01-01 and the format counts a 1900-02-29: 2026-03-31 is day 46,112.
    assert (date(2026, 3, 31) - date(1899, 12, 30)).days == 46_112
    assert row == ["900719925474099312", "=1+1", 1234, 0.25, 10.5, 46_112, 46_112.5]
    assert forms(written([ROW])) == [
        None, None, "#,##0", "0.0%", "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss",
    ]  # fmt: skip
    assert "<f>" not in part(written([ROW]), "xl/worksheets/sheet1.xml")


def test_headings_name_units_and_stay_in_sight() -> None:
    data = written([ROW])
    assert lines(data)[0] == [
        "Customer", "Text", "Tenure (months)", "Churn", "Paid (USD)", "Day", "At",
    ]  # fmt: skip
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in part(
        data, "xl/worksheets/sheet1.xml"
    )
    assert lines(written([ROW], language="zh"))[0][2] == "在网时长 (月)"


def test_amounts_have_the_digits_of_their_currency() -> None:
    yen = Column(name="paid", type=FieldType.MONEY, title="Paid", currency="JPY")
    data = written([{"paid": Money(1050, "JPY")}], (yen,))
    assert (lines(data)[1], forms(data)) == ([1050], ["#,##0"])


def test_what_a_sheet_cannot_hold_is_left_empty_or_text() -> None:
    columns = [Column(name="n", type=FieldType.NUMBER), Column(name="d", type=FieldType.DATE)]
    rows = [{"n": float("nan"), "d": date(1850, 1, 2)}, {"n": float("inf"), "d": None}]
    assert lines(written(rows, columns))[1:] == [["1850-01-02"]]


def test_no_digit_is_dropped_and_no_text_is_cut() -> None:
    """A cell keeps 15 digits and 32,767 characters (Excel specifications and limits)."""
    row = {"n": 10**15, "small": 10**15 - 1, "paid": Money(10**17 + 1, "USD")}
    data = written([row], ["n", "small", "paid"])
    assert lines(data)[1] == ["1000000000000000", 999_999_999_999_999, "1000000000000000.01"]
    written([{"note": "x" * 32_767}], ["note"])
    with pytest.raises(UsageError, match="row 1, column 'note': 32768 characters do not fit"):
        written([{"note": "x" * 32_768}], ["note"])


@pytest.mark.parametrize(("rows", "parts"), [(0, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_rows_beyond_a_sheet_go_on_in_the_next(
    monkeypatch: pytest.MonkeyPatch, rows: int, parts: int
) -> None:
    monkeypatch.setattr(sheets, "SHEET_ROWS", 4)
    monkeypatch.setattr(sheets, "MEASURED_ROWS", 2)
    data = written([{"n": i} for i in range(rows)], ["n"], title="Long")
    assert sheet_names(data) == ["Long", "Long 2", "Long 3"][:parts]
    read = [lines(data, number) for number in range(1, parts + 1)]
    assert all(of[0] == ["n"] for of in read)
    assert [line[0] for of in read for line in of[1:]] == list(range(rows))


def test_the_last_sheet_says_what_the_rows_are() -> None:
    about = [("As of", "2026-03-31"), ("Method", "=counted")]
    data = written([ROW], title="A [b]: c", about=about)
    assert sheet_names(data) == ["A  b   c", "About"]
    assert lines(data, 2) == [["As of", "2026-03-31"], ["Method", "=counted"]]


def test_without_its_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    with pytest.raises(ConfigError, match=r"pip install 'crmkit\[xlsx\]'") as caught:
        written([ROW])
    assert caught.value.exit_code == 5
