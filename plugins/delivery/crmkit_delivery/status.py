"""The status machine: what a shipment's scans make of it.

The status is a fold over the scans in order of event time and sequence. A scan that may not follow
is kept and flagged. It moves the shipment on where it only skips steps; it never moves it back, and
nothing but an allowed transition leads out of an end. Scans that arrive late take their place by
event time, so the result depends on the set of scans alone and not on the order of arrival.

The fold runs over all shipments at once: one step takes the next scan of each of them, so a pass
over millions of scans takes as many steps as the longest shipment has scans.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from crmkit.errors import MoveRefused

from .tables import CAME_FROM, statuses, transitions

Codes = NDArray[np.int8]
Ints = NDArray[np.int64]

# What may be said of a scan. A repeat of the status is neither a move nor an anomaly.
MOVES, REPEATS, SKIPPED, BACKWARD, AFTER_END, VOIDED = range(6)
ANOMALIES = {SKIPPED: "skipped", BACKWARD: "backward", AFTER_END: "after_end"}


@frozen(kw_only=True)
class Machine:
    """The table of transitions as a matrix.

    Attributes:
        names: statuses; a code is a position among them.
        verdict: by status now and status of the scan, one of MOVES to VOIDED. The last column is of
            scans that were voided.
        returns: by status now, whether it may go back to where it was held.
    """

    names: tuple[str, ...]
    verdict: Codes = field(repr=False, eq=False)
    returns: NDArray[np.bool_] = field(repr=False, eq=False)
    held: int

    @property
    def codes(self) -> dict[str, int]:
        """Code by name."""
        return {name: code for code, name in enumerate(self.names)}

    @property
    def voided(self) -> int:
        """The code of a scan that was voided, whatever its status."""
        return len(self.names)


@lru_cache(maxsize=1)
def machine() -> Machine:
    """The machine of ``tables/transitions.csv``."""
    found = statuses()
    names = tuple(status.name for status in found)
    code = {name: number for number, name in enumerate(names)}
    verdict = np.full((len(names), len(names) + 1), VOIDED, dtype=np.int8)
    returns = np.zeros(len(names), dtype=bool)
    for before in found:
        for after in found:
            verdict[code[before.name], code[after.name]] = (
                AFTER_END if before.ends
                else SKIPPED if after.progress > before.progress
                else BACKWARD
            )  # fmt: skip
        for name in transitions()[before.name]:
            if name == CAME_FROM:
                returns[code[before.name]] = True
            else:
                verdict[code[before.name], code[name]] = MOVES
        verdict[code[before.name], code[before.name]] = REPEATS
    return Machine(names=names, verdict=verdict, returns=returns, held=code["held"])


@frozen(kw_only=True)
class Folded:
    """What came of a fold.

    Attributes:
        verdict: by scan, in the order given, one of MOVES to VOIDED.
        before: by scan, the code of the status before it.
        status: by shipment, the code of its status now.
        last: by shipment, the position of the scan that put it there, -1 where none did.
    """

    verdict: Codes = field(repr=False, eq=False)
    before: Codes = field(repr=False, eq=False)
    status: Codes = field(repr=False, eq=False)
    last: Ints = field(repr=False, eq=False)


def fold(shipment: Ints, status: Codes) -> Folded:
    """Folds the scans of many shipments at once.

    Args:
        shipment: position of the shipment of each scan, 0 to n - 1, rising.
        status: code of each scan's status, or :attr:`Machine.voided`; scans of a shipment in order of
            event time and sequence.
    """
    m = machine()
    size = int(shipment[-1]) + 1 if len(shipment) else 0
    first = np.searchsorted(shipment, np.arange(size))
    counts = np.diff(np.append(first, len(shipment)))
    now = np.zeros(size, dtype=np.int8)
    origin = np.full(size, -1, dtype=np.int8)
    last = np.full(size, -1, dtype=np.int64)
    verdict = np.empty(len(shipment), dtype=np.int8)
    before = np.empty(len(shipment), dtype=np.int8)
    # Shipments with many scans first, so that those that are done drop off the end.
    order = np.argsort(-counts, kind="stable")
    for step in range(int(counts.max()) if size else 0):
        alive = order[: int(np.searchsorted(-counts[order], -step, side="left"))]
        at = first[alive] + step
        standing, scanned = now[alive], status[at]
        said = m.verdict[standing, scanned]
        back = m.returns[standing] & (origin[alive] == scanned) & (said != REPEATS)
        said = np.where(back, MOVES, said)
        verdict[at], before[at] = said, standing
        moved = (said == MOVES) | (said == SKIPPED)
        held = moved & (scanned == m.held)
        origin[alive] = np.where(held, standing, origin[alive])
        last[alive] = np.where(moved, at, last[alive])
        now[alive] = np.where(moved, scanned, standing)
    return Folded(verdict=verdict, before=before, status=now, last=last)


def check_ordered(current: str, target: str, came_from: str | None = None) -> None:
    """Refuses a transition that a person orders and the table does not allow.

    Args:
        current, target: statuses. came_from: where a held shipment came from.

    Raises:
        MoveRefused: naming the statuses that may follow.
    """
    m = machine()
    if target not in m.codes:
        raise MoveRefused(
            f"there is no status {target!r}.", hint=f"There are {', '.join(m.names)}."
        )
    allowed = [n for n in transitions()[current] if n != CAME_FROM]
    if CAME_FROM in transitions()[current] and came_from is not None:
        allowed.insert(0, came_from)
    if target not in allowed:
        raise MoveRefused(
            f"a shipment that is {current} cannot become {target}.",
            hint=f"Allowed from {current}: {', '.join(allowed) or 'none: it is an end'}.",
        )
