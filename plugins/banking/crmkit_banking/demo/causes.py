"""Why loans go bad: the generator's own truth.

Trouble begins with a cause, lasts for months, and while it lasts an instalment is missed with a
probability that the cause sets. What the cause leaves in the data shows before the first instalment
is missed: the salary stops, the card fills up, other lenders ask the bureau. The fourth cause leaves
nothing: an illness or a divorce is not in the accounts.
"""

from __future__ import annotations

import numpy as np
from attrs import define
from numpy.typing import NDArray

from .world import RETIRED, STUDENT, Flags, Floats, Ints, World

CAUSES = ("income_loss", "overspending", "overindebted", "unseen")
INCOME_LOSS, OVERSPENDING, OVERINDEBTED, UNSEEN = range(4)
NONE = -1
# Chance a month that trouble begins. Together some 2 % a month: a bank of consumer loans in bad times,
# chosen so that a demo of a few thousand customers has enough defaults to be measured.
BEGINS = (0.009, 0.008, 0.006, 0.002)
# Chance a month that it ends: seven months on average.
ENDS = 0.15
# Chance that an instalment is missed while it lasts, from its second month on.
MISSES = (0.55, 0.42, 0.42, 0.5)
# Who is not in trouble pays one instalment in a hundred some days late, and that is all.
FORGETS = 0.012
# What is left of an income that was lost: a benefit, which is no salary.
BENEFIT = 0.35
# In the month that is held back a recession begins: so many of those who work lose their income.
RECESSION = 0.6


@define
class Trouble:
    """Cause and age in months of each customer's trouble; NONE and 0 where there is none."""

    cause: Ints
    months: Ints

    @classmethod
    def none(cls, size: int) -> Trouble:
        """Nobody is in trouble."""
        return cls(np.full(size, NONE), np.zeros(size, np.int64))

    def step(self, world: World, active: Flags, rng: np.random.Generator, recession: bool) -> None:
        """A month passes: some trouble ends, some begins."""
        self.months += self.cause != NONE
        over = (self.cause != NONE) & (rng.random(world.size) < ENDS)
        self.cause[over], self.months[over] = NONE, 0
        chances = begins(world)
        if recession:
            chances[INCOME_LOSS] = np.where(chances[INCOME_LOSS] > 0.001, RECESSION, 0.0)
        start = np.cumsum(chances, axis=0)
        aim = rng.random(world.size)
        drawn = (start <= aim).sum(0)
        fresh = active & (self.cause == NONE) & (drawn < len(CAUSES))
        self.cause[fresh], self.months[fresh] = drawn[fresh], 0

    def has(self, cause: int) -> Flags:
        """Who is in trouble for this cause."""
        return np.asarray(self.cause == cause)

    def misses(self) -> Floats:
        """Chance that each customer misses this month's instalment."""
        chance = np.array([*MISSES, 0.0])[self.cause]
        return np.where(self.months >= 1, chance, 0.0)


def begins(world: World) -> NDArray[np.float64]:
    """Chance a month of each cause by customer: rows are CAUSES.

    Loose work doubles the loss of income, pensions and students' money are hardly ever lost; who has no
    credit card cannot overspend on it, who uses half the limit does so twice as easily.
    """
    size = world.size
    loose = np.isin(world.employment, (1, 2))
    safe = (world.life == RETIRED) | (world.life == STUDENT)
    income = BEGINS[INCOME_LOSS] * np.where(safe, 0.1, np.where(loose, 2.0, 0.8))
    spending = BEGINS[OVERSPENDING] * np.where(
        world.card_limit == 0, 0.0, np.where(world.card_use > 0.45, 2.0, 0.8)
    )
    debt = BEGINS[OVERINDEBTED] * np.where(world.loan_principal > 0, 1.4, 0.3)
    return np.stack([income, spending, debt, np.full(size, BEGINS[UNSEEN])])
