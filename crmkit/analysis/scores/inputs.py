"""Inputs of a model: how a feature becomes numbers, as plain data that can be read back.

A number becomes a straight line with bends at knots, or in a scorecard one weight per band; a text or
a boolean becomes one weight per level. What is missing has a weight of its own. Everything is learnt from the rows given, so that in an
evaluation the encoding is fitted inside the fold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen
from numpy.typing import NDArray

from ...declarations import Feature, sql_name
from ...entities.field_types import FieldType
from ...errors import ConfigError

Floats = NDArray[np.float64]

NUMBERS = (FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY)
CHOICES = (FieldType.TEXT, FieldType.BOOLEAN)
# A level with fewer rows than this is pooled as 'other': below some 20 rows the rate of a level is
# known to no better than +-0.2 (two standard errors of a share of 0.3), so its weight is noise.
MIN_LEVEL_ROWS = 20
MAX_LEVELS = 50
# Bands of a scorecard: tenths, so that none has fewer than a twentieth of the known values, the
# least that scorecard practice allows (Siddiqi 2006, chapter 6).
BANDS = 10


def floats(values: Iterable[float]) -> tuple[float, ...]:
    """A tuple of numbers: JSON reads lists, and a frozen record keeps tuples."""
    return tuple(values)


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """A tuple of texts; see :func:`floats`."""
    return tuple(values)


@frozen(kw_only=True)
class NumberInput:
    """A numeric feature as a line with bends.

    Its part of the log-odds is ``weights[0] * z + sum(weights[i] * max(x - knots[i-1], 0) / sd)``
    with ``z = (x - mean) / sd`` and x held inside ``low`` to ``high``, the range seen in training,
    because a line learnt there says nothing beyond; ``missing`` where there is no value.
    """

    feature: str
    column: str
    low: float
    high: float
    mean: float
    sd: float
    knots: tuple[float, ...] = field(default=(), converter=floats)
    weights: tuple[float, ...] = field(default=(), converter=floats)
    missing: float = 0.0
    centre: float = 0.0
    kind: str = "number"

    @property
    def width(self) -> int:
        """Number of design columns: the line, its bends, and whether the value is missing."""
        return 2 + len(self.knots)

    def encode(self, values: pa.ChunkedArray) -> Floats:
        """The design columns of ``values``, shape (rows, width)."""
        raw = number_array(values)
        absent = np.isnan(raw)
        x = np.clip(raw, self.low, self.high)
        parts = [(x - self.mean) / self.sd]
        parts += [np.maximum(x - knot, 0.0) / self.sd for knot in self.knots]
        columns = [np.where(absent, 0.0, part) for part in parts]
        return np.column_stack([*columns, absent.astype(np.float64)])

    def weighted(self, weights: Sequence[float], design: Floats) -> NumberInput:
        """This input with the learnt weights; ``design`` is what they were learnt on."""
        done = attrs.evolve(
            self, weights=tuple(float(w) for w in weights[:-1]), missing=float(weights[-1])
        )
        centre = float(np.mean(_dot(design, weights)))
        # A gap never seen in training tells nothing: it counts as the average.
        missing = done.missing if design[:, -1].any() else centre
        return attrs.evolve(done, centre=centre, missing=missing)

    def contribution(self, values: pa.ChunkedArray) -> Floats:
        """What each value adds to the log-odds, against the average of the training rows."""
        design = self.encode(values)
        part = _dot(design[:, :-1], self.weights)
        return np.asarray(np.where(design[:, -1] == 1, self.missing, part) - self.centre)

    def words(self, values: pa.ChunkedArray) -> list[Any]:
        """The values as Python numbers, None where missing."""
        return number_words(values)


@frozen(kw_only=True)
class BandInput:
    """A numeric feature cut into bands with one weight each, as a scorecard shows it.

    Band i holds the values above ``edges[i - 1]`` up to and including ``edges[i]``; the last band
    has no upper edge. ``missing`` stands where there is no value, and ``special_weights`` where the
    value is one of ``specials``, codes that are no quantities.
    """

    feature: str
    column: str
    edges: tuple[float, ...] = field(converter=floats)
    weights: tuple[float, ...] = field(default=(), converter=floats)
    missing: float = 0.0
    centre: float = 0.0
    specials: tuple[float, ...] = field(default=(), converter=floats)
    special_weights: tuple[float, ...] = field(default=(), converter=floats)
    kind: str = "band"

    @property
    def width(self) -> int:
        """Number of design columns: a step at every edge, and whether the value is missing."""
        return len(self.edges) + 1

    def encode(self, values: pa.ChunkedArray) -> Floats:
        """The design columns of ``values``, shape (rows, width).

        Steps, not bands: a penalty on steps draws neighbouring bands together, so that a band with
        few outcomes borrows from those beside it.
        """
        codes = self.codes(values)
        absent = codes > len(self.edges)
        steps = [(codes > i) & ~absent for i in range(len(self.edges))]
        return np.column_stack([*steps, absent]).astype(np.float64)

    def codes(self, values: pa.ChunkedArray) -> NDArray[np.intp]:
        """The position of each value's band; then missing; then the special codes."""
        raw = number_array(values)
        codes = np.searchsorted(self.edges, raw, side="left")
        codes = np.where(np.isnan(raw), len(self.edges) + 1, codes)
        for position, special in enumerate(self.specials):
            codes = np.where(raw == special, len(self.edges) + 2 + position, codes)
        return np.asarray(codes, dtype=np.intp)

    def weighted(self, weights: Sequence[float], design: Floats) -> BandInput:
        """This input with the learnt weights; ``design`` is what they were learnt on."""
        centre = float(np.mean(_dot(design, weights)))
        # A gap never seen in training tells nothing: it counts as the average.
        missing = float(weights[-1]) if design[:, -1].any() else centre
        bands = np.cumsum([0.0, *weights[:-1]]).tolist()
        return attrs.evolve(self, weights=bands, missing=missing, centre=centre)

    def contribution(self, values: pa.ChunkedArray) -> Floats:
        """What each value adds to the log-odds, against the average of the training rows."""
        table = np.array([*self.weights, self.missing, *self.special_weights]) - self.centre
        return np.asarray(table[self.codes(values)])

    def words(self, values: pa.ChunkedArray) -> list[Any]:
        """The values as Python numbers, None where missing."""
        return number_words(values)


