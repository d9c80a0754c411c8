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


def enable(shop: Path, name: str) -> None:
    """Writes the name of a plugin into the settings, as by hand."""
    toml = shop / "crmkit.toml"
    toml.write_text(toml.read_text().replace("plugins = []", f'plugins = ["{name}"]'))


def test_a_sound_workspace_has_no_fault(crmkit: Crmkit, shop: Path) -> None:
    done = crmkit("doctor", "--format", "json")
    assert {row["status"] for row in done.rows} <= {"ok", "warning"}
    assert finding(done, "workspace")["detail"] == str(shop)
    assert finding(done, "database")["detail"].startswith("sqlite 3.")
    assert finding(done, "plugin core")["detail"] == "built-in"
    assert "faults: 0" in done.err


def test_each_setting_tells_where_it_comes_from(crmkit: Crmkit, shop: Path) -> None:
    toml = shop / "crmkit.toml"
    toml.write_text(toml.read_text().replace('time_zone = "UTC"\n', ""))
    done = crmkit("doctor", "--format", "json")
    assert finding(done, "setting currency")["detail"] == "USD [crmkit.toml]"
    assert finding(done, "setting time_zone")["detail"] == "UTC [default]"


def test_an_old_snapshot_is_a_warning_until_it_is_refreshed(crmkit: Crmkit, shop: Path) -> None:
    crmkit("snapshot")
    assert finding(crmkit("doctor", "--format", "json"), "snapshot")["status"] == "ok"
    crmkit("customer", "add", "Ann")
    found = finding(crmkit("doctor", "--format", "json"), "snapshot")
    assert (found["status"], "crmkit snapshot" in found["hint"]) == ("warning", True)


def test_unsound_settings_are_exit_5(crmkit: Crmkit, shop: Path) -> None:
    (shop / "crmkit.toml").write_text('plugins = 3\ncurrency = "USD"\n')
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
    enable(shop, "telecom")
    done = crmkit("doctor", "--format", "json", code=5)
    found = finding(done, "schema")
    assert found["status"] == "fault"
    assert "crmkit db upgrade" in found["hint"]
    assert "crmkit db upgrade" in crmkit("customer", "list", code=5).err


def test_a_plugin_that_is_not_there_is_exit_7(crmkit: Crmkit, shop: Path) -> None:
    enable(shop, "teleport")
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
    assert without_password(url) == "postgresql+psycopg://crm@db/crm"
    assert "s3cret" not in without_password("postgresql:/crm:s3cret@db")


def test_a_copy_of_a_workspace_is_as_sound_as_the_first(
    crmkit: Crmkit, shop: Path, tmp_path: Path
) -> None:
    shutil.copytree(shop, tmp_path / "copy")
    first = json.loads(crmkit("-w", shop, "doctor", "--format", "json").out)
    copy = json.loads(crmkit("-w", tmp_path / "copy", "doctor", "--format", "json").out)
    assert [row["status"] for row in copy] == [row["status"] for row in first]


def rows_and_runs(crmkit: Crmkit, shop: Path) -> None:
    """A customer in the snapshot, a run and a model, all as crmkit writes them."""
    from crmkit.analysis.scores.model import Model, ModelFolder
    from crmkit.entities.asof import AsOf
    from crmkit.warehouse.runs import write_run

    crmkit("customer", "add", "Ann")
    crmkit("snapshot")
    write_run(
        shop / "runs", name="core.worth", kind="score", subject="customer",
        as_of=AsOf.parse("2026-03-31", "UTC"), run="20260401T000000000000Z",
        columns={"subject_id": [1], "value": [0.5]},
    )  # fmt: skip
    ModelFolder(shop / "models").save(Model(score="core.worth", estimator="logistic"))


