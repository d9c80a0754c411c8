"""Grids as JSON, CSV, Parquet and XLSX."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crmkit.entities.money import Money
from crmkit.errors import ConfigError, UsageError
from crmkit.present import files
from crmkit.present.grid import Grid

ROWS = [
    {"customer_id": 1, "name": "李雷", "paid": Money(1050, "USD"), "on": date(2026, 3, 31)},
    {"customer_id": 2, "name": 'said "no",\nleft', "paid": None, "on": None},
]


def written(write: Callable[..., None], rows: list[dict[str, object]], **options: object) -> bytes:
    out = io.BytesIO()
    write(Grid.of(rows), out, **options)
    return out.getvalue()


def test_json_is_one_array_of_flat_objects() -> None:
    assert json.loads(written(files.write_json, ROWS)) == [
        {"customer_id": "1", "name": "李雷", "paid": "10.50", "on": "2026-03-31"},
        {"customer_id": "2", "name": 'said "no",\nleft', "paid": None, "on": None},
    ]


def test_json_of_no_row_is_an_empty_array() -> None:
    assert json.loads(written(files.write_json, [])) == []


def test_json_lines_are_one_object_a_line() -> None:
    lines = written(files.write_jsonl, ROWS).decode().splitlines()
    assert [json.loads(line)["customer_id"] for line in lines] == ["1", "2"]


def test_csv_reads_back_with_the_standard_reader() -> None:
    text = written(files.write_csv, ROWS).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["customer_id", "name", "paid", "on"],
        ["1", "李雷", "10.50", "2026-03-31"],
        ["2", 'said "no",\nleft', "", ""],
    ]


@pytest.mark.parametrize(
    "bad", ["=1+1", "'=1+1", "''-x", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_guarded(bad: str) -> None:
    text = written(files.write_csv, [{"name": bad}]).decode()
    assert list(csv.reader(io.StringIO(text, newline="")))[1] == ["'" + bad]
    plain = written(files.write_csv, [{"name": bad}], guard=False).decode()
    assert list(csv.reader(io.StringIO(plain, newline="")))[1] == [bad]


@pytest.mark.parametrize("number", [-5, -1.25, Decimal("-3.20"), Money(-320, "USD"), "+4930123"])
def test_negative_numbers_are_not_guarded(number: object) -> None:
    text = written(files.write_csv, [{"n": number}]).decode()
    assert not text.splitlines()[1].startswith("'")


def test_a_heading_is_guarded_like_a_cell() -> None:
    assert written(files.write_csv, [{"=x": 1}]).startswith(b"'=x")


def test_tsv_has_tabs() -> None:
    assert written(files.write_csv, [{"a": 1, "b": 2}], delimiter="\t") == b"a\tb\r\n1\t2\r\n"


def test_parquet_keeps_types_and_exact_money() -> None:
    table = pq.read_table(io.BytesIO(written(files.write_parquet, ROWS)))
    assert table.schema.field("paid").type == pa.decimal128(38, 2)
    assert table["paid"].to_pylist() == [Decimal("10.50"), None]
    assert table["on"].to_pylist() == [date(2026, 3, 31), None]


def sheet_of(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return book.read("xl/worksheets/sheet1.xml").decode()


def test_xlsx_has_typed_cells_and_no_formula() -> None:
    rows = [{"customer_id": 900719925474099312, "text": "=1+1", "n": 3, "paid": Money(1050, "USD")}]
    sheet = sheet_of(written(files.write_xlsx, rows, title="A [b]: c"))
    assert "<f>" not in sheet
    # Ids and text are shared strings (t="s"); the number and the amount are plain values.
    assert sheet.count('t="s"') == 4 + 2
    assert "<v>3</v>" in sheet
    assert "<v>10.5</v>" in sheet


def test_xlsx_refuses_more_rows_than_a_sheet_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SHEET_ROWS", 3)
    written(files.write_xlsx, [{"n": 1}] * 2)
    with pytest.raises(ValueError, match="3 rows do not fit the 2 of a sheet"):
        written(files.write_xlsx, [{"n": 1}] * 3)


def test_xlsx_never_drops_a_digit_or_cuts_a_text() -> None:
    """A cell keeps 15 digits and 32,767 characters (Excel specifications and limits)."""
    row = {"n": 10**15, "small": 10**15 - 1, "paid": Money(10**17 + 1, "USD")}
    sheet = sheet_of(written(files.write_xlsx, [row]))
    # Three headings, the long number and the long amount are texts.
    assert sheet.count('t="s"') == 3 + 2
    assert "<v>999999999999999</v>" in sheet
    written(files.write_xlsx, [{"note": "x" * 32_767}])
    with pytest.raises(UsageError, match="row 1, column 'note': 32768 characters do not fit"):
        written(files.write_xlsx, [{"note": "x" * 32_768}])


def test_xlsx_without_its_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    with pytest.raises(ConfigError, match=r"pip install 'crmkit\[xlsx\]'") as caught:
        written(files.write_xlsx, ROWS)
    assert caught.value.exit_code == 5
