"""Who takes an offer."""
