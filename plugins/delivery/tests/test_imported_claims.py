"""Claims that another system has worked come in as they stand, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmkit.entities import CustomerRef
from crmkit.testing.clock import SettableClock

PROFILE = """
name = "old-claims"

[source]
name = "old"
format = "csv"
key = ["no"]

[[emit]]
entity = "service.case"
key = "no"
owner = {{ entity = "customer", source = "delivery", column = "who" }}
[emit.fields]
kind = {{ value = "delivery.claim" }}
{state}
opened_at = "opened"
answered_at = "decided"
closed_at = "closed"
"""


@pytest.fixture
def firm(tmp_path: Path, fresh: Any) -> Any:
    clock = SettableClock(datetime(2026, 3, 31, 12, tzinfo=UTC))
    with fresh(tmp_path / "w", clock=clock) as crm:
        crm.store.customers.add(refs=[CustomerRef("delivery", "ANN")])
        yield crm


def read(firm: Any, folder: Path, *rows: str, state: str = 'state = "state"') -> Any:
    """Imports rows ``number,opened,decided,closed,state``; days alone, at noon."""
    (folder / "p.toml").write_text(PROFILE.format(state=state))
    lines = ["no,who,opened,decided,closed,state"]
    for row in rows:
        no, *days, named = row.split(",")
        lines.append(",".join((no, "ANN", *(d and f"{d}T12:00:00Z" for d in days), named)))
    (folder / "f.csv").write_text("\n".join(lines) + "\n")
    return firm.intake.import_file(folder / "f.csv", str(folder / "p.toml"))


def clocks(firm: Any, no: str) -> dict[str, tuple[str, bool | None]]:
    found = firm.store.records.find("service.case", f"old:{no}")
    listed = firm.store.records.list("service.clock", where={"owner_id": found.id})
    return {c.values["clock"]: (c.values["state"], c.values["late"]) for c in listed}


def test_a_claim_has_the_state_and_the_clocks_of_its_source(firm: Any, tmp_path: Path) -> None:
    """Decided within 7 days of 2 March or not. A promise of 7 days ends with the seventh day after:
    one approved on 27 March is paid by the end of 3 April, one filed on 30 March decided by 6 April.
    """
    found = read(
        firm, tmp_path,
        "1,2026-03-02,2026-03-06,,paid", "2,2026-03-02,2026-03-20,,rejected",
        "3,2026-03-20,2026-03-27,,approved", "4,2026-03-30,,,investigating",
        "5,2026-03-02,2026-03-06,2026-03-08,closed",
    )  # fmt: skip
    assert (found.created, found.rejected) == (5, 0)
    states = firm.store.records.read("service.case", ("ref", "state", "is_open", "due_clock"))
    assert sorted(states) == [
        ("1", "paid", True, None), ("2", "rejected", True, None), ("3", "approved", True, "pay"),
        ("4", "investigating", True, "decide"), ("5", "closed", False, None),
    ]  # fmt: skip
    assert clocks(firm, "1")["decide"] == ("fulfilled", False)
    assert clocks(firm, "2")["decide"] == ("fulfilled", True)
    due = {row["case"]: row["due_at"] for row in firm.run("case due").rows}
    assert due == {
        "3": datetime(2026, 4, 4, tzinfo=UTC), "4": datetime(2026, 4, 7, tzinfo=UTC),
    }  # fmt: skip


def test_a_decision_whose_outcome_nothing_says_is_rejected(firm: Any, tmp_path: Path) -> None:
    """Paid, rejected or approved: the instant of the decision is the same."""
    found = read(
        firm, tmp_path, "1,2026-03-02,2026-03-06,,", "2,2026-03-02,2026-03-06,2026-03-08,",
        "3,2026-03-30,,,", state="",
    )  # fmt: skip
    assert (found.created, found.rejected) == (2, 1)
    (reject,) = firm.store.imports.rejects(found.import_id)
    assert (reject.code, reject.field) == ("E_STATE", "state")
    assert reject.message.startswith("answered_at alone does not say whether the case is")
    assert "map the field state" in reject.message
    states = firm.store.records.read("service.case", ("ref", "state", "is_open"))
    assert sorted(states) == [("2", "closed", False), ("3", "draft", True)]
