"""Stages: where every subject stands in a lifecycle, and the append-only log of moves (L2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import fields, frozen
from sqlalchemy import bindparam, func, select

from ..declarations import StageMove
from ..entities.lifecycle import StageChange
from ..errors import EditConflict, MoveRefused
from .gateway import Gateway
from .prepared import rows_where
from .retry import retried
from .rows import insert_columns, insert_rows, is_in

if TYPE_CHECKING:
    from .store import Tx

CHANGE = tuple(f.name for f in fields(StageChange))
STANDING = ("lifecycle", "subject_type", "subject_id", "stage", "since", "tx")
# Subject, the stage it leaves (None at first), the stage it enters, the reason, the rule.
MoveRow = tuple[int, str | None, str, str, str | None]


@frozen(kw_only=True)
class Standing:
    """Where a subject stands in one lifecycle, and since when (UTC)."""

    lifecycle: str
    subject_type: str
    subject_id: int
    stage: str
    since: datetime


class Stages(Gateway):
    """Current stages and moves. Whether a move is allowed is the lifecycle's to say, not asked here."""

    def current(
        self, lifecycle: str, ids: Iterable[int] | None = None, *, tx: Tx | None = None
    ) -> dict[int, str]:
        """Stage by subject; subjects without one are absent.

        Args:
            ids: only these subjects; None is all.
        """
        s = self._table("stage").c
        query = select(s.subject_id, s.stage).where(s.lifecycle == lifecycle)
        with self._reading(tx) as connection:
            if ids is not None:
                query = query.where(is_in(connection, s.subject_id, ids))
            return {row.subject_id: row.stage for row in connection.execute(query)}

    def standing(self, subject_id: int, *, tx: Tx | None = None) -> list[Standing]:
        """Where a subject stands in each of its lifecycles, by lifecycle name."""
        return self.standings([subject_id], tx=tx)

    def standings(self, ids: Iterable[int], *, tx: Tx | None = None) -> list[Standing]:
        """Where several subjects stand in each of their lifecycles, by lifecycle name."""
        s = self._table("stage")
        names = ("lifecycle", "subject_type", "subject_id", "stage", "since")
        with self._reading(tx) as connection:
            rows = rows_where(connection, s, "subject_id", ids, names=names, order=names[:1])
            return [Standing(**row) for row in rows]

    def counts(self, lifecycle: str, *, tx: Tx | None = None) -> dict[str, int]:
        """How many subjects stand in each stage that has any."""
        s = self._table("stage").c
        query = select(s.stage, func.count()).where(s.lifecycle == lifecycle).group_by(s.stage)
        with self._reading(tx) as connection:
            return {stage: count for stage, count in connection.execute(query)}

    @retried
    def move(
        self,
        moves: Sequence[StageMove],
        *,
        at: datetime | Mapping[int, datetime] | None = None,
        rule: str | None = None,
        actor: str | None = None,
        tx: Tx | None = None,
    ) -> list[StageChange]:
        """Makes a batch of moves, all or none, and logs each.

        Args:
            moves: at most one per lifecycle and subject; ``from_stage`` must be the stage now.
            at: when they happened, for all or by subject; None is now.
            rule: the rule that proposed them, if one did.
            actor: who made them; None is the transaction's actor.

        Returns:
            The logged changes, in the order given.

        Raises:
            MoveRefused: if a subject is moved twice, or stands elsewhere than ``from_stage`` says.
        """
        expected = _expected((m.lifecycle, m.subject_id, m.from_stage) for m in moves)
        with self._writing(tx, "lifecycle move") as own:
            for lifecycle, stands in sorted(expected.items()):
                self._check_standing(own, lifecycle, stands)
            ids = own.take_ids(len(moves))
            changes = [
                StageChange(
                    id=i, lifecycle=m.lifecycle, subject_type=m.subject_type,
                    subject_id=m.subject_id, from_stage=m.from_stage, to_stage=m.to_stage,
                    at=_when(at, m.subject_id, own.at), reason=m.reason, rule=rule,
                    actor=actor or own.actor,
                )
                for i, m in zip(ids, moves, strict=True)
            ]  # fmt: skip
            self._log(own, changes)
            self._begin(own, [c for c in changes if c.from_stage is None])
            self._advance(own, [c for c in changes if c.from_stage is not None])
            own.count("stage_change", len(changes))
            return changes

    @retried
    def move_many(
        self, lifecycle: str, subject_type: str, moves: Sequence[MoveRow], *,
        at: datetime | None = None, tx: Tx | None = None,
    ) -> None:  # fmt: skip
        """Makes a batch of moves in one lifecycle at one instant, all or none, and logs each.

        For proposals to everyone: one statement for each pair of stages, and nothing is built for a
        single subject but its rows.

        Args:
            moves: at most one a subject, see :data:`MoveRow`.
            at: when they happened; None is now.

        Raises:
            MoveRefused: as :meth:`move`.
        """
        expected = _expected((lifecycle, one[0], one[1]) for one in moves)
        if not moves:
            return
        with self._writing(tx, "lifecycle move") as own:
            self._check_standing(own, lifecycle, expected[lifecycle])
            when = at or own.at
            who, left, entered, reason, rule = zip(*moves, strict=True)
            insert_columns(
                own.connection, self._table("stage_change"),
                {
                    "id": own.take_ids(len(moves)), "subject_id": who, "from_stage": left,
                    "to_stage": entered, "reason": reason, "rule": rule,
                },
                {
                    "lifecycle": lifecycle, "subject_type": subject_type, "at": when,
                    "actor": own.actor, "changed_on": self._local_day(when), "tx": own.id,
                },
            )  # fmt: skip
            new = [(one[0], one[2]) for one in moves if one[1] is None]
            insert_columns(
                own.connection, self._table("stage"),
                {"subject_id": [one for one, _ in new], "stage": [stage for _, stage in new]},
                {"lifecycle": lifecycle, "subject_type": subject_type, "since": when, "tx": own.id},
            )  # fmt: skip
            self._advance_many(own, lifecycle, moves, when)
            own.count("stage_change", len(moves))

    def history(
        self,
        subject_id: int,
        *,
        lifecycle: str | None = None,
        tx: Tx | None = None,
    ) -> list[StageChange]:
        """Every move of a subject, in the order in which they happened.

        Args:
            subject_id: a customer or a record; ids are unique over both.
            lifecycle: only this one; None is all.
        """
        moves = self.histories([subject_id], tx=tx)
        return [m for m in moves if lifecycle is None or m.lifecycle == lifecycle]

    def histories(self, ids: Iterable[int], *, tx: Tx | None = None) -> list[StageChange]:
        """Every move of several subjects, in the order in which they happened."""
        c = self._table("stage_change")
        with self._reading(tx) as connection:
            rows = rows_where(connection, c, "subject_id", ids, names=CHANGE, order=("at", "id"))
            return [StageChange(**row) for row in rows]

    def recorded(
        self, subject_id: int, lifecycle: str, *, tx: Tx | None = None
    ) -> list[tuple[StageChange, datetime]]:
        """As :meth:`history`, each move with the UTC instant in which it was written down."""
        c, t = self._table("stage_change"), self._table("tx")
        query = (
            select(c, t.c.at.label("recorded_at"))
            .join(t, t.c.id == c.c.tx)
            .where(c.c.subject_id == subject_id, c.c.lifecycle == lifecycle)
            .order_by(c.c.at, c.c.id)
        )
        with self._reading(tx) as connection:
            rows = connection.execute(query).mappings()
            return [
                (StageChange(**{name: row[name] for name in CHANGE}), row["recorded_at"])
                for row in rows
            ]

    # --- rows ---------------------------------------------------------------------------------

    def _check_standing(self, tx: Tx, lifecycle: str, expected: Mapping[int, str | None]) -> None:
        s = self._table("stage").c
        query = (
            select(s.subject_id, s.stage)
            .where(s.lifecycle == lifecycle, is_in(tx.connection, s.subject_id, expected))
            # In one order for all, so that two batches on PostgreSQL cannot wait for each other.
            .order_by(s.subject_id)
            .with_for_update()
        )
        now: dict[int, str] = {who: stage for who, stage in tx.connection.execute(query)}
        for who, left in expected.items():
            if now.get(who) != left:
                raise MoveRefused(
                    f"lifecycle {lifecycle}: subject {who} stands in "
                    f"{now.get(who) or 'no stage'}, not in {left or 'none'}.",
                    hint="Somebody moved it in between; nothing was changed.",
                )

    def _log(self, tx: Tx, changes: Sequence[StageChange]) -> None:
        rows = (
            [*(getattr(c, name) for name in CHANGE), self._local_day(c.at), tx.id] for c in changes
        )
        table = self._table("stage_change")
        insert_rows(tx.connection, table, [*CHANGE, "changed_on", "tx"], rows)

    def _begin(self, tx: Tx, changes: Sequence[StageChange]) -> None:
        rows = (
            (c.lifecycle, c.subject_type, c.subject_id, c.to_stage, c.at, tx.id) for c in changes
        )
        insert_rows(tx.connection, self._table("stage"), STANDING, rows)

    def _advance(self, tx: Tx, changes: Sequence[StageChange]) -> None:
        if not changes:
            return
        s = self._table("stage")
        statement = (
            s.update()
            .where(
                s.c.lifecycle == bindparam("of"),
                s.c.subject_id == bindparam("who"),
                s.c.stage == bindparam("left"),
            )
            .values(stage=bindparam("entered"), since=bindparam("moved_at"), tx=tx.id)
        )
        rows: list[dict[str, Any]] = [
            {
                "of": c.lifecycle, "who": c.subject_id, "left": c.from_stage,
                "entered": c.to_stage, "moved_at": c.at,
            }
            # In one order for all, so that two batches on PostgreSQL cannot wait for each other.
            for c in sorted(changes, key=lambda c: (c.lifecycle, c.subject_id))
        ]  # fmt: skip
        done = tx.connection.execute(statement, rows)
        if done.rowcount not in (-1, len(rows)):
            raise EditConflict("a stage", len(rows), done.rowcount)

    def _advance_many(
        self, tx: Tx, lifecycle: str, moves: Sequence[MoveRow], when: datetime
    ) -> None:
        groups = defaultdict[tuple[str, str], list[int]](list)
        for who, left, entered, *_ in moves:
            if left is not None:
                groups[left, entered].append(who)
        s = self._table("stage")
        for (left, entered), ids in sorted(groups.items()):
            statement = (
                s.update()
                .where(
                    s.c.lifecycle == lifecycle,
                    s.c.stage == left,
                    is_in(tx.connection, s.c.subject_id, ids),
                )
                .values(stage=entered, since=when, tx=tx.id)
            )
            done = tx.connection.execute(statement)
            if done.rowcount != len(ids):
                raise EditConflict("a stage", len(ids), done.rowcount)


def _expected(
    moves: Iterable[tuple[str, int, str | None]],
) -> defaultdict[str, dict[int, str | None]]:
    """By lifecycle and subject, the stage in which it must stand."""
    found = defaultdict[str, dict[int, str | None]](dict)
    for lifecycle, who, left in moves:
        if who in found[lifecycle]:
            raise MoveRefused(f"lifecycle {lifecycle}: subject {who} is moved twice in one batch.")
        found[lifecycle][who] = left
    return found


def _when(at: datetime | Mapping[int, datetime] | None, subject_id: int, now: datetime) -> datetime:
    return at.get(subject_id, now) if isinstance(at, Mapping) else at or now
