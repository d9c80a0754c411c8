"""``crmkit plugin ...``: every hostile plugin is named, and every other command works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib

import attrs
import pytest

from crmkit.cli.main import main
from crmkit.errors import ConfigError, NotFound, PluginError, UsageError
from crmkit.hosting.host import PluginHost
from crmkit.hosting.plugins import Plugins

from .conftest import SHOP


@pytest.fixture
def workspace(settings):
    """A workspace folder that enables the plugins named."""
    return lambda *names: settings(*names).folder


def rows(capsys, *arguments):
    code = main([*map(str, arguments), "--format", "json"])
    out = capsys.readouterr().out
    return code, {row["name"]: row for row in json.loads(out)}


HOSTILE = {
    "raises at import": ("raise RuntimeError('no licence')", {}, "no licence"),
    "exits at import": ("import sys; sys.exit(0)", {}, "sys.exit(0) was called"),
    "misspelt hook": ("@hookimpl\ndef register_rulez(): return []", {}, "did you mean register_rules"),
    "foreign name": (
        "@hookimpl\ndef register_record_types():\n    return [RecordType(name='shop.plan', schema={'type': 'object'})]",
        {}, "claims the record type 'shop.plan'",
    ),
    "raises on every call": (
        "@hookimpl\ndef after_commit(committed): raise RuntimeError('always')", {}, "after_commit: RuntimeError: always",
    ),
    "never ends": ("while True: pass", {}, "was still busy during import"),
    "generator": ("@hookimpl\ndef register_rules(): yield 1", {}, "returned a generator"),
    "wrong api": ("", {"api": 9}, "written for crmkit API 9"),
    "broken manifest": ("", {"manifest": "name = \n"}, "crmkit-plugin.toml: Invalid value"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_checked_hostile_plugin_is_named_by_list_and_left_out_by_all_others(
    case, make_plugin, workspace, settings, capsys, monkeypatch
):
    code, values, message = HOSTILE[case]
    if case == "never ends":
        monkeypatch.setenv("CRMKIT_CHECK_SECONDS", "2.5")
        # Whatever else this machine has to do while the test runs.
        monkeypatch.setattr("crmkit.hosting.probe._processor_seconds", lambda pid: (2.5, 0.0))
    make_plugin("evil", code, **values)
    make_plugin("shop", SHOP)
    folder = workspace("shop", "evil")

    assert main(["-w", str(folder), "plugin", "check", "evil"]) == 7
    captured = capsys.readouterr()
    assert message in captured.out
    assert captured.err == "crmkit: E_PLUGIN faults in: evil\n"

    status, found = rows(capsys, "-w", folder, "plugin", "list")
    assert status == 0
    assert message in found["evil"]["faults"]
    assert (found["evil"]["verdict"], found["evil"]["enabled"]) == ("faults", True)
    assert (found["shop"]["verdict"], found["shop"]["faults"]) == ("unchecked", "")
    assert "made_evil" not in sys.modules

    # Other commands do not even import it, so one that hangs at import hangs no one.
    host = PluginHost.load(settings("shop", "evil"))
    assert "shop.plan" in host.catalog.record_types
    assert any(
        message in fault.message or message in str(fault).partition(": ")[2]
        for fault in host.faults
    )
    assert {fault.plugin for fault in host.faults} == {"evil"}
    assert "made_evil" not in sys.modules


def test_two_checked_plugins_in_conflict_are_both_named_by_list(make_plugin, workspace, capsys):
    profile = "@hookimpl\ndef register_profiles(): return [ImportProfile(name='till', text='')]"
    make_plugin("left", profile)
    make_plugin("right", profile)
    folder = workspace("left", "right")
    main(["-w", str(folder), "plugin", "check", "left"])
    assert main(["-w", str(folder), "plugin", "check", "right"]) == 7
    capsys.readouterr()
    _, found = rows(capsys, "-w", folder, "plugin", "list")
    sentence = (
        "conflict: import profile 'till' is claimed by the plugins left and right; "
        "disable one of them"
    )
    assert found["left"]["faults"] == found["right"]["faults"] == sentence


def test_a_mended_plugin_is_unchecked_again_and_loads(make_plugin, workspace, settings, capsys):
    make_plugin("shop", "raise RuntimeError('x')")
    folder = workspace("shop")
    assert main(["-w", str(folder), "plugin", "check", "shop"]) == 7
    make_plugin("shop", SHOP)
    capsys.readouterr()
    _, found = rows(capsys, "-w", folder, "plugin", "list")
    assert (found["shop"]["verdict"], found["shop"]["faults"]) == ("unchecked", "")
    assert "shop" in PluginHost.load(settings("shop")).catalog.plugins


def test_init_asks_again_about_what_was_found_faulty_before(
    make_plugin, settings, tmp_path, monkeypatch, capsys
):
    """A verdict on a required plugin is no verdict on everybody who requires it from then on."""
    licence = tmp_path / "licence"
    make_plugin("base", f"import pathlib\npathlib.Path({str(licence)!r}).read_text()")
    make_plugin("top", requires=["base"])
    assert main(["-w", str(settings().folder), "plugin", "check", "base"]) == 7
    place = tmp_path / "new"
    assert main(["init", str(place), "--plugin", "base", "--plugin", "top"]) == 7
    err = capsys.readouterr().err
    assert "FileNotFoundError" in err
    assert "(made_base/__init__.py:7)" in err
    assert not place.exists()
    assert Plugins(None).get("base").verdict == "faults"

    licence.write_text("valid for all")
    assert main(["init", str(place), "--plugin", "base", "--plugin", "top"]) == 0


def test_a_plugin_that_is_left_out_is_named_with_its_fault_and_both_cures(
    make_plugin, tmp_path, capsys
):
    make_plugin("shop", SHOP)
    folder = tmp_path / "workspace"
    assert main(["init", str(folder), "--plugin", "shop"]) == 0
    make_plugin("shop", "raise RuntimeError('no licence')")
    capsys.readouterr()
    sys.modules.pop("made_shop", None)
    assert main(["-w", str(folder), "customer", "list", "--format", "json"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "crmkit: plugin shop: import: RuntimeError: no licence (made_shop/__init__.py:6)",
        "crmkit: plugin shop is left out. When this is mended: crmkit plugin check shop; to work "
        "without it: crmkit plugin disable shop",
    ]


def test_forget_deletes_a_verdict_and_says_where(make_plugin, workspace, capsys):
    make_plugin("shop", "raise RuntimeError('x')")
    folder = workspace("shop")
    main(["-w", str(folder), "plugin", "check", "shop"])
    capsys.readouterr()
    assert main(["-w", str(folder), "plugin", "forget", "shop"]) == 0
    assert f"shop: deleted from {folder / '.crmkit' / 'verdicts.json'}, " in capsys.readouterr().err
    _, found = rows(capsys, "-w", folder, "plugin", "list")
    assert (found["shop"]["verdict"], found["shop"]["faults"]) == ("unchecked", "")
    assert main(["-w", str(folder), "plugin", "forget", "shop"]) == 0
    assert capsys.readouterr().err == "shop: no verdict is kept\n"


def test_check_says_ok_with_the_number_of_hooks(make_plugin, workspace, capsys):
    make_plugin("shop", SHOP)
    folder = workspace("shop")
    assert main(["-w", str(folder), "plugin", "check", "shop"]) == 0
    assert capsys.readouterr().out == "shop 1.0: ok, 5 hooks\n"
    _, found = rows(capsys, "-w", folder, "plugin", "list")
    assert found["shop"]["verdict"] == "ok"
    assert found["shop"]["hooks"].split()[0] == "check_rows"


def test_list_needs_no_workspace_and_no_plugin_code(make_plugin, tmp_path, monkeypatch, capsys):
    make_plugin("evil", "raise RuntimeError('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CRMKIT_WORKSPACE", raising=False)
    status, found = rows(capsys, "--safe-mode", "plugin", "list")
    assert status == 0
    assert list(found["evil"]) == [
        "name", "version", "distribution", "enabled", "verdict", "hooks", "faults",
    ]  # fmt: skip
    assert found["evil"] == {
        "name": "evil", "version": "1.0", "distribution": "dist-evil", "enabled": False,
        "verdict": "unchecked", "hooks": "", "faults": "",
    }  # fmt: skip


def test_hooks_of_an_unchecked_plugin_are_read_from_its_source(make_plugin, workspace, capsys):
    make_plugin("shop", SHOP)
    make_plugin("broken", "def broken(:")
    _, found = rows(capsys, "-w", workspace("shop"), "plugin", "list")
    assert found["shop"]["hooks"].split() == [
        "check_rows", "register_customer_fields", "register_features", "register_profiles",
        "register_record_types",
    ]  # fmt: skip
    assert found["broken"]["hooks"] == ""
    assert len(found["core"]["hooks"].split()) >= 3


def test_a_workspace_that_was_named_must_be_there(tmp_path, capsys):
    assert main(["-w", str(tmp_path), "plugin", "list"]) == 2
    assert "there is no workspace" in capsys.readouterr().err


def test_the_table_is_aligned_and_ends_with_the_faults(make_plugin, workspace, capsys):
    make_plugin("shop", SHOP)
    make_plugin("bare", manifest=None)
    main(["-w", str(workspace("shop")), "plugin", "list"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "version", "distribution", "enabled", "verdict", "hooks"]
    [shop] = [line for line in lines if line.startswith("shop ")]
    assert shop.split() == ["shop", "1.0", "dist-shop", "yes", "unchecked", "5"]
    assert lines[0].index("enabled") == shop.index("yes")
    assert any(line.startswith("bare: manifest: crmkit-plugin.toml is missing") for line in lines)


def test_show_gives_the_manifest(make_plugin, workspace, capsys):
    make_plugin(
        "shop", SHOP, title="Shop", title_zh="商店", requires=["core"], tables=["shop_plan"]
    )
    _, found = rows(capsys, "-w", workspace("shop"), "plugin", "show", "shop")
    shop = found["shop"]
    assert (shop["title"], shop["requires"], shop["tables"]) == ("Shop", "core", "shop_plan")
    assert (shop["module"], shop["api"], shop["builtin"]) == ("made_shop", "1", False)
    main(["--lang", "zh", "-w", str(workspace("shop")), "plugin", "show", "shop"])
    assert "title         商店\n" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["show", "check", "enable", "forget"])
def test_an_unknown_name_is_refused_with_a_near_one(verb, make_plugin, workspace, capsys):
    make_plugin("shop", SHOP)
    assert main(["-w", str(workspace()), "plugin", verb, "shopp"]) == 2
    assert "there is no plugin 'shopp'. Did you mean shop?" in capsys.readouterr().err


# --- enabling and disabling, with the store's part recorded -----------------------------------------


@pytest.fixture
def upgrade():
    """Stands for the store's upgrade: records what it was asked."""

    class Upgrade:
        def __init__(self):
            self.calls = []

        def __call__(self, settings, dry_run):
            self.calls.append((settings.plugins, dry_run))
            return ["create table shop_plan (id integer)"]

    return Upgrade()


