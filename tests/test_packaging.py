"""The distributions say what they are, and carry the files that they need."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution, entry_points
from importlib.resources import files
from pathlib import Path

import pytest

import crmkit

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ("telecom", "hotel", "delivery", "banking")
DATA_SUFFIXES = (".toml", ".sql", ".json")


def project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_is_found_by_its_entry_point(plugin):
    (found,) = (e for e in entry_points(group="crmkit") if e.name == plugin)
    assert found.value == f"crmkit_{plugin}"
    assert found.dist is not None
    assert found.dist.name == f"crmkit-{plugin}"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_manifest_agrees_with_the_distribution(plugin):
    """The manifest is read without importing the plugin, so it must not tell another story."""
    text = files(f"crmkit_{plugin}").joinpath("crmkit-plugin.toml").read_text(encoding="utf-8")
    manifest = tomllib.loads(text)
    declared = project(ROOT / "plugins" / plugin)
    assert manifest["name"] == plugin
    assert manifest["version"] == declared["version"] == distribution(f"crmkit-{plugin}").version
    assert manifest["title"]


def test_the_version_stands_in_one_place():
    assert "version" in project(ROOT)["dynamic"]
    assert distribution("crmkit").version == crmkit.__version__


def test_the_public_names_exist():
    assert sorted(crmkit.__all__) == crmkit.__all__
    for name in crmkit.__all__:
        assert getattr(crmkit, name) is not None


def test_the_command_is_installed():
    (script,) = (e for e in entry_points(group="console_scripts") if e.name == "crmkit")
    module, _, attribute = script.value.partition(":")
    assert callable(getattr(importlib.import_module(module), attribute))


def test_all_holds_every_extra_of_users():
    """All but Spark, which is half a gigabyte and wants Java besides."""
    extras = project(ROOT)["optional-dependencies"]
    (everything,) = extras["all"]
    named = everything.removeprefix("crmkit[").removesuffix("]").split(",")
    assert sorted(named) == sorted(set(extras) - {"all", "dev", "spark"})


def test_constraints_pin_exact_versions_and_name_no_index():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert all("==" in pin and "://" not in pin and " " not in pin for pin in pins)


def test_every_requirement_is_pinned():
    """A package that the constraints leave out would float from one install to the next."""
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    for folder in (ROOT, *(ROOT / "plugins" / p for p in PLUGINS)):
        declared = project(folder)
        wanted = [*declared["dependencies"]]
        for extra in declared.get("optional-dependencies", {}).values():
            wanted += extra
        names = {w.split(">=")[0].split("[")[0].lower().replace("_", "-") for w in wanted}
        assert {n for n in names if not n.startswith("crmkit")} <= pinned


@pytest.mark.slow
@pytest.mark.parametrize("folder", [".", *(f"plugins/{p}" for p in PLUGINS)])
def test_a_wheel_carries_the_data_files(folder, tmp_path):
    """An editable install finds every file, so only a built wheel shows what was left out."""
    source = ROOT / folder
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", tmp_path / "out", _copy(source, tmp_path / "source")],
        check=True,
    )  # fmt: skip
    (wheel,) = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    package = "crmkit" if folder == "." else f"crmkit_{Path(folder).name}"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / package).rglob("*")
        if path.suffix in (*DATA_SUFFIXES, ".py") or path.name == "py.typed"
    }
    assert wanted
    assert wanted <= carried
    assert not [name for name in carried if name.startswith(("tests/", "plugins/", "benchmarks/"))]


def _copy(source: Path, target: Path) -> Path:
    """A copy of what git knows and what is new, so that building writes nothing into the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=source, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if not (source / name).is_file():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes((source / name).read_bytes())
    return target
