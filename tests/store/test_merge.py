"""Two records become one customer and are taken apart again, exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crmkit.declarations import MergeConflict
from crmkit.entities import ContactPoint, CustomerRef, Money, NewInteraction
from crmkit.errors import NotFound, UsageError
from crmkit.store.decisions import DECISIONS
from crmkit.store.store import Store

AT = datetime(2026, 2, 1, tzinfo=UTC)
CONSENT = {
    "may_call": {"type": "boolean", "stricter": False},
    "blocked": {"type": "boolean", "stricter": True},
}
# What a merge and its undoing may change for good: when, by which transaction, which version.
ASIDE = {"tx", "version", "valid_from", "updated_at"}
BOOKS = {"tx", "writer", "declaration", "migration_done", "customer_merge"}


@pytest.fixture
def merging(open_store: Callable[..., Store], make_shop: Callable[..., Any]) -> Store:
    """A store whose plugin also keeps consent, on each database in turn."""
    customer = make_shop().customer_fields["shop"].schema
    customer = {**customer, "properties": {**customer["properties"], **CONSENT}}
    made = open_store(make_shop(customer=customer))
    made.upgrade()
    return made


def add(store: Store, ref: str, name: str | None = None, **shop: Any) -> int:
    fields = {"shop": shop} if shop else None
    refs = [CustomerRef("crm", ref)]
    return store.customers.add(name=name, refs=refs, fields=fields).id


def state(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every entity, key, record and fact, without the books kept about them."""
    out = {}
    with store.read() as connection:
        for name, table in store.tables.items():
            if name in BOOKS or name.endswith("_history"):
                continue
            columns = [c for c in table.columns if c.name not in ASIDE]
            rows = connection.execute(select(*columns)).all()
            out[name] = sorted(tuple(map(repr, row)) for row in rows)
    return out


def test_what_the_other_knows_is_taken_and_own_values_stay(merging: Store) -> None:
    a = add(merging, "1", "Ann", segment="home", spend=Money(1200, "USD"))
    b = add(merging, "2", "Anna", segment="office", born_on=date(1961, 3, 4), household_size=2)
    (merge,) = merging.merges.merge([(a, b)])
    assert merge.changed == ["shop.born_on", "shop.household_size"]
    one = merging.customers.get(b)
    assert (one.id, one.name) == (a, "Ann")
    assert merging.customers.fields(a)["shop"] == {
        "household_size": 2, "born_on": date(1961, 3, 4), "segment": "home",
        "spend": Money(1200, "USD"), "may_call": None, "blocked": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "merged", "wanted"),
    [
        ((True, False), (False, True), (False, True)),
        ((False, True), (True, False), (False, True)),
        ((True, None), (None, None), (True, None)),
        ((None, None), (True, True), (True, True)),
    ],
)
def test_the_stricter_consent_survives(merging: Store, kept: Any, merged: Any, wanted: Any) -> None:
    """A refusal on either side stands, and no choice of a plugin changes that."""
    a = add(merging, "1", household_size=1, may_call=kept[0], blocked=kept[1])
    b = add(merging, "2", household_size=1, may_call=merged[0], blocked=merged[1])
    assert merging.merges.conflicts([(a, b)]) == []
    merging.merges.merge([(a, b)])
    found = merging.customers.fields(a)["shop"]
    assert (found["may_call"], found["blocked"]) == wanted


def test_a_block_of_a_third_record_outlives_the_unmerge_of_the_second(merging: Store) -> None:
    """Both B and C asked not to be contacted: taking B back must not drop what C asked for."""
    a, b, c = (add(merging, ref, blocked=value) for ref, value in (("1", None), ("2", True), ("3", True)))  # fmt: skip
    (first, _) = merging.merges.merge([(a, b), (a, c)])
    merging.merges.unmerge([first])
    assert merging.customers.fields(a)["shop"]["blocked"] is True
    assert merging.customers.get(b).id == b


def test_a_chosen_value_survives_and_goes_again(merging: Store) -> None:
    a, b = add(merging, "1", "A. Example", segment="home"), add(merging, "2", "Ann Example", segment="office")  # fmt: skip
    before = state(merging)
    name, segment = merging.merges.conflicts([(a, b)])
    assert name == MergeConflict(kept_id=a, merged_id=b, entity="customer", field="name", kept="A. Example", merged="Ann Example")  # fmt: skip
    assert (segment.entity, segment.field, segment.kept) == ("shop.customer", "segment", "home")
    merging.merges.merge([(a, b)], [name])
    assert merging.customers.get(a).name == "Ann Example"
    assert merging.customers.fields(a)["shop"]["segment"] == "home"
    merging.merges.unmerge(merging.merges.of_customer(b))
    assert state(merging) == before


