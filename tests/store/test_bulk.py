"""Bulk upserts beside the gateways: what one writes the other reads, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from crmkit.errors import UsageError
from crmkit.store.bulk import (
    CREATED,
    UNCHANGED,
    UPDATED,
    Block,
    CustomerUpsert,
    FieldsUpsert,
    InteractionUpsert,
    Lookup,
    RecordUpsert,
    Statements,
    first_positions,
)


@pytest.fixture
def statements(store):
    return Statements(store)


def load_customers(store, upsert, refs, names, **options):
    block = Block(size=len(refs), refs=refs, columns={"name": names}, **options)
    with store.begin("import", upsert.source) as tx:
        upsert.prepare(tx.connection, block, refs)
        return upsert.write(tx, block)


def rows(store, query):
    with store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_first_position_of_a_key_counts():
    assert first_positions(["b", "a", "b", "c", "a"]) == {"b": 0, "a": 1, "c": 3}
    assert list(first_positions(["b", "a", "b"])) == ["b", "a"]


def test_customers_are_created_then_updated_then_left_alone(store, statements):
    upsert = CustomerUpsert(statements, "crm")
    first = load_customers(store, upsert, ["a", "b"], ["Ann", None])
    assert first.outcomes == [CREATED, CREATED]
    again = load_customers(store, upsert, ["b", "a", "c"], ["Bob", "Ann", "Cid"])
    assert again.outcomes == [UPDATED, UNCHANGED, CREATED]
    assert again.ids[:2] == [first.ids[1], first.ids[0]]
    bob = store.customers.find("crm:b")
    assert (bob.id, bob.name, bob.version, bob.kind) == (first.ids[1], "Bob", 2, "person")
    assert rows(store, "select id, name, version from customer_history") == [(bob.id, None, 1)]


def test_a_repeated_key_has_one_row_and_one_outcome(store, statements):
    found = load_customers(store, CustomerUpsert(statements, "crm"), ["a", "a"], ["Ann", "Ann"])
    assert found.outcomes == [CREATED, UNCHANGED]
    assert found.ids[0] == found.ids[1]
    assert rows(store, "select count(*) from customer") == [(1,)]


def test_keys_of_two_sources_are_two_customers(store, statements):
    for source in ("crm", "erp"):
        load_customers(store, CustomerUpsert(statements, source), ["a"], [source])
    assert sorted(rows(store, "select name from customer")) == [("crm",), ("erp",)]


def test_a_double_key_that_was_not_asked_for_is_refused_whole(store, statements):
    """The optimism of a first load: the database itself stops the second customer."""
    upsert = CustomerUpsert(statements, "crm")
    load_customers(store, upsert, ["a"], ["Ann"])
    block = Block(size=2, refs=["b", "a"], columns={"name": ["Bob", "Ann"]})
    with pytest.raises(UsageError) as caught, store.begin("import", "crm") as tx:
        upsert.prepare(tx.connection, block, [])
        upsert.write(tx, block)
    assert caught.value.code == "E_CONFLICT"
    assert rows(store, "select count(*) from customer") == [(1,)]


def test_the_transaction_counts_what_was_written(store, statements):
    seen = []
    store._observer = seen.append
    upsert = CustomerUpsert(statements, "crm")
    load_customers(store, upsert, ["a", "b"], ["Ann", "Bob"])
    load_customers(store, upsert, ["a", "b"], ["Ann", "Ben"])
    assert [c.written for c in seen] == [{"customer": 2}, {"customer": 1}]


def test_customer_fields_are_versioned_by_customer(store, statements):
    ids = load_customers(store, CustomerUpsert(statements, "crm"), ["a", "b"], ["Ann", "Bob"]).ids
    upsert = FieldsUpsert(statements, "shop.customer", "crm")
    for size, outcome in ((2, CREATED), (2, UNCHANGED), (3, UPDATED)):
        block = Block(size=1, columns={"household_size": [size], "segment": ["home"]})
        with store.begin("import") as tx:
            upsert.prepare(tx.connection, block, ids[:1])
            assert upsert.write(tx, block, ids[:1]).outcomes == [outcome]
    assert rows(
        store, "select customer_id, household_size, segment, version from shop_customer"
    ) == [(ids[0], 3, "home", 2)]
    assert rows(store, "select household_size from shop_customer_history") == [(2,)]


def test_a_record_that_changes_hands_is_updated(store, statements):
    ann, bob = load_customers(
        store, CustomerUpsert(statements, "crm"), ["a", "b"], ["Ann", "Bob"]
    ).ids
    upsert = RecordUpsert(statements, "shop.line", "crm")
    outcomes = []
    for owner in (ann, ann, bob):
        block = Block(size=1, refs=["L1"], columns={"number": ["100"]})
        with store.begin("import") as tx:
            upsert.prepare(tx.connection, block, ["L1"], owned=True)
            outcomes += upsert.write(tx, block, [owner]).outcomes
    assert outcomes == [CREATED, UNCHANGED, UPDATED]
    (record,) = store.records.list("shop.line")
    assert (record.owner_id, record.version, record.values["number"]) == (bob, 2, "100")
    assert rows(store, "select owner_id, version from shop_line_history") == [(ann, 1)]
    with store.read() as connection:
        assert Lookup(statements).ids(connection, "shop.line", "crm", ["L1", "L2"]) == {
            "L1": record.id
        }


def test_an_interaction_gets_a_revision_only_when_it_differs(store, statements):
    (ann,) = load_customers(store, CustomerUpsert(statements, "crm"), ["a"], ["Ann"]).ids
    upsert = InteractionUpsert(statements, "shop.visit", "door")
    at, on = "2026-01-02 03:04:05.000000", "2026-01-02"
    if store.dialect == "postgresql":
        from datetime import date, datetime

        at, on = datetime.fromisoformat(at), date.fromisoformat(on)
    outcomes = []
    for note in ("x", "x", "y", "x"):
        payload = f'{{"note":"{note}"}}'
        columns = {"occurred_at": [at], "occurred_on": [on], "payload": [payload]}
        block = Block(size=1, refs=["v"], columns=columns)
        with store.begin("import") as tx:
            upsert.prepare(tx.connection, block, ["v"])
            outcomes += upsert.write(tx, block, [ann], None, None).outcomes
    assert outcomes == [CREATED, UNCHANGED, UPDATED, UPDATED]
    (latest,) = store.interactions.list_for(ann)
    assert (latest.revision, latest.payload) == (3, {"note": "x"})


def test_lists_of_any_length_are_looked_up_at_once(store, statements):
    refs = [f"k{i}" for i in range(40_000)]
    ids = load_customers(store, CustomerUpsert(statements, "crm"), refs, refs).ids
    with store.read() as connection:
        found = Lookup(statements).ids(connection, "customer", "crm", [*refs, "none"])
        assert Lookup(statements).any_of(connection, "customer", "crm")
        assert not Lookup(statements).any_of(connection, "customer", "other")
    assert found == dict(zip(refs, ids, strict=True))
