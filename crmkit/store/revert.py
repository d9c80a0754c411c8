"""Taking an import or a change back: what it created goes, what it changed is again as it was.

An import's batches are transactions that name it, and every row carries the transaction that wrote
it, so its work is known exactly (design D2). A row that somebody has changed since, or that something
later hangs on, stops the revert: nothing is lost unasked. The import's own record and its rejects
stay; everything happens in one transaction or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from attrs import field, frozen
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    union,
    update,
)
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER
from ..entities.transaction import RECORD_SET, REVERT
from ..errors import NotFound, UsageError
from .bulk import lock_sources
from .history import Versions
from .imports import import_command
from .rows import BATCH, is_in

if TYPE_CHECKING:
    from .imports import ImportRun
    from .store import Store, Tx

WINDOW_DAYS = 30
# Named in a refusal; the others are counted.
NAMED = 20


@frozen(kw_only=True)
class Reverted:
    """What a revert did.

    Attributes:
        removed: rows that the import had created, by entity.
        restored: rows put back as they were before it, by entity.
        already: whether it had been reverted before, so that nothing was done now.
    """

    import_id: int
    removed: Mapping[str, int] = field(factory=dict)
    restored: Mapping[str, int] = field(factory=dict)
    already: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; sums over the entities."""
        return {
            "import_id": str(self.import_id),
            "removed": sum(self.removed.values()),
            "restored": sum(self.restored.values()),
            "already": self.already,
        }


@frozen(kw_only=True)
class Undone:
    """What undoing a change did.

    Attributes:
        removed: records that it had made, by type. restored: those put back as they were before.
    """

    tx_id: int
    removed: Mapping[str, int] = field(factory=dict)
    restored: Mapping[str, int] = field(factory=dict)

    @property
    def already(self) -> bool:
        """Whether there was nothing to take back: it had been undone before."""
        return not (self.removed or self.restored)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; sums over the types."""
        return {
            "transaction": str(self.tx_id),
            "removed": sum(self.removed.values()),
            "restored": sum(self.restored.values()),
            "already": self.already,
        }


class RevertRefused(UsageError):
    """The caller asked to take back something on which later work rests; nothing was changed.

    Attributes:
        later: what would be lost, one sentence each, at most NAMED.
        count: how many there are in all.
    """

    code = "E_REVERT"

    def __init__(self, what: str, later: list[str], count: int) -> None:
        self.later, self.count = later, count
        more = f"; and {count - len(later)} more" if count > len(later) else ""
        super().__init__(
            f"{what} cannot be reverted, later work would be lost: {'; '.join(later)}{more}.",
            hint="Undo these first, or file what is right.",
        )


class _RollBack(Exception):
    """Ends a dry run's transaction without keeping it."""


def revert(
    store: Store, import_id: int, *, window_days: int = WINDOW_DAYS, dry_run: bool = False
) -> Reverted:
    """Takes an import back.

    Args:
        window_days: for so many days after its end an import can be reverted.
        dry_run: True does everything and keeps nothing.

    Raises:
        NotFound: if there is no such import.
        UsageError: if the window is over, or an older version stored it without its transactions.
        RevertRefused: naming what somebody did since to rows of the import.
    """
    done: list[Reverted] = []
    with suppress(_RollBack), store.begin(REVERT) as tx:
        run = store.imports.get(import_id, tx=tx)
        lock_sources(tx.connection, store.dialect, {run.source})
        if run.status == "reverted":
            done.append(Reverted(import_id=import_id, already=True))
            raise _RollBack
        txs, runs = store.tables["tx"], store.tables["import_run"]
        mine = select(txs.c.id).where(txs.c.command == import_command(import_id))
        what = f"import {import_id}"
        _check_window(what, run.finished_at or run.started_at, tx, window_days)
        _check_noted(run, tx.connection, mine)
        taken = _Revert(store, tx, mine, what).run()
        # A process that still runs the import finds another line than its own and stops.
        stopped = update(runs).where(runs.c.id == import_id)
        tx.connection.execute(stopped.values(status="reverted", next_line=0))
        done.append(Reverted(import_id=import_id, removed=taken.removed, restored=taken.restored))
        if dry_run:
            raise _RollBack
    return done[0]


