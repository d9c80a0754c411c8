from __future__ import annotations

import json
import os

import pytest

from crmkit.hosting.faults import PluginFault
from crmkit.hosting.manifest import find_manifests
from crmkit.hosting.verdict import Verdict, Verdicts, fingerprint, make_verdict, user_cache


@pytest.fixture
def shop(make_plugin):
    make_plugin("shop")
    return lambda: find_manifests()["shop"]


def test_a_kept_verdict_is_read_again_with_all_its_parts(shop, tmp_path):
    faults = [
        PluginFault("shop", "import", "RuntimeError: x"),
        PluginFault("shop", "requires", "y"),
    ]
    made = make_verdict(
        shop(), faults, hooks=["check_rows"], claims={"profiles": ["till"]}, seconds=1
    )
    assert (
        Verdicts.of_workspace(tmp_path).keep("shop", made) == tmp_path / ".crmkit" / "verdicts.json"
    )
    read = Verdicts.of_workspace(tmp_path).get(shop())
    assert read is not None
    assert read.word == "faults"
    assert read.faults == (("import", "RuntimeError: x"),), "what depends on others is not kept"
    assert read.hooks == ("check_rows",)
    assert read.claims == {"profiles": ["till"]}
    assert read.as_faults("shop") == faults[:1]


@pytest.mark.parametrize("change", ["edit", "add", "remove", "version", "crmkit"])
def test_a_verdict_is_void_when_anything_it_judged_changes(
    change, shop, make_plugin, tmp_path, monkeypatch
):
    package = make_plugin("shop")
    (package / "rules.py").write_text("A = 1\n")
    verdicts = Verdicts.of_workspace(tmp_path)
    verdicts.keep("shop", make_verdict(shop(), []))
    assert verdicts.get(shop()) is not None
    if change == "edit":
        os.utime(package / "rules.py", ns=(1, 1))
    elif change == "add":
        (package / "more.sql").write_text("select 1")
    elif change == "remove":
        (package / "rules.py").unlink()
    elif change == "version":
        make_plugin("shop", version="1.1")
    else:
        monkeypatch.setattr("crmkit.hosting.verdict.__version__", "99")
    assert verdicts.get(shop()) is None


def test_byte_code_that_python_writes_leaves_the_verdict_standing(shop, make_plugin):
    package = make_plugin("shop")
    before = fingerprint(shop())
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert fingerprint(shop()) == before


def test_without_a_workspace_verdicts_are_in_the_cache_folder(shop, tmp_path):
    place = Verdicts.of_workspace(None).keep("shop", make_verdict(shop(), []))
    assert place == tmp_path / "cache" / "crmkit" / "verdicts.json"
    assert Verdicts.of_workspace(tmp_path / "elsewhere").get(shop()) is not None


def test_a_workspace_that_cannot_be_written_falls_back_to_the_cache(shop, tmp_path):
    (tmp_path / ".crmkit").write_text("a file where the folder would be")
    place = Verdicts.of_workspace(tmp_path).keep("shop", make_verdict(shop(), []))
    assert place == tmp_path / "cache" / "crmkit" / "verdicts.json"


def test_an_unwritable_home_is_tolerated(shop, tmp_path, monkeypatch):
    (tmp_path / "no").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no"))
    verdicts = Verdicts.of_workspace(None)
    assert verdicts.keep("shop", make_verdict(shop(), [])) is None
    assert verdicts.get(shop()) is None


def test_without_any_home_there_is_no_cache(monkeypatch):
    def no_home() -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", no_home)
    assert user_cache() is None
    assert Verdicts.of_workspace(None).places == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "verdicts": {"shop": {"x": 1}}}']
)
def test_a_verdicts_file_that_cannot_be_read_is_as_good_as_none(text, shop, tmp_path):
    (tmp_path / ".crmkit").mkdir()
    (tmp_path / ".crmkit" / "verdicts.json").write_text(text)
    verdicts = Verdicts.of_workspace(tmp_path)
    assert verdicts.get(shop()) is None
    verdicts.keep("shop", make_verdict(shop(), []))
    kept = json.loads((tmp_path / ".crmkit" / "verdicts.json").read_text())
    assert list(kept["verdicts"]) == ["shop"]


def test_the_newest_of_two_verdicts_holds(shop, tmp_path):
    old = Verdict(version="1.0", fingerprint=fingerprint(shop()), faults=[("import", "x")], checked_at="2026-01-01T00:00:00")  # fmt: skip
    new = Verdict(version="1.0", fingerprint=fingerprint(shop()), checked_at="2026-01-02T00:00:00")
    Verdicts.of_workspace(tmp_path).keep("shop", old)
    Verdicts.of_workspace(None).keep("shop", new)
    found = Verdicts.of_workspace(tmp_path).get(shop())
    assert found is not None
    assert found.word == "ok"


def test_a_verdict_is_void_when_what_the_plugin_requires_changes(make_plugin, tmp_path):
    base = make_plugin("base")
    make_plugin("top", requires=["base"])
    manifests = find_manifests()
    verdicts = Verdicts.of_workspace(tmp_path)
    verdicts.keep("top", make_verdict(manifests["top"], [], among=manifests))
    assert verdicts.get(manifests["top"], manifests) is not None
    (base / "__init__.py").write_text("A = 1\n")
    assert verdicts.get(manifests["top"], manifests) is None


def test_a_verdict_is_void_when_crmkits_own_code_changes(shop, tmp_path, monkeypatch):
    """The fault may have been crmkit's: its next state is not held against the plugin."""
    verdicts = Verdicts.of_workspace(tmp_path)
    verdicts.keep("shop", make_verdict(shop(), [PluginFault("shop", "after_commit", "x")]))
    assert verdicts.get(shop()).word == "faults"
    monkeypatch.setattr("crmkit.hosting.verdict._core_stamps", lambda: ("another state",))
    assert verdicts.get(shop()) is None


def test_a_forgotten_verdict_is_gone_everywhere_and_the_others_stay(shop, make_plugin, tmp_path):
    make_plugin("other")
    verdicts = Verdicts.of_workspace(tmp_path)
    verdicts.keep("shop", make_verdict(shop(), []))
    verdicts.keep("other", make_verdict(find_manifests()["other"], []))
    assert len(verdicts.forget("shop")) == 2, "in the workspace and in the user's cache"
    assert verdicts.forget("shop") == []
    for again in (verdicts, Verdicts.of_workspace(tmp_path), Verdicts.of_workspace(None)):
        assert again.get(shop()) is None
        assert again.get(find_manifests()["other"]) is not None
