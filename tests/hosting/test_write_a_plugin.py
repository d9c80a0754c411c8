"""The how-to is true: the plugin is built from the page itself and does what the page says."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from crmkit.cli.main import main
from crmkit.hosting.manifest import KEYS, find_manifests, parse_manifest

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^(?:#|--) (\S+\.\w+)\n")
BUILT_BY = ("toml", "python", "sql", "csv")


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def files_of(page: Path) -> dict[str, str]:
    """The files that the page shows, by the path in their first line."""
    found = {}
    for language, text in blocks(page):
        if language in BUILT_BY:
            named = NAMED.match(text)
            assert named, (
                f"a block of {language} does not begin with its file's name: {text[:60]!r}"
            )
            found[named[1]] = text[named.end() :] if language == "csv" else text
    return found


@pytest.fixture
def page(root):
    return root / "docs" / "how-to" / "write-a-plugin.md"


@pytest.fixture
def library(page, site, tmp_path):
    """The page's plugin, installed, and the folder with its other files."""
    folder = tmp_path / "crmkit-library"
    for path, text in files_of(page).items():
        place = folder / path
        if path.startswith("crmkit_library/"):
            place = site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = site / f"crmkit_library-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    [(name, module)] = project["entry-points"]["crmkit"].items()
    (info / "entry_points.txt").write_text(f"[crmkit]\n{name} = {module}\n")
    importlib.invalidate_caches()
    yield folder
    for name in [n for n in sys.modules if n.partition(".")[0] == "crmkit_library"]:
        del sys.modules[name]


def test_every_file_of_the_page_is_shown_and_packaged(page, library):
    files = files_of(page)
    tree = page.read_text().partition("The files:\n\n")[2].partition("\n\n")[0]
    listed = {Path(line.split()[0]).name for line in tree.splitlines() if not line.endswith("/")}
    assert listed == {Path(path).name for path in files} - {"loans.csv"}
    packaged = tomllib.loads(files["pyproject.toml"])["tool"]["setuptools"]["package-data"]
    assert packaged == {"crmkit_library": ["*.toml", "*.sql"]}
    assert find_manifests()["library"].faults == ()


def test_the_commands_of_the_page_give_what_it_shows(page, library, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(library)
    [console] = [text for language, text in blocks(page) if language == "console"]
    results = {}
    for step in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, shown = step.partition("\n")
        words = shlex.split(command)
        if words[0] == "pip":
            continue  # the fixture has installed it, without the network
        status = main(words[1:])
        out, err = capfd.readouterr()
        assert status == 0, f"{command}\n{out}{err}"
        if shown:
            assert out.replace("\r\n", "\n") == shown, command
        results[" ".join(words[3:5])] = out
    [text] = [text for language, text in blocks(page) if language == "json"]
    [fired] = json.loads(results["rule run"])
    wanted = json.loads(text)
    assert {key: fired[key] for key in wanted} == wanted
    [rejects] = (library / "town" / "rejects").glob("*.csv")
    assert "a loan lasts a day at least" in rejects.read_text()


def test_the_plugin_of_the_page_passes_the_conformance_suite(library, site):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", "tests"],
        cwd=library,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_the_manifest_reference_lists_every_key_and_its_example_is_sound(root):
    page = root / "docs" / "reference" / "plugin-manifest.md"
    text = page.read_text(encoding="utf-8")
    table = text.partition("<!-- keys")[2].partition("<!-- end -->")[0]
    listed = [
        key
        for row in table.splitlines()
        for key in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    ]
    assert sorted(listed) == sorted(KEYS)
    [(_, example)] = blocks(page)
    values, faults = parse_manifest(example)
    assert faults == []
    assert set(values) == set(KEYS)
