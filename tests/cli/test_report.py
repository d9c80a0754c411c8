"""``crmkit report``: list, show and run."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from .conftest import Crmkit


@pytest.fixture
def people(crmkit: Crmkit, shop: Path) -> Path:
    """A workspace with two customers in two regions."""
    for name, region in (("Ann", "north"), ("Bob", "south")):
        crmkit("customer", "add", name, "--region", region, "--ref", f"billing:{name.lower()}")
    return shop


def test_list_names_every_report_with_its_plugin(crmkit: Crmkit, shop: Path) -> None:
    rows = crmkit("report", "list", "--format", "json").rows
    assert {"name", "title", "plugin", "parameters", "charts"} == set(rows[0])
    assert "core.funnel" in [row["name"] for row in rows]
    assert all(row["name"].startswith(f"{row['plugin']}.") for row in rows)
    assert {"core", "ledger", "service", "value"} == {row["plugin"] for row in rows}


def test_titles_come_in_the_language_asked_for(crmkit: Crmkit, shop: Path) -> None:
    english = crmkit("report", "list", "--format", "json").rows
    chinese = crmkit("--lang", "zh", "report", "list", "--format", "json").rows
    assert [row["name"] for row in english] == [row["name"] for row in chinese]
    assert all(a["title"] != b["title"] for a, b in zip(english, chinese, strict=True))


def test_show_tells_columns_units_method_and_notes(crmkit: Crmkit, shop: Path) -> None:
    (row,) = crmkit("report", "show", "core.customers", "--format", "json").rows
    assert len(row["columns"]) == len(row["units"]) == len(row["types"])
    assert row["method"]
    assert {"notes", "source", "parameters", "key"} <= set(row)


def test_run_names_customers_by_key_and_name(crmkit: Crmkit, people: Path) -> None:
    rows = crmkit("report", "run", "core.customers", "--format", "json").rows
    assert [(row["ref"], row["name"]) for row in rows] == [("ann", "Ann"), ("bob", "Bob")]
    assert "customer_id" not in rows[0]


def test_run_takes_columns_sort_and_limit(crmkit: Crmkit, people: Path) -> None:
    rows = crmkit(
        "report", "run", "core.customers", "--sort", "-region", "--limit", "1", "--columns", "ref",
        "--format", "json",
    ).rows  # fmt: skip
    assert rows == [{"ref": "bob"}]


def test_run_before_anybody_came_has_no_rows(crmkit: Crmkit, people: Path) -> None:
    done = crmkit("report", "run", "core.customers", "--as-of", "2020-01-01", "--format", "json")
    assert done.rows == []


@pytest.mark.slow
def test_every_report_runs_in_every_form(crmkit: Crmkit, people: Path, tmp_path: Path) -> None:
    for name in [row["name"] for row in crmkit("report", "list", "--format", "json").rows]:
        rows = crmkit("report", "run", name, "--format", "json").rows
        lines = crmkit("report", "run", name, "--format", "jsonl").out.splitlines()
        assert [json.loads(line) for line in lines] == rows
        crmkit("report", "run", name, "--output", tmp_path / "x.parquet")
        assert len(pq.read_table(tmp_path / "x.parquet")) == len(rows)
        crmkit("report", "run", name, "--output", tmp_path / "x.xlsx")
        assert (tmp_path / "x.xlsx").read_bytes()[:2] == b"PK"
        text = crmkit("report", "run", name, "--format", "html").out
        assert text.startswith("<!DOCTYPE html>")
        assert crmkit("report", "run", name).out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["run", "core.funel"], "Did you mean core.funnel?"),
        (["show", "core.funel"], "Did you mean core.funnel?"),
        (["run", "core.customers", "--param", "stag=x"], "Did you mean stage?"),
        (
            ["run", "core.cohort-retention", "--param", "months=many"],
            "'many' is not a whole number",
        ),
        (["run", "core.customers", "--param", "stage=a", "--param", "stage=b"], "given twice"),
        (["run", "core.customers", "--as-of", "yesterday"], "neither a day such as"),
        (["run", "core.customers", "--columns", "nmae"], "Did you mean name"),
    ],
)
def test_what_is_asked_wrongly_is_exit_2(
    crmkit: Crmkit, people: Path, args: list[str], words: str
) -> None:
    done = crmkit("report", *args, code=2)
    assert words in done.err
    assert done.out == ""


def test_a_page_that_cannot_be_written_leaves_nothing(crmkit: Crmkit, people: Path) -> None:
    done = crmkit("report", "run", "core.funnel", "--output", people / "none" / "x.html", code=2)
    assert "no folder" in done.err
    assert not (people / "none").exists()


def test_csv_opens_with_the_standard_reader(crmkit: Crmkit, people: Path) -> None:
    import csv

    text = crmkit("report", "run", "core.customers", "--format", "csv").out
    assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == ["Ann", "Bob"]


def test_publish_writes_pages_and_says_what(crmkit: Crmkit, people: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    done = crmkit("report", "publish", "core.customers", "--output", folder, "--format", "json")
    (row,) = done.rows
    assert (row["name"], row["file"], row["rows"]) == ("core.customers", "core.customers.html", 2)
    assert str(folder / "index.html") in done.err
    assert ">Ann<" in (folder / "core.customers.html").read_text()


def test_publish_in_another_language(crmkit: Crmkit, people: Path, tmp_path: Path) -> None:
    crmkit("--lang", "zh", "report", "publish", "core.funnel", "--output", tmp_path / "pages")
    assert "五阶段漏斗" in (tmp_path / "pages" / "index.html").read_text()


def test_publish_names_a_report_that_does_not_exist(
    crmkit: Crmkit, people: Path, tmp_path: Path
) -> None:
    done = crmkit("report", "publish", "core.funel", "--output", tmp_path / "pages", code=2)
    assert "Did you mean core.funnel?" in done.err
    assert not (tmp_path / "pages").exists()
