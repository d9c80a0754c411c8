"""Whole points: how log-odds become points, and points a probability.

``points = offset + factor * ln(good:bad odds)`` with ``factor = pdo / ln 2`` (Siddiqi 2006, chapter
6): 600 points are odds of 30 to 1, and every 20 points more double them. Each line of a card has
whole points and the score is their sum, so the probability belongs to the whole score and nothing is
rounded after adding up.
"""

from __future__ import annotations

import math

from attrs import field, frozen
from attrs.validators import gt


@frozen(kw_only=True)
class Scale:
    """The scale of a card.

    Args:
        points, odds: so many points are so many goods to one bad.
        pdo: points to double the odds.

    Example:
        >>> usual = Scale()
        >>> round(usual.of_probability(1 / 31), 6), round(usual.of_probability(1 / 61), 6)
        (600.0, 620.0)
    """

    points: float = field(default=600.0)
    odds: float = field(default=30.0, validator=gt(0.0))
    pdo: float = field(default=20.0, validator=gt(0.0))

    @property
    def factor(self) -> float:
        """Points of one unit of log-odds."""
        return self.pdo / math.log(2.0)

    @property
    def offset(self) -> float:
        """Points of even odds."""
        return self.points - self.factor * math.log(self.odds)

    def of_probability(self, bad: float) -> float:
        """The points, not rounded, of a probability of going bad between 0 and 1."""
        return self.offset - self.factor * math.log(bad / (1.0 - bad))

    def probability(self, points: float) -> float:
        """The probability of going bad that belongs to a number of points."""
        return 1.0 / (1.0 + math.exp((points - self.offset) / self.factor))


def shifted(bad: float, sample: float, real: float) -> float:
    """A probability learnt where bads were oversampled, brought to the real rate of bads.

    The log-odds move by the difference of the log-odds of both rates (King & Zeng 2001, Political
    Analysis 9, prior correction); the order of applicants and their points stay.

    Args:
        bad: probability on the scale of the sample.
        sample, real: rate of bads in the sample and in the trade, both between 0 and 1.

    Example:
        >>> round(shifted(0.3, sample=0.3, real=0.05), 12)
        0.05
    """
    moved = math.log(bad / (1 - bad)) - _log_odds(sample) + _log_odds(real)
    return 1.0 / (1.0 + math.exp(-moved))


def _log_odds(rate: float) -> float:
    if not 0.0 < rate < 1.0:
        raise ValueError(f"a rate of bads is between 0 and 1, not {rate}")
    return math.log(rate / (1.0 - rate))
