"""``crmkit doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from crmkit.cli import doctor
from crmkit.cli.doctor import without_password

from .conftest import Crmkit, Done


def finding(done: Done, check: str) -> dict[str, str]:
    (row,) = (row for row in done.rows if row["check"] == check)
    return row


def test_a_sound_workspace_has_no_fault(crmkit: Crmkit, shop: Path) -> None:
    done = crmkit("doctor", "--format", "json")
    assert {row["status"] for row in done.rows} <= {"ok", "warning"}
    assert finding(done, "workspace")["detail"] == str(shop)
    assert finding(done, "database")["detail"].startswith("sqlite 3.")
    assert finding(done, "plugin core")["detail"] == "built-in"
    assert "faults: 0" in done.err


def test_each_setting_tells_where_it_comes_from(crmkit: Crmkit, shop: Path) -> None:
    (shop / "crmkit.toml").write_text('plugins = []\ncurrency = "EUR"\n')
    done = crmkit("doctor", "--format", "json")
    assert finding(done, "setting currency")["detail"] == "EUR [crmkit.toml]"
    assert finding(done, "setting time_zone")["detail"] == "UTC [default]"


def test_an_old_snapshot_is_a_warning_until_it_is_refreshed(crmkit: Crmkit, shop: Path) -> None:
    crmkit("snapshot")
    assert finding(crmkit("doctor", "--format", "json"), "snapshot")["status"] == "ok"
    crmkit("customer", "add", "Ann")
    found = finding(crmkit("doctor", "--format", "json"), "snapshot")
    assert (found["status"], "crmkit snapshot" in found["hint"]) == ("warning", True)


def test_unsound_settings_are_exit_5(crmkit: Crmkit, shop: Path) -> None:
    (shop / "crmkit.toml").write_text("plugins = 3\n")
    done = crmkit("doctor", "--format", "json", code=5)
    assert "plugins must be a list" in finding(done, "workspace")["detail"]
    assert finding(done, "crmkit")["status"] == "ok"


def test_no_workspace_is_exit_5_and_says_how_to_make_one(
    crmkit: Crmkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = crmkit("doctor", "--format", "json", code=5)
    assert "crmkit init" in finding(done, "workspace")["hint"]


def test_a_schema_behind_its_plugins_is_exit_5(crmkit: Crmkit, shop: Path) -> None:
    (shop / "crmkit.toml").write_text('plugins = ["telecom"]\n')
    done = crmkit("doctor", "--format", "json", code=5)
    found = finding(done, "schema")
    assert found["status"] == "fault"
    assert "crmkit db upgrade" in found["hint"]
    assert "crmkit db upgrade" in crmkit("customer", "list", code=5).err


def test_a_plugin_that_is_not_there_is_exit_7(crmkit: Crmkit, shop: Path) -> None:
    (shop / "crmkit.toml").write_text('plugins = ["teleport"]\n')
    found = finding(crmkit("doctor", "--format", "json", code=7), "plugin teleport")
    assert found["status"] == "fault"
    assert "crmkit plugin disable teleport" in found["hint"]


@pytest.mark.parametrize(
    ("free", "status", "code"), [(5_000_000, "fault", 8), (500_000_000, "warning", 0)]
)
def test_a_full_disk_is_seen_before_it_hurts(
    crmkit: Crmkit, shop: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str, code: int
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage(10**12, 0, free))
    found = finding(crmkit("doctor", "--format", "json", code=code), "disk")
    assert found["status"] == status


def test_a_broken_database_is_named(crmkit: Crmkit, shop: Path) -> None:
    for file in shop.glob("crmkit.db*"):
        file.unlink()
    (shop / "crmkit.db").write_text("this is no database, and long enough to be looked at " * 50)
    done = crmkit("doctor", "--format", "json", code=8)
    assert finding(done, "database")["status"] == "fault"


def test_a_password_is_never_shown() -> None:
    url = "postgresql+psycopg://crm:s3cret@db/crm"
    assert without_password(url) == "postgresql+psycopg://crm:***@db/crm"
    assert "s3cret" not in without_password("postgresql:/crm:s3cret@db")


def test_a_copy_of_a_workspace_is_as_sound_as_the_first(
    crmkit: Crmkit, shop: Path, tmp_path: Path
) -> None:
    shutil.copytree(shop, tmp_path / "copy")
    first = json.loads(crmkit("-w", shop, "doctor", "--format", "json").out)
    copy = json.loads(crmkit("-w", tmp_path / "copy", "doctor", "--format", "json").out)
    assert [row["status"] for row in copy] == [row["status"] for row in first]
