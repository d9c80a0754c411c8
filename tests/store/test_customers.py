"""Customers through the gateway: filed, found, changed with their past kept, merged, listed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crmkit.entities import ContactPoint, CustomerRef, Money
from crmkit.errors import EditConflict, NotFound, UsageError
from crmkit.store.store import Store


def merge(store: Store, away: int, into: int) -> None:
    with store.begin("merge") as tx:
        c = store.tables["customer"]
        tx.connection.execute(c.update().where(c.c.id == away).values(merged_into=into))


def test_a_customer_comes_back_as_it_was_filed(store: Store) -> None:
    refs = (CustomerRef("billing", "17"), CustomerRef("crm", "A-1"))
    points = (ContactPoint("phone", "+86 138 0013 8000", "home"), ContactPoint("email", "a@b.cn"))
    made = store.customers.add(
        name="王芳", refs=refs, contact_points=points, region="North",
        fields={"shop": {"born_on": "1990-02-03", "spend": "12.34", "household_size": 3}},
    )  # fmt: skip
    found = store.customers.get(made.id)
    assert found == made
    assert (found.name, found.refs, found.contact_points) == ("王芳", refs, points)
    assert (found.version, found.region, found.created_at) == (1, "North", found.updated_at)
    assert store.customers.fields(made.id) == {
        "shop": {
            "born_on": date(1990, 2, 3), "spend": Money(1234, "USD"), "household_size": 3,
            "segment": None,
        }
    }  # fmt: skip


def test_a_customer_without_a_key_is_called_by_crmkits_own(store: Store) -> None:
    made = store.customers.add(name="Bob")
    assert made.refs == (CustomerRef("crmkit", str(made.id)),)
    assert store.customers.find(str(made.id)) == made


def test_find_takes_a_ref_or_a_ref_with_its_source(store: Store) -> None:
    made = store.customers.add(refs=[CustomerRef("billing", "17")])
    colon = store.customers.add(refs=[CustomerRef("web", "urn:17")])
    assert store.customers.find("17").id == store.customers.find("billing:17").id == made.id
    assert store.customers.find("urn:17").id == store.customers.find("web:urn:17").id == colon.id


def test_an_ambiguous_ref_names_the_candidates(store: Store) -> None:
    store.customers.add(refs=[CustomerRef("billing", "17")])
    store.customers.add(refs=[CustomerRef("crm", "17")])
    with pytest.raises(UsageError, match="billing:17, crm:17") as caught:
        store.customers.find("17")
    assert caught.value.code == "E_AMBIGUOUS"
    assert store.customers.find("crm:17").refs == (CustomerRef("crm", "17"),)


def test_one_ref_in_two_sources_of_one_customer_is_not_ambiguous(store: Store) -> None:
    refs = [CustomerRef("billing", "17"), CustomerRef("crm", "17")]
    assert store.customers.find("17" if store.customers.add(refs=refs) else "").refs == tuple(refs)


@pytest.mark.parametrize("text", ["18", "billing:18", "9" * 30, "²", ""])
def test_an_unknown_ref_is_not_found(sqlite_store: Store, text: str) -> None:
    sqlite_store.customers.add(refs=[CustomerRef("billing", "17")])
    with pytest.raises(NotFound, match="there is no customer") as caught:
        sqlite_store.customers.find(text)
    assert caught.value.exit_code == 2


def test_a_key_that_is_taken_is_refused_and_nothing_is_filed(store: Store) -> None:
    store.customers.add(refs=[CustomerRef("billing", "17")])
    with pytest.raises(UsageError, match="billing:17 belongs to another customer") as caught:
        store.customers.add(name="Twin", refs=[CustomerRef("billing", "17")])
    assert caught.value.code == "E_CONFLICT"
    assert len(store.customers.list()) == 1


def test_an_edit_counts_the_version_and_keeps_the_past(store: Store, clock: Any) -> None:
    made = store.customers.add(name="Ann", region="North", fields={"shop": {"segment": "home"}})
    clock.now += timedelta(days=10)
    edited = store.customers.edit(
        made.id, version=1, changes={"region": "South"}, fields={"shop": {"segment": "office"}}
    )
    assert (edited.version, edited.region, edited.name) == (2, "South", "Ann")
    before = made.created_at + timedelta(days=5)
    past = store.customers.at(made.id, before)
    assert past is not None and (past.version, past.region) == (1, "North")
    assert store.customers.fields_at(made.id, before)["shop"]["segment"] == "home"
    now = edited.updated_at + timedelta(seconds=1)
    assert store.customers.at(made.id, now) == edited
    assert store.customers.fields_at(made.id, now)["shop"]["segment"] == "office"


def test_a_past_state_ends_where_the_next_one_begins(store: Store) -> None:
    """As-of is exclusive (design D1): at the very instant of a change the old state still shows."""
    made = store.customers.add(name="Ann", region="North")
    edited = store.customers.edit(made.id, version=1, changes={"region": "South"})
    at = store.customers.at
    assert at(made.id, made.created_at) is None
    assert getattr(at(made.id, edited.updated_at), "region", None) == "North"
    after = edited.updated_at + timedelta(microseconds=1)
    assert getattr(at(made.id, after), "region", None) == "South"


def test_a_stale_edit_is_refused_and_changes_nothing(store: Store) -> None:
    made = store.customers.add(name="Ann")
    store.customers.edit(made.id, version=1, changes={"name": "Anna"})
    with pytest.raises(EditConflict, match="version 1 was read, 2 is stored") as caught:
        store.customers.edit(made.id, version=1, changes={"name": "Annie"})
    assert (caught.value.expected, caught.value.found) == (1, 2)
    assert store.customers.get(made.id).name == "Anna"


def test_an_emptied_field_is_missing_and_one_left_out_stays(store: Store) -> None:
    made = store.customers.add(fields={"shop": {"segment": "home", "household_size": 2}})
    store.customers.edit(made.id, version=1, fields={"shop": {"segment": None}})
    fields = store.customers.fields(made.id)["shop"]
    assert (fields["segment"], fields["household_size"]) == (None, 2)


WRONG = [
    ({"shop": {"segment": "moon"}}, r"field 'segment': 'moon' is not one of home, office"),
    ({"shop": {"household_size": 0}}, r"field 'household_size': 0 is less than the minimum of 1"),
    ({"shop": {"household_size": "2"}}, "field 'household_size': '2' is not a whole number"),
    ({"shop": {"born_on": "1990-02-30"}}, "field 'born_on': '1990-02-30' is not a date"),
    ({"shop": {"spend": "12.345"}}, "field 'spend': '12.345' has more than 2 decimals of USD"),
    ({"shop": {"spend": 12.34}}, "field 'spend': 12.34 is not an amount"),
    ({"shop": {"spend": Money(5, "EUR")}}, "field 'spend': .* is not in USD"),
    ({"shop": {"segmnt": "home"}}, r"no field of shop\.customer 'segmnt'\. Did you mean segment"),
    ({"shp": {}}, "no plugin with customer fields 'shp'. Did you mean shop"),
]


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_a_value_outside_its_schema_is_refused(
    sqlite_store: Store, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        sqlite_store.customers.add(name="Ann", fields=fields)
    assert sqlite_store.customers.list() == []


def test_every_fault_is_told_at_once(sqlite_store: Store) -> None:
    with pytest.raises(UsageError) as caught:
        sqlite_store.customers.add(fields={"shop": {"spend": "x", "born_on": "y"}})
    assert "'spend'" in str(caught.value) and "'born_on'" in str(caught.value)


def test_an_unknown_kind_or_column_is_refused(sqlite_store: Store) -> None:
    with pytest.raises(NotFound, match=r"customer kind 'robot'\. Known: organisation, person"):
        sqlite_store.customers.add(kind="robot")
    with pytest.raises(NotFound, match=r"customer column 'nme'\. Did you mean name"):
        sqlite_store.customers.add(nme="Ann")
    made = sqlite_store.customers.add(name="Ann")
    with pytest.raises(NotFound, match="customer column 'version'"):
        sqlite_store.customers.edit(made.id, version=1, changes={"version": 7})


def test_a_merged_customer_reads_as_its_survivor(store: Store) -> None:
    """c was merged into b, and b later into a."""
    a, b, c = (store.customers.add(name=n, refs=[CustomerRef("crm", n)]) for n in ("a", "b", "c"))
    merge(store, c.id, b.id)
    merge(store, b.id, a.id)
    assert store.customers.get(c.id).id == a.id
    assert store.customers.find("c").id == a.id
    assert [r.ref for r in store.customers.refs([a.id])[a.id]] == ["a", "b", "c"]
    assert [x.name for x in store.customers.list()] == ["a"]
    assert [x.name for x in store.customers.search("c")] == ["a"]


def test_refs_and_names_of_many_come_in_one_question_each(store: Store) -> None:
    made = [store.customers.add(name=f"n{i}", refs=[CustomerRef("s", f"r{i}")]) for i in range(3)]
    ids = [c.id for c in made]
    assert store.customers.names([*ids, 5]) == dict(zip(ids, ["n0", "n1", "n2"], strict=True))
    assert store.customers.refs(ids) == {c.id: list(c.refs) for c in made}
    # More ids than either database takes parameters.
    assert store.customers.names(range(70_000)) == {}


def test_list_sorts_filters_and_limits_over_core_and_plugin_columns(store: Store) -> None:
    for name, size, spend in (("a", 2, "1.00"), ("b", None, "3.00"), ("c", 5, "2.00")):
        store.customers.add(
            name=name, fields={"shop": {"household_size": size, "spend": spend}}, region="North"
        )
    names = lambda found: [c.name for c in found]  # noqa: E731
    listed = store.customers.list
    assert names(listed(sort=["-shop.household_size"])) == ["c", "a", "b"]
    assert names(listed(sort=["shop.household_size"])) == ["a", "c", "b"]
    assert names(listed(sort=["-shop.spend"], limit=2)) == ["b", "c"]
    assert names(listed(where={"region": "North", "shop.household_size": 5})) == ["c"]
    assert names(listed(where={"shop.spend": Money(300, "USD")})) == ["b"]
    assert names(listed(where={"shop.household_size": None})) == ["b"]
    with pytest.raises(NotFound, match=r"customer column 'shop\.spnd'. Did you mean shop\.spend"):
        listed(sort=["shop.spnd"])


def test_search_finds_fragments_of_names_keys_and_contacts(store: Store) -> None:
    wang = store.customers.add(
        name="王小芳", refs=[CustomerRef("crm", "AX-100")],
        contact_points=[ContactPoint("phone", "+86 13800138000")],
    )  # fmt: skip
    store.customers.add(name="100% Ltd", refs=[CustomerRef("crm", "B_1")])
    found = lambda text: [c.name for c in store.customers.search(text)]  # noqa: E731
    for text in ("小芳", "芳", "ax-1", "138001"):
        assert found(text) == [wang.name]
    # Wildcards mean themselves.
    assert found("100%") == found("B_1") == ["100% Ltd"]
    assert found("%") == ["100% Ltd"]
    assert found("nobody") == []
    with pytest.raises(UsageError, match="nothing to search for"):
        found("  ")


def test_search_puts_the_exact_key_first(store: Store) -> None:
    store.customers.add(name="older", refs=[CustomerRef("crm", "177")])
    store.customers.add(name="exact", refs=[CustomerRef("crm", "77")])
    assert [c.name for c in store.customers.search("77")] == ["exact", "older"]


def test_odd_names_are_kept_as_they_are(store: Store) -> None:
    odd = ["X", "a" * 200, "null", "None", "NaN", "O'Brien; DROP TABLE customer", "é", "e\u0301",
           "👩‍👩‍👧", "\u202eabc"]  # fmt: skip
    for name in odd:
        assert store.customers.add(name=name).name == name
    assert [c.name for c in store.customers.list()] == odd


def test_relations_read_from_both_sides_and_end(store: Store) -> None:
    a, b = store.customers.add(name="a"), store.customers.add(name="b")
    made = store.relations.add(a.id, b.id, "referrer", valid_from=date(2026, 1, 1))
    assert store.relations.list_for(a.id) == store.relations.list_for(b.id) == [made]
    store.relations.end(made.id, date(2026, 6, 1))
    assert store.relations.list_for(a.id)[0].valid_to == date(2026, 6, 1)
    with pytest.raises(NotFound, match="customer '5'"):
        store.relations.add(a.id, 5, "household")
    with pytest.raises(UsageError, match="no relation to itself"):
        store.relations.add(a.id, a.id, "household")
    with pytest.raises(UsageError, match="cannot end on 2026-01-01"):
        store.relations.add(a.id, b.id, "x", valid_from=date(2026, 1, 1), valid_to=date(2026, 1, 1))


def test_instants_are_aware_utc(store: Store) -> None:
    made = store.customers.add(name="Ann")
    assert store.customers.get(made.id).created_at == datetime(
        2026, 3, 1, 12, 0, 0, made.created_at.microsecond, tzinfo=UTC
    )
