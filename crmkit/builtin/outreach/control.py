"""The control group: who is left alone, so that what the contacts bring can be measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from math import floor


class ControlGroup:
    """A control group that is drawn at random within each stratum, all at once or batch by batch.

    The draw orders the customers of a stratum by a hash of seed and id and takes the first ones, so
    the same seed over the same customers gives the same group on every machine. What a stratum, or a
    batch, owes to rounding goes to the next one, so the whole group differs from the share by less
    than one.

    Args:
        share: 0 to 1.
    """

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._seed, self._owed = share, seed, 0.0

    def draw(self, people: Iterable[tuple[int, str]]) -> set[int]:
        """The customers of the control group among these, given with their stratum."""
        strata: defaultdict[str, list[int]] = defaultdict(list)
        for person, stratum in people:
            strata[stratum].append(person)
        out: set[int] = set()
        for _, members in sorted(strata.items()):
            self._owed += len(members) * self._share
            # Sums of shares such as 0.1 fall short of whole numbers by a rounding error.
            take = floor(self._owed + 1e-9)
            out.update(sorted(members, key=lambda i: _drawn(self._seed, i))[:take])
            self._owed -= take
        return out


def control_group(people: Iterable[tuple[int, str]], share: float, seed: int) -> set[int]:
    """The customers of a :class:`ControlGroup` that is drawn at once."""
    return ControlGroup(share, seed).draw(people)


def _drawn(seed: int, person: int) -> bytes:
    return sha256(f"{seed}:{person}".encode()).digest()
