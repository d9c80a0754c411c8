"""The customers and products of a made-up bank, before anything happens to them."""

from __future__ import annotations

import numpy as np
from attrs import define
from numpy.typing import NDArray

from .calendar import ALL_MONTHS, day_number

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOME = "DE"
ABROAD = ("AT", "FR", "IT", "ES", "TR", "TH", "US", "BR", "NG", "RO")
BRANCHES = (
    ("B01", "Aldermarkt", "North"), ("B02", "Brunnenplatz", "North"), ("B03", "Cornelius Street", "East"),
    ("B04", "Domberg", "East"), ("B05", "Eschenweg", "South"), ("B06", "Fischmarkt", "South"),
    ("B07", "Gartenstadt", "West"), ("B08", "Hafen", "West"),
)  # fmt: skip
LIFE = ("student", "first_job", "couple", "family", "pre_retirement", "retired")
STUDENT, RETIRED = 0, 5
EMPLOYMENT = (
    "permanent", "fixed_term", "self_employed", "public", "retired", "student",
)  # fmt: skip
HOUSING = ("rent", "own", "mortgage", "family")
PRODUCTS = ("consumer", "auto", "mortgage")
CONSUMER, AUTO, MORTGAGE = range(3)
# Yearly rate in percent, length in months, and the largest instalment as a share of the income.
RATES = (8.9, 6.4, 3.9)
TERMS = (48, 60, 240)
GIVEN = (
    "Ada", "Ben", "Clara", "David", "Elena", "Felix", "Grace", "Hugo", "Ines", "Jonas", "Karin", "Leo",
    "Maya", "Nils", "Olga", "Paul", "Rosa", "Sami", "Tara", "Viktor", "Wei", "Yan",
)  # fmt: skip
FAMILY = (
    "Abbott", "Berg", "Castillo", "Dahl", "Evans", "Fischer", "Garcia", "Hansen", "Ivanov", "Jensen",
    "Keller", "Lind", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Silva", "Tanaka",
    "Ueda", "Vogel", "Wang", "Young", "Zhang",
)  # fmt: skip


@define
class World:
    """One row per customer; arrays of equal length. Money is minor units, days are ordinals.

    A month of -1 is "before the first", an absent product has the amount 0.
    """

    size: int
    joined_month: Ints
    since: Ints
    age: Ints
    female: Flags
    life: Ints
    employment: Ints
    housing: Ints
    dependants: Ints
    branch: Ints
    given: Ints
    family: Ints
    income: Ints
    pay_day: Ints
    consent: Flags
    rent: Ints
    insurance: Ints
    saves: Flags
    buffer: Ints
    card_limit: Ints
    card_use: Floats
    loan_product: Ints
    loan_month: Ints
    loan_principal: Ints
    loan_instalment: Ints
    loan_due_day: Ints
    deposit: Ints
    deposit_month: Ints
    deposit_term: Ints
    travels: Flags
    wallet: Floats  # share of all assets that is with this bank, as told; NaN of who was not asked


