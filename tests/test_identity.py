"""Settings and database belong together: neither is replaced, cut off or lost without a word."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import crmkit
from crmkit.durable import replace_text, write_new
from crmkit.errors import ConfigError, StorageError
from crmkit.settings import SettingsFile, load_settings
from crmkit.testing.postgresql import fresh_database


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a customer, that no test changes."""
    folder = tmp_path_factory.mktemp("identity") / "shop"
    with crmkit.init(folder, currency="EUR", time_zone="Asia/Shanghai") as crm:
        crm.store.customers.add(name="Ann")
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "shop")


def customers(folder: Path) -> int:
    with crmkit.open(folder) as crm:
        return len(crm.store.customers.list())


def without_id(folder: Path) -> None:
    """As a version before workspaces had ids left it."""
    toml = folder / "crmkit.toml"
    lines = toml.read_text().splitlines(keepends=True)
    toml.write_text("".join(lines[:-2]))
    with sqlite3.connect(folder / "crmkit.db") as connection:
        connection.execute("DROP TABLE workspace")
        connection.execute(
            "UPDATE declaration SET declared = json_remove(declared, '$.tables.workspace') "
            "WHERE plugin = 'crmkit'"
        )
    connection.close()


def test_settings_cut_at_any_line_end_are_refused(shop: Path) -> None:
    """Also where what is left is sound: it lacks the time zone or the language."""
    toml = shop / "crmkit.toml"
    lines = toml.read_text().splitlines(keepends=True)
    assert len(lines) >= 7
    for count in range(len(lines)):
        toml.write_text("".join(lines[:count]))
        with pytest.raises(ConfigError, match=r"crmkit\.toml has no .* cut off") as caught:
            customers(shop)
        assert caught.value.exit_code == 5
    toml.write_text("".join(lines))
    assert customers(shop) == 1


def test_settings_cut_at_any_byte_are_refused_or_whole(shop: Path) -> None:
    toml = shop / "crmkit.toml"
    text = toml.read_bytes()
    # Without the line end alone nothing is missing.
    for size in range(0, len(text) - 1, 5):
        toml.write_bytes(text[:size])
        with pytest.raises(ConfigError):
            customers(shop)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# nothing\n", b"\xff\xfe", b"\0" * 200])
def test_emptied_or_overwritten_settings_are_refused(shop: Path, content: bytes) -> None:
    (shop / "crmkit.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"crmkit\.toml"):
        customers(shop)


def test_another_currency_is_refused(shop: Path) -> None:
    toml = shop / "crmkit.toml"
    toml.write_text(toml.read_text().replace('"EUR"', '"USD"'))
    with pytest.raises(ConfigError, match=r'is USD.* are in EUR\. Set currency = "EUR"'):
        customers(shop)


def test_the_database_of_another_workspace_is_refused(shop: Path, tmp_path: Path) -> None:
    crmkit.init(tmp_path / "other", currency="EUR").close()
    (shop / "crmkit.db").write_bytes((tmp_path / "other/crmkit.db").read_bytes())
    with pytest.raises(ConfigError, match=r"crmkit\.toml is of workspace"):
        customers(shop)
    with crmkit.open(shop) as crm, pytest.raises(ConfigError, match="is of workspace"):
        crm.unchecked_store.upgrade()


@pytest.mark.parametrize("harm", ["gone", "emptied"])
def test_a_lost_database_is_never_made_anew(shop: Path, harm: str) -> None:
    file = shop / "crmkit.db"
    for path in shop.glob("crmkit.db*"):
        path.unlink()
    if harm == "emptied":
        file.write_bytes(b"")
    for act in (lambda crm: crm.store, lambda crm: crm.unchecked_store.upgrade()):
        with crmkit.open(shop) as crm, pytest.raises(ConfigError, match="Restore it from a backup"):
            act(crm)
        assert file.exists() is (harm == "emptied")
    if harm == "emptied":
        with sqlite3.connect(file) as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
        connection.close()


def test_a_database_that_vanishes_later_is_not_made_anew(shop: Path) -> None:
    """It was there when the store was opened, and is gone at the first statement."""
    with crmkit.open(shop) as crm:
        store = crm.unchecked_store
        for path in shop.glob("crmkit.db*"):
            path.unlink()
        with pytest.raises(StorageError, match="cannot be opened"):
            store.check_schema()
    assert not (shop / "crmkit.db").exists()


def test_an_upgrade_gives_an_older_workspace_its_id_and_loses_nothing(shop: Path) -> None:
    without_id(shop)
    before = (shop / "crmkit.toml").read_text()
    with crmkit.open(shop) as crm:
        with pytest.raises(ConfigError, match="crmkit db upgrade"):
            crm.store  # noqa: B018 - opening it is what is tried
        crm.unchecked_store.upgrade()
    after = (shop / "crmkit.toml").read_text()
    assert after.startswith(before)
    assert load_settings(shop).workspace_id
    assert customers(shop) == 1
    with crmkit.open(shop) as crm:
        assert crm.unchecked_store.upgrade().empty
    assert (shop / "crmkit.toml").read_text() == after


def test_an_upgrade_that_was_cut_off_after_the_file_goes_on(shop: Path) -> None:
    """The id is in the file and not yet in the database."""
    without_id(shop)
    given = SettingsFile(shop).give_id()
    with crmkit.open(shop) as crm:
        crm.unchecked_store.upgrade()
    assert load_settings(shop).workspace_id == given
    assert customers(shop) == 1


def test_upgrades_at_once_agree_on_the_id(shop: Path) -> None:
    without_id(shop)
    errors: list[BaseException] = []

    def upgrade() -> None:
        try:
            with crmkit.open(shop) as crm:
                crm.unchecked_store.upgrade()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert customers(shop) == 1


def test_a_dry_run_of_the_upgrade_leaves_the_file_alone(shop: Path) -> None:
    without_id(shop)
    before = (shop / "crmkit.toml").read_bytes()
    with crmkit.open(shop) as crm:
        assert not crm.unchecked_store.upgrade(dry_run=True).empty
    assert (shop / "crmkit.toml").read_bytes() == before


def test_a_second_folder_for_one_database_takes_its_id(
    tmp_path: Path, postgresql_server: str
) -> None:
    with fresh_database(postgresql_server) as url:
        crmkit.init(tmp_path / "one", database=url, currency="EUR").close()
        crmkit.init(tmp_path / "two", database=url, currency="EUR").close()
        one, two = load_settings(tmp_path / "one"), load_settings(tmp_path / "two")
        assert one.workspace_id == two.workspace_id
        with crmkit.open(tmp_path / "two") as crm:
            crm.store.customers.add(name="Bo")
        assert customers(tmp_path / "one") == 1
        with pytest.raises(ConfigError, match="is USD"):
            crmkit.init(tmp_path / "three", database=url, currency="USD")
        assert not (tmp_path / "three").exists()


def test_init_that_is_killed_leaves_no_workspace_and_can_be_run_again(tmp_path: Path) -> None:
    code = (
        "import os, sys, crmkit.workspace as w\n"
        "w.replace_text = lambda *_: os.kill(os.getpid(), 9)\n"
        "w.init_workspace(sys.argv[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "shop"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "shop/crmkit.toml").exists()
    crmkit.init(tmp_path / "shop").close()
    assert customers(tmp_path / "shop") == 0


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "crmkit.toml"
    path.write_text("old")
    path.chmod(0o640)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            replace_text(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["crmkit.toml"]
    assert path.read_text() == "old"
    replace_text(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    with pytest.raises(FileExistsError):
        write_new(path, "other")
    assert path.read_text() == "new"
