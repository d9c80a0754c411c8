"""Lifecycles: moves asked for by people, proposed by rules, and measured (L1 to L4, design D9)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ..declarations import CUSTOMER, Rule, StageMove
from ..entities.asof import AsOf
from ..entities.lifecycle import Lifecycle, StageChange
from ..errors import CrmkitError, MoveRefused, NotFound, UsageError
from ..progress import steps
from ..warehouse.population import Population
from .stage_measures import FUNNEL, stage_table
from .stage_moves import (
    MOVES,
    STANDING,
    WISHES,
    Decided,
    after,
    core_wishes,
    decide,
    first_of,
    won_back,
)  # fmt: skip
from .standings import read_proposals, read_standing

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..hosting.host import PluginHost
    from ..settings import Settings
    from ..store.store import Store, Tx
    from ..warehouse.warehouse import Warehouse
    from .features import Features

CORE = "core.customer"
# Moves a transaction: hooks are asked once a batch, and a write holds the database not for long.
BATCH = 10_000
PROPOSED = pa.schema([("lifecycle", pa.string()), ("subject_type", pa.string()), *MOVES])
VETOED = pa.schema([*PROPOSED, ("plugin", pa.string()), ("veto", pa.string())])


@frozen(kw_only=True)
class Proposed:
    """What a proposal for all subjects came to.

    Attributes:
        applied: whether the moves were made.
        moves: made or to be made: lifecycle, subject_type, subject_id, from_stage (None at first),
            to_stage, reason, rule.
        impossible: proposals that the lifecycle forbids, same columns.
        vetoed: moves that a plugin refused, with ``plugin`` and ``veto`` (its reason).
        counts: one dictionary a lifecycle: lifecycle, moves, unchanged, impossible, vetoed, later.
        faults: lifecycles whose SQL failed, one sentence each; the others were proposed.
    """

    as_of: AsOf
    applied: bool
    moves: pa.Table = field(repr=False, hash=False)
    impossible: pa.Table = field(repr=False, hash=False)
    vetoed: pa.Table = field(repr=False, hash=False)
    counts: tuple[dict[str, Any], ...] = field(default=(), hash=False)
    faults: tuple[str, ...] = ()


class Lifecycles:
    """Stages of customers and records: moves, proposals, history and measures."""

    def __init__(
        self,
        warehouse: Warehouse,
        features: Features,
        store: Store,
        catalog: Catalog,
        host: PluginHost,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._warehouse, self._features, self._store = warehouse, features, store
        self._catalog, self._host, self._settings = catalog, host, settings
        self._clock = clock

    def get(self, name: str) -> Lifecycle:
        """The lifecycle of that name.

        Raises:
            NotFound: with the near misses.
        """
        try:
            return self._catalog.lifecycles[name]
        except KeyError:
            raise NotFound("lifecycle", name, self._catalog.lifecycles) from None

    def list(self) -> tuple[Lifecycle, ...]:
        """Every lifecycle, by name."""
        return tuple(self._catalog.lifecycles.values())

    # --- one subject ------------------------------------------------------------------------------

    def advance(self, lifecycle: str, subject_id: int, to: str, reason: str = "") -> StageChange:
        """Moves one subject, as a person asks for it.

        A customer's core stage follows at once where it can.

        Args:
            lifecycle: its name.
            subject_id: id of the customer or record.
            to: name of the stage.
            reason: why, in the person's own words.

        Returns:
            The logged change.

        Raises:
            MoveRefused: if the lifecycle or a plugin forbids it, the allowed stages named; or if
                stages of this lifecycle are computed.
        """
        found = self.get(lifecycle)
        if found.mode != "moved":
            raise MoveRefused(
                f"lifecycle {lifecycle} is computed from events: its stages cannot be asked for."
            )
        current = self._store.stages.current(lifecycle, [subject_id]).get(subject_id)
        if current == to:
            raise MoveRefused(f"lifecycle {lifecycle}: it stands in {to} already.")
        found.check_move(current, to)
        move = StageMove(
            lifecycle=lifecycle, subject_type=found.subject, subject_id=subject_id,
            from_stage=current, to_stage=to, reason=reason,
        )  # fmt: skip
        for plugin, vetoes in self._host.call_veto("before_stage_moves", moves=[move]):
            for veto in vetoes:
                if veto.subject_id == subject_id:
                    raise MoveRefused(f"plugin {plugin} refuses the move to {to}: {veto.reason}.")
        change = self._store.stages.move([move])[0]
        if found.subject == CUSTOMER and lifecycle != CORE:
            self._follow(subject_id)
        return change

    def move(
        self, moves: Sequence[StageMove], *, at: datetime | None = None, tx: Tx
    ) -> tuple[StageChange, ...]:
        """Moves a batch of subjects as part of a wider write: all of them, or none.

        Args:
            moves: at most one per lifecycle and subject, from the stage in which it stands.
            at: when they happened; None is now.
            tx: the open transaction; what goes with the moves is written in it too.

        Raises:
            MoveRefused: if a lifecycle or a plugin forbids one of them, the reason named; or if a
                subject stands elsewhere by now.
        """
        for move in moves:
            self.get(move.lifecycle).check_move(move.from_stage, move.to_stage)
        for plugin, vetoes in self._host.call_veto("before_stage_moves", moves=list(moves)):
            for veto in vetoes:
                raise MoveRefused(
                    f"plugin {plugin} refuses to move {veto.subject_id}: {veto.reason}."
                )
        return tuple(self._store.stages.move(moves, at=at, tx=tx))

    def history(self, subject_id: int, lifecycle: str | None = None) -> tuple[StageChange, ...]:
        """Every move of a customer or record, in the order in which they happened."""
        return tuple(self._store.stages.history(subject_id, lifecycle=lifecycle))

    def _follow(self, customer_id: int) -> None:
        """Moves a customer's core stage to what the stages of the plugins say."""
        core = self._catalog.lifecycles.get(CORE)
        if core is None:
            return
        mapped = [
            (other, self._standing_of(other, customer_id).select(["subject_id", "stage"]))
            for other in self._mapped()
        ]
        standing = self._standing_of(core, customer_id)
        wishes = won_back(core, core_wishes(core, mapped), standing)
        decided = decide(core, wishes, standing, self._clock().replace(tzinfo=None))
        self._make(core, decided.moves, None)

    # --- everyone ---------------------------------------------------------------------------------

    def propose(
        self,
        as_of: AsOf,
        apply: bool = False,
        *,
        lifecycle: str | None = None,
        only: Mapping[str, Collection[int]] | None = None,
    ) -> Proposed:
        """Where everyone ought to stand as of a date, in one pass a lifecycle.

        Each lifecycle is asked by its own SQL and by the rules with action ``propose_stage`` that
        have fired and stand; a rule outweighs the SQL. The core stage follows from the plugins'
        stages, else from core's own SQL; a customer whom neither knows enters its first stage.

        Args:
            as_of: what may be seen; moves are dated at its last moment.
            apply: True makes the moves, in batches, asking plugins for vetoes.
            lifecycle: only this one; None is all.
            only: ids by subject type, ``customer`` or a record type; None is everyone.

        Raises:
            NotFound: if there is no such lifecycle.
            PluginError: if a plugin's veto hook raises; batches before it have been made.
        """
        chosen = [self.get(lifecycle)] if lifecycle else list(self._asked())
        if only is not None:
            chosen = [found for found in chosen if found.subject in only]
        self._warehouse.refresh_if_stale()
        at = as_of.instant - timedelta(microseconds=1)
        parts: dict[str, tuple[Decided, pa.Table]] = {}
        standings: dict[str, pa.Table] = {}
        faults: list[str] = []
        # The core stage follows from the others, so it comes last.
        ordered = sorted(chosen, key=lambda one: (one.name == CORE, one.name))
        for found in steps(ordered, lambda one: f"lifecycle {one.name}"):
            standing = read_standing(self._store, found)
            try:
                wishes = self._wishes(found, as_of, standing, standings)
            except CrmkitError as error:
                faults.append(f"lifecycle {found.name}: {error.message}")
                continue
            if only is not None:
                ids = pa.array(sorted(only[found.subject]), pa.int64())
                wishes = wishes.filter(pc.is_in(wishes.column("subject_id"), value_set=ids))
            decided = decide(found, wishes, standing, at.replace(tzinfo=None))
            vetoed = VETOED.empty_table()
            moves = decided.moves
            if apply:
                moves, vetoed = self._make(found, moves, at)
            standings[found.name] = after(standing, moves)
            parts[found.name] = (
                Decided(
                    moves=moves, impossible=decided.impossible,
                    unchanged=decided.unchanged, later=decided.later,
                ),
                vetoed,
            )  # fmt: skip
        return _proposed(as_of, apply, self._catalog.lifecycles, parts, faults)

    def _asked(self) -> Iterator[Lifecycle]:
        for found in self._catalog.lifecycles.values():
            if found.mode == "moved":
                yield found

    def _mapped(self) -> Iterator[Lifecycle]:
        """Customer lifecycles of plugins, from which the core stage follows."""
        for found in self._catalog.lifecycles.values():
            if found.subject == CUSTOMER and found.name != CORE:
                yield found

    def _wishes(
        self, found: Lifecycle, as_of: AsOf, standing: pa.Table, stood: dict[str, pa.Table]
    ) -> pa.Table:
        wishes = first_of(self._of_rules(found, as_of), self._of_sql(found, as_of))
        if found.name != CORE:
            return wishes
        for other in self._mapped():
            if other.name not in stood:
                stood[other.name] = read_standing(self._store, other).select(
                    ["subject_id", "stage"]
                )
        mapped = [(other, stood[other.name]) for other in self._mapped()]
        newcomers = self._newcomers(found, as_of, standing)
        everyone = first_of(core_wishes(found, mapped), wishes, newcomers)
        return won_back(found, everyone, standing)

    def _of_sql(self, found: Lifecycle, as_of: AsOf) -> pa.Table:
        if found.propose is None:
            return WISHES.empty_table()
        population = Population.at(as_of)
        needed = self._features.needed([found.propose])
        extra = {}
        if needed:
            extra["feature"] = self._features.build(found.subject, needed, population)
        with self._warehouse.session() as session:
            frame = session.frame(population, purpose="report", subject=found.subject, extra=extra)
            rows = frame.query(found.propose)
        missing = {"subject_id", "stage", "reason"} - set(rows.column_names)
        if missing:
            raise UsageError(f"its proposal lacks the column {', '.join(sorted(missing))}.")
        rows = rows.filter(pc.is_valid(rows.column("stage")))
        if len(pc.unique(rows.column("subject_id"))) != rows.num_rows:
            raise UsageError("its proposal has a subject twice.")
        return pa.table(
            {
                "subject_id": rows.column("subject_id"),
                "stage": rows.column("stage"),
                "reason": rows.column("reason").cast(pa.string()).fill_null(""),
                "rule": pa.repeat(pa.scalar(found.name), rows.num_rows),
            },
            schema=WISHES,
        )

    def _of_rules(self, found: Lifecycle, as_of: AsOf) -> pa.Table:
        """Firings that stand of the rules which propose a stage of this lifecycle."""
        held = [
            read_proposals(self._store, rule.name, _stage_name(rule), as_of.instant)
            for rule in self._catalog.rules.values()
            if stage_of_rule(rule, self._catalog) == (found.name, _stage_name(rule))
        ]
        return first_of(*held) if held else WISHES.empty_table()

    def _newcomers(self, found: Lifecycle, as_of: AsOf, standing: pa.Table) -> pa.Table:
        """Everyone, wished into the first stage if they have none yet."""
        with self._warehouse.session() as session:
            frame = session.frame(Population.at(as_of), purpose="report", subject=found.subject)
            everyone = frame.query("SELECT subject_id FROM population").column("subject_id")
        known = standing.column("subject_id").combine_chunks()
        new = everyone.filter(pc.invert(pc.is_in(everyone, value_set=known)))
        return pa.table(
            {
                "subject_id": new,
                "stage": pa.repeat(pa.scalar(found.initial.name), len(new)),
                "reason": pa.repeat(pa.scalar("first seen"), len(new)),
                "rule": pa.repeat(pa.scalar(found.name), len(new)),
            },
            schema=WISHES,
        )

    def _standing_of(self, found: Lifecycle, subject_id: int) -> pa.Table:
        """Where one subject stands; no row if it has no stage."""
        rows = [s for s in self._store.stages.standing(subject_id) if s.lifecycle == found.name]
        return pa.table(
            {
                "subject_id": [row.subject_id for row in rows],
                "stage": [row.stage for row in rows],
                "since": [row.since.astimezone(UTC).replace(tzinfo=None) for row in rows],
            },
            schema=STANDING,
        )

    def _make(
        self, found: Lifecycle, moves: pa.Table, at: datetime | None
    ) -> tuple[pa.Table, pa.Table]:
        """Makes the moves that no plugin vetoes; returns those made and those vetoed."""
        made, vetoed = [MOVES.empty_table()], [VETOED.empty_table()]
        for first in range(0, moves.num_rows, BATCH):
            batch = moves.slice(first, BATCH)
            refused = self._refused(found, batch)
            subjects = batch.column("subject_id")
            barred = pc.is_in(subjects, value_set=refused.column("subject_id").combine_chunks())
            kept = batch.filter(pc.invert(barred))
            if kept.num_rows:
                # Not to_pylist(): a dictionary a row would take longer than the tuple it becomes.
                rows = [*zip(*(column.to_pylist() for column in kept.columns), strict=True)]
                with self._store.begin("lifecycle propose") as tx:
                    self._store.stages.move_many(found.name, found.subject, rows, at=at, tx=tx)
            made.append(kept)
            vetoed.append(refused)
        return pa.concat_tables(made), pa.concat_tables(vetoed)

    def _refused(self, found: Lifecycle, batch: pa.Table) -> pa.Table:
        """Moves of a batch that plugins veto, with the last plugin to do so and its reason."""
        columns = (batch.column(n).to_pylist() for n in ("subject_id", "from_stage", "to_stage", "reason"))  # fmt: skip
        asked = [
            StageMove(
                lifecycle=found.name, subject_type=found.subject, subject_id=who,
                from_stage=left, to_stage=entered, reason=reason,
            )
            for who, left, entered, reason in zip(*columns, strict=True)
        ]  # fmt: skip
        vetoes = {
            veto.subject_id: {"plugin": plugin, "veto": veto.reason}
            for plugin, answer in self._host.call_veto("before_stage_moves", moves=asked)
            for veto in answer
        }
        if not vetoes:
            return VETOED.empty_table()
        named = {"lifecycle": found.name, "subject_type": found.subject}
        barred = pc.is_in(batch.column("subject_id"), value_set=pa.array(vetoes, pa.int64()))
        rows = [{**named, **row, **vetoes[row["subject_id"]]} for row in batch.filter(barred).to_pylist()]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=VETOED)

    # --- measures ---------------------------------------------------------------------------------

    def funnel(self, lifecycle: str = CORE, as_of: AsOf | None = None) -> pa.Table:
        """Who is in each stage, who ever reached it, and how long ended stays lasted.

        Whom the viewer may not learn of is not counted.

        A stage is reached by who was ever in it or in a later one that is no end; an end by who was
        ever in it. ``conversion`` is against the stage before (an end: against all who ever had a
        stage), ``median_days`` by rank over ended stays.

        Returns:
            position, stage, kind, title, customers, reached, conversion, median_days; one row a
            stage in the lifecycle's order, also where nobody ever was.
        """
        found = self.get(lifecycle)
        when = as_of or AsOf.at(self._clock(), self._settings.time_zone)
        with self._warehouse.session(shown=True) as session:
            frame = session.frame(
                Population.at(when), purpose="report", subject=found.subject,
                extra={"stage": stage_table(found)},
            )  # fmt: skip
            return frame.query(FUNNEL, {"lifecycle": found.name}).sort_by("position")


