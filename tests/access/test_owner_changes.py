"""One way to change an owner: whatever does it, it is logged, and asks whose the renewals are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from crmkit.entities import CustomerRef
from crmkit.errors import NotPermitted
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm

PROFILE = """
name = "owners"

[source]
name = "b"
format = "csv"
key = ["no"]

[[emit]]
entity = "customer"
key = "no"
fields = { name = "name", owner = "owner" }
"""
WHY = "ann has it since 2026-04-01; renewals are free for others from 2026-10-01"
FREE = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def database_url(tmp_path) -> str:
    """SQLite only: the log of owners beside this file is tried on both databases."""
    return f"sqlite:///{tmp_path / 'crmkit.db'}"


@pytest.fixture
def crm(workspace: Crm, crm_clock: SettableClock) -> Crm:
    crm_clock.set(datetime(2026, 4, 1, 12, tzinfo=UTC))
    return workspace


def add(crm: Crm, ref: str, owner: str | None = None) -> int:
    return crm.store.customers.add(refs=[CustomerRef("b", ref)], owner=owner).id


def read(crm: Crm, tmp_path: Any, *rows: str) -> Any:
    """Imports rows ``number,name,owner``."""
    (tmp_path / "profile.toml").write_text(PROFILE)
    (tmp_path / "rows.csv").write_text("\n".join(("no,name,owner", *rows)) + "\n")
    return crm.intake.import_file(tmp_path / "rows.csv", str(tmp_path / "profile.toml"))


def logged(crm: Crm, person: int) -> list[tuple[str | None, str | None, str, str, bool]]:
    found = crm.ownership.rows.assignments(customer_id=person)
    return [(a.from_agent, a.to_agent, a.rule, a.reason, a.orphaned) for a in reversed(found)]


def test_an_edit_logs_the_new_owner_and_nothing_else(crm: Crm) -> None:
    person = add(crm, "1")
    crm.store.customers.edit(person, version=1, changes={"owner": "ann", "region": "north"})
    crm.store.customers.edit(person, version=2, changes={"owner": "ann", "region": "south"})
    assert logged(crm, person) == [(None, "ann", "edit", "customer edit", True)]
    (row,) = crm.ownership.rows.assignments(customer_id=person)
    assert (row.assigned_on, row.actor, row.line) == (date(2026, 4, 1), crm.actor, "all")
    # The step can be taken back as any other.
    crm.ownership.reverse(row.batch)
    assert crm.store.customers.get(person).owner is None


def test_an_edit_asks_whose_the_renewals_are(crm: Crm, crm_clock: SettableClock) -> None:
    person = add(crm, "1", "ann")
    for owner in ("ben", None):
        with pytest.raises(NotPermitted, match=WHY) as refused:
            crm.store.customers.edit(person, version=1, changes={"owner": owner})
        assert refused.value.code == "E_RENEWAL"
    crm.store.customers.edit(person, version=1, changes={"region": "north"})
    assert logged(crm, person) == []
    crm_clock.set(FREE)
    crm.store.customers.edit(person, version=2, changes={"owner": "ben"})
    assert logged(crm, person) == [("ann", "ben", "edit", "customer edit", False)]
    crm.ownership.leave("cem")
    with pytest.raises(NotPermitted, match="cem left on 2026-10-01 and gets no customers"):
        crm.store.customers.edit(person, version=3, changes={"owner": "cem"})
    with pytest.raises(NotPermitted, match="cem left on 2026-10-01 and gets no customers"):
        add(crm, "2", "cem")


def test_owners_give_away_what_is_theirs(crm: Crm) -> None:
    person = add(crm, "1", crm.actor)
    crm.store.customers.edit(person, version=1, changes={"owner": "ben"})
    assert [row[:2] for row in logged(crm, person)] == [(crm.actor, "ben")]


def test_assigning_and_handing_over_ask_too(crm: Crm) -> None:
    first, second = add(crm, "1", "ann"), add(crm, "2", "ann")
    with pytest.raises(NotPermitted, match=WHY):
        crm.ownership.assign(first, "ben")
    with pytest.raises(NotPermitted, match=WHY) as refused:
        crm.ownership.hand_over(["ben"], from_agent="ann")
    assert refused.value.hint.startswith("1 more are protected too.")
    assert logged(crm, first) == logged(crm, second) == []
    crm.ownership.leave("ann")
    crm.ownership.hand_over(["ben"])
    assert [row[:2] for row in logged(crm, second)] == [("ann", "ben")]


def test_an_import_logs_new_owners_and_rejects_protected_ones(
    crm: Crm, crm_clock: SettableClock, tmp_path
) -> None:
    read(crm, tmp_path, "1,One,ann", "2,Two,")
    one, two = (crm.store.customers.find(f"b:{n}").id for n in (1, 2))
    # What came with its owner has never had another.
    assert logged(crm, one) == []
    found = read(crm, tmp_path, "1,One,ben", "2,Two,ben", "3,Three,ben")
    assert (found.created, found.updated, found.rejected) == (1, 1, 1)
    (reject,) = crm.store.imports.rejects(found.import_id)
    assert (reject.code, reject.field, reject.message) == ("E_RENEWAL", "owner", WHY)
    assert crm.store.customers.get(one).owner == "ann"
    assert logged(crm, two) == [(None, "ben", "import", "import of b", True)]
    crm_clock.set(FREE)
    again = read(crm, tmp_path, "1,One,ben")
    assert logged(crm, one) == [("ann", "ben", "import", "import of b", False)]
    # Undone, the owner is ann's again, and the log says so.
    from crmkit.store.revert import revert

    revert(crm.store, again.import_id)
    assert crm.store.customers.get(one).owner == "ann"
    assert logged(crm, one)[-1] == (
        "ben", "ann", "reversal", f"import {again.import_id} undone", False,
    )  # fmt: skip


def test_a_merge_and_its_undoing_log_the_owner(crm: Crm) -> None:
    kept, gone = add(crm, "1"), add(crm, "2", "ann")
    (merge,) = crm.store.merges.merge([(kept, gone)])
    assert crm.store.customers.get(kept).owner == "ann"
    assert logged(crm, kept) == [(None, "ann", "merge", "customer merge", True)]
    crm.store.merges.unmerge([merge])
    assert logged(crm, kept)[-1] == ("ann", None, "reversal", "customer unmerge", False)


def test_a_merge_takes_no_protected_customer_from_its_owner(crm: Crm) -> None:
    kept, gone = add(crm, "1", "ann"), add(crm, "2", "ben")
    (conflict,) = crm.store.merges.conflicts([(kept, gone)])
    with pytest.raises(NotPermitted, match=WHY):
        crm.store.merges.merge([(kept, gone)], [conflict])
    crm.store.merges.merge([(kept, gone)])
    assert crm.store.customers.get(gone).owner == "ann"


def test_nobody_is_protected_where_the_setting_says_so(crm: Crm) -> None:
    person = add(crm, "1", "ann")
    crm.store.protection_months = 0
    crm.store.customers.edit(person, version=1, changes={"owner": "ben"})
    assert crm.store.customers.get(person).owner == "ben"
