"""The daily run: every step once an as-of, on after a fault or a kill, one at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest

from crmkit.cycle import Cycle, Made, Step
from crmkit.declarations import Answer, Command
from crmkit.entities.asof import AsOf
from crmkit.errors import Busy, NotFound, PluginError, StorageError, UsageError
from crmkit.store.interactions import NewInteraction
from crmkit.testing.clock import SettableClock
from crmkit.warehouse.population import Population
from crmkit.workspace import Crm, init_workspace

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
STEPS = (
    "snapshot", "upkeep", "features", "lifecycle", "scores", "segments", "rules", "actions",
    "reports",
)  # fmt: skip


@pytest.fixture
def clock() -> SettableClock:
    found = SettableClock()
    found.set(NOW)
    return found


@pytest.fixture
def crm(tmp_path: Path, clock: SettableClock) -> Iterator[Crm]:
    """A workspace with two customers, one of whom has called, and one report to publish."""
    clock.set(NOW - timedelta(days=3))
    made = init_workspace(tmp_path / "shop", clock=clock, cycle_reports=("core.funnel",))
    with made.store.begin("test") as tx:
        ids = [made.store.customers.add(tx=tx).id for _ in range(2)]
    made.store.interactions.log(
        NewInteraction(kind="core.call", customer_id=ids[0], occurred_at=NOW - timedelta(days=2))
    )
    clock.set(NOW)
    yield made
    made.close()


def test_a_score_that_was_not_trained_says_why(crm: Crm) -> None:
    why = "score t.leave has no model, so what rests on it is empty: of 2 rows 0 had the outcome"
    stand_in = SimpleNamespace(
        settings=crm.settings,
        clock=crm.clock,
        store=crm.store,
        catalog=SimpleNamespace(scores={"t.leave": None}),
        scores=SimpleNamespace(ready=lambda name, as_of: why),
        serve_scores=lambda name, as_of: [],
    )
    _, steps = Cycle(cast(Crm, stand_in)).run(crm.as_of(None), only=["scores"])
    (step,) = [one for one in steps if one.name == "scores"]
    assert (step.status, step.counts, step.remarks) == (
        "done", {"scores": 0, "without_model": 1}, (why,),
    )  # fmt: skip


class Quick(Cycle):
    """A cycle whose steps do nothing but what a test says."""

    def __init__(self, crm: Crm, **does: Any) -> None:
        super().__init__(crm)
        for name in self._steps:
            self._steps[name] = does.get(name, lambda at: Made({"things": 1}))


def statuses(steps: tuple[Step, ...]) -> dict[str, str]:
    return {step.name: step.status for step in steps}


def test_a_cycle_does_every_step_and_publishes_the_reports(crm: Crm) -> None:
    (crm.settings.reports / ".publishing-killed").mkdir(parents=True)
    at, steps = Cycle(crm).run()
    assert at == crm.as_of(None)
    assert tuple(statuses(steps)) == STEPS
    assert set(statuses(steps).values()) <= {"done", "nothing to do"}
    counts = {step.name: step.counts for step in steps}
    # Both enter the first stage of the core lifecycle or go on from it.
    assert counts["lifecycle"]["moves"] == 2
    assert counts["reports"] == {"reports": 1}
    pages = {path.name for path in crm.settings.reports.iterdir()}
    assert not any(name.startswith(".") for name in pages)
    assert "index.html" in pages and any("funnel" in name for name in pages)


def test_done_steps_are_not_repeated_for_the_same_as_of_and_are_for_another(
    crm: Crm, clock: SettableClock
) -> None:
    day = crm.as_of("2026-03-30")
    Quick(crm).run(day)
    again = Quick(crm).run(day)[1]
    assert set(statuses(again).values()) == {"done before"}
    assert "done before" not in statuses(Quick(crm).run(day, again=True)[1]).values()
    assert "done before" not in statuses(Quick(crm).run(crm.as_of("2026-03-31"))[1]).values()


def test_an_unfinished_run_goes_on_with_its_own_as_of_for_a_day(
    crm: Crm, clock: SettableClock
) -> None:
    def full(at: AsOf) -> Any:
        raise StorageError("the disk is full.")

    with pytest.raises(StorageError):
        Quick(crm, rules=full).run()
    clock.set(NOW + timedelta(hours=3))
    at, steps = Quick(crm).run()
    assert at.instant == NOW
    found = statuses(steps)
    assert [found[n] for n in STEPS[:6]] == ["done before"] * 6
    assert found["rules"] == "done"
    # Finished now: the next one is of its own time.
    assert Quick(crm).run()[0].instant == NOW + timedelta(hours=3)


def test_an_unfinished_run_of_yesterday_is_not_gone_on_with(crm: Crm, clock: SettableClock) -> None:
    Quick(crm).run(only=["snapshot"])
    clock.set(NOW + timedelta(hours=25))
    at, steps = Quick(crm).run()
    assert at.instant == NOW + timedelta(hours=25)
    assert statuses(steps)["snapshot"] == "done"


def test_a_faulty_step_is_named_and_repeated_and_the_rest_goes_on(
    crm: Crm,
) -> None:
    def veto(at: AsOf) -> Any:
        raise PluginError("clinic", "before_stage_moves", "no register.")

    _, steps = Quick(crm, lifecycle=veto).run()
    found = {step.name: step for step in steps}
    assert found["lifecycle"].status == "faulty" and "clinic" in found["lifecycle"].faults[0]
    assert found["reports"].status == "done"
    mended = statuses(Quick(crm).run()[1])
    assert mended.pop("lifecycle") == "done"
    assert set(mended.values()) == {"done before"}


def test_daily_commands_run_by_name_and_the_snapshot_takes_what_they_wrote(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second sees what the first wrote, one that fails is named, and one that is not daily rests."""
    seen: list[tuple[str, Any]] = []

    def run(name: str, does: Any = None, **more: Any) -> Command:
        def called(crm: Crm, **given: Any) -> Answer:
            seen.append((name, given or None))
            if does is not None:
                does()
            return Answer()

        return Command(
            name=name, run=called, help="Count.", writes=True, daily=True,
            example=f"crmkit {name}", **more,
        )  # fmt: skip

    def fails() -> None:
        raise UsageError("the till is open.")

    commands = (
        run("till add", crm.store.customers.add), run("till bad", fails),
        run("till count", as_of=True, does=lambda: seen.append(("customers", count(crm)))),
        attrs.evolve(run("till never"), daily=False),
    )  # fmt: skip
    catalog = attrs.evolve(
        crm.catalog, commands={one.name: one for one in reversed(commands)},
        shared_owners={**crm.catalog.shared_owners, **{one.name: "till" for one in commands}},
    )  # fmt: skip
    monkeypatch.setattr(crm.host, "catalog", catalog)
    at, steps = Cycle(crm).run(only=["snapshot", "upkeep"])
    found = {step.name: step for step in steps}["upkeep"]
    assert seen == [
        ("till add", None), ("till bad", None), ("till count", {"as_of": at}), ("customers", 3),
    ]  # fmt: skip
    assert found.status == "faulty"
    assert found.faults == ("plugin till, command till bad: the till is open.",)
    assert found.counts == {"commands": 2, "transactions": 1}


