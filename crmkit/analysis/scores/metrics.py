"""How good a probability is: ranking, calibration and stability, in numpy alone.

Everywhere ``label`` is an array of 0 and 1 of length n (1: the outcome happened), ``value`` the
predicted probabilities of the same length. Every function raises ValueError for an empty or
one-sided label array, because none of the measures is defined there.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Probabilities are kept this far from 0 and 1 before a logarithm is taken, as scikit-learn did
# with eps=1e-15 until 1.3; it bounds the loss of one wrong certain answer at 34.5.
EPSILON = 1e-15


def logit(value: ArrayLike) -> Floats:
    """Log-odds of probabilities, which are first kept 1e-15 away from 0 and 1."""
    p = np.clip(np.asarray(value, dtype=np.float64), EPSILON, 1 - EPSILON)
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)


def logistic(value: ArrayLike) -> Floats:
    """Probability of log-odds: 1 / (1 + exp(-value)), without overflow on either side."""
    z = np.asarray(value, dtype=np.float64)
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1 / (1 + e), e / (1 + e)), dtype=np.float64)


def auc(label: ArrayLike, value: ArrayLike) -> float:
    """Probability that a random positive is valued above a random negative, ties counting half.

    The area under the ROC curve, by the Mann-Whitney rank sum (Hanley & McNeil 1982, Radiology 143,
    10.1148/radiology.143.1.7063747). 0.5 is chance, 1 a perfect ranking.
    """
    y, p = _checked(label, value)
    positives = float(y.sum())
    ranks = _mid_ranks(p)
    above = ranks[y == 1].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(y) - positives)))


def auc_error(area: float, positives: int, negatives: int) -> float:
    """Standard error of an area under the curve; 1.96 of it on each side are the 95 % interval.

    Hanley & McNeil 1982, Radiology 143, 10.1148/radiology.143.1.7063747, under the negative
    exponential model, which is a little too wide for most others: for their example of 51 ill and 58
    well it gives 0.0325, and the rating data themselves 0.032.

    Args:
        area: the area, 0 to 1. positives, negatives: rows of each, at least 1.

    Example:
        >>> round(auc_error(0.893, 51, 58), 4)
        0.0325
    """
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    return float((spread / (positives * negatives)) ** 0.5)


def auc_interval(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """The 95 % interval of an area under the curve: the areas that are within 1.96 errors of it.

    The error is taken at the end of the interval and not at the area (Newcombe 2006, Statistics in
    Medicine 25, 10.1002/sim.2324, method 5, here with the error of :func:`auc_error`), so that an area
    of 1 from three positives is not certain: the interval is then wide, and never outside 0 to 1.

    Args:
        area: the area, 0 to 1. positives, negatives: rows of each, at least 1.

    Example:
        >>> low, high = auc_interval(1.0, 3, 97)
        >>> round(low, 2), high
        (0.66, 1.0)
    """
    return (
        _reach(area, 0.0, positives, negatives),
        _reach(area, 1.0, positives, negatives),
    )


def _reach(area: float, end: float, positives: int, negatives: int) -> float:
    """The area farthest from ``area`` towards ``end`` that is within 1.96 of its own errors."""
    near, far = area, end
    # Forty halvings: the answer is known to 1e-12, and no farther from the area than it may be.
    for _ in range(40):
        middle = (near + far) / 2
        if abs(middle - area) <= 1.96 * auc_error(middle, positives, negatives):
            near = middle
        else:
            far = middle
    return near


def ks(label: ArrayLike, value: ArrayLike) -> float:
    """Largest distance between the value distributions of positives and negatives, 0 to 1.

    The two-sample Kolmogorov-Smirnov statistic, in use for scorecards (Siddiqi 2006, Credit Risk
    Scorecards, chapter 6).
    """
    y, p = _checked(label, value)
    order = np.argsort(p, kind="stable")
    y, p = y[order], p[order]
    # The curves are compared only where the value changes: inside a tie there is no threshold.
    last = np.append(p[1:] != p[:-1], True)
    bad = np.cumsum(y)[last] / y.sum()
    good = np.cumsum(1 - y)[last] / (len(y) - y.sum())
    return float(np.max(np.abs(bad - good)))


def brier(label: ArrayLike, value: ArrayLike) -> float:
    """Mean squared distance between probability and outcome, 0 best (Brier 1950, Mon. Weather Rev.)."""
    y, p = _checked(label, value)
    return float(np.mean((p - y) ** 2))


def log_loss(label: ArrayLike, value: ArrayLike) -> float:
    """Mean negative natural log-likelihood of the outcomes, 0 best (Good 1952, JRSS B 14)."""
    y, p = _checked(label, value)
    p = np.clip(p, EPSILON, 1 - EPSILON)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p)))


def lift_top_decile(label: ArrayLike, value: ArrayLike) -> float:
    """How many times the average rate the tenth with the highest values has.

    The tenth has ``ceil(n / 10)`` members. Where equal values straddle its edge, each member of the
    tie counts with the tie's mean outcome, so that the figure does not depend on the row order
    (measure of Neslin et al. 2006, J. Marketing Research 43, 10.1509/jmkr.43.2.204).
    """
    y, p = _checked(label, value)
    size = -(-len(y) // 10)
    return float(_top_positives(y, p, np.array([size]))[0] / size / y.mean())


def calibration(label: ArrayLike, value: ArrayLike) -> tuple[float, float]:
    """Slope and intercept of the outcome on the log-odds of the value.

    Logistic recalibration (Cox 1958, Biometrika 45; Steyerberg 2019, Clinical Prediction Models,
    15.3): fits ``logit P(label = 1) = intercept + slope * logit(value)`` by maximum likelihood. A
    slope of 1 with an intercept of 0 is perfect; a slope below 1 means that the values are too
    extreme, as an overfitted model's are. Both are NaN where the values separate the outcomes, be it
    with ties at the edge, or are all the same, for then no finite maximum or no slope exists
    (Albert & Anderson 1984, Biometrika 71, 10.1093/biomet/71.1.1).

    Returns:
        ``(slope, intercept)``.
    """
    y, p = _checked(label, value)
    x = logit(p)
    if np.ptp(x) == 0 or x[y == 1].min() >= x[y == 0].max() or x[y == 1].max() <= x[y == 0].min():
        return float("nan"), float("nan")
    # From the mean, where the curvature is largest; a step that overshoots is halved.
    at = np.array([float(logit(np.array([y.mean()]))[0]), 0.0])
    reached = _likelihood(y, x, at)
    for _ in range(50):
        q = logistic(at[0] + at[1] * x)
        w = q * (1 - q)
        gradient = np.array([np.sum(y - q), np.sum((y - q) * x)])
        hessian = np.array([[w.sum(), (w * x).sum()], [(w * x).sum(), (w * x * x).sum()]])
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        while (found := _likelihood(y, x, at + step)) < reached and np.max(np.abs(step)) > 1e-10:
            step = step / 2
        if np.max(np.abs(step)) < 1e-10:
            break
        at, reached = at + step, found
    intercept, slope = at
    return float(slope), float(intercept)


def _likelihood(y: Floats, x: Floats, at: Floats) -> float:
    """Logarithm of the likelihood of outcomes under ``intercept, slope = at``."""
    z = at[0] + at[1] * x
    return float(np.sum(y * z - np.logaddexp(0.0, z)))


@frozen
class GainRow:
    """One tenth of the rows, by falling value.

    ``band`` 1 is the tenth with the highest values; ``size`` its rows and ``positives`` the outcomes
    among them (a fraction where a tie straddles the edge); ``mean_value`` the mean probability;
    ``rate`` the observed share; ``captured`` the share of all positives in this and earlier bands;
    ``lift`` the rate over the average rate.
    """

    band: int
    size: int
    positives: float
    mean_value: float
    rate: float
    captured: float
    lift: float


def gain_table(label: ArrayLike, value: ArrayLike, bands: int = 10) -> list[GainRow]:
    """The gain table: one row per band of nearly equal size, highest values first.

    Bands differ by at most one row, the larger ones first, as SQL's ``ntile`` makes them.

    Args:
        label, value: see the module.
        bands: how many, 1 to n.
    """
    y, p = _checked(label, value)
    if not 1 <= bands <= len(y):
        raise ValueError(f"{len(y)} rows cannot be cut into {bands} bands")
    base, rest = divmod(len(y), bands)
    sizes = np.array([base + (i < rest) for i in range(bands)])
    edges = np.cumsum(sizes)
    cumulated = _top_positives(y, p, edges)
    found = np.diff(cumulated, prepend=0.0)
    falling = np.sort(p)[::-1]
    means = np.diff(np.append(0.0, np.cumsum(falling)[edges - 1])) / sizes
    total, rate = y.sum(), y.mean()
    return [
        GainRow(
            i + 1, int(sizes[i]), float(found[i]), float(means[i]), float(found[i] / sizes[i]),
            float(cumulated[i] / total), float(found[i] / sizes[i] / rate),
        )
        for i in range(bands)
    ]  # fmt: skip


@frozen
class CalibrationRow:
    """One tenth of the rows, by rising value, as a calibration table shows it.

    ``mean_value`` is the probability that was said, ``rate`` the observed share of ``size`` rows;
    ``low`` and ``high`` hold the true rate with 95 % certainty.
    """

    band: int
    size: int
    mean_value: float
    rate: float
    low: float
    high: float


# Two-sided 95 % point of the standard normal distribution.
Z95 = 1.959963984540054


def calibration_table(label: ArrayLike, value: ArrayLike, bands: int = 10) -> list[CalibrationRow]:
    """What was said and what happened, in bands of nearly equal size, lowest values first.

    The interval is Wilson's (1927, JASA 22, 10.1080/01621459.1927.10502953), which stays inside 0
    and 1 and holds for small bands and rates near 0.
    """
    rows = gain_table(label, value, bands)[::-1]
    return [
        CalibrationRow(i + 1, row.size, row.mean_value, row.rate, *_wilson(row.rate, row.size))
        for i, row in enumerate(rows)
    ]


def _wilson(rate: float, size: int) -> tuple[float, float]:
    z2 = Z95**2
    middle = (rate + z2 / (2 * size)) / (1 + z2 / size)
    half = Z95 / (1 + z2 / size) * np.sqrt(rate * (1 - rate) / size + z2 / (4 * size**2))
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def psi(expected: ArrayLike, actual: ArrayLike, bands: int = 10) -> float:
    """Population stability index: how far a distribution has moved from the one learnt on.

    The sum over bands of ``(a - e) * ln(a / e)``, with bands at the quantiles of ``expected``. Below
    0.10 stable, 0.10 to 0.25 to be watched, above 0.25 to be acted upon (Siddiqi 2006, chapter 8).
    An empty band counts as half a row, else its logarithm has no value.

    Args:
        expected: values at training, one or more.
        actual: values now, one or more.
        bands: number of quantile bands; equal values may leave fewer.
    """
    e, a = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    if not len(e) or not len(a):
        raise ValueError("the stability index needs values on both sides")
    edges = np.unique(np.quantile(e, np.arange(1, bands) / bands, method="inverted_cdf"))
    return share_shift(_shares(e, edges), _shares(a, edges))


def share_shift(expected: ArrayLike, actual: ArrayLike) -> float:
    """The stability index of two lists of shares of the same bands; all must be above 0."""
    e, a = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    return float(np.sum((a - e) * np.log(a / e)))


def information_value(label: ArrayLike, group: ArrayLike) -> float:
    """How much a grouping tells about the outcome (Siddiqi 2006, chapter 6).

    The sum over groups of ``(share of positives - share of negatives) * weight of evidence``. Below
    0.02 useless, 0.02 to 0.1 weak, 0.1 to 0.3 medium, 0.3 to 0.5 strong, above 0.5 to be checked for
    a leak. A group without positives or negatives counts half a row of them.

    Args:
        label: 0 and 1.
        group: a group code for each row, as integers from 0.
    """
    y, g = np.asarray(label, dtype=np.float64), np.asarray(group, dtype=np.intp)
    _check_sides(y)
    rows = np.bincount(g)
    positives = np.bincount(g, weights=y)
    held = rows > 0
    bad = np.maximum(positives[held], 0.5) / y.sum()
    good = np.maximum((rows - positives)[held], 0.5) / (len(y) - y.sum())
    return float(np.sum((bad - good) * np.log(bad / good)))


def _checked(label: ArrayLike, value: ArrayLike) -> tuple[Floats, Floats]:
    y, p = np.asarray(label, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if y.shape != p.shape or y.ndim != 1:
        raise ValueError(f"label and value differ in shape: {y.shape} and {p.shape}")
    _check_sides(y)
    return y, p


def _check_sides(y: Floats) -> None:
    if not len(y) or not 0 < y.sum() < len(y):
        raise ValueError("labels must hold both outcomes")


def _mid_ranks(value: Floats) -> Floats:
    """Ranks from 1, ties sharing the mean of their ranks."""
    _, inverse, counts = np.unique(value, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle = ends - (counts - 1) / 2
    return np.asarray(middle[inverse], dtype=np.float64)


def _top_positives(y: Floats, p: Floats, sizes: NDArray[np.intp]) -> Floats:
    """Positives among the ``sizes`` highest values, a tie at the edge shared evenly."""
    order = np.argsort(-p, kind="stable")
    falling = p[order]
    _, inverse, counts = np.unique(-falling, return_inverse=True, return_counts=True)
    tied = np.bincount(inverse, weights=y[order])
    smooth = np.cumsum((tied / counts)[inverse])
    return np.asarray(smooth[sizes - 1], dtype=np.float64)


def _shares(value: Floats, edges: Floats) -> Floats:
    counts = np.bincount(np.searchsorted(edges, value, side="left"), minlength=len(edges) + 1)
    shares = np.maximum(counts, 0.5) / len(value)
    return np.asarray(shares, dtype=np.float64)
