"""Scores: calibrated probabilities learnt from the operator's own past, with reasons in words."""

from .applying import Explanation
from .service import Scores

__all__ = ["Explanation", "Scores"]
