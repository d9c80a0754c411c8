"""The expected maximum profit of a campaign to those with the highest values."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from ...declarations import Profit
from .inputs import Floats


@frozen
class MaximumProfit:
    """What a campaign earns at its best.

    ``profit`` is per customer of the population, in units of the currency; ``share`` the part of
    the population that is contacted for it.
    """

    profit: float
    share: float


def maximum_profit(label: ArrayLike, value: ArrayLike, model: Profit) -> MaximumProfit:
    """The expected maximum profit measure for churn (EMPC).

    Everyone above a threshold is contacted; of those who would leave a share accepts and stays, all
    others take the offer. For every share the threshold is chosen that earns most, always a corner of
    the convex hull of the ROC curve, and the mean is taken over the Beta distribution of the share
    (Verbraken, Verbeke & Baesens 2013, IEEE TKDE 25, 10.1109/TKDE.2012.50, equations 9 to 15).

    Args:
        label: 0 and 1, 1 would have left; both must occur.
        value: the probabilities, of the same length.
        model: what staying, the offer and a contact are worth.
    """
    # Lazy: scipy comes with scikit-learn, which an evaluation has loaded anyway.
    from scipy.special import betainc

    y, p = np.asarray(label, dtype=np.float64), np.asarray(value, dtype=np.float64)
    leave, stay = _hull(y, p)
    rate = float(y.mean())
    alpha, beta = model.accept
    offer, contact = model.offer / model.value, model.contact / model.value
    # Shares of acceptance at which the best threshold moves to the next corner.
    moves = (1 - rate) * (offer + contact) / (rate * (1 - offer)) * np.diff(stay) / np.diff(leave)
    edges = np.concatenate([[0.0], np.clip(moves + contact / (1 - offer), 0.0, 1.0), [1.0]])
    held = np.diff(betainc(alpha, beta, edges))
    accepted = np.diff(betainc(alpha + 1, beta, edges)) * alpha / (alpha + beta)
    gain = model.value * (1 - offer) * rate * leave * accepted
    cost = model.value * (contact * rate * leave + (offer + contact) * (1 - rate) * stay) * held
    contacted = (rate * leave + (1 - rate) * stay) * held
    return MaximumProfit(float(np.sum(gain - cost)), float(np.sum(contacted)))


def _hull(label: Floats, value: Floats) -> tuple[Floats, Floats]:
    """The corners of the ROC curve's convex hull: shares of leavers and of stayers above them.

    From (0, 0), rising in both; the last corner is where all leavers are above.
    """
    order = np.argsort(-value, kind="stable")
    last = np.append(np.diff(value[order]) != 0, True)
    found = np.cumsum(label[order])[last] / label.sum()
    other = np.cumsum(1 - label[order])[last] / (len(label) - label.sum())
    corners = [(0.0, 0.0)]
    for x, y in zip(other.tolist(), found.tolist(), strict=True):
        while len(corners) > 1 and _turns_left(corners[-2], corners[-1], (x, y)):
            corners.pop()
        corners.append((x, y))
    stay, leave = np.array(corners).T
    # From the corner where every leaver is above, more contacts only cost.
    size = int(np.argmax(leave == leave[-1])) + 1
    return leave[:size], stay[:size]


def _turns_left(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies on or below the line from a to c, and so is no corner of an upper hull."""
    return (b[0] - a[0]) * (c[1] - a[1]) >= (b[1] - a[1]) * (c[0] - a[0])
