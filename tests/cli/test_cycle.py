"""``crmkit cycle``: what it prints, how it ends, and that it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit.cycle import Cycle, Made
from crmkit.errors import StorageError

Crmkit = Callable[..., Any]
STEPS = [
    "snapshot", "upkeep", "features", "lifecycle", "scores", "segments", "rules", "actions",
    "reports",
]  # fmt: skip
BEFORE = "done before"


def statuses(done: Any) -> dict[str, str]:
    return {row["step"]: row["status"] for row in done.rows}


def test_each_step_is_a_row_and_a_second_run_repeats_none(crmkit: Crmkit, shop: Path) -> None:
    crmkit("customer", "add", "Ada", "--ref", "till:7")
    day = ("cycle", "--as-of", "2099-12-31", "--format", "json")
    done = crmkit(*day)
    assert [row["step"] for row in done.rows] == STEPS
    assert set(done.rows[0]) == {"step", "status", "seconds", "counts", "faults"}
    rows = {row["step"]: row for row in done.rows}
    assert rows["lifecycle"]["counts"] == "1 moves, 0 unchanged, 0 impossible, 0 vetoed, 0 later"
    assert rows["reports"]["status"] == "nothing to do" and rows["reports"]["counts"] is None
    assert "as of 2100-01-01T00:00:00Z" in done.err and "lifecycle: done" in done.err
    assert set(statuses(crmkit(*day)).values()) == {BEFORE}
    assert BEFORE not in statuses(crmkit(*day, "--again")).values()


def test_a_dry_run_plans_and_chosen_steps_alone_run(crmkit: Crmkit, shop: Path) -> None:
    planned = statuses(crmkit("cycle", "--dry-run", "--skip", "reports, rules", "--format", "json"))
    assert [step for step, status in planned.items() if status == "planned"] == [
        step for step in STEPS if step not in ("reports", "rules")
    ]
    assert not (shop / "warehouse").exists()
    only = statuses(crmkit("cycle", "--only", "snapshot", "--format", "json"))
    assert [step for step, status in only.items() if status != "left out"] == ["snapshot"]
    assert (shop / "warehouse").exists()
    assert "there is no step 'rule'" in crmkit("cycle", "--only", "rule", code=2).err


def test_a_run_that_the_disk_stopped_goes_on_with_its_own_date(
    crmkit: Crmkit, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(cycle: Cycle, at: Any) -> Any:
        raise StorageError("the disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(Cycle, "_segments", full)
        stopped = crmkit("cycle", "--as-of", "2099-12-31", "--format", "json", code=8)
    assert stopped.out == "" and "the disk is full" in stopped.err
    again = crmkit("cycle", "--format", "json")
    assert "as of 2100-01-01T00:00:00Z" in again.err
    assert [step for step, status in statuses(again).items() if status == BEFORE] == STEPS[:5]


def test_a_plugins_fault_is_told_ends_with_7_and_is_tried_again(
    crmkit: Crmkit, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(
            Cycle, "_scores", lambda cycle, at: Made({}, ["plugin clinic: no register."])
        )
        done = crmkit("cycle", "--as-of", "2099-12-31", "--format", "json", code=7)
    assert "scores: plugin clinic: no register." in done.err
    rows = {row["step"]: row for row in done.rows}
    assert (rows["scores"]["status"], rows["scores"]["faults"]) == ("faulty", 1)
    assert rows["rules"]["faults"] == 0
    mended = statuses(crmkit("cycle", "--as-of", "2099-12-31", "--format", "json"))
    assert [step for step, status in mended.items() if status != BEFORE] == ["scores"]
