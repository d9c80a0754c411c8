"""The evidence for a pair in words, strongest first, what speaks against it last."""

from __future__ import annotations

from .model import Scored
from .people import People
from .relatives import MERGE_FROM


def evidence(scored: Scored, people: People) -> str:
    """One line without any value: names and numbers are nobody's business in a list.

    Example: ``same identity number, same birth date; but: family name differs``
    """
    order = sorted(scored.weights, key=lambda name: -scored.weights[name])
    said = {name: _phrase(people, name, scored.reached[name]) for name in order}
    speaks_for = [said[name] for name in order if scored.weights[name] > 0]
    against = [said[name] for name in reversed(order) if scored.weights[name] <= 0]
    # Swapped names are one piece of evidence that both parts of the name give.
    parts = [
        ", ".join(dict.fromkeys(speaks_for)),
        f"but: {', '.join(dict.fromkeys(against))}" if against else "",
        f"held below {MERGE_FROM:.0%}: {scored.held}" if scored.held else "",
    ]
    return "; ".join(part for part in parts if part)


def _phrase(people: People, name: str, position: int) -> str:
    return people.levels(name)[position].phrase.format(title=people.keys[name].title)