def count(crm: Crm) -> int:
    """Customers in the warehouse, without a look at the store."""
    with crm.warehouse.session() as session:
        frame = session.frame(Population.at(crm.as_of("2099-12-31")), purpose="report")
        found: int = frame.query("SELECT count(*) AS n FROM customer").column("n")[0].as_py()
    return found


def test_only_skip_and_dry_run_choose_what_is_done(crm: Crm) -> None:
    planned = statuses(Quick(crm).run(skip=["reports"], dry_run=True)[1])
    assert planned.pop("reports") == "left out" and set(planned.values()) == {"planned"}
    assert not (crm.settings.runs / "cycle.json").exists()
    only = statuses(Quick(crm).run(only=["snapshot", "features"])[1])
    assert [name for name, status in only.items() if status != "left out"] == ["snapshot", "features"]  # fmt: skip
    with pytest.raises(NotFound, match=r"step 'rule'.*rules"):
        Quick(crm).run(only=["rule"])


def test_two_cycles_do_not_run_at_once(crm: Crm) -> None:
    crm.settings.runs.mkdir(exist_ok=True)
    handle = os.open(crm.settings.runs / "cycle.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(Busy, match="another cycle runs"):
        Quick(crm).run()
    os.close(handle)
    Quick(crm).run(only=["snapshot"])


def test_a_broken_state_file_means_that_nothing_is_done_yet(crm: Crm) -> None:
    day = crm.as_of("2026-03-30")
    Quick(crm).run(day)
    (crm.settings.runs / "cycle.json").write_text(json.dumps({"as_of": "soon"}))
    assert "done before" not in statuses(Quick(crm).run(day)[1]).values()
