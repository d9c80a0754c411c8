"""``crmkit db``, ``record`` and ``interaction`` as a person runs them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.cli.main import main

Run = Callable[..., "Result"]


class Result:
    """What one command gave: exit code, stdout and stderr."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.out)
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A telecom workspace with one customer, ``billing:17``."""
    folder = tmp_path / "shop"
    with crmkit.init(folder, plugins=("telecom",), time_zone="Asia/Shanghai") as crm:
        from crmkit.entities import CustomerRef

        crm.store.customers.add(name="Ann", refs=[CustomerRef("billing", "17")])
    return folder


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_one(*args: str) -> Result:
        capsys.readouterr()
        code = main(["-w", str(folder), *args])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run_one


def forget_a_table(folder: Path) -> None:
    """Makes the database look as if the plugin's plan had been declared after the last upgrade."""
    with sqlite3.connect(folder / "crmkit.db") as database:
        database.execute("DELETE FROM declaration WHERE entity = 'telecom.plan'")
        for table in ("telecom_plan", "telecom_plan_history"):
            database.execute(f"DROP TABLE {table}")
    database.close()


def test_status_counts_what_is_due_and_upgrade_does_it(run: Run, folder: Path) -> None:
    rows = {row["plugin"]: row for row in run("db", "status", "--format", "json").rows}
    assert rows["telecom"]["pending_statements"] == 0
    forget_a_table(folder)
    status = run("db", "status", "--format", "json")
    due = {row["plugin"]: row["pending_statements"] for row in status.rows}["telecom"]
    assert due > 0 and f"{due} statements are due" in status.err
    refused = run("record", "list", "telecom.plan")
    assert refused.code == 5 and "Run: crmkit db upgrade" in refused.err
    dry = run("db", "upgrade", "--dry-run")
    assert (dry.code, dry.out) == (0, "")
    assert f"{due} statements are due (create index: " in dry.err
    sql = run("db", "upgrade", "--dry-run", "--sql")
    assert sql.code == 0 and sql.out.count(";\n") == due
    assert sql.out.startswith("CREATE TABLE telecom_plan (")
    assert run("db", "status").err == status.err
    done = run("db", "upgrade")
    assert (done.code, done.out) == (0, "")
    assert done.err == dry.err.replace("are due", "run")
    assert run("record", "list", "telecom.plan", "--format", "json").rows == []


def test_a_record_is_made_changed_and_shown_as_it_was(run: Run) -> None:
    made = run(
        "record", "set", "telecom.plan", "P1", "--set", "monthly_fee=19.99", "--format", "json"
    )
    assert (made.rows[0]["monthly_fee"], made.rows[0]["version"]) == ("19.99", 1)
    assert made.rows[0]["plan_name"] is None
    changed = run("record", "set", "telecom.plan", "P1", "--set", "plan_name=Basic")
    assert changed.code == 0
    history = run("record", "show", "telecom.plan", "P1", "--history", "--format", "json").rows
    assert [(r["version"], r["plan_name"]) for r in history] == [(1, None), (2, "Basic")]
    early = run("record", "show", "telecom.plan", "P1", "--as-of", "2020-01-01")
    assert early.code == 2 and "not known yet before 2020-01-01T16:00:00Z" in early.err
    listed = run("record", "list", "telecom.plan", "--where", "plan_name=Basic", "--format", "json")
    assert [row["ref"] for row in listed.rows] == ["P1"]


def test_a_stale_or_wrong_record_is_refused_with_its_exit_code(run: Run) -> None:
    run("record", "set", "telecom.plan", "P1", "--set", "plan_name=A")
    stale = run("record", "set", "telecom.plan", "P1", "--set", "plan_name=B", "--version", "7")
    assert stale.code == 1 and "version 7 was read, 1 is stored" in stale.err
    wrong = run("record", "set", "telecom.plan", "P1", "--set", "monthly_fee=cheap")
    assert wrong.code == 2 and "field 'monthly_fee': 'cheap' is not a decimal amount" in wrong.err
    unknown = run("record", "list", "telecom.plann")
    assert unknown.code == 2 and "Did you mean telecom.plan" in unknown.err


def test_a_records_owner_is_shown_by_its_key(run: Run) -> None:
    made = run("record", "set", "telecom.subscription", "S1", "--owner", "17", "--format", "json")
    assert made.rows[0]["owner"] == "17"
    listed = run("record", "list", "telecom.subscription", "--customer", "billing:17")
    assert "S1" in listed.out
    assert run("record", "list", "telecom.subscription", "--customer", "18").code == 2


def test_an_interaction_is_logged_in_local_time_and_listed(run: Run) -> None:
    args = ("telecom.bill", "--at", "2026-03-31T08:00", "--amount", "12.50", "--ref", "B1")
    logged = run(
        "interaction", "log", "17", *args, "--set", "due_on=2026-04-15", "--format", "json"
    )
    (row,) = logged.rows
    # Eight in the morning in Shanghai is midnight UTC.
    assert row["occurred_at"] == "2026-03-31T00:00:00Z"
    assert (row["amount"], row["currency"], row["due_on"]) == ("12.50", "USD", "2026-04-15")
    assert isinstance(row["id"], str)
    again = run("interaction", "log", "17", *args, "--set", "due_on=2026-04-15", "--format", "json")
    assert again.rows == [row]
    listed = run("interaction", "list", "17", "--format", "json").rows
    assert [r["ref"] for r in listed] == ["B1"]
    assert json.loads(listed[0]["payload"]) == {"due_on": "2026-04-15"}
    before = run("interaction", "list", "17", "--as-of", "2026-03-30", "--format", "json")
    assert before.rows == []


