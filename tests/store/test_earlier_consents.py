"""What consent fields said outlives them: it is handed to the record types that take it over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from attrs import evolve

from crmkit.declarations import EarlierConsents, RecordType
from crmkit.errors import PluginError
from crmkit.store.store import Store

OpenStore = Callable[..., Store]
MakeShop = Callable[..., Any]
WORD = {
    "type": "object",
    "properties": {"field": {"type": "string"}, "said": {"type": "string"}},
}


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


CALLS = {"type": "boolean", "stricter": False}
SILENCE = {"type": "boolean", "stricter": True}
NAME = {"type": "string"}


def spans(earlier: EarlierConsents) -> Sequence[Mapping[str, Any]]:
    """A row for each field, as ``yes no ?`` from the oldest span to the newest."""
    letters = {True: "yes", False: "no", None: "?"}
    return [
        {"field": word.field, "said": " ".join(letters[value] for value, _, _ in word.spans)}
        for word in earlier.said
    ]


def with_taker(shop: Any, take: Any = spans) -> Any:
    """The catalog with a record type that takes consents over."""
    word = RecordType(name="shop.word", schema=WORD, takes_over=take)
    return evolve(shop, record_types={**shop.record_types, "shop.word": word})


def said(store: Store) -> dict[int, dict[str, str]]:
    out: dict[int, dict[str, str]] = {}
    for row in store.records.list("shop.word"):
        assert row.owner_id is not None
        out.setdefault(row.owner_id, {})[row.values["field"]] = row.values["said"]
    return out


def filled(open_store: OpenStore, make_shop: MakeShop) -> list[int]:
    """Three customers of a shop with two consent fields; their ids."""
    declared = fields(calls=CALLS, silence=SILENCE, nickname=NAME)
    store = open_store(make_shop("0.1", customer=declared))
    store.upgrade()
    ann = store.customers.add(fields={"shop": {"calls": True, "nickname": "A"}})
    store.customers.edit(ann.id, version=1, fields={"shop": {"nickname": "B"}})
    store.customers.edit(ann.id, version=2, fields={"shop": {"calls": False, "silence": True}})
    ben = store.customers.add(fields={"shop": {"silence": False}})
    store.customers.edit(ben.id, version=1, fields={"shop": {"silence": None}})
    cem = store.customers.add(fields={"shop": {"nickname": "C"}})
    return [ann.id, ben.id, cem.id]


def test_what_they_said_is_handed_over_with_its_history(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    ann, ben, _ = filled(open_store, make_shop)
    new = open_store(with_taker(make_shop("0.2", customer=fields(nickname=NAME))))
    done = new.upgrade()
    assert done.filed is not None
    assert (done.filed.customers, dict(done.filed.rows)) == (2, {"shop.word": 3})
    assert said(new) == {
        ann: {"shop.calls": "yes no", "shop.silence": "? yes"},
        ben: {"shop.silence": "no ?"},
    }
    assert new.upgrade().empty
    # Once is enough, whatever changes later.
    later = open_store(with_taker(make_shop("0.3", customer=fields(other=NAME))))
    assert later.upgrade().filed is None
    assert len(later.records.list("shop.word")) == 3


def test_without_a_record_type_that_takes_them_they_wait(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    ann, ben, _ = filled(open_store, make_shop)
    assert open_store(make_shop("0.2", customer=fields(nickname=NAME))).upgrade().filed is None
    later = open_store(with_taker(make_shop("0.3", customer=fields(nickname=NAME))))
    later.upgrade()
    assert said(later) == {
        ann: {"shop.calls": "yes no", "shop.silence": "? yes"},
        ben: {"shop.silence": "no ?"},
    }


def test_a_dry_run_says_how_many_and_files_none(open_store: OpenStore, make_shop: MakeShop) -> None:
    filled(open_store, make_shop)
    new = open_store(with_taker(make_shop("0.2", customer=fields(nickname=NAME))))
    planned = new.upgrade(dry_run=True)
    assert planned.filed is not None
    assert dict(planned.filed.rows) == {"shop.word": 3}
    done = new.upgrade()
    assert done.filed == planned.filed
    assert len(new.records.list("shop.word")) == 3


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_plugin_that_fails_there_leaves_the_database_as_it_was(
    open_store: OpenStore, make_shop: MakeShop, dry_run: bool
) -> None:
    filled(open_store, make_shop)

    def broken(earlier: EarlierConsents) -> Sequence[Mapping[str, Any]]:
        raise ValueError("no idea")

    new = open_store(with_taker(make_shop("0.2", customer=fields(nickname=NAME)), broken))
    with pytest.raises(PluginError, match=r"shop.*takes_over of shop\.word.*no idea"):
        new.upgrade(dry_run=dry_run)
    old = open_store(make_shop("0.1", customer=fields(calls=CALLS, silence=SILENCE, nickname=NAME)))
    old.check_schema()
    assert old.upgrade().empty


def test_other_fields_of_customers_are_only_retired(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    ann, _, _ = filled(open_store, make_shop)
    declared = fields(calls=CALLS, silence=SILENCE)
    new = open_store(with_taker(make_shop("0.2", customer=declared)))
    done = new.upgrade()
    assert (done.filed, dict(done.retired)) == (None, {"shop.nickname": 2})
    assert new.as_stored().customers.fields(ann)["shop"]["nickname"] == "B"


def test_what_names_people_is_forgotten_in_retired_fields_too(
    open_store: OpenStore, make_shop: MakeShop
) -> None:
    nickname = {"type": "string", "pii": "direct"}
    old = open_store(make_shop("0.1", customer=fields(nickname=nickname, calls=CALLS)))
    old.upgrade()
    ann = old.customers.add(name="Ann", fields={"shop": {"nickname": "Annie", "calls": True}})
    new = open_store(make_shop("0.2", customer=fields(calls=CALLS)))
    new.upgrade()
    new.customers.anonymise([ann.id])
    assert new.as_stored().customers.fields(ann.id)["shop"] == {"nickname": None, "calls": True}
