"""What rules and reports see of documents and assignments; figures are worked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from crmkit.declarations import StageMove
from crmkit.testing.clock import SettableClock
from crmkit.warehouse.population import Population
from crmkit.workspace import Crm


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def test_days_to_the_next_expiry_are_a_feature(
    workspace: Crm, crm_clock: SettableClock, tmp_path: Path
) -> None:
    """On 20 January: 11 days to the 31st; the one of the 19th has expired, the removed is gone."""
    crm_clock.set(noon(2027, 1, 10))
    person = workspace.store.customers.add().id
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-1.4")
    for day in (date(2027, 1, 31), date(2027, 2, 28), date(2027, 1, 19), None):
        workspace.documents.add(file, type="contract", customer_id=person, expires_on=day)
    gone = workspace.documents.add(
        file, type="offer", customer_id=person, expires_on=date(2027, 1, 18)
    )
    crm_clock.set(noon(2027, 1, 15))
    workspace.documents.remove(gone.id)
    crm_clock.set(noon(2027, 3, 5))
    workspace.warehouse.refresh()
    names = ["core.days_to_document_expiry", "core.expired_documents"]

    def on(text: str) -> tuple[int | None, int]:
        rows = workspace.features.build(
            "customer", names, Population.at(workspace.as_of(text))
        ).to_pylist()
        (row,) = rows
        return row["core_days_to_document_expiry"], row["core_expired_documents"]

    assert on("2027-01-20") == (11, 1)
    assert on("2027-01-31") == (0, 1)
    assert on("2027-02-01") == (27, 2)
    assert on("2027-03-01") == (None, 3)
    # Before it was removed, the offer of the 18th came first.
    assert on("2027-01-12") == (6, 0)
    # Many dates at once give the same.
    days = ("2027-01-12", "2027-01-20", "2027-02-01", "2027-03-01")
    points = [workspace.as_of(day) for day in days]
    at_once = Population.rows(
        pa.table({
            "subject_id": pa.array([person] * 4, pa.int64()),
            "as_of": pa.array([p.instant.replace(tzinfo=None) for p in points], pa.timestamp("us")),
            "as_of_on": pa.array([date.fromisoformat(day) for day in days]),
        })
    )  # fmt: skip
    rows = workspace.features.build("customer", names, at_once).sort_by("as_of").to_pylist()
    assert [(r["core_days_to_document_expiry"], r["core_expired_documents"]) for r in rows] == [
        (6, 0), (11, 1), (27, 2), (None, 3),
    ]  # fmt: skip


def test_names_of_files_never_reach_the_warehouse(
    workspace: Crm, crm_clock: SettableClock, tmp_path: Path
) -> None:
    file = tmp_path / "Ann Example divorce.pdf"
    file.write_bytes(b"%PDF-1.4")
    workspace.documents.add(file, type="deed", customer_id=workspace.store.customers.add().id)
    workspace.warehouse.refresh()
    kept = b"".join(p.read_bytes() for p in workspace.settings.warehouse.rglob("*.*"))
    assert b"divorce" not in kept


@pytest.fixture
def reassigned(workspace: Crm, crm_clock: SettableClock) -> Crm:
    """Six customers of ann, who leaves on 1 March 2026; ben gets three of them and cem three."""
    crm_clock.set(noon(2026, 1, 1))
    ids = [workspace.store.customers.add(owner="ann").id for _ in range(6)]
    last = workspace.store.customers.add(owner="ben").id

    def leaves(person: int, stage: str | None = None) -> None:
        workspace.store.stages.move(
            [StageMove(lifecycle="core.customer", subject_type="customer", subject_id=person,
                       from_stage=stage, to_stage="termination", reason="test")]
        )  # fmt: skip

    crm_clock.set(noon(2026, 2, 1))
    leaves(ids[5])  # gone before the assignment: not counted
    crm_clock.set(noon(2026, 3, 1))
    workspace.ownership.leave("ann")
    workspace.ownership.hand_over(["ben", "cem"])
    crm_clock.set(noon(2026, 8, 28))
    leaves(ids[0])  # ben's, 180 days after: still within
    crm_clock.set(noon(2026, 8, 29))
    leaves(ids[1])  # cem's, 181 days after: stayed
    crm_clock.set(noon(2026, 9, 10))
    workspace.ownership.assign(last, "cem")
    # One person with two records was cem's before and after: nobody was reassigned.
    pair = (workspace.store.customers.add().id, workspace.store.customers.add(owner="cem").id)
    workspace.store.merges.merge([pair])
    crm_clock.set(noon(2026, 9, 20))
    workspace.warehouse.refresh()
    return workspace


def test_how_many_orphans_stay_with_their_new_owners(reassigned: Crm) -> None:
    """ben got 3 and lost 1 within 180 days; cem got 3, of whom one had gone: 2 of 2 stayed."""
    found = reassigned.reports.run("core.reassigned-retention", {}, reassigned.as_of())
    assert found.table.to_pylist() == [
        {"month_on": date(2026, 3, 1), "why": "orphan", "to_agent": "ben", "reassigned": 3,
         "followed": 3, "stayed": 2, "retention": pytest.approx(2 / 3)},
        {"month_on": date(2026, 3, 1), "why": "orphan", "to_agent": "cem", "reassigned": 2,
         "followed": 2, "stayed": 2, "retention": 1.0},
        {"month_on": date(2026, 9, 1), "why": "transfer", "to_agent": "cem", "reassigned": 1,
         "followed": 0, "stayed": 0, "retention": None},
    ]  # fmt: skip


def test_the_report_of_an_earlier_day_does_not_know_what_came_after(reassigned: Crm) -> None:
    as_of = reassigned.as_of("2026-03-31")
    found = reassigned.reports.run("core.reassigned-retention", {"days": "30"}, as_of)
    rows = [(r["to_agent"], r["followed"], r["stayed"]) for r in found.table.to_pylist()]
    assert rows == [("ben", 3, 3), ("cem", 2, 2)]
