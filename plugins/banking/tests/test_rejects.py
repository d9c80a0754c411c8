"""Reject inference by parcelling, worked by hand (Siddiqi 2006, chapter 6)."""

from __future__ import annotations

import pytest

from crmkit_banking.cards.points import Scale
from crmkit_banking.rejects.parcels import Parcel, parcelled

USUAL = Scale().probability


def test_the_declined_of_a_band_go_bad_at_its_rate_times_the_stress() -> None:
    """520 to 539: 12 of 30 known went bad, 0.4; times 1.5 that is 0.6, and 6 of 10 declined are bad.
    Spread evenly: the sums 0.6, 1.2, 1.8 ... round to 1, 1, 2, 2, 3, 4, 4, 5, 5, 6."""
    found = parcelled([525] * 30, [True] * 12 + [False] * 18, [530] * 10, 1.5, USUAL)
    (band,) = found.bands
    assert band == Parcel(
        points_from=520, known=30, bads=12, rejects=10, rate=pytest.approx(0.6), inferred_bads=6
    )
    assert found.labels.tolist() == [1, 0, 1, 0, 1, 1, 0, 1, 0, 1]


def test_where_few_are_known_the_probability_of_the_card_stands_in() -> None:
    """500 points are 30:1 less five doublings, odds of 0.9375: a probability of 0.5161, times 1.5 0.7742,
    so 3 of 4 are bad. With 29 known in the band its own rate is not taken, with 30 it is."""
    known, bad = [500] * 29, [False] * 29
    assert USUAL(500) == pytest.approx(1 / 1.9375)
    few = parcelled(known, bad, [500] * 4, 1.5, USUAL).bands[0]
    assert (few.rate, few.inferred_bads) == (pytest.approx(1.5 / 1.9375), 3)
    enough = parcelled([*known, 500], [*bad, False], [500] * 4, 1.5, USUAL).bands[0]
    assert (enough.rate, enough.inferred_bads) == (0.0, 0)


def test_bands_stand_apart_and_no_rate_is_above_one() -> None:
    """400 points: odds of 30 / 1024, a probability of 0.9715, which the stress of 2 takes to 1."""
    found = parcelled([610, 590], [False, True], [400, 410, 405], 2.0, USUAL)
    assert [(b.points_from, b.known, b.bads, b.rejects) for b in found.bands] == [
        (400, 0, 0, 3), (580, 1, 1, 0), (600, 1, 0, 0),
    ]  # fmt: skip
    assert (found.bands[0].rate, found.bands[0].inferred_bads) == (1.0, 3)
    assert (found.bands[1].rate, found.bands[1].inferred_bads) == (None, 0)
    assert found.labels.tolist() == [1, 1, 1]
