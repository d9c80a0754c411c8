"""Parcelling: those declined are dealt into goods and bads, band by band of the score.

The declined of a band are given the rate of bads that the known applicants of the band have, times a
stress, because who was declined at the same points had something else against them (Siddiqi 2006,
Credit Risk Scorecards, chapter 6). Crook & Banasik (2004, Journal of Banking & Finance 28) find that
such inference gains little; what it gives is a look at how much a card rests on the accepted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

# Twenty points are once the odds, as in the report banking.approval-by-band.
BAND_POINTS = 20
# With fewer known applicants in a band its own rate says little: a rate of 0.3 of 30 has a standard
# error of 0.08. The card's probability stands in then.
LEAST_KNOWN = 30


@frozen(kw_only=True)
class Parcel:
    """One band of points.

    Attributes:
        points_from: its lowest points.
        known, bads: applicants whose outcome is known, and how many of them went bad.
        rejects: those declined, whose outcome is not known.
        rate: rate of bads that they are given, the stress included; None without rejects.
        inferred_bads: how many of them are taken for bad.
    """

    points_from: int
    known: int
    bads: int
    rejects: int
    rate: float | None
    inferred_bads: int


@frozen(kw_only=True)
class Parcels:
    """All bands from the lowest up, and the inferred outcome of each reject: 1 is bad."""

    bands: tuple[Parcel, ...]
    labels: NDArray[np.int64] = field(repr=False, eq=False)


def parcelled(
    known: Sequence[int],
    bad: Sequence[bool],
    rejects: Sequence[int],
    stress: float,
    probability: Callable[[float], float],
) -> Parcels:
    """Deals the rejects into goods and bads.

    Within a band the bads are spread evenly over the rejects in the order given, so that the same
    rejects always get the same outcome and none is chosen for what it is.

    Args:
        known: points of those whose outcome is known. bad: whether each went bad.
        rejects: points of those declined.
        stress: factor on the rate of bads, 1 or more.
        probability: of going bad, of the card, by points.
    """
    here, there = np.asarray(known) // BAND_POINTS, np.asarray(rejects) // BAND_POINTS
    went, points = np.asarray(bad, dtype=bool), np.asarray(rejects)
    labels = np.zeros(len(points), dtype=np.int64)
    bands = []
    for band in sorted({*here.tolist(), *there.tolist()}):
        told, asked = here == band, np.flatnonzero(there == band)
        bads = int(went[told].sum())
        rate = None
        if len(asked):
            usual = (
                bads / int(told.sum())
                if told.sum() >= LEAST_KNOWN
                else float(np.mean([probability(p) for p in points[asked].tolist()]))
            )
            rate = min(1.0, usual * stress)
            so_far = [math.floor(n * rate + 0.5) for n in range(len(asked) + 1)]
            labels[asked] = np.diff(so_far)
        bands.append(
            Parcel(
                points_from=int(band) * BAND_POINTS, known=int(told.sum()), bads=bads,
                rejects=len(asked), rate=rate, inferred_bads=int(labels[asked].sum()),
            )
        )  # fmt: skip
    return Parcels(bands=tuple(bands), labels=labels)
