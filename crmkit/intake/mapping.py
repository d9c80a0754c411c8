"""Batches of cells to blocks of stored values, column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Any

from attrs import define, field, frozen

from ..declarations import CUSTOMER
from ..entities.checks import Fault
from ..store.bulk import Block
from .batch import Batch
from .cells import Faults, fragments
from .keys import Occurrences
from .number_like import NumberLike
from .plan import INTERACTION, EmitPlan, Plan, StoredRef, Target
from .profile import Condition, Key
from .values import whole_or_none


@frozen
class RowFault:
    """Why a row is rejected: the field at fault, if it is one, the fault, and the columns read."""

    field: str
    fault: Fault
    columns: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The words, with the file's columns where the field has another name."""
        if not self.columns or self.columns == (self.field,):
            return self.fault.message
        return f"column {', '.join(self.columns)}: {self.fault.message}"


RowFaults = dict[int, list[RowFault]]


@define
class Refs:
    """The rows that an emit takes, and the refs of what it makes of them; None lacks a part."""

    positions: Sequence[int]
    refs: Sequence[str | None]


@define
class Unit:
    """Keys to be watched for repeats: row positions, keys, and fingerprints of the values.

    ``emit`` is the index of the emit whose keys they are, or None for the row's.
    """

    emit: int | None
    positions: Sequence[int]
    keys: Sequence[str]
    prints: Sequence[int]


@define
class Keyed:
    """The keys of a batch."""

    emits: list[Refs]
    units: list[Unit]
    faults: RowFaults = field(factory=dict)


@define(kw_only=True)
class Mapped:
    """What an emit makes of a batch: aligned with ``positions``, the rows it takes.

    ``owner_refs`` and ``subject_refs`` are refs of stored things, None where the row names none.
    ``members`` are the JSON texts of an interaction's payload.
    """

    plan: EmitPlan
    positions: Sequence[int]
    block: Block
    owner_refs: Sequence[str | None] | None = None
    subject_refs: Sequence[str | None] | None = None
    members: dict[str, Sequence[str | None]] = field(factory=dict)

    def kept(self, keep: Sequence[bool]) -> Mapped:
        """The rows whose flag, by position in the batch, is true."""
        flags = [keep[p] for p in self.positions]

        def left(values: Sequence[Any] | None) -> list[Any] | None:
            return None if values is None else list(compress(values, flags))

        return Mapped(
            plan=self.plan,
            positions=list(compress(self.positions, flags)),
            block=self.block.kept(flags),
            owner_refs=left(self.owner_refs),
            subject_refs=left(self.subject_refs),
            members={n: list(compress(v, flags)) for n, v in self.members.items()},
        )


