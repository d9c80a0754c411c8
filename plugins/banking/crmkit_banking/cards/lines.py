"""What the inputs of a card gave one applicant, and which of them lost most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

# More than four reasons are not likely to be helpful (Regulation B, comment 9(b)(2)-1).
MOST_REASONS = 4


@frozen(kw_only=True)
class Line:
    """What one input gave one applicant: the bin it fell into, its points, and those of the best bin."""

    feature: str
    title: str
    value: Any
    bin: str
    points: int
    best: int

    @property
    def lost(self) -> int:
        """Points lost against the best bin."""
        return self.best - self.points


def strongest(lines: Sequence[Line]) -> list[Line]:
    """The lines that lost most points against their best bins, at most four, most first."""
    lost = [line for line in lines if line.lost > 0]
    return sorted(lost, key=lambda line: (-line.lost, line.feature))[:MOST_REASONS]
