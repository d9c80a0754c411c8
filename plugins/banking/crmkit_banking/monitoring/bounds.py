"""When a model is watched, and when its owner is alarmed."""

from __future__ import annotations

CHECK = "banking.model_check"
# Bounds of practice (Siddiqi 2006, chapter 8): below 0.10 stable, above 0.25 to be acted upon.
WATCH, ACT = 0.10, 0.25
# Observed over expected bads outside of this, or more overrides, ask for the model owner.
LOW, HIGH, OVERRIDES = 0.8, 1.25, 0.10
# Fewer decisions move by chance alone: with ten bands the index of 100 rows drawn from the same
# distribution is about 9/100.
LEAST = 100


def verdict(psi: float | None, ratio: float | None, overrides: float | None) -> str:
    """``act``, ``watch`` or ``stable``; a figure that is missing asks for nothing."""
    alarmed = (
        (psi or 0.0) > ACT
        or (ratio is not None and not LOW <= ratio <= HIGH)
        or (overrides or 0.0) > OVERRIDES
    )
    return "act" if alarmed else "watch" if (psi or 0.0) >= WATCH else "stable"