@frozen(kw_only=True)
class ChoiceInput:
    """A text or boolean feature: one weight per level, ``other`` for the rare and unheard-of ones."""

    feature: str
    column: str
    levels: tuple[str, ...] = field(converter=texts)
    weights: tuple[float, ...] = field(default=(), converter=floats)
    other: float = 0.0
    missing: float = 0.0
    centre: float = 0.0
    boolean: bool = False
    kind: str = "choice"

    @property
    def width(self) -> int:
        """Number of design columns: the levels, other, and whether the value is missing."""
        return len(self.levels) + 2

    def encode(self, values: pa.ChunkedArray) -> Floats:
        """The design columns of ``values``, shape (rows, width): a single 1 in each row."""
        codes = self.codes(values)
        design = np.zeros((len(codes), self.width))
        design[np.arange(len(codes)), codes] = 1.0
        return design

    def codes(self, values: pa.ChunkedArray) -> NDArray[np.intp]:
        """The position of each value's level; then other, then missing."""
        text = text_array(values)
        index = pc.index_in(text, value_set=pa.array(self.levels, pa.string()))
        codes = index.fill_null(len(self.levels)).to_numpy(zero_copy_only=False).astype(np.intp)
        absent = pc.is_null(text).to_numpy(zero_copy_only=False)
        codes[absent] = len(self.levels) + 1
        return np.asarray(codes)

    def weighted(self, weights: Sequence[float], design: Floats) -> ChoiceInput:
        """This input with the learnt weights; ``design`` is what they were learnt on."""
        centre = float(np.mean(_dot(design, weights)))
        seen = design.sum(axis=0) > 0
        # A level or gap never seen in training tells nothing: it counts as the average.
        held = [float(w) if s else centre for w, s in zip(weights, seen, strict=True)]
        return attrs.evolve(
            self, weights=tuple(held[:-2]), other=held[-2], missing=held[-1], centre=centre
        )

    def contribution(self, values: pa.ChunkedArray) -> Floats:
        """What each value adds to the log-odds, against the average of the training rows."""
        table = np.array([*self.weights, self.other, self.missing]) - self.centre
        return np.asarray(table[self.codes(values)])

    def words(self, values: pa.ChunkedArray) -> list[Any]:
        """The values as text, ``true`` and ``false`` for booleans, None where missing."""
        words: list[Any] = text_array(values).to_pylist()
        return words


Input = NumberInput | BandInput | ChoiceInput


def number_words(values: pa.ChunkedArray) -> list[Any]:
    """A numeric column as Python numbers, None where it is null, NaN or infinite."""
    return [v if v is not None and math.isfinite(v) else None for v in values.to_pylist()]


