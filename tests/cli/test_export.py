"""``crmkit customer export`` and ``crmkit record export`` as a person runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Crmkit = Callable[..., Any]


def test_exported_customers_are_imported_unchanged(crmkit: Crmkit, shop: Path) -> None:
    crmkit("customer", "add", "=Ann, 李", "--ref", "billing:1", "--contact", "phone:+49 30 1")
    crmkit("customer", "export", "--output", "c.csv", "--profile-out", "c.toml")
    text = (shop / "c.csv").read_text(encoding="utf-8")
    assert text.startswith("ref,kind,name,locale,")
    assert '"\'=Ann, 李"' in text
    done = crmkit("import", "c.csv", "--profile", "c.toml", "--format", "json")
    assert '"unchanged": 1' in done.out


def test_two_numbers_of_one_kind_are_shown_exported_and_imported_unchanged(
    crmkit: Crmkit, shop: Path
) -> None:
    points = ("phone:+4930111", "phone:+4930222", "email:n@x.example")
    contacts = [word for point in points for word in ("--contact", point)]
    crmkit("customer", "add", "Nora", "--ref", "s:1", *contacts)
    shown = crmkit("customer", "show", "s:1").out
    assert "phone  +4930111" in shown
    assert "phone  +4930222" in shown
    crmkit("customer", "export", "--source", "s", "--output", "c.csv", "--profile-out", "c.toml")
    header, row = (shop / "c.csv").read_text(encoding="utf-8").splitlines()
    kept = dict(zip(header.split(","), row.split(","), strict=True))
    assert (kept["phone"], kept["phone_2"]) == ("+4930111", "+4930222")
    done = crmkit("import", "c.csv", "--profile", "c.toml", "--format", "json")
    assert '"unchanged": 1' in done.out


def test_a_blank_cell_leaves_what_was_filed_by_hand(crmkit: Crmkit, shop: Path) -> None:
    contacts = ("--contact", "phone:+4930444", "--contact", "email:f@x.example")
    crmkit("customer", "add", "Four", "--ref", "s:4", *contacts)
    (shop / "blank.csv").write_text("no,name,phone,email\n4,Four,,\n", encoding="utf-8")
    profile = (
        'name = "p"\n[source]\nname = "s"\nkey = ["no"]\n{}[[emit]]\nentity = "customer"\n'
        'key = "no"\n[emit.fields]\nname = "name"\nphone = "phone"\nemail = "email"\n'
    )
    (shop / "keep.toml").write_text(profile.format(""), encoding="utf-8")
    done = crmkit("import", "blank.csv", "--profile", "keep.toml", "--format", "json")
    assert '"unchanged": 1' in done.out
    assert "+4930444" in crmkit("customer", "show", "s:4").out
    (shop / "clear.toml").write_text(profile.format('blank = "clear"\n'), encoding="utf-8")
    other = ("--contact", "phone:+4930444", "--contact", "email:f@x.example")
    crmkit("customer", "add", "Five", "--ref", "s:5", *other)
    (shop / "blank.csv").write_text("no,name,phone,email\n5,Five,,\n", encoding="utf-8")
    crmkit("import", "blank.csv", "--profile", "clear.toml")
    shown = crmkit("customer", "show", "s:5").out
    assert "+4930444" not in shown
    assert "f@x.example" not in shown


def test_the_files_name_says_its_form_and_others_are_refused(crmkit: Crmkit, shop: Path) -> None:
    crmkit("customer", "add", "Ann", "--ref", "billing:1")
    crmkit("customer", "export", "--output", "c.jsonl")
    assert (shop / "c.jsonl").read_text(encoding="utf-8").startswith('{"ref": "1"')
    refused = crmkit("customer", "export", "--output", "c.html", code=2)
    assert "one of csv, jsonl, xlsx, parquet, not html" in refused.err


@pytest.mark.parametrize("form", ["xlsx", "parquet"])
def test_typed_files_are_imported_unchanged(crmkit: Crmkit, shop: Path, form: str) -> None:
    crmkit("customer", "add", " =Ann, 李", "--ref", "billing:007")
    crmkit("customer", "export", "--output", f"c.{form}", "--profile-out", "c.toml")
    done = crmkit("import", f"c.{form}", "--profile", "c.toml", "--format", "json")
    assert '"unchanged": 1' in done.out


def test_several_sources_are_named(crmkit: Crmkit, shop: Path) -> None:
    for source in ("billing", "web"):
        crmkit("customer", "add", "Ann", "--ref", f"{source}:1")
    assert "sources: billing, web" in crmkit("customer", "export", code=2).err
    done = crmkit("customer", "export", "--source", "web")
    assert len(done.out.splitlines()) == 2
    assert "1 customers have no key of web." in done.err


def test_exported_records_are_imported_unchanged(crmkit: Crmkit, tmp_path: Path) -> None:
    folder = tmp_path / "telecom"
    crmkit("init", folder, "--plugin", "telecom")
    here = ("-w", folder)
    crmkit(*here, "record", "set", "telecom.plan", "P-9", "--set", "monthly_fee=19.99", "--set", "plan_name=P")  # fmt: skip
    file, profile = folder / "p.jsonl", folder / "p.toml"
    crmkit(*here, "record", "export", "telecom.plan", "-o", file, "--profile-out", profile)
    done = crmkit(*here, "import", file, "--profile", profile, "--format", "json")
    assert '"unchanged": 1' in done.out


def test_csv_for_spreadsheets_opens_in_the_workspaces_locale(crmkit: Crmkit, shop: Path) -> None:
    crmkit("customer", "add", "José Álvarez", "--ref", "s:1")
    with (shop / "crmkit.toml").open("a", encoding="utf-8") as settings:
        settings.write('locale = "de-DE"\n')
    crmkit("customer", "export", "--excel", "-o", "c.csv", "--profile-out", "c.toml")
    found = (shop / "c.csv").read_bytes()
    assert found.startswith("\ufeffref;kind;name;".encode())
    assert "José Álvarez".encode() in found
    again = crmkit("import", "c.csv", "--profile", "c.toml", "--format", "json")
    assert '"unchanged": 1' in again.out
    # Lists and reports too; without a form asked for it is CSV.
    listed = crmkit("customer", "list", "--columns", "ref,name", "--excel")
    assert listed.out.splitlines() == ["\ufeffref;name", "1;José Álvarez"]
    plain = crmkit("customer", "list", "--columns", "ref,name", "--format", "csv")
    assert plain.out.splitlines() == ["ref,name", "1,José Álvarez"]


def test_records_for_spreadsheets_come_back_with_their_amounts(
    crmkit: Crmkit, tmp_path: Path
) -> None:
    folder = tmp_path / "telecom"
    crmkit("init", folder, "--plugin", "telecom")
    with (folder / "crmkit.toml").open("a", encoding="utf-8") as settings:
        settings.write('locale = "fr"\n')
    here = ("-w", folder)
    crmkit(*here, "record", "set", "telecom.plan", "P-9", "--set", "monthly_fee=19.99", "--set", "plan_name=P")  # fmt: skip
    file, profile = folder / "p.csv", folder / "p.toml"
    crmkit(
        *here, "record", "export", "telecom.plan", "--excel", "-o", file, "--profile-out", profile
    )
    assert ";19,99;USD" in file.read_text(encoding="utf-8-sig")
    done = crmkit(*here, "import", file, "--profile", profile, "--format", "json")
    assert '"unchanged": 1' in done.out
    report = folder / "r.csv"
    crmkit(*here, "report", "run", "core.funnel", "--excel", "-o", report)
    assert report.read_bytes().startswith(b"\xef\xbb\xbf")
    assert ";" in report.read_text(encoding="utf-8-sig").splitlines()[0]


@pytest.mark.parametrize("form", ["xlsx", "json", "tsv"])
def test_excel_is_for_csv_only(crmkit: Crmkit, shop: Path, form: str) -> None:
    crmkit("customer", "add", "Ann", "--ref", "s:1")
    refused = crmkit("customer", "list", "--excel", "--format", form, code=2)
    assert f"--excel is for CSV, not for {form}." in refused.err
    refused = crmkit("customer", "export", "--excel", "-o", "c.xlsx", code=2)
    assert "--excel is for CSV, not for xlsx." in refused.err


def test_a_locale_that_is_none_is_refused(crmkit: Crmkit, shop: Path) -> None:
    with (shop / "crmkit.toml").open("a", encoding="utf-8") as settings:
        settings.write('locale = "German"\n')
    assert (
        "locale 'German' is not a language tag such as de-AT"
        in crmkit("customer", "list", code=5).err
    )
