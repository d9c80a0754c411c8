"""When a model is watched, and when its owner is alarmed."""

from __future__ import annotations

import math

CHECK = "banking.model_check"
# Bounds of practice (Siddiqi 2006, chapter 8): below 0.10 stable, above 0.25 to be acted upon.
WATCH, ACT = 0.10, 0.25
# Observed over expected bads outside of this, or more overrides, ask for the model owner.
LOW, HIGH, OVERRIDES = 0.8, 1.25, 0.10
# Fewer decisions move by chance alone: with ten bands the index of 100 rows drawn from the same
# distribution is about 9/100.
LEAST = 100
# Of so many expected bads the number observed has a standard deviation of a tenth, so that the bounds
# 0.8 and 1.25 are two of them away; of fewer, chance alone would raise the alarm.
LEAST_EXPECTED = 100
TOO_FEW = "too few"


def by_chance(bands: int, before: int, now: int) -> float:
    """The stability index that 95 of 100 samples of an unchanged population stay below.

    The index is then about a chi-square with one degree less than bands, times 1/before + 1/now
    (Yurdakul 2018, Statistical properties of the population stability index). Its 95 % point is that of
    Wilson & Hilferty 1931, which is within 0.1 for four bands or more.

    Args:
        bands: how many there are; before, now: rows of the two samples.
    """
    freedom = bands - 1
    part = 2 / (9 * freedom)
    return freedom * (1 - part + 1.6449 * math.sqrt(part)) ** 3 * (1 / before + 1 / now)


def verdict(
    psi: float | None, ratio: float | None, overrides: float | None, chance: float | None = None
) -> str:
    """``act``, ``watch``, ``stable``, or ``too few`` where the index is missing and nothing alarms.

    Args:
        psi, ratio, overrides: the figures; None are of too few rows.
        chance: what ``psi`` reaches by chance (:func:`by_chance`); up to it nothing has moved.
    """
    moved = psi if psi is not None and psi > (chance or 0.0) else 0.0
    if (
        moved > ACT
        or (ratio is not None and not LOW <= ratio <= HIGH)
        or (overrides or 0.0) > OVERRIDES
    ):
        return "act"
    return TOO_FEW if psi is None else "watch" if moved >= WATCH else "stable"
