"""``crmkit init``."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from attrs import evolve

from .conftest import Crmkit


def test_a_workspace_is_made_and_what_to_do_next_is_on_stderr(
    crmkit: Crmkit, tmp_path: Path
) -> None:
    done = crmkit(
        "init", tmp_path / "w", "--plugin", "telecom", "--currency", "CNY",
        "--time-zone", "Asia/Shanghai", "--language", "zh",
    )  # fmt: skip
    assert done.out == ""
    assert "import FILE --profile NAME" in done.err
    assert "ibm-telco" in done.err
    settings = tomllib.loads((tmp_path / "w" / "crmkit.toml").read_text())
    assert len(settings.pop("workspace_id")) == 32
    assert settings == {
        "plugins": ["telecom"],
        "database": "sqlite:///crmkit.db",
        "currency": "CNY",
        "time_zone": "Asia/Shanghai",
        "language": "zh",
    }
    assert (tmp_path / "w" / "crmkit.db").exists()


def test_a_workspace_is_never_made_over_another(crmkit: Crmkit, tmp_path: Path) -> None:
    crmkit("init", tmp_path / "w", "--currency", "EUR")
    done = crmkit("init", tmp_path / "w", "--currency", "USD", code=2)
    assert "is a workspace already" in done.err
    assert 'currency = "EUR"' in (tmp_path / "w" / "crmkit.toml").read_text()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--plugin", "telecon"], 2, "Did you mean telecom?"),
        (["--without", "cor"], 2, "Did you mean core?"),
        (["--plugin", "core"], 2, "there is no plugin 'core'"),
        (["--time-zone", "Mars/Olympus"], 2, "'Mars/Olympus' is not an IANA time zone"),
        (["--currency", "eur"], 2, "ISO 4217"),
        (["--language", "fr"], 2, "'en', 'zh'"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    crmkit: Crmkit, tmp_path: Path, options: list[str], code: int, words: str
) -> None:
    done = crmkit("init", tmp_path / "w", *options, code=code)
    assert words in done.err
    assert not (tmp_path / "w").exists()


def test_a_plugin_named_twice_is_enabled_once(crmkit: Crmkit, tmp_path: Path) -> None:
    crmkit("init", tmp_path / "w", "--plugin", "telecom", "--plugin", "telecom")
    assert 'plugins = ["telecom"]' in (tmp_path / "w" / "crmkit.toml").read_text()


def test_a_built_in_that_is_set_aside_is_named_and_stays_named(
    crmkit: Crmkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmkit.builtin.desk import panels
    from crmkit.hosting import probe
    from crmkit.hosting.plugins import Plugins

    # The child process that checks it would load it without what the test does to it here.
    checked = probe.check_plugin("desk", Plugins(None).manifests)
    assert checked.verdict is not None
    said = evolve(checked.verdict, faults=(("register_panels", "no column is called that"),))
    monkeypatch.setattr(panels, "panels", lambda: ["no panel"])
    monkeypatch.setattr(probe, "check_plugin", lambda *_: evolve(checked, verdict=said))
    done = crmkit("init", tmp_path / "w")
    assert "plugin desk" in done.err
    assert "register_panels" in done.err
    listed = crmkit("-w", tmp_path / "w", "plugin", "list", "--format", "json")
    (desk,) = [row for row in listed.rows if row["name"] == "desk"]
    assert desk["verdict"] == "faults"
    assert "no column is called that" in desk["faults"]
