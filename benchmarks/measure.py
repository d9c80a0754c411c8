"""What the benchmarks share: a result, a table of results, and the clock."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable

from attrs import frozen


@frozen(kw_only=True)
class Result:
    """One comparison: ``ours`` and ``bare`` are in ``unit``, and the goal speaks of their ratio."""

    name: str
    ours: float
    bare: float
    unit: str
    goal: float
    at_most: bool

    @property
    def ratio(self) -> float:
        """Ours as a share of bare."""
        return self.ours / self.bare

    @property
    def reached(self) -> bool:
        """Whether the goal holds."""
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def middle(values: Iterable[float]) -> float:
    """The median: one disturbed run of several does not move it."""
    return statistics.median(values)


def machine() -> str:
    """The machine in a line."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def show(results: Iterable[Result]) -> None:
    """Prints a Markdown table, so that it can go into the documentation as it is."""
    print("| comparison | crmkit | bare | ratio | goal |")
    print("|---|---:|---:|---:|---:|")
    for r in results:
        sign = "≤" if r.at_most else "≥"
        mark = "" if r.reached else " (missed)"
        print(
            f"| {r.name} | {_number(r.ours)} {r.unit} | {_number(r.bare)} {r.unit} "
            f"| {r.ratio:.3g} | {sign} {r.goal:g}{mark} |"
        )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
