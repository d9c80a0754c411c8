"""An increment reaches new rows through indexes: no query of it reads a whole table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from crmkit.warehouse import snapshot
from crmkit.warehouse.reading import StoreReader

ROWS = 3_000


def queries_of_an_increment(world: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL that a refresh sends after one more visit and one more version of a contract."""
    ann = world.customer("2026-01-01", region="north")
    world.record("gym.contract", "K", "2026-01-05", ann, tier="basic")
    world.visit(ann, "2026-02-01 10:00", ref="v", minutes=1.0)
    world.warehouse.refresh()
    world.visit(ann, "2026-02-01 10:00", ref="v", minutes=2.0)
    world.record("gym.contract", "K", "2026-02-05", ann, tier="gold")
    sent: list[str] = []
    batches = StoreReader.batches

    def noted(self: StoreReader, query: str, types: Any) -> Any:
        sent.append(query)
        return batches(self, query, types)

    with monkeypatch.context() as patch:
        patch.setattr(StoreReader, "batches", noted)
        assert world.warehouse.refresh().added == 2
    return sent


def test_no_query_of_an_increment_reads_a_whole_table(
    any_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = queries_of_an_increment(any_world, monkeypatch)
    for table in snapshot._kept(any_world.warehouse.layout):
        assert any(f"FROM {table.store} i" in query.replace('"', "") for query in sent)
    with any_world.store.engine.connect() as connection:
        sqlite = any_world.store.dialect == "sqlite"
        if not sqlite:
            # The tables are so small that the planner would read them whole; is there another way?
            connection.execute(text("SET enable_seqscan = off"))
        for query in sent:
            explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plan = "\n".join(
                str(row[-1])
                for row in connection.exec_driver_sql(explain + query.replace("%", "%%"))
            )
            whole = re.findall(r"^SCAN (?!CONSTANT|\().*|.*Seq Scan on.*", plan, re.MULTILINE)
            assert not whole, (query, plan)