def test_facts_keys_and_contacts_are_seen_with_the_one_that_stays(store: Store) -> None:
    phone, mail = ContactPoint("phone", "123456"), ContactPoint("email", "ann@example.org")
    a = store.customers.add(name="Ann", refs=[CustomerRef("bill", "1")], contact_points=[phone])
    b = store.customers.add(refs=[CustomerRef("hotel", "2")], contact_points=[phone, mail])
    store.records.set("shop.line", source="s", ref="L", owner_id=b.id, values={"active": True})
    store.interactions.log(
        NewInteraction(kind="shop.bill", customer_id=b.id, occurred_at=AT, payload={"amount": "5"})
    )
    (merge,) = store.merges.merge([(a.id, b.id)])
    one = store.customers.find("2")
    assert (one.id, one.contact_points) == (a.id, (phone, mail))
    assert [str(ref) for ref in one.refs] == ["bill:1", "hotel:2"]
    assert [r.ref for r in store.records.list_for(a.id)] == ["L"]
    # Nothing was rewritten: the fact is still b's.
    assert [f.customer_id for f in store.interactions.list_for(a.id)] == [b.id]
    assert [c.id for c in store.customers.list()] == [a.id]
    assert merge.changes == {}


def test_contacts_replaced_after_a_merge_leave_the_others_their_own(store: Store) -> None:
    mail, web = ContactPoint("email", "ann@example.org"), ContactPoint("web", "ann.example.org")
    a = store.customers.add(name="Ann")
    b = store.customers.add(name="Ann", contact_points=[mail])
    store.merges.merge([(a.id, b.id)])
    one = store.customers.get(a.id)
    edited = store.customers.edit(a.id, version=one.version, contact_points=[web, mail])
    assert edited.contact_points == (web, mail)
    store.merges.unmerge(store.merges.of_customer(b.id))
    assert store.customers.get(a.id).contact_points == (web,)
    assert store.customers.get(b.id).contact_points == (mail,)


def test_an_edit_after_the_merge_stays_when_it_is_taken_back(merging: Store) -> None:
    a, b = add(merging, "1", "Ann"), add(merging, "2", "Ann", segment="home", household_size=3)
    merging.merges.merge([(a, b)])
    version = merging.customers.get(a).version
    merging.customers.edit(a, version=version, fields={"shop": {"segment": "office"}})
    merging.merges.unmerge(merging.merges.of_customer(b))
    found = merging.customers.fields(a)["shop"]
    assert (found["segment"], found["household_size"]) == ("office", None)


def test_fields_that_only_the_merge_made_are_gone_and_may_come_again(merging: Store) -> None:
    """The history's versions of the row that went must not be taken by the one that comes."""
    a, b = add(merging, "1", "Ann"), add(merging, "2", "Ann", segment="home")
    merging.merges.merge([(a, b)])
    merging.merges.unmerge(merging.merges.of_customer(b))
    assert merging.customers.fields(a) == {}
    for segment in ("office", "home"):
        version = merging.customers.get(a).version
        merging.customers.edit(a, version=version, fields={"shop": {"segment": segment}})
    assert merging.customers.fields(a)["shop"]["segment"] == "home"


def test_a_dry_run_tells_the_changes_and_makes_none(merging: Store) -> None:
    a, b = add(merging, "1", "Ann"), add(merging, "2", "Ann", segment="home")
    before = state(merging)
    (merge,) = merging.merges.merge([(a, b)], dry_run=True)
    assert (merge.id, merge.changed) == (0, ["shop.segment"])
    assert state(merging) == before


def test_merges_that_make_no_sense_are_refused_whole(store: Store) -> None:
    a, b, c = (store.customers.add(name=n).id for n in "abc")
    before = state(store)
    with pytest.raises(UsageError, match="cannot be merged into itself"):
        store.merges.merge([(b, c), (a, a)])
    with pytest.raises(UsageError, match="is merged into another already"):
        store.merges.merge([(a, b), (c, b)])
    with pytest.raises(NotFound, match="customer '7'"):
        store.merges.merge([(a, 7)])
    assert state(store) == before


def test_a_merge_inside_another_is_taken_back_after_it(store: Store) -> None:
    a, b, c = (store.customers.add(name=n).id for n in "abc")
    (inner,) = store.merges.merge([(a, b)])
    (outer,) = store.merges.merge([(c, a)])
    assert store.customers.get(b).id == c
    with pytest.raises(UsageError, match=f"customer {a} was itself merged") as caught:
        store.merges.unmerge([inner])
    assert f"crmkit customer unmerge {a}" in str(caught.value.hint)
    store.merges.unmerge([outer])
    store.merges.unmerge([inner])
    with pytest.raises(UsageError, match="taken back already"):
        store.merges.unmerge([inner])


