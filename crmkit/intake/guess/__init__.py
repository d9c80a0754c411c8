"""Drafts of import profiles, made from a file's headers and values."""

from .draft import Drafted, Guess, guess_profile

__all__ = ["Drafted", "Guess", "guess_profile"]
