"""The plugin is found by its entry point, and its manifest names its tables."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from importlib.resources import files

import crmkit_delivery
from crmkit.declarations import sql_name


def test_it_is_found_by_its_entry_point() -> None:
    (found,) = (e for e in entry_points(group="crmkit") if e.name == "delivery")
    assert found.load() is crmkit_delivery


def test_the_manifest_names_every_table() -> None:
    text = files("crmkit_delivery").joinpath("crmkit-plugin.toml").read_text(encoding="utf-8")
    declared = {"delivery_customer"}
    declared |= {sql_name(r.name) for r in crmkit_delivery.register_record_types()}
    declared |= {sql_name(k.name) for k in crmkit_delivery.register_interaction_kinds()}
    assert set(tomllib.loads(text)["tables"]) == declared
