"""Of 300 mutants of money, time, import, policy, rules and scores, fewer than a tenth survive.

Runs on; results are kept in ``build/mutants.jsonl``, so that a run that was stopped goes on, and in
``build/mutants.md`` stands the table. ``CRMKIT_MUTANTS=150:300`` tries the second half only.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from .mutants import DRAWN, ROOMS, Arena, Mutant, draw, particular


@pytest.mark.soak
@pytest.mark.timeout(150 * 60)
def test_fewer_than_a_tenth_of_the_mutants_survive(root: Path, tmp_path: Path) -> None:
    first, _, last = os.environ.get("CRMKIT_MUTANTS", f"0:{DRAWN}").partition(":")
    mutants = draw(root, DRAWN)[int(first) : int(last or DRAWN)]
    build = root / "build"
    build.mkdir(exist_ok=True)
    notes = build / "mutants.jsonl"
    known = _read(notes)
    idle: SimpleQueue[Arena] = SimpleQueue()
    workers = os.cpu_count() or 1
    for number in range(workers):
        folder = tmp_path / str(number)
        folder.mkdir()
        idle.put(Arena(root, folder))
    pool = ThreadPoolExecutor(workers)

    def attempt(mutant: Mutant, reached: dict[str, list[str]]) -> None:
        arena = idle.get()
        try:
            known[mutant.name] = arena.survives(mutant, particular(root, mutant, reached))
        finally:
            idle.put(arena)
        with notes.open("a", encoding="utf-8") as out:
            out.write(json.dumps([mutant.name, known[mutant.name]]) + "\n")

    left = [m for m in mutants if m.name not in known]
    with pool:
        for tests in sorted({m.tests for m in left}):
            arena = idle.get()
            reached = arena.reached(tests)
            idle.put(arena)
            list(
                pool.map(lambda m, r=reached: attempt(m, r), [m for m in left if m.tests == tests])
            )
    survivors = [m.name for m in mutants if known[m.name]]
    table = [f"| `{name}` |" for name in sorted(survivors)]
    (build / "mutants.md").write_text(
        "\n".join([f"| {len(survivors)} of {len(mutants)} survived |", "|---|", *table]) + "\n",
        encoding="utf-8",
    )
    assert len(survivors) < len(mutants) / 10, "\n".join(survivors)


def _read(notes: Path) -> dict[str, bool]:
    if not notes.exists():
        return {}
    return dict(json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines())


def test_mutants_change_one_thing_each_and_are_drawn_alike_every_time(root: Path) -> None:
    drawn = draw(root, 40)
    assert drawn == draw(root, 40)
    for mutant in drawn:
        source = (root / mutant.path).read_bytes()
        assert source[mutant.begin : mutant.end].decode() == mutant.before
        changed = mutant.applied(source)
        assert changed != source
        if mutant.path.endswith(".py"):
            compile(changed, mutant.path, "exec")


def test_every_room_has_its_files_and_its_tests(root: Path) -> None:
    for globs, tests in ROOMS:
        assert [pattern for pattern in globs if not any(root.glob(pattern))] == []
        assert [place for place in tests if not (root / place).exists()] == []
