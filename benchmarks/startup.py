"""Start-up: processor time of `crmkit` commands against a bare click program.

Processor time (user and system of the child process) and not wall clock, because that is what a
start costs and what other work on the machine disturbs least. The programs take turns, so that a
slow moment hits all of them.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from .measure import Result, machine, middle, show

HELLO = """
import click

@click.command()
def hello():
    click.echo("hello")

hello()
"""
GOALS = {
    ("--version",): 1.5,
    ("--help",): 3.0,
    ("plugin", "list"): 3.0,
    ("-w", "shop", "customer", "list"): 8.0,
}


def cpu_ms(command: list[str], folder: Path) -> float:
    """Milliseconds of processor time that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return used * 1000


def run(runs: int = 15) -> list[Result]:
    """Starts each program ``runs`` times, after one start that fills the caches."""
    crmkit = Path(sys.executable).with_name("crmkit")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hello.py").write_text(HELLO, encoding="utf-8")
        subprocess.run([str(crmkit), "init", "shop"], cwd=folder, check=True, capture_output=True)
        programs = {(): [sys.executable, "hello.py"]}
        programs |= {args: [str(crmkit), *args] for args in GOALS}
        taken: dict[tuple[str, ...], list[float]] = {args: [] for args in programs}
        for turn in range(runs + 1):
            for args, command in programs.items():
                used = cpu_ms(command, folder)
                if turn:
                    taken[args].append(used)
    bare = middle(taken[()])
    return [
        Result(
            name=f"`crmkit {' '.join(args)}`, processor time",
            ours=middle(taken[args]),
            bare=bare,
            unit="ms",
            goal=goal,
            at_most=True,
        )
        for args, goal in GOALS.items()
    ]


def main() -> None:
    """Runs it alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="starts of each program")
    options = parser.parse_args()
    print(machine())
    show(run(options.runs))


if __name__ == "__main__":
    main()
