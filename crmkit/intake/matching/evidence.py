"""The evidence for a pair in words, strongest first, what speaks against it last."""

from __future__ import annotations

from collections.abc import Mapping

from ...declarations import MatchKey
from .levels import LEVELS
from .model import Scored


def evidence(scored: Scored, keys: Mapping[str, MatchKey]) -> str:
    """One line without any value: names and numbers are nobody's business in a list.

    Example: ``same identity number, same birth date; but: family name differs``
    """
    order = sorted(scored.weights, key=lambda name: -scored.weights[name])
    said = {name: _phrase(keys[name], scored.reached[name]) for name in order}
    speaks_for = [said[name] for name in order if scored.weights[name] > 0]
    against = [said[name] for name in reversed(order) if scored.weights[name] <= 0]
    parts = [", ".join(speaks_for), f"but: {', '.join(against)}" if against else ""]
    return "; ".join(part for part in parts if part)


def _phrase(key: MatchKey, position: int) -> str:
    return LEVELS[key.kind][position].phrase.format(title=key.title)
