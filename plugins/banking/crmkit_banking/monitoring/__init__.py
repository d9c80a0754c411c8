"""Whether a card still holds: stability, observed against expected, overrides."""
