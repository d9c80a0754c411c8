"""Loading one batch: checks, references and repeats, then every entity of the rows left.

The order matters. All that can reject a row comes before anything is written, because the row is the
unit: a row whose bill names an unknown customer must not leave its customer fields behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

from attrs import define

from ..declarations import CUSTOMER
from ..entities.checks import Fault, shown
from ..entities.contradictions import CODE as CONTRADICTION
from ..entities.contradictions import contradictions, ordered_names
from ..errors import PluginError
from ..store.bulk import (
    CREATED,
    ID,
    UPDATED,
    CustomerUpsert,
    Feed,
    FieldsUpsert,
    InteractionUpsert,
    Lookup,
    RecordUpsert,
    Statements,
    Written,
    lock_sources,
)
from .absent import Present
from .alike import Alike
from .batch import Batch, Broken
from .hooks import hook_batch
from .keys import SeenKeys
from .mapping import Keyed, Mapped, Mapper, RowFault, RowFaults, Unit
from .plan import FIELDS, INTERACTION, EmitPlan, Plan, StoredRef
from .rejects import Reject

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..hosting.host import PluginHost
    from ..store.store import Store, Tx


@define
class Counts:
    """Rows by what became of them; the last four sum to ``read``."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    def add(self, other: Counts) -> None:
        """Adds another batch's counts."""
        self.read += other.read
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return {
            "read": self.read, "created": self.created, "updated": self.updated,
            "unchanged": self.unchanged, "rejected": self.rejected,
        }  # fmt: skip


@define
class Loaded:
    """What became of a batch; ``remember`` are the keys to be watched once it is committed."""

    counts: Counts
    rejects: list[Reject]
    remember: list[tuple[int, Sequence[str], Sequence[int], Sequence[int]]]


