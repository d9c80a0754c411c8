"""The plugin as an installed distribution: found, read and loaded through its entry point."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import crmkit_hotel
from crmkit.declarations import sql_name
from crmkit.hosting.host import PluginHost
from crmkit.hosting.manifest import find_manifests
from crmkit.settings import Settings


def test_the_entry_point_names_the_package() -> None:
    found = [e for e in entry_points(group="crmkit") if e.name == "hotel"]
    assert [e.value for e in found] == ["crmkit_hotel"]
    assert found[0].load() is crmkit_hotel


def test_the_manifest_is_sound_and_lists_every_table_and_noun(tmp_path: Path) -> None:
    manifest = find_manifests()["hotel"]
    assert manifest.faults == ()
    catalog = PluginHost.load(Settings(folder=tmp_path, plugins=("hotel",))).catalog
    declared = {"hotel_customer"}
    declared |= {sql_name(name) for name in (*catalog.record_types, *catalog.interaction_kinds)}
    assert set(manifest.tables) == {name for name in declared if name.startswith("hotel_")}
    assert set(manifest.commands) == {"guest", "loyalty", "preference", "preparation"}


def test_it_loads_without_a_fault_and_brings_its_declarations(tmp_path: Path) -> None:
    host = PluginHost.load(Settings(folder=tmp_path, plugins=("hotel",)))
    assert [f for f in host.faults if f.plugin == "hotel"] == []
    assert {"hotel-bookings", "opera-profiles", "opera-preferences"} <= set(host.catalog.profiles)
    assert set(host.catalog.privacy_guards) == {"hotel.care", "hotel.presence"}
    assert sum(name.startswith("hotel.") for name in host.catalog.rules) == 16
