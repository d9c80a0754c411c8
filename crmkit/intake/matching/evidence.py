"""The evidence for a pair in words, strongest first, what speaks against it last."""

from __future__ import annotations

from .model import Scored
from .people import People


def evidence(scored: Scored, people: People) -> str:
    """One line without any value: names and numbers are nobody's business in a list.

    Example: ``same identity number, same birth date; but: family name differs``
    """
    order = sorted(scored.weights, key=lambda name: -scored.weights[name])
    said = {name: _phrase(people, name, scored.reached[name]) for name in order}
    speaks_for = [said[name] for name in order if scored.weights[name] > 0]
    against = [said[name] for name in reversed(order) if scored.weights[name] <= 0]
    parts = [", ".join(speaks_for), f"but: {', '.join(against)}" if against else ""]
    return "; ".join(part for part in parts if part)


def _phrase(people: People, name: str, position: int) -> str:
    return people.levels(name)[position].phrase.format(title=people.keys[name].title)
