"""Taking an import back: the store is as it was, or nothing happens and the reason is named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crmkit.errors import NotFound, UsageError
from crmkit.store.revert import RevertRefused, revert

from .conftest import Shop

PROFILE = """
name = "crm"
[source]
name = "crm"
key = ["no"]
blank = "clear"
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
phone = "phone"
"phone.work" = "office"
[[emit]]
entity = "shop.customer"
[emit.fields]
household = "household"
[[emit]]
entity = "shop.line"
key = "{id}-{number}"
when = { column = "number", filled = true }
[emit.fields]
number = "number"
fee = { column = "fee", currency = "EUR" }
[[emit]]
entity = "shop.bill"
key = "no"
when = { column = "total", filled = true }
subject = { entity = "shop.line", join = ["id", "number"], sep = "-" }
occurred_at = "day"
amount = { column = "total", currency = "USD" }
[emit.fields]
total = "total"
"""
# One row's subject is made by the same file, so it is left out of the plain profile.
PROFILE = PROFILE.replace(
    'subject = { entity = "shop.line", join = ["id", "number"], sep = "-" }\n', ""
)
HEAD = "no,id,name,phone,office,household,number,fee,day,total\n"
FIRST = HEAD + "1,C1,Ann,+1555,,2,100,9.99,2026-02-01,12.50\n" + "2,C2,Bob,,+1777,1,,,2026-02-01,\n"
SECOND = (
    HEAD
    + "1,C1,Anna,+1556,+1333,2,100,8.99,2026-02-01,13.50\n"
    + "2,C2,Bob,,,1,,,2026-02-01,\n"
    + "3,C3,Eve,+1888,,,300,1,2026-02-02,1\n"
)
# The record of what was done stays, and ids that were drawn are not drawn again.
LOG = {"tx", "writer", "import_run", "import_reject", "declaration", "migration_done"}


def content(shop: Shop) -> dict[str, list[Any]]:
    """Every row of every table but the log."""
    with shop.store.engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(table.select()).all()))
            for name, table in shop.store.tables.items()
            if name not in LOG
        }


def test_what_an_import_created_goes(shop: Shop) -> None:
    before = content(shop)
    done = shop.load(FIRST, PROFILE)
    found = revert(shop.store, done.import_id)
    assert content(shop) == before
    assert found.removed == {
        "interaction": 1, "customer_ref": 2, "contact_point": 2, "shop.line": 1,
        "shop.customer": 2, "customer": 2,
    }  # fmt: skip
    assert found.restored == {}
    assert shop.store.imports.get(done.import_id).status == "reverted"


def test_what_an_import_changed_is_as_it_was(shop: Shop) -> None:
    shop.load(FIRST, PROFILE)
    before = content(shop)
    second = shop.load(SECOND, PROFILE)
    assert (second.created, second.updated) == (1, 2)
    assert content(shop) != before
    found = revert(shop.store, second.import_id)
    assert content(shop) == before
    # Ann's name and Bob's phone; Ann's line; her phone and the one that Bob had.
    assert found.restored == {"customer": 2, "shop.line": 1, "contact_point": 2}


def test_a_second_time_does_nothing(shop: Shop) -> None:
    done = shop.load(FIRST, PROFILE)
    revert(shop.store, done.import_id)
    before = content(shop)
    again = revert(shop.store, done.import_id)
    assert again.already
    assert (again.removed, again.restored) == ({}, {})
    assert content(shop) == before


def test_a_dry_run_counts_the_same_and_keeps_all(shop: Shop) -> None:
    done = shop.load(FIRST, PROFILE)
    before = content(shop)
    planned = revert(shop.store, done.import_id, dry_run=True)
    assert content(shop) == before
    assert planned.removed == revert(shop.store, done.import_id).removed


def test_the_file_can_be_imported_again(shop: Shop) -> None:
    revert(shop.store, shop.load(FIRST, PROFILE).import_id)
    again = shop.load(FIRST, PROFILE)
    assert (again.created, again.resumed_at) == (2, None)


def test_imports_are_taken_back_last_first(shop: Shop) -> None:
    before = content(shop)
    first = shop.load(FIRST, PROFILE)
    second = shop.load(SECOND, PROFILE)
    with pytest.raises(RevertRefused, match="customer changed since"):
        revert(shop.store, first.import_id)
    revert(shop.store, second.import_id)
    revert(shop.store, first.import_id)
    assert content(shop) == before


def test_a_later_edit_is_named_and_not_lost(shop: Shop) -> None:
    done = shop.load(FIRST, PROFILE)
    ann = shop.store.customers.find("crm:C1")
    shop.store.customers.edit(ann.id, version=ann.version, changes={"name": "Ann B."})
    before = content(shop)
    with pytest.raises(RevertRefused) as refused:
        revert(shop.store, done.import_id)
    assert content(shop) == before
    assert refused.value.code == "E_REVERT"
    assert refused.value.count == 1
    assert refused.value.later[0].startswith(f"customer changed since: {ann.id} (by tester, ")
    assert shop.store.imports.get(done.import_id).status == "done"


def test_what_was_added_later_is_named_and_not_lost(shop: Shop) -> None:
    done = shop.load(FIRST, PROFILE)
    ann, bob = (shop.store.customers.find(f"crm:{n}") for n in ("C1", "C2"))
    shop.store.relations.add(ann.id, bob.id, "spouse")
    with pytest.raises(RevertRefused, match="relation added since: ") as refused:
        revert(shop.store, done.import_id)
    # Each of its two ends would be lost.
    assert refused.value.count == 2


def test_the_window_closes(shop: Shop) -> None:
    done = shop.load(FIRST, PROFILE)
    shop.clock.now += timedelta(days=31)
    with pytest.raises(UsageError, match="more than 30 days ago") as refused:
        revert(shop.store, done.import_id)
    assert refused.value.code == "E_REVERT_WINDOW"
    assert revert(shop.store, done.import_id, window_days=32).removed["customer"] == 2


def test_an_unknown_import_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no import '5'"):
        revert(shop.store, 5)


CELL = st.sampled_from(["", "a", "b"])
ROW = st.tuples(
    st.sampled_from(["C1", "C2", "C3"]), CELL, CELL, CELL, st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "10", "20"]), st.sampled_from(["", "1", "2.5"]),
    st.sampled_from(["", "1", "2"]),
)  # fmt: skip
FILE = st.lists(ROW, min_size=1, max_size=5)


def text(rows: list[tuple[str, ...]]) -> str:
    lines = []
    for number, (ref, name, phone, office, household, line, fee, total) in enumerate(rows):
        cells = (str(number), ref, name, phone, office, household, line, fee, "2026-02-01", total)
        lines.append(",".join(cells))
    return HEAD + "\n".join(lines) + "\n"


@settings(
    max_examples=12,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(files=st.lists(FILE, min_size=1, max_size=3), wins=st.booleans())
def test_import_and_revert_leave_what_was_there(
    shop: Shop, files: list[list[tuple[str, ...]]], wins: bool
) -> None:
    """Whatever is imported over whatever: each revert gives the state before its import."""
    profile = PROFILE.replace(
        'name = "crm"\nkey', f'name = "crm"\nlast_wins = {str(wins).lower()}\nkey'
    )
    states, runs = [content(shop)], []
    for rows in files:
        runs.append(shop.load(text(rows), profile).import_id)
        states.append(content(shop))
    for run in reversed(runs):
        assert content(shop) == states.pop()
        revert(shop.store, run)
    assert content(shop) == states.pop()
