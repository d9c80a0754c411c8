"""Reads that are compiled once: equal to SQLAlchemy's, through indexes, in one state."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, select, text

from crmkit.entities.customer import ContactPoint, CustomerRef
from crmkit.entities.interaction import NewInteraction
from crmkit.errors import SchemaOutdated
from crmkit.store.prepared import Prepared, rows_where
from crmkit.store.types import Integer

AT = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def somebody(store: Any, ref: str = "1", name: str = "Ann") -> Any:
    return store.customers.add(
        name=name,
        refs=[CustomerRef("billing", ref)],
        contact_points=[ContactPoint("phone", "+1 555 0100")],
        fields={"shop": {"household_size": 3}},
    )


def seen_whole(store: Any, ref: str) -> None:
    """What the view of one customer reads."""
    with store.one_state():
        customer = store.customers.find(ref)
        members = store.customers.members([customer.id])
        records = store.records.list_for(customer.id, members=members)
        subjects = [customer.id, *(r.id for r in records)]
        store.outcomes.for_subjects(subjects)
        store.stages.standings(subjects)
        store.stages.histories(subjects)
        store.interactions.list_for(customer.id, limit=20, members=members)
        store.customers.fields(customer.id)


@pytest.mark.parametrize("merged", [False, True])
def test_the_view_of_one_customer_reads_no_whole_table(
    store: Any, monkeypatch: pytest.MonkeyPatch, merged: bool
) -> None:
    ann = somebody(store)
    if merged:
        store.merges.merge([(ann.id, somebody(store, "2").id)])
    sent: list[tuple[str, Any]] = []
    rows = Prepared.rows

    def noted(self: Prepared, connection: Any, **values: Any) -> Any:
        sent.append((self.text, values))
        return rows(self, connection, **values)

    with monkeypatch.context() as patch:
        patch.setattr(Prepared, "rows", noted)
        seen_whole(store, "1")
    assert len(sent) > 10
    with store.engine.connect() as connection:
        sqlite = store.dialect == "sqlite"
        if not sqlite:
            # The tables are so small that the planner would read them whole; is there another way?
            connection.execute(text("SET enable_seqscan = off"))
        driver: Any = connection.connection.driver_connection
        for query, values in sent:
            if "FROM declaration" in query:
                continue  # a row for each entity of the plugins, however many customers there are
            given: Any = {"most": 20, **values}
            if sqlite:
                given = [given["wanted"], 20, 0][: query.count("?")]
            explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plan = "\n".join(str(row[-1]) for row in driver.execute(explain + query, given))
            whole = re.findall(r"^SCAN (?!CONSTANT|anon_).*|.*Seq Scan on.*", plan, re.MULTILINE)
            assert not whole, (query, plan)


def test_rows_have_the_types_that_sqlalchemy_gives(store: Any) -> None:
    ids = [somebody(store).id, somebody(store, "2", "李雷").id]
    for name in ("customer", "shop_customer"):
        table = store.tables[name]
        key = "id" if name == "customer" else "customer_id"
        with store.read() as connection:
            expected = [
                dict(row)
                for row in connection.execute(select(table).order_by(table.c[key])).mappings()
            ]
            assert rows_where(connection, table, key, ids, order=(key,)) == expected
            assert rows_where(connection, table, key, ids[:1]) == expected[:1]
            assert rows_where(connection, table, key, []) == []


def test_an_error_of_the_driver_is_translated_as_any_other(store: Any) -> None:
    absent = Table("absent", MetaData(), Column("id", Integer()))
    with pytest.raises(SchemaOutdated, match="absent"), store.read() as connection:
        rows_where(connection, absent, "id", [1])


def test_inside_one_state_a_later_write_is_not_seen(store: Any) -> None:
    ann = somebody(store)
    with store.one_state():
        assert store.customers.get(ann.id).name == "Ann"
        store.customers.edit(ann.id, version=1, changes={"name": "Anna"})
        assert store.customers.get(ann.id).name == "Ann"
    assert store.customers.get(ann.id).name == "Anna"


def test_the_newest_facts_of_one_and_of_merged_customers_come_latest_first(store: Any) -> None:
    ann, ben = somebody(store), somebody(store, "2", "Ben")
    kind = "shop.visit"
    for day, who in ((1, ann), (2, ben), (3, ann)):
        at = AT.replace(day=day)
        store.interactions.log(
            NewInteraction(kind=kind, customer_id=who.id, occurred_at=at, source="s", payload={})
        )
    assert [f.occurred_at.day for f in store.interactions.list_for(ann.id, limit=5)] == [3, 1]
    store.merges.merge([(ann.id, ben.id)])
    assert [f.occurred_at.day for f in store.interactions.list_for(ann.id, limit=2)] == [3, 2]