def build_world(size: int, rng: np.random.Generator) -> World:
    """``size`` customers as they join; four in five are there when the first month begins."""
    age = rng.integers(19, 80, size)
    life = _life(age, rng)
    employment = rng.choice(4, size, p=[0.68, 0.12, 0.1, 0.1])
    employment = np.where(life == RETIRED, 4, np.where(life == STUDENT, 5, employment))
    income = 260_000 * rng.lognormal(0, 0.35, size)
    income = np.where(life == STUDENT, 90_000, np.where(life == RETIRED, 0.6, 1.0) * income)
    income = (income // 100 * 100).astype(np.int64)
    before = rng.random(size) < 0.8
    joined = np.where(before, -1, rng.integers(0, ALL_MONTHS, size))
    starts = np.array([day_number(m, 1) for m in range(ALL_MONTHS)])
    during = starts[np.maximum(joined, 0)] + rng.integers(0, 5, size)
    since = np.where(before, day_number(0) - rng.integers(30, 6000, size), during)
    product, month, principal, instalment = _loans(income, joined, life, rng)
    deposit = np.where(rng.random(size) < 0.2, income * rng.integers(3, 16, size), 0)
    return World(
        size=size,
        joined_month=joined,
        since=since,
        age=age,
        female=rng.random(size) < 0.5,
        life=life,
        employment=employment,
        housing=rng.choice(4, size, p=[0.5, 0.2, 0.2, 0.1]),
        dependants=np.where(life == 3, rng.integers(1, 4, size), 0),
        branch=_branches(size, rng),
        given=rng.integers(0, len(GIVEN), size),
        family=rng.integers(0, len(FAMILY), size),
        income=income,
        pay_day=rng.choice([1, 2, 15, 25, 26, 27, 28], size, p=[0.15, 0.1, 0.1, 0.15, 0.2, 0.2, 0.1]),
        consent=rng.random(size) < 0.8,
        rent=(income * 3 // 10) // 100 * 100,
        insurance=np.where(rng.random(size) < 0.6, income // 20, 0) // 100 * 100,
        saves=rng.random(size) < 0.5,
        buffer=(income * rng.uniform(1.5, 3.5, size)).astype(np.int64),
        card_limit=np.where(rng.random(size) < 0.55, income * 2, 0) // 10_000 * 10_000,
        card_use=rng.uniform(0.05, 0.8, size),
        loan_product=product,
        loan_month=month,
        loan_principal=principal,
        loan_instalment=instalment,
        loan_due_day=rng.integers(3, 12, size),
        deposit=deposit // 100_000 * 100_000,
        deposit_month=np.maximum(joined, 0) - rng.integers(0, 12, size) * (joined < 0),
        deposit_term=rng.choice([6, 12, 24], size, p=[0.3, 0.5, 0.2]),
        travels=rng.random(size) < 0.01,
        wallet=_wallet(size, rng),
    )  # fmt: skip


def _wallet(size: int, rng: np.random.Generator) -> Floats:
    """Four in five have told what they have elsewhere; one in four has most of it elsewhere."""
    own = rng.spawn(1)[0]  # so that nothing else in the world depends on these draws
    elsewhere = own.random(size) < 0.25
    share = np.where(elsewhere, own.beta(3, 12, size), own.beta(8, 3, size))
    return np.where(own.random(size) < 0.8, np.round(share, 2), np.nan)


def branch_count(size: int) -> int:
    """A small bank has one branch, one of a thousand customers and more has all eight."""
    return min(len(BRANCHES), 1 + size // 150)


def _branches(size: int, rng: np.random.Generator) -> Ints:
    weight = np.array([0.22, 0.18, 0.14, 0.12, 0.1, 0.1, 0.08, 0.06])[: branch_count(size)]
    return np.asarray(rng.choice(len(weight), size, p=weight / weight.sum()), dtype=np.int64)


def _life(age: Ints, rng: np.random.Generator) -> Ints:
    """Stage of life by age, with some who are ahead or behind."""
    felt = age + rng.integers(-2, 3, len(age))
    return np.searchsorted(np.array([23, 29, 35, 53, 65]), felt, side="right").astype(np.int64)


def _loans(
    income: Ints, joined: Ints, life: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints, Ints]:
    """Product, month granted, principal and instalment; students have none."""
    size = len(income)
    product = rng.choice(3, size, p=[0.55, 0.27, 0.18])
    # Who was there before may have taken it up to two years earlier; nobody before joining.
    month = np.where(joined < 0, rng.integers(-22, 34, size), joined + rng.integers(1, 24, size))
    has = (rng.random(size) < 0.75) & (life != STUDENT) & (month < ALL_MONTHS - 1)
    share = rng.uniform(0.08, 0.24, size)
    instalment = (income * share).astype(np.int64) // 100 * 100
    rate, term = np.array(RATES)[product] / 1200, np.array(TERMS)[product]
    principal = instalment * (1 - (1 + rate) ** -term.astype(np.float64)) / rate
    principal = principal.astype(np.int64) // 100 * 100
    return product, month, np.where(has, principal, 0), np.where(has, instalment, 0)


def outstanding(principal: Floats, rate: Floats, instalment: Floats, paid: Ints) -> Ints:
    """What is owed of an annuity after so many instalments, in minor units.

    Args:
        principal: amount lent. rate: percent a year. instalment: payment of a month.
        paid: instalments paid.
    """
    monthly = rate / 1200
    grown = (1 + monthly) ** paid
    owed = principal * grown - instalment * (grown - 1) / monthly
    return np.maximum(np.round(owed), 0).astype(np.int64)


__all__ = [
    "ABROAD", "AUTO", "BRANCHES", "EMPLOYMENT", "FAMILY", "GIVEN", "HOME", "HOUSING", "LIFE", "MORTGAGE",
    "PRODUCTS", "RATES", "RETIRED", "STUDENT", "TERMS", "Flags", "Floats", "Ints", "World",
    "branch_count",
    "build_world", "outstanding",
]  # fmt: skip
