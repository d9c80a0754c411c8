"""Why customers leave: the generator's own truth.

Every customer carries a grievance per cause. What happens in a month raises one, each month that
passes lets it fade, and the hazard of leaving in the next month is a base plus what the grievances
add. When someone leaves, the cause is drawn in proportion to what each added, so the truth file
knows it. The base is the cause that no data show: people move, or say nothing.
"""

from __future__ import annotations

import numpy as np
from attrs import define
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

VISIBLE = ("price", "network", "service", "silence", "contract")
UNSEEN = "unseen"
CAUSES = (*VISIBLE, UNSEEN)

# Added monthly hazard for a full grievance. With the shocks of months.py an operator loses some
# 1.5 to 2 % a month, which is what the trade reports for mixed prepaid and postpaid bases.
WEIGHT = {"price": 0.17, "network": 0.14, "service": 0.16, "silence": 0.18, "contract": 0.12}
# What is left of a grievance after a month. Silence and an open contract last until they end.
KEPT = {"price": 0.72, "network": 0.72, "service": 0.72, "silence": 0.88, "contract": 0.65}
BASE = 0.0025
# A full grievance fades to this within ninety days (0.72 a month).
LEAST_STANDING = 0.37
# Bound by a contract one leaves seldom: the exit fee holds back all causes alike.
BOUND_FACTOR = 0.3
# Share of the three months after the judged month that falls into the outcome window of the score
# (day 15 to day 75): half of the first, all of the second, half of the third.
WINDOW = (0.53, 1.0, 0.5)


@define
class Grievances:
    """Strength of each visible cause per customer; 0 is none, 1 is full."""

    level: dict[str, Floats]

    @classmethod
    def none(cls, size: int) -> Grievances:
        """Nobody has any."""
        return cls({cause: np.zeros(size) for cause in VISIBLE})

    def total(self) -> Floats:
        """All grievances of each customer added up."""
        return np.asarray(np.stack(list(self.level.values())).sum(0))

    def fade(self) -> None:
        """A month passes. Silence and open contracts are set anew each month by their states."""
        for cause in ("price", "network", "service"):
            self.level[cause] *= KEPT[cause]

    def add(self, cause: str, hit: Flags, strength: float = 1.0) -> None:
        """Raises a cause where ``hit``; a second shock adds up to one and a half."""
        level = self.level[cause]
        self.level[cause] = np.where(hit, np.minimum(level + strength, 1.5), level)

    def soothe(self, hit: Flags) -> None:
        """An accepted offer settles what there was."""
        for cause in VISIBLE:
            self.level[cause] = np.where(hit, 0.0, self.level[cause])


def hazards(grievances: Grievances, base_factor: Floats, bound: Flags) -> dict[str, Floats]:
    """Hazard of leaving in the next month by cause.

    Args:
        grievances: as they stand at the end of the month.
        base_factor: multiplies the base: new customers and loose payers leave more easily.
        bound: whether a contract holds the customer next month.
    """
    held = np.where(bound, BOUND_FACTOR, 1.0)
    out = {cause: WEIGHT[cause] * grievances.level[cause] * held for cause in VISIBLE}
    out[UNSEEN] = BASE * base_factor * held
    return out


def expected_departures(by_cause: dict[str, Floats]) -> Floats:
    """What the generator itself would expect in the outcome window, given the state now.

    Each cause fades at its own pace; nothing later is used. No score can be expected to rank
    better, because the rest is chance and shocks that are still to come.
    """
    total = np.zeros(len(by_cause[UNSEEN]))
    for cause, hazard in by_cause.items():
        kept = KEPT.get(cause, 1.0)
        total += hazard * sum(share * kept**month for month, share in enumerate(WINDOW))
    return total


def standing_cause(grievances: Grievances, by_cause: dict[str, Floats]) -> NDArray[np.int64]:
    """Index into CAUSES of the grievance that adds most to each customer's hazard now.

    A grievance that has faded below ``LEAST_STANDING`` is passed over: what raised it lies further
    back than the ninety days that anybody would look at. Without any the cause is the unseen one.
    """
    parts = [
        np.where(grievances.level[cause] >= LEAST_STANDING, by_cause[cause], 0.0)
        for cause in VISIBLE
    ]
    # The unseen one wins over nothing but zeros.
    parts.append(np.full(len(parts[0]), np.finfo(np.float64).tiny))
    return np.asarray(np.stack(parts).argmax(0), dtype=np.int64)


def draw_cause(by_cause: dict[str, Floats], rng: np.random.Generator) -> NDArray[np.int64]:
    """Index into CAUSES per customer, in proportion to the parts of the hazard."""
    parts = np.cumsum(np.stack([by_cause[cause] for cause in CAUSES]), axis=0)
    aim = rng.random(parts.shape[1]) * parts[-1]
    return np.asarray((parts <= aim).sum(0).clip(0, len(CAUSES) - 1), dtype=np.int64)
