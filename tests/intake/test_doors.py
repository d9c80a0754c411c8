"""One set of checks for every door: what an import rejects, no call and no command stores."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crmkit.declarations import CustomerFields, InteractionKind, RecordType, RowFault
from crmkit.entities import ContactPoint, CustomerRef, Money, NewInteraction
from crmkit.errors import UsageError
from crmkit.hosting.catalog import Catalog
from crmkit.intake.intake import Intake
from crmkit.settings import Settings
from crmkit.store.store import Store

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY = {"type": "string", "format": "date"}
FIELDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "price": {"type": "string", "format": "money", "minimum": 0},
        "rate": {"type": "number", "exclusiveMinimum": 0},
        "starts_on": DAY,
        "ends_on": {**DAY, "not_before": "starts_on"},
        "opened_at": {"type": "string", "format": "date-time"},
        "closed_at": {"type": "string", "format": "date-time", "not_before": "opened_at"},
        "born_on": {**DAY, "past": True},
        "zone": {"type": "string", "format": "time_zone"},
        "hours": {"type": "string", "format": "week"},
        "code": {"type": "string", "pattern": "^(a+)+$"},
        "kind": {"type": "string", "enum": ["a", "b"]},
    },
}
# Column of the file, its text, and the code of the reject; the fields are FIELDS' or a customer's.
BAD_FIELDS = [
    ("price", "-0.01", "E_RANGE"),
    ("rate", "0", "E_RANGE"),
    ("starts_on", "3000-01-01", "E_TYPE"),
    ("starts_on", "0001-01-01", "E_TYPE"),
    ("starts_on", "2026-02-30", "E_TYPE"),
    ("born_on", "2026-04-01", "E_CONTRADICTION"),
    ("zone", "Mars/Phobos", "E_PATTERN"),
    ("hours", "fri 22:00-02:00", "E_PATTERN"),
    ("code", "a" * 40 + "!", "E_PATTERN"),
    ("kind", "c", "E_ENUM"),
]
BAD_CUSTOMERS = [
    ("name", "x" * 100_000, "E_LENGTH"),
    ("locale", "!!!", "E_PATTERN"),
    ("time_zone", "Mars/Phobos", "E_PATTERN"),
    ("region", "x" * 201, "E_LENGTH"),
]
BAD_POINTS = [
    ("email", "notanemail"),
    ("email", "ann@example.org, bob@example.org"),
    ("phone", "notaphone"),
    ("phone", "ann@example.org"),
    ("web", "javascript:alert(1)"),
    ("social", "javascript:alert(1)"),
]


class Host:
    """Refuses the note ``no`` in every row of its plugin."""

    def call_veto(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        batch = arguments["batch"]
        kinds = batch.columns.get("kind") or ()
        if hook != "check_rows" or not batch.entity.startswith("shop."):
            return []
        return [
            ("shop", [RowFault(row=i, field="kind", value=v, message="b is sold out") for i, v in enumerate(kinds) if v == "b"])
        ]  # fmt: skip


class Shop:
    def __init__(self, folder: Path) -> None:
        catalog = Catalog(
            plugins={"shop": type("Manifest", (), {"version": "1"})()},
            customer_fields={"shop": CustomerFields(FIELDS)},
            record_types={
                "shop.item": RecordType(name="shop.item", schema=FIELDS, owner=None),
                "shop.seal": RecordType(
                    name="shop.seal", schema=FIELDS, owner=None, append_only=True
                ),
            },
            interaction_kinds={"shop.sale": InteractionKind(name="shop.sale", schema=FIELDS)},
        )
        url, host = f"sqlite:///{folder / 'shop.db'}", Host()
        settings = Settings(folder=folder, database=url)
        self.folder = folder
        self.store = Store(
            url, catalog, clock=lambda: NOW, actor="tester",
            check_rows=lambda batch: host.call_veto("check_rows", batch=batch),
        )  # fmt: skip
        self.store.upgrade()
        self.intake = Intake(self.store, catalog, host, settings, clock=lambda: NOW)  # type: ignore[arg-type]
        self.ann = self.store.customers.add(name="Ann", refs=[CustomerRef("s", "1")])

    def reject(self, entity: str, values: dict[str, str]) -> str:
        """The code with which an import rejects a row of these values."""
        file, profile = self.folder / "rows.jsonl", self.folder / "p.toml"
        import json

        file.write_text(json.dumps({"id": "1", **values}) + "\n")
        key = "" if entity == "shop.customer" else 'key = "id"\n'
        lead = '[[emit]]\nentity = "customer"\nkey = "id"\n' if entity != "customer" else ""
        at = 'occurred_at = "2026-03-01"\n' if entity == "shop.sale" else ""
        listed = "\n".join(f'{name} = "{name}"' for name in values)
        profile.write_text(
            'name = "p"\n[source]\nname = "s"\nformat = "jsonl"\nkey = ["id"]\n'
            f'{lead}[[emit]]\nentity = "{entity}"\n{key}{at}[emit.fields]\n{listed}\n'
        )
        result = self.intake.import_file(file, str(profile))
        assert result.rejected == 1
        (found,) = self.store.imports.rejects(result.import_id)
        return found.code

    def rows(self) -> int:
        with self.store.engine.connect() as connection:
            names = ("customer", "contact_point", "shop_item", "shop_customer", "interaction")
            return sum(
                connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() or 0
                for name in names
            )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("doors"))


def doors(shop: Shop, values: dict[str, Any]) -> list[Any]:
    """Every way to store plugin values from Python."""
    records, customers = shop.store.records, shop.store.customers
    columns = {name: [value] for name, value in values.items()}
    new = NewInteraction(kind="shop.sale", occurred_at=NOW, customer_id=shop.ann.id, payload=values)
    return [
        lambda: records.set("shop.item", source="s", ref="9", values=values),
        lambda: records.put("shop.item", source="s", refs=["9"], values=columns),
        lambda: customers.add(name="B", fields={"shop": values}),
        lambda: customers.edit(shop.ann.id, version=shop.ann.version, fields={"shop": values}),
        lambda: shop.store.interactions.log(new),
    ]


def typed(name: str, text: str) -> Any:
    return float(text) if name == "rate" else text


def refused(shop: Shop, values: dict[str, Any]) -> None:
    before = shop.rows()
    for door in doors(shop, values):
        with pytest.raises(UsageError) as caught:
            door()
        assert caught.value.code == "E_VALUE"
    assert shop.rows() == before


@pytest.mark.parametrize(("name", "text", "code"), BAD_FIELDS)
def test_what_an_import_rejects_no_call_stores(shop: Shop, name: str, text: str, code: str) -> None:
    for entity in ("shop.item", "shop.customer", "shop.sale"):
        assert shop.reject(entity, {name: text}) == code
    refused(shop, {name: typed(name, text)})


@pytest.mark.parametrize(
    ("first", "last", "early", "late"),
    [
        ("starts_on", "ends_on", "2026-02-01", "2026-01-31"),
        ("opened_at", "closed_at", "2026-02-01T10:00:00Z", "2026-02-01T09:59:59Z"),
    ],
)
def test_an_end_before_its_start_is_refused_at_every_door(
    shop: Shop, first: str, last: str, early: str, late: str
) -> None:
    for entity in ("shop.item", "shop.customer", "shop.sale"):
        assert shop.reject(entity, {first: early, last: late}) == "E_CONTRADICTION"
    refused(shop, {first: early, last: late})
    shop.store.records.set("shop.item", source="s", ref=last, values={first: early, last: early})
    # The start alone may not be moved behind the stored end either.
    later = "2027-01-01" if first == "starts_on" else "2027-01-01T00:00:00Z"
    with pytest.raises(UsageError, match=f"is before {first}"):
        shop.store.records.set("shop.item", source="s", ref=last, values={first: later})


def test_what_a_plugin_refuses_is_refused_at_every_door(shop: Shop) -> None:
    assert shop.reject("shop.item", {"kind": "b"}) == "E_PLUGIN_CHECK"
    refused(shop, {"kind": "b"})
    with pytest.raises(UsageError, match=r"field 'kind': b is sold out \(plugin shop\)"):
        shop.store.records.set("shop.item", source="s", ref="9", values={"kind": "b"})


@pytest.mark.parametrize(("name", "text", "code"), BAD_CUSTOMERS)
def test_customers_are_judged_alike_by_file_and_by_hand(
    shop: Shop, name: str, text: str, code: str
) -> None:
    assert shop.reject("customer", {name: text}) == code
    customers, before = shop.store.customers, shop.rows()
    with pytest.raises(UsageError, match=f"customer, field '{name}'"):
        customers.add(**{"name": "B", name: text})
    with pytest.raises(UsageError, match=f"customer, field '{name}'"):
        customers.edit(shop.ann.id, version=shop.ann.version, changes={name: text})
    assert shop.rows() == before


@pytest.mark.parametrize("empty", ["", "  "])
def test_a_name_that_is_empty_is_refused(shop: Shop, empty: str) -> None:
    with pytest.raises(UsageError, match="field 'name': the value is empty"):
        shop.store.customers.add(name=empty)


@pytest.mark.parametrize(("kind", "value"), BAD_POINTS)
def test_contact_points_are_judged_alike_by_file_and_by_hand(
    shop: Shop, kind: str, value: str
) -> None:
    assert shop.reject("customer", {kind: value}) == "E_PATTERN"
    points, before = [ContactPoint(kind, value)], shop.rows()
    with pytest.raises(UsageError) as caught:
        shop.store.customers.add(name="B", contact_points=points)
    # The number itself is not repeated in a message.
    assert value not in str(caught.value) and f"field {kind!r}" in str(caught.value)
    with pytest.raises(UsageError, match=f"field {kind!r}"):
        shop.store.customers.edit(shop.ann.id, version=shop.ann.version, contact_points=points)
    assert shop.rows() == before


def test_what_is_filed_is_changed_by_no_import_either(shop: Shop) -> None:
    seals = shop.store.records
    seals.set("shop.seal", source="s", ref="1", values={"kind": "a", "zone": "UTC"})
    assert shop.reject("shop.seal", {"zone": "Europe/Berlin"}) == "E_APPEND_ONLY"
    refused_by_hand = {"source": "s", "refs": ["1"], "values": {"zone": ["Europe/Berlin"]}}
    with pytest.raises(UsageError, match="filed and is never changed"):
        seals.put("shop.seal", **refused_by_hand)
    assert seals.find("shop.seal", "s:1").values["zone"] == "UTC"


def test_what_is_stored_already_bars_no_other_change(shop: Shop) -> None:
    """A value from before the checks is told by the quality of the data, and not by every edit."""
    with shop.store.begin("old") as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO shop_item (id, source, ref, zone, valid_from, version, tx) "
            "VALUES (77, 's', 'old', 'Mars/Phobos', '2020-01-01 00:00:00.000000', 1, 1)"
        )
    found = shop.store.records.set("shop.item", source="s", ref="old", values={"kind": "a"})
    assert found.values["kind"] == "a"


def test_good_values_pass_every_door(shop: Shop) -> None:
    values = {
        "price": Money(0, "USD"), "rate": 0.5, "starts_on": date(2026, 1, 1),
        "ends_on": date(2026, 1, 1), "born_on": date(2026, 3, 31), "zone": "Europe/Berlin",
        "hours": "mon-fri 09:00-17:00", "code": "aaa", "kind": "a",
    }  # fmt: skip
    for door in doors(shop, values):
        door()
    assert shop.store.records.find("shop.item", "s:9").values["price"] == Money(0, "USD")


def test_an_interaction_of_an_impossible_year_is_refused(shop: Shop) -> None:
    at = datetime(3000, 1, 1, tzinfo=UTC)
    with pytest.raises(UsageError, match="is outside the years 1900 to 2200"):
        shop.store.interactions.log(
            NewInteraction(kind="shop.sale", occurred_at=at, customer_id=shop.ann.id)
        )
