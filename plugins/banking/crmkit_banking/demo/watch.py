"""Watch cases that are planted, and the harmless events that look like them."""

from __future__ import annotations

import numpy as np

from .calendar import day_number
from .ledger import Ledger
from .world import ABROAD, Flags, Floats, Ints, World

# Chance a month of each planted case, and of each harmless event that looks like one: somebody buys a
# car in cash, somebody travels without having told the bank.
PLANTED = 0.002
CAR, TRAVEL = 0.0002, 0.0004


def plant(
    ledger: Ledger, world: World, month: int, calm: Flags, draws: Floats, rng: np.random.Generator
) -> Flags:
    """Plants this month's cases among ``calm`` customers; returns who got one.

    A withdrawal is of ten to fifteen times what the customer usually draws; a card is used in a
    country in which it never was; a stolen card draws six to eight times in a day. ``draws`` is what
    each usually draws at a machine, in minor units.
    """
    aim = rng.random(world.size)
    bounds = np.cumsum([PLANTED, PLANTED, PLANTED, CAR, TRAVEL])
    drawn = np.searchsorted(bounds, aim, side="right")
    who = np.flatnonzero(calm & (drawn < len(bounds)))
    days = day_number(month) + rng.integers(3, 25, len(who))
    country = rng.integers(1, len(ABROAD) + 1, len(who))
    for i, day, place in zip(who, days, country, strict=True):
        usual = int(draws[i])
        case = int(drawn[i])
        if case in (0, 3):
            amount = int(usual * rng.uniform(10, 15)) // 1000 * 1000
            ledger.add([i], day, -amount, "cash_out", "counter", hour=15)
            # The money had been laid aside elsewhere, so that the balance tells nothing.
            ledger.add([i], day - 1, amount, "transfer_in", "web", hour=16)
        elif case in (1, 4):
            for extra in range(2):
                ledger.add([i], day + extra, -usual, "card_payment", "pos", hour=17, place=place)
        else:
            for draw in range(int(rng.integers(6, 9))):
                ledger.add([i], day, -10_000, "cash_out", "atm", hour=10 + draw)
        if case <= 2:
            name = ("withdrawal", "card_use", "card_use")[case]
            cause = ("large_withdrawal", "new_country", "many_draws")[case]
            ledger.know(i, name, int(day), int(day), cause)
    taken = np.zeros(world.size, bool)
    taken[who] = True
    return taken


__all__ = ["CAR", "PLANTED", "TRAVEL", "Ints", "plant"]
