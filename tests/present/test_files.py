"""Grids as JSON, CSV, Parquet and XLSX."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crmkit.entities.money import Money
from crmkit.present import files
from crmkit.present.csv_forms import PLAIN, TABS, spreadsheet_form
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


@pytest.mark.parametrize(
    ("locale", "delimiter", "decimal"),
    [
        ("en", ",", "."), ("en-US", ",", "."), ("zh", ",", "."), ("ja-JP", ",", "."), ("de", ";", ","),
        ("de-AT", ";", ","), ("fr_FR", ";", ","), ("pt-BR", ";", ","), ("es-ES", ";", ","), ("es-MX", ",", "."),
        ("de-CH", ";", "."), ("en-ZA", ";", ","), ("sr-Latn-RS", ";", ","), ("xx", ",", "."),
    ],
)  # fmt: skip
def test_spreadsheets_of_a_locale_have_their_signs(locale: str, delimiter: str, decimal: str):
    form = spreadsheet_form(locale)
    assert (form.delimiter, form.decimal, form.mark) == (delimiter, decimal, True)


def test_csv_for_spreadsheets_has_a_mark_and_the_signs_of_the_locale() -> None:
    row = {"name": "José; Álvarez", "fee": Money(-105050, "EUR"), "share": 0.25, "n": 1200, "on": date(2026, 3, 31), "run": "=1+1"}  # fmt: skip
    found = written(files.write_csv, [row], form=spreadsheet_form("de"))
    # The mark, then UTF-8; an amount is no formula though it begins with a minus.
    assert found == (
        b"\xef\xbb\xbfname;fee;share;n;on;run\r\n"
        b'"Jos\xc3\xa9; \xc3\x81lvarez";-1050,50;0,25;1200;2026-03-31;\'=1+1\r\n'
    )
    assert not written(files.write_csv, [row], form=PLAIN).startswith(b"\xef")


def test_tsv_has_tabs() -> None:
    assert written(files.write_csv, [{"a": 1, "b": 2}], form=TABS) == b"a\tb\r\n1\t2\r\n"


def test_parquet_keeps_types_and_exact_money() -> None:
    table = pq.read_table(io.BytesIO(written(files.write_parquet, ROWS)))
    assert table.schema.field("paid").type == pa.decimal128(38, 2)
    assert table["paid"].to_pylist() == [Decimal("10.50"), None]
    assert table["on"].to_pylist() == [date(2026, 3, 31), None]