def number_array(values: pa.ChunkedArray) -> Floats:
    """A column as floats, NaN where it is null or infinite: a ratio to nothing is not known."""
    floats = pc.cast(values, pa.float64()).fill_null(float("nan"))
    array = np.asarray(floats.to_numpy(), dtype=np.float64)
    return np.where(np.isfinite(array), array, np.nan)


def text_array(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text; booleans become ``true`` and ``false``."""
    return pc.cast(values, pa.string())


def check_inputs(features: Sequence[Feature]) -> None:
    """Refuses features that no model can take as they are.

    Raises:
        ConfigError: naming every feature that is a date, an instant or a list.
    """
    odd = [f.name for f in features if f.type not in NUMBERS + CHOICES]
    if odd:
        raise ConfigError(
            f"a score cannot take {', '.join(odd)}: inputs are numbers, texts or booleans.",
            hint="Declare a date as a number of days before the as-of day.",
        )


def learn_inputs(
    features: Sequence[Feature], table: pa.Table, *, knots: int = 0, bands: int = 0
) -> tuple[list[Input], list[str]]:
    """Learns the encoding of every feature from the rows of ``table``.

    Args:
        features: the inputs; the columns have their SQL names.
        table: the rows to learn from.
        knots: bends per number, at its quantiles; 0 for straight lines.
        bands: cut numbers into at most so many bands instead; 0 for lines.

    Returns:
        The inputs in the given order, and the names of those left out because all rows agree.
    """
    found: list[Input] = []
    constant: list[str] = []
    for feature in features:
        values = table.column(sql_name(feature.name))
        learnt = (
            _learn_number(feature, values, knots, bands)
            if feature.type in NUMBERS
            else _learn_choice(feature, values)
        )
        if learnt is None:
            constant.append(feature.name)
        else:
            found.append(learnt)
    return found, constant


def _learn_number(
    feature: Feature, values: pa.ChunkedArray, knots: int, bands: int
) -> NumberInput | BandInput | None:
    x = number_array(values)
    known = x[~np.isnan(x)]
    gaps = len(known) < len(x)
    if not len(known) or (known.min() == known.max() and not gaps):
        return None
    low, high = float(known.min()), float(known.max())
    if bands:
        return BandInput(
            feature=feature.name, column=sql_name(feature.name),
            edges=[float(e) for e in _quantiles(known, bands) if e < high],
        )  # fmt: skip
    # Squares of numbers beyond 1e154 overflow; a power of two scales without rounding.
    scale = 2.0 ** (np.frexp(max(abs(low), abs(high)))[1] - 1)
    sd = float((known / scale).std() * scale) or 1.0
    at: list[float] = []
    # A number with few distinct values (a count, a flag) has nowhere to bend.
    if knots and len(np.unique(known)) > 2 * (knots + 1):
        at = [float(k) for k in _quantiles(known, knots + 1) if low < k < high]
    return NumberInput(
        feature=feature.name, column=sql_name(feature.name), low=low, high=high,
        mean=float((known / scale).mean() * scale), sd=sd, knots=tuple(at),
    )  # fmt: skip


def _quantiles(known: Floats, parts: int) -> Floats:
    """The distinct inner edges that cut values into parts of about equal size."""
    return np.unique(np.quantile(known, np.arange(1, parts) / parts, method="inverted_cdf"))


def _learn_choice(feature: Feature, values: pa.ChunkedArray) -> ChoiceInput | None:
    counts = pc.value_counts(text_array(values)).to_pylist()
    if len(counts) < 2:
        return None
    known = [(c["counts"], c["values"]) for c in counts if c["values"] is not None]
    frequent = sorted(known, key=lambda c: (-c[0], c[1]))[:MAX_LEVELS]
    least = min(MIN_LEVEL_ROWS, len(values) // 20)
    return ChoiceInput(
        feature=feature.name, column=sql_name(feature.name),
        levels=tuple(sorted(level for n, level in frequent if n >= least)),
        boolean=feature.type is FieldType.BOOLEAN,
    )  # fmt: skip


def _dot(design: Floats, weights: Sequence[float]) -> Floats:
    """``design @ weights``, added column by column.

    A matrix product may round differently for one row than for many; an explanation of one
    subject has to give the very value that the run gave.
    """
    total = np.zeros(len(design))
    for position, weight in enumerate(weights):
        total += design[:, position] * weight
    return total
