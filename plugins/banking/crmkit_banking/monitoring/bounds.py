"""When a card is watched, and when its owner is alarmed."""

from __future__ import annotations

CHECK = "banking.model_check"
# Bounds of practice (Siddiqi 2006, chapter 8): below 0.10 stable, above 0.25 to be acted upon.
WATCH, ACT = 0.10, 0.25
# Observed over expected bads outside of this, or more overrides, ask for the model owner.
LOW, HIGH, OVERRIDES = 0.8, 1.25, 0.10