def stage_of_rule(rule: Rule, catalog: Catalog) -> tuple[str, str] | None:
    """Lifecycle and stage that a rule with action ``propose_stage`` means, or None.

    Its target is a stage name, looked for in the lifecycles of the rule's own plugin and then in
    core's, or ``<lifecycle>:<stage>``.
    """
    if rule.action != "propose_stage":
        return None
    named, _, _ = rule.target.rpartition(":")
    owner = catalog.owner(rule.name)
    order = sorted(
        catalog.lifecycles.values(), key=lambda one: (catalog.owner(one.name) != owner, one.name)
    )
    for lifecycle in order:
        ours = catalog.owner(lifecycle.name) in (owner, "core")
        fits = lifecycle.name == named if named else ours
        if fits and lifecycle.subject == rule.subject:
            if any(stage.name == _stage_name(rule) for stage in lifecycle.stages):
                return lifecycle.name, _stage_name(rule)
    return None


def _stage_name(rule: Rule) -> str:
    return rule.target.rpartition(":")[2]


def _proposed(
    as_of: AsOf, applied: bool, lifecycles: Any, parts: dict[str, tuple[Decided, pa.Table]],
    faults: Sequence[str],
) -> Proposed:  # fmt: skip
    moves, impossible, vetoed, counts = [], [], [VETOED.empty_table()], []
    for name, (decided, refused) in parts.items():
        subject = lifecycles[name].subject
        moves.append(_named(name, subject, decided.moves))
        impossible.append(_named(name, subject, decided.impossible))
        vetoed.append(refused)
        counts.append(
            {
                "lifecycle": name,
                "moves": decided.moves.num_rows,
                "unchanged": decided.unchanged,
                "impossible": decided.impossible.num_rows,
                "vetoed": refused.num_rows,
                "later": decided.later,
            }
        )
    return Proposed(
        as_of=as_of, applied=applied,
        moves=pa.concat_tables([PROPOSED.empty_table(), *moves]),
        impossible=pa.concat_tables([PROPOSED.empty_table(), *impossible]),
        vetoed=pa.concat_tables(vetoed), counts=tuple(counts), faults=tuple(faults),
    )  # fmt: skip


def _named(name: str, subject: str, moves: pa.Table) -> pa.Table:
    size = moves.num_rows
    return pa.table(
        [
            pa.repeat(pa.scalar(name), size),
            pa.repeat(pa.scalar(subject), size),
            *moves.columns,
        ],
        schema=PROPOSED,
    )
