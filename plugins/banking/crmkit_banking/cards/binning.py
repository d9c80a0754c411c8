"""Optimal bins of one input, and what each tells: counts, weight of evidence, information value.

Bins are found by optbinning (Navas-Palencia 2020, arXiv 2001.08025): as few as tell the outcome
apart, monotonic where the data let them be, none below a twentieth of the known rows. What is
missing and each special code is a bin of its own. Only the cuts and groups are taken from the
library; counts and weights are computed here, so that a card needs nothing but its own text.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Least share of the known rows in a bin (Siddiqi 2006, chapter 6).
MIN_BIN = 0.05
# A level with fewer rows is pooled with the other rare ones before the bins are sought.
MIN_LEVEL_ROWS = 20
# Of so many copies of the rows one has the other outcome where bins are sought a second time.
COPIES = 10
# Added to the counts of a bin without goods or without bads, whose logarithm would be infinite.
HALF = 0.5


@frozen(kw_only=True)
class Bin:
    """One bin of an input.

    Attributes:
        label: in words, as ``up to 11.5`` or ``car, education``.
        rows, bads: training rows in it, and how many of them went bad.
        woe: weight of evidence, ln of its share of goods over its share of bads; 0 if it has no row.
        iv: its part of the information value.
        kind: ``band``, ``level``, ``other``, ``missing`` or ``special``.
    """

    label: str
    rows: int
    bads: int
    woe: float
    iv: float
    kind: str

    @property
    def bad_rate(self) -> float | None:
        """Share that went bad; None without rows."""
        return self.bads / self.rows if self.rows else None


@frozen(kw_only=True)
class Binning:
    """The bins of one input, in order: bands or groups of levels, other, missing, specials.

    Attributes:
        edges: upper edges of the bands of a number, the last band has none.
        groups: levels of each group of a text.
        specials: codes that are no quantities.
        codes: the bin of every training row, by position in ``bins``.
    """

    bins: tuple[Bin, ...]
    edges: tuple[float, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    specials: tuple[float, ...] = ()
    codes: NDArray[np.intp] = field(repr=False, eq=False)

    @property
    def iv(self) -> float:
        """The information value: how well the bins tell good from bad (Siddiqi 2006, chapter 6)."""
        return sum(b.iv for b in self.bins)


def bin_number(x: Floats, bad: Floats, specials: Mapping[float, str], unit: str = "") -> Binning:
    """Bins of a number.

    Args:
        x: values, NaN where missing.
        bad: 1 for bad, 0 for good, one a row.
        specials: codes that are no quantities, with their words.
        unit: words after the bounds of a band, as ``minor units`` of money.
    """
    named = list(specials)
    special = np.isin(x, named)
    known = ~np.isnan(x) & ~special
    edges = _edges(x[known], bad[known])
    codes = np.searchsorted(edges, x, side="left")
    codes = np.where(np.isnan(x), len(edges) + 1, codes)
    for position, code in enumerate(named):
        codes = np.where(x == code, len(edges) + 2 + position, codes)
    labels = [("band", words) for words in _band_labels(edges, unit)]
    labels.append(("missing", "missing"))
    labels += [("special", words) for words in specials.values()]
    return Binning(
        bins=_measured(codes, bad, labels),
        edges=tuple(edges),
        specials=tuple(float(code) for code in named),
        codes=codes,
    )


def bin_text(x: Sequence[str | None], bad: Floats) -> Binning:
    """Groups of the levels of a text or boolean; rare and unheard-of levels are ``other``."""
    values = np.array([v if v is not None else "" for v in x], dtype=object)
    known = np.array([v is not None for v in x])
    names, counts = np.unique(values[known].astype(str), return_counts=True)
    least = min(MIN_LEVEL_ROWS, len(x) // 20)
    frequent = [n for n, c in zip(names.tolist(), counts.tolist(), strict=True) if c >= least]
    held = known & np.isin(values.astype(str), frequent)
    groups = _groups(values[held].astype(str), bad[held], frequent)
    place = {level: i for i, group in enumerate(groups) for level in group}
    other = len(groups)
    codes = np.array(
        [place.get(v, other) if v is not None else other + 1 for v in x], dtype=np.intp
    )
    labels = [("level", ", ".join(group)) for group in groups]
    labels += [("other", "other"), ("missing", "missing")]
    return Binning(bins=_measured(codes, bad, labels), groups=groups, codes=codes)


def _edges(x: Floats, bad: Floats) -> list[float]:
    if len(np.unique(x)) < 2 or not 0 < bad.sum() < len(bad):
        return []
    found = _optimal("numerical", x, bad)
    return [float(edge) for edge in found.splits]


def _groups(x: NDArray[Any], bad: Floats, frequent: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    if len(frequent) < 2 or not 0 < bad.sum() < len(bad):
        return (tuple(frequent),) if frequent else ()
    found = _optimal("categorical", x.astype(object), bad)
    groups = [tuple(sorted(str(level) for level in group)) for group in found.splits]
    left = sorted(set(frequent) - {level for group in groups for level in group})
    return (*groups, *((tuple(left),) if left else ()))


def _optimal(dtype: str, x: NDArray[Any], bad: Floats) -> Any:
    """The library's bins; if it found one alone, those of rows of which one in ten went the other way.

    The library drops the bounds of a bin whose rows were all good or all bad, and so may find nothing in
    an input that tells the two apart without a fault.
    """
    found = _sought(dtype, x, bad)
    one = 1 if dtype == "categorical" else 0
    if len(found.splits) > one:
        return found
    return _sought(
        dtype, np.concatenate([x] * COPIES), np.concatenate([*[bad] * (COPIES - 1), 1 - bad])
    )


def _sought(dtype: str, x: NDArray[Any], bad: Floats) -> Any:
    from optbinning import OptimalBinning

    binning = OptimalBinning(
        dtype=dtype, monotonic_trend="auto", min_bin_size=MIN_BIN, solver="cp", time_limit=60
    )
    ctrl_c = signal.getsignal(signal.SIGINT)
    try:
        return binning.fit(x, bad)
    finally:
        # OR-Tools leaves the system's handler behind, with which Ctrl-C ends the process at once.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, ctrl_c)


def _band_labels(edges: Sequence[float], unit: str) -> list[str]:
    if not edges:
        return ["any"]
    shown = [f"{edge:.15g}" for edge in edges]
    middle = [f"above {low} to {high}" for low, high in pairwise(shown)]
    labels = [f"up to {shown[0]}", *middle, f"above {shown[-1]}"]
    return [f"{label} {unit}".rstrip() for label in labels]


def _measured(
    codes: NDArray[np.intp], bad: Floats, labels: Sequence[tuple[str, str]]
) -> tuple[Bin, ...]:
    size = len(labels)
    rows = np.bincount(codes, minlength=size)
    bads = np.bincount(codes, weights=bad, minlength=size)
    goods = rows - bads
    all_goods, all_bads = max(float(goods.sum()), 1.0), max(float(bads.sum()), 1.0)
    found = []
    for i, (kind, words) in enumerate(labels):
        woe = iv = 0.0
        if rows[i]:
            good = (goods[i] or HALF) / all_goods
            lost = (bads[i] or HALF) / all_bads
            woe = float(np.log(good / lost))
            iv = float((good - lost) * woe)
        found.append(
            Bin(label=words, rows=int(rows[i]), bads=int(bads[i]), woe=woe, iv=iv, kind=kind)
        )
    return tuple(found)
