"""Which stage moves follow from where subjects stand and where they ought to be (L3, design D9).

Everything here works on Arrow tables of all subjects at once and decides nothing by looking at a
clock or a database. *Standing* is ``subject_id, stage, since`` (UTC without zone); a *wish* is
``subject_id, stage, reason, rule``, one row a subject; a *move* is ``subject_id, from_stage,
to_stage, reason, rule``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ..entities.lifecycle import Lifecycle

WISHES = pa.schema(
    [("subject_id", pa.int64()), ("stage", pa.string()), ("reason", pa.string()), ("rule", pa.string())]
)  # fmt: skip
STANDING = pa.schema(
    [("subject_id", pa.int64()), ("stage", pa.string()), ("since", pa.timestamp("us"))]
)
MOVES = pa.schema(
    [
        ("subject_id", pa.int64()),
        ("from_stage", pa.string()),
        ("to_stage", pa.string()),
        ("reason", pa.string()),
        ("rule", pa.string()),
    ]
)
# How far a kind of stage is, for the core stage: whoever ended one business and is only a prospect
# of another has ended; anything further outweighs an end (design D9).
DEPTH: Mapping[str, int] = {
    "prospect": 0, "termination": 1, "development": 2, "growth": 3, "maturity": 4,
}  # fmt: skip
KIND_OF_DEPTH = {depth: kind for kind, depth in DEPTH.items()}

_SAME, _MOVE, _IMPOSSIBLE, _LATER = range(4)


@frozen(kw_only=True)
class Decided:
    """What is to be done about the wishes of one lifecycle.

    Attributes:
        moves: allowed moves, in order of subject.
        impossible: wishes that the lifecycle forbids, or that name no stage of it.
        unchanged: subjects that stand already where they ought to.
        later: subjects that were moved after the date that the wishes were made for.
    """

    moves: pa.Table = field(repr=False)
    impossible: pa.Table = field(repr=False)
    unchanged: int = 0
    later: int = 0


def decide(lifecycle: Lifecycle, wishes: pa.Table, standing: pa.Table, at: datetime) -> Decided:
    """The moves that fulfil the wishes.

    A subject without a stage enters the wished one directly; any other wish must be a move that the
    lifecycle allows.

    Args:
        lifecycle: whose stages and moves count.
        wishes: one row a subject.
        standing: where subjects stand now.
        at: when the moves would happen (UTC without zone); who stands since later is left alone.
    """
    table = wishes.rename_columns(["subject_id", "to_stage", "reason", "rule"])
    now = standing.rename_columns(["subject_id", "from_stage", "since"])
    table = table.join(now, "subject_id", join_type="left outer")
    table = table.sort_by("subject_id").combine_chunks()
    verdict = _verdicts(lifecycle, table, at)
    columns = table.select(MOVES.names).cast(MOVES)
    return Decided(
        moves=columns.filter(pa.array(verdict == _MOVE)),
        impossible=columns.filter(pa.array(verdict == _IMPOSSIBLE)),
        unchanged=int((verdict == _SAME).sum()),
        later=int((verdict == _LATER).sum()),
    )


def _verdicts(lifecycle: Lifecycle, table: pa.Table, at: datetime) -> np.typing.NDArray[np.intp]:
    """One verdict a row, decided once per pair of stages."""
    if not table.num_rows:
        return np.zeros(0, dtype=np.intp)
    pairs = pc.binary_join_element_wise(
        table.column("from_stage").fill_null(""), table.column("to_stage").fill_null(""), "\n"
    )
    encoded = pairs.combine_chunks().dictionary_encode()
    by_pair = np.array([_verdict(lifecycle, pair) for pair in encoded.dictionary.to_pylist()])
    verdict = by_pair[encoded.indices.to_numpy(zero_copy_only=False)]
    late = pc.greater(table.column("since"), pa.scalar(at, pa.timestamp("us")))
    late = late.fill_null(False).to_numpy()
    return np.asarray(np.where(late & (verdict == _MOVE), _LATER, verdict), dtype=np.intp)


def _verdict(lifecycle: Lifecycle, pair: str) -> int:
    current, _, target = pair.partition("\n")
    if current == target:
        return _SAME
    known = any(stage.name == target for stage in lifecycle.stages)
    allowed = known and (not current or (current, target) in lifecycle.moves)
    return _MOVE if allowed else _IMPOSSIBLE


def after(standing: pa.Table, moves: pa.Table) -> pa.Table:
    """Where subjects stand once the moves are made: ``subject_id, stage``."""
    if not moves.num_rows:
        return standing.select(["subject_id", "stage"])
    moved = pc.is_in(
        standing.column("subject_id"), value_set=moves.column("subject_id").combine_chunks()
    )
    rest = standing.filter(pc.invert(moved)).select(["subject_id", "stage"])
    new = moves.select(["subject_id", "to_stage"]).rename_columns(["subject_id", "stage"])
    return pa.concat_tables([rest, new])


def core_wishes(core: Lifecycle, mapped: Sequence[tuple[Lifecycle, pa.Table]]) -> pa.Table:
    """The core stage that follows from the plugins' stages: the furthest, an end only if all end.

    Args:
        core: the lifecycle with one stage of each kind.
        mapped: each other customer lifecycle with ``subject_id, stage`` of its customers.

    Returns:
        Wishes for every customer who stands in any of them.
    """
    parts = [_depths(lifecycle, stood) for lifecycle, stood in mapped if stood.num_rows]
    if not parts:
        return WISHES.empty_table()
    deepest = pa.concat_tables(parts).group_by("subject_id").aggregate([("depth", "max")])
    stage_of_kind = {stage.kind: stage.name for stage in core.stages}
    names = pa.array([stage_of_kind[KIND_OF_DEPTH[d]] for d in range(len(DEPTH))])
    stages = names.take(deepest.column("depth_max").combine_chunks().cast(pa.int64()))
    return pa.table(
        {
            "subject_id": deepest.column("subject_id"),
            "stage": stages,
            "reason": pa.repeat(pa.scalar("follows from the stages of the plugins"), len(stages)),
            "rule": pa.repeat(pa.scalar(core.name), len(stages)),
        },
        schema=WISHES,
    )


def _depths(lifecycle: Lifecycle, stood: pa.Table) -> pa.Table:
    names = pa.array([stage.name for stage in lifecycle.stages])
    depths = pa.array([DEPTH[stage.kind] for stage in lifecycle.stages], pa.int64())
    place = pc.index_in(stood.column("stage").combine_chunks(), value_set=names)
    known = stood.filter(pc.is_valid(place))
    return pa.table(
        {"subject_id": known.column("subject_id"), "depth": depths.take(place.drop_null())}
    )


def won_back(core: Lifecycle, wishes: pa.Table, standing: pa.Table) -> pa.Table:
    """Wishes with those who return after an end sent through the stage that an end may move to.

    A customer whose plugin stage is far already comes back as a new one first, and goes on to the
    further stage with the next proposal.
    """
    ends = [s.name for s in core.stages if s.kind == "termination"]
    gates = {end: core.next_stages(end)[0] for end in ends if core.next_stages(end)}
    if not gates or not wishes.num_rows:
        return wishes
    now = standing.rename_columns(["subject_id", "now", "since"]).select(["subject_id", "now"])
    table = wishes.join(now, "subject_id", join_type="left outer")
    for end, gate in gates.items():
        allowed = pa.array([end, *core.next_stages(end)])
        barred = pc.and_(
            pc.equal(table.column("now"), end).fill_null(False),
            pc.invert(pc.is_in(table.column("stage"), value_set=allowed)),
        )
        # Back to a prospect is no return: that wish stays, and is counted as impossible.
        barred = pc.and_(barred, pc.not_equal(table.column("stage"), core.initial.name))
        place = table.column_names.index("stage")
        table = table.set_column(
            place, "stage", pc.if_else(barred, pa.scalar(gate), table.column("stage"))
        )
        place = table.column_names.index("reason")
        table = table.set_column(
            place, "reason", pc.if_else(barred, pa.scalar("won back"), table.column("reason"))
        )
    return table.select(WISHES.names).cast(WISHES)


def first_of(*wishes: pa.Table) -> pa.Table:
    """The wishes of all tables, for each subject that of the first table which has one."""
    kept: list[pa.Table] = []
    for table in wishes:
        for earlier in kept:
            seen = earlier.column("subject_id").combine_chunks()
            table = table.filter(pc.invert(pc.is_in(table.column("subject_id"), value_set=seen)))
        kept.append(table)
    return pa.concat_tables(kept)