@pytest.mark.parametrize(
    ("at", "words"),
    [("2026-03-29T02:30", "did not exist"), ("2026-10-25T02:30", "came twice")],
)
def test_a_wall_clock_time_that_a_clock_change_spoils_is_refused(
    run: Run, folder: Path, at: str, words: str
) -> None:
    """Berlin sets its clocks forward on 2026-03-29 and back on 2026-10-25."""
    settings = folder / "crmkit.toml"
    text = settings.read_text(encoding="utf-8").replace("Asia/Shanghai", "Europe/Berlin")
    settings.write_text(text, encoding="utf-8")
    refused = run("interaction", "log", "17", "telecom.bill", "--at", at)
    assert refused.code == 2
    assert f"{words} in Europe/Berlin" in refused.err
    assert run("interaction", "log", "17", "telecom.bill", "--at", f"{at}+02:00").code == 0


def test_a_wrong_interaction_is_refused(run: Run) -> None:
    assert "Did you mean telecom.bill" in run("interaction", "log", "17", "telecom.bil").err
    assert (
        "--amount: 'x' is not a decimal"
        in run("interaction", "log", "17", "telecom.bill", "--amount", "x").err
    )
    assert "nor an instant" in run("interaction", "log", "17", "telecom.bill", "--at", "soon").err
    assert run("interaction", "list", "18").code == 2


def _plans(run: Run) -> dict[str, str]:
    rows = run("record", "list", "telecom.plan", "--format", "json").rows
    return {row["ref"]: row["monthly_fee"] for row in rows}


@pytest.fixture
def plans(run: Run) -> Run:
    """Three plans: P1 and P2 of one name, P3 of another."""
    for ref, name in (("P1", "Basic"), ("P2", "Basic"), ("P3", "Plus")):
        made = run("record", "set", "telecom.plan", ref, "--source", "crm", "--set",
                   f"plan_name={name}", "--set", "monthly_fee=10.00", "--set",
                   "payment_model=postpaid")  # fmt: skip
        assert made.code == 0, made.err
    return run


def test_many_records_are_changed_in_one_step_and_the_step_is_taken_back(plans: Run) -> None:
    many = ("record", "set", "telecom.plan", "--where", "plan_name=Basic", "--set",
            "monthly_fee=12.50", "--format", "json")  # fmt: skip
    tried = plans(*many, "--dry-run")
    assert tried.rows == [{"transaction": None, "matched": 2, "changed": 2}]
    assert "nothing was changed" in tried.err
    assert _plans(plans) == {"P1": "10.00", "P2": "10.00", "P3": "10.00"}
    (done,) = plans(*many).rows
    assert (done["matched"], done["changed"]) == (2, 2)
    assert _plans(plans) == {"P1": "12.50", "P2": "12.50", "P3": "10.00"}
    tried = plans("record", "undo", done["transaction"], "--dry-run")
    assert (tried.code, "nothing was changed" in tried.err) == (0, True)
    assert _plans(plans)["P1"] == "12.50"
    assert plans("record", "undo", done["transaction"]).code == 0
    assert _plans(plans) == {"P1": "10.00", "P2": "10.00", "P3": "10.00"}
    again = plans("record", "undo", done["transaction"])
    assert (again.code, "nothing of it is left" in again.err) == (0, True)


def test_a_step_that_somebody_has_built_on_is_not_taken_back(plans: Run) -> None:
    (done,) = plans("record", "set", "telecom.plan", "--where", "plan_name=Basic", "--set",
                    "monthly_fee=12.50", "--format", "json").rows  # fmt: skip
    plans("record", "set", "telecom.plan", "P1", "--set", "monthly_fee=13.00")
    refused = plans("record", "undo", done["transaction"])
    assert refused.code == 2
    assert "P1" in refused.err
    assert _plans(plans) == {"P1": "13.00", "P2": "12.50", "P3": "10.00"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["record", "set", "telecom.plan", "--set", "monthly_fee=1"], "give either REF or --where"),
        (["record", "set", "telecom.plan", "P1", "--where", "plan_name=Basic", "--set",
          "monthly_fee=1"], "give either REF or --where"),
        (["record", "set", "telecom.plan", "P1", "--dry-run", "--set", "monthly_fee=1"],
         "--dry-run is for a change of many"),
        (["record", "set", "telecom.plan", "--where", "plan_name=Basic", "--source", "x", "--set",
          "monthly_fee=1"], "--source, --owner and --version are of one record"),
        (["record", "undo", "seven"], "'seven' is no id of a transaction"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_of_many_is_said(run: Run, words: list[str], said: str) -> None:
    asked = run(*words)
    assert (asked.code, said in asked.err) == (2, True), asked.err


def test_the_index_is_brought_up_to_date_and_says_how_much_it_took_in(run: Run) -> None:
    first, again = run("customer", "index"), run("customer", "index")
    assert first.code == again.code == 0
    assert "transactions taken in: 0" not in first.err
    assert "transactions taken in: 0" in again.err
    assert [row["ref"] for row in run("customer", "search", "nn", "--format", "json").rows] == [
        "17"
    ]
