"""Many records written and read column by column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from crmkit.entities import CustomerRef, Money
from crmkit.errors import NotFound, UsageError
from crmkit.store.store import Store

JANUARY, MARCH = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 3))


@pytest.fixture
def people(store: Store) -> list[int]:
    return [
        store.customers.add(name=name, refs=[CustomerRef("crm", name)]).id for name in ("Ann", "Bo")
    ]


def lines(store: Store, owners: list[int], **more: Any) -> Any:
    values = {
        "number": ["+491", None], "active": [True, False], "opened_on": [date(2020, 2, 29), None],
        "activated_at": [JANUARY, None], "addons": [["a", "b"], []], **more,
    }  # fmt: skip
    return store.records.put(
        "shop.line", source="net", refs=["L1", "L2"], owners=owners, values=values
    )


def test_a_batch_reads_back_as_single_records_do(store: Store, people: list[int]) -> None:
    written = lines(store, people)
    assert written.outcomes == [2, 2]
    first = store.records.find("shop.line", "L1")
    assert first.id == written.ids[0]
    assert first.owner_id == people[0]
    assert first.values == {
        "number": "+491", "active": True, "opened_on": date(2020, 2, 29), "activated_at": JANUARY,
        "addons": ["a", "b"],
    }  # fmt: skip
    names = ["ref", "active", "addons", "opened_on", "activated_at", "owner_id"]
    assert store.records.read("shop.line", names) == [
        ("L1", True, ["a", "b"], date(2020, 2, 29), JANUARY, people[0]),
        ("L2", False, [], None, None, people[1]),
    ]


def test_a_changed_row_is_a_new_version_and_an_equal_one_is_not(
    store: Store, people: list[int]
) -> None:
    lines(store, people)
    again = lines(store, people, active=[True, True])
    assert again.outcomes == [0, 1]
    second = store.records.find("shop.line", "L2")
    assert second.version == 2
    assert [r.values["active"] for r in store.records.versions("shop.line", second.id)] == [
        False,
        True,
    ]


def test_fields_left_out_stay_and_money_keeps_its_currency(store: Store) -> None:
    plans = {"title": ["A", "B"], "monthly_fee": [Money(1999, "USD"), "5 JPY".split()[0]]}
    store.records.put("shop.plan", source="s", refs=["a", "b"], values=plans)
    store.records.put("shop.plan", source="s", refs=["a"], values={"data_gb": [2.5]})
    assert store.records.read("shop.plan", ["title", "monthly_fee", "data_gb"]) == [
        ("A", Money(1999, "USD"), 2.5),
        ("B", Money(500, "USD"), None),
    ]


def test_reading_takes_many_owners_an_order_and_a_limit(store: Store, people: list[int]) -> None:
    lines(store, people)
    read = store.records.read
    assert read("shop.line", ["ref"], among={"owner_id": people[1:]}) == [("L2",)]
    assert read("shop.line", ["ref"], sort=["-ref"], limit=1) == [("L2",)]
    assert read("shop.line", ["ref"], where={"active": True}) == [("L1",)]
    with pytest.raises(NotFound, match="colour"):
        read("shop.line", ["colour"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"active": ["yes", True]}, "field 'active': 'yes' is not true or false"),
        ({"active": [True]}, "another number of active"),
        ({"colour": ["red", "red"]}, "colour"),
    ],
)
def test_a_faulty_batch_is_refused_whole(
    store: Store, people: list[int], change: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        lines(store, people, **change)
    assert store.records.list("shop.line") == []


def test_an_owner_that_does_not_exist_is_named(store: Store, people: list[int]) -> None:
    with pytest.raises(NotFound, match="there is no customer '7'"):
        lines(store, [people[0], 7])
    with pytest.raises(UsageError, match=r"records of shop.line need owners"):
        store.records.put("shop.line", source="net", refs=["L1"], values={})


def test_a_change_before_the_stored_version_is_refused(store: Store) -> None:
    def put(at: datetime, title: str) -> Any:
        return store.records.put(
            "shop.plan", source="s", refs=["a"], values={"title": [title]}, effective=[at]
        )

    put(MARCH, "new")
    with pytest.raises(UsageError, match=r"shop.plan s:a: a change cannot begin before"):
        put(JANUARY, "old")


def test_a_rehearsed_write_runs_and_leaves_nothing(store: Store) -> None:
    with store.rehearsal():
        made = store.records.set("shop.plan", source="s", ref="p", values={"title": "A"})
        assert made.values["title"] == "A"
        with pytest.raises(UsageError, match="title"):
            store.records.set("shop.plan", source="s", ref="q", values={"title": 1})
    assert store.records.list("shop.plan") == []
    store.records.set("shop.plan", source="s", ref="p", values={"title": "A"})
    assert len(store.records.list("shop.plan")) == 1
