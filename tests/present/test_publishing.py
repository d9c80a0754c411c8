"""A folder of pages: whole or not at all, and every link leads to a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import crmkit
from crmkit.analysis.reports import ReportResult, Reports
from crmkit.entities.asof import AsOf
from crmkit.errors import ConfigError, NotFound, StorageError, UsageError
from crmkit.present import publishing
from crmkit.workspace import Crm

from .html_parts import Page

AS_OF = AsOf.end_of(date(2026, 3, 31), "UTC")


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    """A workspace without an industry plugin or a customer."""
    crmkit.init(tmp_path / "shop").close()
    with crmkit.open(tmp_path / "shop") as opened:
        yield opened


def test_every_report_gets_a_page_and_the_index_links_to_each(crm: Crm, tmp_path: Path) -> None:
    made = crm.publish_reports(tmp_path / "pages", as_of=AS_OF)
    names = sorted(crm.catalog.reports)
    assert [entry.name for entry in made.entries] == names
    assert made.faults == {}
    index = Page.parse(made.index.read_text())
    assert index.links == [f"{name}.html" for name in names]
    for link in index.links:
        page = Page.parse((tmp_path / "pages" / link).read_text())
        assert page.links == ["index.html"]


def test_the_index_shows_title_rows_and_the_day(crm: Crm, tmp_path: Path) -> None:
    made = crm.publish_reports(tmp_path / "pages", ["core.funnel"], AS_OF)
    text = made.index.read_text()
    assert "As of <b>2026-03-31</b>" in text
    assert ">Funnel of the five stages</a>" in text
    listed = json.loads((tmp_path / "pages" / "index.json").read_text())
    assert [(row["name"], row["rows"]) for row in listed] == [("core.funnel", 5)]


def test_the_index_holds_no_script(crm: Crm, tmp_path: Path) -> None:
    made = crm.publish_reports(tmp_path / "pages", as_of=AS_OF)
    assert "<script" not in made.index.read_text()
    assert made.index.stat().st_size < 20_000


def test_pages_of_the_last_publication_go_and_other_files_stay(crm: Crm, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    crm.publish_reports(folder, ["core.funnel", "core.customers"], AS_OF)
    (folder / "notes.html").write_text("mine")
    crm.publish_reports(folder, ["core.funnel"], AS_OF)
    assert sorted(path.name for path in folder.iterdir()) == [
        "core.funnel.html", "index.html", "index.json", "notes.html",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "listing", ['[{"file": "../outside.html"}]', "[1]", "{", '[{"file": "index.html"}]']
)
def test_a_listing_that_was_edited_removes_nothing_elsewhere(
    crm: Crm, tmp_path: Path, listing: str
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (tmp_path / "outside.html").write_text("mine")
    (folder / "index.json").write_text(listing)
    made = crm.publish_reports(folder, ["core.funnel"], AS_OF)
    assert (tmp_path / "outside.html").read_text() == "mine"
    assert made.index.exists()


def test_a_report_that_fails_is_named_and_the_others_are_published(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Reports.run

    def failing(self: Reports, name: str, *args: object, **options: object) -> ReportResult:
        if name == "core.customers":
            raise ConfigError("column <b> is missing.")
        return run(self, name, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Reports, "run", failing)
    made = crm.publish_reports(tmp_path / "pages", ["core.customers", "core.funnel"], AS_OF)
    assert made.faults == {"core.customers": "column <b> is missing."}
    assert [entry.name for entry in made.entries] == ["core.funnel"]
    text = made.index.read_text()
    assert "<b>core.customers</b> column &lt;b&gt; is missing." in text
    assert "core.customers.html" not in text


def test_an_unknown_report_writes_nothing(crm: Crm, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"Did you mean core\.funnel"):
        crm.publish_reports(tmp_path / "pages", ["core.funnel", "core.funel"], AS_OF)
    assert not (tmp_path / "pages").exists()


def test_a_folder_that_cannot_be_made_is_refused(crm: Crm, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "none" / "pages"):
        with pytest.raises(UsageError, match="is not a folder and cannot be made one"):
            crm.publish_reports(folder, ["core.funnel"], AS_OF)


def test_a_failure_while_pages_are_made_keeps_the_last_publication(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pages"
    crm.publish_reports(folder, ["core.funnel"], AS_OF)
    before = {path.name: path.read_text() for path in folder.iterdir()}

    def full(*args: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publishing, "index_page", full)
    with pytest.raises(StorageError, match="No space left on device"):
        crm.publish_reports(folder, ["core.customers"], AS_OF)
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    with pytest.raises(StorageError):
        crm.publish_reports(tmp_path / "new", ["core.customers"], AS_OF)
    assert not (tmp_path / "new").exists()


def test_chinese_titles(crm: Crm, tmp_path: Path) -> None:
    made = crm.publish_reports(tmp_path / "pages", ["core.funnel"], AS_OF, language="zh")
    text = made.index.read_text()
    assert '<html lang="zh">' in text
    assert ">五阶段漏斗</a>" in text
