"""Keys and phone numbers that a spreadsheet or a data frame took for numbers.

``49301234567.0`` is read as the whole number that it is, ``4.93E+11`` has lost digits and rejects its
row, and where some values of a column have a leading zero, those that may have lost it are remarked on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import define, evolve, field, frozen

from ..entities.checks import Fault, shown
from .batch import Batch
from .plan import Plan
from .values import PrecisionLost, whole_number

_DECIMAL = re.compile(r"[+-]?[0-9]+[.,][0-9]+")
# Shorter numbers are extensions and short codes, which have no leading zero to lose.
SHORTEST_PHONE = 6


@frozen
class Lost:
    """A cell whose digits are lost: its row's position in the batch, its column, and the fault."""

    position: int
    column: str
    fault: Fault


@define
class _Column:
    """What was seen of one column so far.

    Attributes:
        is_phone: whether its values are phone numbers, which need not be of one length.
        whole: whether values such as ``20.0`` are whole numbers; None until the first is seen.
        restored: how many values were read without their decimals. first: the line of the first.
        zeros: lengths of values with a leading zero.
        bare: of values of digits without one, by length: how many and the first line.
    """

    is_phone: bool
    whole: bool | None = None
    restored: int = 0
    first: int = 0
    zeros: set[int] = field(factory=set)
    bare: dict[int, tuple[int, int]] = field(factory=dict)


class NumberLike:
    """Reads the columns of keys and phone numbers of one file, batch by batch.

    Whether ``1.0`` is the whole number 1 or, beside 1.1, the number of a section, is decided by the
    first batch that has such a value, so that a resumed import decides alike.
    """

    def __init__(self, plan: Plan) -> None:
        phones = {
            c
            for e in plan.emits
            for (kind, _), targets in e.contacts.items()
            if kind == "phone"
            for t in targets
            for c in t.spec.columns
        }
        keys = {
            c for key in (plan.row_key, *(e.key for e in plan.emits)) if key for c in key.columns
        }
        for emit in plan.emits:
            for link in (emit.owner_ref, emit.subject_ref):
                keys |= set(link.converter.spec.columns) if link else set()
        self._columns = {
            name: _Column(name in phones and name not in keys) for name in sorted(phones | keys)
        }
        self._watched_to = 0
        self._last: tuple[Batch, Batch, list[Lost]] | None = None

    def read(self, batch: Batch) -> tuple[Batch, list[Lost]]:
        """The batch with its whole numbers restored, and the cells whose digits are lost.

        The same batch may be asked for again.
        """
        if self._last is None or self._last[0] is not batch:
            columns, lost = dict(batch.columns), list[Lost]()
            for name, seen in self._columns.items():
                if name in columns:
                    columns[name] = self._read_column(name, seen, columns[name], batch.lines, lost)
            self._last = batch, evolve(batch, columns=columns), lost
            self._watched_to = max([self._watched_to, *batch.lines[-1:]])
        return self._last[1], self._last[2]

    def _read_column(
        self, name: str, seen: _Column, cells: Sequence[str | None], lines: Sequence[int],
        lost: list[Lost],
    ) -> Sequence[str | None]:  # fmt: skip
        odd = [i for i, c in enumerate(cells) if c and ("." in c or "," in c or "+" in c[1:])]
        if odd:
            cells = self._restored(name, seen, cells, odd, lines, lost)
        # Parts of a batch that was looked at before are not counted twice.
        if lines and lines[-1] > self._watched_to:
            self._watch_zeros(seen, cells, lines)
        return cells

    def _restored(
        self, name: str, seen: _Column, cells: Sequence[str | None], odd: Sequence[int],
        lines: Sequence[int], lost: list[Lost],
    ) -> Sequence[str | None]:  # fmt: skip
        out = list(cells)
        for i in odd:
            text = (cells[i] or "").strip()
            try:
                found = whole_number(text)
            except PrecisionLost as error:
                fault = Fault(
                    "E_PRECISION_LOST", shown(text), "all digits, written as text",
                    f"{shown(text)!r} {error}",
                )  # fmt: skip
                lost.append(Lost(i, name, fault))
                continue
            if found is None:
                continue
            if seen.whole is None:
                seen.whole = seen.is_phone or not any(
                    _DECIMAL.fullmatch(c) and _not_whole(c)
                    for c in ((cells[j] or "").strip() for j in odd)
                )
            if seen.whole:
                out[i] = found
                seen.first = seen.first or lines[i]
                seen.restored += 1
        return out

    def _watch_zeros(
        self, seen: _Column, cells: Sequence[str | None], lines: Sequence[int]
    ) -> None:
        for i, cell in enumerate(cells):
            if not cell or not cell.isdigit():
                continue
            if cell[0] == "0":
                seen.zeros.add(len(cell))
            elif len(cell) in seen.bare:
                count, first = seen.bare[len(cell)]
                seen.bare[len(cell)] = count + 1, first
            else:
                seen.bare[len(cell)] = 1, lines[i]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was read otherwise than it stands, and what may have lost a zero, so far."""
        out = []
        for name, seen in self._columns.items():
            if seen.restored:
                out.append(
                    f"column {name}: whole numbers written with decimals, as 20.0, were read without "
                    f"them (rows: {seen.restored}, the first on line {seen.first})."
                )
            short = self._shortened(seen)
            if short:
                out.append(
                    f"column {name}: values that may have lost a leading zero, which others have "
                    f"(rows: {sum(n for n, _ in short)}, the first on line {min(f for _, f in short)}): "
                    "a spreadsheet removes it from numbers; export the column as text."
                )
        return tuple(out)

    def _shortened(self, seen: _Column) -> list[tuple[int, int]]:
        """Values shorter than those with a zero: of phones by a digit or more, of keys than any."""
        if not seen.zeros:
            return []
        if seen.is_phone:
            return [v for n, v in seen.bare.items() if SHORTEST_PHONE <= n < max(seen.zeros)]
        return [v for n, v in seen.bare.items() if n < min(seen.zeros)]


def _not_whole(text: str) -> bool:
    return bool(re.split("[.,]", text)[1].strip("0"))
