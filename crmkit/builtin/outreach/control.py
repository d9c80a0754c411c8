"""The control group: who is left alone, so that what the contacts bring can be measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from math import floor


def control_group(people: Iterable[tuple[int, str]], share: float, seed: int) -> set[int]:
    """The customers of the control group, drawn at random within each stratum.

    The draw orders the customers of a stratum by a hash of seed and id and takes the first ones, so
    the same seed over the same customers gives the same group on every machine. What a stratum
    owes to rounding goes to the next one, so the whole group differs from the share by less than one.

    Args:
        people: (customer id, stratum). share: 0 to 1.
    """
    strata: defaultdict[str, list[int]] = defaultdict(list)
    for person, stratum in people:
        strata[stratum].append(person)
    out: set[int] = set()
    owed = 0.0
    for _, members in sorted(strata.items()):
        owed += len(members) * share
        # Sums of shares such as 0.1 fall short of whole numbers by a rounding error.
        take = floor(owed + 1e-9)
        out.update(sorted(members, key=lambda i: _drawn(seed, i))[:take])
        owed -= take
    return out


def _drawn(seed: int, person: int) -> bytes:
    return sha256(f"{seed}:{person}".encode()).digest()
