"""Scores: calibrated probabilities learnt from the operator's own past, with reasons in words."""

from .service import Explanation, Scores

__all__ = ["Explanation", "Scores"]
