"""Ledgers of points and money, and tiers."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from .names import texts


@frozen(kw_only=True)
class Ledger:
    """Balances of customers that change by entries only: points, credit, miles.

    Args:
        name: ``hotel.points``.
        unit: ``point``, ``mile``; of money the ISO 4217 code, and amounts are whole minor units.
        overdraft: whether a balance may go below zero.
        expires_after_months: what is earned can be spent for so many months, oldest first; None for
            ever. An entry may say another day.
        idle_months: the whole balance expires after so many months without earning or spending.
        source: where the rules come from.
    """

    name: str
    unit: str = "point"
    overdraft: bool = False
    expires_after_months: int | None = None
    idle_months: int | None = None
    title: str = ""
    title_zh: str = ""
    source: str = ""


@frozen(kw_only=True)
class Tier:
    """One step of a tier scheme.

    Args:
        name: ``gold``; unique in its scheme.
        enter: condition over the customer's wide table, as of a rule, that leads into the tier. Empty
            for the lowest tier, in which everybody is.
        keep: condition that is enough to stay, weaker than ``enter`` so that nobody goes up and down
            around one threshold (hysteresis); empty means ``enter``.
        benefits: what it gives, in words.
    """

    name: str
    enter: str = field(default="", repr=False)
    keep: str = field(default="", repr=False)
    title: str = ""
    title_zh: str = ""
    benefits: tuple[str, ...] = field(default=(), converter=texts)


def _tiers(values: Iterable[Tier]) -> tuple[Tier, ...]:
    return tuple(values)


@frozen(kw_only=True)
class TierScheme:
    """Tiers of customers by thresholds or by shares, with soft ways down.

    A customer who fulfils the condition of a higher tier goes up at once, as many steps as it
    takes. One who no longer fulfils what keeps the tier is given grace, and then goes down.

    Args:
        name: ``hotel.club``.
        tiers: lowest first.
        grace_days: days in which a tier is kept although its condition no longer holds.
        soft_landing: whether a way down is one tier at a time; False goes at once to the tier whose
            condition holds.
        rest_days: days after a step down in which no further one is taken.
        population: condition that chooses who is in the scheme; empty is everybody.
        source: where the scheme comes from.
    """

    name: str
    tiers: tuple[Tier, ...] = field(converter=_tiers)
    grace_days: int = 0
    soft_landing: bool = True
    rest_days: int = 0
    population: str = field(default="", repr=False)
    title: str = ""
    title_zh: str = ""
    source: str = ""
