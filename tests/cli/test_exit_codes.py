"""Exit codes that only a real run reaches; tests/cli/test_main.py maps every error to its code."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from .conftest import Crmkit

PROFILE = """
name = "people"
[source]
name = "till"
format = "csv"
encoding = "utf-8"
delimiter = ","
key = ["number"]
[[emit]]
entity = "customer"
key = "number"
[emit.fields]
kind = "kind"
name = "name"
"""


@pytest.fixture
def files(shop: Path) -> Path:
    """A profile and a file with one good row and one that no customer can be."""
    (shop / "profiles").mkdir()
    (shop / "profiles" / "people.toml").write_text(PROFILE)
    (shop / "people.csv").write_text("number,kind,name\n1,person,Ann\n2,ghost,Bob\n")
    return shop


def test_some_rejected_rows_are_exit_3_unless_that_is_fine(crmkit: Crmkit, files: Path) -> None:
    command = ("import", "people.csv", "--profile", "people", "--format", "json")
    (row,) = crmkit(*command, code=3).rows
    assert (row["read"], row["created"], row["rejected"]) == (2, 1, 1)
    (row,) = crmkit(*command, "--rejects-ok").rows
    assert (row["unchanged"], row["rejected"]) == (1, 1)


def test_an_unsound_profile_is_exit_5(crmkit: Crmkit, files: Path) -> None:
    (files / "profiles" / "people.toml").write_text(PROFILE.replace("csv", "xml"))
    done = crmkit("import", "people.csv", "--profile", "people", code=5)
    assert done.err.startswith("crmkit: E_PROFILE")
    assert crmkit("customer", "list", "--format", "json").rows == []


@pytest.mark.slow
def test_a_database_that_somebody_holds_is_exit_6(crmkit: Crmkit, shop: Path) -> None:
    with sqlite3.connect(shop / "crmkit.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        done = crmkit("customer", "add", "Ann", code=6)
        other.execute("ROLLBACK")
    other.close()
    assert done.err.splitlines()[-1].startswith("crmkit: E_BUSY")
    assert done.out == ""
    crmkit("customer", "add", "Ann")


def test_a_place_that_cannot_be_written_is_exit_8(crmkit: Crmkit, shop: Path) -> None:
    done = crmkit("snapshot", "--output", "/proc/x.json", code=8)
    assert done.err.splitlines()[-1].startswith("crmkit: E_STORAGE")
