from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from crmkit.hosting.manifest import find_manifests, parse_manifest

from .conftest import manifest_text


def test_a_manifest_is_read_without_importing_the_plugin(make_plugin):
    make_plugin("quiet", "raise SystemExit(3)", title="Quiet", requires=["other"])
    found = find_manifests()["quiet"]
    assert (found.version, found.title, found.requires) == ("1.0", "Quiet", ("other",))
    assert (found.distribution, found.module) == ("dist-quiet", "made_quiet")
    assert found.faults == ()
    assert "made_quiet" not in sys.modules


def test_a_missing_manifest_is_a_named_fault(make_plugin, site):
    make_plugin("bare", manifest=None)
    assert find_manifests()["bare"].faults == (
        f"crmkit-plugin.toml is missing in {site / 'made_bare'}",
    )


def test_a_package_that_is_gone_is_a_named_fault(make_plugin):
    package = make_plugin("gone")
    for file in package.iterdir():
        file.unlink()
    package.rmdir()
    importlib.invalidate_caches()
    assert find_manifests()["gone"].faults == (
        "its package 'made_gone' cannot be found; install it again",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "Invalid value (at end of document)"),
        ('name = "x"\napi = 1\n', "lacks 'version'"),
        ('name = "x"\nversion = "1"\napi = "one"\n', "api must be a number, a pair as [1, 2] or a range"),
        ('name = "x"\nversion = "1"\napi = true\n', "api must be a number, a pair as [1, 2] or a range"),
        ('name = "x"\nversion = "1"\napi = [3, 2]\n', "api must be a number, a pair as [1, 2] or a range"),
        ('name = "x"\nversion = "1"\napi = [2, 4]\n', "crmkit API 2 to 4, this is API 1"),
        ('name = "x"\nversion = "1"\napi = 1\nrequire = []\n', "'require'; did you mean requires?"),
        ('name = "x"\nversion = 1\napi = 1\n', "version must be text, not 1"),
        ('name = "x"\nversion = "1"\napi = 1\nrequires = "y"\n', "requires must be a list of texts"),
        ('name = "x"\nversion = "1"\napi = 1\nrequires = ["x"]\n', "requires names the plugin itself"),
        ('name = "x"\nversion = "1"\napi = 1\nrequires = ["Y-1"]\n', "'Y-1', which does not match"),
        ('name = "x"\nversion = "1"\napi = 1\nrequires = ["y"]\nconflicts = ["y"]\n', "'y' is both required and in conflict"),
        ('name = "x"\nversion = "1"\napi = 1\n[commands]\n"Do It" = "x"\n', "command 'Do It' does not match"),
        ('name = "x"\nversion = "1"\napi = 1\ncommands = ["do"]\n', "commands must be a table of noun"),
    ],
)  # fmt: skip
def test_each_fault_of_a_manifest_is_said(text, said):
    _, faults = parse_manifest(text)
    assert any(said in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("api", "ends"),
    [("1", (1, 1)), ("[1, 3]", (1, 3)), ('">=1,<4"', (1, 3)), ('">=0, <2"', (0, 1))],
)
def test_a_range_of_api_numbers_that_holds_this_one_fits(api, ends):
    values, faults = parse_manifest(f'name = "x"\nversion = "1"\napi = {api}\n')
    assert (values["api"], faults) == (ends, [])


def test_a_name_that_differs_from_the_entry_point_is_a_fault(make_plugin):
    make_plugin("one", manifest='name = "two"\nversion = "1"\napi = 1\n')
    assert find_manifests()["one"].faults == (
        "crmkit-plugin.toml names the plugin 'two', its entry point names it 'one'",
    )


def test_a_table_outside_the_namespace_is_a_fault(make_plugin):
    make_plugin("evil", tables=["evil_note", "telecom_plan"])
    assert find_manifests()["evil"].faults == (
        "crmkit-plugin.toml: table 'telecom_plan' does not begin with 'evil_'",
    )


def test_two_distributions_with_one_plugin_name_are_both_named(make_plugin):
    make_plugin("twin", distribution="dist-b")
    make_plugin("twin", distribution="dist-a", module="made_twin2")
    found = find_manifests()["twin"]
    assert found.faults == (
        "the name 'twin' is claimed by the distributions dist-a and dist-b; remove one",
    )


def test_a_stranger_with_a_built_in_name_leaves_the_built_in_standing(
    make_plugin, tmp_path, monkeypatch
):
    monkeypatch.setattr("crmkit.hosting.manifest.BUILTIN_FOLDER", tmp_path / "builtin")
    (tmp_path / "builtin" / "base").mkdir(parents=True)
    (tmp_path / "builtin" / "base" / "crmkit-plugin.toml").write_text(manifest_text("base"))
    make_plugin("base", distribution="dist-stranger")
    found = find_manifests()
    assert (found["base"].builtin, found["base"].faults) == (True, ())
    assert found["base"].module == "crmkit.builtin.base"
    assert found["base@dist-stranger"].faults == (
        "the name 'base' is that of a built-in plugin; choose another",
    )


def test_a_single_module_carries_its_manifest_in_the_dist_info_folder(site: Path):
    (site / "made_single.py").write_text("raise SystemExit(3)\n")
    info = site / "dist_single-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dist-single\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[crmkit]\nsingle = made_single\n")
    (info / "crmkit-plugin.toml").write_text('name = "single"\nversion = "2"\napi = 1\n')
    importlib.invalidate_caches()
    found = find_manifests()["single"]
    assert (found.version, found.faults) == ("2", ())
    assert found.files == site / "made_single.py"


def test_a_single_module_may_carry_its_manifest_beside_it(site: Path):
    (site / "made_beside.py").write_text("")
    info = site / "dist_beside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dist-beside\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[crmkit]\nbeside = made_beside\n")
    (site / "crmkit-plugin.toml").write_text('name = "beside"\nversion = "3"\napi = 1\n')
    importlib.invalidate_caches()
    assert find_manifests()["beside"].version == "3"