def flip(path: Path, bit: int = 200) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("check", "files", "cure"),
    [
        ("snapshot", "warehouse/customer/*.parquet", "crmkit snapshot"),
        ("snapshot", "warehouse/manifest.json", "crmkit snapshot"),
        ("runs", "runs/*/*.parquet", "backup"),
        ("runs", "runs/*/*.sha256", "backup"),
        ("models", "models/*/*.json", "backup"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(
    crmkit: Crmkit, shop: Path, check: str, files: str, cure: str
) -> None:
    rows_and_runs(crmkit, shop)
    assert finding(crmkit("doctor", "--format", "json"), check)["status"] == "ok"
    (path,) = shop.glob(files)
    flip(path)
    found = finding(crmkit("doctor", "--format", "json", code=8), check)
    assert found["status"] == "fault"
    assert path.name.removesuffix(".sha256") in found["detail"]
    assert cure in found["hint"]


def test_a_missing_file_of_the_snapshot_is_a_fault_until_it_is_refreshed(
    crmkit: Crmkit, shop: Path
) -> None:
    rows_and_runs(crmkit, shop)
    (path,) = (shop / "warehouse/customer").glob("*.parquet")
    path.unlink()
    assert path.name in finding(crmkit("doctor", "--format", "json", code=8), "snapshot")["detail"]
    done = crmkit("snapshot", "--format", "json")
    assert f"warehouse/customer/{path.name} was missing or damaged" in done.err
    assert {"table": "customer", "rows": 1} in done.rows
    assert finding(crmkit("doctor", "--format", "json"), "snapshot")["status"] == "ok"


def test_a_removed_run_is_a_warning(crmkit: Crmkit, shop: Path) -> None:
    rows_and_runs(crmkit, shop)
    (path,) = shop.glob("runs/*/*.parquet")
    path.unlink()
    found = finding(crmkit("doctor", "--format", "json"), "missing runs")
    assert (found["status"], path.name in found["detail"]) == ("warning", True)


def test_an_answer_from_a_damaged_run_is_refused_by_name(crmkit: Crmkit, shop: Path) -> None:
    rows_and_runs(crmkit, shop)
    asked = ("sql", "SELECT value FROM outcome", "--as-of", "2026-04-02", "--format", "json")
    assert crmkit(*asked).rows == [{"value": 0.5}]
    (path,) = shop.glob("runs/*/*.parquet")
    sound = path.read_bytes()
    for bit in range(64, len(sound) * 8, len(sound) * 8 // 12):
        path.write_bytes(sound)
        flip(path, bit)
        done = crmkit(*asked, code=8)
        assert path.name in done.err
        assert "backup" in done.err
        assert done.out == ""


def broken_page(shop: Path) -> None:
    """Overwrites the page of the table of customers, as a disk does that loses a block."""
    import sqlite3

    file = shop / "crmkit.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'customer'").fetchone()  # fmt: skip
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with file.open("r+b") as out:
        out.seek((page - 1) * size)
        out.write(b"\xa5" * size)


@pytest.mark.parametrize("args", [("customer", "list"), ("snapshot",), ("customer", "add", "Bo")])
def test_a_command_that_meets_a_damaged_page_says_so(
    crmkit: Crmkit, shop: Path, args: tuple[str, ...]
) -> None:
    crmkit("customer", "add", "Ann")
    broken_page(shop)
    done = crmkit(*args, code=8)
    assert "E_DAMAGED the database is damaged: " in done.err
    assert "crmkit doctor --deep" in done.err
    assert "backup" in done.err
    assert "intact" not in done.err


@pytest.mark.parametrize("deep", [[], ["--deep"]])
def test_a_damaged_page_is_found(crmkit: Crmkit, shop: Path, deep: list[str]) -> None:
    crmkit("customer", "add", "Ann")
    assert finding(crmkit("doctor", *deep, "--format", "json"), "pages")["status"] == "ok"
    broken_page(shop)
    found = finding(crmkit("doctor", *deep, "--format", "json", code=8), "pages")
    assert (found["status"], "damaged" in found["detail"]) == ("fault", True)


def test_an_index_that_does_not_fit_is_found_by_the_deep_check(crmkit: Crmkit, shop: Path) -> None:
    """quick_check does not compare indexes with tables (https://sqlite.org/pragma.html)."""
    import sqlite3

    def run(*statements: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(shop / "crmkit.db")
        connection.execute("PRAGMA writable_schema = ON")
        with connection:
            found = [row for statement in statements for row in connection.execute(statement)]
        connection.close()
        return found

    crmkit("customer", "add", "Ann")
    # The table changes while the index is hidden, so the index has the old value.
    (index,) = run("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = 'ix_customer_tx'")  # fmt: skip
    run("DELETE FROM sqlite_schema WHERE name = 'ix_customer_tx'")
    run("UPDATE customer SET tx = tx + 1")
    values = ", ".join(repr(value) for value in index)
    run(f"INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ({values})")
    assert finding(crmkit("doctor", "--format", "json"), "pages")["status"] == "ok"
    found = finding(crmkit("doctor", "--deep", "--format", "json", code=8), "pages")
    assert "ix_customer_tx" in found["detail"]


def test_a_value_that_is_none_of_its_type_is_damage(crmkit: Crmkit, shop: Path) -> None:
    """A flipped bit in a value is no fault of a page; the value alone can tell."""
    import sqlite3

    crmkit("customer", "add", "Ann")
    connection = sqlite3.connect(shop / "crmkit.db")
    connection.execute("UPDATE customer SET created_at = '2026-13-01 00:00:00.000000'")
    (number,) = connection.execute("SELECT id FROM customer").fetchone()
    connection.commit()
    connection.close()
    done = crmkit("customer", "show", str(number), code=8)
    assert "E_DAMAGED the database is damaged: what it holds as an instant is none." in done.err