def enabled_in(folder):
    return tomllib.loads((folder / "crmkit.toml").read_text())["plugins"]


def test_enable_checks_then_upgrades_then_writes_the_settings(make_plugin, settings, upgrade):
    make_plugin("shop", SHOP)
    start = settings()
    toml = start.folder / "crmkit.toml"
    toml.write_text("# ours\nplugins = [] # none yet\ncurrency = 'EUR'\n")
    plugins = Plugins(attrs.evolve(start, currency="EUR"))
    change = plugins.enable(["shop"], upgrade=upgrade)
    assert change.statements == ("create table shop_plan (id integer)",)
    assert upgrade.calls == [(("shop",), False)]
    assert toml.read_text() == "# ours\nplugins = [\"shop\"] # none yet\ncurrency = 'EUR'\n"
    assert plugins.get("shop").enabled
    assert plugins.get("shop").verdict == "ok"


def test_a_dry_run_tells_the_sql_and_changes_nothing(make_plugin, settings, upgrade):
    make_plugin("shop", SHOP)
    start = settings()
    change = Plugins(start).enable(["shop"], upgrade=upgrade, dry_run=True)
    assert (change.statements, change.dry_run) == (("create table shop_plan (id integer)",), True)
    assert upgrade.calls == [(("shop",), True)]
    assert enabled_in(start.folder) == []


