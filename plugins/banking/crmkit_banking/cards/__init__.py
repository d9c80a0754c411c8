"""Scorecards: optimal bins, weights of evidence, whole points and their reading."""
