"""Cases: opened in batches, moved by verbs, and listed by what is due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import field, frozen

from crmkit.declarations import CaseKind, StageMove
from crmkit.entities import Lifecycle, NewInteraction, Reached
from crmkit.errors import NotFound, UsageError

from .change import Case, Change
from .clocks import OWN, Clocks, by_column, load_logs, save_clocks
from .imported import COUNTS, UnclearState, implied_state, is_open, reached_at, times_on, way_to
from .moving import moving
from .records import CASE, CASE_EVENT, CASE_FIELDS, CLOCK
from .rulebook import Rulebook

if TYPE_CHECKING:
    from crmkit.analysis.lifecycles import Lifecycles
    from crmkit.store.store import Store, Tx

BATCH = 10_000
# The reason of moves that follow from what an import brought.
IMPORTED = "imported"
FIELDS = tuple(CASE_FIELDS)
DUE = (
    "ref", "owner_id", "kind", "state", "topic", "severity", "department", "assignee",
    "due_clock", "due_at",
)  # fmt: skip
AT = DUE.index("due_at")
USED = {"due_at": 1.0, "urgent_at": 0.9, "warned_at": 0.75, "half_at": 0.5}
"""The share of a clock's time that is used at least once this instant of a case has come."""

BREACHED = ("ref", "owner_id", "kind", "state", "topic", "severity", "department", "assignee")


@frozen(kw_only=True)
class NewCase:
    """A case that is to be opened.

    Args:
        customer_id: whose it is; a prospect is a customer in its first stage.
        kind: a case kind.
        values: fields of ``service.case``; severity and department follow from the kind if missing.
        source, ref: its key; a case of that key is not opened again. Without a ref it is a new one.
        opened_at: aware instant of receipt; None is now.
        by_customer: whether the customer brought it up, so that it is logged as an interaction.
    """

    customer_id: int
    kind: str = "service.complaint"
    values: Mapping[str, Any] = field(factory=dict, hash=False)
    source: str = OWN
    ref: str | None = None
    opened_at: datetime | None = None
    by_customer: bool = True


class Due(NamedTuple):
    """One line of the list of what is due; a tuple, as a hundred thousand are made in one go.

    Attributes:
        clock: the clock that is due first, or ``external``.
        left: time until it is due on the wall clock, below nothing when it is broken.
        level: the share of its time that is used at least: 0, 0.5, 0.75, 0.9 or 1.
    """

    ref: str
    customer_id: int
    kind: str
    state: str
    topic: str | None
    severity: str | None
    department: str | None
    assignee: str | None
    clock: str
    due_at: datetime
    left: timedelta
    level: float


