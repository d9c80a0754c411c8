"""Imported cases have state, times and clocks as if they had been worked here, and go on being told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmkit.entities import CustomerRef

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
# One row is a case as the other system knew it at the end of a day.
PROFILE = """
name = "tickets"

[source]
name = "desk"
format = "csv"
key = ["no", "as_of"]
effective = "as_of"
last_wins = true

[[emit]]
entity = "service.case"
key = "no"
owner = {{ entity = "customer", source = "crm", column = "who" }}
[emit.fields]
kind = {{ value = "service.complaint" }}
{state}
opened_at = "opened"
answered_at = "answered"
resolved_at = "resolved"
closed_at = "closed"
"""
COLUMNS = "no,who,as_of,opened,answered,resolved,closed,state"


@pytest.fixture
def database_url(tmp_path) -> str:
    """SQLite only: clocks and moves are tried on both databases beside this file."""
    return f"sqlite:///{tmp_path / 'crmkit.db'}"


@pytest.fixture
def crm(workspace):
    workspace.store.customers.add(refs=[CustomerRef("crm", "ANN")])
    return workspace


def read(crm: Any, tmp_path: Any, *rows: str, state: str = 'state = "state"') -> Any:
    """Imports rows of COLUMNS without the customer, as ``1,2026-03-31,2026-03-30T12:00Z,,,,new``."""
    (tmp_path / "tickets.toml").write_text(PROFILE.format(state=state))
    lines = [row.replace(",", ",ANN,", 1) for row in rows]
    (tmp_path / "tickets.csv").write_text("\n".join((COLUMNS, *lines)) + "\n")
    return crm.intake.import_file(tmp_path / "tickets.csv", str(tmp_path / "tickets.toml"))


def case(crm: Any, no: str = "1") -> dict[str, Any]:
    return dict(crm.store.records.find("service.case", f"desk:{no}").values)


def clocks(crm: Any, no: str = "1") -> dict[str, tuple[str, Any, Any, Any]]:
    found = crm.store.records.find("service.case", f"desk:{no}")
    return {
        c.values["clock"]: tuple(c.values[n] for n in ("state", "started_at", "stopped_at", "late"))
        for c in crm.store.records.list("service.clock", where={"owner_id": found.id})
    }


def day(number: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, number, hour, tzinfo=UTC)


def test_an_open_case_with_a_mapped_state_is_due(crm, tmp_path) -> None:
    """Opened on Monday 30 March at noon and in progress: answered by Tuesday noon (24 hours)."""
    found = read(crm, tmp_path, "1,2026-03-30,2026-03-30T12:00:00Z,,,,in_progress")
    assert (found.created, found.rejected) == (1, 0)
    values = case(crm)
    assert (values["state"], values["is_open"], values["severity"]) == ("in_progress", True, "S3")
    assert (values["due_clock"], values["due_at"]) == ("answer", day(31))
    (due,) = crm.run("case due").rows
    assert (due["case"], due["used"]) == ("1", 1.0)
    told = clocks(crm)
    assert told["answer"] == ("running", day(30), None, None)
    assert told["acknowledge"] == ("fulfilled", day(30), day(30), False)
    assert told["resolution"][:2] == ("running", day(30))
    (stage,) = crm.store.stages.standing(crm.store.records.find("service.case", "1").id)
    assert (stage.stage, stage.since) == ("in_progress", day(30))


@pytest.mark.parametrize("state", ["closed", ""])
def test_a_closed_case_is_closed_when_its_source_says(crm, tmp_path, state) -> None:
    """Answered after 2 days, one late; resolved on 5 March, closed on 9 March."""
    row = (
        "1,2026-03-20,2026-03-02T12:00:00Z,2026-03-04T12:00:00Z,2026-03-05T12:00:00Z,"
        "2026-03-09T12:00:00Z,"
    )
    read(crm, tmp_path, f"{row}{state}")
    values = case(crm)
    assert (values["state"], values["is_open"], values["answers"]) == ("closed", False, 1)
    assert (values["due_at"], values["closed_at"]) == (None, day(9))
    told = clocks(crm)
    assert told["answer"] == ("fulfilled", day(2), day(4), True)
    # Nobody says that it was in progress, from when on its resolution would be promised.
    assert set(told) == {"acknowledge", "answer"}
    assert {found[0] for found in told.values()} == {"fulfilled"}
    assert crm.run("case due").rows == []
    (stage,) = crm.store.stages.standing(crm.store.records.find("service.case", "1").id)
    assert (stage.stage, stage.since) == ("closed", day(9))


def test_a_closed_case_without_instants_was_closed_when_its_source_knew(crm, tmp_path) -> None:
    read(crm, tmp_path, "1,2026-03-20,2026-03-02T12:00:00Z,,,,closed")
    values = case(crm)
    # The end of 20 March, exclusive, is the first instant of the next day.
    assert (values["is_open"], values["closed_at"].date().isoformat()) in (
        (False, "2026-03-20"), (False, "2026-03-21"),
    )  # fmt: skip
    assert {found[0] for found in clocks(crm).values()} == {"fulfilled"}


def test_a_waiting_case_waits(crm, tmp_path) -> None:
    read(crm, tmp_path, "1,2026-03-30,2026-03-30T12:00:00Z,,,,waiting_customer")
    values = case(crm)
    assert (values["state"], values["is_open"]) == ("waiting_customer", True)
    assert values["waiting_since"] == day(30)
    assert clocks(crm)["resolution"][0] == "paused"
    assert clocks(crm)["answer"][0] == "running"


def test_later_files_are_taken_and_move_the_case(crm, tmp_path) -> None:
    """Three months of one file read today, with a recomputation after each."""
    opened = "2026-01-05T12:00:00Z"
    for row, state in (
        (f"1,2026-01-31,{opened},,,,new", "new"),
        (f"1,2026-02-28,{opened},2026-02-02T12:00:00Z,,,answered", "answered"),
        (
            f"1,2026-03-30,{opened},2026-02-02T12:00:00Z,2026-02-10T12:00:00Z,"
            "2026-03-02T12:00:00Z,closed",
            "closed",
        ),
    ):
        found = read(crm, tmp_path, row)
        assert (found.rejected, found.created + found.updated) == (0, 1)
        assert case(crm)["state"] == state
        assert crm.run("case recompute").rows[0]["read"] == 1
        assert case(crm)["state"] == state
    assert clocks(crm)["answer"] == (
        "fulfilled", datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 2, 2, 12, tzinfo=UTC), True,
    )  # fmt: skip
    history = crm.store.stages.history(crm.store.records.find("service.case", "1").id)
    assert [(c.from_stage, c.to_stage) for c in history][-2:] == [
        ("new", "answered"), ("answered", "closed"),
    ]  # fmt: skip
    assert not case(crm)["is_open"]
    assert crm.run("case due").rows == []


def test_a_source_that_tells_no_state_moves_its_cases_by_instants(crm, tmp_path) -> None:
    opened = "2026-01-05T12:00:00Z"
    read(crm, tmp_path, f"1,2026-01-31,{opened},,,,", state="")
    assert (case(crm)["state"], case(crm)["is_open"]) == ("new", True)
    read(crm, tmp_path, f"1,2026-02-28,{opened},2026-02-02T12:00:00Z,,,", state="")
    assert case(crm)["state"] == "answered"
    # Worked here since, it is what people made of it.
    crm.run("case move", case="1", state="disputed")
    crm.run("case recompute")
    assert case(crm)["state"] == "disputed"


def test_recomputing_stamps_nothing_with_now(crm, tmp_path, crm_clock) -> None:
    read(crm, tmp_path, "1,2026-03-30,2026-03-30T12:00:00Z,,,,in_progress")
    names = ("valid_from", "is_open", "due_at")
    before = crm.store.records.read("service.case", names)
    crm_clock.set(NOON + timedelta(days=40))
    crm.run("case recompute")
    assert crm.store.records.read("service.case", names) == before
    # 24 and 48 hours, and three working days: Thursday at noon.
    assert [(row["clock"], row["due_at"]) for row in crm.run("case breaches").rows] == [
        ("answer", day(31)), ("update", NOON + timedelta(days=1)),
        ("resolution", NOON + timedelta(days=2)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ("1,2026-03-30,2026-03-30T12:00:00Z,,,,paid", "state", "'paid' is not a state of service.complaint"),
        ("1,2026-03-30,2026-03-30T12:00:00Z,,,,Closed", "state", "'Closed' is not a state of"),
    ],
)  # fmt: skip
def test_a_state_that_the_kind_does_not_know_is_rejected(crm, tmp_path, row, field, said) -> None:
    found = read(crm, tmp_path, row, "2,2026-03-30,2026-03-30T12:00:00Z,,,,new")
    assert (found.created, found.rejected) == (1, 1)
    (reject,) = crm.store.imports.rejects(found.import_id)
    assert (reject.code, reject.field) == ("E_STATE", field)
    assert said in reject.message


def test_an_import_of_cases_can_be_undone(crm, tmp_path) -> None:
    from crmkit.store.revert import revert

    found = read(crm, tmp_path, "1,2026-03-30,2026-03-30T12:00:00Z,,,,in_progress")
    revert(crm.store, found.import_id)
    for name in ("service.case", "service.clock", "service.clock_event"):
        assert crm.store.records.list(name) == []
    with crm.store.read() as connection:
        assert connection.exec_driver_sql("select count(*) from stage").scalar() == 0
