"""Many records changed in one step, and the step taken back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from crmkit.errors import NotFound, UsageError
from crmkit.store.revert import RevertRefused, undo
from crmkit.warehouse.population import Population
from crmkit.workspace import Crm

USE = "relation.competitor"


@pytest.fixture
def uses(workspace: Crm) -> Crm:
    """Four records of two sources: three of Acme, one of which has the new value already."""
    records = workspace.store.records
    for n, (source, competitor, product) in enumerate(
        [("crm", "Acme", "air"), ("crm", "Acme", "sea"), ("web", "Acme", None), ("crm", "Bell", "air")]
    ):  # fmt: skip
        owner = workspace.store.customers.add(name=f"C{n}").id
        records.set(
            USE, source=source, ref=f"R{n}", owner_id=owner,
            values={"competitor": competitor, "product": product, "seen_on": date(2026, 1, 1)},
        )  # fmt: skip
    return workspace


def products(crm: Crm) -> list[Any]:
    return [row[0] for row in crm.store.records.read(USE, ["product"], sort=["ref"])]


def change(crm: Crm) -> Any:
    return crm.store.records.change(USE, {"product": "sea"}, {"competitor": "Acme"})


def test_what_matches_is_changed_in_one_step_and_put_back(uses: Crm) -> None:
    done = change(uses)
    assert (done.matched, done.changed) == (3, 2)
    assert products(uses) == ["sea", "sea", "sea", "air"]
    back = undo(uses.store, done.tx_id)
    assert (back.restored, back.removed) == ({USE: 2}, {})
    assert products(uses) == ["air", "sea", None, "air"]
    # As if it had never been: the first version, and nothing in the history.
    versions = [row[0] for row in uses.store.records.read(USE, ["version"])]
    assert versions == [1, 1, 1, 1]
    again = undo(uses.store, done.tx_id)
    assert again.already
    assert products(uses) == ["air", "sea", None, "air"]


def test_a_dry_run_of_undoing_keeps_the_change(uses: Crm) -> None:
    done = change(uses)
    assert undo(uses.store, done.tx_id, dry_run=True).restored == {USE: 2}
    assert products(uses) == ["sea", "sea", "sea", "air"]


def test_later_work_is_not_lost(uses: Crm) -> None:
    """One of the records was changed since, so none goes back; undone in turn, both can."""
    done = change(uses)
    later = uses.store.records.change(USE, {"product": "rail"}, {"ref": "R0"})
    with pytest.raises(RevertRefused, match=r"relation\.competitor changed since") as refused:
        undo(uses.store, done.tx_id)
    assert refused.value.count == 1
    assert products(uses) == ["rail", "sea", "sea", "air"]
    undo(uses.store, later.tx_id)
    undo(uses.store, done.tx_id)
    assert products(uses) == ["air", "sea", None, "air"]


def test_only_recent_changes_of_records_are_undone(uses: Crm, crm_clock: Any) -> None:
    done = change(uses)
    with uses.store.begin("case open") as tx:
        other = tx.id
    with pytest.raises(UsageError, match="is of 'case open'"):
        undo(uses.store, other)
    with pytest.raises(NotFound):
        undo(uses.store, 5)
    crm_clock.set(crm_clock() + timedelta(days=31))
    with pytest.raises(UsageError, match="more than 30 days ago"):
        undo(uses.store, done.tx_id)


def test_a_change_of_everything_or_to_nothing_allowed_is_refused(uses: Crm) -> None:
    with pytest.raises(UsageError, match="says which"):
        uses.store.records.change(USE, {"product": "sea"}, {})
    with pytest.raises(NotFound):
        uses.store.records.change(USE, {"colour": "red"}, {"competitor": "Acme"})
    with pytest.raises(UsageError, match="required"):
        uses.store.records.change(USE, {"seen_on": None}, {"competitor": "Acme"})
    assert products(uses) == ["air", "sea", None, "air"]


def test_the_snapshot_follows_a_change_that_was_undone(uses: Crm) -> None:
    def seen() -> list[Any]:
        with uses.warehouse.session() as session:
            frame = session.frame(Population.at(uses.as_of("2026-12-31")))
            sql = "SELECT product FROM relation_competitor ORDER BY id"
            return list(frame.query(sql)["product"].to_pylist())

    done = change(uses)
    assert seen() == ["sea", "sea", "sea", "air"]
    undo(uses.store, done.tx_id)
    assert seen() == ["air", "sea", None, "air"]
