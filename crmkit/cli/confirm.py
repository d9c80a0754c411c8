"""Asking before something is done: on a terminal in words, elsewhere by the option --yes."""

from __future__ import annotations

import sys

import click

from ..errors import NotConfirmed


def confirm(what: str, yes: bool) -> None:
    """Goes on if it was confirmed.

    Args:
        what: what would be done, as a sentence without its full stop.
        yes: whether it was confirmed with --yes already.

    Raises:
        NotConfirmed: if there is no terminal to ask on, or the answer is no.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NotConfirmed(f"{what}; this was not confirmed.", hint="Give --yes.")
    if not click.confirm(f"{what}. Go on?", err=True):
        raise NotConfirmed("not confirmed; nothing was changed.")
