"""``crmkit import`` as a person runs it: what it says first, what it asks, and the rejects of a dry run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

Crmkit = Callable[..., Any]

PROFILE = """
name = "p"
[source]
name = "p"
key = ["no"]
[[emit]]
entity = "customer"
key = "no"
[emit.fields]
name = "name"
web = "web"
"""
# One of four rows has a link that a browser would run, and one no key.
ROWS = "no,name,web\n1,Ann,\n2,Bob,javascript:x\n,Cy,\n4,Di,https://d.org\n"


@pytest.fixture
def files(shop: Path) -> Path:
    (shop / "p.toml").write_text(PROFILE, encoding="utf-8")
    (shop / "a.csv").write_text(ROWS, encoding="utf-8")
    return shop


def test_the_share_of_rejected_rows_is_the_first_thing_said(crmkit: Crmkit, files: Path) -> None:
    done = crmkit("import", "a.csv", "--profile", "p.toml", code=3)
    first = done.err.splitlines()[0]
    assert first.startswith("50.0% rejected (2 of 4 rows), 1 of them for E_")
    assert len(crmkit("customer", "list", "--format", "json").rows) == 2


def test_a_terminal_is_asked_before_anything_is_stored(
    crmkit: Crmkit, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    questions: list[str] = []

    def confirm(answer: bool) -> Callable[..., bool]:
        def ask(text: str, **_: Any) -> bool:
            questions.append(text)
            return answer

        return ask

    monkeypatch.setattr(click, "confirm", confirm(False))
    refused = crmkit("import", "a.csv", "--profile", "p.toml", code=2)
    assert "50.0% rejected" in refused.err
    assert "Nothing was imported." in refused.err
    assert crmkit("customer", "list", "--format", "json").rows == []
    monkeypatch.setattr(click, "confirm", confirm(True))
    crmkit("import", "a.csv", "--profile", "p.toml", code=3)
    assert questions == ["Import the other rows?"] * 2
    crmkit("import", "a.csv", "--profile", "p.toml", "--source", "q", "--yes", code=3)
    assert len(questions) == 2


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_dry_run_writes_the_rejects_that_the_import_has(
    crmkit: Crmkit, files: Path, form: str
) -> None:
    if form == "jsonl":
        (files / "p.toml").write_text(PROFILE.replace("[source]", '[source]\nformat = "jsonl"'))
        (files / "a.jsonl").write_text(
            '{"no": 1, "web": "javascript:x"}\n{"no": 2}\n{"name": "x"}\n'
        )
    command = ("import", f"a.{form}", "--profile", "p.toml")
    dry = crmkit(*command, "--dry-run", "--rejects", "dry.out", "--format", "json", code=3)
    assert dry.rows[0]["rejects_file"] == "dry.out"
    assert dry.rows[0]["import_id"] is None
    assert crmkit("customer", "list", "--format", "json").rows == []
    crmkit(*command, "--rejects", "real.out", code=3)
    written = (files / "dry.out").read_text(encoding="utf-8")
    assert written == (files / "real.out").read_text(encoding="utf-8")
    assert written.count("E_") == 2


def test_a_dry_run_without_rejects_writes_no_file(crmkit: Crmkit, files: Path) -> None:
    (files / "a.csv").write_text("no,name,web\n1,Ann,\n", encoding="utf-8")
    crmkit("import", "a.csv", "--profile", "p.toml", "--dry-run", "--rejects", "dry.csv")
    assert not (files / "dry.csv").exists()
    assert not list((files / "rejects").glob("*"))
