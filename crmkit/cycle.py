"""The daily run: from the store's new rows to what people find in the morning, resumable.

Steps that are done for an as-of are written down one by one under ``runs/``, so the same command
after a kill goes on at the step that was under way. Every step may be repeated: a snapshot takes
what is new, a stage that stands is no move, a score that was run for the date stays, a rule fires on
the same subjects again, and a firing is served once.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from .entities.asof import AsOf
from .errors import (
    Busy,
    ConfigError,
    CrmkitError,
    NotFound,
    PluginError,
    SqlRefused,
    StorageError,
)
from .progress import within

if TYPE_CHECKING:
    from .workspace import Crm

FILE, LOCK = "cycle.json", "cycle.lock"
# For so long an unfinished run without a stated as-of goes on with its own. After a day its morning
# is over, and a new one is due.
RESUME = timedelta(hours=24)

DONE, FAULTY, BEFORE, PLANNED, LEFT_OUT, NOTHING = (
    "done", "faulty", "done before", "planned", "left out", "nothing to do",
)  # fmt: skip
FINISHED = (DONE, NOTHING)
# What one plugin's fault raises; a full disk or a busy database concerns every step and ends the run.
_OF_PLUGINS = (PluginError, ConfigError, SqlRefused)


@frozen(kw_only=True)
class Step:
    """What came of one step.

    Attributes:
        name: one of the steps.
        status: ``done``; ``faulty`` (the rest of it was done, and it is repeated next time);
            ``done before``; ``planned`` (of a dry run); ``left out``; ``nothing to do``.
        seconds: how long it took.
        counts: what it did, by word.
        faults: one sentence each, naming the plugin.
        remarks: what the reader should know, as why a score was not trained; one sentence each.
    """

    name: str
    status: str
    seconds: float = 0.0
    counts: Mapping[str, int] = field(factory=dict, hash=False)
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@frozen
class Made:
    """What a step did: counts by word, faults and remarks; see :class:`Step`."""

    counts: Mapping[str, int]
    faults: Sequence[str] = ()
    remarks: Sequence[str] = ()


class Cycle:
    """Runs the steps on an open workspace."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._steps: dict[str, Callable[[AsOf], Made]] = {
            "snapshot": self._snapshot,
            "upkeep": self._upkeep,
            "features": self._features,
            "lifecycle": self._lifecycle,
            "scores": self._scores,
            "segments": self._segments,
            "rules": self._rules,
            "actions": self._actions,
            "reports": self._reports,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The steps in their order."""
        return tuple(self._steps)

    def run(
        self, as_of: AsOf | None = None, *, only: Collection[str] = (), skip: Collection[str] = (),
        dry_run: bool = False, again: bool = False, told: Callable[[Step], None] | None = None,
    ) -> tuple[AsOf, tuple[Step, ...]]:  # fmt: skip
        """Runs the steps that are not done yet for the as-of.

        Args:
            as_of: what may be seen; None is that of an unfinished run of the last day, else now.
            only: these steps; empty is all. skip: not these.
            dry_run: True says what would be done.
            again: True repeats steps that are done.
            told: is told of each step as soon as it has ended.

        Returns:
            The as-of, and every step in order.

        Raises:
            NotFound: for a step that does not exist.
            Busy: if another cycle runs in this workspace, or the database is busy.
            StorageError: if something cannot be written; the same call goes on where it stopped.
            SchemaOutdated: if the database must be upgraded first; no step has begun then.
        """
        for name in (*only, *skip):
            if name not in self._steps:
                raise NotFound("step", name, self._steps)
        _ = self._crm.store  # outdated tables would stop every step with the same words
        with _alone(self._crm.settings.runs):
            state = _State.read(self._crm.settings.runs / FILE)
            at, done = self._where(as_of, state, again)
            state = _State(as_of=at, started=state.started if done and state else self._crm.clock(), done=done)  # fmt: skip
            steps = []
            for name in self._steps:
                step = self._step(name, at, state, only, skip, dry_run)
                steps.append(step)
                if step.status in FINISHED and not dry_run:
                    state.done.append(name)
                    state.write(self._crm.settings.runs / FILE)
                if told is not None:
                    told(step)
        return at, tuple(steps)

    def _where(
        self, as_of: AsOf | None, state: _State | None, again: bool
    ) -> tuple[AsOf, list[str]]:
        """The as-of of this run, and the steps that are done for it."""
        if as_of is None:
            now = self._crm.clock()
            unfinished = state is not None and len(state.done) < len(self._steps)
            if state is None or not unfinished or now - state.started > RESUME:
                return self._crm.as_of(None), []
            as_of = state.as_of
        same = state is not None and state.as_of == as_of and not again
        return as_of, list(state.done) if same and state is not None else []

    def _step(
        self, name: str, at: AsOf, state: _State, only: Collection[str], skip: Collection[str],
        dry_run: bool,
    ) -> Step:  # fmt: skip
        if (only and name not in only) or name in skip:
            return Step(name=name, status=LEFT_OUT)
        if name in state.done:
            return Step(name=name, status=BEFORE)
        if dry_run:
            return Step(name=name, status=PLANNED)
        started = time.perf_counter()
        try:
            with within(name):
                made = self._steps[name](at)
        except _OF_PLUGINS as error:
            made = Made({}, [str(error)])
        return Step(
            name=name,
            status=FAULTY if made.faults else DONE if made.counts else NOTHING,
            seconds=time.perf_counter() - started,
            counts=made.counts,
            faults=tuple(made.faults),
            remarks=tuple(made.remarks),
        )

    # --- the steps --------------------------------------------------------------------------------

    def _snapshot(self, as_of: AsOf) -> Made:
        made = self._crm.warehouse.refresh()
        return Made({"transactions": made.added, "rows": sum(made.tables.values())})

    def _upkeep(self, as_of: AsOf) -> Made:
        """Runs the plugins' daily commands, by name, and takes what they wrote into the warehouse."""
        counts = {"commands": 0, "transactions": 0}
        faults = []
        daily = [one for one in self._crm.catalog.commands.values() if one.daily]
        for command in sorted(daily, key=lambda one: one.name):
            try:
                self._crm.run(command.name, **({"as_of": as_of} if command.as_of else {}))
            except (Busy, StorageError):
                raise
            except CrmkitError as error:
                plugin = self._crm.catalog.owner(command.name)
                faults.append(f"plugin {plugin}, command {command.name}: {error.message}")
                continue
            counts["commands"] += 1
            # The next command may rest on what this one wrote.
            counts["transactions"] += self._crm.warehouse.refresh().added
        return Made(counts if daily else {}, faults)

    def _features(self, as_of: AsOf) -> Made:
        """Computes every feature once, so that a broken one is named before anything rests on it.

        Features that look at everyone are kept for runs of one customer (design D6).
        """
        from .analysis.rule_states import RuleStates
        from .declarations import Scope, sql_name
        from .warehouse.population import Population

        states = RuleStates(self._crm.settings.runs)
        counts = {"features": 0, "values": 0}
        faults = []
        for found in self._crm.catalog.feature_sets.values():
            names = [one.name for one in found.features]
            try:
                table = self._crm.features.build(found.subject, names, Population.at(as_of))
            except _OF_PLUGINS as error:
                faults.append(str(error))
                continue
            if found.scope is Scope.POPULATION:
                for column in map(sql_name, names):
                    states.keep_everyone(column, table.select(["subject_id", column]), as_of)
            counts["features"] += len(names)
            counts["values"] += table.num_rows * len(names)
        return Made(counts, faults)

    def _lifecycle(self, as_of: AsOf) -> Made:
        found = self._crm.lifecycles.propose(as_of, True)
        words = ("moves", "unchanged", "impossible", "vetoed", "later")
        return Made({w: sum(count[w] for count in found.counts) for w in words}, list(found.faults))

    def _scores(self, as_of: AsOf) -> Made:
        counts = {"scores": 0, "without_model": 0}
        faults: list[str] = []
        remarks: list[str] = []
        for name in self._crm.catalog.scores:
            try:
                remark = self._crm.scores.ready(name, as_of)
            except _OF_PLUGINS as error:
                faults.append(str(error))
                continue
            missing = remark is not None and "has no model" in remark
            counts["without_model" if missing else "scores"] += 1
            remarks += [remark] if remark else []
            faults += self._crm.serve_scores(name, as_of)
        return Made(counts if self._crm.catalog.scores else {}, faults, remarks)

    def _segments(self, as_of: AsOf) -> Made:
        counts = {"segments": 0, "members": 0}
        faults = []
        for name in self._crm.catalog.segments:
            try:
                run = self._crm.segments.run(name, as_of)
            except _OF_PLUGINS as error:
                faults.append(str(error))
                continue
            counts["segments"] += 1
            counts["members"] += run.table.num_rows
        return Made(counts if self._crm.catalog.segments else {}, faults)

    def _rules(self, as_of: AsOf) -> Made:
        run = self._crm.rules.run(as_of, changed=True)
        faults = [
            f"plugin {self._crm.catalog.owner(name)}, rule {name}: {why}"
            for name, why in run.faults.items()
        ]
        if not self._crm.catalog.rules:
            return Made({})
        words = ("fired", "cooling")
        return Made(
            {"rules": len(run.counts), **{w: sum(c[w] for c in run.counts) for w in words}}, faults
        )

    def _actions(self, as_of: AsOf) -> Made:
        if not self._crm.catalog.rules:
            return Made({})
        found = self._crm.firings.serve(as_of)
        return Made(
            {"offered": found.offered, "served": sum(found.served.values())}, list(found.faults)
        )

    def _reports(self, as_of: AsOf) -> Made:
        names = self._crm.settings.cycle_reports
        if not names:
            return Made({})
        for left in self._crm.settings.reports.glob(".publishing-*"):
            shutil.rmtree(left, ignore_errors=True)  # of a cycle that was killed here
        made = self._crm.publish_reports(self._crm.settings.reports, names, as_of)
        faults = [f"report {name}: {why}" for name, why in made.faults.items()]
        return Made({"reports": len(made.entries)}, faults)


@frozen
class _State:
    """How far the cycle of an as-of is."""

    as_of: AsOf
    started: datetime
    done: list[str] = field(factory=list, hash=False)

    @classmethod
    def read(cls, path: Path) -> _State | None:
        """The last cycle, or None where there is none that can be read."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            as_of = AsOf(datetime.fromisoformat(raw["as_of"]), date.fromisoformat(raw["on"]))
            return cls(as_of, datetime.fromisoformat(raw["started"]), list(raw["done"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # every step may be repeated, so an unreadable state costs only time

    def write(self, path: Path) -> None:
        raw = {
            "as_of": self.as_of.instant.isoformat(), "on": self.as_of.on.isoformat(),
            "started": self.started.isoformat(), "done": self.done,
        }  # fmt: skip
        draft = path.with_suffix(".draft")
        try:
            with draft.open("w", encoding="utf-8") as out:
                json.dump(raw, out)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(path)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the workspace's cycle; the system lets go when the process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                "another cycle runs in this workspace.", hint="Wait for it to end."
            ) from None
        yield
    finally:
        os.close(handle)


def has_faults(steps: Sequence[Step]) -> bool:
    """Whether any step was faulty."""
    return any(step.status == FAULTY for step in steps)
