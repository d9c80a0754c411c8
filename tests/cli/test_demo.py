"""``crmkit demo``: whatever plugin brings the world, the flow is the same."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Crmkit

# A vertical named otherwise than its plugin, so that nothing can rest on the names being equal.
PLUGIN = """
import csv
from datetime import date
from crmkit import hookimpl
from crmkit.declarations import *
from crmkit.entities import FieldType

PROFILE = '''
name = "made-people"
[source]
name = "till"
format = "csv"
encoding = "utf-8"
delimiter = ","
key = ["number"]
effective = "2026-01-01"
[[emit]]
entity = "customer"
key = "number"
[emit.fields]
kind = { value = "person" }
name = "name"
'''

def generate(folder, customers, seed):
    path = folder / "people.csv"
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([("number", "name")] + [
            (i, f"Person {i}") for i in range(customers)])
    return DemoData(files=[DemoFile(path=path, profile="made-people")], as_of=date(2027, 1, 31))

def verify(crm, data):
    found = len(crm.store.customers.list())
    return [DemoCheck(name="customers", passed=found == 60, found=str(found), expected="60")]

@hookimpl
def register_profiles():
    return [ImportProfile(name="made-people", text=PROFILE)]

@hookimpl
def register_reports():
    return [Report(name="made.people", title="People", sql="SELECT customer_id FROM customer",
                   columns=[ReportColumn(name="customer_id", type=FieldType.INTEGER, title="Customer")],
                   key=["customer_id"])]

@hookimpl
def register_demos():
    return [Demo(name="kiosk", generate=generate, lifecycles=["core.customer"],
                 reports=["made.people"], html="made.people", verify=verify)]
"""


@pytest.fixture
def kiosk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed plugin ``made`` with the demo ``kiosk``; the current folder is empty."""
    site = tmp_path / "site"
    package, info = site / "made_plugin", site / "made_plugin-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text(textwrap.dedent(PLUGIN))
    (package / "crmkit-plugin.toml").write_text(
        'name = "made"\nversion = "1.0"\napi = 1\ntitle = "Made"\n'
    )
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[crmkit]\nmade = made_plugin\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(site)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    yield here
    sys.modules.pop("made_plugin", None)


def test_a_demo_ends_with_stages_lists_and_the_path_of_a_page(crmkit: Crmkit, kiosk: Path) -> None:
    done = crmkit("demo", "kiosk", "--customers", "60")
    lines = done.out.splitlines()
    assert lines[0] == "core.customer, 2027-01-31"
    assert "People, 2027-01-31" in lines
    assert "Person 0" in done.out
    page = Path(lines[-1])
    assert page == Path("kiosk-demo/made.people.html")
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    for wanted in (
        "generating 60 customers",
        "importing people.csv",
        "60 created",
        "60 rows in all",
    ):
        assert wanted in done.err
    assert crmkit("-w", "kiosk-demo", "report", "run", "made.people", "--format", "json").rows[0] == {
        "ref": "0", "name": "Person 0",
    }  # fmt: skip


def test_verify_prints_the_checks_and_a_failed_one_ends_in_exit_1(
    crmkit: Crmkit, kiosk: Path
) -> None:
    done = crmkit("demo", "kiosk", "a", "--customers", "60", "--verify", "--format", "json")
    assert done.rows == [{"check": "customers", "passed": True, "found": "60", "expected": "60"}]
    done = crmkit("demo", "kiosk", "b", "--customers", "70", "--verify", "--format", "json", code=1)
    assert done.rows[0]["passed"] is False
    assert "failed: customers" in done.err


def test_json_without_verify_is_one_summary(crmkit: Crmkit, kiosk: Path) -> None:
    (row,) = crmkit("demo", "kiosk", "--customers", "50", "--format", "json").rows
    assert row["vertical"] == "kiosk"
    assert row["workspace"] == "kiosk-demo"
    assert row["as_of"] == "2027-01-31"
    assert row["html"] == "kiosk-demo/made.people.html"


def test_a_workspace_is_never_overwritten(crmkit: Crmkit, kiosk: Path) -> None:
    crmkit("init", "kiosk-demo")
    assert "is a workspace already" in crmkit("demo", "kiosk", code=2).err


def test_an_unknown_vertical_names_the_near_one(crmkit: Crmkit, kiosk: Path) -> None:
    assert "Did you mean kiosk?" in crmkit("demo", "kiosc", code=2).err
    assert not (kiosk / "kiosc-demo").exists()
