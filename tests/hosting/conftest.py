"""Tiny plugin distributions made on a temporary path, sound and hostile ones."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crmkit.settings import Settings

MakePlugin = Callable[..., Path]

HEADER = """
from crmkit import hookimpl
from crmkit.declarations import *
from crmkit.declarations import Lifecycle
from crmkit.entities import FieldType, Stage
"""

# A sound plugin with one thing of each kind that others may fight over.
SHOP = """
@hookimpl
def register_customer_fields():
    return CustomerFields({"type": "object", "properties": {"size": {"type": "integer", "unit": "1"}}})

@hookimpl
def register_record_types():
    return [RecordType(name="shop.plan", owner=None, schema={"type": "object", "properties": {
        "title": {"type": "string", "pattern": "^[A-Z]"}}})]

@hookimpl
def register_features():
    return [FeatureSet(name="shop.size", sql="select 1", features=[
        Feature(name="shop.size", type=FieldType.INTEGER, unit="1")])]

@hookimpl
def register_profiles():
    return [ImportProfile(name="till", text="[source]\\nformat = 'csv'\\n")]

@hookimpl
def check_rows(batch):
    return [RowFault(row=0, field="title", value=None, message="refused")] if batch.size else []
"""


def manifest_text(name: str, **values: object) -> str:
    """The text of a manifest; a value of None leaves the key out."""
    keys = {"name": name, "version": "1.0", "api": 1, **values}

    def toml(value: object) -> str:
        if isinstance(value, str):
            return f'"{value}"'
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(toml, value)) + "]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
        return str(value)

    return "".join(f"{k} = {toml(v)}\n" for k, v in keys.items() if v is not None)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions, first on the path; a cache folder of the test's own."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    # The child processes of the check write byte code beside the plugin, which must not count.
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("made_"):
            del sys.modules[name]


@pytest.fixture
def make_plugin(site: Path) -> MakePlugin:
    """Installs a plugin: package ``made_<name>``, its manifest and its dist-info folder."""

    def make(
        name: str,
        code: str = "",
        *,
        manifest: str | None = "",
        distribution: str | None = None,
        module: str | None = None,
        **values: object,
    ) -> Path:
        package = site / (module or f"made_{name}")
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text(HEADER + textwrap.dedent(code), encoding="utf-8")
        if manifest is not None:
            text = manifest or manifest_text(name, **values)
            (package / "crmkit-plugin.toml").write_text(text, encoding="utf-8")
        dist = distribution or f"dist-{name}"
        info = site / f"{dist.replace('-', '_')}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[crmkit]\n{name} = {package.name}\n")
        importlib.invalidate_caches()
        return package

    return make


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a workspace that enables the plugins named."""

    def make(*plugins: str) -> Settings:
        folder = tmp_path / "workspace"
        folder.mkdir(exist_ok=True)
        found = Settings(folder=folder, plugins=plugins)
        (folder / "crmkit.toml").write_text(found.to_toml(), encoding="utf-8")
        return found

    return make