def test_a_plugin_with_faults_is_not_enabled(make_plugin, settings, upgrade):
    make_plugin("evil", "raise RuntimeError('no licence')")
    start = settings()
    with pytest.raises(PluginError, match="import: RuntimeError: no licence") as caught:
        Plugins(start).enable(["evil"], upgrade=upgrade)
    assert (caught.value.plugin, caught.value.exit_code) == ("evil", 7)
    assert upgrade.calls == []
    assert enabled_in(start.folder) == []


def test_an_upgrade_that_fails_leaves_the_settings_as_they_were(make_plugin, settings):
    make_plugin("shop", SHOP)
    start = settings()

    def failing(settings, dry_run):
        raise ConfigError("the table is there already.")

    with pytest.raises(ConfigError, match="there already"):
        Plugins(start).enable(["shop"], upgrade=failing)
    assert enabled_in(start.folder) == []


def test_enabling_what_requires_another_asks_for_both(make_plugin, settings, upgrade):
    make_plugin("base")
    make_plugin("top", requires=["base"])
    start = settings()
    with pytest.raises(
        ConfigError, match="plugin top: it requires 'base', which is not enabled"
    ) as e:
        Plugins(start).enable(["top"], upgrade=upgrade)
    assert e.value.hint == "Enable them together: crmkit plugin enable base top"
    Plugins(start).enable(["base", "top"], upgrade=upgrade)
    assert enabled_in(start.folder) == ["base", "top"]


