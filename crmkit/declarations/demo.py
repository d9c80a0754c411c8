"""Demos: a generated world with known truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from ..workspace import Crm


def _files(values: Iterable[DemoFile]) -> tuple[DemoFile, ...]:
    return tuple(values)


@frozen(kw_only=True)
class DemoFile:
    """A generated file and the profile that imports it, in import order."""

    path: Path
    profile: str


@frozen(kw_only=True)
class DemoData:
    """What a generator made: files to import, the day on which the demo stands, and its truth."""

    files: tuple[DemoFile, ...] = field(converter=_files)
    as_of: date
    train_until: date | None = None
    truth: Path | None = None


@frozen(kw_only=True)
class DemoCheck:
    """One comparison of the result with the generator's truth."""

    name: str
    passed: bool
    found: str
    expected: str


@frozen(kw_only=True)
class Demo:
    """A realistic workspace of one vertical, generated with a known truth.

    Args:
        name: the vertical, as ``telecom``.
        generate: called with folder, number of customers and seed; the same three give the same
            bytes.
        history: called with the workspace and the data after the import, for what the business did
            over time, as reviews of tiers.
        commands: the plugin's commands without parameters that are run after the import, in order;
            those that take one are given the demo's day as their as-of.
        scores: trained at ``train_until``, evaluated later, then run at ``as_of``.
        reports: shown in the terminal, in order; ``html`` names the one written as HTML.
        verify: called with the workspace and the data; returns the checks.
    """

    name: str
    title: str = ""
    generate: Callable[[Path, int, int], DemoData]
    history: Callable[[Crm, DemoData], None] | None = None
    commands: tuple[str, ...] = ()
    lifecycles: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    html: str | None = None
    verify: Callable[[Crm, DemoData], list[DemoCheck]] | None = None