class Loader:
    """Loads the batches of one file, in order."""

    def __init__(self, store: Store, host: PluginHost, plan: Plan, mapper: Mapper) -> None:
        self.store, self.host, self.plan, self.mapper = store, host, plan, mapper
        self.statements = Statements(store)
        self.lookup = Lookup(self.statements)
        feed = Feed(self.statements, plan.source)
        self.upserts = [_upsert(self.statements, emit, feed) for emit in plan.emits]
        self.last_wins = plan.profile.source.last_wins
        self.seen = [SeenKeys() for _ in range(plan.row_unit + len(plan.units))]
        self.present = Present(plan) if plan.profile.source.mode == "full" else None
        self.sources = {e.source for e in plan.emits}
        entities = [(e.entity, e.source) for e in plan.emits]
        self.alike = [Alike() for _ in plan.emits]
        self._twice = [entities.count(pair) > 1 for pair in entities]
        self._first_load = [False] * len(plan.emits)
        # Currencies of the amounts that were written.
        self.currencies: set[str] = set()

    def close(self) -> None:
        """Removes temporary files."""
        for seen in self.seen:
            seen.close()
        self.mapper.close()
        if self.present is not None:
            self.present.close()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is odd about keys and phone numbers, and what was kept as somebody else left it."""
        found = dict.fromkeys(a.remark for a in self.alike if a.remark)
        kept = [
            f"{upsert.kept} rows of {emit.entity} say what {self.plan.source} said last; what was "
            "changed here since stays."
            for emit, upsert in zip(self.plan.emits, self.upserts, strict=True)
            if upsert.kept
        ]
        return (*found, *self.mapper.number_like.remarks, *kept)

    # --- first loads --------------------------------------------------------------------------

    def expect_first_load(self, connection: Connection) -> None:
        """Finds the emits of whose source nothing is stored: their rows are new without asking.

        Should another process store some meanwhile, the database refuses the double key and the
        batch is loaded again with asking (:meth:`expect_anything`).
        """
        self._first_load = [
            emit.kind != FIELDS
            and not self.last_wins
            and not twice
            and not self.lookup.any_of(connection, emit.entity, emit.source)
            for emit, twice in zip(self.plan.emits, self._twice, strict=True)
        ]

    @property
    def expects_first_load(self) -> bool:
        """Whether any emit relies on being the first."""
        return any(self._first_load)

    def expect_anything(self) -> None:
        """Asks the database about every row from now on."""
        self._first_load = [False] * len(self.plan.emits)

    # --- resuming -----------------------------------------------------------------------------

    def skip(self, batch: Batch, rejected: frozenset[int]) -> None:
        """Remembers the keys of rows that an earlier run has loaded; writes nothing."""
        keyed = self.mapper.keys(batch)
        self._note(keyed)
        alive = [line not in rejected for line in batch.lines]
        if not self.last_wins:
            self._repeats(keyed, batch, alive, {})
            self.remember(self._to_remember(keyed, batch, alive))
        self.mapper.settle()

    def remember(
        self, added: Iterable[tuple[int, Sequence[str], Sequence[int], Sequence[int]]]
    ) -> None:
        """Watches the keys of a batch from now on; to be called once it is committed."""
        for number, keys, prints, lines in added:
            self.seen[number].add(keys, prints, lines)
        self.mapper.settle()

    # --- loading ------------------------------------------------------------------------------

    def load(self, tx: Tx, batch: Batch) -> Loaded:
        """Writes a batch within the open transaction.

        Raises:
            PluginError: if a plugin's check fails.
        """
        lock_sources(tx.connection, self.store.dialect, self.sources)
        loaded = Loaded(Counts(), [_broken(b) for b in batch.broken], [])
        loaded.counts.read = loaded.counts.rejected = len(batch.broken)
        parts = self.mapper.parts(batch) if self.last_wins and batch.size else [batch]
        for part in parts:
            if part.size:
                self._load_part(tx, part, loaded)
        loaded.rejects.sort(key=lambda reject: reject.line)
        return loaded

    def _load_part(self, tx: Tx, batch: Batch, loaded: Loaded) -> None:
        keyed = self.mapper.keys(batch)
        self._note(keyed)
        mapped = self.mapper.values(batch, keyed)
        faults = keyed.faults
        alive = [True] * batch.size
        mapped = _without(mapped, faults, alive)
        self._check_order(mapped, faults)
        self._ask_plugins(mapped, faults)
        mapped = _without(mapped, faults, alive)
        self._prepare(tx, mapped, faults)
        mapped = _without(mapped, faults, alive)
        repeated = 0
        if not self.last_wins:
            dropped = self._repeats(keyed, batch, alive, faults)
            repeated = len(dropped) - len(dropped & faults.keys())
            if dropped:
                mapped = _kept(mapped, alive)
            loaded.remember += self._to_remember(keyed, batch, alive)
        outcomes = self._write(tx, mapped, batch.size)
        for one in mapped:
            self.currencies |= _currencies(one)
        written = sum(alive)
        counts = Counts(read=batch.size, rejected=len(faults))
        counts.created = outcomes.count(CREATED)
        counts.updated = outcomes.count(UPDATED)
        counts.unchanged = written - counts.created - counts.updated + repeated
        loaded.counts.add(counts)
        loaded.rejects += [_reject(batch, i, found) for i, found in sorted(faults.items())]

    def _note(self, keyed: Keyed) -> None:
        if self.present is not None:
            self.present.add(keyed)
        for alike, emit, refs in zip(self.alike, self.plan.emits, keyed.emits, strict=True):
            if emit.kind == CUSTOMER:
                alike.add(refs.refs)

    def _check_order(self, mapped: list[Mapped], faults: RowFaults) -> None:
        """Rejects rows whose days and instants contradict one another, or have not come."""
        now = self.store.clock()
        today = now.astimezone(self.store.time_zone).date()
        for one in mapped:
            if not ordered_names(one.plan.fields) or not one.block.size:
                continue
            found = contradictions(one.plan.fields, hook_batch(one).columns, now, today)
            for c in found:
                words = f"{c.value} {c.message}"
                fault = Fault(CONTRADICTION, c.value, c.allowed, words)
                faults.setdefault(one.positions[c.row], []).append(RowFault(c.field, fault))

    def _ask_plugins(self, mapped: list[Mapped], faults: RowFaults) -> None:
        for one in mapped:
            if not one.block.size:
                continue
            for plugin, found in self.host.call_veto("check_rows", batch=hook_batch(one)):
                for fault in found:
                    if not 0 <= fault.row < one.block.size:
                        raise PluginError(
                            plugin, "check_rows",
                            f"row {fault.row} is not one of the {one.block.size} rows of "
                            f"{one.plan.entity}.",
                        )  # fmt: skip
                    value = "" if fault.value is None else shown(str(fault.value))
                    words = f"{fault.message} (plugin {plugin})"
                    refused = RowFault(fault.field, Fault(fault.code, value, fault.allowed, words))
                    faults.setdefault(one.positions[fault.row], []).append(refused)

    # --- what is stored already ---------------------------------------------------------------

    def _prepare(self, tx: Tx, mapped: list[Mapped], faults: RowFaults) -> None:
        for i, one in enumerate(mapped):
            self._check_links(tx.connection, one, mapped, faults)
            self._prepare_one(tx.connection, i, mapped, faults)
            self._check_owners(tx, i, mapped, faults)

    def _check_owners(self, tx: Tx, index: int, mapped: list[Mapped], faults: RowFaults) -> None:
        """Rejects rows that give away a customer whose renewals are protected."""
        one, upsert = mapped[index], self.upserts[index]
        if not isinstance(upsert, CustomerUpsert):
            return
        for i, held in upsert.protected(tx, one.block):
            given = str(one.block.columns["owner"][i] or "")
            allowed = f"{held.owner}, or others from {held.free_on}"
            fault = Fault("E_RENEWAL", shown(given), allowed, held.why)
            faults.setdefault(one.positions[i], []).append(RowFault("owner", fault))

    def _prepare_one(
        self, connection: Connection, index: int, mapped: list[Mapped], faults: RowFaults
    ) -> None:
        one, upsert = mapped[index], self.upserts[index]
        stale: list[tuple[int, Any]] | None = []
        if isinstance(upsert, FieldsUpsert):
            stale = upsert.prepare(
                connection, one.block, self._known_owners(connection, one, mapped)
            )
        else:
            refs = one.block.refs
            if self._first_load[index]:
                refs = self._seen_of(index).known(refs) if index in self.plan.units else []
            if isinstance(upsert, RecordUpsert):
                stale = upsert.prepare(connection, one.block, refs, owned=_owned(one.plan))
                for i in upsert.filed(one.block):
                    ref = shown(one.block.refs[i])
                    words = f"{one.plan.entity} {ref} is filed and is never changed"
                    fault = Fault("E_APPEND_ONLY", ref, "what it says already, or a new key", words)
                    faults.setdefault(one.positions[i], []).append(RowFault("key", fault))
            elif isinstance(upsert, CustomerUpsert):
                stale = upsert.prepare(connection, one.block, refs)
            else:
                upsert.prepare(connection, one.block, refs)
        for i, since in stale or ():
            given = one.block.valid_from[i] if one.block.valid_from else ""
            fault = Fault(
                "E_STALE", str(given)[:19], f"{str(since)[:19]} or later",
                f"it is true since {str(given)[:19]}, but what is stored since {str(since)[:19]} (UTC)",
            )  # fmt: skip
            faults.setdefault(one.positions[i], []).append(RowFault("effective", fault))

    def _seen_of(self, index: int) -> SeenKeys:
        return self.seen[self.plan.row_unit + self.plan.units.index(index)]

    def _known_owners(
        self, connection: Connection, one: Mapped, mapped: list[Mapped]
    ) -> list[int | None]:
        """Ids of the owners that are stored; None for those that this batch makes."""
        if one.plan.owner is None:
            return self._stored_ids(connection, one, "owner") or []
        owner = mapped[one.plan.owner]
        found = self.upserts[one.plan.owner].found
        if not found:
            return [None] * one.block.size
        by_position = dict(zip(owner.positions, owner.block.refs, strict=True))
        refs = (by_position.get(p) for p in one.positions)
        return [found[ref][ID] if ref in found else None for ref in refs]

    def _stored_ids(
        self, connection: Connection, one: Mapped, what: str
    ) -> list[int | None] | None:
        """Ids of the stored owners or subjects that the rows name; None if the emit names none."""
        stored, refs = _named(one, what)
        if stored is None:
            return None
        wanted = (ref for ref in refs if ref is not None)
        if stored.path:
            ids = self.lookup.owners(connection, stored.path, stored.source, wanted)
        else:
            ids = self.lookup.ids(connection, stored.entity, stored.source, wanted)
        return [None if ref is None else ids.get(ref) for ref in refs]

    def _check_links(
        self, connection: Connection, one: Mapped, mapped: list[Mapped], faults: RowFaults
    ) -> None:
        """Rejects rows whose owner or subject is neither stored nor made by the same row."""
        plan = one.plan
        if plan.owner_ref is not None:
            needed = not self._may_be_ownerless(plan)
            self._check_stored(connection, one, "owner", faults, needed=needed)
        elif plan.owner is not None and not self._may_be_ownerless(plan):
            there = mapped[plan.owner].positions
            if len(there) < len(one.positions) or there != one.positions:
                lacking = set(one.positions) - set(there)
                words = f"the row makes no {plan.entity} an owner"
                for position in sorted(lacking):
                    fault = Fault("E_OWNER", "", mapped[plan.owner].plan.emit.name, words)
                    faults.setdefault(position, []).append(RowFault("owner", fault))
        if plan.subject_ref is not None:
            self._check_stored(connection, one, "subject", faults, needed=False)

    def _may_be_ownerless(self, plan: EmitPlan) -> bool:
        if plan.kind != INTERACTION:
            return not _owned(plan) and plan.kind != FIELDS
        return self.store.catalog.interaction_kinds[plan.entity].anonymous

    def _check_stored(
        self, connection: Connection, one: Mapped, what: str, faults: RowFaults, *, needed: bool
    ) -> None:
        stored, refs = _named(one, what)
        code = "E_OWNER" if what == "owner" else "E_SUBJECT"
        ids = self._stored_ids(connection, one, what) or ()
        for i, (ref, found) in enumerate(zip(refs, ids, strict=True)):
            if found is not None or (ref is None and not needed):
                continue
            where = f"{stored.entity} of source {stored.source}" if stored else what
            words = (
                f"it names no {where}" if ref is None else f"{shown(ref)!r} is no stored {where}"
            )
            fault = Fault(code, shown(ref or ""), f"a stored {where}", words)
            faults.setdefault(one.positions[i], []).append(RowFault(what, fault))

    # --- repeats ------------------------------------------------------------------------------

    def _repeats(
        self, keyed: Keyed, batch: Batch, alive: list[bool], faults: RowFaults
    ) -> set[int]:
        """Takes rows that repeat an earlier key out of ``alive``; gives the rows taken out.

        A repeat with other values becomes a fault. An emit's own key may repeat with equal values
        (a customer on many order lines); such a row stays.
        """
        dropped: set[int] = set()
        for number, unit in enumerate(keyed.units):
            positions, keys, prints = _alive(unit, alive)
            lines = batch.lines
            at = lines if len(positions) == batch.size else [lines[p] for p in positions]
            for repeat in self.seen[number].repeats(keys, prints, at):
                position = positions[repeat.position]
                if repeat.equal and unit.emit is not None:
                    continue
                if not repeat.equal:
                    faults.setdefault(position, []).append(
                        self._duplicate(unit, keys[repeat.position], repeat.first_line)
                    )
                dropped.add(position)
            for position in dropped:
                alive[position] = False
        return dropped

    def _duplicate(self, unit: Unit, key: str, line: int) -> RowFault:
        if unit.emit is None:
            name = ", ".join(self.plan.profile.source.key)
        else:
            found = self.plan.emits[unit.emit].key
            name = ", ".join(found.columns) if found else ""
        words = f"line {line} has the same key and other values"
        return RowFault(name, Fault("E_DUPLICATE", shown(key), f"the values of line {line}", words))

    def _to_remember(
        self, keyed: Keyed, batch: Batch, alive: list[bool]
    ) -> list[tuple[int, Sequence[str], Sequence[int], Sequence[int]]]:
        added = []
        for number, unit in enumerate(keyed.units):
            positions, keys, prints = _alive(unit, alive)
            lines = (
                batch.lines if len(positions) == batch.size else [batch.lines[p] for p in positions]
            )
            repeats = {r.position for r in self.seen[number].repeats(keys, prints, lines)}
            if repeats:
                new = [i for i in range(len(keys)) if i not in repeats]
                keys, prints = [keys[i] for i in new], [prints[i] for i in new]
                lines = [lines[i] for i in new]
            added.append((number, keys, prints, lines))
        return added

    # --- writing ------------------------------------------------------------------------------

    def _write(self, tx: Tx, mapped: list[Mapped], size: int) -> bytearray:
        outcomes = bytearray(size)
        made: list[tuple[Sequence[int], list[int]]] = []
        changed: dict[str, dict[int, None]] = {}
        for i, one in enumerate(mapped):
            if self._twice[i] and one.block.size:
                # An earlier emit of this row may just have made what this one was looked up as.
                self._prepare_one(tx.connection, i, mapped, {})
            written = self._write_one(tx, i, one, made)
            made.append((one.positions, written.ids))
            _raise_outcomes(outcomes, one.positions, written.outcomes)
            if isinstance(self.upserts[i], RecordUpsert):
                found = compress(written.ids, written.outcomes)
                changed.setdefault(one.plan.entity, {}).update(dict.fromkeys(found))
        for entity, ids in changed.items():
            if ids:
                self.host.call_veto(
                    "settle_records", entity=entity, ids=tuple(ids), store=self.store, tx=tx
                )
        return outcomes

    def _write_one(
        self, tx: Tx, index: int, one: Mapped, made: list[tuple[Sequence[int], list[int]]]
    ) -> Written:
        plan, upsert = one.plan, self.upserts[index]
        if not one.block.size:
            return Written([], [])
        if isinstance(upsert, CustomerUpsert):
            return upsert.write(tx, one.block)
        owners = self._linked(tx.connection, one, "owner", made)
        if isinstance(upsert, FieldsUpsert):
            return upsert.write(tx, one.block, [o for o in owners or () if o is not None])
        if isinstance(upsert, RecordUpsert):
            return upsert.write(tx, one.block, owners if _owned(plan) else None)
        customers = owners if owners is not None else [None] * one.block.size
        subjects = self._linked(tx.connection, one, "subject", made)
        return upsert.write(tx, one.block, customers, subjects, plan.subject_type)

    def _linked(
        self, connection: Connection, one: Mapped, what: str,
        made: list[tuple[Sequence[int], list[int]]],
    ) -> Sequence[int | None] | None:  # fmt: skip
        index = one.plan.owner if what == "owner" else one.plan.subject
        if index is None:
            return self._stored_ids(connection, one, what)
        positions, ids = made[index]
        if positions == one.positions:
            return ids
        by_position: Mapping[int, int] = dict(zip(positions, ids, strict=True))
        return [by_position.get(p) for p in one.positions]


def _upsert(
    statements: Statements, emit: EmitPlan, feed: Feed
) -> CustomerUpsert | FieldsUpsert | RecordUpsert | InteractionUpsert:
    if emit.kind == CUSTOMER:
        return CustomerUpsert(statements, emit.source, feed)
    if emit.kind == FIELDS:
        return FieldsUpsert(statements, emit.entity, emit.source, feed)
    if emit.kind == INTERACTION:
        return InteractionUpsert(statements, emit.entity, emit.source, feed)
    return RecordUpsert(statements, emit.entity, emit.source, feed)


def _named(one: Mapped, what: str) -> tuple[StoredRef | None, Sequence[str | None]]:
    """How the stored owner or subject is found, and the refs of the rows."""
    if what == "owner":
        return one.plan.owner_ref, one.owner_refs or ()
    return one.plan.subject_ref, one.subject_refs or ()


def _owned(plan: EmitPlan) -> bool:
    return plan.owner is not None or plan.owner_ref is not None


def _currencies(one: Mapped) -> set[str]:
    """The currencies of a block's amounts."""
    names = [c for t in one.plan.money for c in t.columns[1:]]
    return {code for name in names for code in set(one.block.columns.get(name, ())) if code}