class Cases:
    """Every case of every kind. All that one call does is one transaction.

    Args:
        store: where they are kept.
        lifecycles: asks plugins for vetoes before a move; None moves without asking.
    """

    def __init__(self, store: Store, lifecycles: Lifecycles | None = None) -> None:
        self._store, self._lifecycles = store, lifecycles

    # --- opening ----------------------------------------------------------------------------------

    def open(self, new: Sequence[NewCase], *, tx: Tx | None = None) -> list[str]:
        """Opens cases and starts their clocks.

        Returns:
            The key of each in the order given; one that was open already keeps what it says.

        Raises:
            NotFound: for an unknown customer or kind.
            UsageError: for a value that the kind or the field does not allow.
        """
        with self._write(tx, "case open") as own:
            rules = Rulebook(self._store, own)
            ids = own.take_ids(len(new))
            keys = [n.ref or f"C{_base36(i)}" for n, i in zip(new, ids, strict=True)]
            for source in sorted({n.source for n in new}):
                mine = [i for i, n in enumerate(new) if n.source == source]
                known = self._known(source, [keys[i] for i in mine], own)
                fresh = {keys[i]: i for i in reversed(mine) if keys[i] not in known}
                self._open_fresh(
                    own, rules, source, [(k, new[i]) for k, i in reversed(fresh.items())]
                )
            return keys

    def open_from(
        self, interactions: Sequence[int], *, like: NewCase | None = None, tx: Tx | None = None
    ) -> list[str]:
        """Opens a case for each of these interactions, with its customer, channel and topic.

        Args:
            interactions: their ids; a case is opened once for each.
            like: what else the cases say; their kind is the one that is opened by such interactions.

        Raises:
            NotFound: for an interaction that does not exist.
            UsageError: if no case kind is opened by an interaction of its kind.
        """
        new = []
        for number in interactions:
            seen = self._store.interactions.get(number, tx=tx)
            kinds = self._store.catalog.case_kinds
            wanted = [k for k in kinds.values() if seen.kind in k.opened_by]
            if like is not None and any(k.name == like.kind for k in wanted):
                wanted = [kinds[like.kind]]
            if not wanted or seen.customer_id is None:
                raise UsageError(f"no case is opened by an interaction of kind {seen.kind}.")
            given = {} if like is None else {k: v for k, v in like.values.items() if v is not None}
            values = {
                "topic": seen.payload.get("topic"), "headline": seen.payload.get("text"),
                "channel": seen.channel, **given,
            }  # fmt: skip
            new.append(
                NewCase(
                    customer_id=seen.customer_id, kind=wanted[0].name, values=values,
                    source=seen.source, ref=f"{seen.kind}:{seen.ref}", opened_at=seen.occurred_at,
                    by_customer=False,
                )
            )  # fmt: skip
        return self.open(new, tx=tx)

    def _known(self, source: str, refs: Sequence[str], tx: Tx) -> set[str]:
        found = self._store.records.read(
            CASE, ("ref",), where={"source": source}, among={"ref": refs}, tx=tx
        )
        return {row[0] for row in found}

    def _open_fresh(
        self, tx: Tx, rules: Rulebook, source: str, new: Sequence[tuple[str, NewCase]]
    ) -> None:
        if not new:
            return
        rows, clocks = [], []
        for _, one in new:
            kind = rules.kind(one.kind)
            values = self._opening(rules, kind, one, tx)
            book = Clocks(rules, kind, values)
            book.enter(values["state"], values["opened_at"])
            values.update(book.due())
            rows.append(values)
            clocks.append(book)
        written = self._store.records.put(
            CASE, source=source, refs=[ref for ref, _ in new], values=by_column(rows),
            owners=[one.customer_id for _, one in new],
            effective=[row["opened_at"] for row in rows], tx=tx,
        )  # fmt: skip
        save_clocks(self._store, tx, dict(zip(written.ids, clocks, strict=True)))
        moves = [
            StageMove(
                lifecycle=book.kind.lifecycle, subject_type=CASE, subject_id=case_id,
                from_stage=None, to_stage=row["state"], reason="opened",
            )
            for case_id, row, book in zip(written.ids, rows, clocks, strict=True)
        ]  # fmt: skip
        at = {i: row["opened_at"] for i, row in zip(written.ids, rows, strict=True)}
        self._store.stages.move(moves, at=at, tx=tx)
        self._log_opened(tx, new, written.ids, rows, clocks)

    def _opening(self, rules: Rulebook, kind: CaseKind, one: NewCase, tx: Tx) -> dict[str, Any]:
        unknown = sorted(set(one.values) - set(FIELDS))
        if unknown:
            raise NotFound(f"field of {CASE}", unknown[0], FIELDS)
        values = {**dict.fromkeys(FIELDS), **one.values}
        severity = values["severity"] = values["severity"] or kind.severity or None
        if severity is not None and severity not in kind.severities:
            raise UsageError(
                f"severity {severity!r} is not one of {', '.join(kind.severities) or 'none'} "
                f"of {kind.name}."
            )
        opened_at = one.opened_at or tx.at
        if opened_at.tzinfo is None or opened_at > tx.at:
            raise UsageError(
                f"a case is opened at an instant that was, not {opened_at.isoformat()}."
            )
        state = self._store.catalog.lifecycles[kind.lifecycle].initial.name
        values.update(
            kind=kind.name, state=state, is_open=True, opened_at=opened_at,
            opened_on=opened_at.astimezone(self._store.time_zone).date(),
            opened_by=values["opened_by"] or tx.actor, answers=0, reminders=0,
            escalation_level=0, reopen_count=0,
        )  # fmt: skip
        values["department"] = values["department"] or rules.department(kind, values)
        return values

    def _log_opened(
        self, tx: Tx, new: Sequence[tuple[str, NewCase]], ids: Sequence[int],
        rows: Sequence[Mapping[str, Any]], clocks: Sequence[Clocks],
    ) -> None:  # fmt: skip
        items = []
        for (_ref, one), case_id, row, book in zip(new, ids, rows, clocks, strict=True):
            said = next(iter(book.kind.opened_by), "")
            declared = self._store.catalog.interaction_kinds.get(said)
            if one.by_customer and declared is not None:
                fields = declared.fields.by_name
                payload = {"topic": row["topic"], "text": row["headline"]}
                items.append(
                    NewInteraction(
                        kind=said, occurred_at=row["opened_at"], customer_id=one.customer_id,
                        channel=row["channel"], direction="in",
                        payload={k: v for k, v in payload.items() if v and k in fields},
                    )
                )  # fmt: skip
            items.append(
                NewInteraction(
                    kind=CASE_EVENT,
                    occurred_at=row["opened_at"],
                    customer_id=one.customer_id,
                    subject_id=case_id,
                    payload={"action": "open", "state": row["state"]},
                )
            )
        self._store.interactions.log(items, tx=tx)

    # --- changing ---------------------------------------------------------------------------------

    @contextmanager
    def change(
        self, refs: Iterable[str], command: str, *, tx: Tx | None = None
    ) -> Iterator[Change]:
        """Cases to be changed together, their customers locked until the write ends.

        Raises:
            NotFound: for a case that does not exist.
        """
        with self._write(tx, command) as own:
            found = [self._store.records.find(CASE, ref, tx=own) for ref in dict.fromkeys(refs)]
            own.lock_customers([r.owner_id for r in found if r.owner_id is not None])
            rules = Rulebook(self._store, own)
            names = ("id", "source", "ref", "owner_id", *FIELDS)
            rows = self._store.records.read(
                CASE, names, among={"id": [r.id for r in found]}, tx=own
            )
            change = Change(
                self._store, self._lifecycles, own, rules, self._cases(rows, rules, own)
            )
            with moving():
                yield change
                change.save()

    def _cases(self, rows: Sequence[tuple[Any, ...]], rules: Rulebook, tx: Tx | None) -> list[Case]:
        logs = load_logs(self._store, [row[0] for row in rows], tx)
        out = []
        for case_id, source, ref, customer_id, *given in rows:
            values = dict(zip(FIELDS, given, strict=True))
            clocks = Clocks(rules, rules.kind(values["kind"]), values, logs.get(case_id, []))
            out.append(Case(case_id, source, ref, customer_id, values, clocks))
        return out

    def recompute(self, now: datetime | None = None, *, tx: Tx | None = None) -> tuple[int, int]:
        """Reads every clock anew from its log, in batches, and notes what was broken meanwhile.

        What follows from a case holds since the case's own values do: nothing is stamped with now.

        Returns:
            How many cases were read, and how many of them now say something else.
        """
        read = changed = 0
        ids = [row[0] for row in self._store.records.read(CASE, ("id",), tx=tx)]
        for first in range(0, len(ids), BATCH):
            with self._write(tx, "case recompute") as own:
                done = self._settled(ids[first : first + BATCH], own, now=now or own.at)
                read, changed = read + done[0], changed + done[1]
        return read, changed

    def settle(self, ids: Sequence[int], *, tx: Tx) -> None:
        """Gives cases that an import wrote their state, times and clocks, as if worked here."""
        for first in range(0, len(ids), BATCH):
            self._settled(ids[first : first + BATCH], tx, now=tx.at)

    def _settled(self, ids: Sequence[int], tx: Tx, *, now: datetime) -> tuple[int, int]:
        names = ("id", "source", "ref", "owner_id", *FIELDS, "valid_from")
        rules = Rulebook(self._store, tx)
        rows = self._store.records.read(CASE, names, among={"id": ids}, tx=tx)
        since = {row[0]: row[-1] for row in rows}
        cases = self._cases([row[:-1] for row in rows], rules, tx)
        before = [dict(case.values) for case in cases]
        self._adopt(cases, rules, since, tx)
        for case in cases:
            case.clocks.note_breaches(now)
        Change(self._store, self._lifecycles, tx, rules, cases, since).save()
        return len(cases), sum(b != c.values for b, c in zip(before, cases, strict=True))

    def _adopt(
        self, cases: Sequence[Case], rules: Rulebook, since: Mapping[int, datetime], tx: Tx
    ) -> None:
        """Brings cases that stand elsewhere than their values say to where these say."""
        lifecycles = {case.clocks.kind.lifecycle for case in cases}
        stands: dict[int, str] = {}
        for name in lifecycles:
            stands |= self._store.stages.current(name, [case.id for case in cases], tx=tx)
        moved = {
            case.id
            for case in cases
            if case.id not in stands or stands[case.id] != case.values["state"]
        }
        by_instants = self._told_by_instants(cases, stands, tx)
        moves, at = [], {}
        for case in cases:
            if case.id not in moved and case.id not in by_instants:
                continue
            kind, values = case.clocks.kind, case.values
            lifecycle = self._store.catalog.lifecycles[kind.lifecycle]
            here = stands.get(case.id)
            if case.id in by_instants:
                values["state"] = by_instants[case.id]
            elif values["state"] is None:
                values["state"] = implied_state(kind, lifecycle, values) or lifecycle.initial.name
            state = values["state"]
            reached = reached_at(kind, lifecycle, values, state, since[case.id])
            if here is not None and not is_open(lifecycle, here):
                reached = max(reached, since[case.id])
            self._complete(case, lifecycle, rules, reached)
            first = lifecycle.initial.name
            way = (
                []
                if here is None and state == first
                else way_to(kind, lifecycle, here or first, state)
            )
            entered = list(zip(way, times_on(kind, way, values, reached), strict=True))
            if here is None:
                entered.insert(0, (first, values["opened_at"]))
            case.clocks.adopt(entered)
            at[case.id] = reached
            moves.append(
                StageMove(
                    lifecycle=lifecycle.name, subject_type=CASE, subject_id=case.id,
                    from_stage=here, to_stage=state, reason=IMPORTED,
                )
            )  # fmt: skip
        if moves:
            self._store.stages.move(moves, at=at, tx=tx)

    def _told_by_instants(
        self, cases: Sequence[Case], stands: Mapping[int, str], tx: Tx
    ) -> dict[int, str]:
        """Cases of sources that tell no state, with the one that their instants say by now.

        Only those that nobody has worked here: their last move was an import's.
        """
        found: dict[int, str] = {}
        for case in cases:
            kind, values = case.clocks.kind, case.values
            here = stands.get(case.id)
            if here is None or here != values["state"] or not values["is_open"]:
                continue
            lifecycle = self._store.catalog.lifecycles[kind.lifecycle]
            with suppress(UnclearState):
                state = implied_state(kind, lifecycle, values)
                if state is not None and state != here:
                    found[case.id] = state
        if not found:
            return {}
        last = {c.subject_id: c for c in self._store.stages.histories(found, tx=tx)}
        return {i: state for i, state in found.items() if last[i].reason == IMPORTED}

    def _complete(
        self, case: Case, lifecycle: Lifecycle, rules: Rulebook, reached: datetime
    ) -> None:
        """Fills in what working the case here would have filled in."""
        kind, values = case.clocks.kind, case.values
        for name in COUNTS:
            values[name] = values[name] or 0
        values["is_open"] = is_open(lifecycle, values["state"])
        values["severity"] = values["severity"] or kind.severity or None
        values["department"] = values["department"] or rules.department(kind, values)
        values["opened_on"] = values["opened_on"] or (
            values["opened_at"].astimezone(self._store.time_zone).date()
        )
        if values["answered_at"] is not None:
            values["answers"] = values["answers"] or 1
        if not values["is_open"]:
            values["closed_at"] = values["closed_at"] or reached
            values["external_due_at"] = None
        elif values["state"] in kind.states_of("wait"):
            values["waiting_since"] = values["waiting_since"] or reached

    # --- reading ----------------------------------------------------------------------------------

    def due(
        self, now: datetime, *, limit: int | None = None, tx: Tx | None = None, **where: Any
    ) -> list[Due]:
        """Open cases with a running clock, by time left, the least first.

        Args:
            now: as of when the time left is counted.
            limit: at most so many.
            where: fields of the case that must have this value, as ``department="billing"``.
        """
        wanted = {"is_open": True, **where}
        order = () if limit is None else ("due_at",)
        read = self._store.records.read(
            CASE, (*DUE, Reached(now, USED)), where=wanted, sort=order, limit=limit,
            into=partial(_due, now), tx=tx,
        )  # fmt: skip
        found = [one for one in read if one is not None]
        if limit is None:
            # The database would sort whole rows in a temporary tree: twice the time of this.
            found.sort(key=itemgetter(AT))  # equal ones stay in order of id
        return found

    def breaches(
        self, now: datetime, *, clock: str | None = None, open_only: bool = False,
        tx: Tx | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Promises that are broken by ``now``: those still open first, the latest first in each.

        Returns:
            One dictionary a clock: ``case``, ``customer_id``, fields of the case, ``clock``,
            ``target``, ``due_at``, ``stopped_at`` (None while it runs) and ``late_minutes``.
        """
        names = ("owner_id", "clock", "target", "due_at", "stopped_at", "late")
        narrowed = {} if clock is None else {"clock": clock}
        read = self._store.records.read
        running = read(
            CLOCK, names, where={"state": "running", **narrowed}, sort=("due_at",), tx=tx
        )
        found = [row for row in running if row[3] <= now]
        if not open_only:
            found += read(CLOCK, names, where={"late": True, **narrowed}, tx=tx)
        ids = {row[0] for row in found}
        cases = {row[0]: row for row in read(CASE, ("id", *BREACHED), among={"id": ids}, tx=tx)}
        out = []
        for case_id, name, target, due_at, stopped_at, _ in found:
            said = dict(
                zip(("case", "customer_id", *BREACHED[2:]), cases[case_id][1:], strict=True)
            )
            late = (
                None
                if due_at is None
                else int(((stopped_at or now) - due_at).total_seconds() // 60)
            )
            out.append(
                {**said, "clock": name, "target": target, "due_at": due_at,
                 "stopped_at": stopped_at, "late_minutes": late}
            )  # fmt: skip
        out.sort(
            key=lambda row: (
                row["stopped_at"] is not None,
                -(row["late_minutes"] or 0),
                row["case"],
            )
        )
        return out

    def read(self, refs: Sequence[str], *, tx: Tx | None = None) -> list[Case]:
        """The cases of these keys (``ref`` or ``source:ref``), in that order.

        Raises:
            NotFound: for a key that no case has.
        """
        ids = [self._store.records.find(CASE, ref, tx=tx).id for ref in refs]
        names = ("id", "source", "ref", "owner_id", *FIELDS)
        rows = self._store.records.read(CASE, names, among={"id": ids}, tx=tx)
        found = {case.id: case for case in self._cases(rows, Rulebook(self._store, tx), tx)}
        return [found[case_id] for case_id in ids]

    @contextmanager
    def _write(self, tx: Tx | None, command: str) -> Iterator[Tx]:
        if tx is not None:
            yield tx
        else:
            with self._store.begin(command) as own:
                yield own


def _due(now: datetime, row: tuple[Any, ...]) -> Due | None:
    """A line from the columns of ``DUE`` and the share that is used."""
    *said, due_at, used = row
    return None if due_at is None else Due._make((*said, due_at, due_at - now, used))


def _base36(number: int) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    out = ""
    while number:
        number, digit = divmod(number, 36)
        out = digits[digit] + out
    return out