def test_enabling_beside_a_conflict_is_refused_naming_both(make_plugin, settings, upgrade):
    make_plugin("shop", SHOP)
    make_plugin("rival", conflicts=["shop"])
    make_plugin("copy", SHOP.replace("shop.", "copy."))
    start = settings("shop")
    Plugins(start).check("shop")
    with pytest.raises(ConfigError, match="the plugins rival and shop cannot both be enabled"):
        Plugins(start).enable(["rival"], upgrade=upgrade)
    with pytest.raises(ConfigError, match="'till' is claimed by the plugins copy and shop"):
        Plugins(start).enable(["copy"], upgrade=upgrade)
    assert upgrade.calls == []


def test_enabling_twice_is_the_same_as_once(make_plugin, settings, upgrade):
    make_plugin("shop", SHOP)
    start = settings("shop")
    Plugins(start).enable(["shop"], upgrade=upgrade)
    assert enabled_in(start.folder) == ["shop"]


def test_disabling_takes_along_what_requires_it_and_imports_nothing(make_plugin, settings, capsys):
    make_plugin("base", "raise RuntimeError('imported')")
    make_plugin("middle", requires=["base"])
    make_plugin("top", requires=["middle"])
    make_plugin("aside")
    folder = settings("aside", "base", "middle", "top").folder
    assert main(["-w", str(folder), "plugin", "disable", "base", "--dry-run"]) == 0
    assert enabled_in(folder) == ["aside", "base", "middle", "top"]
    capsys.readouterr()
    assert main(["-w", str(folder), "plugin", "disable", "base"]) == 0
    out, err = capsys.readouterr()
    assert out == "disabled: base, middle, top\n"
    assert "middle goes too" in err
    assert "top goes too" in err
    assert enabled_in(folder) == ["aside"]


def test_a_plugin_that_is_no_longer_installed_can_be_disabled(settings):
    start = settings("ghost")
    Plugins(start).disable(["ghost"])
    assert enabled_in(start.folder) == []


def test_disabling_what_is_not_enabled_says_so(make_plugin, settings):
    make_plugin("shop", SHOP)
    make_plugin("other")
    with pytest.raises(UsageError, match="plugin other is not enabled"):
        Plugins(settings("shop")).disable(["other"])
    with pytest.raises(NotFound, match="Did you mean shop"):
        Plugins(settings("shop")).disable(["shopp"])


def test_a_built_in_is_switched_off_and_on_by_without(tmp_path, settings, upgrade, monkeypatch):
    from .conftest import manifest_text

    folder = tmp_path / "builtin" / "base"
    folder.mkdir(parents=True)
    (folder / "crmkit-plugin.toml").write_text(manifest_text("base"))
    monkeypatch.setattr("crmkit.hosting.manifest.BUILTIN_FOLDER", tmp_path / "builtin")
    start = settings()
    plugins = Plugins(start)
    assert (plugins.get("base").enabled, plugins.get("base").verdict) == (True, "built-in")
    plugins.disable(["base"])
    assert tomllib.loads((start.folder / "crmkit.toml").read_text())["without"] == ["base"]
    assert not plugins.get("base").enabled


def test_plugin_list_starts_without_any_heavy_library(make_plugin, tmp_path):
    make_plugin("shop", SHOP)
    code = (
        "import sys\nfrom crmkit.cli.main import main\nmain(['plugin', 'list'])\n"
        "heavy = {'sqlalchemy', 'jsonschema', 'duckdb', 'pyarrow', 'rich', 'sqlglot', 'numpy', "
        "'subprocess', 'made_shop'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "dist-shop" in done.stdout