class Mapper:
    """Applies a plan to the batches of one file, in order."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.null = plan.profile.source.null | {""}
        self.strip = plan.profile.source.strip
        self.number_like = NumberLike(plan)
        self._occurrences = Occurrences() if plan.row_key is None and self._needs_row_key else None
        self._conditions = [
            [(c.column, _condition(c, self.null, self.strip)) for c in e.emit.when]
            for e in plan.emits
        ]

    @property
    def _needs_row_key(self) -> bool:
        return any(e.key is None and e.kind != "fields" for e in self.plan.emits)

    def close(self) -> None:
        """Removes temporary files."""
        if self._occurrences is not None:
            self._occurrences.close()

    def settle(self) -> None:
        """Says that the batch whose keys were asked for is committed."""
        if self._occurrences is not None:
            self._occurrences.settle()

    # --- keys ---------------------------------------------------------------------------------

    def keys(self, batch: Batch) -> Keyed:
        """The keys of a batch's rows; to be called for every batch of the file, in order.

        It may be asked again for a batch that was not committed, until :meth:`settle`.
        """
        faults: RowFaults = {}
        given = batch
        batch, lost = self.number_like.read(given)
        for cell in lost:
            fault = RowFault(cell.column, cell.fault)
            faults.setdefault(cell.position, []).append(fault)
        rows = self._row_keys(batch if self.plan.row_key else given, faults)
        emits = [self._refs(i, batch, rows, faults) for i in range(len(self.plan.emits))]
        units = []
        if self.plan.row_unit:
            used = _beside(self.plan.row_key, self.plan.profile.used)
            units.append(self._unit(None, range(batch.size), rows, used, batch))
        for i in self.plan.units:
            used = _beside(self.plan.emits[i].key, self.plan.emits[i].emit.used)
            units.append(self._unit(i, emits[i].positions, emits[i].refs, used, batch))
        return Keyed(emits, units, faults)

    def parts(self, batch: Batch) -> list[Batch]:
        """The batch cut so that no part has one key twice with other values (``last_wins``)."""
        units = []
        batch, _ = self.number_like.read(batch)
        if self.plan.row_key is not None:
            rows = self._build(self.plan.row_key, batch, None)
            units.append(self._unit(None, range(batch.size), rows, self.plan.profile.used, batch))
        for i in self.plan.units:
            refs = self._refs(i, batch, (), {})
            used = self.plan.emits[i].emit.used
            units.append(self._unit(i, refs.positions, refs.refs, used, batch))
        by_row: dict[int, list[tuple[int, str, int]]] = {}
        for number, unit in enumerate(units):
            for position, key, print_ in zip(unit.positions, unit.keys, unit.prints, strict=True):
                by_row.setdefault(position, []).append((number, key, print_))
        cuts = [0]
        seen: dict[tuple[int, str], int] = {}
        for position in range(batch.size):
            found = by_row.get(position, [])
            if any(seen.get((n, key), print_) != print_ for n, key, print_ in found):
                cuts.append(position)
                seen = {}
            seen |= {(n, key): print_ for n, key, print_ in found}
        return [batch.part(a, b) for a, b in zip(cuts, [*cuts[1:], batch.size], strict=True)]

    def _row_keys(self, batch: Batch, faults: RowFaults) -> Sequence[str | None]:
        key = self.plan.row_key
        if key is not None:
            rows = self._build(key, batch, None)
            self._report_missing(key, rows, range(batch.size), faults)
            return rows
        if self._occurrences is not None:
            names = [n for n in batch.columns if not n.startswith("_")]
            cells = list(zip(*(batch.columns[n] for n in names), strict=True))
            return self._occurrences.keys(cells, batch.lines[0]) if cells else []
        return (None,) * batch.size

    def _refs(
        self, index: int, batch: Batch, rows: Sequence[str | None], faults: RowFaults
    ) -> Refs:
        emit = self.plan.emits[index]
        mask = self._mask(index, batch)
        positions = range(batch.size) if mask is None else list(compress(range(batch.size), mask))
        if emit.kind == "fields":
            return Refs(positions, ())
        if emit.key is not None:
            built = self._build(emit.key, batch, mask)
            self._report_missing(emit.key, built, positions, faults)
            return Refs(positions, built)
        refs = rows if mask is None else list(compress(rows, mask))
        if emit.suffix:
            refs = [None if r is None else r + emit.suffix for r in refs]
        return Refs(positions, refs)

    def _build(self, key: Key, batch: Batch, mask: Sequence[bool] | None) -> list[str | None]:
        columns = [_masked(batch.cells(c), mask) for c in key.columns]
        cleaned = [self._clean(cells) for cells in columns]
        if key.single:
            return cleaned[0]
        layout = "".join(
            _escaped(text) + ("" if column is None else "{}") for text, column in key.parts
        )
        missing = [None in c for c in cleaned]
        make = layout.format
        if not any(missing):
            return [make(*parts) for parts in zip(*cleaned, strict=True)]
        return [None if None in parts else make(*parts) for parts in zip(*cleaned, strict=True)]

    def _clean(self, cells: Sequence[str | None]) -> list[str | None]:
        null = self.null
        if None in cells:
            found = [c if c is None else (c.strip() if self.strip else c) for c in cells]
        else:
            found = list(map(str.strip, cells)) if self.strip else list(cells)  # type: ignore[arg-type]
        if null.isdisjoint(found):
            return found
        return [None if c in null else c for c in found]

    def _report_missing(
        self, key: Key, refs: Sequence[str | None], positions: Sequence[int], faults: RowFaults
    ) -> None:
        if None not in refs:
            return
        words = ", ".join(key.columns)
        fault = Fault("E_KEY", "", "a text", f"the key is missing: {words} must not be blank")
        for position, ref in zip(positions, refs, strict=True):
            if ref is None:
                faults.setdefault(position, []).append(RowFault(words, fault))

    def _mask(self, index: int, batch: Batch) -> list[bool] | None:
        masks = [list(map(test, batch.cells(column))) for column, test in self._conditions[index]]
        if not masks:
            return None
        return masks[0] if len(masks) == 1 else [all(flags) for flags in zip(*masks, strict=True)]

    def _unit(
        self, emit: int | None, positions: Sequence[int], keys: Sequence[str | None],
        used: tuple[str, ...], batch: Batch,
    ) -> Unit:  # fmt: skip
        columns = [batch.cells(name) for name in used]
        if len(positions) < batch.size:
            columns = [[c[i] for i in positions] for c in columns]
        prints = list(map(hash, zip(*columns, strict=True))) if columns else [0] * len(positions)
        if None in keys:
            whole = [k is not None for k in keys]
            positions, prints = list(compress(positions, whole)), list(compress(prints, whole))
            keys = list(compress(keys, whole))
        return Unit(emit, positions, keys, prints)  # type: ignore[arg-type]

    # --- values -------------------------------------------------------------------------------

    def values(self, batch: Batch, keyed: Keyed) -> list[Mapped]:
        """Converts every emit's values; faults are added to those of ``keyed``."""
        batch, _ = self.number_like.read(batch)
        return [
            self._map(emit, refs, batch, keyed.faults)
            for emit, refs in zip(self.plan.emits, keyed.emits, strict=True)
        ]

    def _map(self, emit: EmitPlan, refs: Refs, batch: Batch, faults: RowFaults) -> Mapped:
        cells = _Cells(batch, refs.positions, faults)
        size = len(refs.positions)
        block = Block(size=size, refs=refs.refs, clears=emit.clears)  # type: ignore[arg-type]
        members: dict[str, Sequence[Any]] = {}
        if emit.kind == INTERACTION:
            members = self._map_interaction(emit, cells, block)
        else:
            for target in emit.targets:
                cells.store(target, block.columns)
        if emit.kind == CUSTOMER:
            for slot, targets in emit.contacts.items():
                block.contacts[slot] = [cells.values(target) for target in targets]
        if emit.effective:
            block.valid_from = cells.values(emit.effective)
        return Mapped(
            plan=emit,
            positions=refs.positions,
            block=block,
            owner_refs=cells.refs(emit.owner_ref, "owner"),
            subject_refs=cells.refs(emit.subject_ref, "subject"),
            members=members,
        )

    def _map_interaction(
        self, emit: EmitPlan, cells: _Cells, block: Block
    ) -> dict[str, Sequence[Any]]:
        members: dict[str, Sequence[Any]] = {}
        for target in emit.targets:
            cells.store(target, members, as_json=True)
        for name, target in emit.envelope.items():
            block.columns[name] = cells.values(target)
        if "direction" in block.columns:
            block.columns["direction"] = [d or "none" for d in block.columns["direction"]]
        if emit.occurred_at:
            pairs = cells.values(emit.occurred_at)
            block.columns["occurred_at"] = [p and p[0] for p in pairs]
            block.columns["occurred_on"] = [p and p[1] for p in pairs]
        if emit.amount:
            cells.store(emit.amount, block.columns)
        block.columns["payload"] = fragments(members, block.size)
        return members


