"""The schema follows the declarations: what adds is made, what removes is refused or covered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import inspect, select, text

from crmkit.declarations import Migration
from crmkit.entities import CustomerRef, Money
from crmkit.errors import ConfigError, DeclarationError, NotConfirmed, NotFound, SchemaOutdated
from crmkit.store.migration import narrowings
from crmkit.store.store import Store

OpenStore = Callable[..., Store]
MakeShop = Callable[..., Any]


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def columns(store: Store, table: str) -> dict[str, str]:
    with store.read() as connection:
        return {c["name"]: str(c["type"]) for c in inspect(connection).get_columns(table)}


def tables(store: Store) -> set[str]:
    with store.read() as connection:
        return set(inspect(connection).get_table_names())


@pytest.fixture
def plan(make_shop: MakeShop) -> dict[str, Any]:
    """The properties of ``shop.plan`` in version 0.1, to change."""
    return dict(make_shop().record_types["shop.plan"].schema["properties"])


def test_an_empty_database_gets_every_table_and_is_then_up_to_date(open_store: OpenStore) -> None:
    store = open_store()
    with pytest.raises(SchemaOutdated, match=r"no tables yet\. Run: crmkit db upgrade"):
        store.check_schema()
    assert store.upgrade().statements
    store.check_schema()
    assert set(store.tables) <= tables(store)
    assert store.upgrade().empty
    assert store.status().pending == 0


def test_a_dry_run_prints_the_sql_and_changes_nothing(open_store: OpenStore) -> None:
    store = open_store()
    planned = store.upgrade(dry_run=True)
    assert any(s.startswith("CREATE TABLE shop_plan ") for s in planned.statements)
    assert tables(store) == set()
    assert store.upgrade().statements == planned.statements


def test_an_added_field_is_an_added_column_and_the_data_stay(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    kept = old.records.set(
        "shop.plan", source="s", ref="p1", values={"title": "Basic", "monthly_fee": "9.99"}
    )
    plan["speed"] = {"type": "integer", "index": True}
    new = open_store(make_shop("0.2", plan=schema(**plan)))
    with pytest.raises(SchemaOutdated, match=r"today's tables of shop\.plan\. Run: crmkit db"):
        new.check_schema()
    done = new.upgrade()
    assert [s.split("\n")[0] for s in done.statements] == [
        f"ALTER TABLE shop_plan ADD COLUMN speed {'INTEGER' if new.dialect == 'sqlite' else 'BIGINT'}",
        f"ALTER TABLE shop_plan_history ADD COLUMN speed {'INTEGER' if new.dialect == 'sqlite' else 'BIGINT'}",
        "CREATE INDEX IF NOT EXISTS ix_shop_plan_speed ON shop_plan (speed)",
    ]
    found = new.records.get("shop.plan", kept.id)
    assert found.values == {
        "title": "Basic", "monthly_fee": Money(999, "USD"), "data_gb": None, "speed": None,
    }  # fmt: skip
    assert new.records.set("shop.plan", source="s", ref="p1", values={"speed": 5}).version == 2


def test_a_record_type_that_gets_an_owner_gets_its_column(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    open_store().upgrade()
    owned = make_shop("0.2")
    plan = evolve(owned.record_types["shop.plan"], owner="customer")
    store = open_store(evolve(owned, record_types={**owned.record_types, "shop.plan": plan}))
    assert "REFERENCES customer (id)" in store.upgrade().statements[0]
    ann = store.customers.add(name="Ann")
    store.records.set("shop.plan", source="s", ref="p", owner_id=ann.id, values={})
    assert [r.ref for r in store.records.list_for(ann.id)] == ["p"]
    plan = evolve(plan, owner="shop.line")
    changed = evolve(owned, record_types={**owned.record_types, "shop.plan": plan})
    with pytest.raises(ConfigError, match=r"owner_id points to shop_line\.id, not customer\.id"):
        open_store(changed).upgrade()


def test_a_removed_field_is_retired_and_its_values_stay(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    values = {"title": "Basic", "data_gb": 1.5}
    kept = old.records.set("shop.plan", source="s", ref="p", values=values)
    old.records.set("shop.plan", source="s", ref="none", values={"title": "None"})
    del plan["data_gb"]
    plan["speed"] = {"type": "integer"}
    new = open_store(make_shop("0.2", plan=schema(**plan)))
    with pytest.raises(SchemaOutdated, match=r"today's tables of shop\.plan"):
        new.check_schema()
    done = new.upgrade()
    assert dict(done.retired) == {"shop.plan.data_gb": 1}
    assert not any("DROP" in statement for statement in done.statements)
    new.check_schema()
    assert new.upgrade().empty
    assert new.status().pending == 0
    assert {row.plugin: row.retired_fields for row in new.status().plugins}["shop"] == 1
    assert "data_gb" not in new.records.get("shop.plan", kept.id).values
    stored = new.as_stored().records.get("shop.plan", kept.id).values
    assert (stored["data_gb"], stored["title"], stored["speed"]) == (1.5, "Basic", None)
    # A change keeps the value, and so does the next version of the plugin.
    new.records.set("shop.plan", source="s", ref="p", values={"speed": 3})
    plan["colour"] = {"type": "string"}
    later = open_store(make_shop("0.3", plan=schema(**plan)))
    later.upgrade()
    assert later.as_stored().records.get("shop.plan", kept.id).values["data_gb"] == 1.5


def test_a_retired_field_that_comes_back_has_its_values_again(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    old.records.set("shop.plan", source="s", ref="p", values={"data_gb": 1.5})
    without = {name: field for name, field in plan.items() if name != "data_gb"}
    open_store(make_shop("0.2", plan=schema(**without))).upgrade()
    again = open_store(make_shop("0.3", plan=schema(**plan)))
    assert again.upgrade().statements == []
    assert again.records.find("shop.plan", "p").values["data_gb"] == 1.5
    assert again.status().plugins[-1].retired_fields == 0


def test_a_retired_field_gives_its_name_to_one_of_another_type(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    old.records.set(
        "shop.plan", source="s", ref="p", values={"data_gb": 1.5, "monthly_fee": "9.99"}
    )
    without = {"title": plan["title"]}
    open_store(make_shop("0.2", plan=schema(**without))).upgrade()
    again = {**without, "data_gb": {"type": "string"}, "monthly_fee": {"type": "integer"}}
    new = open_store(make_shop("0.3", plan=schema(**again)))
    new.upgrade()
    new.records.set("shop.plan", source="s", ref="p", values={"data_gb": "much"})
    values = new.as_stored().records.find("shop.plan", "p").values
    assert (values["data_gb"], values["data_gb_1"]) == ("much", 1.5)
    assert (values["monthly_fee"], values["monthly_fee_1"]) == (None, Money(999, "USD"))


def test_a_migration_that_comes_later_can_remove_a_retired_field(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    old.records.set("shop.plan", source="s", ref="p", values={"data_gb": 1.5})
    del plan["data_gb"]
    open_store(make_shop("0.2", plan=schema(**plan))).upgrade()
    new = open_store(make_shop("0.3", plan=schema(**plan), migrations=[DROP]))
    new.upgrade(allow_loss=True)
    assert "data_gb" not in columns(new, "shop_plan") | columns(new, "shop_plan_history")
    assert new.status().plugins[-1].retired_fields == 0


REFUSED = [
    ({"data_gb": {"type": "integer"}}, r"shop_plan\.data_gb changes from number to integer"),
    ({"monthly_fee": {"type": "string", "format": "money", "currency": "USD"}},
     r"shop_plan\.monthly_fee_currency is no longer declared"),
    ({"title": {"type": "string", "format": "date"}}, r"shop_plan\.title changes from text to date"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_a_changed_type_is_refused_naming_the_column(
    open_store: OpenStore,
    make_shop: MakeShop,
    plan: dict[str, Any],
    change: dict[str, Any],
    words: str,
) -> None:
    open_store().upgrade()
    new = open_store(make_shop("0.2", plan=schema(**{**plan, **change})))
    with pytest.raises(ConfigError, match=words):
        new.upgrade()


def test_a_currency_that_is_no_longer_fixed_is_written_to_the_stored_amounts(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    old = open_store()
    old.upgrade()
    ann = old.customers.add(fields={"shop": {"spend": "1.50"}})
    none = old.customers.add(fields={"shop": {"segment": "home"}})
    old.customers.edit(ann.id, version=1, fields={"shop": {"spend": "2.50"}})
    free = make_shop().customer_fields["shop"].schema
    properties = {**free["properties"], "spend": {"type": "string", "format": "money"}}
    new = open_store(make_shop("0.2", customer={**free, "properties": properties}), currency="CNY")
    new.upgrade()
    assert new.customers.fields(ann.id)["shop"]["spend"] == Money(250, "USD")
    assert new.customers.fields(none.id)["shop"]["spend"] is None
    history = new.tables["shop_customer_history"].c
    with new.read() as connection:
        assert connection.execute(select(history.spend_minor, history.spend_currency)).all() == [
            (150, "USD")
        ]


def test_a_changed_currency_would_change_every_amount_and_is_refused(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    open_store().upgrade()
    old = make_shop().customer_fields["shop"].schema
    spend = {**old["properties"]["spend"], "currency": "JPY"}
    changed = {**old, "properties": {**old["properties"], "spend": spend}}
    new = open_store(make_shop("0.2", customer=changed))
    with pytest.raises(ConfigError, match=r"shop_customer\.spend_minor changes from USD to JPY"):
        new.upgrade()
    with pytest.raises(SchemaOutdated, match=r"today's tables of shop\.customer"):
        new.check_schema()


def test_a_removed_record_type_can_still_be_read(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    old = open_store()
    old.upgrade()
    kept = old.records.set("shop.plan", source="s", ref="p", values={"title": "Basic"})
    new = open_store(make_shop("0.2", plan=None))
    assert dict(new.upgrade().retired) == {"shop.plan": 1}
    new.check_schema()
    assert new.upgrade().empty
    assert new.records.get("shop.plan", kept.id) == kept
    with pytest.raises(NotFound, match="can only be read"):
        new.records.set("shop.plan", source="s", ref="p", values={})
    again = open_store(make_shop("0.3"))
    again.upgrade()
    assert again.records.set("shop.plan", source="s", ref="p", values={"title": "B"}).version == 2


def test_a_payload_field_is_retired_and_one_of_another_type_is_refused(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    open_store().upgrade()
    bill = schema(amount={"type": "string", "format": "money"}, due_on={"type": "integer"})
    with pytest.raises(ConfigError, match=r"shop_bill\.due_on changes from date to integer"):
        open_store(make_shop("0.2", bill=bill)).upgrade()
    open_store(make_shop("0.2", bill=schema(amount=bill["properties"]["amount"]))).upgrade()
    rows = open_store(make_shop("0.2", bill=schema(amount=bill["properties"]["amount"]))).status()
    assert rows.plugins[-1].retired_fields == 2


DROP = Migration(
    id="shop.0002-drop-data",
    loss="destructive",
    statements={
        d: ["ALTER TABLE shop_plan DROP COLUMN data_gb;"] for d in ("sqlite", "postgresql")
    },
    covers=("shop_plan.data_gb",),
)


def test_a_covered_removal_runs_once_and_takes_the_history_column_too(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    old.records.set("shop.plan", source="s", ref="p", values={"title": "Basic", "data_gb": 1.5})
    del plan["data_gb"]
    new = open_store(make_shop("0.2", plan=schema(**plan), migrations=[DROP]))
    done = new.upgrade(allow_loss=True)
    assert done.statements == [
        "ALTER TABLE shop_plan DROP COLUMN data_gb",
        "ALTER TABLE shop_plan_history DROP COLUMN data_gb",
        *[s for s in done.statements if s.startswith("CREATE ")],
    ]
    assert "data_gb" not in columns(new, "shop_plan") | columns(new, "shop_plan_history")
    assert new.records.find("shop.plan", "p").values["title"] == "Basic"
    assert new.upgrade().empty
    # The name is free again.
    plan["data_gb"] = {"type": "integer"}
    again = open_store(make_shop("0.3", plan=schema(**plan), migrations=[DROP]))
    again.upgrade()
    assert again.records.find("shop.plan", "p").values["data_gb"] is None


def test_a_migration_that_loses_data_asks_first(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    old.records.set("shop.plan", source="s", ref="p", values={"data_gb": 1.5})
    old.records.set("shop.plan", source="s", ref="p", values={"data_gb": 2.5})
    del plan["data_gb"]
    new = open_store(make_shop("0.2", plan=schema(**plan), migrations=[DROP]))
    told = r"shop\.0002-drop-data \(destructive\): shop_plan\.data_gb, rows: 2"
    with pytest.raises(NotConfirmed, match=told) as caught:
        new.upgrade()
    assert caught.value.exit_code == 2
    assert "data_gb" in columns(new, "shop_plan")


def test_a_migration_that_has_nothing_to_lose_does_not_ask(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    old.records.set("shop.plan", source="s", ref="p", values={"title": "Basic"})
    del plan["data_gb"]
    new = open_store(make_shop("0.2", plan=schema(**plan), migrations=[DROP]))
    new.upgrade()
    assert "data_gb" not in columns(new, "shop_plan")


def test_a_new_plugin_starts_with_todays_tables_and_runs_no_migration(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    del plan["data_gb"]
    store = open_store(make_shop("0.2", plan=schema(**plan), migrations=[DROP]))
    assert not any("DROP" in s for s in store.upgrade().statements)
    assert store.upgrade().empty


def test_a_rename_is_a_migration_that_covers_both_names(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    old = open_store()
    old.upgrade()
    old.records.set("shop.plan", source="s", ref="p", values={"data_gb": 1.5})
    plan["volume_gb"] = plan.pop("data_gb")
    rename = [
        f"ALTER TABLE {table} RENAME COLUMN data_gb TO volume_gb"
        for table in ("shop_plan", "shop_plan_history")
    ]
    migration = Migration(
        id="shop.0002-rename",
        statements={"sqlite": rename, "postgresql": rename},
        covers=tuple(
            f"{table}.{column}"
            for table in ("shop_plan", "shop_plan_history")
            for column in ("data_gb", "volume_gb")
        ),
    )
    new = open_store(make_shop("0.2", plan=schema(**plan), migrations=[migration]))
    new.upgrade()
    assert new.records.find("shop.plan", "p").values["volume_gb"] == 1.5


def test_a_migration_that_fails_undoes_the_whole_upgrade(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    open_store().upgrade()
    plan["speed"] = {"type": "integer"}
    broken = Migration(
        id="shop.0002-broken",
        statements={d: ["UPDATE nowhere SET x = '5%'"] for d in ("sqlite", "postgresql")},
    )
    new = open_store(make_shop("0.2", plan=schema(**plan), migrations=[broken]))
    with pytest.raises(SchemaOutdated, match="nowhere"):
        new.upgrade()
    assert "speed" not in columns(new, "shop_plan")


def test_a_table_copy_keeps_child_rows_and_leaves_no_dangling_ones(
    new_store: OpenStore, make_shop: MakeShop, tmp_path: Any
) -> None:
    """With foreign keys on, SQLite would delete or refuse the children when the parent is dropped."""
    url = f"sqlite:///{tmp_path / 'crmkit.db'}"
    old = new_store(url)
    old.upgrade()
    owner = old.customers.add(name="Ann", refs=[CustomerRef("s", "1")])
    old.records.set("shop.line", source="s", ref="l", owner_id=owner.id, values={})
    copied = [
        "CREATE TABLE copy AS SELECT * FROM customer",
        "DELETE FROM customer",
        "INSERT INTO customer SELECT * FROM copy",
        "DROP TABLE copy",
    ]
    copy = Migration(id="shop.0002-copy", statements={"sqlite": copied})
    new = new_store(url, make_shop("0.2", migrations=[copy]))
    new.upgrade()
    assert [r.ref for r in new.records.list_for(owner.id)] == ["l"]
    lose = Migration(id="shop.0003-lose", statements={"sqlite": ["DELETE FROM customer"]})
    broken = new_store(url, make_shop("0.3", migrations=[copy, lose]))
    with pytest.raises(ConfigError, match="pointing nowhere, in customer_ref"):
        broken.upgrade()
    assert len(broken.customers.list()) == 1
    with broken.begin("trial") as tx:
        assert tx.connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_a_newer_database_is_refused(
    open_store: OpenStore, make_shop: MakeShop, plan: dict[str, Any]
) -> None:
    plan["speed"] = {"type": "integer"}
    open_store(make_shop("0.10", plan=schema(**plan))).upgrade()
    old = open_store(make_shop("0.9"))
    words = r"last upgraded by shop 0\.10, and shop 0\.9 is installed"
    with pytest.raises(SchemaOutdated, match=words) as caught:
        old.check_schema()
    assert caught.value.exit_code == 5
    with pytest.raises(ConfigError, match=words):
        old.upgrade()


def test_a_migration_that_the_code_does_not_know_marks_a_newer_database(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    open_store(make_shop("0.2", migrations=[DROP])).upgrade()
    with pytest.raises(ConfigError, match=r"shop\.0002-drop-data, which the installed shop"):
        open_store(make_shop("0.1")).upgrade()


def test_an_older_code_with_the_same_tables_may_use_the_database(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    open_store(make_shop("0.1.1")).upgrade()
    open_store(make_shop("0.1.0")).check_schema()


def test_somebody_elses_database_is_refused(open_store: OpenStore) -> None:
    store = open_store()
    with store.engine.begin() as connection:
        connection.execute(text("CREATE TABLE customer (id INTEGER)"))
    with pytest.raises(ConfigError, match="has a table customer that crmkit did not make"):
        store.upgrade()
    assert tables(store) == {"customer"}


def test_a_disabled_plugins_tables_stay_and_can_be_read(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    enabled = open_store()
    enabled.upgrade()
    kept = enabled.records.set("shop.plan", source="s", ref="p", values={"title": "Basic"})
    bare = make_shop()
    empty = type(bare)(plugins={})
    disabled = open_store(empty)
    disabled.check_schema()
    assert disabled.upgrade().empty
    assert disabled.records.get("shop.plan", kept.id) == kept
    assert disabled.records.types() == ["shop.card", "shop.line", "shop.plan"]
    with pytest.raises(NotFound, match="can only be read"):
        disabled.records.set("shop.plan", source="s", ref="p", values={})
    rows = {row.plugin: row for row in disabled.status().plugins}
    assert rows["shop"].enabled is False and rows["shop"].database_version == "0.1"
    again = open_store()
    again.check_schema()
    assert again.records.get("shop.plan", kept.id) == kept


def test_two_upgrades_at_once_make_the_tables_once(open_store: OpenStore) -> None:
    stores = [open_store() for _ in range(4)]
    plans: list[Any] = []
    threads = [threading.Thread(target=lambda s=s: plans.append(s.upgrade())) for s in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(p.empty for p in plans) == [False, True, True, True]


def test_what_only_becomes_stricter_is_told(open_store: OpenStore, make_shop: MakeShop) -> None:
    old = make_shop().customer_fields["shop"].schema
    properties = {**old["properties"], "segment": {"type": "string", "enum": ["home"]}}
    properties["household_size"] = {"type": "integer", "minimum": 2, "unit": "person"}
    new = {**old, "properties": properties, "required": ["segment"]}
    expected = [
        "shop.customer.segment is now required",
        "shop.customer.household_size: minimum is now 2",
        "shop.customer.segment no longer takes 'office'",
    ]
    assert narrowings("shop.customer", old, new) == expected
    open_store().upgrade()
    done = open_store(make_shop("0.2", customer={**new})).upgrade()
    assert set(done.notes) == set(expected)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("source", "field 'source' would be stored as 'source', which every record has already"),
        ("valid_to", "would be stored as 'valid_to'"),
        ("x" * 64, "is longer than 63 characters"),
    ],
)
def test_a_field_that_no_table_can_have_names_its_plugin(
    new_store: OpenStore, make_shop: MakeShop, field: str, words: str
) -> None:
    with pytest.raises(DeclarationError, match=words) as caught:
        new_store("sqlite:///x.db", make_shop(plan=schema(**{field: {"type": "string"}})))
    assert caught.value.plugin == "shop"
