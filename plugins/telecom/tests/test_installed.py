"""The plugin as an installed distribution: found, read and loaded through its entry point."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import crmkit_telecom
from crmkit.declarations import sql_name
from crmkit.hosting.host import PluginHost
from crmkit.hosting.manifest import find_manifests
from crmkit.settings import Settings


def test_the_entry_point_names_the_package() -> None:
    found = [e for e in entry_points(group="crmkit") if e.name == "telecom"]
    assert [e.value for e in found] == ["crmkit_telecom"]
    assert found[0].load() is crmkit_telecom


def test_the_manifest_is_sound_and_lists_every_table(tmp_path: Path) -> None:
    manifest = find_manifests()["telecom"]
    assert manifest.faults == ()
    assert manifest.distribution == "crmkit-telecom"
    catalog = PluginHost.load(Settings(folder=tmp_path, plugins=("telecom",))).catalog
    declared = {"telecom_customer"}
    declared |= {sql_name(name) for name in (*catalog.record_types, *catalog.interaction_kinds)}
    assert set(manifest.tables) == {name for name in declared if name.startswith("telecom_")}


def test_it_loads_without_a_fault_and_brings_its_declarations(tmp_path: Path) -> None:
    host = PluginHost.load(Settings(folder=tmp_path, plugins=("telecom",)))
    assert [f for f in host.faults if f.plugin == "telecom"] == []
    assert {"ibm-telco", "ibm-telco-reasons", "telecom-billing"} <= set(host.catalog.profiles)
    assert "telecom.churn" in host.catalog.scores
    assert "telecom.subscriber" in host.catalog.lifecycles
    assert "telecom" in host.catalog.demos
