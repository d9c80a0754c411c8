"""``crmkit rule``: run in three ways, tried beforehand, versions told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmkit.entities.customer import CustomerRef
from crmkit.store.interactions import NewInteraction
from crmkit.testing.clock import SettableClock
from crmkit.workspace import init_workspace, open_workspace

Crmkit = Callable[..., Any]
RULE = "telecom.repeat-contacts"
BILLING = {"topic": "billing"}


def complain(crm: Any, who: str, *days: int) -> None:
    crm.store.interactions.log(
        [
            NewInteraction(
                kind="telecom.complaint", customer_id=crm.store.customers.find(who).id,
                occurred_at=datetime(2026, 3, day, 12, tzinfo=UTC), payload=BILLING,
            )
            for day in days
        ]
    )  # fmt: skip


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A telecom workspace: Ann has complained on 10 and 20 March, Bob on 20 March."""
    clock = SettableClock(datetime(2026, 1, 1, 12, tzinfo=UTC))
    folder = tmp_path / "lines"
    with init_workspace(folder, plugins=("telecom",), clock=clock) as crm:
        for name in ("ann", "bob"):
            crm.store.customers.add(refs=[CustomerRef("billing", name)])
        complain(crm, "ann", 10, 20)
        complain(crm, "bob", 20)
    monkeypatch.chdir(folder)
    return folder


def run(crmkit: Crmkit, *args: str, day: str = "2026-03-24") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = crmkit("rule", "run", RULE, "--as-of", day, *args, "--format", "json").rows  # fmt: skip
    return rows


def test_a_firing_says_on_whom_what_to_do_and_why(crmkit: Crmkit, lines: Path) -> None:
    (row,) = run(crmkit)
    assert (row["rule"], row["ref"]) == (RULE, "ann")
    assert (row["action"], row["target"]) == ("open_case", "second-line")
    assert row["message"].startswith("came 2 times with one topic in 30 days, name an owner")
    evidence = json.loads(row["evidence"]) if isinstance(row["evidence"], str) else row["evidence"]
    assert evidence["telecom_repeat_contacts_30d"] == 2


def test_a_dry_run_shows_the_same_and_keeps_nothing(crmkit: Crmkit, lines: Path) -> None:
    shown = run(crmkit, "--dry-run")
    assert not (lines / "runs").exists() or not list((lines / "runs").glob("*repeat*/*.parquet"))
    with open_workspace(lines) as crm:
        assert crm.store.outcomes.list(RULE) == []
    assert run(crmkit) == shown
    with open_workspace(lines) as crm:
        assert [o.reasons[0] for o in crm.store.outcomes.list(RULE)] == [shown[0]["message"]]


def test_a_run_for_one_customer_needs_no_snapshot_and_leaves_the_others(
    crmkit: Crmkit, lines: Path
) -> None:
    assert run(crmkit, "--customer", "bob") == []
    (row,) = run(crmkit, "--customer", "ann")
    assert row["ref"] == "ann" and not (lines / "warehouse").exists()
    assert [row["ref"] for row in run(crmkit)] == ["ann"]
    both = crmkit("rule", "run", "--customer", "ann", "--changed", code=2)
    assert "--customer and --changed exclude each other" in both.err
    assert "nobody" in crmkit("rule", "run", RULE, "--customer", "nobody", code=2).err


def test_changed_looks_again_at_whoever_has_new_data(crmkit: Crmkit, lines: Path) -> None:
    (first,) = run(crmkit, "--changed", "--counts")
    assert (first["rule"], first["looked_at"], first["why"]) == (RULE, "everyone", "it has not run before")  # fmt: skip
    assert (first["fired"], first["cooling"]) == (1, 0)
    with open_workspace(lines) as crm:
        complain(crm, "bob", 22)
    (second,) = run(crmkit, "--changed", "--counts")
    assert (second["looked_at"], second["why"], second["fired"]) == ("changed", "", 2)
    # Four days later the window has moved on for everyone, and both are within the cool-down.
    (later,) = run(crmkit, "--changed", "--counts", day="2026-03-28")
    assert later["looked_at"] == "everyone" and "counts days" in later["why"]
    assert (later["fired"], later["cooling"]) == (0, 2)


def test_versions_tell_the_texts_under_which_a_rule_has_run(crmkit: Crmkit, lines: Path) -> None:
    assert crmkit("rule", "versions", RULE, "--format", "json").rows == []
    (fired,) = run(crmkit)
    run(crmkit, day="2026-03-25")
    (row,) = crmkit("rule", "versions", RULE, "--format", "json").rows
    assert (row["version"], row["runs"]) == (fired["version"], 2)
    assert (row["first_on"], row["last_on"]) == ("2026-03-24", "2026-03-25")
    assert (row["when"], row["cooldown_days"]) == ("telecom_repeat_contacts_30d >= 2", 14)
    assert "there is no rule" in crmkit("rule", "versions", "telecom.repeat", code=2).err


def test_a_backtest_says_what_would_have_fired_and_keeps_nothing(
    crmkit: Crmkit, lines: Path
) -> None:
    """Ann's second complaint is of the 20th; the cool-down of 14 days lasts over the 31st."""
    weekly = ("rule", "backtest", RULE, "--from", "2026-03-10", "--to", "2026-03-31", "--every", "7")  # fmt: skip
    rows = crmkit(*weekly, "--by-date", "--format", "json").rows
    assert [(r["as_of_on"], r["held"], r["fired"], r["cooling"]) for r in rows] == [
        ("2026-03-10", 0, 0, 0), ("2026-03-17", 0, 0, 0), ("2026-03-24", 1, 1, 0),
        ("2026-03-31", 1, 0, 1),
    ]  # fmt: skip
    fired = crmkit(*weekly, "--firings", "--format", "json").rows
    assert [(r["ref"], r["as_of_on"]) for r in fired] == [("ann", "2026-03-24")]
    # Without a cool-down it would have fired on both days.
    groups = crmkit(*weekly, "--cooldown-days", "0", "--format", "json").rows
    assert {g["firings"] for g in groups} >= {1, 2}
    with open_workspace(lines) as crm:
        assert crm.store.outcomes.list(RULE) == []
    for wrong in (("--by-date", "--firings"), ("--when", "true", "--against", "crmkit.toml")):
        assert "exclude each other" in crmkit(*weekly, *wrong, code=2).err
    assert crmkit("rule", "backtest", RULE, "--from", "2026-03-10", code=2).out == ""
