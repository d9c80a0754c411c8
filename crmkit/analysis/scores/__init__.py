"""Scores: calibrated probabilities learnt from the operator's own past, with reasons in words."""
