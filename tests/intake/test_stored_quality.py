"""The quality of what is stored: whoever wrote it, and under whichever rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crmkit.intake.quality import quality_rows
from crmkit.intake.stored_quality import stored_rows

PROFILE = """
name = "people"
[source]
name = "crm"
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
phone = "phone"
email = "email"
"""
HEADER = "id,name,phone,email\n"
GOOD = "1,Ann,+4930111,ann@example.org\n2,Bob,+4930222,bob@example.org\n"


def put(shop: Any, ref: str, name: str | None, *points: tuple[str, str]) -> None:
    """Stores a customer as a version without today's checks did."""
    with shop.store.begin("an earlier version") as tx:
        ids = tx.take_ids(1 + len(points))
        tables, at = shop.store.tables, tx.at
        tx.connection.execute(
            tables["customer"].insert(),
            {"id": ids[0], "kind": "person", "name": name, "created_at": at, "updated_at": at, "version": 1, "valid_from": at, "tx": tx.id},
        )  # fmt: skip
        tx.connection.execute(
            tables["customer_ref"].insert(),
            {"source": "crm", "ref": ref, "customer_id": ids[0], "tx": tx.id},
        )
        for number, (kind, value) in enumerate(points):
            tx.connection.execute(
                tables["contact_point"].insert(),
                {"id": ids[1 + number], "customer_id": ids[0], "kind": kind, "value": value, "label": "", "position": number, "tx": tx.id},
            )  # fmt: skip


def by_what(shop: Any) -> dict[str, Any]:
    return {row["what"]: row for row in stored_rows(shop.store, "crm")}


def test_what_is_stored_is_judged_by_kind(shop: Any) -> None:
    """Eight customers: two good, and one for each fault."""
    shop.load(HEADER + GOOD, PROFILE)
    put(shop, "3", "Cy", ("phone", "notaphone"))
    put(shop, "4", "Di", ("phone", "di@example.org"), ("email", "di@example.org"))
    put(shop, "5", "Ed", ("web", "javascript:alert(1)"))
    put(shop, "6", None)
    put(shop, "7", "ann", ("phone", "0049 30 111"))
    put(shop, "8", "Flo", ("phone", "+49 30 5551234"), ("phone", "030-5551234"))
    found = by_what(shop)
    people = found["customer"]
    # 6 is nothing but a key; 7 has the name and the number of 1.
    assert (people["rows"], people["faulty"]) == (8, 2)
    assert (people["missing_share"], people["duplicate_share"]) == (1 / 8, 1 / 8)
    # Seven numbers: two that are none, and one that its customer has already.
    phone = found["phone"]
    assert (phone["rows"], phone["malformed_share"], phone["duplicate_share"]) == (7, 2 / 7, 1 / 7)
    assert (found["email"]["rows"], found["email"]["faulty"]) == (3, 0)
    assert (found["web"]["rows"], found["web"]["malformed_share"]) == (1, 1.0)
    (row,) = quality_rows(shop.store)
    # None was rejected; of the eight stored six have a fault: three malformed, two double, one missing.
    assert (row["rejected_share"], row["stored_share"]) == (0.0, 6 / 8)
    assert (row["malformed_share"], row["missing_share"]) == (3 / 8, 1 / 8)
    assert row["duplicate_share"] == 2 / 8


def test_rows_with_nothing_but_a_key_are_missing(shop: Any) -> None:
    shop.load(HEADER + "1,,,\n2,,,\n3,Ann,,\n4,Bob,,\n", PROFILE)
    (row,) = quality_rows(shop.store)
    assert (row["rejected"], row["missing_share"], row["change"]) == (0, 0.5, None)


def test_the_trend_is_against_the_state_before_the_last_import(shop: Any) -> None:
    shop.load(HEADER + GOOD, PROFILE)
    shop.load(HEADER + GOOD + "3,,,\n4,,,\n", PROFILE)
    first, second = quality_rows(shop.store)
    assert (first["stored_share"], second["stored_share"]) == (0.0, 0.5)
    assert second["change"] == 0.5
    assert by_what(shop)["customer"]["change"] == 0.5
    shop.load(HEADER + GOOD + "3,Cy,,\n4,Di,,\n", PROFILE)
    assert quality_rows(shop.store)[2]["change"] == -0.5
    assert by_what(shop)["customer"]["change"] == -0.5


def test_rejected_and_stored_faults_add_up(shop: Any) -> None:
    """Of four rows one is rejected for its phone, and one of the three taken is nothing but a key."""
    shop.load(HEADER + GOOD + "3,Cy,notaphone,\n4,,,\n", PROFILE)
    (row,) = quality_rows(shop.store)
    assert (row["rejected_share"], row["malformed_share"]) == (0.25, 0.25)
    assert row["missing_share"] == pytest.approx(0.25)


def test_nobody_is_stale_while_the_source_comes(shop: Any) -> None:
    shop.load(HEADER + GOOD, PROFILE)
    shop.clock.now += timedelta(days=400)
    assert by_what(shop)["customer"]["stale_share"] == 1.0
    shop.load(HEADER + GOOD, PROFILE)
    assert by_what(shop)["customer"]["stale_share"] == 0.0


def test_plugin_fields_and_records_are_judged_by_their_schema(shop: Any) -> None:
    shop.load(HEADER + GOOD, PROFILE)
    ann = shop.store.customers.find("crm:1").id
    shop.store.customers.edit(ann, version=1, fields={"shop": {"household": 2, "tags": ["a"]}})
    for ref in ("a", "b"):
        shop.store.records.set("shop.line", source="crm", ref=ref, values={}, owner_id=ann)
    with shop.store.begin("an earlier version") as tx:
        tx.connection.exec_driver_sql("UPDATE shop_line SET number = 'x7' WHERE ref = 'a'")
    found = by_what(shop)
    assert (found["shop.customer"]["rows"], found["shop.customer"]["faulty"]) == (1, 0)
    assert (found["shop.line"]["rows"], found["shop.line"]["malformed_share"]) == (2, 0.5)