def test_of_two_merges_of_one_customer_at_once_one_is_refused(store: Store) -> None:
    a, b, c = (store.customers.add(name=n).id for n in "abc")
    start, ended = threading.Barrier(2), list[str]()

    def merge_into(kept: int) -> None:
        start.wait()
        try:
            store.merges.merge([(kept, b)])
            ended.append("merged")
        except UsageError as error:
            ended.append(str(error))

    threads = [threading.Thread(target=merge_into, args=(kept,)) for kept in (a, c)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == sorted(["merged", f"customer {b} is merged into another already."])
    assert len(store.merges.of_customer(b)) == 1


def test_decisions_are_kept_by_pair_whichever_is_named_first(store: Store) -> None:
    a, b = (store.customers.add(name=n).id for n in "ab")
    for said in DECISIONS:
        store.decisions.decide([(b, a)], said)
    assert [(d.a_id, d.b_id, d.decision) for d in store.decisions.all().values()] == [(a, b, "unsure")]  # fmt: skip


# --- properties -----------------------------------------------------------------------------------

PEOPLE = 5
maybe = lambda values: st.none() | st.sampled_from(values)  # noqa: E731
person = st.fixed_dictionaries(
    {
        "name": maybe(["Ann", "Anna"]),
        "region": maybe(["north", "south"]),
        "segment": maybe(["home", "office"]),
        "born_on": maybe([date(1961, 3, 4), date(1987, 11, 25)]),
        "spend": maybe([Money(1, "USD"), Money(250, "USD")]),
        "may_call": st.none() | st.booleans(),
        "blocked": st.none() | st.booleans(),
        "lines": st.integers(0, 2),
    }
)


def fill(store: Store, people: list[dict[str, Any]]) -> list[int]:
    """The people with their records, contact points and interactions, in an emptied store."""
    with store.engine.begin() as connection:
        for table in reversed(store.metadata.sorted_tables):
            if table.name not in ("declaration", "migration_done", "writer"):
                connection.execute(table.delete())
    ids = []
    for n, one in enumerate(people):
        own = {k: v for k, v in one.items() if k in ("name", "region")}
        shop = {k: v for k, v in one.items() if k not in ("name", "region", "lines") and v is not None}  # fmt: skip
        made = store.customers.add(
            **own, refs=[CustomerRef("crm", str(n))], fields={"shop": shop} if shop else None,
            contact_points=[ContactPoint("phone", f"12345{n % 2}")],
        )  # fmt: skip
        ids.append(made.id)
        for k in range(one["lines"]):
            store.records.set("shop.line", source="s", ref=f"{n}-{k}", owner_id=made.id, values={"active": True})  # fmt: skip
            store.interactions.log(
                NewInteraction(
                    kind="shop.bill", customer_id=made.id, occurred_at=AT, payload={"amount": "5"}
                )
            )
    return ids


def merge_all(store: Store, pairs: list[tuple[int, int]], every: bool) -> list[Any]:
    conflicts = store.merges.conflicts(pairs) if every else []
    return store.merges.merge(pairs, conflicts)


common = settings(
    max_examples=15, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@common
@given(
    people=st.lists(person, min_size=PEOPLE, max_size=PEOPLE),
    into=st.lists(st.integers(0, 1), min_size=3, max_size=3),
    outer=st.booleans(),
    every=st.booleans(),
)
def test_unmerge_of_a_merge_is_identity(
    merging: Store, people: list[Any], into: list[int], outer: bool, every: bool
) -> None:
    """Stars and chains of merges, in which plugins choose the merged value or never do."""
    ids = fill(merging, people)
    before = state(merging)
    made = merge_all(merging, [(ids[k], ids[n]) for n, k in enumerate(into, start=2)], every)
    made += merge_all(merging, [(ids[0], ids[1])], every) if outer else []
    merging.merges.unmerge(made)
    assert state(merging) == before


@common
@given(
    people=st.lists(person, min_size=PEOPLE, max_size=PEOPLE),
    gone=st.sets(st.integers(1, PEOPLE - 1), min_size=1),
)
def test_taking_some_back_leaves_what_merging_the_others_gives(
    merging: Store, people: list[Any], gone: set[int]
) -> None:
    ids = fill(merging, people)
    others = [(ids[0], ids[n]) for n in range(1, PEOPLE) if n not in gone]
    made = merging.merges.merge(others)
    wanted = state(merging)
    merging.merges.unmerge(made)
    made = merging.merges.merge([(ids[0], i) for i in ids[1:]])
    merging.merges.unmerge([m for n, m in enumerate(made, start=1) if n in gone])
    assert state(merging) == wanted
