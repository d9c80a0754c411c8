"""Preferences: the catalogue, what evidence teaches, and the commands of ``preference`` (H1, H2)."""
