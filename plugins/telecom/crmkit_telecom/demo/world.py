"""The people, plans and cells of a made-up operator, before anything happens to them."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from attrs import define, frozen
from numpy.typing import NDArray

from .calendar import ALL_MONTHS, day_of, first_day

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@frozen
class Plan:
    """A plan: fee in minor units a month, allowances (0 is unlimited)."""

    code: str
    name: str
    model: str
    fee: int
    data_gb: float
    voice_min: int
    internet: str
    business: bool = False


PLANS = (
    Plan("PRE", "Pay as you go", "prepaid", 0, 0, 0, "none"),
    Plan("S5", "Small 5 GB", "postpaid", 1500, 5, 100, "none"),
    Plan("M15", "Medium 15 GB", "postpaid", 2500, 15, 300, "none"),
    Plan("L40", "Large 40 GB", "postpaid", 4000, 40, 1000, "none"),
    Plan("H20", "Home and mobile 20 GB", "postpaid", 5500, 20, 500, "dsl"),
    Plan("F50", "Fibre and mobile 50 GB", "postpaid", 7500, 50, 1000, "fiber"),
    Plan("BIZ", "Business lines", "postpaid", 30000, 400, 8000, "fiber", True),
)
PREPAID, BUSINESS = 0, 6
SHARES = (0.12, 0.20, 0.24, 0.14, 0.14, 0.16)

CITIES = (
    ("Aldermoor", "North"), ("Brackwell", "North"), ("Cairnford", "North"), ("Dunmere", "East"),
    ("Elmsworth", "East"), ("Farleigh", "East"), ("Greyhaven", "South"), ("Hollowick", "South"),
    ("Ivybridge", "South"), ("Kestrel Bay", "West"), ("Larkfield", "West"), ("Maplecross", "West"),
)  # fmt: skip
CELLS_PER_CITY = 6
METHODS = ("card_auto", "bank_auto", "e_check", "mailed_check", "cash")
ADDONS = (
    "security", "backup", "device_protection", "tech_support", "streaming_tv", "streaming_movies",
    "roaming", "family",
)  # fmt: skip
ADDON_FEE = 300
COMPETITORS = ("Bluewave", "Norfone", "Citylink")
TIERS = ("medium", "large", "strategic")
GIVEN = (
    "Ada", "Ben", "Clara", "David", "Elena", "Felix", "Grace", "Hugo", "Ines", "Jonas", "Karin",
    "Leo", "Maya", "Nils", "Olga", "Paul", "Rosa", "Sami", "Tara", "Viktor", "Wei", "Yan",
)  # fmt: skip
FAMILY = (
    "Abbott", "Berg", "Castillo", "Dahl", "Evans", "Fischer", "Garcia", "Hansen", "Ivanov", "Jensen",
    "Keller", "Lind", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Silva", "Tanaka",
    "Ueda", "Vogel", "Wang", "Young", "Zhang",
)  # fmt: skip


@define
class World:
    """One row per customer, each with one subscription; arrays of equal length.

    Days are ordinals (``date.toordinal``), 0 where there is none; fees are minor units a month.
    """

    size: int
    business: Flags
    tier: Ints
    manager: Ints
    senior: Flags
    partner: Flags
    dependants: Flags
    female: Flags
    city: Ints
    cell: Ints
    household: Ints
    consent: Flags
    given: Ints
    family: Ints
    plan: Ints
    fee: Ints
    lines: Ints
    addons: Flags
    method: Ints
    paperless: Flags
    activated: Ints
    joined_month: Ints
    term: Ints
    contract_start: Ints
    contract_end: Ints
    device_on: Ints
    instalments: Ints
    ported_from: Ints
    data_gb: Floats
    voice_min: Floats
    poor_payer: Flags


def build_world(size: int, rng: np.random.Generator) -> World:
    """``size`` customers as they join; four in five are there when the first month begins."""
    business = rng.random(size) < 0.03
    plan = np.where(business, BUSINESS, rng.choice(6, size, p=np.array(SHARES)))
    addons = rng.random((size, len(ADDONS))) < np.where(plan >= 3, 0.3, 0.12)[:, None]
    lines = np.where(business, rng.integers(5, 80, size), 1)
    fees = np.array([p.fee for p in PLANS])[plan]
    fee = fees * np.where(business, lines / 10, 1).astype(np.float64) + addons.sum(1) * ADDON_FEE
    city = rng.integers(0, len(CITIES), size)
    joined_month, activated = _joining(size, rng)
    term, start, end = _contracts(plan, joined_month, activated, rng)
    data, voice = _habits(plan, lines, rng)
    return World(
        size=size,
        business=business,
        tier=rng.choice(3, size, p=[0.6, 0.3, 0.1]),
        manager=np.where(rng.random(size) < 0.1, 0, rng.integers(1, 9, size)),
        senior=rng.random(size) < 0.16,
        partner=rng.random(size) < 0.48,
        dependants=rng.random(size) < 0.30,
        female=rng.random(size) < 0.5,
        city=city,
        cell=city * CELLS_PER_CITY + rng.integers(0, CELLS_PER_CITY, size),
        household=rng.integers(1, max(2, size // 2), size),
        consent=rng.random(size) < 0.93,
        given=rng.integers(0, len(GIVEN), size),
        family=rng.integers(0, len(FAMILY), size),
        plan=plan.astype(np.int64),
        fee=np.where(plan == PREPAID, 0, fee).astype(np.int64),
        lines=lines.astype(np.int64),
        addons=addons & (plan != PREPAID)[:, None],
        method=rng.choice(len(METHODS), size, p=[0.3, 0.3, 0.2, 0.12, 0.08]),
        paperless=rng.random(size) < 0.6,
        activated=activated,
        joined_month=joined_month,
        term=term,
        contract_start=start,
        contract_end=end,
        device_on=activated.copy(),
        instalments=np.where(rng.random(size) < 0.4, rng.integers(2, 40, size) * 1000, 0),
        ported_from=np.where(rng.random(size) < 0.5, rng.integers(1, 4, size), 0),
        data_gb=data,
        voice_min=voice,
        poor_payer=rng.random(size) < 0.03,
    )


def _joining(size: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Month of joining (-1 before the first) and day of activation."""
    month = np.where(rng.random(size) < 0.8, -1, rng.integers(0, ALL_MONTHS, size))
    begins = first_day(0).toordinal()
    before = np.minimum(rng.exponential(900, size), 3600).astype(np.int64) + 1
    firsts = np.array([first_day(m).toordinal() for m in range(ALL_MONTHS)])
    during = firsts[np.maximum(month, 0)] + rng.integers(0, 25, size)
    return month, np.where(month < 0, begins - before, during)