def undo(
    store: Store, tx_id: int, *, window_days: int = WINDOW_DAYS, dry_run: bool = False
) -> Undone:
    """Takes a change of records back, in one transaction; the way of :func:`revert`.

    Args:
        tx_id: the transaction of a ``record set``; that of anything else is refused, because
            cases, merges and imports have ways back of their own.

    Raises:
        NotFound: if there is no such transaction.
        UsageError: if it is of another command (``E_UNDO``) or too long ago (``E_REVERT_WINDOW``).
        RevertRefused: naming what somebody did since to its records.
    """
    done: list[Undone] = []
    with suppress(_RollBack), store.begin(REVERT) as tx:
        txs = store.tables["tx"]
        found = tx.connection.execute(select(txs).where(txs.c.id == tx_id)).first()
        if found is None:
            raise NotFound("transaction", str(tx_id))
        if found.command != RECORD_SET:
            raise UsageError(
                f"transaction {tx_id} is of {found.command!r}; only a change of records "
                f"({RECORD_SET!r}) can be undone.",
                code="E_UNDO",
            )
        what = f"transaction {tx_id}"
        _check_window(what, found.at, tx, window_days)
        taken = _Revert(store, tx, select(txs.c.id).where(txs.c.id == tx_id), what).run()
        done.append(Undone(tx_id=tx_id, removed=taken.removed, restored=taken.restored))
        if dry_run or done[0].already:
            raise _RollBack
    return done[0]


def _check_window(what: str, ended: datetime, tx: Tx, window_days: int) -> None:
    if tx.at - ended > timedelta(days=window_days):
        raise UsageError(
            f"{what} ended on {ended:%Y-%m-%d}, more than {window_days} days ago "
            "(revert_days in crmkit.toml), and cannot be reverted any more.",
            code="E_REVERT_WINDOW",
        )


def _check_noted(run: ImportRun, connection: Connection, mine: Select[Any]) -> None:
    known = connection.execute(mine.limit(1)).first()
    if known is None and run.read > run.rejected:
        raise UsageError(
            f"import {run.id} was made by a version that did not note its transactions and "
            "cannot be reverted.",
            code="E_REVERT_UNKNOWN",
        )


