from pathlib import Path

import pytest

from crmkit.errors import ConfigError, NotFound
from crmkit.settings import Settings, find_workspace, load_settings


def write(folder: Path, text: str) -> Path:
    (folder / "crmkit.toml").write_text(text, encoding="utf-8")
    return folder


def test_settings_round_trip_through_toml(tmp_path: Path) -> None:
    given = Settings(
        folder=tmp_path.resolve(), plugins=("telecom",), without=("core",), currency="CNY",
        time_zone="Asia/Shanghai", language="zh",
    )  # fmt: skip
    assert load_settings(write(tmp_path, given.to_toml())) == given


def test_sqlite_file_lies_in_the_workspace(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path)
    assert settings.database_url == f"sqlite:///{(tmp_path / 'crmkit.db').resolve()}"
    server = "postgresql+psycopg://crm@localhost/crm"
    assert Settings(folder=tmp_path, database=server).database_url == server


def test_every_fault_of_the_file_is_named(tmp_path: Path) -> None:
    text = 'pluginz = []\ncurrency = "USD"\nplugins = "telecom"\ntime_zone = "Mars/Olympus"\nlanguage = "de"\n'
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, text))
    message = str(caught.value)
    assert "unknown key 'pluginz' (known: plugins, without, database" in message
    assert "plugins must be a list, not 'telecom'" in message
    assert "time_zone: 'Mars/Olympus' is not an IANA time zone" in message
    assert "language 'de' is not en or zh" in message
    assert caught.value.exit_code == 5


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2"):
        load_settings(write(tmp_path, 'plugins = []\nlanguage = "en\n'))


def test_nearest_workspace_upward_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRMKIT_WORKSPACE", raising=False)
    write(tmp_path, "plugins = []\n")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_workspace(start=deep) == tmp_path.resolve()
    with pytest.raises(NotFound, match="crmkit init"):
        find_workspace(deep)