def _contracts(
    plan: Ints, joined: Ints, activated: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Term in months (0 is month to month), first and last day of the contract in force."""
    size = len(plan)
    term = np.where(plan == PREPAID, 0, rng.choice([0, 12, 24], size, p=[0.4, 0.3, 0.3]))
    days = term * 365 // 12
    begins = first_day(0).toordinal()
    # Whoever was there before is somewhere within a term that began on an anniversary.
    into = (rng.random(size) * np.minimum(days, begins - activated)).astype(np.int64)
    start = np.where(joined < 0, begins - into, activated)
    return term, np.where(term > 0, start, 0), np.where(term > 0, start + days, 0)


def _habits(plan: Ints, lines: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Usual data (GB) and voice (minutes) a month, spread around what the plan allows."""
    gb = np.array([1.5 if p.code == "PRE" else p.data_gb for p in PLANS])[plan]
    minutes = np.array([40 if p.code == "PRE" else p.voice_min for p in PLANS])[plan]
    share = rng.lognormal(-0.7, 0.35, len(plan))
    scale = np.where(plan == BUSINESS, lines / 20, 1.0)
    return gb * share * scale, minutes * rng.lognormal(-0.9, 0.4, len(plan)) * scale


def as_date(ordinal: Any) -> date | None:
    """A day from its ordinal; None for 0."""
    return date.fromordinal(int(ordinal)) if ordinal else None


__all__ = [
    "ADDONS", "CELLS_PER_CITY", "CITIES", "COMPETITORS", "METHODS", "PLANS", "World", "as_date",
    "build_world", "day_of",
]  # fmt: skip