class _Revert:
    """One revert inside its transaction.

    Args:
        mine: ids of the transactions that are taken back.
        what: names them in a refusal.
    """

    def __init__(self, store: Store, tx: Tx, mine: Select[Any], what: str) -> None:
        self.store, self.tx, self.mine, self.what = store, tx, mine, what
        self.connection: Connection = tx.connection
        self.kept = dict(self._versioned())
        self.removed: dict[str, int] = {}
        self.restored: dict[str, int] = {}

    def run(self) -> Self:
        """Checks everything, then changes everything."""
        self._hold()
        self._check_later()
        self._remove_dependents()
        for name, table in self._facts():
            self._count(self.removed, name, self._run(delete(table).where(self._by_me(table))))
        self._restore_contacts()
        owners = self._owners()
        self._forget_assignments()
        for name, kept in reversed(list(self.kept.items())):
            self._restore(name, kept)
            self._remove(name, kept)
        self._log_owners(owners)
        for counts in (self.removed, self.restored):
            for name, rows in counts.items():
                self.tx.count(name, rows)
        return self

    def _hold(self) -> None:
        """Locks what is to go back, so that nobody changes it after it was looked at."""
        for kept in self.kept.values():
            held = select(kept.current.c[kept.key]).where(self._by_me(kept.current))
            self.connection.execute(held.order_by(kept.current.c[kept.key]).with_for_update())

    # --- what there is ------------------------------------------------------------------------

    def _versioned(self) -> Iterator[tuple[str, Versions]]:
        """Every table with history, owners before what they own."""
        tables = self.store.tables
        yield CUSTOMER, Versions(tables["customer"], tables["customer_history"])
        names = {e.table_name: e for e in self.store.entities if e.what != "interaction"}
        for table in self.store.metadata.sorted_tables:
            entity = names.get(table.name)
            if entity is not None:
                key = "customer_id" if entity.what == "customer" else "id"
                yield entity.name, Versions(table, tables[f"{table.name}_history"], key)

    def _facts(self) -> Iterator[tuple[str, Table]]:
        yield "interaction", self.store.tables["interaction"]
        yield "customer_ref", self.store.tables["customer_ref"]

    def _by_me(self, table: Table) -> ColumnElement[bool]:
        return table.c.tx.in_(self.mine)

    def _created(self, kept: Versions) -> CompoundSelect[Any]:
        """Keys of the rows whose first version is the import's."""
        now, past = kept.current.c, kept.history.c
        return union(
            select(now[kept.key]).where(now.version == 1, now.tx.in_(self.mine)),
            select(past[kept.key]).where(past.version == 1, past.tx.in_(self.mine)),
        )

    def _created_subjects(self) -> CompoundSelect[Any]:
        found = [
            select(self._created(kept).subquery().c[0])
            for kept in self.kept.values()
            if kept.key == "id"
        ]
        return union(*found)

    # --- refusals -----------------------------------------------------------------------------

    def _check_later(self) -> None:
        """Refuses if anything was changed since, or hangs on what would go."""
        later: list[str] = []
        count = 0
        for what, query in self._later():
            total = self.connection.scalar(select(func.count()).select_from(query.subquery())) or 0
            if not total:
                continue
            count += total
            room = NAMED - len(later)
            if room > 0:
                rows = self.connection.execute(query.limit(room)).all()
                later += [f"{what} {row[0]} (by {self._who(row[1])})" for row in rows]
        if count:
            raise RevertRefused(self.what, later, count)

    def _who(self, tx_id: int | None) -> str:
        txs = self.store.tables["tx"]
        query = select(txs.c.actor, txs.c.command, txs.c.at).where(txs.c.id == tx_id)
        row = self.connection.execute(query).first()
        return f"{row.actor}, {row.command}, {row.at:%Y-%m-%d %H:%M}" if row else "an unknown hand"

    def _later(self) -> Iterator[tuple[str, Select[Any]]]:
        """What would be lost: queries for its name or id and the transaction that wrote it."""
        for name, kept in self.kept.items():
            now, past = kept.current.c, kept.history.c
            ours = select(past[kept.key]).where(past.tx.in_(self.mine))
            # A person knows a record by its reference.
            shown = now["ref"] if "ref" in now else now[kept.key]
            since = select(shown, now.tx).where(now.tx.not_in(self.mine), now[kept.key].in_(ours))
            yield f"{name} changed since:", since
            between = kept.history.alias()
            yield (
                f"{name} changed between:",
                select(between.c[kept.key], between.c.tx).where(
                    between.c.tx.not_in(self.mine),
                    select(past.version)
                    .where(
                        past[kept.key] == between.c[kept.key],
                        past.version < between.c.version,
                        past.tx.in_(self.mine),
                    )
                    .exists(),
                    now.tx.in_(self.mine),
                    now[kept.key] == between.c[kept.key],
                ),
            )
        fact = self.store.tables["interaction"]
        newer = fact.alias()
        yield (
            "interaction revised since:",
            select(newer.c.id, newer.c.tx)
            .join(fact, and_(*(fact.c[n] == newer.c[n] for n in ("kind", "source", "ref"))))
            .where(
                newer.c.revision > fact.c.revision,
                fact.c.tx.in_(self.mine),
                newer.c.tx.not_in(self.mine),
            ),
        )
        yield from self._hanging()

    def _hanging(self) -> Iterator[tuple[str, Select[Any]]]:
        """Rows of others that point to what the import created."""
        created = {kept.current.name: self._created(kept) for kept in self.kept.values()}
        for table in self.store.metadata.sorted_tables:
            if "tx" not in table.c:
                continue
            names = ("id", "ref", *(c.name for c in table.primary_key.columns))
            identity = table.c[next(n for n in names if n in table.c)]
            links: list[ColumnElement[bool]] = [
                fk.parent.in_(created[fk.column.table.name])
                for fk in table.foreign_keys
                if fk.column.table.name in created
            ]
            if "subject_id" in table.c and table.name not in ("outcome", "stage", "stage_change"):
                links.append(table.c.subject_id.in_(self._created_subjects()))
            for link in links:
                added = select(identity, table.c.tx).where(table.c.tx.not_in(self.mine), link)
                yield f"{table.name} added since:", added
        moves = self.store.tables["stage_change"]
        # A stage that a rule has computed is computed again; what a person decided is not.
        yield (
            "stage moved by hand since: subject",
            select(moves.c.subject_id, moves.c.tx).where(
                moves.c.rule.is_(None),
                moves.c.tx.not_in(self.mine),
                moves.c.subject_id.in_(self._created_subjects()),
            ),
        )

    # --- changes ------------------------------------------------------------------------------

    def _run(self, statement: Any) -> int:
        return int(self.connection.execute(statement).rowcount)

    @staticmethod
    def _count(counts: dict[str, int], name: str, rows: int) -> None:
        if rows > 0:
            counts[name] = counts.get(name, 0) + rows

    def _remove_dependents(self) -> None:
        """Scores and computed stages of what goes: they would speak of nobody."""
        for name in ("outcome", "stage", "stage_change"):
            table = self.store.tables[name]
            self._run(delete(table).where(table.c.subject_id.in_(self._created_subjects())))

    def _owners(self) -> dict[int, str | None]:
        """The owners of the customers that the import wrote, created ones left out."""
        c = self.store.tables[CUSTOMER].c
        query = select(c.id, c.owner).where(
            c.tx.in_(self.mine), c.id.not_in(self._created(self.kept[CUSTOMER]))
        )
        return {row.id: row.owner for row in self.connection.execute(query)}

    def _forget_assignments(self) -> None:
        """Removes the log of owners of customers that go; of those that stay it is added to."""
        a = self.store.tables["assignment"]
        gone = a.c.owner_id.in_(self._created(self.kept[CUSTOMER]))
        self._run(delete(a).where(self._by_me(a), gone))

    def _log_owners(self, before: Mapping[int, str | None]) -> None:
        c = self.store.tables[CUSTOMER].c
        query = select(c.id, c.owner).where(is_in(self.connection, c.id, before))
        changed = {row.id: (before[row.id], row.owner) for row in self.connection.execute(query)}
        self.store.ownership.changed(
            changed, rule="reversal", reason=f"{self.what} undone", tx=self.tx
        )

    def _restore_contacts(self) -> None:
        points, past = (
            self.store.tables["contact_point"],
            self.store.tables["contact_point_history"],
        )
        names = [c.name for c in points.columns]
        self._count(
            self.removed, "contact_point", self._run(delete(points).where(self._by_me(points)))
        )
        # What the import changed twice has a version of its own in between, which is not wanted.
        before = select(*(past.c[n] for n in names)).where(
            past.c.closed_tx.in_(self.mine), past.c.tx.not_in(self.mine)
        )
        # PostgreSQL's driver does not say how many rows such an INSERT has written.
        restored = self.connection.scalar(select(func.count()).select_from(before.subquery()))
        self._run(insert(points).from_select(names, before))
        self._count(self.restored, "contact_point", restored or 0)
        self._run(delete(past).where(past.c.closed_tx.in_(self.mine)))

    def _restore(self, name: str, kept: Versions) -> None:
        """Puts rows that existed before back to their version of then."""
        now, past = kept.current.c, kept.history.c
        first = (
            select(past[kept.key].label("key"), func.min(past.version).label("version"))
            .where(past.closed_tx.in_(self.mine))
            .group_by(past[kept.key])
            .subquery()
        )
        # The version that the import's first change closed is the one to come back.
        query = (
            select(kept.history)
            .join(first, and_(past[kept.key] == first.c.key, past.version == first.c.version))
            .where(past.tx.not_in(self.mine))
        )
        columns = [c.name for c in kept.current.columns if c.name != kept.key]
        back = (
            update(kept.current)
            .where(now[kept.key] == bindparam("b_key"))
            .values({n: bindparam(f"b_{n}", type_=now[n].type) for n in columns})
        )
        forget = delete(kept.history).where(
            past[kept.key] == bindparam("b_key"), past.version >= bindparam("b_version")
        )
        rows = self.connection.execute(query).mappings().all()
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            values = [{"b_key": r[kept.key], **{f"b_{n}": r[n] for n in columns}} for r in part]
            # One value set a row: what each row goes back to is its own.
            self.connection.execute(back, values)
            keys = [{"b_key": r[kept.key], "b_version": r["version"]} for r in part]
            self.connection.execute(forget, keys)
        self._count(self.restored, name, len(rows))

    def _remove(self, name: str, kept: Versions) -> None:
        """Removes the rows that the import created: what was there before is restored by now."""
        gone = delete(kept.current).where(self._by_me(kept.current))
        self._count(self.removed, name, self._run(gone))
        self._run(delete(kept.history).where(self._by_me(kept.history)))