def _alive(unit: Unit, alive: Sequence[bool]) -> tuple[Sequence[int], Sequence[str], Sequence[int]]:
    if all(alive):
        return unit.positions, unit.keys, unit.prints
    kept = [i for i, p in enumerate(unit.positions) if alive[p]]
    return (
        [unit.positions[i] for i in kept],
        [unit.keys[i] for i in kept],
        [unit.prints[i] for i in kept],
    )


def _without(mapped: list[Mapped], faults: RowFaults, alive: list[bool]) -> list[Mapped]:
    """The blocks without the rows that have faults, which leave ``alive`` too."""
    new = [position for position in faults if alive[position]]
    if not new:
        return mapped
    for position in new:
        alive[position] = False
    return _kept(mapped, alive)


def _kept(mapped: list[Mapped], alive: Sequence[bool]) -> list[Mapped]:
    return [one.kept(alive) for one in mapped]


def _raise_outcomes(outcomes: bytearray, positions: Sequence[int], marks: Sequence[int]) -> None:
    if len(positions) == len(outcomes) and not any(outcomes):
        outcomes[:] = bytes(marks)
        return
    for position, mark in zip(positions, marks, strict=True):
        if mark > outcomes[position]:
            outcomes[position] = mark


def _broken(broken: Broken) -> Reject:
    return Reject(
        broken.line, broken.code, broken.field, broken.value, broken.allowed, broken.message,
        broken.original,
    )  # fmt: skip


def _reject(batch: Batch, position: int, found: list[RowFault]) -> Reject:
    # One missing key is the fault of every emit that uses it, and is said once.
    faults = list(dict.fromkeys(found))
    first, more = faults[0], faults[1:]
    message = first.message
    if more:
        message += "; also " + "; ".join(f"{r.field}: {r.message}" for r in more[:5])
    return Reject(
        batch.lines[position], first.fault.code, first.field, first.fault.value,
        first.fault.allowed, message, batch.originals[position],
    )  # fmt: skip
