"""Credit decisions: proposed by card and policy, filed for good, and recomputed years later."""