class _Cells:
    """The cells that one emit reads from one batch."""

    def __init__(self, batch: Batch, positions: Sequence[int], faults: RowFaults) -> None:
        self.batch, self.positions, self.faults = batch, positions, faults
        self.all = len(positions) == batch.size

    def values(self, target: Target) -> Sequence[Any]:
        """The stored values of a target."""
        if not target.spec.columns:
            return [target.constant] * len(self.positions)
        return self._convert(target.name, target.spec.used, target.converter.column)

    def _convert(
        self, name: str, used: tuple[str, ...], convert: Callable[[Any], tuple[list[Any], Faults]]
    ) -> list[Any]:
        columns = [self._column(c) for c in used]
        cells: Sequence[Any] = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
        values, faults = convert(cells)
        for i, fault in faults:
            self.faults.setdefault(self.positions[i], []).append(RowFault(name, fault, used))
        return values

    def _column(self, name: str) -> Sequence[str | None]:
        cells = self.batch.cells(name)
        return cells if self.all else [cells[i] for i in self.positions]

    def store(
        self, target: Target, into: dict[str, Sequence[Any]], *, as_json: bool = False
    ) -> None:
        """Puts a target's stored columns into ``into``."""
        values = self.values(target)
        if len(target.columns) == 1:
            into[target.columns[0]] = values
            return
        minor, currency = target.columns
        if target.spec.currency_column:
            into[minor] = [v and v[0] for v in values]
            codes = [v and v[1] for v in values]
        else:
            into[minor] = values
            codes = [v if v is None else target.currency for v in values]
        into[currency] = [c and f'"{c}"' for c in codes] if as_json else codes

    def refs(self, stored: StoredRef | None, name: str) -> Sequence[str | None] | None:
        """Refs of stored things, or None if the emit has no such reference."""
        if stored is None:
            return None
        spec = stored.converter.spec
        if not spec.columns:
            return [stored.converter.constant(spec.value)] * len(self.positions)
        return self._convert(name, spec.used, stored.converter.column)


def _beside(key: Key | None, used: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that a fingerprint needs beside a key of one column, whose blanks do not count."""
    single = key.single if key else None
    return tuple(name for name in used if name != single)


def _masked(cells: Sequence[Any], mask: Sequence[bool] | None) -> Sequence[Any]:
    return cells if mask is None else list(compress(cells, mask))


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _condition(
    condition: Condition, null: Iterable[str], strip: bool
) -> Callable[[str | None], bool]:
    missing, values = frozenset(null), condition.values

    def clean(cell: str | None) -> str | None:
        if cell is None:
            return None
        cell = cell.strip() if strip else cell
        return None if cell in missing else cell

    def among(cell: str | None) -> bool:
        text = clean(cell)
        # A code that is a whole number may be written as 1.0.
        return text in values or (text is not None and whole_or_none(text) in values)

    if condition.operator in ("equals", "in"):
        return among
    if condition.operator in ("not_equals", "not_in"):
        return lambda cell: not among(cell)
    wanted = condition.operator == "filled"
    return lambda cell: (clean(cell) is not None) is wanted
