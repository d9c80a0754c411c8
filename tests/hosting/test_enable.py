"""Enabling on a running workspace, with the real store: schema arrives, and disabling loses nothing."""

from __future__ import annotations

import json
import sqlite3

import pytest

import crmkit
from crmkit.cli.main import main

from .conftest import SHOP

NEXT_SHOP = SHOP.replace(
    '"title": {"type": "string", "pattern": "^[A-Z]"}',
    '"title": {"type": "string", "pattern": "^[A-Z]"}, "fee": {"type": "integer", "unit": "1"}',
)


@pytest.fixture
def folder(site, tmp_path):
    """A workspace with the built-ins only."""
    crmkit.init(tmp_path / "w", actor="tester").close()
    return tmp_path / "w"


def plugin(folder, *arguments):
    return main(["-w", str(folder), "plugin", *arguments])


def query(folder, sql):
    connection = sqlite3.connect(folder / "crmkit.db")
    try:
        found = connection.execute(sql).fetchall()
        connection.commit()
        return found
    finally:
        connection.close()


def columns(folder, table):
    return [row[1] for row in query(folder, f"pragma table_info({table})")]


def test_enable_brings_the_tables_and_a_dry_run_prints_their_sql(make_plugin, folder, capsys):
    make_plugin("shop", SHOP)
    assert plugin(folder, "enable", "shop", "--dry-run") == 0
    out, err = capsys.readouterr()
    assert "create table shop_plan" in " ".join(out.lower().split())
    assert err.startswith("would be enabled: shop, ")
    assert columns(folder, "shop_plan") == []

    assert plugin(folder, "enable", "shop") == 0
    assert capsys.readouterr().out.startswith("enabled: shop, ")
    assert "title" in columns(folder, "shop_plan")
    assert "size" in columns(folder, "shop_customer")
    with crmkit.open(folder) as crm:
        assert "shop.plan" in crm.catalog.record_types
        assert crm.store.status() is not None


def test_the_json_of_a_dry_run_carries_the_sql(make_plugin, folder, capsys):
    make_plugin("shop", SHOP)
    plugin(folder, "enable", "shop", "--dry-run", "--format", "json")
    [row] = json.loads(capsys.readouterr().out)
    assert (row["name"], row["enabled"], row["dry_run"]) == ("shop", False, True)
    assert "shop_plan" in row["statements"]


def test_rows_outlive_disabling_and_a_new_version_adds_its_column(make_plugin, folder, capsys):
    make_plugin("shop", SHOP)
    plugin(folder, "enable", "shop")
    query(
        folder,
        "insert into shop_customer (customer_id, size, valid_from, version, tx) "
        "select 1, 7, '2026-01-01 00:00:00.000000', 1, id from tx limit 1",
    )
    assert plugin(folder, "disable", "shop") == 0
    assert query(folder, "select size from shop_customer") == [(7,)]
    with crmkit.open(folder) as crm:
        assert "shop" not in crm.catalog.plugins
        crm.store.check_schema()

    make_plugin("shop", NEXT_SHOP, module="made_shop_next", version="1.1")
    assert plugin(folder, "enable", "shop") == 0
    assert query(folder, "select size from shop_customer") == [(7,)]
    assert "fee" in columns(folder, "shop_plan")


def test_a_new_version_of_an_enabled_plugin_asks_for_an_upgrade(make_plugin, folder, capsys):
    make_plugin("shop", SHOP)
    plugin(folder, "enable", "shop")
    make_plugin("shop", NEXT_SHOP, module="made_shop_later", version="1.1")
    with crmkit.open(folder) as crm, pytest.raises(crmkit.errors.SchemaOutdated, match="shop"):
        _ = crm.store


def test_a_plugin_that_breaks_later_stops_no_command(make_plugin, folder, capsys):
    make_plugin("shop", SHOP)
    plugin(folder, "enable", "shop")
    make_plugin("shop", "raise RuntimeError('bad release')", module="made_shop_bad")
    with crmkit.open(folder) as crm:
        crm.store.check_schema()
        [fault] = crm.host.faults
    assert (fault.plugin, fault.phase) == ("shop", "import")
    assert query(folder, "select count(*) from shop_customer") == [(0,)]


def test_a_new_workspace_takes_the_check_that_another_one_made(
    make_plugin, site, tmp_path, monkeypatch
):
    """D16: the verdict holds while the plugin's files stay as they are, and no longer."""
    package = make_plugin("shop", SHOP)
    crmkit.init(tmp_path / "first", plugins=("shop",)).close()

    def asked(name, manifests):
        raise AssertionError(f"{name} is checked once more")

    monkeypatch.setattr("crmkit.hosting.probe.check_plugin", asked)
    crmkit.init(tmp_path / "second", plugins=("shop",)).close()
    (package / "more.py").write_text("more = 1\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="shop is checked once more"):
        crmkit.init(tmp_path / "third", plugins=("shop",))
    assert not (tmp_path / "third").exists()
